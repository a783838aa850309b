//! Something people have to do outside the system, with owner, due time and history.

use engine::{ActorId, CaseId};
use serde::{Deserialize, Serialize};

use crate::terms::TaskKind;

/// A task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task;

/// The stored name; never changed.
pub const NAME: &str = "task";

/// Where a task stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum State {
    /// Before its first command.
    Start,
    /// Nobody has taken it.
    Open {
        /// What is to be done.
        kind: TaskKind,
        /// The supervisor was told that it is late.
        overdue: bool,
    },
    /// Somebody works on it.
    Owned {
        /// What is to be done.
        kind: TaskKind,
        /// Who has it.
        owner: ActorId,
        /// The supervisor was told that it is late.
        overdue: bool,
    },
    /// One of two people has recorded the result.
    Recorded {
        /// What is to be done.
        kind: TaskKind,
        /// Who recorded it.
        first: ActorId,
        /// What came of it.
        outcome: Outcome,
        /// The supervisor was told that it is late.
        overdue: bool,
    },
    /// End: done.
    Done {
        /// What came of it.
        outcome: Outcome,
    },
    /// End: no longer needed.
    Dropped,
    /// End: given up on record; nobody did it.
    GivenUp,
}

/// What came of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Settled as the customer wished.
    Settled,
    /// The customer denies it, or something is wrong.
    Denied,
    /// Nobody could be reached.
    Unreached,
}

/// What is asked of a task.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Command {
    /// Worker: a case wants it.
    Open {
        /// What is to be done.
        kind: TaskKind,
        /// The case it is about.
        about: CaseId,
    },
    /// Staff: I do it.
    Take,
    /// Owner: somebody else shall do it.
    Release,
    /// Owner, or for some kinds a second person: the result.
    Record {
        /// What came of it.
        outcome: Outcome,
    },
    /// Second person: the record is not right.
    Dispute,
    /// Supervisor, or the worker when the case ended: no longer needed.
    Drop,
    /// Clock: late.
    Remind,
    /// Clock: nobody did it.
    GiveUp,
}
