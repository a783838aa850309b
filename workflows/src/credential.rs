//! One credential of one user: its wrong entries are counted before they are judged.
//!
//! An attempt is charged and committed first, its hash is computed outside, then it is redeemed
//! or missed. A charge that nobody settles counts as a miss.

use serde::{Deserialize, Serialize};

/// A credential of one user and kind; one long-lived case each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential;

/// The stored name; never changed.
pub const NAME: &str = "credential";

/// What is guarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The login password.
    Login,
    /// The transaction password.
    Transaction,
    /// The one-time-password card.
    OneTimePassword,
    /// The certificate retrieval password.
    Retrieval,
}

/// Where a credential stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum State {
    /// Before its first command.
    Start,
    /// There is nothing to enter.
    Unset {
        /// What is guarded.
        kind: Kind,
    },
    /// Entries are accepted.
    Active {
        /// What is guarded.
        kind: Kind,
        /// Entries charged since the last right one, the open ones among them.
        wrong: u8,
        /// Charged and not settled yet.
        open: u8,
    },
    /// No entry is accepted.
    Locked {
        /// What is guarded.
        kind: Kind,
    },
    /// The retrieval password was used.
    Used,
}

/// What is asked of a credential.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Command {
    /// Worker, user or system administrator: a secret exists now, for the first time or anew.
    Enrol {
        /// What is guarded.
        kind: Kind,
    },
    /// User: an entry is about to be judged.
    ChargeAttempt,
    /// User: it was right.
    Redeem {
        /// Digest of the session token, for the effect.
        session: String,
        /// Retrieval only: PKCS#10 in PEM; `None` asks for a key made on the server.
        csr: Option<String>,
    },
    /// User: it was wrong.
    Miss,
    /// Clock: charges that nobody settled count as wrong.
    Settle,
    /// Clock: wrong login entries are forgotten.
    ForgetWrong,
    /// Help desk, supervisor or another case: lock it.
    Lock,
    /// Another case: the bank released the lock.
    Unlock,
    /// Another case: the bank reset the secret; it must be enrolled anew.
    Reset,
    /// Another case: a new retrieval password is live.
    Arm,
    /// Another case: the retrieval password is void.
    Disarm,
}
