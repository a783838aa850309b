//! The account of one member of the bank's staff: every sign-in, right or wrong, is an entry of its
//! history, and so is whatever the command line does to it.
//!
//! An attempt is charged and committed first, password and card are judged outside, then it is
//! redeemed or missed. A charge that nobody settles counts as a miss. One more account stands for
//! every name that nobody has: whoever tries such a name is on record too.
//!
//! Where the bank's own identity provider vouches for somebody, its answer is judged outside as well,
//! and what came of it is what the account is asked with.

use engine::{ActorId, Context, Deadline, Span, Transition, Workflow};
use serde::{Deserialize, Serialize};

use crate::terms::{CHARGED, Role, Rules, Signal};

/// An account; one long-lived case each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account;

/// The stored name; never changed.
pub const NAME: &str = "account";
/// Wrong entries are counted so far: nobody waits longer for more.
pub const MOST_COUNTED: u8 = 12;
/// Who acts at the command line, where nobody has signed in.
pub const COMMAND_LINE: &str = "command-line";

/// What the case of an account is about; an empty name stands for every name that nobody has.
pub fn subject(login: &str) -> String {
    format!("account-{login}")
}

/// Where an account stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum State {
    /// Before its first command.
    Start,
    /// Sign-ins are counted. Whether they are let in is a fact of the ledger.
    Open {
        /// Entries charged since the last right one, the open ones among them.
        wrong: u8,
        /// Charged and not settled yet.
        open: u8,
    },
}

/// What is asked of an account.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Command {
    /// Worker: from now on sign-ins are counted.
    Begin,
    /// Staff: password and card are about to be judged.
    ChargeAttempt,
    /// Staff: both were right.
    Redeem,
    /// Staff: something was wrong.
    Miss,
    /// Clock: charges that nobody settled count as wrong.
    Settle,
    /// Staff: the bank's identity provider has answered.
    Enter {
        /// What came of its answer.
        answer: Answer,
    },
    /// Staff: signed out.
    Leave,
    /// Command line: make the account, or bring it to another name and other roles.
    Add,
    /// Command line: fresh password and card.
    Renew,
    /// Command line: whom the identity provider knows as this account.
    Link,
    /// Command line: nobody signs in with it any more.
    Close,
    /// Another case: two people have given it a fresh password and card.
    Forget,
}

/// What came of the answer of the bank's identity provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Everything holds, and it speaks of whoever this account belongs to.
    Sound,
    /// The provider let nobody in, or the person turned back.
    Denied,
    /// No key of the provider has signed it, or it cannot be read.
    Forged,
    /// Another issuer speaks.
    ForeignIssuer,
    /// It was made for another application.
    ForeignAudience,
    /// It is too old.
    Expired,
    /// It answers another question than this browser asked.
    Mismatched,
    /// It does not say that a second factor was shown.
    OneFactor,
    /// The sign-in at the provider is too long ago.
    Stale,
    /// No account belongs to whom it speaks of.
    Unlinked,
}

impl Answer {
    /// Every answer.
    pub const ALL: [Self; 10] = [
        Self::Sound,
        Self::Denied,
        Self::Forged,
        Self::ForeignIssuer,
        Self::ForeignAudience,
        Self::Expired,
        Self::Mismatched,
        Self::OneFactor,
        Self::Stale,
        Self::Unlinked,
    ];

    /// Why it lets nobody in.
    pub const fn refusal(self) -> Option<Refusal> {
        Some(match self {
            Self::Sound => return None,
            Self::Denied => Refusal::Denied,
            Self::Forged => Refusal::Forged,
            Self::ForeignIssuer => Refusal::ForeignIssuer,
            Self::ForeignAudience => Refusal::ForeignAudience,
            Self::Expired => Refusal::Expired,
            Self::Mismatched => Refusal::Mismatched,
            Self::OneFactor => Refusal::OneFactor,
            Self::Stale => Refusal::Stale,
            Self::Unlinked => Refusal::Unlinked,
        })
    }
}

/// What the host looks up for an account.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent answer")]
pub struct Facts {
    /// The account may sign in.
    pub active: bool,
    /// Password and card are a way in at all.
    pub local: bool,
    /// The growing delay since the last wrong entry is over.
    pub delay_over: bool,
    /// Some other person administers the system with an account that may sign in.
    pub others_administer: bool,
    /// The account administers the system.
    pub administers: bool,
}

/// A write that commits with the state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Accepts the card's time step (compare and set).
    SpendStep,
    /// Begins the prepared session.
    OpenSession,
    /// Ends the session that the command came from.
    EndSession,
    /// Ends every session of the account.
    EndSessions,
    /// Writes name, person and roles.
    SaveAccount,
    /// Writes whom the identity provider knows as this account.
    SaveLink,
    /// Puts the prepared password and card in the place of the present ones.
    StoreSecrets,
    /// Lets nobody sign in any more.
    CloseAccount,
}

/// An account tells nobody.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Notice {}

/// An account asks for no work.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Job {}

/// Why an account declines. Before login the page shows one and the same message for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Refusal {
    /// Wrong role.
    #[error("this role may not do that")]
    NotAllowed,
    /// Right role, wrong moment.
    #[error("the account is not at that step")]
    NotNow,
    /// Nobody signs in with it any more.
    #[error("the account is closed")]
    Closed,
    /// The latest wrong entry was too short a time ago.
    #[error("the account is locked for a while")]
    Locked,
    /// The attempt was never charged, or was settled meanwhile.
    #[error("the attempt was not charged")]
    NotCharged,
    /// Nobody else would be left to administer the system.
    #[error("the last system administrator stays")]
    LastAdministrator,
    /// Everybody signs in at the bank's identity provider.
    #[error("password and card are no way in here")]
    NotLocal,
    /// See [`Answer::Denied`].
    #[error("the identity provider let nobody in")]
    Denied,
    /// See [`Answer::Forged`].
    #[error("no key of the identity provider has signed the answer")]
    Forged,
    /// See [`Answer::ForeignIssuer`].
    #[error("the answer is another issuer's")]
    ForeignIssuer,
    /// See [`Answer::ForeignAudience`].
    #[error("the answer was made for another application")]
    ForeignAudience,
    /// See [`Answer::Expired`].
    #[error("the answer is too old")]
    Expired,
    /// See [`Answer::Mismatched`].
    #[error("the answer is not to what this browser asked")]
    Mismatched,
    /// See [`Answer::OneFactor`].
    #[error("no second factor was shown")]
    OneFactor,
    /// See [`Answer::Stale`].
    #[error("the sign-in at the identity provider is too long ago")]
    Stale,
    /// See [`Answer::Unlinked`].
    #[error("no account belongs to whom the answer speaks of")]
    Unlinked,
}

impl Workflow for Account {
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
        _rules: &Rules,
    ) -> Result<Transition<Self>, Refusal> {
        permit(command, context.actor.role, &context.actor.id)?;
        match command {
            Command::Add | Command::Renew | Command::Link | Command::Close => {
                by_command_line(state, command, &context.facts)
            }
            _ => sign_in(state, command, &context.facts),
        }
    }

    fn deadlines(state: &State, rules: &Rules) -> Vec<Deadline<Command>> {
        let seconds = u64::from(rules.charge_settle_seconds);
        let span = Span::Time(std::time::Duration::from_secs(seconds));
        match state {
            State::Open { open, .. } if *open > 0 => {
                vec![Deadline::after(CHARGED, span, Command::Settle)]
            }
            State::Start | State::Open { .. } => Vec::new(),
        }
    }
}

type Decision = Result<Transition<Account>, Refusal>;

/// Sign-ins are of any role; who tries a name that nobody has is noted by the machinery, and comes
/// no further than a miss.
fn permit(command: &Command, role: Role, actor: &ActorId) -> Result<(), Refusal> {
    let allowed = match command {
        Command::Begin => role == Role::Worker,
        Command::ChargeAttempt | Command::Miss => role.is_staff() || role == Role::Worker,
        // Whoever is turned away may be nobody that is known here.
        Command::Enter { answer } => {
            role.is_staff() || (role == Role::Worker && *answer != Answer::Sound)
        }
        Command::Redeem | Command::Leave => role.is_staff(),
        Command::Settle => role == Role::Clock,
        Command::Add | Command::Renew | Command::Link | Command::Close => {
            role == Role::SystemAdministrator && actor.0 == COMMAND_LINE
        }
        Command::Forget => role == Role::Peer,
    };
    if allowed { Ok(()) } else { Err(Refusal::NotAllowed) }
}

fn sign_in(state: &State, command: &Command, facts: &Facts) -> Decision {
    use {Command as C, State as S};
    let State::Open { wrong, open } = *state else {
        return match command {
            C::Begin => Ok(Transition::to(S::Open { wrong: 0, open: 0 })),
            _ => Err(Refusal::NotNow),
        };
    };
    let to = |wrong, open| Transition::to(S::Open { wrong, open });
    Ok(match command {
        C::ChargeAttempt if !facts.local => return Err(Refusal::NotLocal),
        C::ChargeAttempt if !facts.active => return Err(Refusal::Closed),
        C::ChargeAttempt if !facts.delay_over => return Err(Refusal::Locked),
        C::ChargeAttempt => {
            to(wrong.saturating_add(1).min(MOST_COUNTED), (open + 1).min(MOST_COUNTED))
                .marking(CHARGED)
        }
        C::Redeem | C::Miss if open == 0 => return Err(Refusal::NotCharged),
        C::Redeem if !facts.active => return Err(Refusal::Closed),
        // Entries that are judged beside the right one stay counted.
        C::Redeem => to(open - 1, open - 1).with(Effect::SpendStep).with(Effect::OpenSession),
        C::Miss => to(wrong, open - 1),
        C::Settle if open == 0 => return Err(Refusal::NotNow),
        C::Settle => to(wrong, 0),
        // Wrong passwords typed by anybody do not keep out whom the provider vouches for.
        C::Enter { answer } => match answer.refusal() {
            Some(refusal) => return Err(refusal),
            None if !facts.active => return Err(Refusal::Closed),
            None => to(wrong, open).with(Effect::OpenSession),
        },
        C::Leave => to(wrong, open).with(Effect::EndSession),
        C::Forget => to(open, open).with(Effect::EndSessions),
        _ => return Err(Refusal::NotNow),
    })
}

fn by_command_line(state: &State, command: &Command, facts: &Facts) -> Decision {
    use {Command as C, State as S};
    let open = match (state, command) {
        (S::Start, C::Add) => 0,
        (S::Start, _) => return Err(Refusal::NotNow),
        (S::Open { open, .. }, _) => *open,
    };
    let to = Transition::to(S::Open { wrong: open, open });
    Ok(match command {
        C::Add => to.with(Effect::SaveAccount).with(Effect::SaveLink).with(Effect::StoreSecrets),
        C::Renew => to.with(Effect::StoreSecrets).with(Effect::EndSessions),
        C::Link => Transition::to(state.clone()).with(Effect::SaveLink).with(Effect::EndSessions),
        _ if facts.administers && !facts.others_administer => {
            return Err(Refusal::LastAdministrator);
        }
        _ => Transition::to(state.clone()).with(Effect::CloseAccount).with(Effect::EndSessions),
    })
}
