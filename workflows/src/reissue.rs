//! What the three paths have in common besides their tail.

use engine::{Context, Deadline, Transition, Workflow};

use crate::router::{Advice, Known, advise};
use crate::tail;
use crate::terms::{
    Channel, Effect, Facts, ISSUED, Job, Notice, Reason, Refusal, Revocation, Role, Rules, Signal,
    TaskKind, VoidReason,
};

/// A path: a workflow that speaks in the shared terms.
pub(crate) trait Reissue:
    Workflow<
        Role = Role,
        Facts = Facts,
        Rules = Rules,
        Effect = Effect,
        Notice = Notice,
        Job = Job,
        Signal = Signal,
        Refusal = Refusal,
    >
{
}

impl<W> Reissue for W where
    W: Workflow<
            Role = Role,
            Facts = Facts,
            Rules = Rules,
            Effect = Effect,
            Notice = Notice,
            Job = Job,
            Signal = Signal,
            Refusal = Refusal,
        >
{
}

/// What happens to password and certificates when a case goes on or ends.
pub(crate) trait Consequences: Sized {
    /// The password is live from now on: count its validity, take care of the old certificate,
    /// end the user's other cases, accept entries.
    fn going_live(self, facts: &Facts) -> Self;
    /// No password of this case is left.
    fn voiding(self, why: VoidReason) -> Self;
    /// As `voiding`, and entries are no longer accepted.
    fn disarming(self, why: VoidReason, facts: &Facts) -> Self;
    /// The case ends without a new certificate: the old one works again, unless it is lost or a
    /// suspicion stands.
    fn releasing(self, facts: &Facts) -> Self;
    /// Holds the certificate because of a suspicion, and has somebody call.
    fn freezing(self, task: TaskKind) -> Self;
}

impl<W: Reissue> Consequences for Transition<W> {
    fn going_live(self, facts: &Facts) -> Self {
        let old = match facts.reason {
            Reason::Lost => Effect::RevokeCertificate { why: Revocation::Lost },
            _ => Effect::HoldCertificate,
        };
        let mut live = self.with(old).marking(ISSUED);
        for to in &facts.open_cases {
            live = live.signalling(Signal::Supersede { to: *to });
        }
        if let Some(credential) = facts.retrieval_credential {
            live = live.signalling(Signal::Arm { credential });
        }
        live
    }

    fn voiding(self, why: VoidReason) -> Self {
        self.with(Effect::VoidPassword { why }).with(Effect::DestroyDisplayCopy)
    }

    fn disarming(self, why: VoidReason, facts: &Facts) -> Self {
        let voided = self.voiding(why);
        match facts.retrieval_credential {
            Some(credential) => voided.signalling(Signal::Disarm { credential }),
            None => voided,
        }
    }

    fn releasing(self, facts: &Facts) -> Self {
        if facts.danger || facts.reason == Reason::Lost {
            self
        } else {
            self.with(Effect::ReleaseCertificate)
        }
    }

    fn freezing(self, task: TaskKind) -> Self {
        self.with(Effect::HoldCertificate)
            .asking(Job::OpenTask { kind: task })
            .telling(Notice::Stopped)
    }
}

/// Refuses unless the role is one of those.
pub(crate) fn only<W: Reissue>(context: &Context<W>, roles: &[Role]) -> Result<(), Refusal> {
    if roles.contains(&context.actor.role) { Ok(()) } else { Err(Refusal::NotAllowed) }
}

/// Refuses unless the condition holds.
pub(crate) fn demand(condition: bool, refusal: Refusal) -> Result<(), Refusal> {
    if condition { Ok(()) } else { Err(refusal) }
}

/// The user themselves, logged in.
pub(crate) fn own<W: Reissue>(context: &Context<W>) -> Result<(), Refusal> {
    only(context, &[Role::User, Role::AuthorityHolder])?;
    demand(context.facts.actor_is_user, Refusal::NotYourCase)
}

/// The user, or a holder of the authority in the same contract.
pub(crate) fn customer<W: Reissue>(context: &Context<W>) -> Result<(), Refusal> {
    let facts = &context.facts;
    match context.actor.role {
        Role::User | Role::AuthorityHolder if facts.actor_is_user => Ok(()),
        Role::User => Err(Refusal::NotYourCase),
        Role::AuthorityHolder => {
            demand(facts.same_contract, Refusal::OtherContract)?;
            demand(facts.actor_authority, Refusal::NoAuthority)
        }
        _ => Err(Refusal::NotAllowed),
    }
}

/// Contract and user must still be there.
pub(crate) fn standing(facts: &Facts) -> Result<(), Refusal> {
    demand(facts.contract_active, Refusal::ContractInactive)?;
    demand(facts.user_active, Refusal::UserInactive)
}

/// The daily limit for the user.
pub(crate) fn within_daily_limit(facts: &Facts, rules: &Rules) -> Result<(), Refusal> {
    demand(facts.user_reissues_today < rules.reissues_per_user_per_day, Refusal::DailyLimit)
}

/// Another open case of the same user on the same way.
pub(crate) fn earlier(facts: &Facts, channel: Channel) -> Option<engine::CaseId> {
    facts.open_cases.iter().find(|other| other.channel == channel).map(|other| other.case)
}

/// Refuses what the router would send elsewhere than to self-service.
pub(crate) fn routed_to_self(facts: &Facts) -> Result<(), Refusal> {
    Err(match advise(&Known::from(facts)) {
        Advice::OwnReissue => return Ok(()),
        Advice::Closed => Refusal::ContractInactive,
        Advice::Stop => Refusal::Danger,
        Advice::NotNeeded => Refusal::CertificateNotNeeded,
        Advice::Renew => Refusal::RenewInstead,
        _ if !facts.retrieval_unlocked => Refusal::RetrievalLocked,
        Advice::Colleague => Refusal::AskColleague,
        Advice::Chain => Refusal::ColleagueFirst,
        Advice::Paper => Refusal::UsePaper,
    })
}

/// Commands of the tail that already apply before anything was issued online. Nothing is to be
/// voided or released yet.
pub(crate) fn before_issue<W: Reissue>(
    command: &tail::Command,
    context: &Context<W>,
    wrap: fn(tail::State) -> W::State,
) -> Result<Transition<W>, Refusal> {
    use tail::Command as C;
    tail::permit(command, context)?;
    Ok(match command {
        C::Supersede => Transition::to(wrap(tail::State::Superseded)),
        C::NotNeeded => Transition::to(wrap(tail::State::NotNeeded)),
        C::Withdraw => Transition::to(wrap(tail::State::Withdrawn)).telling(Notice::Withdrawn),
        C::EmergencyStop => Transition::to(wrap(tail::State::Frozen)).freezing(TaskKind::CallBack),
        C::Disown => Transition::to(wrap(tail::State::Frozen)).freezing(TaskKind::Incident),
        _ => return Err(Refusal::NotNow),
    })
}

/// Carries a decision of the tail over into the path that embeds it.
pub(crate) fn lift<W: Reissue>(
    transition: Transition<tail::Tail>,
    wrap: fn(tail::State) -> W::State,
) -> Transition<W> {
    Transition {
        to: wrap(transition.to),
        marks: transition.marks,
        effects: transition.effects,
        notices: transition.notices,
        jobs: transition.jobs,
        signals: transition.signals,
        reason: transition.reason,
    }
}

/// Asks the tail on behalf of the path that embeds it.
pub(crate) fn in_tail<W: Reissue>(
    state: &tail::State,
    command: &tail::Command,
    context: &Context<W>,
    rules: &Rules,
    wrap: fn(tail::State) -> W::State,
) -> Result<Transition<W>, Refusal> {
    let context = Context { actor: context.actor.clone(), facts: context.facts.clone() };
    tail::Tail::decide(state, command, &context, rules).map(|decided| lift(decided, wrap))
}

/// The tail's deadlines in the words of the path that embeds it.
pub(crate) fn wrapped<C>(
    state: &tail::State,
    rules: &Rules,
    wrap: fn(tail::Command) -> C,
) -> Vec<Deadline<C>> {
    let all = tail::Tail::deadlines(state, rules).into_iter();
    all.map(|due| Deadline::after(due.anchor, due.span, wrap(due.command))).collect()
}
