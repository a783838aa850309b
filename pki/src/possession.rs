//! The certificate site's verifier: proves that a peer holds the key of the certificate it shows,
//! and judges nothing else.

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, PeerMisbehaved,
    SignatureScheme,
};
use webpki::RawPublicKeyEntity;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

/// Lets every readable certificate pass, and also none at all, as long as the handshake is signed
/// with its key.
///
/// Revoked, expired and foreign certificates must reach the page that explains, so neither dates
/// nor issuer nor extensions are looked at here; the caller judges the exact certificate at every
/// request. For the same reason the key is taken from the certificate by itself: the TLS library's
/// own reader turns away version 1 certificates, which many self-made ones are.
#[derive(Debug)]
pub(crate) struct Possession {
    algorithms: WebPkiSupportedAlgorithms,
    issuers: Vec<DistinguishedName>,
}

impl Possession {
    /// `issuers` are shown to the peer, so that a browser offers our certificates only.
    pub(crate) fn new(
        algorithms: WebPkiSupportedAlgorithms,
        issuers: Vec<DistinguishedName>,
    ) -> Self {
        Self { algorithms, issuers }
    }
}

impl ClientCertVerifier for Possession {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.issuers
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        public_key(end_entity).map(|_| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = public_key(certificate)?;
        let key = RawPublicKeyEntity::try_from(&key).map_err(|_| bad_encoding())?;
        let scheme = self.algorithms.mapping.iter().find(|(scheme, _)| *scheme == signed.scheme);
        let Some((_, candidates)) = scheme else {
            return Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into());
        };
        // In TLS 1.2 a scheme names the hash only; the curve follows from the key.
        let valid = candidates
            .iter()
            .any(|candidate| key.verify_signature(*candidate, message, signed.signature()).is_ok());
        if valid {
            Ok(HandshakeSignatureValid::assertion())
        } else {
            Err(CertificateError::BadSignature.into())
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = public_key(certificate)?;
        verify_tls13_signature_with_raw_key(message, &key, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn public_key(certificate: &CertificateDer<'_>) -> Result<SubjectPublicKeyInfoDer<'static>, Error> {
    match X509Certificate::from_der(certificate) {
        Ok(([], parsed)) => Ok(parsed.public_key().raw.to_vec().into()),
        _ => Err(bad_encoding()),
    }
}

fn bad_encoding() -> Error {
    CertificateError::BadEncoding.into()
}
