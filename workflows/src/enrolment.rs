//! The enrolment code of one user: with it they set login password, transaction password and card.
//!
//! It comes by sealed letter, from a colleague who holds the authority, or with the ledger; it is
//! void as soon as another one is made. Entries are charged before they are judged.

mod entry;
mod supply;

use engine::{Anchor, Context, Deadline, Span, Transition, Workflow};
use serde::{Deserialize, Serialize};

use crate::terms::{CHARGED, ISSUED, Role, Rules, Signal, TaskKind, days, minutes};

/// The enrolment code of a user; one long-lived case each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment;

/// The stored name; never changed.
pub const NAME: &str = "enrolment";

/// Where a code came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Given out by the bank, and known here by an import.
    Imported,
    /// By sealed letter to the registered address.
    Letter,
    /// From a colleague who holds the authority.
    Colleague,
}

/// Where the code of a user stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum State {
    /// Before its first command.
    Start,
    /// There is no code.
    Idle,
    /// Code and letter are being made.
    Ordered,
    /// The registered address changed lately; no letter goes there yet.
    AddressHold,
    /// The letter exists and is not posted yet.
    Printed,
    /// A code can be entered.
    Waiting {
        /// Where it came from.
        source: Source,
        /// A sealed copy for the page of whoever issued it exists.
        copy: bool,
        /// Entries charged since the last right one, the open ones among them.
        wrong: u8,
        /// Charged and not settled yet.
        open: u8,
    },
    /// The code was right; until the window closes its holder sets passwords and card, and may
    /// enter the code again.
    Enrolling {
        /// As in `Waiting`.
        wrong: u8,
        /// As in `Waiting`.
        open: u8,
    },
    /// Entered wrongly too often; another code is the cure.
    Locked,
}

/// What is asked of an enrolment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Command {
    /// Worker: from now on codes can be made.
    Begin,
    /// Worker: a secret was reset; a code shall go out by letter.
    Order,
    /// Worker: code and letter are made.
    Print,
    /// Dispatch: the letter is spoiled; another code is made.
    Spoil,
    /// Dispatch: posted.
    Dispatch {
        /// Eleven digits.
        tracking: String,
    },
    /// Mail room or dispatch: the letter came back.
    ReturnedMail,
    /// Worker: a code came with the ledger.
    Import,
    /// Holder of the authority: a code for a colleague.
    Issue,
    /// Holder of the authority: noted, destroy the copy.
    Noted,
    /// User: an entry is about to be judged.
    ChargeAttempt,
    /// User: the code was right.
    Redeem,
    /// User: the new card's codes were right.
    Pass,
    /// User: it was wrong.
    Miss,
    /// User: everything is set.
    Finish,
    /// Clock: charges that nobody settled count as wrong.
    Settle,
    /// Clock: the display window is over.
    CloseReveal,
    /// Clock: the code was not used in time.
    Expire,
    /// Clock: the enrolment was open long enough.
    Close,
    /// Clock: the address is no longer new.
    Retry,
    /// Clock: nobody made or posted the letter.
    GiveUp,
}

/// What the host looks up for an enrolment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent answer of the ledger")]
pub struct Facts {
    /// The contract is in force.
    pub contract_active: bool,
    /// The user exists and is not deactivated.
    pub user_active: bool,
    /// A code is live and not expired.
    pub code_live: bool,
    /// The registered address changed lately.
    pub address_fresh: bool,
    /// A danger sign stands over the user.
    pub danger: bool,
    /// The letter's batch was counted and agrees.
    pub batch_reconciled: bool,
    /// The actor is the user.
    pub actor_is_user: bool,
    /// The actor belongs to the user's contract.
    pub same_contract: bool,
    /// The actor holds the reissue authority now.
    pub actor_authority: bool,
    /// The certificate to which the actor's session is bound is active and unexpired now.
    pub actor_certificate_active: bool,
    /// The actor's session passed the actor's own transaction password recently enough.
    pub transaction_vouched: bool,
    /// Codes that the actor issued since midnight JST.
    pub actor_codes_today: u32,
}

/// A write that commits with the state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Stores the prepared code, pending while its letter is not posted.
    StoreCode {
        /// Where it comes from.
        source: Source,
    },
    /// Makes the pending code live.
    ActivateCode,
    /// Voids the code, whether pending or live, and spoils its unposted letter. No-op without one.
    VoidCode {
        /// Recorded with it.
        why: VoidReason,
    },
    /// Destroys the copy for the page of whoever issued it. No-op when it is gone.
    DestroyCopy,
    /// Stores the prepared letter, encrypted to the print station.
    StoreLetter,
    /// The letter's registered-mail number and day of posting.
    RecordPosting {
        /// Eleven digits, the last one checking the others.
        tracking: String,
    },
    /// The letter came back.
    RecordReturn,
    /// Begins the enrolment of the browser that entered the code.
    OpenEnrolment,
    /// Ends every enrolment of the user.
    EndEnrolments,
    /// The actor's transaction password vouches for one act only.
    SpendTransaction,
}

/// Why a code was voided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VoidReason {
    /// Not used in time.
    Expired,
    /// Too many wrong entries.
    Locked,
    /// Another one was made.
    Superseded,
    /// Used.
    Used,
    /// The letter was spoiled, or nobody posted it.
    Spoiled,
    /// The letter came back.
    Undelivered,
}

/// A message to the user and the administrators of the contract.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Notice {
    /// A colleague has issued a code.
    CodeIssued,
    /// A letter with a code is posted.
    CodePosted {
        /// Eleven digits.
        tracking: String,
    },
    /// Too many wrong entries.
    CodeLocked,
    /// Not used in time.
    CodeExpired,
}

/// Work done after the commit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Job {
    /// Make the code and its sealed letter; answered by `Print`.
    PrintCode,
    /// Open a task about this case; there is no answer.
    OpenTask {
        /// What is to be done.
        kind: TaskKind,
    },
}

/// Why an enrolment declines. Before login the host shows one and the same message for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Refusal {
    /// Wrong role.
    #[error("this role may not do that")]
    NotAllowed,
    /// Right role, wrong moment.
    #[error("the enrolment is not at that step")]
    NotNow,
    /// Somebody else's.
    #[error("the enrolment belongs to somebody else")]
    NotYours,
    /// The actor belongs to another company.
    #[error("the user belongs to another contract")]
    OtherContract,
    /// The actor has no reissue authority.
    #[error("the reissue authority is missing")]
    NoAuthority,
    /// Nobody issues a code for themselves.
    #[error("this way is for colleagues")]
    ForColleagues,
    /// The session's certificate is no longer active.
    #[error("the certificate of the session is not active")]
    CertificateInactive,
    /// The own transaction password was not entered, or too long ago.
    #[error("the transaction password is missing")]
    TransactionMissing,
    /// Suspended or closed.
    #[error("the contract is not in force")]
    ContractInactive,
    /// Deactivated or deleted.
    #[error("the user no longer exists")]
    UserInactive,
    /// A danger sign is not cleared.
    #[error("somebody must call back first")]
    Danger,
    /// Too many today.
    #[error("the daily limit is reached")]
    DailyLimit,
    /// There is no code to enter.
    #[error("there is no code")]
    NoCode,
    /// Void or expired.
    #[error("the code is not live")]
    NotLive,
    /// No entry is accepted, or every one left is being judged.
    #[error("the code is locked")]
    Locked,
    /// The attempt was never charged, or was settled meanwhile.
    #[error("the attempt was not charged")]
    NotCharged,
    /// The inserted letters do not agree with the batch.
    #[error("the batch is not reconciled")]
    BatchOpen,
    /// A tracking number has eleven digits, the last one checks the others.
    #[error("the tracking number is not valid")]
    TrackingNumber,
}

impl Workflow for Enrolment {
    const NAME: &'static str = NAME;
    const VERSION: u32 = 1;
    type State = State;
    type Command = Command;
    type Role = Role;
    type Facts = Facts;
    type Rules = Rules;
    type Effect = Effect;
    type Notice = Notice;
    type Job = Job;
    type Signal = Signal;
    type Refusal = Refusal;

    fn start() -> State {
        State::Start
    }

    fn decide(
        state: &State,
        command: &Command,
        context: &Context<Self>,
        rules: &Rules,
    ) -> Result<Transition<Self>, Refusal> {
        permit(command, context)?;
        match command {
            Command::ChargeAttempt
            | Command::Redeem
            | Command::Pass
            | Command::Miss
            | Command::Settle
            | Command::Finish
            | Command::Close => entry::decide(state, command, &context.facts, rules),
            _ => supply::decide(state, command, context, rules),
        }
    }

    fn deadlines(state: &State, rules: &Rules) -> Vec<Deadline<Command>> {
        let entered = |span, command| vec![Deadline::after(Anchor::ENTERED, span, command)];
        match state {
            State::Start | State::Idle | State::Locked => Vec::new(),
            State::Ordered | State::Printed => {
                entered(days(rules.paper_lapse_days), Command::GiveUp)
            }
            State::AddressHold => entered(days(rules.address_hold_days), Command::Retry),
            State::Waiting { copy, open, .. } => {
                let lived = days(rules.enrolment_code_days);
                let mut all = vec![Deadline::after(ISSUED, lived, Command::Expire)];
                if *copy {
                    let window = minutes(rules.reveal_window_minutes);
                    all.push(Deadline::after(ISSUED, window, Command::CloseReveal));
                }
                all.extend(settling(*open, rules));
                all
            }
            State::Enrolling { open, .. } => {
                let mut all = entered(minutes(rules.enrolment_window_minutes), Command::Close);
                all.extend(settling(*open, rules));
                all
            }
        }
    }
}

fn settling(open: u8, rules: &Rules) -> Option<Deadline<Command>> {
    let span = Span::Time(std::time::Duration::from_secs(u64::from(rules.charge_settle_seconds)));
    (open > 0).then(|| Deadline::after(CHARGED, span, Command::Settle))
}

type Decision = Result<Transition<Enrolment>, Refusal>;

/// Who may send a command at all.
fn permit(command: &Command, context: &Context<Enrolment>) -> Result<(), Refusal> {
    let roles: &[Role] = match command {
        Command::Begin | Command::Order | Command::Print | Command::Import => &[Role::Worker],
        Command::Spoil | Command::Dispatch { .. } => &[Role::Dispatch],
        Command::ReturnedMail => &[Role::MailRoom, Role::Dispatch],
        Command::Issue | Command::Noted => &[Role::AuthorityHolder],
        Command::ChargeAttempt
        | Command::Redeem
        | Command::Pass
        | Command::Miss
        | Command::Finish => &[Role::User, Role::AuthorityHolder],
        Command::Settle
        | Command::CloseReveal
        | Command::Expire
        | Command::Close
        | Command::Retry
        | Command::GiveUp => &[Role::Clock],
    };
    demand(roles.contains(&context.actor.role), Refusal::NotAllowed)
}

fn demand(condition: bool, refusal: Refusal) -> Result<(), Refusal> {
    if condition { Ok(()) } else { Err(refusal) }
}
