//! What a decision of a reissue path brings about.

use engine::CaseId;
use serde::{Deserialize, Serialize};

use super::{Channel, DefectCode, SubmissionRef};

/// A write that commits with the state. It speaks of the case's own user, password and
/// certificates; whatever is secret or slow was prepared by the host before the transaction.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Stores the prepared password. Online it is live at once, supersedes every older live one of
    /// the user and gets a display copy; on paper it is pending and touches no other.
    IssuePassword {
        /// Decides the validity and whether it is pending.
        channel: Channel,
    },
    /// Makes this case's pending password live; older live ones of the user become superseded.
    ActivatePassword,
    /// Voids this case's password, whether pending or live. No-op when there is none.
    VoidPassword {
        /// Recorded with it.
        why: VoidReason,
    },
    /// Destroys the sealed copy for the display page. No-op when it is gone.
    DestroyDisplayCopy,
    /// Holds every active certificate of the user in the name of this case, and takes over those
    /// that another case holds.
    HoldCertificate,
    /// Releases what this case holds. No-op when it holds nothing.
    ReleaseCertificate,
    /// Revokes certificates of the user; which, is said by the reason.
    RevokeCertificate {
        /// Decides which, and goes into the revocation list.
        why: Revocation,
    },
    /// Makes the prepared certificate active.
    StoreCertificate {
        /// As hexadecimal digits.
        serial: String,
    },
    /// Destroys the sealed .p12 of a key made on the server. No-op when there is none.
    DestroyServerKey,
    /// Marks the certificate as never used.
    FlagUnused,
    /// Stores the prepared letter, encrypted to the print station.
    StoreLetter,
    /// The letter's registered-mail number and day of posting.
    RecordPosting {
        /// Eleven digits, the last one checking the others.
        tracking: String,
    },
    /// The letter was delivered.
    RecordDelivery,
    /// The letter came back.
    RecordReturn,
    /// Remembers that the password of this case is re-mailed after an expiry.
    RecordRemail,
    /// The corrected form takes the place of the one that went back: scan, date and reason.
    ReplaceForm {
        /// The form that came.
        submission: SubmissionRef,
    },
    /// Keeps the defects with the case.
    RecordDefects {
        /// At least one, sorted.
        codes: Vec<DefectCode>,
    },
    /// Links this case to the earlier one of which it is a duplicate.
    LinkDuplicate {
        /// The earlier one.
        of: CaseId,
    },
    /// Confirms the present version of the registered address for this case.
    ConfirmAddress,
    /// Marks this case as dangerous until it is cleared.
    RaiseDanger,
    /// Clears the danger sign of this case.
    ClearDanger,
}

/// Why a password was voided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VoidReason {
    /// Not used in time.
    Expired,
    /// Too many wrong entries.
    Locked,
    /// Another case issued.
    Superseded,
    /// The customer withdrew.
    Withdrawn,
    /// Stopped because of a suspicion.
    Stopped,
    /// The letter came back.
    Undelivered,
    /// The letter was spoiled before posting.
    Spoiled,
    /// Contract, user or need ended.
    Ended,
}

/// Which certificates are revoked, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Revocation {
    /// All of the user's: the computer is lost.
    Lost,
    /// All of the user's but the new one.
    Superseded,
    /// The one this case made, which was never used.
    Unused,
    /// The one this case made: the customer withdrew.
    Withdrawn,
    /// All of the user's: somebody else may hold a key.
    Compromised,
}

/// A message to people. E-mail never bears a secret; [`Notice::is_lettered`] tells which also go
/// by ordinary letter to the registered address.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Notice {
    /// Issued to oneself: to the user and the other administrators.
    Issued,
    /// Issued by a colleague: who for whom, to the user and the other administrators.
    IssuedByColleague,
    /// A colleague has granted it; the user sees it after logging in.
    Granted,
    /// The form is approved.
    Approved,
    /// The letter is posted.
    Dispatched {
        /// Eleven digits.
        tracking: String,
    },
    /// The form is defective: e-mail without detail, letter with the defects kept by
    /// `Effect::RecordDefects`.
    Defective,
    /// The corrected form is awaited.
    DefectReminder,
    /// Inquiry to the old address after a change of address (照会状); letter only.
    AddressInquiry,
    /// Somebody will call before anything goes on.
    CallAwaited,
    /// The letter came back; the password is void.
    Undelivered,
    /// The request cannot be granted; the form goes back.
    Rejected,
    /// A certificate was obtained on another way.
    NotNeeded,
    /// An earlier case of the same kind goes on.
    Duplicate,
    /// No corrected form came.
    ClosedNoResponse,
    /// The letter could not be delivered.
    ClosedUndeliverable,
    /// Not finished in time.
    Lapsed,
    /// Withdrawn as asked.
    Withdrawn,
    /// Another way was faster; a letter in transit is void.
    Superseded,
    /// Half of the validity is over.
    ExpiryHalfway,
    /// One day is left.
    ExpiryTomorrow,
    /// The password expired.
    Expired,
    /// Too many wrong entries: to the user and all administrators.
    RetrievalLocked,
    /// Locked, and closed without another case; how to start again.
    ClosedLocked,
    /// The certificate can be fetched and installed.
    CertificateReady,
    /// The certificate could not be made.
    CertificateFailed,
    /// The new certificate was not used yet.
    FirstLoginReminder,
    /// The new certificate works.
    Completed,
    /// The new certificate was never used.
    ClosedUnused,
    /// Stopped because of a suspicion.
    Stopped,
    /// The suspicion is settled; how to start again.
    StopSettled,
}

impl Notice {
    /// Also goes by letter when the case is on paper, whether or not there is an e-mail address.
    pub const fn is_lettered(&self) -> bool {
        matches!(
            self,
            Self::Defective
                | Self::AddressInquiry
                | Self::Undelivered
                | Self::Rejected
                | Self::NotNeeded
                | Self::Duplicate
                | Self::ClosedNoResponse
                | Self::ClosedUndeliverable
                | Self::Lapsed
        )
    }

    /// Goes by letter only.
    pub const fn is_letter_only(&self) -> bool {
        matches!(self, Self::AddressInquiry)
    }
}

/// Work done after the commit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Job {
    /// Make the certificate; answered by `CertificateMade` or `CertificateRefused`.
    MakeCertificate {
        /// PKCS#10 in PEM from the browser; `None` makes the key on the server.
        csr: Option<String>,
    },
    /// Make the password and its sealed letter; answered by `Print`.
    PrintLetter,
    /// Open a task about this case; its result comes as a person's command, there is no answer.
    OpenTask {
        /// What is to be done.
        kind: TaskKind,
    },
}

/// What somebody has to do outside the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// Call the registered number because of a danger sign.
    CallBack,
    /// Mend a small defect by phone; two people record it.
    CureByPhone,
    /// An e-mail bounced: find the right address.
    BouncedMail,
    /// Follow up an inquiry letter to the old address.
    LetterInquiry,
    /// The supervisor calls after repeated defects.
    SupervisorCall,
    /// A letter came back: phone the company.
    Undelivered,
    /// Look into a misuse or misdelivery; two people record the finding.
    Incident,
    /// Do by hand what the bank's own system did not; two people confirm it.
    BankSystem,
}

impl TaskKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::CallBack,
        Self::CureByPhone,
        Self::BouncedMail,
        Self::LetterInquiry,
        Self::SupervisorCall,
        Self::Undelivered,
        Self::Incident,
        Self::BankSystem,
    ];

    /// It is tried until there is an answer.
    pub const fn is_repeated(self) -> bool {
        matches!(self, Self::CallBack | Self::SupervisorCall | Self::BankSystem)
    }

    /// One person alone cannot finish it.
    pub const fn needs_two_people(self) -> bool {
        matches!(self, Self::CureByPhone | Self::Incident | Self::BankSystem)
    }
}
