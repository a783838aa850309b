//! A browser that holds a client certificate: real mutual TLS to the certificate site.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use super::stage::Stage;

/// Opens a .p12 as a browser would, logs in with it, and gives what the site says.
pub async fn log_in(stage: &Stage, p12: &[u8], password: &str) -> Result<Value> {
    let store = KeyStore::from_pkcs12(p12, password, Pkcs12ImportPolicy::Strict)
        .context("the .p12 does not open")?;
    let (_, chain) = store.private_key_chain().context("the .p12 holds no key")?;
    let certificates =
        chain.certs().iter().map(|one| CertificateDer::from(one.as_der().to_vec())).collect();
    let key = PrivateKeyDer::try_from(chain.key().as_der().to_vec())
        .map_err(|reason| anyhow::anyhow!("the key in the .p12 cannot be used: {reason}"))?;
    let mut roots = RootCertStore::empty();
    let root = stage.app.tools.authority.root_certificate();
    roots.add(CertificateDer::from(root.der().to_vec()))?;
    let provider = Arc::new(crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_client_auth_cert(certificates, key)?;
    let address = stage.server.addresses.certificate.context("the site is not served")?;
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost")?;
    let mut tls = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    let request = format!(
        "GET / HTTP/1.1\r\nHost: localhost:{}\r\nAccept: application/json\r\nConnection: close\r\n\r\n",
        address.port()
    );
    tls.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    tls.read_to_end(&mut answer).await?;
    let answer = String::from_utf8(answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no answer from the site")?;
    ensure!(head.starts_with("HTTP/1.1 200"), "the site turned the certificate away: {head}");
    serde_json::from_str(body).with_context(|| format!("the site's answer: {body}"))
}
