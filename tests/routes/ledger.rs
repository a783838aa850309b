//! Contracts and users: two people, the rules of the lists, and what a change concerns named before.

use axum::http::StatusCode;
use engine::CaseId;
use saihakko::import::samples::AOBA;
use saihakko::store::{contracts, credentials, users};

use crate::answer::{Answer, Ask, Visitor};
use crate::house::{HANAKO, House, OFFICE, SITE, TARO};

async fn post(house: &House, by: &Visitor, path: &str, form: &str) -> Answer {
    Ask::post(&house.office, OFFICE, path, form).by(by).send().await
}

async fn get(house: &House, by: &Visitor, path: &str) -> Answer {
    Ask::get(&house.office, OFFICE, path).by(by).send().await
}

fn form(matter: &str, key: u8, more: &str) -> String {
    format!("matter={matter}&key={}&{more}", format!("{key:02x}").repeat(16))
}

async fn approved(house: &House, by: &Visitor, asked: &Answer) -> CaseId {
    let path = asked.header("location").to_owned();
    assert!(path.starts_with("/proposals/"), "{}", asked.main());
    let answer = post(house, by, &path, "do=approve").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.main());
    CaseId(path.rsplit('/').next().unwrap().parse().unwrap())
}

async fn user(house: &House, user_id: &str) -> Option<users::User> {
    let mut tx = house.app.tools.db.read().await.unwrap();
    let id = contracts::id_of(&mut tx, AOBA).await.unwrap().unwrap();
    users::find(&mut tx, id, user_id).await.unwrap()
}

const NEW_USER: &str = "contract=0104212345&user_id=010429099&name=%E9%AB%98%E6%9C%A8&kana=%EF%BE%80%EF%BD%B6%EF%BD%B7\
    &language=ja&reissue_authority=false&certificate_required=true&email=takagi%40aoba.example";

#[tokio::test]
async fn a_new_user_takes_two_people_and_can_be_enrolled() {
    let house = House::new().await;
    let clerk = house.member("clerk1").await;
    let same = house.member("clerk1-approver").await;
    let approver = house.member("approver1").await;
    let wrong = NEW_USER.replace("010429099", "12").replace("takagi%40", "");
    let slips = post(&house, &clerk, "/upkeep/rows", &form("add_user", 1, &wrong)).await;
    assert_eq!(slips.status, StatusCode::UNPROCESSABLE_ENTITY);
    for field in ["#user_id", "#email"] {
        assert!(slips.main().contains(&format!("href=\"{field}\"")), "{field}: {}", slips.main());
    }
    assert!(slips.main().contains("9桁の数字で入力してください"), "as the import says it");
    let asked = post(&house, &clerk, "/upkeep/rows", &form("add_user", 2, NEW_USER)).await;
    let path = asked.header("location").to_owned();
    let refused = post(&house, &same, &path, "do=approve").await;
    assert!(refused.body.contains("申請した方は承認も否認もできません"), "{}", refused.main());
    assert!(user(&house, "010429099").await.is_none(), "a proposal changes nothing");
    approved(&house, &approver, &asked).await;
    let row = user(&house, "010429099").await.unwrap();
    assert_eq!((row.kana.as_str(), row.status.as_str()), ("タカキ", "active"));
    let mut tx = house.app.tools.db.read().await.unwrap();
    let id = users::id_of(&mut tx, row.contract_id, "010429099").await.unwrap().unwrap();
    let all = credentials::of_user(&mut tx, id).await.unwrap();
    assert_eq!(all.len(), 4);
    assert!(credentials::without_case(&mut tx, 10).await.unwrap().is_empty());
    drop(tx);
    // A number is never given twice.
    let again = post(&house, &clerk, "/upkeep/rows", &form("add_user", 3, NEW_USER)).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    for login in ["uketsuke", "operator"] {
        let visitor = house.member(login).await;
        for path in [path.as_str(), "/upkeep/contracts/0104212345", "/upkeep/contracts/new"] {
            assert_eq!(get(&house, &visitor, path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
    }
}

#[tokio::test]
async fn closing_a_user_names_the_open_cases_first_and_ends_the_sessions() {
    let house = House::new().await;
    let cases = house.with_cases().await;
    let taro = house.visitor(TARO).await;
    let clerk = house.member("clerk1").await;
    let approver = house.member("approver1").await;
    let page = get(&house, &clerk, &format!("/upkeep/contracts/{AOBA}")).await;
    assert!(page.main().contains(&format!("/users/{TARO}\"")), "{}", page.main());
    let page = get(&house, &clerk, &format!("/upkeep/contracts/{AOBA}/users/{TARO}")).await;
    let number = format!("/cases/{}", cases.confirming);
    assert!(page.main().contains(&number), "{}", page.main());
    let wish = format!("contract={AOBA}&user_id={TARO}");
    let asked = post(&house, &clerk, "/upkeep/rows", &form("close_user", 1, &wish)).await;
    let shown = get(&house, &approver, asked.header("location")).await;
    assert!(shown.main().contains(&number) && shown.main().contains("終わっていない案件 1件"));
    assert!(shown.main().contains("ログイン中の画面はすぐに終わり"));
    let inside = async || Ask::get(&house.site, SITE, "/certificate").by(&taro).send().await.status;
    assert_eq!(inside().await, StatusCode::OK);
    approved(&house, &approver, &asked).await;
    assert_eq!(inside().await, StatusCode::SEE_OTHER, "the session lives on");
    assert_eq!(user(&house, TARO).await.unwrap().status, "deleted");
    let page = get(&house, &clerk, &format!("/upkeep/contracts/{AOBA}/users/{TARO}")).await;
    assert!(page.main().contains("終わっています") && !page.main().contains("close_user"));
    let twice = post(&house, &clerk, "/upkeep/rows", &form("close_user", 2, &wish)).await;
    assert_eq!(twice.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(user(&house, HANAKO).await.is_some_and(|row| row.status == "active"));
}

#[tokio::test]
async fn a_contract_is_added_changed_and_ended_by_two_people() {
    let house = House::new().await;
    let clerk = house.member("clerk1").await;
    let approver = house.member("approver1").await;
    let new = "number=0199990001&variant=light&status=active&company=%E9%9D%92&company_kana=%E3%82%A2%E3%82%AA\
        &representative=%E6%A3%AE&branch=001&account_type=current&account_number=7654321&phone=0312345678\
        &language=ja&target_only_reveal=false";
    let asked = post(&house, &clerk, "/upkeep/rows", &form("add_contract", 1, new)).await;
    approved(&house, &approver, &asked).await;
    let find = async || {
        let mut tx = house.app.tools.db.read().await.unwrap();
        contracts::find(&mut tx, "0199990001").await.unwrap().unwrap()
    };
    assert_eq!((find().await.company.as_str(), find().await.status.as_str()), ("青", "active"));
    let same = post(&house, &clerk, "/upkeep/rows", &form("change_contract", 2, new)).await;
    assert_eq!(same.status, StatusCode::UNPROCESSABLE_ENTITY, "nothing would change");
    let closing = new.replace("status=active", "status=closed");
    let refused = post(&house, &clerk, "/upkeep/rows", &form("change_contract", 3, &closing)).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "a change closes nothing");
    let other = new.replace("0312345678", "0398765432");
    let asked = post(&house, &clerk, "/upkeep/rows", &form("change_contract", 4, &other)).await;
    let shown = get(&house, &approver, asked.header("location")).await;
    assert!(shown.main().contains("<b>0398765432</b>") && shown.main().contains("0312345678"));
    // Meanwhile somebody imports another number.
    let mut tx = house.app.tools.db.write().await.unwrap();
    let row = contracts::Contract { phone: "0300000000".to_owned(), ..find().await };
    contracts::save(&mut tx, &row).await.unwrap();
    tx.commit().await.unwrap();
    let stale = post(&house, &approver, asked.header("location"), "do=approve").await;
    assert!(stale.body.contains("申請のあとに内容が変わりました"), "{}", stale.main());
    post(&house, &clerk, asked.header("location"), "do=withdraw").await;
    let asked =
        post(&house, &clerk, "/upkeep/rows", &form("close_contract", 5, "number=0199990001")).await;
    let case = approved(&house, &approver, &asked).await;
    assert_eq!(find().await.status, "closed");
    let mut tx = house.app.tools.db.read().await.unwrap();
    let entries = engine::history::entries(&mut tx, case).await.unwrap();
    let told: Vec<&str> = entries.iter().map(|entry| entry.command.as_str()).collect();
    assert_eq!(told.first(), Some(&"Propose"));
    assert!(told.contains(&"Approve"));
}
