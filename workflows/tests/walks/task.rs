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
                let lifts = *kind == TaskKind::CallBack && step.context.facts.paper.is_some();
                assert!(!lifts || step.context.actor.role == Role::Supervisor, "{kind:?}");
                assert_eq!(*owner, step.context.actor.id);
            }
            State::Recorded { kind, first, outcome: before, .. } => {
                seen += 1;
                assert_ne!(*first, step.context.actor.id);
                assert_eq!(*before, outcome);
                let lifts = *kind == TaskKind::CallBack && step.context.facts.paper.is_some();
                assert!(!lifts || step.context.actor.role == Role::Supervisor);
            }
            other => panic!("done from {other:?}"),
        }
    }
    assert!(seen > 0);
}

/// What a record moves on has to be in the power of whoever records it, or the case stands still.
#[test]
fn nobody_records_what_they_may_not_decide() {
    let mut moved = 0;
    for step in &task_walk().steps {
        for signal in &step.transition.signals {
            let command = match signal {
                Signal::Recorded { command, .. } => command,
                Signal::DoneByHand { .. } => &paper::Command::CureByPhone,
                _ => continue,
            };
            let allowed: &[Role] = match command {
                paper::Command::CureByPhone | paper::Command::ReturnForm => {
                    &[Role::Clerk, Role::Approver]
                }
                paper::Command::ConfirmAddress | paper::Command::ObjectAddress => {
                    &[Role::Clerk, Role::Supervisor]
                }
                _ => &[Role::Supervisor],
            };
            assert!(allowed.contains(&step.context.actor.role), "{command:?}");
            moved += 1;
        }
    }
    assert!(moved > 0);
}

#[test]
fn whoever_was_not_reached_is_called_again() {
    let mut again = 0;
    for step in &task_walk().steps {
        let (State::Owned { kind, .. }, Command::Record { outcome: Outcome::Unreached }) =
            (&step.from, &step.command)
        else {
            continue;
        };
        if kind.is_repeated() {
            again += 1;
            assert!(matches!(step.transition.to, State::Open { .. }), "{kind:?}");
            assert!(step.transition.signals.is_empty());
        }
    }
    assert!(again > 0);
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

/// What two people do by hand ends the request: done by two, or given up by two.
#[test]
fn what_is_done_by_hand_follows_for_the_clerical_case() {
    let mut seen = std::collections::BTreeSet::new();
    for step in &task_walk().steps {
        let (Command::Record { outcome }, Some(case)) =
            (&step.command, step.context.facts.clerical)
        else {
            continue;
        };
        let (State::Owned { kind, .. } | State::Recorded { kind, .. }) = &step.from else {
            panic!("recorded in {:?}", step.from)
        };
        let is_done = matches!(step.transition.to, State::Done { .. });
        let wanted = match (kind, outcome) {
            (TaskKind::BankSystem, Outcome::Settled) => vec![Signal::DoneByHand { case }],
            (TaskKind::BankSystem, Outcome::Denied) if is_done => {
                vec![Signal::CannotBeDone { case }]
            }
            _ => Vec::new(),
        };
        seen.extend(wanted.iter().map(engine::label));
        assert_eq!(step.transition.signals, wanted, "{kind:?} {outcome:?}");
    }
    assert_eq!(seen.len(), 2, "{seen:?}");
}

/// Only what was recorded reaches the paper case, and nothing when the task is about another kind.
#[test]
fn what_is_recorded_follows_for_the_paper_case() {
    let mut seen = std::collections::BTreeSet::new();
    for step in &task_walk().steps {
        let signals = &step.transition.signals;
        let (Command::Record { outcome }, Some(paper)) = (&step.command, step.context.facts.paper)
        else {
            let is_clerical = step.context.facts.clerical.is_some();
            assert!(signals.is_empty() || is_clerical, "{:?}: {signals:?}", step.command);
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
            (TaskKind::SupervisorCall, Outcome::Settled, _) => Some(paper::Command::Readmit),
            (TaskKind::CallBack | TaskKind::SupervisorCall, Outcome::Denied, true) => {
                Some(paper::Command::Reject)
            }
            _ => None,
        };
        seen.extend(wanted.as_ref().map(engine::label));
        let wanted: Vec<_> =
            wanted.map(|command| Signal::Recorded { case: paper, command }).into_iter().collect();
        assert_eq!(*signals, wanted, "{kind:?} {outcome:?}");
    }
    assert_eq!(seen.len(), 7, "{seen:?}");
}
