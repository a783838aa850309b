//! A fresh password and card for an account.

use data_encoding::{BASE32_NOPAD, BASE64};
use engine::Fault;
use zeroize::Zeroizing;

use super::SEED_PURPOSE;
use crate::host::Tools;
use crate::secret::hash_password;

/// The secrets of an account, shown once.
pub struct NewStaff {
    /// The password.
    pub password: Zeroizing<String>,
    /// The card's seed in Base32, as authenticators take it.
    pub seed: Zeroizing<String>,
}

/// In the forms in which they are stored.
#[derive(Clone)]
pub(crate) struct KeptSecrets {
    /// PHC string.
    pub(crate) password: String,
    /// Sealed, in Base64.
    pub(crate) seed: String,
}

/// Fresh secrets with the forms in which they are kept.
pub(crate) struct Fresh {
    pub(crate) new: NewStaff,
    pub(crate) kept: KeptSecrets,
}

impl Fresh {
    /// What is shown, and what is stored.
    pub(crate) fn split(self) -> (NewStaff, KeptSecrets) {
        (self.new, self.kept)
    }
}

/// A password of 80 random bits and a seed of 160.
pub(crate) async fn fresh_secrets(tools: &Tools, login: &str) -> Result<Fresh, Fault> {
    let mut bytes = Zeroizing::new([0; 10]);
    (tools.entropy)(bytes.as_mut_slice());
    let password = Zeroizing::new(BASE32_NOPAD.encode(bytes.as_slice()).to_lowercase());
    let mut seed = Zeroizing::new([0; 20]);
    (tools.entropy)(seed.as_mut_slice());
    let sealed = tools.keys.seal(SEED_PURPOSE, login.as_bytes(), seed.as_slice());
    let sealed = BASE64.encode(&sealed.map_err(Fault::host("seal a card's seed"))?);
    let (entropy, cost) = (tools.entropy.clone(), tools.hash_cost());
    let secret = password.clone();
    let hash = move || hash_password(&entropy, None, secret.as_bytes(), cost);
    let hash = tools.hashed("hash a password", hash).await?;
    let seed = Zeroizing::new(BASE32_NOPAD.encode(seed.as_slice()));
    let kept = KeptSecrets { password: hash, seed: sealed };
    Ok(Fresh { new: NewStaff { password, seed }, kept })
}
