//! Staff's accounts: what two people change, what the command line changes, and the record of every
//! sign-in.

use axum::http::StatusCode;
use engine::CaseId;
use forms::seal::Impression;
use saihakko::store::staff::{self, StaffRow};
use workflows::account::Command;

use crate::answer::{Answer, Ask, Visitor};
use crate::house::{House, OFFICE};

/// 高木 is the second system administrator of the house.
const SECOND: &str = "takagi";

async fn post(house: &House, by: &Visitor, path: &str, form: &str) -> Answer {
    Ask::post(&house.office, OFFICE, path, form).by(by).send().await
}

async fn get(house: &House, by: &Visitor, path: &str) -> Answer {
    Ask::get(&house.office, OFFICE, path).by(by).send().await
}

/// Somebody new at the command line, who signs in at once.
async fn added(house: &House, login: &str, person: &str, roles: &str) -> Visitor {
    let row = StaffRow {
        person: person.to_owned(),
        login: login.to_owned(),
        name: "高木 真".to_owned(),
        roles: roles.to_owned(),
        active: true,
        issuer: String::new(),
        subject: String::new(),
    };
    let new = house.app.keep_account(Command::Add, &row).await.unwrap().unwrap();
    house.signed_in(login, &new.password, &new.seed).await.unwrap()
}

fn case_of(answer: &Answer) -> CaseId {
    let to = answer.header("location");
    let number = to.strip_prefix("/proposals/").unwrap_or_else(|| panic!("{}", answer.body));
    CaseId(number.parse().unwrap())
}

fn form(matter: &str, key: u8, more: &str) -> String {
    format!("matter={matter}&key={}&{more}", format!("{key:02x}").repeat(16))
}

async fn state(house: &House, case: CaseId) -> String {
    let found = house.app.desks.proposal.find(case).await.unwrap();
    engine::label(&found.unwrap().1)
}

/// The secret on the one page that shows it.
fn shown(answer: &Answer) -> String {
    let (_, rest) = answer.body.split_once("<code class=\"mono\">").unwrap();
    rest.split_once("</code>").unwrap().0.to_owned()
}

#[tokio::test]
async fn a_new_account_takes_two_people_and_each_hands_over_a_half() {
    let house = House::new().await;
    let first = house.member("operator").await;
    let second = added(&house, SECOND, "S-020", "system_administrator").await;
    let wish = "login=mori2&name=%E6%A3%AE&person=S-021&role_clerk=yes";
    let asked = post(&house, &first, "/accounts/propose", &form("open_account", 1, wish)).await;
    let case = case_of(&asked);
    let path = format!("/proposals/{case}");
    let again = post(&house, &first, "/accounts/propose", &form("open_account", 1, wish)).await;
    assert_eq!(case_of(&again), case, "the same page proposes once");
    let own = post(&house, &first, &path, "do=approve").await;
    assert_eq!(own.status, StatusCode::CONFLICT);
    assert!(own.body.contains("申請した方は承認も否認もできません"), "{}", own.main());
    assert!(house.signed_in("mori2", "x", "").await.is_none());
    let page = get(&house, &second, &path).await;
    assert!(page.main().contains("mori2") && page.main().contains("value=\"approve\""));
    assert!(!get(&house, &first, &path).await.main().contains("value=\"approve\""));
    assert_eq!(post(&house, &second, &path, "do=approve").await.status, StatusCode::SEE_OTHER);
    assert_eq!(state(&house, case).await, "HandingOut");
    // Each takes their own half, once.
    let wrong = post(&house, &second, &path, "do=take_password").await;
    assert_eq!(wrong.status, StatusCode::CONFLICT);
    let password = shown(&post(&house, &first, &path, "do=take_password").await);
    let seed = shown(&post(&house, &second, &path, "do=take_seed").await);
    assert_eq!(state(&house, case).await, "Done");
    let late = post(&house, &first, &path, "do=take_password").await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    let fresh = house.signed_in("mori2", &password, &seed).await.unwrap();
    assert_eq!(get(&house, &fresh, "/queue/check").await.status, StatusCode::OK);
    let report = house.app.engine.db().read().await.unwrap();
    drop(report);
    let mut tx = house.app.tools.db.read().await.unwrap();
    let row = saihakko::store::proposals::find(&mut tx, case).await.unwrap().unwrap();
    assert!(row.sealed_password.is_none() && row.sealed_seed.is_none(), "a half is left behind");
    let entries = engine::history::entries(&mut tx, case).await.unwrap();
    let all = format!("{entries:?}");
    assert!(!all.contains(&password) && !all.contains(&seed));
}

#[tokio::test]
async fn nobody_changes_their_own_account_even_under_another_one() {
    let house = House::new().await;
    let first = house.member("operator").await;
    let second = added(&house, SECOND, "S-020", "system_administrator").await;
    let other_self = added(&house, "operator2", "S-010", "system_administrator").await;
    let own = "login=operator&role_auditor=yes&role_system_administrator=yes";
    let refused = post(&house, &first, "/accounts/propose", &form("change_roles", 1, own)).await;
    assert!(refused.body.contains("ご自分のアカウントについては"), "{}", refused.main());
    let asked = post(&house, &second, "/accounts/propose", &form("change_roles", 2, own)).await;
    let path = format!("/proposals/{}", case_of(&asked));
    for visitor in [&first, &other_self] {
        let refused = post(&house, visitor, &path, "do=approve").await;
        assert!(refused.body.contains("ご自分のアカウントについては"), "{}", refused.main());
    }
    // A second account of the proposer is the same person.
    let wish = "login=clerk2&role_auditor=yes";
    let asked = post(&house, &first, "/accounts/propose", &form("change_roles", 3, wish)).await;
    let path = format!("/proposals/{}", case_of(&asked));
    let refused = post(&house, &other_self, &path, "do=approve").await;
    assert!(refused.body.contains("申請した方は承認も否認もできません"), "{}", refused.main());
    let clerk = house.member("clerk2").await;
    assert_eq!(post(&house, &second, &path, "do=approve").await.status, StatusCode::SEE_OTHER);
    assert_eq!(get(&house, &clerk, "/queue/check").await.status, StatusCode::SEE_OTHER, "ended");
    let clerk = house.member("clerk2").await;
    assert_eq!(get(&house, &clerk, "/queue/check").await.status, StatusCode::NOT_FOUND);
    assert_eq!(get(&house, &clerk, "/sign-ins").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_last_system_administrator_cannot_be_closed() {
    let house = House::new().await;
    let mut tx = house.app.tools.db.read().await.unwrap();
    let row = staff::find(&mut tx, "operator").await.unwrap().unwrap();
    drop(tx);
    let declined = house.app.keep_account(Command::Close, &row).await;
    assert!(format!("{:?}", declined.err()).contains("account.LastAdministrator"));
    let second = added(&house, SECOND, "S-020", "system_administrator").await;
    let asked =
        post(&house, &second, "/accounts/propose", &form("close_account", 1, "login=operator"))
            .await;
    let path = format!("/proposals/{}", case_of(&asked));
    let third = added(&house, "third", "S-022", "system_administrator").await;
    assert_eq!(post(&house, &third, &path, "do=approve").await.status, StatusCode::SEE_OTHER);
    assert!(house.try_member("operator").await.is_none(), "a closed account signs in");
}

#[tokio::test]
async fn what_changed_meanwhile_is_not_approved_and_what_nobody_decides_lapses() {
    let house = House::new().await;
    let first = house.member("operator").await;
    let second = added(&house, SECOND, "S-020", "system_administrator").await;
    let wish = "login=clerk1&role_auditor=yes";
    let asked = post(&house, &first, "/accounts/propose", &form("change_roles", 1, wish)).await;
    let case = case_of(&asked);
    let twice =
        post(&house, &second, "/accounts/propose", &form("close_account", 2, "login=clerk1")).await;
    assert!(twice.body.contains("同じ対象の申請が承認を待っています"));
    let mut tx = house.app.tools.db.write().await.unwrap();
    saihakko::store::enrolment::save_staff(&mut tx, "S-002", "clerk1", "井上 誠", "mail_room")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let refused = post(&house, &second, &format!("/proposals/{case}"), "do=approve").await;
    assert!(refused.body.contains("申請のあとに内容が変わりました"), "{}", refused.main());
    house.wait(8 * 86_400).await;
    assert_eq!(state(&house, case).await, "Lapsed");
}

#[tokio::test]
async fn every_sign_in_is_on_record_and_an_auditor_reads_it() {
    let house = House::new().await;
    house.wait(60).await;
    let clerk = house.member("clerk1").await;
    post(&house, &clerk, "/sign-out", "").await;
    for _ in 0..5 {
        Ask::post(&house.office, OFFICE, "/sign-in", "login=clerk1&password=no&code=0")
            .send()
            .await;
    }
    Ask::post(&house.office, OFFICE, "/sign-in", "login=clerk1&password=no&code=0").send().await;
    Ask::post(&house.office, OFFICE, "/sign-in", "login=%3Dcmd&password=no&code=0").send().await;
    let auditor = house.member("auditor").await;
    let page = get(&house, &auditor, "/sign-ins?login=clerk1").await;
    let count = |word: &str| page.main().matches(&format!("</svg>{word}</span>")).count();
    assert_eq!(
        (count("ログイン"), count("ログアウト"), count("誤り")),
        (1, 1, 5),
        "{}",
        page.main()
    );
    assert_eq!(count("一時的に停止"), 1);
    assert!(page.main().contains("ログインパスワード + ワンタイムパスワード"), "{}", page.main());
    assert!(page.main().contains("203.0.113.24"));
    let unknown = get(&house, &auditor, "/sign-ins?login=-").await;
    assert!(unknown.main().contains("誤り"), "a name that nobody has is on record");
    assert!(!unknown.body.contains("=cmd"), "what was typed is not kept");
    let other_day = get(&house, &auditor, "/sign-ins?login=clerk1&day=2026-11-18").await;
    assert!(other_day.main().contains("記録がありません"));
    let day = get(&house, &auditor, "/sign-ins?login=clerk1&day=2026-11-19").await;
    assert!(day.main().contains("誤り"));
    let file = get(&house, &auditor, "/sign-ins.csv?login=clerk1").await;
    assert!(file.header("content-type").starts_with("text/csv"));
    assert_eq!(file.body.lines().count(), 9, "{}", file.body);
    for login in ["operator", "supervisor", "clerk2"] {
        let visitor = house.member(login).await;
        assert_eq!(get(&house, &visitor, "/sign-ins").await.status, StatusCode::NOT_FOUND);
        assert_eq!(get(&house, &visitor, "/sign-ins.csv").await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn the_command_line_leaves_its_entries() {
    let house = House::new().await;
    added(&house, SECOND, "S-020", "system_administrator").await;
    let mut tx = house.app.tools.db.read().await.unwrap();
    let row = staff::find(&mut tx, SECOND).await.unwrap().unwrap();
    drop(tx);
    house.app.keep_account(Command::Renew, &row).await.unwrap();
    house.app.keep_account(Command::Close, &row).await.unwrap();
    let mut tx = house.app.tools.db.read().await.unwrap();
    let case = saihakko::store::sign_ins::case_of(&mut tx, "account-takagi").await.unwrap();
    let entries = engine::history::entries(&mut tx, case.unwrap()).await.unwrap();
    let told: Vec<&str> = entries
        .iter()
        .filter(|entry| entry.actor == "command-line")
        .map(|entry| entry.command.as_str())
        .collect();
    assert_eq!(told, ["Add", "Renew", "Close"]);
    assert!(entries.iter().all(|entry| entry.actor != "command-line"
        || (entry.auth == "local" && entry.place.starts_with("command line uid-"))));
}

#[tokio::test]
async fn an_address_and_a_holiday_change_by_two_people_only() {
    let house = House::new().await;
    let clerk = house.member("clerk1").await;
    let same = house.member("clerk1-approver").await;
    let approver = house.member("approver1").await;
    let page = get(&house, &clerk, "/upkeep?contract=0104212345").await;
    assert!(page.main().contains("青葉製作所"), "{}", page.main());
    let wish = "contract=0104212345&postal_code=100-0005&address=%E5%8D%83%E4%BB%A3%E7%94%B0";
    let asked = post(&house, &clerk, "/upkeep/propose", &form("address", 1, wish)).await;
    let path = format!("/proposals/{}", case_of(&asked));
    let refused = post(&house, &same, &path, "do=approve").await;
    assert!(refused.body.contains("申請した方は承認も否認もできません"), "{}", refused.main());
    assert_eq!(post(&house, &approver, &path, "do=approve").await.status, StatusCode::SEE_OTHER);
    let page = get(&house, &clerk, "/upkeep?contract=0104212345").await;
    assert!(page.main().contains("1000005 千代田"), "{}", page.main());
    // 25 November 2026 is a Wednesday.
    let day: chrono::NaiveDate = "2026-11-25".parse().unwrap();
    assert!(house.app.engine.calendar().is_business_day(day));
    // What is over, what is beyond the list and what is kept already is no proposal.
    for other in ["2020-01-06", "2028-02-01", "2026-11-23", "2026-02-30"] {
        let wish = format!("day={other}&name=x&source=y");
        let asked = post(&house, &clerk, "/upkeep/propose", &form("add_holiday", 9, &wish)).await;
        assert_eq!(asked.status, StatusCode::UNPROCESSABLE_ENTITY, "{other}");
    }
    let wish = "day=2026-11-25&name=x&source=y";
    let asked = post(&house, &clerk, "/upkeep/propose", &form("add_holiday", 2, wish)).await;
    let path = format!("/proposals/{}", case_of(&asked));
    assert!(house.app.engine.calendar().is_business_day(day), "a proposal changes nothing");
    post(&house, &approver, &path, "do=approve").await;
    assert!(!house.app.engine.calendar().is_business_day(day));
    let asked =
        post(&house, &clerk, "/upkeep/propose", &form("remove_holiday", 3, "day=2026-11-25")).await;
    let path = format!("/proposals/{}", case_of(&asked));
    post(&house, &approver, &path, "do=approve").await;
    assert!(house.app.engine.calendar().is_business_day(day));
    for login in ["uketsuke", "operator"] {
        let visitor = house.member(login).await;
        assert_eq!(get(&house, &visitor, "/upkeep").await.status, StatusCode::NOT_FOUND);
        assert_eq!(get(&house, &visitor, &path).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_specimen_is_in_force_after_the_second_person_only() {
    let house = House::new().await;
    let clerk = house.member("clerk1").await;
    let approver = house.member("approver1").await;
    let picture = Impression::company("青葉商事株式会社", 9).unwrap().to_png().unwrap();
    let part = |name: &str, value: &[u8]| {
        let mut text =
            format!("--x\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n").into_bytes();
        text.extend_from_slice(value);
        text.extend_from_slice(b"\r\n");
        text
    };
    let propose = async |picture: &[u8]| {
        let mut body = part("key", "0a".repeat(16).as_bytes());
        body.extend(part("contract", b"0104212345"));
        body.extend(part("valid_from", b"2026-12-01"));
        body.extend(part("picture", picture));
        body.extend_from_slice(b"--x--\r\n");
        let asked = Ask::post(&house.office, OFFICE, "/upkeep/specimen", "").by(&clerk);
        asked.with("content-type", "multipart/form-data; boundary=x").body(body).send().await
    };
    let bare = propose(b"\x89PNG\r\n\x1A\nnothing").await;
    assert_eq!(bare.status, StatusCode::UNPROCESSABLE_ENTITY);
    let case = case_of(&propose(&picture).await);
    let path = format!("/proposals/{case}");
    let image = get(&house, &approver, &format!("{path}/picture")).await;
    assert_eq!(image.header("content-type"), "image/png");
    assert_eq!(image.bytes, picture);
    let seals = async || {
        let mut tx = house.app.tools.db.read().await.unwrap();
        let id = saihakko::store::contracts::id_of(&mut tx, "0104212345").await.unwrap().unwrap();
        saihakko::store::specimens::of_contract(&mut tx, id).await.unwrap()
    };
    let before = seals().await;
    assert_eq!(post(&house, &approver, &path, "do=approve").await.status, StatusCode::SEE_OTHER);
    let after = seals().await;
    assert_eq!(after.len(), before.len() + 1);
    assert_eq!((after[0].0.as_str(), after[0].1.as_deref()), ("2026-12-01", None));
    assert_eq!(after[1].1.as_deref(), Some("2026-11-30"));
    let mut tx = house.app.tools.db.read().await.unwrap();
    let entries = engine::history::entries(&mut tx, case).await.unwrap();
    assert!(entries.iter().any(|entry| entry.command == "ViewSpecimen"));
}
