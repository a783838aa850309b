//! Why a reissue path declines a command.

/// Declined by rule; nothing changes. Shown through the text `refusal.<workflow>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Refusal {
    /// Wrong role.
    #[error("this role may not do that")]
    NotAllowed,
    /// Right role, wrong moment.
    #[error("the case is not at that step")]
    NotNow,
    /// Somebody else's case.
    #[error("the case belongs to somebody else")]
    NotYourCase,
    /// Suspended or closed.
    #[error("the contract is not in force")]
    ContractInactive,
    /// Deactivated or deleted.
    #[error("the user no longer exists")]
    UserInactive,
    /// Lacks the reissue authority.
    #[error("the reissue authority is missing")]
    NoAuthority,
    /// Not the actor's contract.
    #[error("the user belongs to another contract")]
    OtherContract,
    /// The certificate behind the session is expired, held or revoked.
    #[error("the certificate of this session is not active")]
    CertificateInactive,
    /// Renewal is the right way.
    #[error("the certificate can be renewed")]
    RenewInstead,
    /// No certificate is needed.
    #[error("no certificate is needed")]
    CertificateNotNeeded,
    /// A colleague can do it now.
    #[error("a colleague with the authority can reissue it")]
    AskColleague,
    /// A colleague must reissue for themselves first.
    #[error("a colleague must reissue for themselves first")]
    ColleagueFirst,
    /// Only the form is left.
    #[error("only the paper way is open")]
    UsePaper,
    /// Self-service stays closed after a lock.
    #[error("the retrieval password is locked")]
    RetrievalLocked,
    /// One open case per user and way.
    #[error("a case of this kind is already open")]
    AlreadyOpen,
    /// The one-time password was not entered, or too long ago.
    #[error("the one-time password is missing")]
    OtpMissing,
    /// The own transaction password was not entered, or too long ago.
    #[error("the transaction password is missing")]
    TransactionMissing,
    /// For oneself there is path 1, with its one-time password.
    #[error("this way is for colleagues")]
    ForColleagues,
    /// A danger sign is not cleared.
    #[error("somebody must call back first")]
    Danger,
    /// The registered address changed lately and is not confirmed.
    #[error("the registered address changed lately")]
    AddressFresh,
    /// Too many today.
    #[error("the daily limit is reached")]
    DailyLimit,
    /// Prepared by the same person.
    #[error("whoever prepared a case may not approve it")]
    FourEyes,
    /// The second record of a call needs a second person.
    #[error("a second person must record the call")]
    SecondPerson,
    /// No valid specimen, or not the one shown.
    #[error("the specimen is missing or has changed")]
    SpecimenChanged,
    /// At least one code is needed.
    #[error("a defect needs a code")]
    NoDefect,
    /// Older than the rules allow, in the future, or undated.
    #[error("the date of the form is missing or too old")]
    FormDate,
    /// The inserted letters do not agree with the batch.
    #[error("the batch is not reconciled")]
    BatchOpen,
    /// A tracking number has eleven digits, the last one checks the others.
    #[error("the tracking number is not valid")]
    TrackingNumber,
    /// Only once.
    #[error("the password was re-mailed before")]
    RemailedBefore,
    /// The refetch window is over.
    #[error("the time for fetching again is over")]
    WindowClosed,
    /// Not the certificate of this case.
    #[error("the certificate is not the one of this case")]
    OtherCertificate,
}
