//! What must hold for an enrolment code.

use workflows::enrolment::{Command, Effect, Notice, Source, State, VoidReason};
use workflows::terms::Role;

use crate::world::{enrolment_walk, small_rules};

fn stores(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::StoreCode { .. }))
}

fn voids(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::VoidCode { .. }))
}

#[test]
fn a_new_code_voids_every_older_one() {
    let mut seen = 0;
    for step in &enrolment_walk().steps {
        let effects = &step.transition.effects;
        if let Some(at) = effects.iter().position(|e| matches!(e, Effect::StoreCode { .. })) {
            seen += 1;
            let older = effects.iter().take(at).cloned().collect::<Vec<_>>();
            assert!(voids(&older), "{:?} from {:?}", step.command, step.from);
        }
    }
    assert!(seen > 0);
}

#[test]
fn no_more_is_charged_than_the_rules_allow() {
    let most = small_rules().enrolment_max_wrong;
    for state in &enrolment_walk().states {
        if let State::Waiting { wrong, open, .. } | State::Enrolling { wrong, open } = state {
            assert!(*wrong <= most && open <= wrong, "{state:?}");
        }
    }
    for step in &enrolment_walk().steps {
        if let (
            State::Waiting { wrong, .. } | State::Enrolling { wrong, .. },
            Command::ChargeAttempt,
        ) = (&step.from, &step.command)
        {
            assert!(*wrong < most, "{:?}", step.from);
            let (State::Waiting { wrong: after, .. } | State::Enrolling { wrong: after, .. }) =
                step.transition.to
            else {
                panic!("a charge leads elsewhere")
            };
            assert_eq!(after, wrong + 1);
        }
    }
}

#[test]
fn an_enrolment_opens_only_by_a_charged_entry_of_a_live_code() {
    let mut seen = 0;
    for step in &enrolment_walk().steps {
        if step.transition.effects.contains(&Effect::OpenEnrolment) {
            seen += 1;
            let (State::Waiting { open, .. } | State::Enrolling { open, .. }) = step.from else {
                panic!("opened from {:?}", step.from)
            };
            let facts = &step.context.facts;
            assert!(open > 0 && facts.code_live && facts.user_active && facts.actor_is_user);
        }
    }
    assert!(seen > 0);
}

#[test]
fn a_colleague_passes_the_own_transaction_password_for_each_code() {
    let mut seen = 0;
    for step in &enrolment_walk().steps {
        if step.transition.notices.contains(&Notice::CodeIssued) {
            seen += 1;
            let facts = &step.context.facts;
            assert_eq!(step.context.actor.role, Role::AuthorityHolder);
            assert!(facts.same_contract && facts.actor_authority && !facts.actor_is_user);
            assert!(facts.actor_certificate_active && facts.transaction_vouched && !facts.danger);
            assert!(step.transition.effects.contains(&Effect::SpendTransaction));
        }
    }
    assert!(seen > 0);
}

#[test]
fn every_code_of_a_colleague_is_told() {
    for step in &enrolment_walk().steps {
        let effect = Effect::StoreCode { source: Source::Colleague };
        if step.transition.effects.contains(&effect) {
            assert_eq!(step.transition.notices, [Notice::CodeIssued]);
        }
    }
}

#[test]
fn no_letter_is_stored_or_posted_for_a_fresh_address() {
    let mut seen = 0;
    for step in &enrolment_walk().steps {
        let posts = step
            .transition
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::StoreLetter | Effect::RecordPosting { .. }));
        if posts {
            seen += 1;
            assert!(!step.context.facts.address_fresh, "{:?}", step.command);
        }
    }
    assert!(seen > 0);
}

#[test]
fn a_code_by_letter_is_live_only_from_its_posting() {
    for step in &enrolment_walk().steps {
        let effects = &step.transition.effects;
        if effects.contains(&Effect::ActivateCode) {
            assert!(step.from == State::Printed && step.context.facts.batch_reconciled);
        }
        if effects.contains(&Effect::StoreCode { source: Source::Letter }) {
            assert_eq!(step.transition.to, State::Printed);
        }
    }
}

#[test]
fn a_code_is_good_for_one_enrolment() {
    for step in &enrolment_walk().steps {
        let left = matches!(step.from, State::Enrolling { .. })
            && !matches!(step.transition.to, State::Enrolling { .. });
        if left {
            let effects = &step.transition.effects;
            assert!(
                voids(effects) && effects.contains(&Effect::EndEnrolments),
                "{:?}",
                step.command
            );
        }
    }
}

#[test]
fn what_is_not_waited_for_is_not_live() {
    for step in &enrolment_walk().steps {
        let live = |state: &State| matches!(state, State::Waiting { .. } | State::Enrolling { .. });
        if live(&step.from) && !live(&step.transition.to) {
            assert!(voids(&step.transition.effects), "{:?}", step.command);
        }
        if step.transition.to == State::Locked && step.from != State::Locked {
            let why = VoidReason::Locked;
            assert!(step.transition.effects.contains(&Effect::VoidCode { why }));
            assert_eq!(step.transition.notices, [Notice::CodeLocked], "told once");
        }
        if stores(&step.transition.effects) {
            let fresh = !matches!(
                step.transition.to,
                State::Waiting { wrong: 1.., .. } | State::Waiting { open: 1.., .. }
            );
            assert!(fresh, "a new code begins with every attempt");
        }
    }
}
