//! What must hold on every step of every reissue path.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use engine::{Graph, Role as _, Workflow, label};
use workflows::terms::{
    Channel, Effect, Facts, ISSUED, Job, Notice, Reason, Refusal, Revocation, Role, Rules, Signal,
};
use workflows::{delegated, paper, self_service, tail};

use crate::world;

/// A step of any path, as far as the paths are alike.
struct Seen {
    path: Channel,
    from: String,
    to: String,
    command: String,
    role: Role,
    facts: Facts,
    effects: Vec<Effect>,
    notices: Vec<Notice>,
    signals: Vec<Signal>,
    issued_mark: bool,
    ends: bool,
}

impl Seen {
    fn told(&self) -> String {
        format!("{:?}: {} / {} → {}", self.path, self.from, self.command, self.to)
    }

    fn does(&self, effect: &str) -> bool {
        self.effects.iter().any(|e| label(e) == effect)
    }

    fn goes_live(&self) -> bool {
        let online = Effect::IssuePassword { channel: self.path };
        self.effects.contains(&Effect::ActivatePassword)
            || self.path != Channel::Paper && self.effects.contains(&online)
    }
}

fn view<W>(path: Channel, graph: &Graph<W>) -> Vec<Seen>
where
    W: Workflow<
            Role = Role,
            Facts = Facts,
            Rules = Rules,
            Effect = Effect,
            Notice = Notice,
            Job = Job,
            Signal = Signal,
            Refusal = Refusal,
        >,
{
    let rules = world::small_rules();
    let seen = |step: &engine::Step<W>| Seen {
        path,
        from: label(&step.from),
        to: label(&step.transition.to),
        command: label(&step.command),
        role: step.context.actor.role,
        facts: step.context.facts.clone(),
        effects: step.transition.effects.clone(),
        notices: step.transition.notices.clone(),
        signals: step.transition.signals.clone(),
        issued_mark: step.transition.marks.contains(&ISSUED),
        ends: W::is_end(&step.transition.to, &rules),
    };
    graph.steps.iter().map(seen).collect()
}

/// Every accepted step of the three paths.
fn steps() -> &'static [Seen] {
    static STEPS: OnceLock<Vec<Seen>> = OnceLock::new();
    STEPS.get_or_init(|| {
        let mut all = view(Channel::SelfService, world::self_service_walk());
        all.extend(view(Channel::Delegated, world::delegated_walk()));
        all.extend(view(Channel::Paper, world::paper_walk()));
        all
    })
}

/// Demands something of every step that matters, and that at least one matters on each path.
#[track_caller]
fn each(paths: &[Channel], matters: impl Fn(&Seen) -> bool, holds: impl Fn(&Seen) -> bool) {
    for path in paths {
        let mut found = false;
        for step in steps().iter().filter(|step| step.path == *path && matters(step)) {
            found = true;
            assert!(
                holds(step),
                "{} by {} knowing {:?}",
                step.told(),
                step.role.name(),
                step.facts
            );
        }
        assert!(found, "{path:?}: the walk never comes to the point of this test");
    }
}

const ALL: &[Channel] = &[Channel::SelfService, Channel::Delegated, Channel::Paper];
const PAPER: &[Channel] = &[Channel::Paper];
const ONLINE: &[Channel] = &[Channel::SelfService, Channel::Delegated];

/// A password exists in these states, pending or live.
fn has_password(state: &str) -> bool {
    matches!(state, "Printed" | "Dispatched" | "Tail.Waiting")
}

/// A certificate may be held in the name of the case in these states.
fn may_hold(state: &str) -> bool {
    matches!(
        state,
        "Dispatched" | "Tail.Waiting" | "Tail.Redeemed" | "Tail.Claimed" | "Tail.Locked"
    )
}

fn supersedes_all(step: &Seen) -> bool {
    step.facts.open_cases.iter().all(|to| step.signals.contains(&Signal::Supersede { to: *to }))
}

#[test]
fn one_live_password_per_user() {
    each(ALL, Seen::goes_live, supersedes_all);
    each(
        ALL,
        |step| step.does("IssuePassword") || step.does("ActivatePassword"),
        |step| step.does("ActivatePassword") || !has_password(&step.from),
    );
    each(ALL, Seen::goes_live, |step| has_password(&step.to) && step.issued_mark);
    each(ALL, |step| step.issued_mark, Seen::goes_live);
}

#[test]
fn entries_are_counted_from_zero_for_a_new_password() {
    each(
        ALL,
        |step| step.goes_live() && step.facts.retrieval_credential.is_some(),
        |step| step.signals.contains(&Signal::Arm { credential: world::CREDENTIAL }),
    );
}

#[test]
fn no_state_is_left_with_a_password_that_still_lives() {
    let leaves = |step: &Seen| has_password(&step.from) && !has_password(&step.to);
    each(ALL, leaves, |step| {
        step.does("VoidPassword")
            || step.command == "Tail.Claim"
            || step.to == "Tail.Redeemed" && step.facts.password_used
    });
    each(ALL, leaves, |step| {
        step.path == Channel::Paper || step.does("DestroyDisplayCopy") || step.to == "Tail.Redeemed"
    });
}

#[test]
fn a_void_password_is_no_longer_entered() {
    let live = |state: &str| matches!(state, "Dispatched" | "Tail.Waiting");
    each(
        ALL,
        |step| {
            live(&step.from)
                && step.does("VoidPassword")
                && step.facts.retrieval_credential.is_some()
                && !matches!(step.to.as_str(), "Tail.Superseded" | "Tail.Locked")
        },
        |step| step.signals.contains(&Signal::Disarm { credential: world::CREDENTIAL }),
    );
    // The successor has armed the credential; disarming it would kill the new password.
    each(
        ALL,
        |step| step.to == "Tail.Superseded",
        |step| !step.signals.iter().any(|signal| matches!(signal, Signal::Disarm { .. })),
    );
}

#[test]
fn nothing_is_issued_without_its_vouching() {
    each(
        &[Channel::SelfService],
        |step| step.does("IssuePassword"),
        |step| step.facts.otp_vouched && step.facts.actor_is_user,
    );
    each(
        &[Channel::Delegated],
        |step| step.command == "Issue",
        |step| step.facts.transaction_vouched,
    );
    each(
        &[Channel::Delegated],
        |step| step.command == "Reveal",
        |step| step.facts.otp_vouched && step.facts.actor_is_user,
    );
}

#[test]
fn nothing_is_issued_when_contract_user_or_safety_forbid() {
    each(
        ALL,
        |step| step.does("IssuePassword") || step.does("ActivatePassword"),
        |step| {
            let facts = &step.facts;
            facts.contract_active && facts.user_active && !facts.danger
        },
    );
}

#[test]
fn online_limits_a_day_hold() {
    each(ONLINE, |step| step.command == "Issue", |step| step.facts.user_reissues_today < 3);
    each(
        &[Channel::Delegated],
        |step| step.command == "Issue",
        |step| step.facts.actor_reissues_today < 20,
    );
}

#[test]
fn self_service_is_closed_after_a_retrieval_lock() {
    each(
        &[Channel::SelfService],
        |step| matches!(step.to.as_str(), "Authenticating") || step.does("IssuePassword"),
        |step| step.facts.retrieval_unlocked,
    );
}

#[test]
fn a_dangerous_reason_freezes_instead_of_opening() {
    for step in &world::self_service_walk().steps {
        if let self_service::Command::Open { reason: Reason::Lost, .. } = step.command {
            let frozen = self_service::State::Tail(tail::State::Frozen);
            assert_eq!(step.transition.to, frozen);
        }
    }
    for step in &world::delegated_walk().steps {
        if let delegated::Command::Open { reason: Reason::Vanished, .. } = step.command {
            assert_eq!(step.transition.to, delegated::State::Tail(tail::State::Frozen));
        }
    }
    each(
        ONLINE,
        |step| step.command == "Open" && step.facts.danger,
        |step| step.to == "Tail.Frozen" && step.notices.contains(&Notice::Stopped),
    );
    each(
        PAPER,
        |step| step.command == "Open" && step.facts.reason == Reason::Lost,
        |step| matches!(step.to.as_str(), "DangerHold" | "Duplicate"),
    );
}

#[test]
fn one_open_case_per_user_and_way() {
    for step in steps().iter().filter(|step| step.command == "Open") {
        if step.facts.open_cases.iter().any(|other| other.channel == step.path) {
            assert_eq!(step.to, "Duplicate", "{}", step.told());
        }
    }
    each(
        PAPER,
        |step| step.to == "Duplicate",
        |step| step.effects.contains(&Effect::LinkDuplicate { of: world::PAPER_CASE.case }),
    );
}

#[test]
fn only_a_live_password_is_claimed_and_only_once() {
    each(
        ALL,
        |step| step.command == "Tail.Claim",
        |step| {
            step.to == "Tail.Claimed"
                && matches!(step.from.as_str(), "Dispatched" | "Tail.Waiting" | "Tail.Redeemed")
        },
    );
    each(
        ALL,
        |step| step.to == "Tail.Redeemed" && step.from != step.to,
        |step| step.command == "Tail.Expire" && step.facts.password_used,
    );
}

#[test]
fn a_lock_voids_and_tells_once() {
    each(
        ALL,
        |step| step.command == "Tail.RetrievalLocked",
        |step| {
            step.to == "Tail.Locked"
                && step.does("VoidPassword")
                && step.notices == [Notice::RetrievalLocked]
        },
    );
    each(
        ALL,
        |step| step.from == "Tail.Locked",
        |step| !step.notices.contains(&Notice::RetrievalLocked) && step.to != "Tail.Waiting",
    );
}

#[test]
fn withdrawing_leaves_nothing_behind() {
    each(
        ALL,
        |step| step.command == "Tail.Withdraw",
        |step| {
            step.to == "Tail.Withdrawn"
                && (!has_password(&step.from) || step.does("VoidPassword"))
                && (step.from != "Tail.CertificateIssued"
                    || step
                        .effects
                        .contains(&Effect::RevokeCertificate { why: Revocation::Withdrawn }))
        },
    );
}

#[test]
fn a_held_certificate_is_released_when_the_case_ends_without_a_new_one() {
    each(
        ALL,
        |step| may_hold(&step.from) && step.ends,
        |step| {
            let suspicious = step.facts.danger || step.facts.reason == Reason::Lost;
            suspicious || step.does("ReleaseCertificate")
        },
    );
    each(
        PAPER,
        |step| step.to == "Undelivered",
        |step| {
            let suspicious = step.facts.danger || step.facts.reason == Reason::Lost;
            suspicious || step.does("ReleaseCertificate")
        },
    );
    // A suspicion is never talked away by an ending alone.
    each(
        ALL,
        |step| step.does("ReleaseCertificate"),
        |step| {
            let suspicious = step.facts.danger || step.facts.reason == Reason::Lost;
            !suspicious || step.command == "Tail.Resolve"
        },
    );
}

#[test]
fn the_old_certificate_is_held_or_revoked_when_the_password_goes_live() {
    each(ALL, Seen::goes_live, |step| match step.facts.reason {
        Reason::Lost => step.effects.contains(&Effect::RevokeCertificate { why: Revocation::Lost }),
        _ => step.does("HoldCertificate"),
    });
    each(
        ALL,
        |step| step.does("StoreCertificate"),
        |step| step.effects.contains(&Effect::RevokeCertificate { why: Revocation::Superseded }),
    );
}

#[test]
fn only_the_new_certificate_completes_the_case() {
    for step in &world::tail_walk().steps {
        if let tail::Command::FirstLogin { serial } = &step.command {
            let tail::State::CertificateIssued { serial: own, .. } = &step.from else {
                panic!("first login in {:?}", step.from)
            };
            assert_eq!(serial, own);
            assert!(step.context.facts.actor_is_user);
        }
    }
    each(
        ALL,
        |step| step.to == "Tail.Completed" && step.from != step.to,
        |step| step.command == "Tail.FirstLogin",
    );
}

#[test]
fn a_disowned_certificate_is_revoked() {
    each(
        ALL,
        |step| {
            step.command == "Tail.Disown"
                && matches!(step.from.as_str(), "Tail.CertificateIssued" | "Tail.Completed")
        },
        |step| {
            step.to == "Tail.Frozen"
                && step
                    .effects
                    .contains(&Effect::RevokeCertificate { why: Revocation::Compromised })
        },
    );
}

#[test]
fn only_a_supervisor_or_the_clock_settles_a_stop() {
    each(
        ALL,
        |step| step.from == "Tail.Frozen" && step.command != "ReturnedMail",
        |step| step.to == "Tail.Stopped" && matches!(step.role, Role::Supervisor | Role::Clock),
    );
}

#[test]
fn customers_act_only_in_their_own_contract() {
    each(ALL, |step| step.role == Role::User, |step| step.facts.actor_is_user);
    each(
        ALL,
        |step| step.role == Role::AuthorityHolder,
        |step| {
            let facts = &step.facts;
            let colleague = facts.same_contract && facts.actor_authority;
            let own_cancel = step.command == "Cancel";
            facts.actor_is_user || colleague || own_cancel
        },
    );
}

/// Ends that the customer sees on the page at once, or hears of from the case that caused them.
const SILENT: &[(&str, &str)] = &[
    ("Abandon", "Abandoned"),
    ("Cancel", "Cancelled"),
    ("OtpLocked", "Refused"),
    ("TransactionLocked", "Aborted"),
    ("Lapse", "Lapsed"),
    ("Tail.Supersede", "Tail.Superseded"),
    ("Tail.NotNeeded", "Tail.NotNeeded"),
];

#[test]
fn every_end_is_told_to_the_customer() {
    each(
        ALL,
        |step| step.ends && step.from != step.to,
        |step| {
            let silent = SILENT.contains(&(step.command.as_str(), step.to.as_str()));
            let before = matches!(
                step.from.as_str(),
                "Start" | "Authenticating" | "Ready" | "Confirming" | "Granted" | "Tail.Locked"
            );
            !step.notices.is_empty() || silent && before
        },
    );
}

#[test]
fn a_live_password_warns_and_ends_in_time() {
    let rules = Rules::default();
    let hours = |channel| (rules.halfway_hours(channel), rules.last_day_hours(channel));
    assert_eq!(hours(Channel::SelfService), (Some(12), None));
    assert_eq!(hours(Channel::Delegated), (Some(84), Some(144)));
    assert_eq!(hours(Channel::Paper), (Some(360), Some(696)));
    let hasty = Rules { password_valid_self_hours: 8, ..rules };
    assert_eq!(hasty.halfway_hours(Channel::SelfService), None, "within the quiet hours");
}

#[test]
fn every_refusal_and_notice_of_the_paths_occurs() {
    let mut notices: BTreeSet<String> = BTreeSet::new();
    notices.extend(steps().iter().flat_map(|step| step.notices.iter().map(label)));
    let mut refusals: BTreeSet<String> = BTreeSet::new();
    for table in [
        &world::self_service_walk().table,
        &world::delegated_walk().table,
        &world::paper_walk().table,
    ] {
        for outcome in table.values().flatten() {
            refusals.extend(outcome.split_once("✗ ").map(|(_, refusal)| refusal.to_owned()));
        }
    }
    let effects = steps().iter().flat_map(|step| step.effects.iter().map(label)).collect();
    crate::texts::enumerated("src/terms/consequence.rs", "Effect", &effects);
    crate::texts::enumerated("src/terms/consequence.rs", "Notice", &notices);
    crate::texts::enumerated("src/terms/refusal.rs", "Refusal", &refusals);
}

#[test]
fn a_signal_reaches_the_command_it_means() {
    let (case, addressed) = Signal::Supersede { to: world::PAPER_CASE }.address();
    assert_eq!((case, addressed.workflow()), (world::PAPER_CASE.case, paper::NAME));
    for step in steps() {
        for signal in &step.signals {
            let (case, addressed) = signal.address();
            assert!(case.0 > 0 && workflows::WORKFLOWS.contains(&addressed.workflow()));
        }
    }
}
