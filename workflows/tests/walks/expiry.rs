//! What must hold for the notices before a certificate expires.

use engine::{Actor, Context, Workflow};
use workflows::expiry::{Command, Expiry, Facts, Notice, Refusal, State};
use workflows::terms::{Role, Rules};

use crate::world::expiry_walk;

/// The days before the expiry on which somebody is told, when the program runs on those days.
fn told_on(days: impl Iterator<Item = u16>) -> Vec<(u16, bool)> {
    let mut state = State::Start;
    let mut told = Vec::new();
    for days_left in days {
        let facts = Facts { user_active: true, active: true, newer: false, days_left };
        let context = Context { actor: Actor::new("engine", Role::Worker), facts };
        let command = Command::Tell { serial: "01".to_owned() };
        match Expiry::decide(&state, &command, &context, &Rules::default()) {
            Ok(said) => {
                for Notice::CertificateExpiring { last } in said.notices {
                    told.push((days_left, last));
                }
                state = said.to;
            }
            Err(refusal) => assert_eq!(refusal, Refusal::NotDue),
        }
    }
    told
}

#[test]
fn three_notices_at_28_10_and_3_days() {
    assert_eq!(told_on((0..=40).rev()), [(28, false), (10, false), (3, true)]);
}

#[test]
fn after_a_downtime_only_the_nearest_is_said() {
    assert_eq!(told_on((0..=9).rev()), [(9, false), (3, true)]);
    assert_eq!(told_on([30, 2, 1].into_iter()), [(2, true)]);
    assert_eq!(told_on([12, 11, 10, 9].into_iter()), [(12, false), (10, false)]);
}

#[test]
fn nothing_is_said_twice_at_one_distance() {
    for step in &expiry_walk().steps {
        if let (State::Told { days: before }, State::Told { days }) =
            (&step.from, &step.transition.to)
        {
            assert!(days < before, "{before} then {days}");
        }
    }
}

#[test]
fn nothing_is_said_of_what_is_held_revoked_or_replaced() {
    let mut seen = 0;
    for step in &expiry_walk().steps {
        if !step.transition.notices.is_empty() {
            seen += 1;
            let facts = &step.context.facts;
            assert!(facts.active && !facts.newer && facts.user_active);
        }
    }
    assert!(seen > 0);
}
