//! What must hold on every step of self-service.

use engine::{Actor, Context, Workflow};
use workflows::self_service::{Command, SelfService, State};
use workflows::tail;
use workflows::terms::{Facts, Notice, Reason, Refusal, Role, UserRef};

use crate::world::{calm, self_service_walk, small_rules};

type Change = fn(&mut Facts);

fn ask(state: &State, command: &Command, facts: Facts) -> Result<State, Refusal> {
    let context = Context { actor: Actor::new("sato", Role::AuthorityHolder), facts };
    SelfService::decide(state, command, &context, &small_rules()).map(|decided| decided.to)
}

#[test]
fn the_router_decides_who_may_begin() {
    let open = Command::Open { user: UserRef(1), reason: Reason::Forgotten };
    let closed = |change: Change| {
        let mut facts = calm();
        change(&mut facts);
        ask(&State::Start, &open, facts)
    };
    assert_eq!(ask(&State::Start, &open, calm()), Ok(State::Authenticating));
    let cases: [(Change, Refusal); 8] = [
        (|f| f.contract_active = false, Refusal::ContractInactive),
        (|f| f.renewable = true, Refusal::RenewInstead),
        (|f| f.certificate_needed = false, Refusal::CertificateNotNeeded),
        (|f| f.retrieval_unlocked = false, Refusal::RetrievalLocked),
        (|f| f.otp_usable = false, Refusal::UsePaper),
        (|f| (f.otp_usable, f.colleague_can_log_in) = (false, true), Refusal::AskColleague),
        (|f| (f.otp_usable, f.colleague_qualifies) = (false, true), Refusal::ColleagueFirst),
        (|f| f.user_reissues_today = 3, Refusal::DailyLimit),
    ];
    for (change, refusal) in cases {
        assert_eq!(closed(change), Err(refusal));
    }
}

#[test]
fn a_password_is_shown_only_after_the_one_time_password() {
    for step in &self_service_walk().steps {
        if let State::Tail(tail::State::Waiting { .. }) = step.transition.to {
            let before = matches!(step.from, State::Ready | State::Tail(_));
            assert!(before, "shown from {:?}", step.from);
        }
        if step.transition.to == State::Ready {
            assert!(step.context.facts.otp_vouched);
        }
    }
    assert_eq!(ask(&State::Authenticating, &Command::Issue, calm()), Err(Refusal::OtpMissing));
}

#[test]
fn a_second_press_makes_no_second_password() {
    let issued = ask(&State::Ready, &Command::Issue, calm()).expect("issued");
    assert_eq!(ask(&issued, &Command::Issue, calm()), Err(Refusal::NotNow));
}

#[test]
fn the_issue_is_told() {
    for step in &self_service_walk().steps {
        if step.command == Command::Issue {
            assert_eq!(step.transition.notices, [Notice::Issued]);
        }
    }
}
