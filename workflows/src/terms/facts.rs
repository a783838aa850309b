//! What the host looks up for a reissue case, in the transaction that decides.

use engine::CaseId;

use super::{Neighbour, Reason};

/// The facts of the three reissue paths. "The user" is the one who shall get the password; "the
/// actor" is the person who asks now. A fact about the actor is false for the machinery.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent answer of the ledger, read once a transaction"
)]
pub struct Facts {
    /// The contract is in force (neither suspended nor closed).
    pub contract_active: bool,
    /// The user still exists and is not deactivated.
    pub user_active: bool,
    /// The user needs a certificate at all (macOS users of some services do not).
    pub certificate_needed: bool,
    /// The user has an active, unexpired certificate that renewal would accept, and did not say
    /// that it is gone.
    pub renewable: bool,
    /// Why the password is asked for, as recorded when the case was opened.
    pub reason: Reason,
    /// The case has a dangerous reason or somebody urged the customer, and nobody has cleared it
    /// (`Effect::ClearDanger` clears it).
    pub danger: bool,
    /// The user holds the reissue authority.
    pub user_authority: bool,
    /// The user's login credential is not locked.
    pub login_unlocked: bool,
    /// The user's one-time-password card is enrolled and not locked.
    pub otp_usable: bool,
    /// The user's retrieval credential is not locked.
    pub retrieval_unlocked: bool,
    /// Another holder of the authority in the contract can log in with a certificate.
    pub colleague_can_log_in: bool,
    /// Another holder of the authority could reissue for themselves first.
    pub colleague_qualifies: bool,
    /// The actor is the user of the case (by person).
    pub actor_is_user: bool,
    /// The actor belongs to the user's contract.
    pub same_contract: bool,
    /// The actor holds the reissue authority now.
    pub actor_authority: bool,
    /// The certificate to which the actor's session is bound is active and unexpired now.
    pub actor_certificate_active: bool,
    /// The actor did a preparing step (check or seal) on this case, by person, from the history.
    pub actor_prepared: bool,
    /// The actor's session passed a one-time password of the user recently enough.
    pub otp_vouched: bool,
    /// The actor's session passed the actor's own transaction password recently enough.
    pub transaction_vouched: bool,
    /// Passwords issued for the user since midnight JST, this case not counted.
    pub user_reissues_today: u32,
    /// Passwords the actor issued for others since midnight JST, this case not counted.
    pub actor_reissues_today: u32,
    /// The contract wants only the user to see the password, not the administrator.
    pub target_only_reveal: bool,
    /// No certificate was obtained on another way since the form came in.
    pub still_needed: bool,
    /// The registered address changed within `Rules::address_hold_days` and this version of it
    /// was not confirmed on this case (`Effect::ConfirmAddress` confirms it).
    pub address_fresh: bool,
    /// A specimen valid on the form's date exists, and it is the one the actor was shown.
    pub specimen_valid: bool,
    /// Whole days since the date written on the form; `None` when it bears none.
    pub form_age_days: Option<u32>,
    /// The letter's print batch is counted and agrees.
    pub batch_reconciled: bool,
    /// This case's password was re-mailed after an expiry before (`Effect::RecordRemail`).
    pub remailed: bool,
    /// The password of this case is used, though its claim may not have arrived yet.
    pub password_used: bool,
    /// Other open reissue cases of the user.
    pub open_cases: Vec<Neighbour>,
    /// Other open paper cases that came in the same envelope.
    pub siblings: Vec<CaseId>,
    /// The credential case that counts the user's retrieval entries.
    pub retrieval_credential: Option<CaseId>,
}
