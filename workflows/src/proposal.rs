//! A change that one person proposes and another one approves: staff's accounts and roles, a
//! contract's registered address, the specimen of a seal, the bank's own holidays.
//!
//! What exactly shall change stands beside the case, written once with the proposal; the case holds
//! what kind of change it is and who proposed it. A fresh password and a fresh card are handed out
//! apart, the password to whoever proposed and the card's seed to whoever approved, so that neither
//! of them could sign in as somebody else.

use engine::{ActorId, Anchor, CaseId, Context, Deadline, Transition, Workflow};
use serde::{Deserialize, Serialize};

use crate::terms::{Role, Rules, Signal, days};

/// A proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal;

/// The stored name; never changed.
pub const NAME: &str = "proposal";

/// What shall be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Matter {
    /// A new account for a member of staff.
    OpenAccount,
    /// Other roles of an account.
    ChangeRoles,
    /// An account with which nobody shall sign in any more.
    CloseAccount,
    /// A lost card or a forgotten password.
    RenewSecrets,
    /// A new account with which one signs in at the bank's identity provider only.
    OpenLinkedAccount,
    /// Whom the identity provider knows as an account.
    LinkSubject,
    /// The registered address of a contract.
    Address,
    /// The specimen of a contract's seal.
    Specimen,
    /// A day on which nobody works, besides those by law.
    AddHoliday,
    /// Such a day no longer.
    RemoveHoliday,
}

impl Matter {
    /// Every matter.
    pub const ALL: [Self; 10] = [
        Self::OpenAccount,
        Self::ChangeRoles,
        Self::CloseAccount,
        Self::RenewSecrets,
        Self::OpenLinkedAccount,
        Self::LinkSubject,
        Self::Address,
        Self::Specimen,
        Self::AddHoliday,
        Self::RemoveHoliday,
    ];

    /// It concerns the account of a member of staff.
    pub const fn is_account(self) -> bool {
        matches!(
            self,
            Self::OpenAccount
                | Self::ChangeRoles
                | Self::CloseAccount
                | Self::RenewSecrets
                | Self::OpenLinkedAccount
                | Self::LinkSubject
        )
    }

    /// A fresh password and a fresh card are handed out afterwards.
    pub const fn has_secrets(self) -> bool {
        matches!(self, Self::OpenAccount | Self::RenewSecrets)
    }

    /// Whoever is signed in with the account signs in again afterwards.
    pub const fn ends_sessions(self) -> bool {
        matches!(self, Self::CloseAccount | Self::ChangeRoles | Self::LinkSubject)
    }

    /// Who may propose it.
    pub const fn proposers(self) -> &'static [Role] {
        if self.is_account() {
            &[Role::SystemAdministrator]
        } else {
            &[Role::Clerk, Role::Supervisor]
        }
    }

    /// Who may approve or reject it.
    pub const fn approvers(self) -> &'static [Role] {
        if self.is_account() {
            &[Role::SystemAdministrator]
        } else {
            &[Role::Approver, Role::Supervisor]
        }
    }
}

/// What exactly shall be changed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "matter", rename_all = "snake_case")]
pub enum Change {
    /// A new account.
    OpenAccount {
        /// Its name.
        login: String,
        /// Whose: two accounts of one person have the same.
        person: String,
        /// The person's name.
        name: String,
        /// With commas between.
        roles: String,
    },
    /// Other roles.
    ChangeRoles {
        /// The account.
        login: String,
        /// With commas between.
        roles: String,
    },
    /// No more sign-ins.
    CloseAccount {
        /// The account.
        login: String,
    },
    /// Fresh password and card.
    RenewSecrets {
        /// The account.
        login: String,
    },
    /// A new account without a password of its own.
    OpenLinkedAccount {
        /// Its name.
        login: String,
        /// Whose: two accounts of one person have the same.
        person: String,
        /// The person's name.
        name: String,
        /// With commas between.
        roles: String,
        /// The identity provider.
        issuer: String,
        /// Whom it means.
        subject: String,
    },
    /// Whom the identity provider knows as an account.
    LinkSubject {
        /// The account.
        login: String,
        /// The identity provider.
        issuer: String,
        /// Whom it means; empty for nobody.
        subject: String,
    },
    /// Another registered address.
    Address {
        /// The contract's number.
        contract: String,
        /// Seven digits.
        postal_code: String,
        /// In full, on one line.
        address: String,
    },
    /// Another specimen of the seal.
    Specimen {
        /// The contract's number.
        contract: String,
        /// ISO date from which it is valid.
        valid_from: String,
        /// SHA-256 of the picture, hexadecimal.
        digest: String,
    },
    /// One more holiday.
    AddHoliday {
        /// ISO date.
        day: String,
        /// How it is called.
        name: String,
        /// Where it was announced.
        source: String,
    },
    /// One holiday less.
    RemoveHoliday {
        /// ISO date.
        day: String,
    },
}

impl Change {
    /// Its kind.
    pub const fn matter(&self) -> Matter {
        match self {
            Self::OpenAccount { .. } => Matter::OpenAccount,
            Self::ChangeRoles { .. } => Matter::ChangeRoles,
            Self::CloseAccount { .. } => Matter::CloseAccount,
            Self::RenewSecrets { .. } => Matter::RenewSecrets,
            Self::OpenLinkedAccount { .. } => Matter::OpenLinkedAccount,
            Self::LinkSubject { .. } => Matter::LinkSubject,
            Self::Address { .. } => Matter::Address,
            Self::Specimen { .. } => Matter::Specimen,
            Self::AddHoliday { .. } => Matter::AddHoliday,
            Self::RemoveHoliday { .. } => Matter::RemoveHoliday,
        }
    }

    /// What the case is about.
    pub fn subject(&self) -> String {
        match self {
            Self::OpenAccount { login, .. }
            | Self::ChangeRoles { login, .. }
            | Self::CloseAccount { login }
            | Self::RenewSecrets { login }
            | Self::OpenLinkedAccount { login, .. }
            | Self::LinkSubject { login, .. } => crate::account::subject(login),
            Self::Address { contract, .. } | Self::Specimen { contract, .. } => {
                format!("contract-{contract}")
            }
            Self::AddHoliday { day, .. } | Self::RemoveHoliday { day } => format!("day-{day}"),
        }
    }
}

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
    /// What shall be changed is there: an account that may sign in, a contract that is not closed;
    /// for a new account or holiday, that its name or day is free.
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

/// A proposal asks for no work.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Job {}

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
