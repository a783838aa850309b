//! Danger signs: a call back before login, an emergency stop after it.

use std::sync::Arc;
use std::time::Duration;

use workflows::terms::Reason;

use crate::house::{AOBA, House, PLACE, SATO, YAMADA, stories};

stories!(
    one_call_a_day_and_the_same_answer_to_everybody,
    a_stop_without_an_open_case_opens_one,
    a_stop_ends_what_is_under_way,
);

async fn calls(house: &House) -> i64 {
    house.drain().await;
    house.count("SELECT COUNT(*) FROM tasks WHERE kind = 'CallBack'").await
}

async fn one_call_a_day_and_the_same_answer_to_everybody(house: Arc<House>) {
    let ask = |user_id| house.app.request_call_back(AOBA, user_id, PLACE);
    ask("999999999").await.unwrap();
    house.app.request_call_back("0000000000", YAMADA, PLACE).await.unwrap();
    assert_eq!(calls(&house).await, 0);
    for _ in 0..5 {
        ask(YAMADA).await.unwrap();
    }
    assert_eq!(calls(&house).await, 1);
    let about = "SELECT COUNT(*) FROM tasks t JOIN credentials k ON k.case_id = t.about_case \
         WHERE k.kind = 'login'";
    assert_eq!(house.count(about).await, 1);
    // The next day it is still open: nobody is called twice for one thing.
    house.wait(Duration::from_hours(24)).await;
    ask(YAMADA).await.unwrap();
    assert_eq!(calls(&house).await, 1);
    // Given up after a month, a new request is heard.
    house.wait(Duration::from_hours(24 * 31)).await;
    ask(YAMADA).await.unwrap();
    assert_eq!(calls(&house).await, 2);
}

async fn a_stop_without_an_open_case_opens_one(house: Arc<House>) {
    let expires = house.now().plus(Duration::from_hours(24 * 365));
    house.certificate(YAMADA, "01", expires).await;
    let (session, _) = house.sign_in(YAMADA).await;
    let first = house.app.emergency_stop(&session).await.unwrap();
    let [case] = first.cases[..] else { panic!("one case: {first:?}") };
    assert_eq!(house.state(case).await, "Tail.Frozen");
    assert_eq!(house.text("SELECT state FROM certificates WHERE serial = '01'").await, "held");
    let again = house.app.emergency_stop(&session).await.unwrap();
    assert_eq!(again.cases, [case]);
    let (other, _) = house.sign_in(YAMADA).await;
    assert_eq!(house.app.emergency_stop(&other).await.unwrap().cases, [case]);
    assert_eq!(calls(&house).await, 1);
    assert_eq!(house.notices("Stopped").await, 1);
}

async fn a_stop_ends_what_is_under_way(house: Arc<House>) {
    let (session, cookies) = house.sign_in(SATO).await;
    let case = house.app.begin_own_reissue(&session, Reason::NewPc, "page").await.unwrap();
    let shown = house.shown(&saihakko::import::samples::card_seed(SATO), 0);
    house.app.enter_one_time_password(&session, &shown).await.unwrap();
    house.app.issue_for_oneself(&session, case, &cookies.ticket).await.unwrap();
    let stopped = house.app.emergency_stop(&session).await.unwrap();
    assert_eq!(stopped.cases, [case], "no second case is opened");
    assert_eq!(house.state(case).await, "Tail.Frozen");
    house.drain().await;
    let live = "SELECT COUNT(*) FROM retrieval_passwords WHERE state = 'active'";
    assert_eq!(house.count(live).await, 0);
    assert_eq!(house.app.emergency_stop(&session).await.unwrap().cases, [case]);
    assert_eq!(calls(&house).await, 1);
}
