//! TLS configurations of the two kinds of site: plain, and the one that asks for certificates.
//!
//! Both speak TLS 1.2 and 1.3 through *ring*. The caller sets `alpn_protocols`.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{NoServerSessionStorage, ServerConnection, WantsServerCert};
use rustls::{ConfigBuilder, DistinguishedName, ServerConfig, WantsVerifier};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use zeroize::Zeroizing;

use crate::possession::Possession;
use crate::{Certificate, Fault, Fingerprint, PrivateKey};

/// A server's own certificate, the chain it sends along, and its key.
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: Zeroizing<PrivateKeyDer<'static>>,
}

impl Identity {
    /// From a certificate of ours and the certificates above it; a root may be left out.
    pub fn new(certificate: &Certificate, above: &[&Certificate], key: &PrivateKey) -> Self {
        let chain = std::iter::once(&certificate)
            .chain(above)
            .map(|certificate| certificate.der().to_vec().into())
            .collect();
        let key = PrivatePkcs8KeyDer::from(key.pkcs8().to_vec());
        Self { chain, key: Zeroizing::new(key.into()) }
    }

    /// From two PEM texts, such as another authority gives: the chain, server first, and the key
    /// in any of the usual forms.
    ///
    /// # Errors
    /// [`Fault::Pem`].
    pub fn from_pem(chain: &str, key: &str) -> Result<Self, Fault> {
        let chain = CertificateDer::pem_slice_iter(chain.as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|source| Fault::Pem { what: "the server's certificate chain", source })?;
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
            .map_err(|source| Fault::Pem { what: "the server's key", source })?;
        Ok(Self { chain, key: Zeroizing::new(key) })
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Identity({} certificates, key not shown)", self.chain.len())
    }
}

/// A site for everybody: no certificate is asked of the peer.
///
/// # Errors
/// [`Fault::Tls`] when certificate and key do not fit.
pub fn plain(identity: &Identity) -> Result<ServerConfig, Fault> {
    let site = "plain";
    finish(site, builder(site, &provider())?.with_no_client_auth(), identity)
}

/// The certificate site: a certificate is asked for, and possession of its key is proven.
///
/// Absent, revoked, expired and foreign certificates all complete the handshake; who the peer is
/// must be judged from [`presented`] at every request. `authorities` are named to the browser, so
/// that it offers our certificates only; give every issuing authority whose certificates are still
/// about. Nothing is ever resumed, because a resumed session would carry an old certificate
/// without proving its key again.
///
/// Only a peer that signs with another key, or with a key too weak to verify (RSA below 2048
/// bits), is turned away.
///
/// # Errors
/// [`Fault::Tls`] when certificate and key do not fit.
pub fn certificate_site(
    identity: &Identity,
    authorities: &[&Certificate],
) -> Result<ServerConfig, Fault> {
    let site = "certificate";
    let provider = provider();
    let issuers = authorities.iter().filter_map(|authority| subject(authority)).collect();
    let possession = Possession::new(provider.signature_verification_algorithms, issuers);
    let builder = builder(site, &provider)?.with_client_cert_verifier(Arc::new(possession));
    let mut config = finish(site, builder, identity)?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    Ok(config)
}

/// The certificate a peer presented and proved to hold, or none.
///
/// Before the handshake is complete it is none.
pub fn presented(connection: &ServerConnection) -> Option<Presented<'_>> {
    if connection.is_handshaking() {
        return None;
    }
    let der = connection.peer_certificates()?.first()?.as_ref();
    Some(Presented { der, fingerprint: Fingerprint::of(der) })
}

/// A certificate whose key the peer holds. It identifies nobody until it is found active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presented<'connection> {
    /// The certificate, DER.
    pub der: &'connection [u8],
    /// The exact certificate's name.
    pub fingerprint: Fingerprint,
}

/// The provider is named here rather than installed for the process, which may have another.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn builder(
    site: &'static str,
    provider: &Arc<CryptoProvider>,
) -> Result<ConfigBuilder<ServerConfig, WantsVerifier>, Fault> {
    ServerConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()
        .map_err(|source| Fault::Tls { site, source })
}

fn finish(
    site: &'static str,
    builder: ConfigBuilder<ServerConfig, WantsServerCert>,
    identity: &Identity,
) -> Result<ServerConfig, Fault> {
    builder
        .with_single_cert(identity.chain.clone(), identity.key.clone_key())
        .map_err(|source| Fault::Tls { site, source })
}

fn subject(authority: &Certificate) -> Option<DistinguishedName> {
    let (_, parsed) = X509Certificate::from_der(authority.der()).ok()?;
    Some(parsed.subject().as_raw().to_vec().into())
}
