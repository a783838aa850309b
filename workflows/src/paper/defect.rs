//! The defect loop, and what happens when nobody answers.

use engine::{ActorId, Context, Transition};

use super::{Command, Decision, Paper, Round, State};
use crate::reissue::demand;
use crate::terms::{
    DefectCode, Effect, Facts, Job, Notice, Refusal, Role, Rules, Signal, TaskKind,
};

pub(super) fn decide(
    state: &State,
    command: &Command,
    context: &Context<Paper>,
    rules: &Rules,
) -> Decision {
    use {Command as C, State as S};
    match (state, command) {
        (
            S::Identified { round } | S::Checked { round, .. } | S::SealOk { round, .. },
            C::Defect { codes },
        ) => {
            may_judge(state, context)?;
            defective(*round, codes, context, rules)
        }
        (S::Defect { round, first }, C::CureByPhone) => {
            cure(*round, first.as_ref(), &context.actor.id)
        }
        (S::Defect { round, .. }, C::ReturnForm) => Ok(returned(*round)),
        (S::Returned { round, .. } | S::Defect { round, .. }, C::Resubmit { submission }) => {
            let round = Round { attempt: round.attempt.saturating_add(1), ..*round };
            let form = Effect::ReplaceForm { submission: *submission };
            Ok(Transition::to(S::Identified { round }).with(form))
        }
        (S::Escalated { round }, C::Readmit) => Ok(Transition::to(S::Identified { round: *round })),
        (S::Returned { round, reminded: false }, C::Remind) => {
            Ok(Transition::to(S::Returned { round: *round, reminded: true })
                .telling(Notice::DefectReminder))
        }
        (_, C::CloseNoResponse) => silence(state, &context.facts),
        _ => Err(Refusal::NotNow),
    }
}

/// A clerk judges until the seal matches, an approver afterwards and never the own work; a case
/// from the same form passes on what concerns the seal.
fn may_judge(state: &State, context: &Context<Paper>) -> Result<(), Refusal> {
    let actor = &context.actor.id;
    match (context.actor.role, state) {
        (Role::Approver, State::SealOk { clerk, sealer, .. }) => {
            let prepared = actor == clerk || actor == sealer || context.facts.actor_prepared;
            demand(!prepared, Refusal::FourEyes)
        }
        (Role::Approver, _) => Err(Refusal::NotNow),
        _ => Ok(()),
    }
}

fn defective(
    round: Round,
    codes: &[DefectCode],
    context: &Context<Paper>,
    rules: &Rules,
) -> Decision {
    demand(!codes.is_empty(), Refusal::NoDefect)?;
    let mut kept = codes.to_vec();
    kept.sort_unstable();
    kept.dedup();
    let curable = kept.iter().all(|code| code.is_curable_by_phone());
    let seal: Vec<DefectCode> =
        kept.iter().copied().filter(|code| code.concerns_the_seal()).collect();
    let mut judged = if round.attempt >= rules.defect_max_attempts {
        Transition::to(State::Escalated { round })
            .telling(Notice::CallAwaited)
            .asking(Job::OpenTask { kind: TaskKind::SupervisorCall })
    } else if curable {
        Transition::to(State::Defect { round, first: None })
            .asking(Job::OpenTask { kind: TaskKind::CureByPhone })
    } else {
        returned(round)
    };
    if !seal.is_empty() && context.actor.role != Role::Peer {
        for case in &context.facts.siblings {
            judged = judged.signalling(Signal::SealDefect { case: *case, codes: seal.clone() });
        }
    }
    Ok(judged.with(Effect::RecordDefects { codes: kept }))
}

fn cure(round: Round, first: Option<&ActorId>, actor: &ActorId) -> Decision {
    match first {
        None => Ok(Transition::to(State::Defect { round, first: Some(actor.clone()) })),
        Some(first) if first == actor => Err(Refusal::SecondPerson),
        Some(_) => Ok(Transition::to(State::Identified { round })),
    }
}

fn returned(round: Round) -> Transition<Paper> {
    Transition::to(State::Returned { round, reminded: false }).telling(Notice::Defective)
}

fn silence(state: &State, facts: &Facts) -> Decision {
    match state {
        // By now the address is not fresh any more, unless it changed once again.
        State::AddressHold { round } if !facts.address_fresh => {
            Ok(Transition::to(State::Identified { round: *round }))
        }
        State::AddressHold { .. }
        | State::DangerHold { .. }
        | State::Defect { .. }
        | State::Escalated { .. }
        | State::Returned { .. } => {
            Ok(Transition::to(State::ClosedNoResponse).telling(Notice::ClosedNoResponse))
        }
        _ => Err(Refusal::NotNow),
    }
}
