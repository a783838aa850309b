//! Path 3: Form 3 by mail; one case per user and retrieval request on the form.

use engine::ActorId;
use serde::{Deserialize, Serialize};

use crate::tail;
use crate::terms::{DefectCode, SubmissionRef, UserRef};

/// The paper path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paper;

/// The stored name; never changed.
pub const NAME: &str = "paper";

/// How often the form has come and how often the letter has gone again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Round {
    /// Submissions of the form so far, from 1.
    pub attempt: u8,
    /// Fresh letters after a returned one.
    pub resends: u8,
}

/// Where a paper case stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum State {
    /// Before its first command.
    Start,
    /// The form is matched to the user; a clerk works through the checklist.
    Identified {
        /// Counts.
        round: Round,
    },
    /// The checklist is done; the seal is to be compared.
    Checked {
        /// Counts.
        round: Round,
        /// Did the checklist.
        clerk: ActorId,
    },
    /// The seal matches; somebody else is to approve.
    SealOk {
        /// Counts.
        round: Round,
        /// Did the checklist.
        clerk: ActorId,
        /// Compared the seal.
        sealer: ActorId,
    },
    /// Approved; the letter is being made.
    Approved {
        /// Counts.
        round: Round,
    },
    /// The letter exists; its password is pending.
    Printed {
        /// Counts.
        round: Round,
    },
    /// The letter is in the mail; its password is live.
    Dispatched {
        /// Counts.
        round: Round,
        /// Expiry notices that are no longer due, as in the tail.
        reminded: u8,
    },
    /// The letter came back; its password is void.
    Undelivered {
        /// Counts.
        round: Round,
    },
    /// A defect that a call may mend.
    Defect {
        /// Counts.
        round: Round,
        /// Recorded the call first.
        first: Option<ActorId>,
    },
    /// The form went back to the customer.
    Returned {
        /// Counts.
        round: Round,
        /// The reminder went out.
        reminded: bool,
    },
    /// Defective too often; the supervisor calls.
    Escalated {
        /// Counts.
        round: Round,
    },
    /// The address changed lately; the old address is asked first.
    AddressHold {
        /// Counts.
        round: Round,
    },
    /// A danger sign; somebody calls back first.
    DangerHold {
        /// Counts.
        round: Round,
    },
    /// The password is with the customer.
    Tail(tail::State),
    /// End: an earlier case of the same user goes on.
    Duplicate,
    /// End: the contract, the user or the request does not allow it.
    Rejected,
    /// End: no corrected form, reply or confirmation came.
    ClosedNoResponse,
    /// End: the letter could not be delivered.
    ClosedUndeliverable,
    /// End: nobody moved it on in time.
    Lapsed,
}

/// What is asked of a paper case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Command {
    /// Worker or clerk: a retrieval request was found on a form.
    Open {
        /// The user in the row.
        user: UserRef,
        /// The envelope.
        submission: SubmissionRef,
    },
    /// Clerk: the checklist is done and nothing is wrong.
    Check,
    /// Clerk: the seal matches.
    MatchSeal,
    /// Approver: the seal matches, approved.
    Approve,
    /// Approver: back to the checklist.
    SendBack,
    /// Approver: the request cannot be granted.
    Reject,
    /// Clerk, approver, or a case from the same form: something is wrong.
    Defect {
        /// What.
        codes: Vec<DefectCode>,
    },
    /// Clerk or approver: the call is recorded; the second record must be another person's.
    CureByPhone,
    /// Clerk or approver: the call did not help, the form goes back.
    ReturnForm,
    /// Worker, mail room or clerk: the corrected form came.
    Resubmit {
        /// The new envelope.
        submission: SubmissionRef,
    },
    /// Supervisor: look at the form once more.
    Readmit,
    /// Clerk or supervisor: the reply or call confirms the new address.
    ConfirmAddress,
    /// Clerk or supervisor: the old address objects.
    ObjectAddress,
    /// Supervisor: the call back cleared the danger sign.
    ClearDanger,
    /// Worker: password and letter are made.
    Print,
    /// Dispatch: the letter is spoiled; a new secret is made.
    Spoil,
    /// Dispatch: posted.
    Dispatch {
        /// Eleven digits.
        tracking: String,
    },
    /// Dispatch or worker: delivered.
    Deliver,
    /// Mail room or dispatch: the letter came back.
    ReturnedMail,
    /// Approver: a fresh letter after a returned one.
    Resend,
    /// Approver: a fresh letter after an expiry, once.
    Remail,
    /// Clock: the corrected form is awaited.
    Remind,
    /// Clock: no answer came.
    CloseNoResponse,
    /// Clock: nobody moved it on.
    Lapse,
    /// From the common tail.
    Tail(tail::Command),
}
