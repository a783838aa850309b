//! What must hold for an envelope.

use workflows::submission::{Command, Effect, Job, Notice, State};
use workflows::terms::Role;

use crate::world::submission_walk;

#[test]
fn nothing_is_sent_back_without_a_registered_address() {
    let mut seen = 0;
    for step in &submission_walk().steps {
        if step.transition.to == State::Returned {
            seen += 1;
            assert!(step.context.facts.contract_found, "{:?}", step.command);
            assert!(step.transition.notices.contains(&Notice::Returned));
        }
    }
    assert!(seen > 0);
}

#[test]
fn an_envelope_without_a_contract_goes_to_the_supervisor() {
    for step in &submission_walk().steps {
        let waits = step.from == State::Unidentified && step.command == Command::Close;
        if waits && !step.context.facts.contract_found {
            assert_eq!(step.transition.to, State::Escalated);
        }
    }
}

#[test]
fn cases_are_opened_only_from_complete_pages_of_a_known_contract() {
    for step in &submission_walk().steps {
        if step.transition.jobs.contains(&Job::OpenItems) {
            let facts = &step.context.facts;
            assert!(facts.contract_found && facts.pages_complete, "{:?}", step.command);
        }
        if step.transition.to == State::Opened && step.from != State::Opened {
            assert_eq!(step.from, State::Identified);
        }
    }
}

#[test]
fn an_awaited_envelope_is_registered_by_a_person() {
    let mut seen = 0;
    for step in &submission_walk().steps {
        if matches!(step.from, State::Draft { .. })
            && matches!(step.command, Command::Receive { .. })
        {
            seen += 1;
            assert_eq!(step.context.actor.role, Role::MailRoom);
        }
    }
    assert!(seen > 0);
}

/// Reading again judges nothing: it goes back to the reading, which does.
#[test]
fn what_is_read_again_is_only_read() {
    let mut seen = 0;
    for step in &submission_walk().steps {
        if step.command == Command::ReadAgain {
            seen += 1;
            assert_eq!(step.transition.to, State::Scanned);
            assert_eq!(step.transition.jobs, [Job::ReadPages]);
        }
    }
    assert!(seen > 0);
}

#[test]
fn only_what_is_no_form_is_put_aside_by_a_clerk() {
    let mut seen = 0;
    for step in &submission_walk().steps {
        if step.command == Command::Archive && step.context.actor.role == Role::Clerk {
            seen += 1;
            assert_eq!(step.from, State::Unidentified);
            assert!(!step.context.facts.is_form);
        }
    }
    assert!(seen > 0);
}

#[test]
fn a_count_is_mended_before_the_scan_and_keeps_its_receipt() {
    let mut seen = 0;
    for step in &submission_walk().steps {
        if let Command::Recount { pages, .. } = &step.command {
            seen += 1;
            assert_eq!((&step.from, &step.transition.to), (&State::Received, &State::Received));
            assert!(*pages > 0 && step.context.actor.role == Role::MailRoom);
            assert!(matches!(step.transition.effects[..], [Effect::MendReceipt { .. }]));
            assert!(step.transition.notices.is_empty());
        }
    }
    assert!(seen > 0);
}

#[test]
fn a_draft_closes_silently() {
    for step in &submission_walk().steps {
        if step.transition.to == State::Closed {
            assert!(step.transition.notices.is_empty());
        }
    }
}

#[test]
fn scanned_pages_agree_with_the_count() {
    for step in &submission_walk().steps {
        assert!(step.command != Command::Scan || step.context.facts.count_agrees);
    }
}
