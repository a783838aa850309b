//! A code is entered, the enrolment goes on and ends.

use engine::Transition;

use super::{Command, Decision, Effect, Facts, Notice, Refusal, State, VoidReason, demand};
use crate::terms::{CHARGED, Rules};

pub(super) fn decide(state: &State, command: &Command, facts: &Facts, rules: &Rules) -> Decision {
    match command {
        Command::Settle => settle(state, 0, rules),
        Command::Close => close(state),
        _ => {
            demand(facts.actor_is_user, Refusal::NotYours)?;
            match command {
                Command::ChargeAttempt => charge(state, facts, rules),
                Command::Redeem => redeem(state, facts),
                Command::Pass => pass(state, facts),
                Command::Miss => {
                    let open = counted(state)?.1;
                    demand(open > 0, Refusal::NotCharged)?;
                    settle(state, open - 1, rules)
                }
                _ => close(state),
            }
        }
    }
}

/// Wrong and open entries, where any are counted.
fn counted(state: &State) -> Result<(u8, u8), Refusal> {
    match state {
        State::Waiting { wrong, open, .. } | State::Enrolling { wrong, open } => {
            Ok((*wrong, *open))
        }
        State::Locked => Err(Refusal::Locked),
        _ => Err(Refusal::NoCode),
    }
}

/// The same standing with other counts.
fn counting(state: &State, wrong: u8, open: u8) -> Transition<super::Enrolment> {
    Transition::to(match state {
        State::Waiting { source, copy, .. } => {
            State::Waiting { source: *source, copy: *copy, wrong, open }
        }
        _ => State::Enrolling { wrong, open },
    })
}

/// As with every secret, the count is committed before anything is judged.
fn charge(state: &State, facts: &Facts, rules: &Rules) -> Decision {
    let (wrong, open) = counted(state)?;
    demand(facts.user_active, Refusal::UserInactive)?;
    demand(facts.code_live, Refusal::NotLive)?;
    demand(wrong < rules.enrolment_max_wrong, Refusal::Locked)?;
    Ok(counting(state, wrong + 1, open + 1).marking(CHARGED))
}

/// The code may be entered again while the enrolment is open: whoever lost the page between commit
/// and answer goes on where they were.
fn redeem(state: &State, facts: &Facts) -> Decision {
    let (_, open) = counted(state)?;
    demand(open > 0, Refusal::NotCharged)?;
    demand(facts.user_active, Refusal::UserInactive)?;
    demand(facts.code_live, Refusal::NotLive)?;
    let opened = Transition::to(State::Enrolling { wrong: open - 1, open: open - 1 });
    let opened = match state {
        State::Waiting { copy: true, .. } => opened.with(Effect::DestroyCopy),
        _ => opened,
    };
    Ok(opened.with(Effect::OpenEnrolment))
}

/// A card's codes were right: what they were charged is given back.
fn pass(state: &State, facts: &Facts) -> Decision {
    let State::Enrolling { open, .. } = *state else { return Err(Refusal::NotNow) };
    demand(open > 0, Refusal::NotCharged)?;
    demand(facts.user_active, Refusal::UserInactive)?;
    Ok(counting(state, open - 1, open - 1))
}

/// The last open charge locks when the attempts are spent.
fn settle(state: &State, left: u8, rules: &Rules) -> Decision {
    let (wrong, open) = counted(state)?;
    demand(open > 0, Refusal::NotCharged)?;
    if left == 0 && wrong >= rules.enrolment_max_wrong {
        return Ok(Transition::to(State::Locked)
            .with(Effect::VoidCode { why: VoidReason::Locked })
            .with(Effect::EndEnrolments)
            .telling(Notice::CodeLocked));
    }
    Ok(counting(state, wrong, left))
}

/// One use: when the enrolment ends, the code is used, whatever was set.
fn close(state: &State) -> Decision {
    demand(matches!(state, State::Enrolling { .. }), Refusal::NotNow)?;
    Ok(Transition::to(State::Idle)
        .with(Effect::VoidCode { why: VoidReason::Used })
        .with(Effect::EndEnrolments))
}
