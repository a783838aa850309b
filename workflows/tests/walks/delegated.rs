//! What must hold on every step of a reissue for a colleague.

use engine::label;
use workflows::delegated::{Command, State};
use workflows::tail;
use workflows::terms::{Notice, Role};

use crate::world::delegated_walk;

#[test]
fn only_who_opened_it_may_issue_or_cancel() {
    let mut seen = 0;
    for step in &delegated_walk().steps {
        if let (State::Confirming { opener }, Command::Issue | Command::Cancel) =
            (&step.from, &step.command)
        {
            seen += 1;
            assert_eq!(*opener, step.context.actor.id);
        }
    }
    assert!(seen > 0);
}

#[test]
fn the_administrator_is_judged_again_at_the_issue() {
    // S4: the administrator's own certificate expires between confirmation and issue.
    for step in &delegated_walk().steps {
        if matches!(step.command, Command::Open { .. } | Command::Issue) {
            let facts = &step.context.facts;
            assert_eq!(step.context.actor.role, Role::AuthorityHolder);
            assert!(facts.actor_certificate_active, "{:?}", step.command);
            assert!(facts.actor_authority && facts.same_contract && !facts.actor_is_user);
        }
    }
}

#[test]
fn under_target_only_reveal_the_administrator_never_sees_it() {
    let mut granted = 0;
    for step in &delegated_walk().steps {
        let live =
            matches!(step.transition.to, State::Tail(tail::State::Waiting { copy: true, .. }));
        if step.command == Command::Issue && step.context.facts.target_only_reveal {
            granted += 1;
            assert_eq!(step.transition.to, State::Granted);
            assert!(step.transition.effects.is_empty(), "no password is made yet");
            assert_eq!(step.transition.notices, [Notice::Granted]);
        }
        if step.from == State::Granted && live {
            assert_eq!(step.command, Command::Reveal);
            assert!(step.context.facts.actor_is_user);
        }
    }
    assert!(granted > 0);
}

#[test]
fn the_user_is_told_who_issued() {
    let issued = |effect| label(effect) == "IssuePassword";
    for step in &delegated_walk().steps {
        if step.transition.effects.iter().any(issued) {
            assert_eq!(step.transition.notices, [Notice::IssuedByColleague]);
        }
    }
}
