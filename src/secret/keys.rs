//! The bank's own keys: one master key an epoch, one derived key a purpose.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use data_encoding::BASE64;
use engine::Entropy;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Why a secret could not be made, sealed, opened or read.
#[derive(Debug, thiserror::Error)]
pub enum SecretFault {
    /// The key file is missing or cannot be read.
    #[error("key file {path} cannot be read")]
    Unreadable {
        /// Where.
        path: PathBuf,
        /// The system's word.
        source: std::io::Error,
    },
    /// Others than the owner may read the key file.
    #[error("key file {path} has mode {mode:o}, not 600")]
    Exposed {
        /// Where.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The key file is damaged.
    #[error("key file {path} is damaged: {reason}")]
    Damaged {
        /// Where.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A sealed value was altered, or belongs elsewhere, or its key is gone.
    #[error("a sealed {purpose} cannot be opened")]
    Unopenable {
        /// What it is.
        purpose: &'static str,
    },
    /// A value could not be sealed or hashed.
    #[error("a {purpose} cannot be sealed")]
    Unsealable {
        /// What it is.
        purpose: &'static str,
    },
    /// No key under that id.
    #[error("no key {id}")]
    NoSuchKey {
        /// The id stored beside the value.
        id: String,
    },
}

/// The keys of one installation, read from a file that only its owner may read. A hardware module
/// or a cloud service takes the place of this type: everything asks it by purpose and key id.
#[derive(Clone)]
pub struct Keys {
    current: String,
    masters: BTreeMap<String, Master>,
    entropy: Entropy,
}

#[derive(Clone, Zeroize, ZeroizeOnDrop)]
struct Master([u8; 32]);

/// The file's form.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    current: String,
    keys: BTreeMap<String, String>,
}

const NONCE: usize = 24;

impl Keys {
    /// Reads the key file; refuses one that others may read.
    pub fn load(path: &Path, entropy: Entropy) -> Result<Self, SecretFault> {
        let text = private_text(path)?;
        let damaged = |reason| SecretFault::Damaged { path: path.to_owned(), reason };
        let file: KeyFile = serde_json::from_str(&text).map_err(|_| damaged("not a key file"))?;
        let mut masters = BTreeMap::new();
        for (id, key) in file.keys {
            let key = Zeroizing::new(key);
            let bytes = BASE64.decode(key.as_bytes()).map(Zeroizing::new);
            let bytes = bytes.map_err(|_| damaged("a key is not Base64"))?;
            let master = <[u8; 32]>::try_from(bytes.as_slice());
            masters.insert(id, Master(master.map_err(|_| damaged("a key is not 32 bytes long"))?));
        }
        if !masters.contains_key(&file.current) {
            return Err(damaged("the current key is missing"));
        }
        Ok(Self { current: file.current, masters, entropy })
    }

    /// Makes a key file with one new key; never overwrites one.
    pub fn create(path: &Path, entropy: &Entropy) -> Result<(), SecretFault> {
        let mut master = Master([0; 32]);
        entropy(&mut master.0);
        let encoded = BASE64.encode(&master.0);
        let file = KeyFile { current: "k1".into(), keys: BTreeMap::from([("k1".into(), encoded)]) };
        let text = serde_json::to_string_pretty(&file).map(Zeroizing::new);
        let text = text.map_err(|_| SecretFault::Unsealable { purpose: "key file" })?;
        write_private(path, text.as_bytes())
    }

    /// The id to store beside what the current key has made.
    pub fn current_id(&self) -> &str {
        &self.current
    }

    /// Where random bytes come from.
    pub fn entropy(&self) -> &Entropy {
        &self.entropy
    }

    /// HMAC-SHA-256 under the current key of `purpose`.
    pub fn mac(&self, purpose: &str, message: &[u8]) -> Result<[u8; 32], SecretFault> {
        self.mac_with(&self.current, purpose, message)
    }

    /// HMAC-SHA-256 under a stored key id.
    pub fn mac_with(
        &self,
        id: &str,
        purpose: &str,
        message: &[u8],
    ) -> Result<[u8; 32], SecretFault> {
        Ok(hmac(&*self.derived(id, purpose)?, message))
    }

    /// The current key of a purpose itself, for what must be handed to another part.
    pub fn derive(&self, purpose: &str) -> Result<Zeroizing<[u8; 32]>, SecretFault> {
        self.derived(&self.current, purpose)
    }

    /// Seals `plain` so that it opens only for the same purpose and the same `aad`.
    pub fn seal(&self, purpose: &str, aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, SecretFault> {
        self.seal_for(purpose, &[], aad, plain)
    }

    /// As [`Keys::seal`]; opens only with the same `partner` secret as well.
    pub fn seal_for(
        &self,
        purpose: &str,
        partner: &[u8],
        aad: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, SecretFault> {
        let cipher = self.cipher(&self.current, purpose, partner)?;
        let mut nonce = [0; NONCE];
        (self.entropy)(&mut nonce);
        let sealed = cipher
            .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad })
            .map_err(|_| SecretFault::Unsealable { purpose: "value" })?;
        let mut out = Vec::with_capacity(2 + self.current.len() + NONCE + sealed.len());
        // Format 1: version, length of the key id, key id, nonce, ciphertext.
        out.push(1);
        out.push(u8::try_from(self.current.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(self.current.as_bytes());
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&sealed);
        Ok(out)
    }

    /// Opens what [`Keys::seal`] made.
    pub fn open(
        &self,
        purpose: &str,
        aad: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SecretFault> {
        self.open_for(purpose, &[], aad, sealed)
    }

    /// Opens what [`Keys::seal_for`] made.
    pub fn open_for(
        &self,
        purpose: &str,
        partner: &[u8],
        aad: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SecretFault> {
        let shut = || SecretFault::Unopenable { purpose: "value" };
        let [1, length, rest @ ..] = sealed else { return Err(shut()) };
        let (id, rest) = rest.split_at_checked(usize::from(*length)).ok_or_else(shut)?;
        let (nonce, sealed) = rest.split_at_checked(NONCE).ok_or_else(shut)?;
        let id = std::str::from_utf8(id).map_err(|_| shut())?;
        let nonce = <[u8; NONCE]>::try_from(nonce).map_err(|_| shut())?;
        let cipher = self.cipher(id, purpose, partner)?;
        let plain = cipher.decrypt(&XNonce::from(nonce), Payload { msg: sealed, aad });
        plain.map(Zeroizing::new).map_err(|_| shut())
    }

    fn cipher(
        &self,
        id: &str,
        purpose: &str,
        partner: &[u8],
    ) -> Result<XChaCha20Poly1305, SecretFault> {
        let key = Zeroizing::new(hmac(&*self.derived(id, purpose)?, partner));
        Ok(XChaCha20Poly1305::new((&*key).into()))
    }

    /// One independent key a purpose: HMAC of the purpose's name under the master key, which is
    /// the expand step of HKDF (RFC 5869) for one block.
    fn derived(&self, id: &str, purpose: &str) -> Result<Zeroizing<[u8; 32]>, SecretFault> {
        let master = self.masters.get(id);
        let master = master.ok_or_else(|| SecretFault::NoSuchKey { id: id.to_owned() })?;
        let label = format!("saihakko/1/{purpose}\u{1}");
        Ok(Zeroizing::new(hmac(&master.0, label.as_bytes())))
    }
}

fn hmac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    // An HMAC takes keys of any length: this arm is never taken, and would open nothing.
    let Ok(mut mac) = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key) else { return [0; 32] };
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// Reads a file that only its owner may read; refuses any other.
pub(crate) fn private_text(path: &Path) -> Result<Zeroizing<String>, SecretFault> {
    let unreadable = |source| SecretFault::Unreadable { path: path.to_owned(), source };
    let mode = fs::metadata(path).map_err(unreadable)?.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(SecretFault::Exposed { path: path.to_owned(), mode });
    }
    fs::read_to_string(path).map(Zeroizing::new).map_err(unreadable)
}

/// Writes a new file that only its owner may read, durably; never overwrites.
pub(super) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), SecretFault> {
    let unwritable = |source| SecretFault::Unreadable { path: path.to_owned(), source };
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(unwritable)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(unwritable)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Arc;

    use super::*;

    fn entropy() -> Entropy {
        Arc::new(|buffer| getrandom::fill(buffer).unwrap())
    }

    fn keys() -> (tempfile::TempDir, Keys) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys.json");
        Keys::create(&path, &entropy()).unwrap();
        let keys = Keys::load(&path, entropy()).unwrap();
        (dir, keys)
    }

    #[test]
    fn a_sealed_value_opens_only_for_its_purpose_place_and_partner() {
        let (_dir, keys) = keys();
        let sealed = keys.seal_for("display", b"ticket", b"user 7", b"digits").unwrap();
        let open =
            |purpose, partner: &[u8], aad: &[u8]| keys.open_for(purpose, partner, aad, &sealed);
        assert_eq!(open("display", b"ticket", b"user 7").unwrap().as_slice(), b"digits");
        assert!(open("display", b"ticket", b"user 8").is_err());
        assert!(open("display", b"tickex", b"user 7").is_err());
        assert!(open("picture", b"ticket", b"user 7").is_err());
        for index in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[index] ^= 1;
            assert!(keys.open_for("display", b"ticket", b"user 7", &altered).is_err(), "{index}");
            assert!(keys.open_for("display", b"ticket", b"user 7", &sealed[..index]).is_err());
        }
    }

    #[test]
    fn a_key_file_that_others_may_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys.json");
        Keys::create(&path, &entropy()).unwrap();
        assert!(Keys::create(&path, &entropy()).is_err(), "never overwritten");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(
            Keys::load(&path, entropy()),
            Err(SecretFault::Exposed { mode: 0o640, .. })
        ));
    }
}
