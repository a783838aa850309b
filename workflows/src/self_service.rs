//! Path 1: a holder of the authority reissues for themselves. Begins after login.

use engine::{Anchor, Context, Deadline, Transition, Workflow};
use serde::{Deserialize, Serialize};

use crate::reissue::{
    Consequences, before_issue, demand, earlier, in_tail, only, own, routed_to_self, standing,
    within_daily_limit, wrapped,
};
use crate::tail;
use crate::terms::{
    Channel, Effect, Facts, Job, Notice, Reason, Refusal, Role, Rules, Signal, TaskKind, UserRef,
    minutes,
};

/// The self-service path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelfService;

/// The stored name; never changed.
pub const NAME: &str = "self_service";

/// Where a self-service case stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum State {
    /// Before its first command.
    Start,
    /// Logged in; the one-time password is awaited.
    Authenticating,
    /// The one-time password was right; the password can be shown.
    Ready,
    /// The password exists.
    Tail(tail::State),
    /// End: the one-time password locked.
    Refused,
    /// End: not finished in time; nothing was issued.
    Abandoned,
    /// End: cancelled by the user; nothing was issued.
    Cancelled,
}

/// What is asked of a self-service case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Command {
    /// User: begin.
    Open {
        /// The logged-in user.
        user: UserRef,
        /// Why.
        reason: Reason,
    },
    /// User: go on after the one-time password (the fact tells whether it was right).
    PassOtp,
    /// User: generate and show.
    Issue,
    /// User: stop.
    Cancel,
    /// One-time-password credential: locked.
    OtpLocked,
    /// Clock: not finished in time.
    Abandon,
    /// From the common tail.
    Tail(tail::Command),
}

impl Workflow for SelfService {
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
        match (state, command) {
            (State::Start, Command::Open { reason, .. }) => open(*reason, context, rules),
            (State::Start, Command::Abandon) => abandon(context),
            (State::Tail(state), Command::Tail(command)) => {
                in_tail(state, command, context, rules, State::Tail)
            }
            (State::Authenticating | State::Ready, _) => {
                authenticating(state, command, context, rules)
            }
            _ => Err(Refusal::NotNow),
        }
    }

    fn deadlines(state: &State, rules: &Rules) -> Vec<Deadline<Command>> {
        match state {
            State::Start | State::Authenticating | State::Ready => {
                let idle = minutes(rules.online_idle_minutes);
                vec![Deadline::after(Anchor::ENTERED, idle, Command::Abandon)]
            }
            State::Tail(state) => wrapped(state, rules, Command::Tail),
            State::Refused | State::Abandoned | State::Cancelled => Vec::new(),
        }
    }
}

fn open(
    reason: Reason,
    context: &Context<SelfService>,
    rules: &Rules,
) -> Result<Transition<SelfService>, Refusal> {
    let facts = &context.facts;
    own(context)?;
    standing(facts)?;
    demand(earlier(facts, Channel::SelfService).is_none(), Refusal::AlreadyOpen)?;
    if facts.danger || reason.is_dangerous() {
        // Malware deletes certificates in order to steal the one that is reissued.
        return Ok(Transition::to(State::Tail(tail::State::Frozen)).freezing(TaskKind::CallBack));
    }
    routed_to_self(facts)?;
    within_daily_limit(facts, rules)?;
    Ok(Transition::to(State::Authenticating))
}

fn authenticating(
    state: &State,
    command: &Command,
    context: &Context<SelfService>,
    rules: &Rules,
) -> Result<Transition<SelfService>, Refusal> {
    match command {
        Command::PassOtp if *state == State::Authenticating => {
            own(context)?;
            demand(context.facts.otp_vouched, Refusal::OtpMissing)?;
            Ok(Transition::to(State::Ready))
        }
        Command::Issue => issue(state, context, rules),
        Command::Cancel => {
            own(context)?;
            Ok(Transition::to(State::Cancelled))
        }
        Command::OtpLocked => {
            only(context, &[Role::Peer])?;
            Ok(Transition::to(State::Refused))
        }
        Command::Abandon => abandon(context),
        Command::Tail(command) => before_issue(command, context, State::Tail),
        Command::Open { .. } | Command::PassOtp => Err(Refusal::NotNow),
    }
}

fn issue(
    state: &State,
    context: &Context<SelfService>,
    rules: &Rules,
) -> Result<Transition<SelfService>, Refusal> {
    let facts = &context.facts;
    own(context)?;
    // The vouching may have grown old since the step before, so it is asked for again.
    demand(*state == State::Ready && facts.otp_vouched, Refusal::OtpMissing)?;
    standing(facts)?;
    routed_to_self(facts)?;
    within_daily_limit(facts, rules)?;
    let channel = Channel::SelfService;
    let live = tail::State::Waiting { channel, copy: true, reminded: 0 };
    Ok(Transition::to(State::Tail(live))
        .with(Effect::IssuePassword { channel })
        .going_live(facts)
        .telling(Notice::Issued))
}

fn abandon(context: &Context<SelfService>) -> Result<Transition<SelfService>, Refusal> {
    only(context, &[Role::Clock])?;
    Ok(Transition::to(State::Abandoned))
}
