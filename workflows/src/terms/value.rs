//! Small values that several workflows speak of.

use engine::CaseId;
use serde::{Deserialize, Serialize};

/// A user in the contract ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserRef(pub i64);

/// An envelope or upload, named by the code on its pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SubmissionRef(pub i64);

/// The way by which a password is reissued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The holder of the authority, for themselves.
    SelfService,
    /// A holder of the authority, for a colleague.
    Delegated,
    /// Form 3 by mail.
    Paper,
}

impl Channel {
    /// The name of the workflow that runs this way.
    pub const fn workflow(self) -> &'static str {
        match self {
            Self::SelfService => crate::self_service::NAME,
            Self::Delegated => crate::delegated::NAME,
            Self::Paper => crate::paper::NAME,
        }
    }
}

/// Another open reissue case of the same user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Neighbour {
    /// Its number.
    pub case: CaseId,
    /// Its way, and thereby its workflow.
    pub channel: Channel,
}

/// Why a new password is asked for (the form's reason row).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The certificate expired.
    Expired,
    /// A new computer.
    NewPc,
    /// The computer was lost or stolen.
    Lost,
    /// The password was mistyped until it locked.
    Mistyped,
    /// The password was forgotten or never noted.
    Forgotten,
    /// The certificate vanished by itself: malware deletes certificates to steal the next one.
    Vanished,
}

impl Reason {
    /// Every reason, in the form's order.
    pub const ALL: [Self; 6] =
        [Self::Expired, Self::NewPc, Self::Lost, Self::Mistyped, Self::Forgotten, Self::Vanished];

    /// Nothing is issued automatically for such a reason; somebody calls back first.
    pub const fn is_dangerous(self) -> bool {
        matches!(self, Self::Lost | Self::Vanished)
    }
}

/// Where the private key of a new certificate was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyOrigin {
    /// In the customer's browser; the bank has never seen it.
    Browser,
    /// On the server, sealed for the refetch window.
    Server,
}

/// What is wrong with a form (不備コード).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DefectCode {
    /// The impression differs from the specimen.
    SealMismatch,
    /// The impression cannot be judged.
    SealUnclear,
    /// No impression.
    SealMissing,
    /// No specimen is registered for the date of the form.
    SealNotRegistered,
    /// Company or representative differs from the record.
    Name,
    /// The address differs from the record.
    Address,
    /// Branch, type or number of the account differ.
    Account,
    /// No such user.
    User,
    /// No request is ticked.
    NoRequest,
    /// Missing, in the future or too old.
    Date,
    /// Erasable ink, correction fluid, or a correction without seal.
    Correction,
    /// A copy or fax instead of the original.
    Copy,
    /// A page is missing or belongs elsewhere.
    Page,
    /// The form of the other service.
    Variant,
    /// Cannot be read.
    Illegible,
    /// Somebody wrote a password on it.
    SecretWritten,
    /// Anything else, such as a missing department.
    Other,
}

impl DefectCode {
    /// Every code, in the order of the checklist.
    pub const ALL: [Self; 17] = [
        Self::SealMismatch,
        Self::SealUnclear,
        Self::SealMissing,
        Self::SealNotRegistered,
        Self::Name,
        Self::Address,
        Self::Account,
        Self::User,
        Self::NoRequest,
        Self::Date,
        Self::Correction,
        Self::Copy,
        Self::Page,
        Self::Variant,
        Self::Illegible,
        Self::SecretWritten,
        Self::Other,
    ];

    /// The code as it is stored and printed.
    pub const fn code(self) -> &'static str {
        match self {
            Self::SealMismatch => "SEAL_MISMATCH",
            Self::SealUnclear => "SEAL_UNCLEAR",
            Self::SealMissing => "SEAL_MISSING",
            Self::SealNotRegistered => "SEAL_NOT_REGISTERED",
            Self::Name => "NAME",
            Self::Address => "ADDRESS",
            Self::Account => "ACCOUNT",
            Self::User => "USER",
            Self::NoRequest => "NO_REQUEST",
            Self::Date => "DATE",
            Self::Correction => "CORRECTION",
            Self::Copy => "COPY",
            Self::Page => "PAGE",
            Self::Variant => "VARIANT",
            Self::Illegible => "ILLEGIBLE",
            Self::SecretWritten => "SECRET_WRITTEN",
            Self::Other => "OTHER",
        }
    }

    /// A call to the registered number can mend it; anything about a seal never.
    pub const fn is_curable_by_phone(self) -> bool {
        matches!(self, Self::Date | Self::Variant | Self::Other)
    }

    /// It concerns the one seal on the form, so every request on the form shares it.
    pub const fn concerns_the_seal(self) -> bool {
        matches!(
            self,
            Self::SealMismatch | Self::SealUnclear | Self::SealMissing | Self::SealNotRegistered
        )
    }
}
