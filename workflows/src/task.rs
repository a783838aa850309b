//! Something people have to do outside the system, with owner, due time and history.

use engine::{ActorId, Anchor, CaseId, Context, Deadline, Span, Transition, Workflow};
use serde::{Deserialize, Serialize};

use crate::paper;
use crate::terms::{Role, Rules, Signal, TaskKind, days};

/// A task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task;

/// The stored name; never changed.
pub const NAME: &str = "task";

/// Where a task stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum State {
    /// Before its first command.
    Start,
    /// Nobody has taken it.
    Open {
        /// What is to be done.
        kind: TaskKind,
        /// The supervisor was told that it is late.
        overdue: bool,
    },
    /// Somebody works on it.
    Owned {
        /// What is to be done.
        kind: TaskKind,
        /// Who has it.
        owner: ActorId,
        /// The supervisor was told that it is late.
        overdue: bool,
    },
    /// One of two people has recorded the result.
    Recorded {
        /// What is to be done.
        kind: TaskKind,
        /// Who recorded it.
        first: ActorId,
        /// What came of it.
        outcome: Outcome,
        /// The supervisor was told that it is late.
        overdue: bool,
    },
    /// End: done.
    Done {
        /// What came of it.
        outcome: Outcome,
    },
    /// End: no longer needed.
    Dropped,
    /// End: given up on record; nobody did it.
    GivenUp,
}

/// What came of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Settled as the customer wished.
    Settled,
    /// The customer denies it, or something is wrong.
    Denied,
    /// Nobody could be reached.
    Unreached,
}

/// What is asked of a task.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Command {
    /// Worker: a case wants it.
    Open {
        /// What is to be done.
        kind: TaskKind,
        /// The case it is about.
        about: CaseId,
    },
    /// Staff: I do it.
    Take,
    /// Owner: somebody else shall do it.
    Release,
    /// Owner, or for some kinds a second person: the result.
    Record {
        /// What came of it.
        outcome: Outcome,
    },
    /// Second person: the record is not right.
    Dispute,
    /// Supervisor, or the worker when the case ended: no longer needed.
    Drop,
    /// Clock: late.
    Remind,
    /// Clock: nobody did it.
    GiveUp,
}

/// What a task has to know; who may do it follows from roles and persons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    /// The paper case that it is about; none when it is about something else.
    pub paper: Option<CaseId>,
    /// The clerical case that it is about.
    pub clerical: Option<CaseId>,
}

/// A task writes nothing besides its own history.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Links the task to the case it is about.
    LinkCase {
        /// That case.
        about: CaseId,
        /// What is to be done.
        kind: TaskKind,
    },
    /// Keeps the result beside the case it is about.
    RecordOutcome {
        /// What came of it.
        outcome: Outcome,
    },
}

/// A message to staff.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Notice {
    /// To the supervisor: late.
    Overdue {
        /// What is to be done.
        kind: TaskKind,
    },
    /// To the supervisor: nobody did it.
    GivenUp {
        /// What was to be done.
        kind: TaskKind,
    },
}

/// A task asks for no work.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Job {}

/// Why a task declines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Refusal {
    /// Wrong role.
    #[error("this role may not do that")]
    NotAllowed,
    /// Right role, wrong moment.
    #[error("the task is not at that step")]
    NotNow,
    /// Somebody else has taken it.
    #[error("somebody else owns the task")]
    NotOwner,
    /// The second record needs a second person.
    #[error("a second person must record the result")]
    SecondPerson,
    /// The second record differs from the first.
    #[error("the two records differ")]
    RecordsDiffer,
}

impl Workflow for Task {
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
        match command {
            Command::Remind | Command::GiveUp => late(state, command),
            Command::Record { outcome } => {
                let recorded = record(state, *outcome, context)?;
                Ok(followed(recorded, state, *outcome, &context.facts))
            }
            _ => work(state, command, &context.actor.id),
        }
    }

    fn deadlines(state: &State, rules: &Rules) -> Vec<Deadline<Command>> {
        let due = Span::BusinessDays(rules.task_due_business_days);
        let remind = Deadline::after(Anchor::OPENED, due, Command::Remind);
        let give_up = Deadline::after(Anchor::OPENED, days(rules.task_close_days), Command::GiveUp);
        match state {
            State::Start
            | State::Open { overdue: true, .. }
            | State::Owned { overdue: true, .. }
            | State::Recorded { overdue: true, .. } => vec![give_up],
            State::Open { .. } | State::Owned { .. } | State::Recorded { .. } => {
                vec![remind, give_up]
            }
            State::Done { .. } | State::Dropped | State::GivenUp => Vec::new(),
        }
    }
}

type Decision = Result<Transition<Task>, Refusal>;

/// Whose work a kind of task is. Whoever records what came of it moves the case on, so that it is
/// theirs who may do that.
pub const fn workers(kind: TaskKind) -> &'static [Role] {
    match kind {
        TaskKind::SupervisorCall => &[Role::Supervisor],
        TaskKind::CureByPhone | TaskKind::BankSystem => &[Role::Clerk, Role::Approver],
        TaskKind::LetterInquiry => &[Role::Clerk, Role::Supervisor],
        TaskKind::CallBack | TaskKind::BouncedMail | TaskKind::Undelivered | TaskKind::Incident => {
            &[Role::Clerk, Role::Approver, Role::HelpDesk, Role::Supervisor]
        }
    }
}

/// Who may be the second person of a kind of task. A call back is recorded, and not done at once, only
/// where a supervisor has to confirm it.
pub const fn seconds(kind: TaskKind) -> &'static [Role] {
    match kind {
        TaskKind::CallBack => &[Role::Supervisor],
        other => workers(other),
    }
}

fn permit(state: &State, command: &Command, role: Role) -> Result<(), Refusal> {
    let kind = match state {
        State::Open { kind, .. } | State::Owned { kind, .. } | State::Recorded { kind, .. } => {
            Some(*kind)
        }
        _ => None,
    };
    let allowed = match command {
        Command::Open { .. } => role == Role::Worker,
        Command::Remind | Command::GiveUp => role == Role::Clock,
        Command::Drop => matches!(role, Role::Supervisor | Role::Worker),
        Command::Take | Command::Release | Command::Record { .. } | Command::Dispute => {
            kind.is_some_and(|kind| workers(kind).contains(&role))
        }
    };
    if allowed { Ok(()) } else { Err(Refusal::NotAllowed) }
}

fn work(state: &State, command: &Command, actor: &ActorId) -> Decision {
    use {Command as C, State as S};
    Ok(match (state, command) {
        (S::Start, C::Open { kind, about }) => {
            Transition::to(S::Open { kind: *kind, overdue: false })
                .with(Effect::LinkCase { about: *about, kind: *kind })
        }
        (S::Open { kind, overdue }, C::Take) => {
            Transition::to(S::Owned { kind: *kind, owner: actor.clone(), overdue: *overdue })
        }
        (S::Owned { owner, .. }, C::Release) if owner != actor => return Err(Refusal::NotOwner),
        (S::Recorded { first, .. }, C::Dispute) if first == actor => {
            return Err(Refusal::SecondPerson);
        }
        (S::Owned { kind, overdue, .. }, C::Release)
        | (S::Recorded { kind, overdue, .. }, C::Dispute) => {
            Transition::to(S::Open { kind: *kind, overdue: *overdue })
        }
        (S::Open { .. } | S::Owned { .. } | S::Recorded { .. }, C::Drop) => {
            Transition::to(S::Dropped)
        }
        _ => return Err(Refusal::NotNow),
    })
}

/// The call back that decides over a paper case: only a supervisor lifts a danger or lets it stand, so
/// that anybody else's record waits for theirs.
fn waits_for_supervisor(kind: TaskKind, context: &Context<Task>) -> bool {
    kind == TaskKind::CallBack
        && context.facts.paper.is_some()
        && context.actor.role != Role::Supervisor
}

fn record(state: &State, outcome: Outcome, context: &Context<Task>) -> Decision {
    use State as S;
    let actor = &context.actor.id;
    match state {
        S::Owned { owner, .. } if owner != actor => Err(Refusal::NotOwner),
        // Whoever was not reached is called again; what could not be tried is tried again.
        S::Owned { kind, overdue, .. } if outcome == Outcome::Unreached && kind.is_repeated() => {
            Ok(Transition::to(S::Open { kind: *kind, overdue: *overdue }))
        }
        S::Owned { kind, overdue, .. }
            if kind.needs_two_people() || waits_for_supervisor(*kind, context) =>
        {
            Ok(Transition::to(S::Recorded {
                kind: *kind,
                first: actor.clone(),
                outcome,
                overdue: *overdue,
            }))
        }
        S::Recorded { first, .. } if first == actor => Err(Refusal::SecondPerson),
        S::Recorded { kind, .. } if !seconds(*kind).contains(&context.actor.role) => {
            Err(Refusal::NotAllowed)
        }
        S::Recorded { outcome: before, .. } if *before != outcome => Err(Refusal::RecordsDiffer),
        S::Owned { .. } | S::Recorded { .. } => {
            Ok(Transition::to(S::Done { outcome }).with(Effect::RecordOutcome { outcome }))
        }
        _ => Err(Refusal::NotNow),
    }
}

/// What two people have heard on the phone mends a form or sends it back; a letter's answer
/// settles an address; a call back clears a danger, or ends what the customer denies; so does the
/// supervisor's own call after many defects. Each of the two who mend a form tells the form so,
/// which counts the two itself; so do the two who do by hand what the bank's own system did not.
fn followed(
    recorded: Transition<Task>,
    from: &State,
    outcome: Outcome,
    facts: &Facts,
) -> Transition<Task> {
    let (State::Owned { kind, .. } | State::Recorded { kind, .. }) = from else { return recorded };
    if let (Some(case), TaskKind::BankSystem) = (facts.clerical, kind) {
        return match (outcome, &recorded.to) {
            (Outcome::Settled, _) => recorded.signalling(Signal::DoneByHand { case }),
            (Outcome::Denied, State::Done { .. }) => {
                recorded.signalling(Signal::CannotBeDone { case })
            }
            _ => recorded,
        };
    }
    let Some(case) = facts.paper else { return recorded };
    let is_done = matches!(recorded.to, State::Done { .. });
    let command = match (kind, outcome) {
        (TaskKind::CureByPhone, Outcome::Settled) => paper::Command::CureByPhone,
        (TaskKind::CureByPhone, _) if is_done => paper::Command::ReturnForm,
        (TaskKind::LetterInquiry, Outcome::Settled) => paper::Command::ConfirmAddress,
        (TaskKind::LetterInquiry, Outcome::Denied) => paper::Command::ObjectAddress,
        (TaskKind::CallBack, Outcome::Settled) if is_done => paper::Command::ClearDanger,
        (TaskKind::SupervisorCall, Outcome::Settled) => paper::Command::Readmit,
        (TaskKind::CallBack | TaskKind::SupervisorCall, Outcome::Denied) if is_done => {
            paper::Command::Reject
        }
        _ => return recorded,
    };
    recorded.signalling(Signal::Recorded { case, command })
}

fn late(state: &State, command: &Command) -> Decision {
    let mut next = state.clone();
    let kind = match &mut next {
        State::Start if *command == Command::GiveUp => {
            return Ok(Transition::to(State::GivenUp));
        }
        State::Open { kind, overdue }
        | State::Owned { kind, overdue, .. }
        | State::Recorded { kind, overdue, .. } => {
            if *command == Command::Remind && *overdue {
                return Err(Refusal::NotNow);
            }
            *overdue = true;
            *kind
        }
        _ => return Err(Refusal::NotNow),
    };
    Ok(match command {
        Command::Remind => Transition::to(next).telling(Notice::Overdue { kind }),
        _ => Transition::to(State::GivenUp).telling(Notice::GivenUp { kind }),
    })
}
