//! A change that one person proposes and another one approves: staff's accounts and roles, a
//! contract and its users, its registered address, the specimen of its seal, the bank's own holidays, a
//! legal hold.
//!
//! What exactly shall change stands beside the case, written once with the proposal; the case holds
//! what kind of change it is and who proposed it. A fresh password and a fresh card are handed out
//! apart, the password to whoever proposed and the card's seed to whoever approved, so that neither
//! of them could sign in as somebody else.

use engine::{ActorId, Anchor, CaseId, Context, Deadline, Transition, Workflow};
use serde::{Deserialize, Serialize};

use crate::terms::{Role, Rules, Signal, days};

mod change;

pub use change::{Change, Columns, Matter};

/// A proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal;

/// The stored name; never changed.
pub const NAME: &str = "proposal";

/// Where a proposal stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum State {
    /// Before its first command.
    Start,
    /// Another person is to decide.
    Proposed {
        /// What shall be changed.
        matter: Matter,
        /// Who proposed it.
        by: ActorId,
    },
    /// Carried out; what was made for it is being handed out.
    HandingOut {
        /// Who proposed it and takes the password; none once it was taken.
        password: Option<ActorId>,
        /// Who approved it and takes the card's seed; none once it was taken.
        seed: Option<ActorId>,
    },
    /// End: carried out.
    Done,
    /// End: declined by the other person.
    Rejected,
    /// End: taken back.
    Withdrawn,
    /// End: nobody decided in time.
    Lapsed,
}

/// What is asked of a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Command {
    /// One person: this shall be changed.
    Propose {
        /// What.
        change: Change,
    },
    /// Another person: so be it.
    Approve,
    /// Another person: no.
    Reject,
    /// Who proposed it: no longer wanted.
    Withdraw,
    /// Who proposed it: take the password.
    TakePassword,
    /// Who approved it: take the card's seed.
    TakeSeed,
    /// Clock: nobody decided.
    Lapse,
    /// Clock: what was not taken is destroyed.
    CloseHandOut,
}

/// What the host looks up for a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent answer of the ledger")]
pub struct Facts {
    /// What shall be changed is there: an account that may sign in, a contract that is not closed, a
    /// user of it, a hold in force; for anything new, that its name, number, day or reference is free.
    pub target_found: bool,
    /// The account is, or would be, the actor's own person's.
    pub actor_is_target: bool,
    /// Since the proposal nobody has changed what it was made from.
    pub unchanged: bool,
    /// The account administers the system now, and would not after this change.
    pub takes_administration: bool,
    /// Some other person administers the system with an account that may sign in.
    pub others_administer: bool,
    /// The identity provider's person belongs to another account already.
    pub subject_taken: bool,
    /// Another proposal about the same is open.
    pub already_proposed: bool,
    /// The case that counts the account's sign-ins, when there is one.
    pub account: Option<CaseId>,
}

/// A write that commits with the state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Writes down what exactly is proposed.
    KeepChange,
    /// Carries it out.
    Carry {
        /// What is changed.
        matter: Matter,
    },
    /// Keeps password and seed, sealed, until each is taken.
    KeepSecrets,
    /// Destroys the sealed password. No-op when it is gone.
    DestroyPassword,
    /// Destroys the sealed seed. No-op when it is gone.
    DestroySeed,
    /// Destroys the picture of a specimen that is not wanted. No-op when there is none.
    DropPicture,
    /// Ends every session of the account.
    EndSessions,
}

/// A proposal tells nobody: it stands in the list of those who may decide.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Notice {}

/// Work that a proposal asks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Job {
    /// Writes into the history of the case that it is held now, or no longer.
    NoteHold,
}

/// Why a proposal declines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Refusal {
    /// Wrong role.
    #[error("this role may not do that")]
    NotAllowed,
    /// Right role, wrong moment.
    #[error("the proposal is not at that step")]
    NotNow,
    /// Whoever proposed does not decide; two accounts of one person are one.
    #[error("another person must decide")]
    SecondPerson,
    /// Only who proposed it takes it back.
    #[error("somebody else has proposed it")]
    NotYours,
    /// Nobody changes the roles or the secrets of themselves.
    #[error("nobody decides about their own account")]
    OwnAccount,
    /// No such account or contract, or the name is taken.
    #[error("there is nothing to change")]
    NoTarget,
    /// Somebody changed it after the proposal.
    #[error("it has changed since the proposal")]
    Changed,
    /// Nobody else would be left to administer the system.
    #[error("the last system administrator stays")]
    LastAdministrator,
    /// One open proposal about one account or contract.
    #[error("a proposal about it is open")]
    AlreadyProposed,
    /// One person of the identity provider is one account.
    #[error("the identity provider's person belongs to another account")]
    SubjectTaken,
}

impl Workflow for Proposal {
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
        permit(state, command, context.actor.role)?;
        match (state, command) {
            (State::Start, Command::Propose { change }) => propose(change.matter(), context),
            (State::Proposed { matter, by }, _) => settle(*matter, by, command, context),
            (State::HandingOut { password, seed }, _) => {
                hand_out(password.as_ref(), seed.as_ref(), command, &context.actor.id)
            }
            (State::Start, Command::Lapse) => Ok(Transition::to(State::Lapsed)),
            _ => Err(Refusal::NotNow),
        }
    }

    fn deadlines(state: &State, rules: &Rules) -> Vec<Deadline<Command>> {
        match state {
            State::Start | State::Proposed { .. } => {
                let span = days(rules.proposal_days);
                vec![Deadline::after(Anchor::OPENED, span, Command::Lapse)]
            }
            State::HandingOut { .. } => {
                let span = days(rules.hand_out_days);
                vec![Deadline::after(Anchor::ENTERED, span, Command::CloseHandOut)]
            }
            State::Done | State::Rejected | State::Withdrawn | State::Lapsed => Vec::new(),
        }
    }
}

type Decision = Result<Transition<Proposal>, Refusal>;

fn permit(state: &State, command: &Command, role: Role) -> Result<(), Refusal> {
    let matter = match (state, command) {
        (_, Command::Propose { change }) => Some(change.matter()),
        (State::Proposed { matter, .. }, _) => Some(*matter),
        _ => None,
    };
    let among =
        |roles: fn(Matter) -> &'static [Role]| matter.is_some_and(|m| roles(m).contains(&role));
    let allowed = match command {
        Command::Propose { .. } => among(Matter::proposers),
        Command::Withdraw => matter.is_none() || among(Matter::proposers),
        Command::Approve | Command::Reject => matter.is_none() || among(Matter::approvers),
        Command::TakePassword | Command::TakeSeed => role == Role::SystemAdministrator,
        Command::Lapse | Command::CloseHandOut => role == Role::Clock,
    };
    if allowed { Ok(()) } else { Err(Refusal::NotAllowed) }
}

fn propose(matter: Matter, context: &Context<Proposal>) -> Decision {
    sound(matter, &context.facts)?;
    if context.facts.already_proposed {
        return Err(Refusal::AlreadyProposed);
    }
    let by = context.actor.id.clone();
    Ok(Transition::to(State::Proposed { matter, by }).with(Effect::KeepChange))
}

/// Asked when it is proposed and again when it is approved: meanwhile everything may have changed.
fn sound(matter: Matter, facts: &Facts) -> Result<(), Refusal> {
    if !facts.target_found {
        return Err(Refusal::NoTarget);
    }
    if matter.is_account() && facts.actor_is_target {
        return Err(Refusal::OwnAccount);
    }
    if facts.subject_taken {
        return Err(Refusal::SubjectTaken);
    }
    if facts.takes_administration && !facts.others_administer {
        return Err(Refusal::LastAdministrator);
    }
    Ok(())
}

fn settle(
    matter: Matter,
    by: &ActorId,
    command: &Command,
    context: &Context<Proposal>,
) -> Decision {
    let actor = &context.actor.id;
    let over = |state| Ok(Transition::to(state).with(Effect::DropPicture));
    match command {
        Command::Approve | Command::Reject if actor == by => Err(Refusal::SecondPerson),
        Command::Withdraw if actor != by => Err(Refusal::NotYours),
        Command::Approve => approve(matter, by, context),
        Command::Reject => over(State::Rejected),
        Command::Withdraw => over(State::Withdrawn),
        Command::Lapse => over(State::Lapsed),
        _ => Err(Refusal::NotNow),
    }
}

fn approve(matter: Matter, by: &ActorId, context: &Context<Proposal>) -> Decision {
    let facts = &context.facts;
    sound(matter, facts)?;
    if !facts.unchanged {
        return Err(Refusal::Changed);
    }
    let to = if matter.has_secrets() {
        let (password, seed) = (Some(by.clone()), Some(context.actor.id.clone()));
        State::HandingOut { password, seed }
    } else {
        State::Done
    };
    let mut made = Transition::to(to).with(Effect::Carry { matter });
    if matter.has_secrets() {
        made = made.with(Effect::KeepSecrets);
    }
    if matter.ends_sessions() {
        made = made.with(Effect::EndSessions);
    }
    if matter.is_hold() {
        made = made.asking(Job::NoteHold);
    }
    if let (Matter::RenewSecrets, Some(account)) = (matter, facts.account) {
        made = made.signalling(Signal::Forget { account });
    }
    Ok(made)
}

/// Each half once, to the one person whose it is.
fn hand_out(
    password: Option<&ActorId>,
    seed: Option<&ActorId>,
    command: &Command,
    actor: &ActorId,
) -> Decision {
    let rest = |password: Option<&ActorId>, seed: Option<&ActorId>| match (password, seed) {
        (None, None) => State::Done,
        (password, seed) => State::HandingOut { password: password.cloned(), seed: seed.cloned() },
    };
    let own = |half: Option<&ActorId>| match half {
        None => Err(Refusal::NotNow),
        Some(holder) if holder != actor => Err(Refusal::NotYours),
        Some(_) => Ok(()),
    };
    Ok(match command {
        Command::TakePassword => {
            own(password)?;
            Transition::to(rest(None, seed)).with(Effect::DestroyPassword)
        }
        Command::TakeSeed => {
            own(seed)?;
            Transition::to(rest(password, None)).with(Effect::DestroySeed)
        }
        Command::CloseHandOut => Transition::to(State::Done)
            .with(Effect::DestroyPassword)
            .with(Effect::DestroySeed)
            .because("not_taken"),
        _ => return Err(Refusal::NotNow),
    })
}
