//! The worlds of accounts, proposals and masks.

use engine::{Actor, CaseId, Universe};
use workflows::terms::Role;
use workflows::{account, mask, proposal};

use super::{ONLOOKERS, people, small_rules};

pub(crate) fn account_calm() -> account::Facts {
    account::Facts {
        active: true,
        local: true,
        delay_over: true,
        others_administer: true,
        administers: true,
    }
}

pub(crate) fn account_world(starts: Vec<account::State>) -> Universe<account::Account> {
    use account::{Command as C, Facts};
    let calm = account_calm();
    let all = vec![
        calm.clone(),
        Facts { active: false, ..calm.clone() },
        Facts { local: false, ..calm.clone() },
        Facts { delay_over: false, ..calm.clone() },
        Facts { others_administer: false, ..calm.clone() },
        Facts { others_administer: false, administers: false, ..calm },
    ];
    let mut commands = vec![
        C::Begin,
        C::ChargeAttempt,
        C::Redeem,
        C::Miss,
        C::Leave,
        C::Add,
        C::Renew,
        C::Link,
        C::Close,
        C::Forget,
    ];
    commands.extend(account::Answer::ALL.map(|answer| C::Enter { answer }));
    let mut actors = people(&[
        ("yamada", Role::User),
        ("clerk-a", Role::Clerk),
        (account::COMMAND_LINE, Role::SystemAdministrator),
    ]);
    actors.extend(people(&ONLOOKERS));
    Universe { starts, commands, actors, facts: all, rules: small_rules() }
}

/// One change of each kind.
pub(crate) fn changes() -> Vec<proposal::Change> {
    use proposal::Change as C;
    let text = str::to_owned;
    let (login, contract, day) = (text("mori"), text("0104212345"), text("2026-12-30"));
    let (user_id, columns) = (text("010429001"), proposal::Columns::new());
    vec![
        C::OpenAccount {
            login: login.clone(),
            person: text("S-011"),
            name: text("森 彩"),
            roles: text("clerk"),
        },
        C::ChangeRoles { login: login.clone(), roles: text("auditor") },
        C::CloseAccount { login: login.clone() },
        C::RenewSecrets { login: login.clone() },
        C::OpenLinkedAccount {
            login: login.clone(),
            person: text("S-011"),
            name: text("森 彩"),
            roles: text("clerk"),
            issuer: text("https://id.bank.example"),
            subject: text("248289761001"),
        },
        C::LinkSubject {
            login,
            issuer: text("https://id.bank.example"),
            subject: text("248289761001"),
        },
        C::Address {
            contract: contract.clone(),
            postal_code: text("1000005"),
            address: text("東京都千代田区丸の内2-7-1"),
        },
        C::Specimen {
            contract: contract.clone(),
            valid_from: text("2026-12-01"),
            digest: text("00"),
        },
        C::AddContract { contract: contract.clone(), columns: columns.clone() },
        C::ChangeContract { contract: contract.clone(), columns: columns.clone() },
        C::CloseContract { contract: contract.clone() },
        C::AddUser {
            contract: contract.clone(),
            user_id: user_id.clone(),
            columns: columns.clone(),
        },
        C::ChangeUser { contract: contract.clone(), user_id: user_id.clone(), columns },
        C::CloseUser { contract, user_id },
        C::AddHoliday { day: day.clone(), name: text("創立記念日"), source: text("通達") },
        C::RemoveHoliday { day },
        C::PlaceHold {
            case: 12, reference: text("令和8年(ワ)第1号"), reason: text("照会")
        },
        C::LiftHold { case: 12, reference: text("令和8年(ワ)第1号"), reason: text("終結") },
    ]
}

/// Two clerks, one of them an approver as well, and whoever else works behind the counter.
fn office() -> Vec<Actor<Role>> {
    let mut actors = people(&[
        ("yamada", Role::User),
        ("clerk-a", Role::Clerk),
        ("clerk-b", Role::Clerk),
        ("clerk-a", Role::Approver),
        ("approver", Role::Approver),
        ("chief", Role::Supervisor),
        ("help", Role::HelpDesk),
        ("keeper", Role::SystemAdministrator),
    ]);
    actors.extend(people(&ONLOOKERS));
    actors
}

fn proposal_calm() -> proposal::Facts {
    proposal::Facts {
        target_found: true,
        actor_is_target: false,
        unchanged: true,
        takes_administration: false,
        others_administer: true,
        subject_taken: false,
        already_proposed: false,
        account: Some(CaseId(6)),
    }
}

pub(crate) fn proposal_world(starts: Vec<proposal::State>) -> Universe<proposal::Proposal> {
    use proposal::{Command as C, Facts};
    let calm = proposal_calm();
    let all = vec![
        calm.clone(),
        Facts { target_found: false, ..calm.clone() },
        Facts { actor_is_target: true, ..calm.clone() },
        Facts { unchanged: false, ..calm.clone() },
        Facts { takes_administration: true, ..calm.clone() },
        Facts { takes_administration: true, others_administer: false, ..calm.clone() },
        Facts { others_administer: false, ..calm.clone() },
        Facts { subject_taken: true, ..calm.clone() },
        Facts { already_proposed: true, ..calm.clone() },
        Facts { account: None, ..calm },
    ];
    let mut commands: Vec<C> = changes().into_iter().map(|change| C::Propose { change }).collect();
    commands.extend([C::Approve, C::Reject, C::Withdraw, C::TakePassword, C::TakeSeed]);
    let actors = office();
    Universe { starts, commands, actors, facts: all, rules: small_rules() }
}

pub(crate) fn mask_world(starts: Vec<mask::State>) -> Universe<mask::Mask> {
    use mask::{Area, Command as C, Facts, Wish};
    let facts = vec![Facts { page_found: true }, Facts { page_found: false }];
    let area = Area { x: 1_000, y: 2_000, w: 3_000, h: 400 };
    let mut commands: Vec<C> = [
        area,
        Area { w: 10, ..area },
        Area { h: 10, ..area },
        Area { x: 8_000, ..area },
        Area { y: 9_900, ..area },
    ]
    .map(|area| C::Lay { area })
    .to_vec();
    commands.extend(Wish::ALL.map(|wish| C::Ask { wish }));
    commands.extend([C::Allow, C::Refuse, C::Withdraw, C::See]);
    let mut actors = office();
    actors.extend(people(&[("mail", Role::MailRoom)]));
    Universe { starts, commands, actors, facts, rules: small_rules() }
}
