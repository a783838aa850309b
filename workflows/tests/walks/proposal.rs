//! What must hold for a change that two people make.

use std::collections::BTreeSet;

use workflows::proposal::{Change, Command, Effect, Job, Matter, Refusal, State};
use workflows::terms::{Role, Signal};

use crate::world::{changes, proposal_walk};

#[test]
fn whoever_proposed_never_carries_it_out() {
    let mut carried = BTreeSet::new();
    for step in &proposal_walk().steps {
        for effect in &step.transition.effects {
            let Effect::Carry { matter } = effect else { continue };
            let State::Proposed { by, .. } = &step.from else { panic!("from {:?}", step.from) };
            assert_eq!(step.command, Command::Approve);
            assert_ne!(*by, step.context.actor.id, "{matter:?} by one person");
            carried.insert(*matter);
        }
    }
    assert_eq!(carried, BTreeSet::from(Matter::ALL));
}

#[test]
fn nobody_decides_about_their_own_account_nor_about_what_has_changed() {
    for step in &proposal_walk().steps {
        let facts = &step.context.facts;
        let is_account = match (&step.command, &step.from) {
            (Command::Propose { change }, _) => change.matter().is_account(),
            (Command::Approve, State::Proposed { matter, .. }) => {
                assert!(facts.unchanged, "{:?}", step.from);
                matter.is_account()
            }
            _ => continue,
        };
        assert!(facts.target_found && !facts.subject_taken);
        assert!(!is_account || !facts.actor_is_target, "{:?}", step.command);
    }
}

#[test]
fn the_last_system_administrator_stays() {
    let mut declined = 0;
    for step in &proposal_walk().steps {
        let facts = &step.context.facts;
        if matches!(step.command, Command::Propose { .. } | Command::Approve) {
            assert!(!facts.takes_administration || facts.others_administer, "{:?}", step.from);
        }
    }
    for (row, outcomes) in &proposal_walk().table {
        let is_declined = outcomes.iter().any(|one| one.ends_with("✗ LastAdministrator"));
        declined += usize::from(is_declined && row.1 == "Approve");
    }
    assert_eq!(declined, 1, "asked again when it is approved");
}

#[test]
fn roles_are_kept_by_administrators_and_the_ledger_by_clerks_and_approvers() {
    for step in &proposal_walk().steps {
        let role = step.context.actor.role;
        let (matter, allowed) = match (&step.command, &step.from) {
            (Command::Propose { change }, _) => (change.matter(), [Role::Clerk, Role::Supervisor]),
            (Command::Approve | Command::Reject, State::Proposed { matter, .. }) => {
                (*matter, [Role::Approver, Role::Supervisor])
            }
            _ => continue,
        };
        if matter.is_account() {
            assert_eq!(role, Role::SystemAdministrator, "{matter:?}");
        } else if matter.is_hold() && matches!(step.command, Command::Propose { .. }) {
            assert_eq!(role, Role::Supervisor, "{matter:?}");
        } else {
            assert!(allowed.contains(&role), "{matter:?} by {role:?}");
        }
    }
}

/// With both halves somebody could sign in as another.
#[test]
fn nobody_gets_both_halves() {
    let mut taken = BTreeSet::new();
    for step in &proposal_walk().steps {
        if let State::HandingOut { password: Some(first), seed: Some(second) } = &step.from {
            assert_ne!(first, second);
        }
        let State::HandingOut { password, seed } = &step.from else { continue };
        let holder = match step.command {
            Command::TakePassword => password,
            Command::TakeSeed => seed,
            _ => continue,
        };
        assert_eq!(holder.as_ref(), Some(&step.context.actor.id));
        let destroyed = &step.transition.effects;
        assert!(
            matches!(destroyed.as_slice(), [Effect::DestroyPassword | Effect::DestroySeed]),
            "{destroyed:?}"
        );
        taken.insert(format!("{:?}", step.command));
    }
    assert_eq!(taken.len(), 2);
}

#[test]
fn a_renewed_account_counts_from_zero_and_a_closed_one_ends_its_sessions() {
    for step in &proposal_walk().steps {
        let (Command::Approve, State::Proposed { matter, .. }) = (&step.command, &step.from) else {
            continue;
        };
        let forgets = step.transition.signals.iter().any(|s| matches!(s, Signal::Forget { .. }));
        let has_case = step.context.facts.account.is_some();
        assert_eq!(forgets, *matter == Matter::RenewSecrets && has_case);
        let ends = step.transition.effects.contains(&Effect::EndSessions);
        let loses =
            matches!(matter, Matter::CloseAccount | Matter::ChangeRoles | Matter::LinkSubject);
        assert_eq!(ends, loses);
    }
}

#[test]
fn a_held_case_learns_of_its_hold() {
    let mut told = BTreeSet::new();
    for step in &proposal_walk().steps {
        let asks = step.transition.jobs.contains(&Job::NoteHold);
        let matter = match (&step.command, &step.from) {
            (Command::Approve, State::Proposed { matter, .. }) if matter.is_hold() => *matter,
            _ => {
                assert!(!asks, "{:?}", step.command);
                continue;
            }
        };
        assert!(asks, "{matter:?}");
        told.insert(matter);
    }
    assert_eq!(told.len(), 2);
}

#[test]
fn every_change_is_of_one_matter_and_says_what_it_is_about() {
    let matters: Vec<Matter> = changes().iter().map(Change::matter).collect();
    assert_eq!(matters, Matter::ALL);
    let about: BTreeSet<String> = changes().iter().map(Change::subject).collect();
    let expected = [
        "account-mori",
        "case-12",
        "contract-0104212345",
        "contract-0104212345/010429001",
        "day-2026-12-30",
    ];
    assert_eq!(about, expected.map(ToOwned::to_owned).into());
}

#[test]
fn only_another_person_is_refused_as_the_second() {
    let table = &proposal_walk().table;
    let row = &table[&("Proposed".to_owned(), "Approve".to_owned())];
    let second = format!("✗ {:?}", Refusal::SecondPerson);
    for role in ["approver", "supervisor", "system_administrator"] {
        assert!(row.iter().any(|one| one.starts_with(role) && one.ends_with(&second)), "{role}");
    }
}
