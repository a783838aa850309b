//! What must hold for a task.

use workflows::task::{Command, State};
use workflows::terms::{Role, TaskKind};

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
