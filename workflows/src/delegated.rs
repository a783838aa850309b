//! Path 2: a holder of the authority reissues for a colleague.

use engine::ActorId;
use serde::{Deserialize, Serialize};

use crate::tail;
use crate::terms::{Reason, UserRef};

/// The delegated path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delegated;

/// The stored name; never changed.
pub const NAME: &str = "delegated";

/// Where a delegated case stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum State {
    /// Before its first command.
    Start,
    /// The confirmation page is shown; the own transaction password is awaited.
    Confirming {
        /// The administrator, who alone may go on.
        opener: ActorId,
    },
    /// Granted under target-only reveal: the password is made when the user asks to see it.
    Granted,
    /// The password exists.
    Tail(tail::State),
    /// End: the transaction password locked.
    Aborted,
    /// End: cancelled; nothing was issued.
    Cancelled,
    /// End: not finished in time; nothing was issued.
    Abandoned,
}

/// What is asked of a delegated case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Command {
    /// Administrator: begin for a colleague.
    Open {
        /// The colleague.
        target: UserRef,
        /// Why.
        reason: Reason,
    },
    /// Administrator: reissue (the fact tells whether the transaction password was right).
    Issue,
    /// The user, under target-only reveal: generate and show.
    Reveal,
    /// Administrator: stop.
    Cancel,
    /// Transaction credential: locked.
    TransactionLocked,
    /// Clock: not finished in time.
    Abandon,
    /// From the common tail.
    Tail(tail::Command),
}
