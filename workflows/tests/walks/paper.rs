//! What must hold on every step of the paper path.

use std::collections::HashMap;

use engine::{Actor, Context, Step, Workflow, label};
use workflows::paper::{Command, Paper, State};
use workflows::tail;
use workflows::terms::{
    DefectCode, Effect, Facts, Job, Notice, Reason, Refusal, Revocation, Role, Signal, TaskKind,
};

use crate::world::{calm, paper_walk, small_rules};

fn steps() -> impl Iterator<Item = &'static Step<Paper>> {
    paper_walk().steps.iter()
}

fn steps_of(command: &str) -> Vec<&'static Step<Paper>> {
    let found: Vec<_> = steps().filter(|step| label(&step.command) == command).collect();
    assert!(!found.is_empty(), "no step by {command}");
    found
}

#[test]
fn a_corrected_form_takes_the_place_of_the_one_before() {
    for step in steps_of("Resubmit") {
        let Command::Resubmit { submission } = step.command else { unreachable!() };
        let form = Effect::ReplaceForm { submission };
        assert!(step.transition.effects.contains(&form), "{:?}", step.from);
    }
    let others = steps().filter(|step| label(&step.command) != "Resubmit");
    for step in others {
        let replaces = |effect: &Effect| matches!(effect, Effect::ReplaceForm { .. });
        assert!(!step.transition.effects.iter().any(replaces), "{:?}", step.command);
    }
}

#[test]
fn whoever_checked_or_compared_may_not_approve() {
    let mut approved = 0;
    for step in steps_of("Approve") {
        let State::SealOk { clerk, sealer, .. } = &step.from else {
            panic!("approved in {:?}", step.from)
        };
        let actor = &step.context.actor.id;
        assert!(actor != clerk && actor != sealer, "{actor} approves their own work");
        assert_eq!(step.context.actor.role, Role::Approver);
        assert!(!step.context.facts.actor_prepared, "the history says that {actor} prepared it");
        approved += usize::from(matches!(step.transition.to, State::Approved { .. }));
    }
    assert!(approved > 0);
    let printing = |step: &&Step<Paper>| step.transition.jobs.contains(&Job::PrintLetter);
    for step in steps().filter(printing) {
        let by_role = matches!(step.context.actor.role, Role::Approver | Role::Dispatch);
        assert!(by_role, "{:?} has a letter printed", step.command);
    }
}

#[test]
fn a_person_behind_two_accounts_counts_once() {
    // S14: the same person, as clerk on one account and as approver on another.
    let checked = State::SealOk {
        round: workflows::paper::Round { attempt: 1, resends: 0 },
        clerk: engine::ActorId("tanaka".to_owned()),
        sealer: engine::ActorId("mori".to_owned()),
    };
    for person in ["tanaka", "mori"] {
        let context = Context { actor: Actor::new(person, Role::Approver), facts: calm() };
        let decided = Paper::decide(&checked, &Command::Approve, &context, &small_rules());
        assert_eq!(decided.map(|_| ()), Err(Refusal::FourEyes));
    }
}

/// No step before the approval touches a certificate or makes a password.
#[test]
fn an_unapproved_form_never_touches_a_live_certificate() {
    let unapproved = |state: &State| {
        matches!(
            state,
            State::Start
                | State::Identified { .. }
                | State::Checked { .. }
                | State::SealOk { .. }
                | State::Defect { .. }
                | State::Returned { .. }
                | State::Escalated { .. }
                | State::AddressHold { .. }
                | State::DangerHold { .. }
        )
    };
    let touching = |effect: &Effect| {
        matches!(
            effect,
            Effect::HoldCertificate
                | Effect::ReleaseCertificate
                | Effect::RevokeCertificate { .. }
                | Effect::StoreCertificate { .. }
                | Effect::IssuePassword { .. }
                | Effect::ActivatePassword
                | Effect::StoreLetter
        )
    };
    for step in steps().filter(|step| unapproved(&step.from)) {
        let approves = matches!(step.transition.to, State::Approved { .. });
        let touched = step.transition.effects.iter().any(touching);
        assert!(approves || !touched, "{:?} in {:?} touches", step.command, step.from);
    }
}

#[test]
fn a_lost_computer_is_cut_off_at_the_approval() {
    for step in steps_of("Approve") {
        let approves = matches!(step.transition.to, State::Approved { .. });
        if approves && step.context.facts.reason == Reason::Lost {
            let cut = Effect::RevokeCertificate { why: Revocation::Lost };
            assert!(step.transition.effects.contains(&cut));
        }
    }
}

#[test]
fn no_secret_goes_to_a_freshly_changed_address() {
    let secret = |effect: &Effect| matches!(effect, Effect::StoreLetter | Effect::ActivatePassword);
    for step in steps() {
        let sends = step.transition.effects.iter().any(secret)
            || step.transition.jobs.contains(&Job::PrintLetter) && label(&step.command) != "Spoil";
        assert!(!(sends && step.context.facts.address_fresh), "{:?}", step.command);
    }
}

#[test]
fn the_old_address_is_asked_before_a_changed_one_counts() {
    let asked = |step: &&Step<Paper>| matches!(step.transition.to, State::AddressHold { .. });
    let mut seen = 0;
    for step in steps().filter(asked) {
        seen += 1;
        assert!(step.transition.notices.contains(&Notice::AddressInquiry));
        let task = Job::OpenTask { kind: TaskKind::LetterInquiry };
        assert!(step.transition.jobs.contains(&task));
    }
    assert!(seen > 0);
}

#[test]
fn each_step_checks_contract_user_and_need_again() {
    for command in ["Check", "MatchSeal", "Approve", "Print", "Dispatch", "Resend"] {
        for step in steps_of(command) {
            let facts = &step.context.facts;
            let to = &step.transition.to;
            if !facts.contract_active || !facts.user_active {
                assert_eq!(*to, State::Rejected, "{command}");
            } else if !facts.still_needed {
                assert_eq!(*to, State::Tail(tail::State::NotNeeded), "{command}");
            }
        }
    }
}

#[test]
fn the_specimen_shown_must_be_the_valid_one() {
    for command in ["MatchSeal", "Approve"] {
        assert!(steps_of(command).iter().all(|step| step.context.facts.specimen_valid));
    }
}

#[test]
fn an_undated_or_old_form_is_not_checked() {
    let young = |facts: &Facts| facts.form_age_days.is_some_and(|age| age <= 92);
    assert!(steps_of("Check").iter().all(|step| young(&step.context.facts)));
}

#[test]
fn a_letter_leaves_only_from_a_reconciled_batch_under_a_valid_number() {
    for step in steps_of("Dispatch") {
        assert!(step.context.facts.batch_reconciled);
        assert_eq!(step.command, Command::Dispatch { tracking: "12345678903".to_owned() });
        if let State::Dispatched { .. } = step.transition.to {
            assert!(step.transition.marks.contains(&workflows::terms::DISPATCHED));
        }
    }
}

#[test]
fn a_spoiled_letter_is_never_printed_again() {
    for step in steps_of("Spoil") {
        assert!(step.transition.effects.iter().any(|e| label(e) == "VoidPassword"));
        assert!(matches!(step.transition.to, State::Approved { .. }));
    }
}

#[test]
fn fresh_letters_and_attempts_are_limited() {
    let rules = small_rules();
    for state in &paper_walk().states {
        let (State::Approved { round }
        | State::Printed { round }
        | State::Dispatched { round, .. }
        | State::Identified { round }
        | State::Undelivered { round }) = state
        else {
            continue;
        };
        assert!(round.resends <= rules.undelivered_resends, "{state:?}");
        assert!(round.attempt <= rules.defect_max_attempts, "{state:?}");
    }
    for step in steps_of("Resend") {
        assert!(!step.context.facts.actor_prepared);
    }
}

#[test]
fn a_letter_is_mailed_again_once_and_only_for_a_young_form() {
    for step in steps_of("Remail") {
        let facts = &step.context.facts;
        assert_eq!(step.from, State::Tail(tail::State::Expired));
        assert!(!facts.remailed && !facts.actor_prepared && !facts.danger);
        assert!(facts.form_age_days.is_some_and(|age| age <= 90));
        assert!(facts.open_cases.is_empty() && facts.still_needed);
        assert!(step.transition.effects.contains(&Effect::RecordRemail));
    }
}

#[test]
fn a_cure_by_phone_takes_two_people() {
    for step in steps_of("CureByPhone") {
        let State::Defect { first, .. } = &step.from else { panic!("cured {:?}", step.from) };
        if let State::Identified { .. } = step.transition.to {
            assert!(first.as_ref().is_some_and(|first| *first != step.context.actor.id));
        }
    }
}

#[test]
fn a_seal_is_never_cured_by_phone_and_blocks_the_whole_form() {
    for step in steps_of("Defect") {
        let Command::Defect { codes } = &step.command else { continue };
        let seal = codes.iter().any(|code| code.concerns_the_seal());
        assert!(!seal || !matches!(step.transition.to, State::Defect { .. }));
        let passed_on = step
            .transition
            .signals
            .iter()
            .filter(|signal| {
                matches!(signal, Signal::SealDefect { codes, .. }
                    if codes == &[DefectCode::SealMissing])
            })
            .count();
        let from_peer = step.context.actor.role == Role::Peer;
        let expected = if seal && !from_peer { step.context.facts.siblings.len() } else { 0 };
        assert_eq!(passed_on, expected);
    }
}

#[test]
fn a_letter_that_comes_back_is_void_at_once_unless_its_password_is_used() {
    for step in steps_of("ReturnedMail") {
        let was_live = matches!(
            step.from,
            State::Dispatched { .. } | State::Tail(tail::State::Waiting { .. })
        );
        let voids = step.transition.effects.iter().any(|e| label(e) == "VoidPassword");
        assert_eq!(voids, was_live && !step.context.facts.password_used, "{:?}", step.from);
        assert!(step.transition.effects.contains(&Effect::RecordReturn));
        // S8: it comes back although the customer has used it.
        let used = matches!(
            step.from,
            State::Tail(
                tail::State::Claimed { .. }
                    | tail::State::CertificateIssued { .. }
                    | tail::State::Completed
            )
        );
        let incident = Job::OpenTask { kind: TaskKind::Incident };
        assert!(!used || step.transition.jobs.contains(&incident));
    }
}

#[test]
fn the_undisturbed_way_ends_with_a_certificate_that_logs_in() {
    let mut by_step: HashMap<(String, String), String> = HashMap::new();
    for step in steps().filter(|step| step.context.facts == calm()) {
        let key = (label(&step.from), label(&step.command));
        by_step.entry(key).or_insert_with(|| label(&step.transition.to));
    }
    let mut at = "Start".to_owned();
    for command in [
        "Open",
        "Check",
        "MatchSeal",
        "Approve",
        "Print",
        "Dispatch",
        "Deliver",
        "Tail.Claim",
        "Tail.CertificateMade",
        "Tail.FirstLogin",
    ] {
        let next = by_step.get(&(at.clone(), command.to_owned()));
        at = next.unwrap_or_else(|| panic!("{at} does not accept {command}")).clone();
    }
    assert_eq!(at, "Tail.Completed");
}
