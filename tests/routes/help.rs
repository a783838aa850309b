//! The help desk: a customer on the phone is found, told where things stand, guided by mail, called back,
//! and stopped; nothing secret is on the page, and everything done is on record.

use axum::http::StatusCode;
use engine::CaseId;

use crate::answer::Visitor;
use crate::desk::{form_arrives, get, post, state};
use crate::house::{House, NAOKO};

async fn row_of(house: &House, user_id: &str) -> i64 {
    let mut tx = house.app.tools.db.read().await.unwrap();
    let contract = saihakko::store::contracts::id_of(&mut tx, "0207054321").await.unwrap().unwrap();
    saihakko::store::users::id_of(&mut tx, contract, user_id).await.unwrap().unwrap()
}

async fn login_of(house: &House, user: i64) -> CaseId {
    let mut tx = house.app.tools.db.read().await.unwrap();
    let row = saihakko::store::credentials::find(&mut tx, user, "login").await.unwrap().unwrap();
    CaseId(row.case_id)
}

async fn commands(house: &House, case: CaseId) -> Vec<(String, String)> {
    let mut tx = house.app.tools.db.read().await.unwrap();
    let entries = engine::history::entries(&mut tx, case).await.unwrap();
    entries.into_iter().map(|entry| (entry.command, entry.role)).collect()
}

async fn found(house: &House, desk: &Visitor, asked: &str) -> String {
    let page = get(house, desk, &format!("/help?q={asked}")).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    page.main().to_owned()
}

#[tokio::test]
async fn a_customer_is_found_and_told_what_to_do_next() {
    let house = House::new().await;
    let case = form_arrives(&house).await;
    let desk = house.member("helpdesk").await;
    let user = row_of(&house, NAOKO).await;
    let link = format!("href=\"/help/{user}\"");
    for asked in [
        "%E3%81%93%E3%81%B0%E3%82%84%E3%81%97".to_owned(),
        "020705001".to_owned(),
        "0207054321".to_owned(),
        format!("R8-{:06}", case.0),
    ] {
        assert!(found(&house, &desk, &asked).await.contains(&link), "{asked}");
    }
    assert!(!found(&house, &desk, "%E9%9D%92%E8%91%89").await.contains(&link));
    let page = get(&house, &desk, &format!("/help/{user}")).await;
    let main = page.main();
    assert!(main.contains("当行で進めています") && main.contains("*****54321"), "{main}");
    for hidden in ["0207054321", "naoko@mizuiro.example", "2070502", "/desk/"] {
        assert!(!main.contains(hidden), "{hidden} is none of the help desk's");
    }
    let login = login_of(&house, user).await;
    let look = ("ViewCustomer".to_owned(), "help_desk".to_owned());
    assert!(commands(&house, login).await.contains(&look), "the look is an entry");
    for login in ["clerk1", "supervisor", "uketsuke"] {
        let other = house.member(login).await;
        let at = format!("/help/{user}");
        assert_eq!(get(&house, &other, &at).await.status, StatusCode::NOT_FOUND, "{login}");
        let sent = post(&house, &other, &at, "do=stop").await;
        assert_eq!(sent.status, StatusCode::NOT_FOUND, "{login}");
    }
}

#[tokio::test]
async fn guidance_goes_once_a_day_and_to_the_registered_address_only() {
    let house = House::new().await;
    let desk = house.member("helpdesk").await;
    let user = row_of(&house, NAOKO).await;
    let at = format!("/help/{user}");
    for _ in 0..2 {
        let sent = post(&house, &desk, &at, "do=guide&mail=other@evil.example").await;
        assert_eq!(sent.header("location"), format!("{at}?done=guided"));
    }
    house.wait(1).await;
    let login = login_of(&house, user).await;
    let guides = commands(&house, login).await.into_iter().filter(|(what, _)| what == "Guide");
    assert_eq!(guides.count(), 1);
    let folder = house.app.tools.config.data.dir.join("outbox");
    let mails: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    let to = |address: &str| mails.iter().filter(|mail| mail.contains(address)).count();
    assert_eq!((to("naoko@mizuiro.example"), to("evil.example")), (1, 0), "{mails:?}");
}

#[tokio::test]
async fn a_call_back_is_a_task_and_the_stop_stops() {
    let house = House::new().await;
    let case = form_arrives(&house).await;
    let desk = house.member("helpdesk").await;
    let user = row_of(&house, NAOKO).await;
    let at = format!("/help/{user}");
    let asked = post(&house, &desk, &at, "do=call").await;
    assert_eq!(asked.header("location"), format!("{at}?done=called"));
    let again = post(&house, &desk, &at, "do=call").await;
    assert_eq!(again.header("location"), format!("{at}?done=called_before"));
    let errands = house.app.errands().await.unwrap();
    let [errand] = errands.as_slice() else { panic!("{} tasks", errands.len()) };
    assert_eq!(errand.line.kind, "CallBack");
    assert_eq!(errand.line.about_case, login_of(&house, user).await.0);

    let customer = house.visitor(NAOKO).await;
    let stopped = post(&house, &desk, &at, "do=stop").await;
    assert_eq!(stopped.header("location"), format!("{at}?done=stopped"));
    house.wait(1).await;
    let login = login_of(&house, user).await;
    assert_eq!(state(&house, login).await.0, "Locked");
    assert_ne!(state(&house, case).await.0, "Identified", "the form on the desk stops too");
    let cases = crate::answer::Ask::get(&house.site, crate::house::SITE, "/cases").by(&customer);
    assert!(cases.send().await.status.is_redirection(), "the session is over");
    let by = ("Lock".to_owned(), "help_desk".to_owned());
    assert!(commands(&house, login).await.contains(&by));
    let again = post(&house, &desk, &at, "do=stop").await;
    assert_eq!(again.header("location"), format!("{at}?done=stopped"), "pressed twice");
}
