//! One request to the identity provider: over TLS, within a time and a size, and never sent on to
//! another address.

use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::uri::Authority;
use axum::http::{StatusCode, Uri, header};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, InvalidDnsNameError, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use super::ProviderFault;
use crate::config::is_protected;

/// No description, key set or token is larger.
const LARGEST: usize = 1 << 20;

/// Why a request came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum WireFault {
    /// The address is neither protected nor on this machine.
    #[error("{address} is not protected")]
    Unprotected {
        /// Which.
        address: String,
    },
    /// No connection, or no TLS.
    #[error("no connection to {host}")]
    Connection {
        /// To whom.
        host: String,
        /// Why.
        source: io::Error,
    },
    /// Its name cannot stand in a certificate.
    #[error("{host} is no host name")]
    Name {
        /// Which.
        host: String,
        /// Why.
        source: InvalidDnsNameError,
    },
    /// The connection broke.
    #[error("the connection to {host} broke")]
    Broken {
        /// To whom.
        host: String,
        /// Why.
        source: hyper::Error,
    },
    /// The answer was too large, or broke off.
    #[error("the answer of {host} could not be read")]
    Answer {
        /// Whose.
        host: String,
        /// Why.
        source: axum::Error,
    },
    /// It says itself that something broke.
    #[error("{host} answered {status}")]
    Status {
        /// Who.
        host: String,
        /// What.
        status: StatusCode,
    },
    /// No answer in time.
    #[error("{host} did not answer in {seconds} seconds")]
    Late {
        /// Who.
        host: String,
        /// The time.
        seconds: u64,
    },
}

/// How requests reach the provider.
pub(super) struct Wire {
    tls: TlsConnector,
    timeout: Duration,
}

impl Wire {
    /// Trusts the certificates of a file, or those of the system.
    pub(super) fn new(authorities: &Path, timeout: Duration) -> Result<Self, ProviderFault> {
        let unreadable = |reason: String| {
            let path = authorities.to_owned();
            ProviderFault::Authorities { path, reason }
        };
        let mut roots = RootCertStore::empty();
        if authorities.as_os_str().is_empty() {
            // A certificate of the system that cannot be read proves nothing; the others do.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        } else {
            let found = CertificateDer::pem_file_iter(authorities);
            for one in found.map_err(|error| unreadable(error.to_string()))? {
                let one = one.map_err(|error| unreadable(error.to_string()))?;
                roots.add(one).map_err(|error| unreadable(error.to_string()))?;
            }
        }
        let provider = Arc::new(crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| unreadable(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { tls: TlsConnector::from(Arc::new(config)), timeout })
    }

    /// Sends one request and reads the answer.
    pub(super) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, WireFault> {
        let uri = request.uri().clone();
        if !is_protected(&uri.to_string()) {
            return Err(WireFault::Unprotected { address: uri.to_string() });
        }
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let late = WireFault::Late { host: host.clone(), seconds: self.timeout.as_secs() };
        let answered = tokio::time::timeout(self.timeout, self.exchange(&uri, &host, request));
        answered.await.unwrap_or(Err(late))
    }

    async fn exchange(
        &self,
        uri: &Uri,
        host: &str,
        request: HttpRequest,
    ) -> Result<HttpResponse, WireFault> {
        let is_tls = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let refused = |source| WireFault::Connection { host: host.to_owned(), source };
        let stream = TcpStream::connect((host, port)).await.map_err(refused)?;
        if !is_tls {
            return talk(stream, uri, host, request).await;
        }
        let name = ServerName::try_from(host.to_owned())
            .map_err(|source| WireFault::Name { host: host.to_owned(), source })?;
        let stream = self.tls.connect(name, stream).await.map_err(refused)?;
        talk(stream, uri, host, request).await
    }
}

/// One request over a connection of its own.
async fn talk(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    uri: &Uri,
    host: &str,
    request: HttpRequest,
) -> Result<HttpResponse, WireFault> {
    let broken = |source| WireFault::Broken { host: host.to_owned(), source };
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // A connection that ends badly fails the request that is under way, and is told there.
    let carrying = tokio::spawn(async move {
        let _ = connection.await;
    });
    let (mut parts, body) = request.into_parts();
    let authority = uri.authority().map_or("", Authority::as_str);
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    if let (Ok(path), Ok(authority)) = (path.parse(), authority.parse()) {
        parts.uri = path;
        parts.headers.insert(header::HOST, authority);
    }
    let sent = sender.send_request(hyper::Request::from_parts(parts, Body::from(body))).await;
    let (parts, incoming) = sent.map_err(broken)?.into_parts();
    let body = to_bytes(Body::new(incoming), LARGEST).await;
    carrying.abort();
    let body = body.map_err(|source| WireFault::Answer { host: host.to_owned(), source })?;
    if parts.status.is_server_error() {
        return Err(WireFault::Status { host: host.to_owned(), status: parts.status });
    }
    Ok(HttpResponse::from_parts(parts, body.to_vec()))
}

impl<'c> AsyncHttpClient<'c> for Wire {
    type Error = WireFault;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, WireFault>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}
