//! The staff's site: nobody without a sign-in, every room for its roles only, and a sign-in that
//! tells nobody what was wrong.

use std::collections::BTreeSet;
use std::fmt::Write;

use axum::http::StatusCode;

use crate::answer::{Answer, Ask, Visitor};
use crate::house::{House, OFFICE};

/// Everybody of the sample staff, one of each role.
const PEOPLE: [&str; 8] =
    ["uketsuke", "clerk1", "approver1", "hassou", "helpdesk", "auditor", "operator", "supervisor"];

/// Read with GET.
const READ: [&str; 38] = [
    "/",
    "/queue/check",
    "/queue/approve",
    "/queue/nothing",
    "/help",
    "/help/{user}",
    "/search",
    "/audit",
    "/desk/{case}",
    "/desk/{case}/warm",
    "/desk/{case}/page/{place}",
    "/desk/{case}/seal/{view}",
    "/desk/{case}/back",
    "/desk/{case}/return",
    "/desk/{case}/return/look",
    "/desk/{case}/return/letter/{kind}",
    "/masks",
    "/masks/{case}/{place}",
    "/mask/{case}",
    "/mask/{case}/original",
    "/intake",
    "/matching",
    "/matching/{case}",
    "/matching/{case}/page/{place}",
    "/dispatch",
    "/tasks",
    "/dashboard",
    "/dashboard/csv/{plot}",
    "/accounts",
    "/accounts/{login}",
    "/proposals/{case}",
    "/proposals/{case}/picture",
    "/upkeep",
    "/upkeep/contracts/{number}",
    "/upkeep/contracts/{number}/users/{user_id}",
    "/holds",
    "/sign-ins",
    "/sign-ins.csv",
];
/// Sent with POST and a form that says nothing.
const SENT: [&str; 24] = [
    "/help/{user}",
    "/masks/{case}/{place}",
    "/mask/{case}",
    "/intake/register",
    "/intake/files",
    "/matching/{case}",
    "/dispatch/post",
    "/dispatch/settle",
    "/dispatch/spoil/{case}",
    "/tasks/{case}",
    "/accounts/propose",
    "/proposals/{case}",
    "/upkeep/propose",
    "/upkeep/rows",
    "/holds/propose",
    "/desk/{case}/hand-on",
    "/desk/{case}/decide",
    "/desk/{case}/return",
    "/session",
    "/queue/check/filters",
    "/queue/check/next",
    "/queue/approve/next",
    "/queue/check/take/{case}",
    "/queue/check/release/{case}",
];
/// Looked at elsewhere: without a sign-in, or it ends the session that the table needs; and the
/// histories, which have tests of their own.
const ELSEWHERE: [&str; 6] = [
    "/sign-in",
    "/sign-in/provider",
    "/sign-in/provider/back",
    "/sign-out",
    "/intake/scan",
    "/upkeep/specimen",
];

fn cell(answer: &Answer) -> String {
    if !answer.status.is_redirection() {
        return answer.status.as_u16().to_string();
    }
    let to = answer.header("location");
    if to.contains("over=1") { "door".to_owned() } else { to.to_owned() }
}

#[tokio::test]
async fn every_room_is_open_to_its_roles_only() {
    let house = House::new().await;
    let mut people = vec![("guest", Visitor::default())];
    for login in PEOPLE {
        people.push((login, house.member(login).await));
    }
    // A customer's session is no key to the office.
    let customer = house.visitor(crate::house::HANAKO).await.cookies;
    let customer = customer.replace("__Host-session", "__Host-staff");
    people.push(("customer", Visitor { cookies: customer, certificate: None }));
    let mut table = String::new();
    for (method, routes) in [("GET", READ.as_slice()), ("POST", SENT.as_slice())] {
        for route in routes {
            let path = route.replace("{case}", "999999").replace("{place}", "0");
            let path = path
                .replace("{view}", "overlay")
                .replace("{kind}", "pdf")
                .replace("{plot}", "ages")
                .replace("{user}", "999999")
                .replace("{login}", "clerk1");
            let mut cells = Vec::new();
            for (who, visitor) in &people {
                let ask = if method == "GET" {
                    Ask::get(&house.office, OFFICE, &path)
                } else {
                    Ask::post(&house.office, OFFICE, &path, "")
                };
                let answer = ask.by(visitor).send().await;
                assert!(!answer.status.is_server_error(), "{method} {route}: {}", answer.body);
                cells.push(format!("{who} {}", cell(&answer)));
            }
            writeln!(table, "{method:<4} {route:<28} {}", cells.join(" | ")).unwrap();
        }
    }
    insta::assert_snapshot!("office", table);
}

/// A route that nobody wrote into the table would be looked at by nobody.
#[test]
fn no_route_of_the_office_is_missing_from_the_table() {
    let source = include_str!("../../src/web/staff.rs");
    let routes = source.split(".route(\"").skip(1).filter_map(|rest| rest.split('"').next());
    let known: BTreeSet<String> = READ
        .iter()
        .chain(&SENT)
        .chain(&ELSEWHERE)
        .map(|route| {
            route
                .replace("/queue/check", "/queue/{queue}")
                .replace("/queue/approve", "/queue/{queue}")
        })
        .collect();
    let missing: Vec<&str> = routes.filter(|route| !known.contains(*route)).collect();
    assert!(missing.is_empty(), "not in the table: {missing:?}");
}

#[tokio::test]
async fn a_sign_in_that_fails_never_says_why() {
    let house = House::new().await;
    let right = house.card("clerk1").await;
    let wrong = if right == "000000" { "000001" } else { "000000" };
    let mut pages = BTreeSet::new();
    for (login, password, code) in [
        ("clerk1", "staff-clerk1", wrong),
        ("clerk1", "nonsense", right.as_str()),
        ("nobody", "staff-nobody", right.as_str()),
        ("", "", ""),
    ] {
        let form = format!("login={login}&password={password}&code={code}");
        let answer = Ask::post(&house.office, OFFICE, "/sign-in", &form).send().await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.cookies().is_empty());
        assert!(!answer.body.contains("nonsense"), "a password is repeated");
        pages.insert(answer.main().replace(&format!("value=\"{login}\""), "value=\"\""));
    }
    assert_eq!(pages.len(), 1, "the pages differ");
}

#[tokio::test]
async fn a_card_is_good_once_and_wrong_entries_slow_down() {
    let house = House::new().await;
    house.wait(60).await;
    let code = house.card("clerk1").await;
    let form = format!("login=clerk1&password=staff-clerk1&code={code}");
    let enter = || Ask::post(&house.office, OFFICE, "/sign-in", &form).send();
    let first = enter().await;
    assert_eq!((first.status, first.header("location")), (StatusCode::SEE_OTHER, "/"));
    assert!(
        first.cookies().iter().any(|c| c.starts_with("__Host-staff=") && c.contains("HttpOnly"))
    );
    assert_eq!(enter().await.status, StatusCode::UNPROCESSABLE_ENTITY, "the same number again");
    let wrong = "login=clerk1&password=no&code=000000";
    for _ in 0..4 {
        Ask::post(&house.office, OFFICE, "/sign-in", wrong).send().await;
    }
    let late = house.card("clerk1").await;
    house.wait(30).await;
    let fresh = house.card("clerk1").await;
    assert_ne!(late, fresh);
    let form = format!("login=clerk1&password=staff-clerk1&code={fresh}");
    let slowed = Ask::post(&house.office, OFFICE, "/sign-in", &form).send().await;
    assert_eq!(slowed.status, StatusCode::UNPROCESSABLE_ENTITY, "five wrong entries wait a minute");
    house.wait(60).await;
    let form = format!("login=clerk1&password=staff-clerk1&code={}", house.card("clerk1").await);
    let later = Ask::post(&house.office, OFFICE, "/sign-in", &form).send().await;
    assert_eq!(later.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_session_ends_when_told_when_idle_and_with_the_account() {
    let house = House::new().await;
    let clerk = house.member("clerk1").await;
    let opens = async |visitor: &Visitor| {
        let asked = Ask::get(&house.office, OFFICE, "/queue/check").by(visitor).send().await;
        asked.status == StatusCode::OK
    };
    assert!(opens(&clerk).await);
    let left = Ask::post(&house.office, OFFICE, "/sign-out", "").by(&clerk).send().await;
    assert!(left.header("location").starts_with("/sign-in?left=1"));
    assert!(!opens(&clerk).await, "the token still opens after the sign-out");
    let idle = house.member("clerk2").await;
    assert!(opens(&idle).await);
    house.wait(16 * 60).await;
    assert!(!opens(&idle).await, "fifteen idle minutes end a session");
    let closed = house.member("clerk2").await;
    let mut tx = house.app.tools.db.write().await.unwrap();
    saihakko::store::staff::set_active(&mut tx, "clerk2", false).await.unwrap();
    tx.commit().await.unwrap();
    assert!(!opens(&closed).await, "a closed account still works");
}

#[tokio::test]
async fn another_site_sends_nothing_in_their_name() {
    let house = House::new().await;
    let clerk = house.member("clerk1").await;
    for route in SENT.into_iter().chain(["/sign-in", "/sign-out"]) {
        let path = route.replace("{case}", "1").replace("{place}", "0").replace("{user}", "1");
        let answer = Ask::post(&house.office, OFFICE, &path, "")
            .by(&clerk)
            .with("origin", "https://evil.example")
            .with("sec-fetch-site", "cross-site")
            .send()
            .await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{route}");
    }
}
