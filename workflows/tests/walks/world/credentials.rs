//! The worlds of credentials, enrolment and expiring certificates.

use engine::{CaseId, Universe};
use workflows::terms::Role;
use workflows::{credential, enrolment, expiry};

use super::{ONLOOKERS, PAPER_CASE, people, small_rules};

pub(crate) fn credential_calm() -> credential::Facts {
    credential::Facts {
        user_active: true,
        delay_over: true,
        enrolling: true,
        set_here: false,
        password_live: true,
        issuing: Some(PAPER_CASE),
        self_service_case: Some(CaseId(7)),
        delegated_case: Some(CaseId(8)),
    }
}

pub(crate) fn credential_world(starts: Vec<credential::State>) -> Universe<credential::Credential> {
    use credential::{Command as C, Facts, Kind};
    let calm = credential_calm();
    let all = vec![
        calm.clone(),
        Facts { user_active: false, ..calm.clone() },
        Facts { delay_over: false, ..calm.clone() },
        Facts { enrolling: false, ..calm.clone() },
        Facts { set_here: true, ..calm.clone() },
        Facts { password_live: false, ..calm.clone() },
        Facts { issuing: None, self_service_case: None, delegated_case: None, ..calm },
    ];
    let redeem =
        |csr: Option<&str>| C::Redeem { session: "digest".to_owned(), csr: csr.map(str::to_owned) };
    let mut commands: Vec<C> = Kind::ALL.map(|kind| C::Enrol { kind }).to_vec();
    commands.extend(Kind::ALL.map(|kind| C::Prepare { kind }));
    commands.extend([
        C::ChargeAttempt,
        C::Change { session: "7".to_owned() },
        redeem(None),
        redeem(Some("csr")),
        C::Miss,
        C::Settle,
        C::ForgetWrong,
        C::Lock,
        C::Guide,
        C::Unlock,
        C::Reset,
        C::Arm,
        C::Disarm,
    ]);
    let mut actors = people(&[("yamada", Role::User), ("help", Role::HelpDesk)]);
    actors.extend(people(&ONLOOKERS));
    Universe { starts, commands, actors, facts: all, rules: small_rules() }
}

fn enrolment_calm() -> enrolment::Facts {
    enrolment::Facts {
        contract_active: true,
        user_active: true,
        code_live: true,
        address_fresh: false,
        danger: false,
        batch_reconciled: true,
        actor_is_user: false,
        same_contract: true,
        actor_authority: true,
        actor_certificate_active: true,
        transaction_vouched: true,
        actor_codes_today: 0,
    }
}

pub(crate) fn enrolment_world(starts: Vec<enrolment::State>) -> Universe<enrolment::Enrolment> {
    use enrolment::Command as C;
    let changes: &[fn(&mut enrolment::Facts)] = &[
        |f| f.actor_is_user = true,
        |f| (f.actor_is_user, f.user_active) = (true, false),
        |f| (f.actor_is_user, f.code_live) = (true, false),
        |f| f.contract_active = false,
        |f| f.user_active = false,
        |f| f.address_fresh = true,
        |f| f.danger = true,
        |f| f.batch_reconciled = false,
        |f| f.same_contract = false,
        |f| f.actor_authority = false,
        |f| f.actor_certificate_active = false,
        |f| f.transaction_vouched = false,
        |f| f.actor_codes_today = 20,
    ];
    let mut all = vec![enrolment_calm()];
    all.extend(changes.iter().map(|change| {
        let mut facts = enrolment_calm();
        change(&mut facts);
        facts
    }));
    let commands = vec![
        C::Begin,
        C::Order,
        C::Print,
        C::Spoil,
        C::Dispatch { tracking: "12345678903".to_owned() },
        C::Dispatch { tracking: "12345678904".to_owned() },
        C::ReturnedMail,
        C::Import,
        C::Issue,
        C::Noted,
        C::ChargeAttempt,
        C::Redeem,
        C::Pass,
        C::Miss,
        C::Finish,
    ];
    let mut actors = people(&[
        ("yamada", Role::User),
        ("sato", Role::AuthorityHolder),
        ("mail", Role::MailRoom),
        ("dispatch", Role::Dispatch),
        ("clerk-a", Role::Clerk),
        ("help", Role::HelpDesk),
    ]);
    actors.extend(people(&ONLOOKERS));
    Universe { starts, commands, actors, facts: all, rules: small_rules() }
}

pub(crate) fn expiry_world(starts: Vec<expiry::State>) -> Universe<expiry::Expiry> {
    let calm = expiry::Facts { user_active: true, active: true, newer: false, days_left: 0 };
    let mut all: Vec<_> = (0..30).map(|days_left| expiry::Facts { days_left, ..calm }).collect();
    all.push(expiry::Facts { user_active: false, ..calm });
    all.push(expiry::Facts { active: false, ..calm });
    all.push(expiry::Facts { newer: true, ..calm });
    let commands = vec![expiry::Command::Tell { serial: "01".to_owned() }];
    let mut actors = people(&[("yamada", Role::User), ("help", Role::HelpDesk)]);
    actors.extend(people(&ONLOOKERS));
    Universe { starts, commands, actors, facts: all, rules: small_rules() }
}
