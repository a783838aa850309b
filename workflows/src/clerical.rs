//! The form's other requests: checked, approved by another, carried out by the bank's own system.

use engine::ActorId;
use serde::{Deserialize, Serialize};

use crate::terms::{DefectCode, SubmissionRef, UserRef};

/// One of the form's other requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clerical;

/// The stored name; never changed.
pub const NAME: &str = "clerical";

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Release the lock of the retrieval password.
    RetrievalRelease,
    /// Release the lock of the login password.
    LoginRelease,
    /// Reset the login password.
    LoginReset,
    /// Release the lock of the transaction password.
    TransactionRelease,
    /// Reset the transaction password.
    TransactionReset,
    /// Tell the user ID, by letter.
    IdInquiry,
}

/// Where a clerical case stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum State {
    /// Before its first command.
    Start,
    /// Waits for a clerk.
    Received {
        /// What is asked for.
        request: Request,
    },
    /// Waits for somebody else to approve.
    Checked {
        /// What is asked for.
        request: Request,
        /// Checked it, and may not approve it.
        clerk: ActorId,
    },
    /// The bank's own system carries it out.
    CarryingOut {
        /// What is asked for.
        request: Request,
    },
    /// People carry it out: two confirm it.
    ByHand {
        /// What is asked for.
        request: Request,
        /// Confirmed it first.
        first: Option<ActorId>,
    },
    /// End: carried out.
    Done,
    /// End: the form was defective or the request does not fit; the form goes back.
    Refused,
    /// End: withdrawn by the customer.
    Withdrawn,
    /// End: nobody moved it on in time.
    Lapsed,
}

/// What is asked of a clerical case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Command {
    /// Worker or clerk: a request was found on a form.
    Open {
        /// The user in the row.
        user: UserRef,
        /// The envelope.
        submission: SubmissionRef,
        /// What is asked for.
        request: Request,
    },
    /// Clerk: checklist and seal are in order.
    Check,
    /// Approver: seal compared again, approved.
    Approve,
    /// Approver: back to the clerk.
    SendBack,
    /// Clerk or approver: not as it stands.
    Refuse {
        /// Why.
        codes: Vec<DefectCode>,
    },
    /// Worker: the bank's own system has done it.
    Carried,
    /// Worker: the bank's own system declined or did not answer.
    NotCarried,
    /// Clerk or approver: done by hand; the second confirmation must be another person's.
    Confirm,
    /// Customer, or a clerk holding the letter: withdrawn.
    Withdraw,
    /// Clock: the bank's own system did not answer in time.
    TakeOver,
    /// Clock: nobody moved it on.
    Lapse,
}
