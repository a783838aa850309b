//! What must hold for a credential: attempts are counted before they are judged.

use engine::{Actor, Context, Workflow};
use workflows::credential::{
    Command, Credential, Effect, Facts, Job, Kind, Notice, Refusal, State,
};
use workflows::terms::{Role, Rules, Signal};

use crate::world::{PAPER_CASE, credential_calm, credential_walk, small_rules};

/// Plays commands against one credential and keeps what came of them.
struct Played {
    state: State,
    rules: Rules,
    notices: Vec<Notice>,
    signals: Vec<Signal>,
    effects: Vec<Effect>,
}

impl Played {
    fn active(kind: Kind) -> Self {
        Self {
            state: State::Active { kind, wrong: 0, open: 0 },
            rules: Rules::default(),
            notices: Vec::new(),
            signals: Vec::new(),
            effects: Vec::new(),
        }
    }

    fn send(&mut self, role: Role, command: &Command, facts: Facts) -> Result<(), Refusal> {
        let context = Context { actor: Actor::new("yamada", role), facts };
        let decided = Credential::decide(&self.state, command, &context, &self.rules)?;
        self.state = decided.to;
        self.notices.extend(decided.notices);
        self.signals.extend(decided.signals);
        self.effects.extend(decided.effects);
        Ok(())
    }

    fn user(&mut self, command: &Command) -> Result<(), Refusal> {
        self.send(Role::User, command, credential_calm())
    }
}

fn redeem() -> Command {
    Command::Redeem { session: "digest".to_owned(), csr: None }
}

#[test]
fn of_64_wrong_entries_at_once_five_are_judged_and_one_lock_is_told() {
    for kind in [Kind::Transaction, Kind::OneTimePassword, Kind::Retrieval] {
        let mut played = Played::active(kind);
        let charged = (0..64).filter(|_| played.user(&Command::ChargeAttempt).is_ok()).count();
        assert_eq!(charged, 5, "{kind:?}");
        assert_eq!(played.user(&Command::ChargeAttempt), Err(Refusal::Locked));
        for _ in 0..charged {
            assert!(!matches!(played.state, State::Locked { .. }), "locked while one is judged");
            played.user(&Command::Miss).expect("settled");
        }
        assert_eq!(played.state, State::Locked { kind });
        assert_eq!(played.user(&Command::Miss), Err(Refusal::Locked));
        let told = played.notices.len()
            + played
                .signals
                .iter()
                .filter(|s| **s == Signal::RetrievalLocked { to: PAPER_CASE })
                .count();
        assert_eq!(told, 1, "{kind:?}: told by the case or by the credential, once");
    }
}

#[test]
fn wrong_entries_one_after_another_add_up() {
    for kind in [Kind::Transaction, Kind::OneTimePassword, Kind::Retrieval] {
        let mut played = Played::active(kind);
        for _ in 0..5 {
            played.user(&Command::ChargeAttempt).expect("charged");
            played.user(&Command::Miss).expect("settled");
        }
        assert_eq!(played.state, State::Locked { kind });
    }
}

#[test]
fn of_8_right_entries_at_once_one_wins() {
    let mut played = Played::active(Kind::Retrieval);
    let charged = (0..8).filter(|_| played.user(&Command::ChargeAttempt).is_ok()).count();
    let won = (0..charged).filter(|_| played.user(&redeem()).is_ok()).count();
    assert_eq!((charged, won), (5, 1));
    assert_eq!(played.user(&redeem()), Err(Refusal::Used));
    assert_eq!(played.signals, [Signal::Claim { to: PAPER_CASE, csr: None }]);
    assert_eq!(played.effects, [Effect::UsePassword]);
}

#[test]
fn the_last_attempt_may_still_be_the_right_one() {
    let mut played = Played::active(Kind::Transaction);
    for _ in 0..4 {
        played.user(&Command::ChargeAttempt).expect("charged");
        played.user(&Command::Miss).expect("settled");
    }
    played.user(&Command::ChargeAttempt).expect("charged");
    played.user(&redeem()).expect("right");
    assert_eq!(played.state, State::Active { kind: Kind::Transaction, wrong: 0, open: 0 });
}

#[test]
fn a_crash_costs_the_attempts_it_left_open() {
    let mut played = Played::active(Kind::Retrieval);
    for _ in 0..5 {
        played.user(&Command::ChargeAttempt).expect("charged");
    }
    played.send(Role::Clock, &Command::Settle, credential_calm()).expect("settled");
    assert_eq!(played.state, State::Locked { kind: Kind::Retrieval });
}

#[test]
fn logins_slow_down_from_the_fifth_and_lock_at_the_twentieth() {
    let mut played = Played::active(Kind::Login);
    for entry in 0..20 {
        let hasty = Facts { delay_over: false, ..credential_calm() };
        let early = played.send(Role::User, &Command::ChargeAttempt, hasty);
        if entry < 5 {
            early.expect("no delay yet");
        } else {
            assert_eq!(early, Err(Refusal::Delayed), "entry {entry}");
            played.user(&Command::ChargeAttempt).expect("after the delay");
        }
        played.user(&Command::Miss).expect("settled");
    }
    assert_eq!(played.state, State::Locked { kind: Kind::Login });
    assert_eq!(played.notices, [Notice::Locked { kind: Kind::Login }]);
    assert_eq!(played.effects, [Effect::EndSessions]);
}

#[test]
fn the_day_after_wrong_logins_are_forgotten() {
    let mut played = Played::active(Kind::Login);
    played.user(&Command::ChargeAttempt).expect("charged");
    played.user(&Command::Miss).expect("settled");
    played.send(Role::Clock, &Command::ForgetWrong, credential_calm()).expect("forgotten");
    assert_eq!(played.state, State::Active { kind: Kind::Login, wrong: 0, open: 0 });
}

#[test]
fn no_more_is_charged_than_the_rules_allow() {
    for state in &credential_walk().states {
        if let State::Active { kind, wrong, open } = state {
            assert!(*wrong <= kind.max_wrong(&small_rules()) && open <= wrong, "{state:?}");
        }
    }
    for step in &credential_walk().steps {
        if let State::Active { kind, wrong, .. } = step.from {
            let charges = step.command == Command::ChargeAttempt;
            assert!(!charges || wrong < kind.max_wrong(&small_rules()), "{:?}", step.from);
        }
    }
}

#[test]
fn an_expired_or_void_password_is_never_redeemed() {
    for step in &credential_walk().steps {
        if step.transition.to == State::Used && step.from != State::Used {
            assert!(step.context.facts.password_live && step.context.facts.issuing.is_some());
        }
        if let (State::Active { kind: Kind::Retrieval, .. }, Command::ChargeAttempt) =
            (&step.from, &step.command)
        {
            assert!(step.context.facts.password_live);
        }
    }
}

#[test]
fn a_late_word_of_an_old_case_does_not_disarm_the_new_password() {
    for step in &credential_walk().steps {
        let armed = matches!(step.from, State::Active { .. });
        if armed && step.command == Command::Disarm && step.context.facts.password_live {
            assert_eq!(step.transition.to, step.from);
        }
    }
}

#[test]
fn a_lock_is_released_by_the_bank_or_by_a_new_password_never_by_time() {
    for step in &credential_walk().steps {
        if matches!(step.from, State::Locked { .. }) && step.transition.to != step.from {
            let anew = matches!(step.command, Command::Enrol { .. });
            let by_code = anew && step.context.facts.enrolling;
            assert!(by_code || step.context.actor.role == Role::Peer, "{:?}", step.command);
        }
    }
}

#[test]
fn a_session_is_vouched_for_only_by_a_charged_attempt() {
    for step in &credential_walk().steps {
        let vouches = step.transition.effects.iter().any(|e| matches!(e, Effect::Vouch { .. }));
        if vouches {
            assert!(matches!(step.from, State::Active { open, .. } if open > 0));
            assert!(step.context.facts.user_active);
        }
    }
}

#[test]
fn nobody_replaces_a_secret_without_the_old_one_or_an_enrolment() {
    let mut seen = 0;
    for step in &credential_walk().steps {
        if step.transition.effects.contains(&Effect::StoreSecret) {
            seen += 1;
            let charged = matches!(step.from, State::Active { open, .. } if open > 0);
            let changed = matches!(step.command, Command::Change { .. }) && charged;
            assert!(changed || step.context.facts.enrolling, "{:?}", step.command);
            assert!(step.context.facts.user_active);
            assert!(matches!(
                step.transition.notices.as_slice(),
                [Notice::Enrolled { .. } | Notice::Changed { .. }]
            ));
        }
    }
    assert!(seen > 0);
}

#[test]
fn a_code_never_takes_the_place_of_a_standing_transaction_password() {
    for step in &credential_walk().steps {
        let kind = Kind::Transaction;
        if step.command == (Command::Enrol { kind }) {
            let unset = matches!(step.from, State::Start | State::Unset { .. });
            assert!(unset || step.context.facts.set_here, "enrolled over {:?}", step.from);
        }
    }
}

#[test]
fn whoever_sets_a_secret_anew_ends_the_sessions() {
    for step in &credential_walk().steps {
        let effects = &step.transition.effects;
        let replaced =
            effects.contains(&Effect::StoreSecret) || effects.contains(&Effect::RetireSecret);
        let ended = effects
            .iter()
            .any(|e| matches!(e, Effect::EndSessions | Effect::EndOtherSessions { .. }));
        assert!(!replaced || ended, "{:?}", step.command);
    }
}

#[test]
fn after_a_reset_a_code_goes_out() {
    for step in &credential_walk().steps {
        let resets = step.transition.notices.iter().any(|n| matches!(n, Notice::Reset { .. }));
        assert_eq!(resets, step.transition.jobs == [Job::OrderCode], "{:?}", step.command);
    }
}
