//! Path 1: a holder of the authority reissues for themselves. Begins after login.

use serde::{Deserialize, Serialize};

use crate::tail;
use crate::terms::{Reason, UserRef};

/// The self-service path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelfService;

/// The stored name; never changed.
pub const NAME: &str = "self_service";

/// Where a self-service case stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum State {
    /// Before its first command.
    Start,
    /// Logged in; the one-time password is awaited.
    Authenticating,
    /// The one-time password was right; the password can be shown.
    Ready,
    /// The password exists.
    Tail(tail::State),
    /// End: the one-time password locked.
    Refused,
    /// End: not finished in time; nothing was issued.
    Abandoned,
    /// End: cancelled by the user; nothing was issued.
    Cancelled,
    /// End: contract, user or authority ended meanwhile; nothing was issued.
    Ineligible,
}

/// What is asked of a self-service case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Command {
    /// User: begin.
    Open {
        /// The logged-in user.
        user: UserRef,
        /// Why.
        reason: Reason,
    },
    /// User: go on after the one-time password (the fact tells whether it was right).
    PassOtp,
    /// User: generate and show.
    Issue,
    /// User: stop.
    Cancel,
    /// One-time-password credential: locked.
    OtpLocked,
    /// Clock: not finished in time.
    Abandon,
    /// From the common tail.
    Tail(tail::Command),
}
