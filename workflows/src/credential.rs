//! One credential of one user: its wrong entries are counted before they are judged.
//!
//! An attempt is charged and committed first, its hash is computed outside, then it is redeemed
//! or missed. A charge that nobody settles counts as a miss.
//!
//! Longer than 500 lines because the whole of one small workflow is read in one place.

use engine::{CaseId, Context, Deadline, Span, Transition, Workflow};
use serde::{Deserialize, Serialize};

use crate::terms::{CHARGED, FIRST_WRONG, Neighbour, Role, Rules, Signal};

/// A credential of one user and kind; one long-lived case each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential;

/// The stored name; never changed.
pub const NAME: &str = "credential";

/// What is guarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The login password.
    Login,
    /// The transaction password.
    Transaction,
    /// The one-time-password card.
    OneTimePassword,
    /// The certificate retrieval password.
    Retrieval,
}

/// Where a credential stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum State {
    /// Before its first command.
    Start,
    /// There is nothing to enter.
    Unset {
        /// What is guarded.
        kind: Kind,
    },
    /// Entries are accepted.
    Active {
        /// What is guarded.
        kind: Kind,
        /// Entries charged since the last right one, the open ones among them.
        wrong: u8,
        /// Charged and not settled yet.
        open: u8,
    },
    /// No entry is accepted.
    Locked {
        /// What is guarded.
        kind: Kind,
    },
    /// The retrieval password was used.
    Used,
}

/// What is asked of a credential.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Command {
    /// Worker: there will be a secret; its holder must enrol it first.
    Prepare {
        /// What is guarded.
        kind: Kind,
    },
    /// Worker, user or system administrator: a secret exists now, for the first time or anew.
    Enrol {
        /// What is guarded.
        kind: Kind,
    },
    /// User: the present secret was right; another one takes its place.
    Change {
        /// The session, which alone goes on.
        session: String,
    },
    /// User: an entry is about to be judged.
    ChargeAttempt,
    /// User: it was right.
    Redeem {
        /// Digest of the session token, for the effect.
        session: String,
        /// Retrieval only: PKCS#10 in PEM; `None` asks for a key made on the server.
        csr: Option<String>,
    },
    /// User: it was wrong.
    Miss,
    /// Clock: charges that nobody settled count as wrong.
    Settle,
    /// Clock: wrong login entries are forgotten.
    ForgetWrong,
    /// Help desk, supervisor or another case: lock it.
    Lock,
    /// Help desk: tell the user by mail how to go on.
    Guide,
    /// Another case: the bank released the lock.
    Unlock,
    /// Another case: the bank reset the secret; it must be enrolled anew.
    Reset,
    /// Another case: a new retrieval password is live.
    Arm,
    /// Another case: the retrieval password is void.
    Disarm,
}

/// What the host looks up for a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent answer")]
pub struct Facts {
    /// The user exists and is not deactivated.
    pub user_active: bool,
    /// Login only: the growing delay since the last wrong entry is over.
    pub delay_over: bool,
    /// The actor has opened an enrolment of the user with a code, and it is not over.
    pub enrolling: bool,
    /// The user has set this credential in the enrolment that is open.
    pub set_here: bool,
    /// Retrieval only. When an entry is charged, redeemed or missed: the password that it is
    /// judged against is live. Otherwise: the user has any live password.
    pub password_live: bool,
    /// Retrieval only: the case that issued the live password.
    pub issuing: Option<Neighbour>,
    /// One-time password only: the user's open self-service case.
    pub self_service_case: Option<CaseId>,
    /// Transaction password only: the delegated case that the user has open.
    pub delegated_case: Option<CaseId>,
}

/// A write that commits with the state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Records in the session that this credential was right just now.
    Vouch {
        /// What was right.
        kind: Kind,
        /// Digest of the session token.
        session: String,
    },
    /// Marks the user's live retrieval password as used (compare and set).
    UsePassword,
    /// Voids the user's live retrieval password.
    VoidPassword,
    /// Ends the user's sessions.
    EndSessions,
    /// Ends the user's sessions but this one.
    EndOtherSessions {
        /// Stays.
        session: String,
    },
    /// Stores the prepared secret in the place of the present one.
    StoreSecret,
    /// Makes the stored secret useless until it is enrolled anew.
    RetireSecret,
}

/// A message to the user (and, for a retrieval password, to all administrators).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Notice {
    /// Too many wrong entries, or locked by the bank.
    Locked {
        /// What is locked.
        kind: Kind,
    },
    /// The lock is released.
    Unlocked {
        /// What is released.
        kind: Kind,
    },
    /// It must be enrolled anew.
    Reset {
        /// What was reset.
        kind: Kind,
    },
    /// Its holder has set or registered it with an enrolment code.
    Enrolled {
        /// What was enrolled.
        kind: Kind,
    },
    /// Its holder has changed it.
    Changed {
        /// What was changed.
        kind: Kind,
    },
    /// How to go on, because the user has asked the help desk.
    Guidance,
}

/// Work done after the commit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Job {
    /// Have an enrolment code sent to the user by letter; there is no answer.
    OrderCode,
}

/// Why a credential declines. Before login the host shows one and the same message for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Refusal {
    /// Wrong role.
    #[error("this role may not do that")]
    NotAllowed,
    /// Wrong moment, or not for this kind.
    #[error("the credential is not at that step")]
    NotNow,
    /// Nothing to enter yet.
    #[error("there is no secret to enter")]
    Unset,
    /// No entry is accepted, or every one left is being judged.
    #[error("the credential is locked")]
    Locked,
    /// Retrieval: once only.
    #[error("the password is used")]
    Used,
    /// Retrieval: void or expired.
    #[error("the password is not live")]
    NotLive,
    /// Login: wait a while.
    #[error("the delay after wrong entries is not over")]
    Delayed,
    /// The attempt was never charged, or was settled meanwhile.
    #[error("the attempt was not charged")]
    NotCharged,
    /// Deactivated or deleted.
    #[error("the user no longer exists")]
    UserInactive,
    /// No enrolment is open.
    #[error("no enrolment is open")]
    NotEnrolling,
    /// A transaction password that stands is reset by the bank before another takes its place.
    #[error("the present secret must be reset first")]
    ResetFirst,
}

impl Workflow for Credential {
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
        if !permitted(command, context.actor.role) {
            return Err(Refusal::NotAllowed);
        }
        let facts = &context.facts;
        match command {
            Command::ChargeAttempt => charge(state, facts, rules),
            Command::Redeem { session, csr } => redeem(state, session, csr.as_ref(), facts),
            Command::Change { session } => change(state, session, facts),
            Command::Enrol { kind } if is_customer(context.actor.role) => {
                enrol(state, *kind, facts)
            }
            Command::Miss | Command::Settle => settle(state, command, facts, rules),
            _ => upkeep(state, command, facts),
        }
    }

    fn deadlines(state: &State, rules: &Rules) -> Vec<Deadline<Command>> {
        let mut all = Vec::new();
        let State::Active { kind, wrong, open } = state else { return all };
        if *open > 0 {
            let seconds = u64::from(rules.charge_settle_seconds);
            let span = Span::Time(std::time::Duration::from_secs(seconds));
            all.push(Deadline::after(CHARGED, span, Command::Settle));
        }
        if *kind == Kind::Login && *wrong > 0 {
            let window = Span::hours(u64::from(rules.login_window_hours));
            all.push(Deadline::after(FIRST_WRONG, window, Command::ForgetWrong));
        }
        all
    }
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] =
        [Self::Login, Self::Transaction, Self::OneTimePassword, Self::Retrieval];

    /// Wrong entries that lock.
    pub const fn max_wrong(self, rules: &Rules) -> u8 {
        match self {
            Self::Login => rules.login_max_wrong,
            Self::Transaction => rules.transaction_max_wrong,
            Self::OneTimePassword => rules.otp_max_wrong,
            Self::Retrieval => rules.retrieval_max_wrong,
        }
    }
}

type Decision = Result<Transition<Credential>, Refusal>;

fn permitted(command: &Command, role: Role) -> bool {
    match command {
        Command::Enrol { .. } => matches!(
            role,
            Role::Worker | Role::User | Role::AuthorityHolder | Role::SystemAdministrator
        ),
        Command::Prepare { .. } => role == Role::Worker,
        Command::ChargeAttempt
        | Command::Redeem { .. }
        | Command::Change { .. }
        | Command::Miss => is_customer(role),
        Command::Settle | Command::ForgetWrong => role == Role::Clock,
        Command::Lock => matches!(role, Role::HelpDesk | Role::Supervisor | Role::Peer),
        Command::Guide => role == Role::HelpDesk,
        Command::Unlock | Command::Reset | Command::Arm | Command::Disarm => role == Role::Peer,
    }
}

fn is_customer(role: Role) -> bool {
    matches!(role, Role::User | Role::AuthorityHolder)
}

fn active(kind: Kind, wrong: u8, open: u8) -> Transition<Credential> {
    Transition::to(State::Active { kind, wrong, open })
}

fn closed(state: &State) -> Refusal {
    match state {
        State::Locked { .. } => Refusal::Locked,
        State::Used => Refusal::Used,
        _ => Refusal::Unset,
    }
}

/// The count is committed before anything is judged, so that many entries at once cannot buy
/// more attempts than there are.
fn charge(state: &State, facts: &Facts, rules: &Rules) -> Decision {
    let State::Active { kind, wrong, open } = *state else { return Err(closed(state)) };
    if !facts.user_active {
        return Err(Refusal::UserInactive);
    }
    if kind == Kind::Retrieval && !facts.password_live {
        return Err(Refusal::NotLive);
    }
    if wrong >= kind.max_wrong(rules) {
        return Err(Refusal::Locked);
    }
    if kind == Kind::Login && wrong >= rules.login_delay_from_wrong && !facts.delay_over {
        return Err(Refusal::Delayed);
    }
    let charged = active(kind, wrong + 1, open + 1).marking(CHARGED);
    Ok(if wrong == 0 { charged.marking(FIRST_WRONG) } else { charged })
}

fn redeem(state: &State, session: &str, csr: Option<&String>, facts: &Facts) -> Decision {
    let State::Active { kind, open, .. } = *state else { return Err(closed(state)) };
    if open == 0 {
        return Err(Refusal::NotCharged);
    }
    if !facts.user_active {
        return Err(Refusal::UserInactive);
    }
    if kind != Kind::Retrieval {
        let vouch = Effect::Vouch { kind, session: session.to_owned() };
        return Ok(active(kind, open - 1, open - 1).with(vouch));
    }
    match facts.issuing {
        Some(to) if facts.password_live => Ok(Transition::to(State::Used)
            .with(Effect::UsePassword)
            .signalling(Signal::Claim { to, csr: csr.cloned() })),
        _ => Err(Refusal::NotLive),
    }
}

/// What replaces a secret is judged like every other entry: the present one was charged and right.
fn change(state: &State, session: &str, facts: &Facts) -> Decision {
    let State::Active { kind, open, .. } = *state else { return Err(closed(state)) };
    if kind == Kind::Retrieval {
        return Err(Refusal::NotNow);
    }
    if open == 0 {
        return Err(Refusal::NotCharged);
    }
    if !facts.user_active {
        return Err(Refusal::UserInactive);
    }
    Ok(active(kind, open - 1, open - 1)
        .with(Effect::StoreSecret)
        .with(Effect::EndOtherSessions { session: session.to_owned() })
        .telling(Notice::Changed { kind }))
}

/// With an enrolment code the holder sets what is missing, and replaces a login password or a card
/// that is forgotten, lost or locked. A colleague may have given out the code, so it never takes
/// the place of a transaction password that stands: payments keep their four eyes.
fn enrol(state: &State, kind: Kind, facts: &Facts) -> Decision {
    if !facts.enrolling {
        return Err(Refusal::NotEnrolling);
    }
    if !facts.user_active {
        return Err(Refusal::UserInactive);
    }
    let stands = match state {
        State::Unset { kind: own } if *own == kind => false,
        State::Active { kind: own, .. } | State::Locked { kind: own } if *own == kind => true,
        _ => return Err(Refusal::NotNow),
    };
    match kind {
        Kind::Retrieval => Err(Refusal::NotNow),
        // What was set a minute ago in the same enrolment may be set again.
        Kind::Transaction if stands && !facts.set_here => Err(Refusal::ResetFirst),
        _ => Ok(active(kind, 0, 0)
            .with(Effect::StoreSecret)
            .with(Effect::EndSessions)
            .telling(Notice::Enrolled { kind })),
    }
}

/// One miss settles one charge, the clock settles all that are left; the last one locks when the
/// attempts are spent.
fn settle(state: &State, command: &Command, facts: &Facts, rules: &Rules) -> Decision {
    let State::Active { kind, wrong, open } = *state else { return Err(closed(state)) };
    if open == 0 {
        return Err(Refusal::NotCharged);
    }
    let left = if *command == Command::Miss { open - 1 } else { 0 };
    if left == 0 && wrong >= kind.max_wrong(rules) {
        return Ok(lock(kind, facts));
    }
    Ok(active(kind, wrong, left))
}

fn lock(kind: Kind, facts: &Facts) -> Transition<Credential> {
    let locked = Transition::to(State::Locked { kind });
    let told = |locked: Transition<Credential>| locked.telling(Notice::Locked { kind });
    match kind {
        Kind::Login => told(locked).with(Effect::EndSessions),
        Kind::OneTimePassword => match facts.self_service_case {
            Some(case) => told(locked).signalling(Signal::OtpLocked { case }),
            None => told(locked),
        },
        Kind::Transaction => match facts.delegated_case {
            Some(case) => told(locked).signalling(Signal::TransactionLocked { case }),
            None => told(locked),
        },
        // The issuing case tells everybody concerned; without one it is told here.
        Kind::Retrieval => match facts.issuing {
            Some(to) => {
                locked.with(Effect::VoidPassword).signalling(Signal::RetrievalLocked { to })
            }
            None => told(locked),
        },
    }
}

fn upkeep(state: &State, command: &Command, facts: &Facts) -> Decision {
    use {Command as C, State as S};
    Ok(match (state, command) {
        (S::Start, C::Prepare { kind } | C::Enrol { kind: kind @ Kind::Retrieval }) => {
            Transition::to(S::Unset { kind: *kind })
        }
        (S::Start, C::Enrol { kind }) => active(*kind, 0, 0),
        (S::Unset { kind }, C::Enrol { kind: other })
            if kind == other && *kind != Kind::Retrieval =>
        {
            active(*kind, 0, 0)
        }
        (S::Active { kind: Kind::Login, open, .. }, C::ForgetWrong) => {
            active(Kind::Login, *open, *open).marking(FIRST_WRONG)
        }
        (S::Active { kind, .. } | S::Unset { kind }, C::Lock) => lock(*kind, facts),
        // Whoever signs in is guided by the case that counts the sign-ins; it changes nothing of it.
        (
            S::Active { kind: Kind::Login, .. }
            | S::Unset { kind: Kind::Login }
            | S::Locked { kind: Kind::Login },
            C::Guide,
        ) if facts.user_active => Transition::to(state.clone()).telling(Notice::Guidance),
        (_, C::Guide) if !facts.user_active => return Err(Refusal::UserInactive),
        (S::Locked { kind: kind @ Kind::Retrieval }, C::Unlock) => {
            Transition::to(S::Unset { kind: *kind }).telling(Notice::Unlocked { kind: *kind })
        }
        (S::Locked { kind }, C::Unlock) => {
            active(*kind, 0, 0).telling(Notice::Unlocked { kind: *kind })
        }
        (S::Active { kind, .. } | S::Unset { kind } | S::Locked { kind }, C::Reset)
            if *kind != Kind::Retrieval =>
        {
            Transition::to(S::Unset { kind: *kind })
                .with(Effect::RetireSecret)
                .with(Effect::EndSessions)
                .telling(Notice::Reset { kind: *kind })
                .asking(Job::OrderCode)
        }
        (
            S::Unset { kind: Kind::Retrieval }
            | S::Active { kind: Kind::Retrieval, .. }
            | S::Locked { kind: Kind::Retrieval }
            | S::Used,
            C::Arm,
        ) => active(Kind::Retrieval, 0, 0),
        // A later case may have issued before this word of an earlier one arrived.
        (S::Active { kind: Kind::Retrieval, .. }, C::Disarm) if !facts.password_live => {
            Transition::to(S::Unset { kind: Kind::Retrieval })
        }
        (
            S::Unset { kind: Kind::Retrieval }
            | S::Active { kind: Kind::Retrieval, .. }
            | S::Locked { kind: Kind::Retrieval }
            | S::Used,
            C::Disarm,
        ) => Transition::to(state.clone()),
        _ => return Err(Refusal::NotNow),
    })
}
