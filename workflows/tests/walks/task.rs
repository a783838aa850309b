//! What must hold for a task.

use workflows::paper;
use workflows::task::{Command, Outcome, State};
use workflows::terms::{Role, Signal, TaskKind};

use crate::world::task_walk;

#[test]
fn some_kinds_take_two_people_who_agree() {
    let mut seen = 0;
    for step in &task_walk().steps {
        let State::Done { outcome } = step.transition.to else { continue };
        match &step.from {
            State::Owned { kind, owner, .. } => {
                assert!(!kind.needs_two_people(), "{kind:?} by one person");
                assert_eq!(*owner, step.context.actor.id);
            }
            State::Recorded { first, outcome: before, .. } => {
                seen += 1;
                assert_ne!(*first, step.context.actor.id);
                assert_eq!(*before, outcome);
            }
            other => panic!("done from {other:?}"),
        }
    }
    assert!(seen > 0);
}

#[test]
fn the_supervisors_call_is_the_supervisors() {
    for step in &task_walk().steps {
        let (State::Open { kind, .. } | State::Owned { kind, .. } | State::Recorded { kind, .. }) =
            &step.from
        else {
            continue;
        };
        let works = matches!(step.command, Command::Take | Command::Record { .. });
        if works && *kind == TaskKind::SupervisorCall {
            assert_eq!(step.context.actor.role, Role::Supervisor);
        }
    }
}

#[test]
fn a_late_task_is_told_once() {
    for step in &task_walk().steps {
        if step.command == Command::Remind {
            let (State::Open { overdue, .. }
            | State::Owned { overdue, .. }
            | State::Recorded { overdue, .. }) = &step.from
            else {
                panic!("reminded in {:?}", step.from)
            };
            assert!(!overdue);
            assert_eq!(step.transition.notices.len(), 1);
        }
    }
}

/// Only what was recorded reaches the paper case, and nothing when the task is about another kind.
#[test]
fn what_is_recorded_follows_for_the_paper_case() {
    let mut seen = std::collections::BTreeSet::new();
    for step in &task_walk().steps {
        let signals = &step.transition.signals;
        let (Command::Record { outcome }, Some(paper)) = (&step.command, step.context.facts.paper)
        else {
            assert!(signals.is_empty(), "{:?} is followed by {signals:?}", step.command);
            continue;
        };
        let (State::Owned { kind, .. } | State::Recorded { kind, .. }) = &step.from else {
            panic!("recorded in {:?}", step.from)
        };
        let is_done = matches!(step.transition.to, State::Done { .. });
        let wanted = match (kind, outcome, is_done) {
            (TaskKind::CureByPhone, Outcome::Settled, _) => Some(paper::Command::CureByPhone),
            (TaskKind::CureByPhone, _, true) => Some(paper::Command::ReturnForm),
            (TaskKind::LetterInquiry, Outcome::Settled, _) => Some(paper::Command::ConfirmAddress),
            (TaskKind::LetterInquiry, Outcome::Denied, _) => Some(paper::Command::ObjectAddress),
            (TaskKind::CallBack, Outcome::Settled, true) => Some(paper::Command::ClearDanger),
            _ => None,
        };
        seen.extend(wanted.as_ref().map(engine::label));
        let wanted: Vec<_> =
            wanted.map(|command| Signal::Recorded { case: paper, command }).into_iter().collect();
        assert_eq!(*signals, wanted, "{kind:?} {outcome:?}");
    }
    assert_eq!(seen.len(), 5, "{seen:?}");
}
