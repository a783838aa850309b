//! The letter: printed, posted, delivered or returned, sent again.

use engine::{Context, Transition};

use super::{Command, Decision, Paper, Round, State, recheck};
use crate::reissue::{Consequences, demand, standing};
use crate::tail;
use crate::terms::{
    Channel, DISPATCHED, Effect, Facts, Job, Notice, Refusal, Rules, TaskKind, VoidReason,
};

pub(super) fn decide(
    state: &State,
    command: &Command,
    context: &Context<Paper>,
    rules: &Rules,
) -> Decision {
    use {Command as C, State as S};
    let facts = &context.facts;
    match (state, command) {
        (S::Approved { round }, C::Print) => Ok(print(*round, facts)),
        (S::Printed { round }, C::Spoil) => Ok(reprint(*round).voiding(VoidReason::Spoiled)),
        (S::Printed { round }, C::Dispatch { tracking }) => dispatch(*round, tracking, facts),
        (S::Dispatched { reminded, .. }, C::Deliver) => {
            let (channel, reminded) = (Channel::Paper, *reminded);
            let waiting = tail::State::Waiting { channel, copy: false, reminded };
            Ok(Transition::to(S::Tail(waiting)).with(Effect::RecordDelivery))
        }
        (S::Dispatched { round, .. }, C::ReturnedMail) if !facts.password_used => {
            Ok(undelivered(*round, facts, rules))
        }
        (S::Dispatched { .. } | S::Tail(_), C::ReturnedMail) => Ok(late_return(state, facts)),
        (S::Undelivered { round }, C::Resend) => {
            demand(!facts.actor_prepared, Refusal::FourEyes)?;
            let again = Round { resends: round.resends.saturating_add(1), ..*round };
            Ok(recheck(*round, facts).unwrap_or_else(|| reprint(again)))
        }
        (S::Tail(tail::State::Expired), C::Remail) => remail(facts, rules),
        _ => Err(Refusal::NotNow),
    }
}

fn print(round: Round, facts: &Facts) -> Transition<Paper> {
    recheck(round, facts).unwrap_or_else(|| {
        Transition::to(State::Printed { round })
            .with(Effect::IssuePassword { channel: Channel::Paper })
            .with(Effect::StoreLetter)
    })
}

/// A letter is never printed twice: each one has a secret of its own.
fn reprint(round: Round) -> Transition<Paper> {
    Transition::to(State::Approved { round }).asking(Job::PrintLetter)
}

fn dispatch(round: Round, tracking: &str, facts: &Facts) -> Decision {
    demand(facts.batch_reconciled, Refusal::BatchOpen)?;
    demand(is_tracking_number(tracking), Refusal::TrackingNumber)?;
    if let Some(other) = recheck(round, facts) {
        return Ok(other.voiding(VoidReason::Ended));
    }
    let tracking = tracking.to_owned();
    Ok(Transition::to(State::Dispatched { round, reminded: 0 })
        .with(Effect::ActivatePassword)
        .with(Effect::RecordPosting { tracking: tracking.clone() })
        .marking(DISPATCHED)
        .going_live(facts)
        .telling(Notice::Dispatched { tracking }))
}

/// Eleven digits, the last of which is the number before it modulo 7 (Japan Post).
pub fn is_tracking_number(text: &str) -> bool {
    let digits = text.len() == 11 && text.bytes().all(|byte| byte.is_ascii_digit());
    digits && text.parse::<u64>().is_ok_and(|number| number / 10 % 7 == number % 10)
}

fn undelivered(round: Round, facts: &Facts, rules: &Rules) -> Transition<Paper> {
    let returned = if round.resends < rules.undelivered_resends {
        Transition::to(State::Undelivered { round }).telling(Notice::Undelivered)
    } else {
        Transition::to(State::ClosedUndeliverable).telling(Notice::ClosedUndeliverable)
    };
    returned
        .with(Effect::RecordReturn)
        .disarming(VoidReason::Undelivered, facts)
        .releasing(facts)
        .asking(Job::OpenTask { kind: TaskKind::Undelivered })
}

/// A letter that comes back although it was delivered, or although its password is used.
fn late_return(state: &State, facts: &Facts) -> Transition<Paper> {
    use tail::State as T;
    match state {
        State::Tail(T::Waiting { .. }) if !facts.password_used => {
            Transition::to(State::ClosedUndeliverable)
                .with(Effect::RecordReturn)
                .disarming(VoidReason::Undelivered, facts)
                .releasing(facts)
                .telling(Notice::ClosedUndeliverable)
                .asking(Job::OpenTask { kind: TaskKind::Undelivered })
        }
        State::Dispatched { .. }
        | State::Tail(
            T::Waiting { .. }
            | T::Redeemed { .. }
            | T::Claimed { .. }
            | T::CertificateIssued { .. }
            | T::Completed
            | T::ClosedUnused,
        ) => Transition::to(state.clone())
            .with(Effect::RecordReturn)
            .asking(Job::OpenTask { kind: TaskKind::Incident }),
        // Its password is void already.
        _ => Transition::to(state.clone()).with(Effect::RecordReturn),
    }
}

/// Once, on a fresh decision, while the form is not too old; a letter that comes back this time
/// is not sent again.
fn remail(facts: &Facts, rules: &Rules) -> Decision {
    demand(!facts.actor_prepared, Refusal::FourEyes)?;
    demand(!facts.remailed, Refusal::RemailedBefore)?;
    let young = facts.form_age_days.is_some_and(|age| age <= rules.remail_within_days);
    demand(young, Refusal::FormDate)?;
    standing(facts)?;
    demand(facts.still_needed, Refusal::NotNow)?;
    demand(!facts.danger, Refusal::Danger)?;
    demand(!facts.address_fresh, Refusal::AddressFresh)?;
    demand(facts.open_cases.is_empty(), Refusal::AlreadyOpen)?;
    let round = Round { attempt: 1, resends: rules.undelivered_resends };
    Ok(reprint(round).with(Effect::RecordRemail))
}
