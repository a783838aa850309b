//! Certificate requests (PKCS#10, RFC 2986): only the key is taken from them, and only when it is
//! strong enough and the request is signed with it.

use rustls::pki_types::CertificateSigningRequestDer;
use rustls::pki_types::pem::PemObject;
use x509_parser::asn1_rs::Tag;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::oid_registry::{
    OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_PKCS1_RSAENCRYPTION, OID_PKCS1_SHA256WITHRSA,
    OID_PKCS1_SHA384WITHRSA, OID_PKCS1_SHA512WITHRSA, OID_SIG_ECDSA_WITH_SHA256,
    OID_SIG_ECDSA_WITH_SHA384, Oid,
};
use x509_parser::prelude::FromDer;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo};

use crate::{PublicKey, Refusal};

/// A request with an RSA-8192 key and a generous subject has 3,000 octets in PEM.
const LIMIT: usize = 16 * 1024;
/// ASVS 5.0.0, 11.2.3: at least 128 bits of security, which RSA reaches at 3072 bits. Above 8192
/// *ring* verifies nothing.
const RSA_BITS: std::ops::RangeInclusive<usize> = 3072..=8192;
/// Octets of a P-256 point in the uncompressed form.
const P256_POINT: usize = 65;
/// 65537, the only exponent in honest use.
const RSA_EXPONENT: [u8; 3] = [1, 0, 1];

static ECDSA_SIGNATURES: [Oid<'_>; 2] = [OID_SIG_ECDSA_WITH_SHA256, OID_SIG_ECDSA_WITH_SHA384];
static RSA_SIGNATURES: [Oid<'_>; 3] =
    [OID_PKCS1_SHA256WITHRSA, OID_PKCS1_SHA384WITHRSA, OID_PKCS1_SHA512WITHRSA];

/// An accepted request: its key is P-256 or RSA of 3072 bits and more, and its sender holds the
/// private half. Subject, attributes and wished-for extensions were not even read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    public_key: PublicKey,
}

impl Request {
    /// Judges a request in PEM (`CERTIFICATE REQUEST`), as a browser's page sends it.
    ///
    /// # Errors
    /// A [`Refusal`] naming the first thing that is not acceptable.
    pub fn from_pem(text: &str) -> Result<Self, Refusal> {
        limit(text.len())?;
        let der = CertificateSigningRequestDer::from_pem_slice(text.as_bytes())
            .map_err(|_| Refusal::RequestMalformed)?;
        Self::from_der(&der)
    }

    /// Judges a request in DER.
    ///
    /// # Errors
    /// A [`Refusal`] naming the first thing that is not acceptable.
    pub fn from_der(der: &[u8]) -> Result<Self, Refusal> {
        limit(der.len())?;
        let (rest, request) =
            X509CertificationRequest::from_der(der).map_err(|_| Refusal::RequestMalformed)?;
        if !rest.is_empty() {
            return Err(Refusal::RequestMalformed);
        }
        let key = &request.certification_request_info.subject_pki;
        let signatures = judge_key(key)?;
        judge_signature_kind(&request.signature_algorithm, signatures)?;
        request.verify_signature().map_err(|_| Refusal::PossessionUnproven)?;
        let public_key = PublicKey::from_spki(key.raw).map_err(|_| Refusal::KeyForm)?;
        Ok(Self { public_key })
    }

    /// The key to be certified.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }
}

fn limit(octets: usize) -> Result<(), Refusal> {
    if octets > LIMIT {
        return Err(Refusal::RequestTooLong { octets, limit: LIMIT });
    }
    Ok(())
}

/// Accepts the key's kind, size and form; returns the signature algorithms that fit it.
fn judge_key(key: &SubjectPublicKeyInfo<'_>) -> Result<&'static [Oid<'static>], Refusal> {
    let kind = &key.algorithm.algorithm;
    if *kind == OID_KEY_TYPE_EC_PUBLIC_KEY {
        judge_curve(&key.algorithm)?;
        let uncompressed = key.subject_public_key.data.first() == Some(&4);
        if uncompressed && key.subject_public_key.data.len() == P256_POINT {
            Ok(&ECDSA_SIGNATURES)
        } else {
            Err(Refusal::KeyForm)
        }
    } else if *kind == OID_PKCS1_RSAENCRYPTION {
        judge_rsa(key)?;
        Ok(&RSA_SIGNATURES)
    } else {
        Err(Refusal::KeyKind { algorithm: kind.to_id_string() })
    }
}

fn judge_curve(algorithm: &AlgorithmIdentifier<'_>) -> Result<(), Refusal> {
    let named = algorithm.parameters.as_ref().filter(|any| any.tag() == Tag::Oid);
    match named.and_then(|any| any.as_oid().ok()) {
        Some(curve) if curve == OID_EC_P256 => Ok(()),
        Some(curve) => Err(Refusal::KeyKind { algorithm: curve.to_id_string() }),
        // Explicit curve parameters (CVE-2020-0601) end here.
        None => Err(Refusal::KeyForm),
    }
}

fn judge_rsa(key: &SubjectPublicKeyInfo<'_>) -> Result<(), Refusal> {
    let Ok(x509_parser::public_key::PublicKey::RSA(rsa)) = key.parsed() else {
        return Err(Refusal::KeyForm);
    };
    let bits = significant_bits(rsa.modulus);
    if !RSA_BITS.contains(&bits) {
        return Err(Refusal::KeySize { bits });
    }
    if rsa.exponent != RSA_EXPONENT {
        return Err(Refusal::KeyForm);
    }
    Ok(())
}

fn significant_bits(number: &[u8]) -> usize {
    let Some(start) = number.iter().position(|octet| *octet != 0) else {
        return 0;
    };
    let leading = number.get(start).map_or(0, |octet| octet.leading_zeros() as usize);
    (number.len() - start) * 8 - leading
}

fn judge_signature_kind(
    algorithm: &AlgorithmIdentifier<'_>,
    accepted: &[Oid<'_>],
) -> Result<(), Refusal> {
    if accepted.contains(&algorithm.algorithm) {
        Ok(())
    } else {
        Err(Refusal::SignatureKind { algorithm: algorithm.algorithm.to_id_string() })
    }
}
