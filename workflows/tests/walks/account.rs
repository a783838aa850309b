//! What must hold for the account of a member of staff.

use engine::{Actor, Context, Workflow};
use workflows::account::{Account, Answer, COMMAND_LINE, Command, Effect, Facts, Refusal, State};
use workflows::terms::{Role, Rules};

use crate::world::{account_calm, account_walk};

fn send(state: &mut State, command: &Command, facts: Facts) -> Result<Vec<Effect>, Refusal> {
    let context = Context { actor: Actor::new("S-002", Role::Clerk), facts };
    let decided = Account::decide(state, command, &context, &Rules::default())?;
    *state = decided.to;
    Ok(decided.effects)
}

#[test]
fn a_session_begins_only_after_a_charge_that_was_right_or_a_sound_answer() {
    let mut opened = 0;
    for step in &account_walk().steps {
        if !step.transition.effects.contains(&Effect::OpenSession) {
            continue;
        }
        opened += 1;
        assert!(step.context.facts.active);
        match (&step.command, &step.from) {
            (Command::Redeem, State::Open { open, .. }) => {
                assert!(*open > 0);
                assert!(step.transition.effects.contains(&Effect::SpendStep));
            }
            (Command::Enter { answer }, _) => {
                assert_eq!(*answer, Answer::Sound);
                assert!(step.context.actor.role.is_staff());
            }
            other => panic!("a session begins by {other:?}"),
        }
    }
    assert!(opened > 0);
}

#[test]
fn a_wrong_entry_stays_counted_until_a_right_one() {
    let mut state = State::Open { wrong: 0, open: 0 };
    for count in 1..=20_u8 {
        send(&mut state, &Command::ChargeAttempt, account_calm()).expect("charged");
        send(&mut state, &Command::Miss, account_calm()).expect("settled");
        assert_eq!(state, State::Open { wrong: count.min(12), open: 0 });
    }
    let hasty = Facts { delay_over: false, ..account_calm() };
    assert_eq!(send(&mut state, &Command::ChargeAttempt, hasty), Err(Refusal::Locked));
    assert_eq!(send(&mut state, &Command::Redeem, account_calm()), Err(Refusal::NotCharged));
    send(&mut state, &Command::ChargeAttempt, account_calm()).expect("charged");
    send(&mut state, &Command::Redeem, account_calm()).expect("right");
    assert_eq!(state, State::Open { wrong: 0, open: 0 });
}

#[test]
fn a_crash_costs_the_attempts_it_left_open() {
    let mut state = State::Open { wrong: 0, open: 0 };
    for _ in 0..3 {
        send(&mut state, &Command::ChargeAttempt, account_calm()).expect("charged");
    }
    let context = Context { actor: Actor::clock(), facts: account_calm() };
    let settled = Account::decide(&state, &Command::Settle, &context, &Rules::default());
    assert_eq!(settled.expect("settled").to, State::Open { wrong: 3, open: 0 });
}

#[test]
fn a_name_that_nobody_has_comes_no_further_than_a_miss() {
    for step in &account_walk().steps {
        if step.context.actor.role == Role::Worker {
            assert!(
                matches!(step.command, Command::Begin | Command::ChargeAttempt | Command::Miss),
                "{:?}",
                step.command
            );
        }
    }
}

#[test]
fn every_other_answer_of_the_provider_is_refused_with_its_reason() {
    let mut seen = std::collections::BTreeSet::new();
    for answer in Answer::ALL {
        let mut state = State::Open { wrong: 3, open: 0 };
        let entered = send(&mut state, &Command::Enter { answer }, account_calm());
        match entered {
            Ok(effects) => {
                assert_eq!((answer, effects), (Answer::Sound, vec![Effect::OpenSession]))
            }
            Err(refusal) => assert!(seen.insert(refusal), "{answer:?}"),
        }
        // What somebody typed wrong here is neither counted nor forgotten.
        assert_eq!(state, State::Open { wrong: 3, open: 0 });
    }
    assert_eq!(seen.len(), Answer::ALL.len() - 1);
    let closed = Facts { active: false, ..account_calm() };
    let mut state = State::Open { wrong: 0, open: 0 };
    let entered = send(&mut state, &Command::Enter { answer: Answer::Sound }, closed);
    assert_eq!(entered, Err(Refusal::Closed));
}

#[test]
fn no_password_is_judged_where_everybody_signs_in_elsewhere() {
    let mut state = State::Open { wrong: 0, open: 0 };
    let elsewhere = Facts { local: false, ..account_calm() };
    let charged = send(&mut state, &Command::ChargeAttempt, elsewhere.clone());
    assert_eq!(charged, Err(Refusal::NotLocal));
    send(&mut state, &Command::Enter { answer: Answer::Sound }, elsewhere).expect("entered");
}

#[test]
fn accounts_are_kept_alone_at_the_command_line_only() {
    let mut seen = 0;
    for step in &account_walk().steps {
        let keeps =
            matches!(step.command, Command::Add | Command::Renew | Command::Link | Command::Close);
        if keeps {
            seen += 1;
            assert_eq!(step.context.actor.id.0, COMMAND_LINE);
        }
        if step.command == Command::Close {
            let facts = &step.context.facts;
            assert!(facts.others_administer || !facts.administers);
        }
    }
    assert!(seen > 0);
}
