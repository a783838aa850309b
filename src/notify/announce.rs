//! What each notice says, to whom, and whether a letter goes too.

use workflows::terms::Notice;
use workflows::{clerical, credential, enrolment, expiry, submission};

/// Who gets the mails of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// The user whom the case is about.
    User,
    /// That user, and everybody else of the contract with the reissue authority.
    UserAndAdministrators,
}

/// A notice, ready to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// The notice, by name.
    pub name: &'static str,
    /// The mail's template; `None` when the notice goes by letter only.
    pub template: Option<&'static str>,
    /// Who gets the mail.
    pub audience: Audience,
    /// A letter goes to the registered address too.
    pub letter: bool,
    /// A letter goes when nobody concerned has an e-mail address.
    pub letter_without_mail: bool,
    /// The letter goes to the address before the present one.
    pub to_former_address: bool,
    /// The number of the registered letter that the notice tells of.
    pub tracking: Option<String>,
    /// The credential that the notice is about, by its stored name.
    pub kind: Option<&'static str>,
    /// The request that the notice is about, by its stored name.
    pub request: Option<&'static str>,
}

impl Announcement {
    const fn new(name: &'static str) -> Self {
        Self {
            name,
            template: Some(name),
            audience: Audience::UserAndAdministrators,
            letter: false,
            letter_without_mail: false,
            to_former_address: false,
            tracking: None,
            kind: None,
            request: None,
        }
    }
}

/// A notice that can be told to customers.
pub trait Announce {
    /// What it says, and to whom.
    fn announce(&self) -> Announcement;
}

impl Announce for Notice {
    fn announce(&self) -> Announcement {
        let mut told = Announcement::new(name(self));
        told.letter = self.is_lettered();
        match self {
            Self::ExpiryHalfway
            | Self::ExpiryTomorrow
            | Self::CertificateReady
            | Self::CertificateFailed
            | Self::FirstLoginReminder => told.audience = Audience::User,
            Self::RetrievalLocked => told.letter_without_mail = true,
            Self::Dispatched { tracking } => told.tracking = Some(tracking.clone()),
            _ => {}
        }
        if self.is_letter_only() {
            told.template = None;
            // An inquiry asks at the old address whether the move is real.
            told.to_former_address = true;
        }
        told
    }
}

/// The name of a notice's template.
fn name(notice: &Notice) -> &'static str {
    match notice {
        Notice::Issued => "issued",
        Notice::IssuedByColleague => "issued_by_colleague",
        Notice::Granted => "granted",
        Notice::Approved => "approved",
        Notice::Dispatched { .. } => "dispatched",
        Notice::Defective => "defective",
        Notice::DefectReminder => "defect_reminder",
        Notice::AddressInquiry => "address_inquiry",
        Notice::CallAwaited => "call_awaited",
        Notice::Undelivered => "undelivered",
        Notice::Rejected => "rejected",
        Notice::NotNeeded => "not_needed",
        Notice::Duplicate => "duplicate",
        Notice::ClosedNoResponse => "closed_no_response",
        Notice::ClosedUndeliverable => "closed_undeliverable",
        Notice::Lapsed => "lapsed",
        Notice::Withdrawn => "withdrawn",
        Notice::Superseded => "superseded",
        Notice::ExpiryHalfway => "expiry_halfway",
        Notice::ExpiryTomorrow => "expiry_tomorrow",
        Notice::Expired => "expired",
        Notice::RetrievalLocked => "retrieval_locked",
        Notice::CertificateReady => "certificate_ready",
        Notice::CertificateFailed => "certificate_failed",
        Notice::FirstLoginReminder => "first_login_reminder",
        Notice::Completed => "completed",
        Notice::ClosedUnused => "closed_unused",
        Notice::ClosedLocked => "closed_locked",
        Notice::Stopped => "stopped",
        Notice::StopSettled => "stop_settled",
    }
}

impl Announce for credential::Notice {
    fn announce(&self) -> Announcement {
        let (name, kind) = match self {
            Self::Locked { kind } => ("credential_locked", *kind),
            Self::Unlocked { kind } => ("credential_unlocked", *kind),
            Self::Reset { kind } => ("credential_reset", *kind),
            Self::Enrolled { kind } => ("credential_enrolled", *kind),
            Self::Changed { kind } => ("credential_changed", *kind),
            Self::Guidance => ("guidance", credential::Kind::Login),
        };
        let mut told = Announcement::new(name);
        if kind != credential::Kind::Retrieval {
            told.audience = Audience::User;
        }
        told.letter_without_mail = matches!(self, Self::Locked { .. });
        told.kind = Some(match kind {
            credential::Kind::Login => "login",
            credential::Kind::Transaction => "transaction",
            credential::Kind::OneTimePassword => "one_time_password",
            credential::Kind::Retrieval => "retrieval",
        });
        told
    }
}

impl Announce for enrolment::Notice {
    fn announce(&self) -> Announcement {
        let mut told = Announcement::new(match self {
            Self::CodeIssued => "code_issued",
            Self::CodePosted { .. } => "code_posted",
            Self::CodeLocked => "code_locked",
            Self::CodeExpired => "code_expired",
        });
        match self {
            Self::CodePosted { tracking } => told.tracking = Some(tracking.clone()),
            Self::CodeLocked => told.letter_without_mail = true,
            Self::CodeExpired => told.audience = Audience::User,
            Self::CodeIssued => {}
        }
        told
    }
}

impl Announce for expiry::Notice {
    fn announce(&self) -> Announcement {
        let Self::CertificateExpiring { last } = self;
        let mut told = Announcement::new("certificate_expiring");
        if !last {
            told.audience = Audience::User;
        }
        told
    }
}

impl Announce for submission::Notice {
    fn announce(&self) -> Announcement {
        let mut told = Announcement::new(match self {
            Self::DraftReminder => "draft_reminder",
            Self::Received => "submission_received",
            Self::PagesMissing => "pages_missing",
            Self::PagesReminder => "pages_reminder",
            Self::Returned => "submission_returned",
        });
        told.letter = self.is_lettered();
        told
    }
}

impl Announce for clerical::Notice {
    fn announce(&self) -> Announcement {
        let mut told = Announcement::new(match self {
            Self::Approved => "clerical_approved",
            Self::Done { .. } => "clerical_done",
            Self::UserId => "user_id",
            Self::Refused => "clerical_refused",
            Self::Withdrawn => "clerical_withdrawn",
            Self::Lapsed => "clerical_lapsed",
        });
        told.letter = self.is_lettered();
        if self.is_letter_only() {
            told.template = None;
        }
        if let Self::Done { request } = self {
            told.request = Some(match request {
                clerical::Request::RetrievalRelease => "retrieval_release",
                clerical::Request::LoginRelease => "login_release",
                clerical::Request::LoginReset => "login_reset",
                clerical::Request::TransactionRelease => "transaction_release",
                clerical::Request::TransactionReset => "transaction_reset",
                clerical::Request::IdInquiry => "id_inquiry",
            });
        }
        told
    }
}
