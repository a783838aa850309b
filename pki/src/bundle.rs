//! Bundles (PKCS#12, `.p12`) of a key made on the server, its certificate and the chain above.

use std::fmt;

use p12_keystore::{
    Certificate as StoredCertificate, EncryptionAlgorithm, KeyStore, KeyStoreEntry, MacAlgorithm,
    PrivateKey as StoredKey, PrivateKeyChain,
};
use zeroize::Zeroizing;

use crate::{Certificate, Fault, PrivateKey, Refusal};

/// The most characters of an alias and of an import password.
const CHARACTERS: usize = 64;
/// Rounds of key derivation where a password stands between a thief and the key. NSS opens up to
/// 600,000, Java up to 5,000,000.
const ROUNDS: u32 = 100_000;
/// Rounds where the password is empty, so that none of them protects anything.
const ROUNDS_EMPTY: u32 = 2_048;

/// The name a bundle's key carries in the certificate stores of browsers: the user's identifier.
///
/// Printable ASCII only: a character outside the Basic Multilingual Plane has no place in the
/// format's `BMPString`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias(String);

impl Alias {
    /// Checks and keeps an alias.
    ///
    /// # Errors
    /// [`Refusal::Alias`].
    pub fn new(text: &str) -> Result<Self, Refusal> {
        if text.is_empty() || !is_plain(text) {
            return Err(Refusal::Alias);
        }
        Ok(Self(text.to_owned()))
    }
}

/// The password under which a bundle is imported; empty by the bank's manual, or the customer's
/// choice. Wiped when dropped, never shown.
pub struct BundlePassword(Zeroizing<String>);

impl BundlePassword {
    /// The manual's empty password. The bundle is then as secret as the bare key.
    pub fn empty() -> Self {
        Self(Zeroizing::new(String::new()))
    }

    /// Checks and keeps a password of printable ASCII, which every reader encodes alike.
    ///
    /// # Errors
    /// [`Refusal::BundlePassword`].
    pub fn new(text: &str) -> Result<Self, Refusal> {
        if !is_plain(text) {
            return Err(Refusal::BundlePassword);
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    fn rounds(&self) -> u32 {
        if self.0.is_empty() { ROUNDS_EMPTY } else { ROUNDS }
    }
}

impl fmt::Debug for BundlePassword {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("BundlePassword(not shown)")
    }
}

/// How a bundle is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encryption {
    /// PBES2 with AES-256 and HMAC-SHA-256.
    #[default]
    Aes256,
    /// Triple DES and SHA-1, for readers from before about 2018; only on request.
    Legacy,
}

/// Writes a bundle: key and certificate under the alias, then the chain (nearest issuer first).
///
/// Salts come from the operating system's generator. With a password this takes some 50 ms of a core
/// on purpose (optimised; two seconds otherwise); call it outside any transaction.
///
/// # Errors
/// [`Fault::KeyMismatch`] when the certificate is another key's, [`Fault::Bundle`].
pub fn bundle(
    key: &PrivateKey,
    certificate: &Certificate,
    chain: &[&Certificate],
    alias: &Alias,
    password: &BundlePassword,
    encryption: Encryption,
) -> Result<Zeroizing<Vec<u8>>, Fault> {
    if !certificate.certifies(key) {
        return Err(Fault::KeyMismatch { owner: "the bundle" });
    }
    let mut store = KeyStore::new();
    let entry = entry(key, certificate, chain).map_err(|source| Fault::Bundle { source })?;
    store.add_entry(&alias.0, entry);
    let (algorithm, authentication) = match encryption {
        Encryption::Aes256 => {
            (EncryptionAlgorithm::PbeWithHmacSha256AndAes256, MacAlgorithm::HmacSha256)
        }
        Encryption::Legacy => {
            (EncryptionAlgorithm::PbeWithShaAnd3KeyTripleDesCbc, MacAlgorithm::HmacSha1)
        }
    };
    let written = store
        .writer(&password.0)
        .encryption_algorithm(algorithm)
        .encryption_iterations(password.rounds())
        .mac_algorithm(authentication)
        .mac_iterations(password.rounds())
        .write()
        .map_err(|source| Fault::Bundle { source })?;
    Ok(Zeroizing::new(written))
}

fn entry(
    key: &PrivateKey,
    certificate: &Certificate,
    chain: &[&Certificate],
) -> p12_keystore::Result<KeyStoreEntry> {
    let certificates = std::iter::once(&certificate)
        .chain(chain)
        .map(|certificate| StoredCertificate::from_der(certificate.der()))
        .collect::<Result<Vec<_>, _>>()?;
    // Key and certificate find each other by this; every reader takes any octets.
    let identifier = certificate.summary().fingerprint.as_octets().as_slice();
    let stored = StoredKey::from_der(key.pkcs8())?;
    Ok(KeyStoreEntry::PrivateKeyChain(PrivateKeyChain::new(identifier, stored, certificates)))
}

fn is_plain(text: &str) -> bool {
    text.len() <= CHARACTERS && text.bytes().all(|octet| octet == b' ' || octet.is_ascii_graphic())
}
