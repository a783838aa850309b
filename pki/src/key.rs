//! Key pairs of our own (P-256) and public keys of others (P-256, RSA), once they are accepted.

use std::fmt;

use rcgen::{PublicKeyData, SignatureAlgorithm, SigningKey, SubjectPublicKeyInfo};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use zeroize::{Zeroize, Zeroizing};

use crate::terms::sha256;
use crate::{Fault, pem};

/// A private key on the curve P-256: wiped when dropped, never shown, never serialized by itself.
///
/// Only the PKCS#8 form is kept; *ring*'s own form, which cannot be wiped, lives for the length of
/// a signature.
pub struct PrivateKey {
    pkcs8: Zeroizing<Vec<u8>>,
    public: PublicKey,
}

impl PrivateKey {
    /// Generates a key with the operating system's generator, the only one *ring* accepts.
    ///
    /// # Errors
    /// [`Fault::KeyGeneration`] when the generator fails.
    pub fn generate() -> Result<Self, Fault> {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random)
            .map_err(|_| Fault::KeyGeneration)?;
        Self::from_pkcs8("a new key", document.as_ref())
    }

    /// Reads a key from PEM (`PRIVATE KEY`, PKCS#8); `owner` names it in the fault.
    ///
    /// # Errors
    /// [`Fault::Pem`] or [`Fault::Key`].
    pub fn from_pem(owner: &'static str, text: &str) -> Result<Self, Fault> {
        let mut der = PrivatePkcs8KeyDer::from_pem_slice(text.as_bytes())
            .map_err(|source| Fault::Pem { what: owner, source })?;
        let key = Self::from_pkcs8(owner, der.secret_pkcs8_der());
        der.zeroize();
        key
    }

    /// Reads a key from PKCS#8 in DER; `owner` names it in the fault.
    ///
    /// # Errors
    /// [`Fault::Key`] unless it is a P-256 key that carries its public part.
    pub fn from_pkcs8(owner: &'static str, der: &[u8]) -> Result<Self, Fault> {
        let pair = key_pair(der).ok_or(Fault::Key { owner })?;
        let point = Point(pair.public_key().as_ref().to_vec());
        let public = PublicKey::from_spki(&point.subject_public_key_info())
            .map_err(|_| Fault::Key { owner })?;
        Ok(Self { pkcs8: Zeroizing::new(der.to_vec()), public })
    }

    /// The key in PKCS#8, DER. Secret.
    pub fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// The key in PKCS#8, PEM, for a file that only its owner may read. Secret.
    pub fn to_pem(&self) -> Zeroizing<String> {
        pem::encode("PRIVATE KEY", &self.pkcs8)
    }

    /// The public half.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PrivateKey(not shown)")
    }
}

impl PublicKeyData for PrivateKey {
    fn der_bytes(&self) -> &[u8] {
        self.public.data.der_bytes()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.public.data.algorithm()
    }
}

impl SigningKey for PrivateKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let pair = key_pair(&self.pkcs8).ok_or(rcgen::Error::CouldNotParseKeyPair)?;
        let signature =
            pair.sign(&SystemRandom::new(), message).map_err(|_| rcgen::Error::RingUnspecified)?;
        Ok(signature.as_ref().to_vec())
    }
}

/// The public half as *ring* gives it: an uncompressed point on P-256.
struct Point(Vec<u8>);

impl PublicKeyData for Point {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

fn key_pair(pkcs8: &[u8]) -> Option<EcdsaKeyPair> {
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8, &SystemRandom::new()).ok()
}

/// A public key that may be certified: its strength was judged and its possession proven.
///
/// It comes from [`crate::Request`] or from a [`PrivateKey`] of our own, and from nowhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    data: SubjectPublicKeyInfo,
}

impl PublicKey {
    pub(crate) fn from_spki(der: &[u8]) -> Result<Self, rcgen::Error> {
        SubjectPublicKeyInfo::from_der(der).map(|data| Self { data })
    }

    pub(crate) fn data(&self) -> &SubjectPublicKeyInfo {
        &self.data
    }

    /// The key as `SubjectPublicKeyInfo`, DER.
    pub fn spki(&self) -> Vec<u8> {
        self.data.subject_public_key_info()
    }

    /// SHA-256 over the `SubjectPublicKeyInfo`: finds a key that was certified before, such as
    /// one that was reported lost.
    pub fn digest(&self) -> [u8; 32] {
        sha256(&self.spki())
    }
}
