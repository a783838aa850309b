//! The clerks' and approvers' desk: checklist, seal, approval, and the two holds.

use engine::{Context, Transition};

use super::{Command, Decision, Paper, Round, State, held, recheck, rejected};
use crate::reissue::{demand, earlier};
use crate::terms::{
    Channel, Effect, Facts, Job, Notice, Reason, Refusal, Revocation, Role, Rules, TaskKind,
};

pub(super) fn decide(
    state: &State,
    command: &Command,
    context: &Context<Paper>,
    rules: &Rules,
) -> Decision {
    use {Command as C, State as S};
    let actor = &context.actor.id;
    match (state, command) {
        (S::Start, C::Open { .. }) => Ok(open(&context.facts)),
        (S::Identified { round }, C::Check) => check(*round, context, rules),
        (S::Checked { round, clerk }, C::MatchSeal) => {
            demand(context.facts.specimen_valid, Refusal::SpecimenChanged)?;
            let (round, clerk) = (*round, clerk.clone());
            Ok(recheck(round, &context.facts).unwrap_or_else(|| {
                Transition::to(S::SealOk { round, clerk, sealer: actor.clone() })
            }))
        }
        (S::SealOk { round, clerk, sealer }, C::Approve | C::SendBack | C::Reject) => {
            let prepared = actor == clerk || actor == sealer || context.facts.actor_prepared;
            demand(!prepared, Refusal::FourEyes)?;
            match command {
                C::Approve => approve(*round, &context.facts),
                C::SendBack => Ok(Transition::to(S::Identified { round: *round })),
                _ => Ok(rejected("not_granted")),
            }
        }
        (S::DangerHold { .. } | S::AddressHold { .. } | S::Escalated { .. }, C::Reject) => {
            demand(context.actor.role == Role::Supervisor, Refusal::NotAllowed)?;
            Ok(rejected("not_granted"))
        }
        (S::DangerHold { round }, C::ClearDanger) => {
            Ok(Transition::to(S::Identified { round: *round }).with(Effect::ClearDanger))
        }
        (S::AddressHold { round }, C::ConfirmAddress) => {
            Ok(Transition::to(S::Identified { round: *round }).with(Effect::ConfirmAddress))
        }
        (S::AddressHold { .. }, C::ObjectAddress) => {
            Ok(rejected("address_objected").asking(Job::OpenTask { kind: TaskKind::Incident }))
        }
        _ => Err(Refusal::NotNow),
    }
}

fn open(facts: &Facts) -> Transition<Paper> {
    let round = Round { attempt: 1, resends: 0 };
    match earlier(facts, Channel::Paper) {
        Some(of) => Transition::to(State::Duplicate)
            .with(Effect::LinkDuplicate { of })
            .telling(Notice::Duplicate),
        None if facts.danger || facts.reason.is_dangerous() => {
            held(round).with(Effect::RaiseDanger)
        }
        None => Transition::to(State::Identified { round }),
    }
}

fn check(round: Round, context: &Context<Paper>, rules: &Rules) -> Decision {
    let facts = &context.facts;
    let dated = facts.form_age_days.is_some_and(|age| age <= rules.form_max_age_days);
    demand(dated, Refusal::FormDate)?;
    let clerk = context.actor.id.clone();
    Ok(recheck(round, facts).unwrap_or_else(|| Transition::to(State::Checked { round, clerk })))
}

fn approve(round: Round, facts: &Facts) -> Decision {
    demand(facts.specimen_valid, Refusal::SpecimenChanged)?;
    if let Some(other) = recheck(round, facts) {
        return Ok(other);
    }
    let approved = Transition::to(State::Approved { round })
        .telling(Notice::Approved)
        .asking(Job::PrintLetter);
    Ok(match facts.reason {
        // A lost computer is not safe until the letter arrives.
        Reason::Lost => approved.with(Effect::RevokeCertificate { why: Revocation::Lost }),
        _ => approved,
    })
}
