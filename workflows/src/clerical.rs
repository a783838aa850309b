//! The form's other requests: checked, approved by another, carried out by the bank's own system.

use engine::{ActorId, Anchor, CaseId, Context, Deadline, Transition, Workflow};
use serde::{Deserialize, Serialize};

use crate::terms::{DefectCode, Role, Rules, Signal, SubmissionRef, TaskKind, UserRef, days};

/// One of the form's other requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clerical;

/// The stored name; never changed.
pub const NAME: &str = "clerical";

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Release the lock of the retrieval password.
    RetrievalRelease,
    /// Release the lock of the login password.
    LoginRelease,
    /// Reset the login password.
    LoginReset,
    /// Release the lock of the transaction password.
    TransactionRelease,
    /// Reset the transaction password.
    TransactionReset,
    /// Tell the user ID, by letter.
    IdInquiry,
}

/// Where a clerical case stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum State {
    /// Before its first command.
    Start,
    /// Waits for a clerk.
    Received {
        /// What is asked for.
        request: Request,
    },
    /// Waits for somebody else to approve.
    Checked {
        /// What is asked for.
        request: Request,
        /// Checked it, and may not approve it.
        clerk: ActorId,
    },
    /// The bank's own system carries it out.
    CarryingOut {
        /// What is asked for.
        request: Request,
    },
    /// People carry it out: two confirm it.
    ByHand {
        /// What is asked for.
        request: Request,
        /// Confirmed it first.
        first: Option<ActorId>,
    },
    /// End: carried out.
    Done,
    /// End: the form was defective or the request does not fit; the form goes back.
    Refused,
    /// End: withdrawn by the customer.
    Withdrawn,
    /// End: nobody moved it on in time.
    Lapsed,
}

/// What is asked of a clerical case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Command {
    /// Worker or clerk: a request was found on a form.
    Open {
        /// The user in the row.
        user: UserRef,
        /// The envelope.
        submission: SubmissionRef,
        /// What is asked for.
        request: Request,
    },
    /// Clerk: checklist and seal are in order.
    Check,
    /// Approver: seal compared again, approved.
    Approve,
    /// Approver: back to the clerk.
    SendBack,
    /// Clerk or approver: not as it stands.
    Refuse {
        /// Why.
        codes: Vec<DefectCode>,
    },
    /// Worker: the bank's own system has done it.
    Carried,
    /// Worker: the bank's own system declined or did not answer.
    NotCarried,
    /// Clerk or approver: done by hand; the second confirmation must be another person's.
    Confirm,
    /// Peer: two people have recorded in their task that it cannot be done.
    GiveUp,
    /// Customer, or a clerk holding the letter: withdrawn.
    Withdraw,
    /// Clock: the bank's own system did not answer in time.
    TakeOver,
    /// Clock: nobody moved it on.
    Lapse,
}

impl Request {
    /// Every request, in the form's order.
    pub const ALL: [Self; 6] = [
        Self::RetrievalRelease,
        Self::LoginRelease,
        Self::LoginReset,
        Self::TransactionRelease,
        Self::TransactionReset,
        Self::IdInquiry,
    ];

    /// Ends in a letter that nobody else may read: the user ID, or an enrolment code after a reset.
    const fn sends_a_letter(self) -> bool {
        matches!(self, Self::LoginReset | Self::TransactionReset | Self::IdInquiry)
    }
}

/// What the host looks up for a clerical case.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent answer")]
pub struct Facts {
    /// The contract is in force.
    pub contract_active: bool,
    /// The user exists.
    pub user_active: bool,
    /// The request fits the present lock state (nothing is released that is not locked).
    pub fits: bool,
    /// A specimen valid on the form's date exists and is the one the actor was shown.
    pub specimen_valid: bool,
    /// Whole days since the date on the form; `None` when it bears none.
    pub form_age_days: Option<u32>,
    /// The registered address changed lately and is not confirmed; matters where a secret or the
    /// user ID goes there.
    pub address_fresh: bool,
    /// A danger sign stands.
    pub danger: bool,
    /// A webhook to the bank's own system is configured.
    pub bank_connected: bool,
    /// The actor is the user or holds the authority in the user's contract.
    pub actor_of_customer: bool,
    /// The credential concerned, when it is kept here.
    pub credential: Option<CaseId>,
}

/// A write that commits with the state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Keeps the defects with the case.
    RecordDefects {
        /// At least one, sorted.
        codes: Vec<DefectCode>,
    },
}

/// A message to the customer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Notice {
    /// Approved, and about to be carried out.
    Approved,
    /// Carried out.
    Done {
        /// What was asked for.
        request: Request,
    },
    /// The user ID, by letter to the registered address only.
    UserId,
    /// Not as it stands; the form goes back by letter.
    Refused,
    /// Withdrawn as asked.
    Withdrawn,
    /// Not finished in time; by letter too.
    Lapsed,
}

impl Notice {
    /// Also goes by letter.
    pub const fn is_lettered(&self) -> bool {
        matches!(self, Self::UserId | Self::Refused | Self::Lapsed)
    }

    /// Goes by letter only.
    pub const fn is_letter_only(&self) -> bool {
        matches!(self, Self::UserId)
    }
}

/// Work done after the commit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Job {
    /// Have the bank's own system do it; answered by `Carried` or `NotCarried`.
    CallBank {
        /// What is asked for.
        request: Request,
    },
    /// Open a task about this case; there is no answer.
    OpenTask {
        /// What is to be done.
        kind: TaskKind,
    },
}

/// Why a clerical case declines.
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
    /// Nothing to release.
    #[error("the request does not fit the present state")]
    DoesNotFit,
    /// A danger sign is not cleared.
    #[error("somebody must call back first")]
    Danger,
    /// The registered address changed lately.
    #[error("the registered address changed lately")]
    AddressFresh,
    /// No valid specimen, or not the one shown.
    #[error("the specimen is missing or has changed")]
    SpecimenChanged,
    /// Missing or too old.
    #[error("the date of the form is missing or too old")]
    FormDate,
    /// Prepared by the same person.
    #[error("whoever prepared a case may not approve it")]
    FourEyes,
    /// The second confirmation needs a second person.
    #[error("a second person must confirm")]
    SecondPerson,
    /// At least one code is needed.
    #[error("a defect needs a code")]
    NoDefect,
}

impl Workflow for Clerical {
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
            Command::Open { request, .. } if *state == State::Start => {
                Ok(Transition::to(State::Received { request: *request }))
            }
            Command::Check
            | Command::Approve
            | Command::SendBack
            | Command::Refuse { .. }
            | Command::Withdraw => desk(state, command, context, rules),
            Command::Carried
            | Command::NotCarried
            | Command::Confirm
            | Command::GiveUp
            | Command::TakeOver => carry(state, command, context),
            Command::Lapse => lapse(state),
            Command::Open { .. } => Err(Refusal::NotNow),
        }
    }

    fn deadlines(state: &State, rules: &Rules) -> Vec<Deadline<Command>> {
        let after = |count, command| vec![Deadline::after(Anchor::ENTERED, days(count), command)];
        match state {
            State::Start
            | State::Received { .. }
            | State::Checked { .. }
            | State::ByHand { .. } => after(rules.clerical_lapse_days, Command::Lapse),
            State::CarryingOut { .. } => after(rules.bank_answer_days, Command::TakeOver),
            State::Done | State::Refused | State::Withdrawn | State::Lapsed => Vec::new(),
        }
    }
}

type Decision = Result<Transition<Clerical>, Refusal>;

fn permit(command: &Command, context: &Context<Clerical>) -> Result<(), Refusal> {
    let roles: &[Role] = match command {
        Command::Open { .. } => &[Role::Worker, Role::Clerk],
        Command::Check => &[Role::Clerk],
        Command::Approve | Command::SendBack => &[Role::Approver],
        Command::Refuse { .. } | Command::Confirm => &[Role::Clerk, Role::Approver],
        Command::GiveUp => &[Role::Peer],
        Command::Carried | Command::NotCarried => &[Role::Worker],
        Command::Withdraw => &[Role::User, Role::AuthorityHolder, Role::Clerk],
        Command::TakeOver | Command::Lapse => &[Role::Clock],
    };
    demand(roles.contains(&context.actor.role), Refusal::NotAllowed)
}

fn demand(condition: bool, refusal: Refusal) -> Result<(), Refusal> {
    if condition { Ok(()) } else { Err(refusal) }
}

/// What every step checks anew.
fn recheck(request: Request, facts: &Facts, rules: &Rules) -> Result<(), Refusal> {
    demand(facts.contract_active, Refusal::ContractInactive)?;
    demand(facts.user_active, Refusal::UserInactive)?;
    demand(facts.fits, Refusal::DoesNotFit)?;
    demand(!facts.danger, Refusal::Danger)?;
    demand(!request.sends_a_letter() || !facts.address_fresh, Refusal::AddressFresh)?;
    demand(facts.specimen_valid, Refusal::SpecimenChanged)?;
    let dated = facts.form_age_days.is_some_and(|age| age <= rules.form_max_age_days);
    demand(dated, Refusal::FormDate)
}

fn desk(state: &State, command: &Command, context: &Context<Clerical>, rules: &Rules) -> Decision {
    use {Command as C, State as S};
    let (actor, facts) = (&context.actor.id, &context.facts);
    match (state, command) {
        (S::Received { request }, C::Check) => {
            recheck(*request, facts, rules)?;
            Ok(Transition::to(S::Checked { request: *request, clerk: actor.clone() }))
        }
        (S::Checked { request, clerk }, C::Approve | C::SendBack) => {
            demand(actor != clerk, Refusal::FourEyes)?;
            if *command == C::SendBack {
                return Ok(Transition::to(S::Received { request: *request }));
            }
            recheck(*request, facts, rules)?;
            Ok(approved(*request, facts))
        }
        (S::Received { .. }, C::Refuse { .. }) if context.actor.role == Role::Approver => {
            Err(Refusal::NotNow)
        }
        (S::Checked { clerk, .. }, C::Refuse { .. })
            if context.actor.role == Role::Approver && actor == clerk =>
        {
            Err(Refusal::FourEyes)
        }
        (S::Received { .. } | S::Checked { .. }, C::Refuse { codes }) => refuse(codes),
        (S::Received { .. } | S::Checked { .. }, C::Withdraw) => {
            demand(
                context.actor.role == Role::Clerk || facts.actor_of_customer,
                Refusal::NotYourCase,
            )?;
            Ok(Transition::to(S::Withdrawn).telling(Notice::Withdrawn))
        }
        _ => Err(Refusal::NotNow),
    }
}

fn refuse(codes: &[DefectCode]) -> Decision {
    demand(!codes.is_empty(), Refusal::NoDefect)?;
    let mut codes = codes.to_vec();
    codes.sort_unstable();
    codes.dedup();
    Ok(Transition::to(State::Refused)
        .with(Effect::RecordDefects { codes })
        .telling(Notice::Refused))
}

fn approved(request: Request, facts: &Facts) -> Transition<Clerical> {
    if request == Request::IdInquiry {
        // The ledger knows the answer; nobody else has to do anything.
        return Transition::to(State::Done).telling(Notice::UserId);
    }
    if facts.bank_connected {
        Transition::to(State::CarryingOut { request })
            .telling(Notice::Approved)
            .asking(Job::CallBank { request })
    } else {
        by_hand(request).telling(Notice::Approved)
    }
}

fn by_hand(request: Request) -> Transition<Clerical> {
    Transition::to(State::ByHand { request, first: None })
        .asking(Job::OpenTask { kind: TaskKind::BankSystem })
}

fn carry(state: &State, command: &Command, context: &Context<Clerical>) -> Decision {
    use {Command as C, State as S};
    let actor = &context.actor.id;
    match (state, command) {
        (S::CarryingOut { request }, C::NotCarried | C::TakeOver) => Ok(by_hand(*request)),
        // The system may answer after all, before two people have done it by hand.
        (S::CarryingOut { request } | S::ByHand { request, .. }, C::Carried) => {
            Ok(done(*request, &context.facts))
        }
        (S::ByHand { request, first: None }, C::Confirm) => {
            Ok(Transition::to(S::ByHand { request: *request, first: Some(actor.clone()) }))
        }
        (S::ByHand { request, first: Some(first) }, C::Confirm) => {
            demand(first != actor, Refusal::SecondPerson)?;
            Ok(done(*request, &context.facts))
        }
        (S::ByHand { .. }, C::GiveUp) => refuse(&[DefectCode::Other]),
        _ => Err(Refusal::NotNow),
    }
}

/// Our own count of wrong entries follows what the bank's system did.
fn done(request: Request, facts: &Facts) -> Transition<Clerical> {
    let done = Transition::to(State::Done).telling(Notice::Done { request });
    let Some(credential) = facts.credential else { return done };
    match request {
        Request::RetrievalRelease | Request::LoginRelease | Request::TransactionRelease => {
            done.signalling(Signal::Unlock { credential })
        }
        Request::LoginReset | Request::TransactionReset => {
            done.signalling(Signal::Reset { credential })
        }
        Request::IdInquiry => done,
    }
}

fn lapse(state: &State) -> Decision {
    match state {
        State::Start => Ok(Transition::to(State::Lapsed)),
        State::Received { .. } | State::Checked { .. } | State::ByHand { .. } => {
            Ok(Transition::to(State::Lapsed).telling(Notice::Lapsed))
        }
        _ => Err(Refusal::NotNow),
    }
}
