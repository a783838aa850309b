//! Path 2: a holder of the authority reissues for a colleague.

use engine::{ActorId, Anchor, Context, Deadline, Transition, Workflow};
use serde::{Deserialize, Serialize};

use crate::reissue::{
    Consequences, before_issue, customer, demand, earlier, in_tail, only, own, standing,
    within_daily_limit, wrapped,
};
use crate::tail;
use crate::terms::{
    Channel, Effect, Facts, Job, Notice, Reason, Refusal, Role, Rules, Signal, TaskKind, UserRef,
    days, minutes,
};

/// The delegated path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delegated;

/// The stored name; never changed.
pub const NAME: &str = "delegated";

/// Where a delegated case stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum State {
    /// Before its first command.
    Start,
    /// The confirmation page is shown; the own transaction password is awaited.
    Confirming {
        /// The administrator, who alone may go on.
        opener: ActorId,
    },
    /// Granted under target-only reveal: the password is made when the user asks to see it.
    Granted,
    /// The password exists.
    Tail(tail::State),
    /// End: the transaction password locked.
    Aborted,
    /// End: cancelled; nothing was issued.
    Cancelled,
    /// End: not finished in time; nothing was issued.
    Abandoned,
}

/// What is asked of a delegated case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Command {
    /// Administrator: begin for a colleague.
    Open {
        /// The colleague.
        target: UserRef,
        /// Why.
        reason: Reason,
    },
    /// Administrator: reissue (the fact tells whether the transaction password was right).
    Issue,
    /// The user, under target-only reveal: generate and show.
    Reveal,
    /// Administrator: stop.
    Cancel,
    /// Transaction credential: locked.
    TransactionLocked,
    /// Clock: not finished in time.
    Abandon,
    /// From the common tail.
    Tail(tail::Command),
}

impl Workflow for Delegated {
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
            (State::Confirming { .. } | State::Granted, Command::Tail(command)) => {
                before_issue(command, context, State::Tail)
            }
            (State::Confirming { opener }, _) => confirming(opener, command, context, rules),
            (State::Granted, Command::Reveal) => reveal(context),
            (State::Granted, Command::Cancel) => {
                customer(context)?;
                demand(context.actor.role == Role::AuthorityHolder, Refusal::NotAllowed)?;
                Ok(Transition::to(State::Cancelled).telling(Notice::Withdrawn))
            }
            (State::Granted, Command::Abandon) => {
                abandon(context).map(|abandoned| abandoned.telling(Notice::Expired))
            }
            _ => Err(Refusal::NotNow),
        }
    }

    fn deadlines(state: &State, rules: &Rules) -> Vec<Deadline<Command>> {
        let after = |span| vec![Deadline::after(Anchor::ENTERED, span, Command::Abandon)];
        match state {
            State::Start | State::Confirming { .. } => after(minutes(rules.online_idle_minutes)),
            State::Granted => after(days(rules.password_valid_delegated_days)),
            State::Tail(state) => wrapped(state, rules, Command::Tail),
            State::Aborted | State::Cancelled | State::Abandoned => Vec::new(),
        }
    }
}

/// What the administrator must be, at the beginning and again at the issue: a certificate may
/// have expired in between.
fn administrator(context: &Context<Delegated>, rules: &Rules) -> Result<(), Refusal> {
    let facts = &context.facts;
    only(context, &[Role::AuthorityHolder])?;
    demand(facts.same_contract, Refusal::OtherContract)?;
    demand(facts.actor_authority, Refusal::NoAuthority)?;
    demand(!facts.actor_is_user, Refusal::ForColleagues)?;
    demand(facts.actor_certificate_active, Refusal::CertificateInactive)?;
    standing(facts)?;
    demand(facts.certificate_needed, Refusal::CertificateNotNeeded)?;
    within_daily_limit(facts, rules)?;
    demand(
        facts.actor_reissues_today < rules.reissues_per_administrator_per_day,
        Refusal::DailyLimit,
    )
}

fn open(
    reason: Reason,
    context: &Context<Delegated>,
    rules: &Rules,
) -> Result<Transition<Delegated>, Refusal> {
    administrator(context, rules)?;
    demand(earlier(&context.facts, Channel::Delegated).is_none(), Refusal::AlreadyOpen)?;
    if context.facts.danger || reason.is_dangerous() {
        return Ok(Transition::to(State::Tail(tail::State::Frozen)).freezing(TaskKind::CallBack));
    }
    Ok(Transition::to(State::Confirming { opener: context.actor.id.clone() }))
}

fn confirming(
    opener: &ActorId,
    command: &Command,
    context: &Context<Delegated>,
    rules: &Rules,
) -> Result<Transition<Delegated>, Refusal> {
    match command {
        Command::Issue => {
            demand(*opener == context.actor.id, Refusal::NotYourCase)?;
            issue(context, rules)
        }
        Command::Cancel => {
            demand(*opener == context.actor.id, Refusal::NotYourCase)?;
            Ok(Transition::to(State::Cancelled))
        }
        Command::TransactionLocked => {
            only(context, &[Role::Peer])?;
            Ok(Transition::to(State::Aborted))
        }
        Command::Abandon => abandon(context),
        _ => Err(Refusal::NotNow),
    }
}

fn issue(context: &Context<Delegated>, rules: &Rules) -> Result<Transition<Delegated>, Refusal> {
    let facts = &context.facts;
    administrator(context, rules)?;
    demand(facts.transaction_vouched, Refusal::TransactionMissing)?;
    demand(!facts.danger, Refusal::Danger)?;
    if facts.target_only_reveal {
        // No password is made before the user asks for it, so none lies about for days.
        return Ok(Transition::to(State::Granted).telling(Notice::Granted));
    }
    Ok(live(facts))
}

fn reveal(context: &Context<Delegated>) -> Result<Transition<Delegated>, Refusal> {
    let facts = &context.facts;
    own(context)?;
    demand(facts.otp_vouched, Refusal::OtpMissing)?;
    standing(facts)?;
    demand(!facts.danger, Refusal::Danger)?;
    Ok(live(facts))
}

fn live(facts: &Facts) -> Transition<Delegated> {
    let channel = Channel::Delegated;
    let waiting = tail::State::Waiting { channel, copy: true, reminded: 0 };
    Transition::to(State::Tail(waiting))
        .with(Effect::IssuePassword { channel })
        .going_live(facts)
        .telling(Notice::IssuedByColleague)
}

fn abandon(context: &Context<Delegated>) -> Result<Transition<Delegated>, Refusal> {
    only(context, &[Role::Clock])?;
    Ok(Transition::to(State::Abandoned))
}
