//! What a browser keeps while it is at the identity provider: the answer counts in this browser only,
//! once, and not for long.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use engine::Moment;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::secret::{Keys, SecretFault};

/// How long somebody may take to sign in at the provider.
pub const LIFE: Duration = Duration::from_mins(10);
/// What it is sealed for.
const PURPOSE: &str = "staff at the identity provider";

/// State, nonce and code verifier of one sign-in, sealed in a cookie.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct Passage {
    state: String,
    nonce: String,
    verifier: String,
    back: String,
    begun: i64,
}

impl Passage {
    /// A new one, of three random texts.
    pub(super) fn new(random: [String; 3], back: &str, now: Moment) -> Self {
        let [state, nonce, verifier] = random;
        Self { state, nonce, verifier, back: back.to_owned(), begun: now.0 }
    }

    /// The cookie's value.
    pub fn seal(&self, keys: &Keys) -> Result<String, SecretFault> {
        let unsealable = |_| SecretFault::Unsealable { purpose: "passage" };
        let text = serde_json::to_vec(self).map(zeroize::Zeroizing::new).map_err(unsealable)?;
        Ok(BASE64URL_NOPAD.encode(&keys.seal(PURPOSE, b"", &text)?))
    }

    /// Reads a cookie; `None` when it is not ours or too old.
    pub fn open(keys: &Keys, cookie: &str, now: Moment) -> Option<Self> {
        let sealed = BASE64URL_NOPAD.decode(cookie.as_bytes()).ok()?;
        let text = keys.open(PURPOSE, b"", &sealed).ok()?;
        let found: Self = serde_json::from_slice(&text).ok()?;
        (now.since(Moment(found.begun)) <= LIFE).then_some(found)
    }

    /// Whether an answer belongs to what this browser asked.
    pub fn is_answered_by(&self, state: &str) -> bool {
        self.state.as_bytes().ct_eq(state.as_bytes()).into()
    }

    /// The page that was asked for.
    pub fn back(&self) -> &str {
        &self.back
    }

    pub(super) fn state(&self) -> &str {
        &self.state
    }

    pub(super) fn nonce(&self) -> &str {
        &self.nonce
    }

    pub(super) fn verifier(&self) -> &str {
        &self.verifier
    }
}
