//! What must hold for the form's other requests.

use workflows::clerical::{Command, Notice, Request, State};
use workflows::terms::Signal;

use crate::world::{CREDENTIAL, clerical_walk};

#[test]
fn whoever_checked_may_not_approve() {
    let mut seen = 0;
    for step in &clerical_walk().steps {
        if let (State::Checked { clerk, .. }, Command::Approve | Command::SendBack) =
            (&step.from, &step.command)
        {
            seen += 1;
            assert_ne!(*clerk, step.context.actor.id);
        }
    }
    assert!(seen > 0);
}

#[test]
fn by_hand_takes_two_people() {
    for step in &clerical_walk().steps {
        if let (State::ByHand { first, .. }, Command::Confirm) = (&step.from, &step.command) {
            let second = first.as_ref().is_some_and(|first| *first != step.context.actor.id);
            assert!(second || step.transition.to != State::Done);
        }
    }
}

#[test]
fn nothing_is_carried_out_unapproved() {
    for step in &clerical_walk().steps {
        let unapproved = matches!(step.from, State::Start | State::Received { .. });
        let carried = matches!(
            step.transition.to,
            State::CarryingOut { .. } | State::ByHand { .. } | State::Done
        );
        assert!(!(unapproved && carried), "{:?}", step.command);
    }
}

#[test]
fn every_step_is_checked_against_the_ledger() {
    for step in &clerical_walk().steps {
        if matches!(step.command, Command::Check | Command::Approve) {
            let facts = &step.context.facts;
            assert!(facts.contract_active && facts.user_active && facts.fits && !facts.danger);
            assert!(facts.specimen_valid && facts.form_age_days.is_some_and(|age| age <= 92));
        }
    }
}

#[test]
fn a_user_id_goes_only_by_letter_and_not_to_a_fresh_address() {
    for step in &clerical_walk().steps {
        if step.transition.notices.contains(&Notice::UserId) {
            assert!(!step.context.facts.address_fresh);
            assert!(Notice::UserId.is_letter_only());
        }
    }
}

#[test]
fn no_reset_is_approved_that_would_send_a_code_to_a_fresh_address() {
    for step in &clerical_walk().steps {
        let (State::Received { request } | State::Checked { request, .. }) = &step.from else {
            continue;
        };
        let resets = matches!(request, Request::LoginReset | Request::TransactionReset);
        if resets && matches!(step.command, Command::Check | Command::Approve) {
            assert!(!step.context.facts.address_fresh);
        }
    }
}

#[test]
fn our_own_count_follows_the_bank() {
    for step in &clerical_walk().steps {
        let State::CarryingOut { request } = &step.from else { continue };
        if step.transition.to != State::Done || step.context.facts.credential.is_none() {
            continue;
        }
        let credential = CREDENTIAL;
        let expected = match request {
            Request::LoginReset | Request::TransactionReset => Signal::Reset { credential },
            _ => Signal::Unlock { credential },
        };
        assert_eq!(step.transition.signals, [expected]);
    }
}
