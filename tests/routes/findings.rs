//! What people stumbled over: each story is a way that once ended nowhere, or led too far.

use axum::http::StatusCode;
use engine::CaseId;
use forms::Variant;
use saihakko::prefill::Wish;
use saihakko::store::letters;
use workflows::paper::Command;
use workflows::terms::Role;

use crate::desk::{form_arrives, form_asks, get, post, state};
use crate::house::{House, NAOKO};

const CARRIER: &str = "carrier=%E6%99%AE%E9%80%9A%E9%83%B5%E4%BE%BF";

#[tokio::test]
async fn how_staff_signed_in_is_for_auditors() {
    let house = House::new().await;
    let (clerk, auditor) = (house.member("clerk1").await, house.member("auditor").await);
    let mut tx = house.app.tools.db.read().await.unwrap();
    let account = saihakko::store::sign_ins::case_of(&mut tx, "account-clerk1").await.unwrap();
    drop(tx);
    let account = account.unwrap();
    for ending in ["", ".json", ".csv", ".svg"] {
        let path = format!("/cases/{account}{ending}");
        assert_eq!(get(&house, &clerk, &path).await.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(get(&house, &auditor, &path).await.status, StatusCode::OK, "{path}");
    }
    let link = format!("href=\"/cases/{account}\"");
    let list = "/audit?kind=account";
    assert!(!get(&house, &clerk, list).await.body.contains(&link));
    assert!(get(&house, &auditor, list).await.body.contains(&link));
}

#[tokio::test]
async fn the_address_of_a_sent_form_leads_to_its_page() {
    let house = House::new().await;
    let case = form_arrives(&house).await;
    let clerk = house.member("clerk1").await;
    let answer = get(&house, &clerk, &format!("/desk/{case}/hand-on?lang=en")).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.header("location"), format!("/desk/{case}?lang=en"));
}

#[tokio::test]
async fn nobody_takes_what_they_prepared() {
    let house = House::new().await;
    let case = form_arrives(&house).await;
    let clerk = house.member("clerk1").await;
    post(&house, &clerk, &format!("/queue/check/take/{case}"), "").await;
    get(&house, &clerk, &format!("/desk/{case}")).await;
    let (_, version) = state(&house, case).await;
    let all = format!("version={version}&seal=match&looked_original=yes&looked_untouched=yes");
    post(&house, &clerk, &format!("/desk/{case}/hand-on"), &all).await;
    assert_eq!(state(&house, case).await.0, "SealOk");
    let same = house.member("clerk1-approver").await;
    let desk = get(&house, &same, &format!("/desk/{case}")).await;
    assert!(!desk.main().contains("印影の一致を記録する"), "the first verdict is not told");
    let taken = post(&house, &same, &format!("/queue/approve/take/{case}"), "").await;
    assert_eq!(taken.status, StatusCode::CONFLICT, "{}", taken.main());
    assert!(house.app.claim_of(case).await.unwrap().is_none());
    let other = house.member("approver1").await;
    let taken = post(&house, &other, &format!("/queue/approve/take/{case}"), "").await;
    assert_eq!(taken.status, StatusCode::SEE_OTHER, "{}", taken.main());
}

#[tokio::test]
async fn a_count_is_mended_until_the_scan() {
    let house = House::new().await;
    let session = house.session_of(NAOKO).await;
    let wish = Wish {
        user_id: NAOKO.to_owned(),
        requests: vec![forms::Request::RetrievalReissue],
        reasons: vec![forms::Reason::Expired],
    };
    let data = house.app.prefill(&session, &[wish]).await.unwrap();
    let draft = house.app.draft_form(&session, Variant::Light, &data).await.unwrap();
    let room = house.member("uketsuke").await;
    let register = async |pages: u8| {
        let form = format!("number={}&{CARRIER}&pages={pages}", draft.number);
        post(&house, &room, "/intake/register", &form).await
    };
    let first = register(3).await;
    assert_eq!(first.header("location"), format!("/intake?registered={}", draft.number));
    let again = register(2).await;
    assert_eq!(again.header("location"), format!("/intake?mended={}", draft.number));
    let found = house.app.envelope(draft.number).await.unwrap().unwrap();
    assert_eq!((found.counted, found.state_name.as_str()), (2, "Received"));
    let search = get(&house, &room, &format!("/search?q={}", draft.number)).await;
    assert!(search.main().contains(&found.receipt), "{}", search.main());
    // A number of twelve digits that no form bears.
    let wrong =
        post(&house, &room, "/intake/register", &format!("number=1&{CARRIER}&pages=1")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    // Once it is dealt with, the page says so and nothing is changed.
    let case = form_arrives(&house).await;
    let mut tx = house.app.tools.db.read().await.unwrap();
    let row = saihakko::store::reissues::find(&mut tx, case).await.unwrap().unwrap();
    drop(tx);
    let form = format!("number={:012}&{CARRIER}&pages=2", row.submission.unwrap());
    let late = post(&house, &room, "/intake/register", &form).await;
    assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(late.main().contains("受付済みです"), "{}", late.main());
}

#[tokio::test]
async fn a_request_that_fits_nothing_is_told_before_anybody_compares() {
    let house = House::new().await;
    let case = form_asks(&house, forms::Request::TransactionUnlock, vec![]).await;
    let clerk = house.member("clerk1").await;
    let list = get(&house, &clerk, "/queue/check").await;
    assert!(list.main().contains("取引実行パスワードのロック解除"), "{}", list.main());
    post(&house, &clerk, &format!("/queue/check/take/{case}"), "").await;
    let desk = get(&house, &clerk, &format!("/desk/{case}")).await;
    assert!(desk.body.contains("取引実行パスワードのロック解除"), "{}", desk.body);
    assert!(desk.body.contains("いまの状態に合いません"), "{}", desk.body);
    assert!(!desk.body.contains("id=\"handing\""), "there is nothing to hand on");
    assert!(desk.body.contains(&format!("/desk/{case}/return\"")), "it can be returned");
    let seal = get(&house, &clerk, &format!("/desk/{case}/seal/registered")).await;
    assert_eq!((seal.status, seal.header("content-type")), (StatusCode::OK, "image/png"));
    let mut tx = house.app.tools.db.read().await.unwrap();
    let entries = engine::history::entries(&mut tx, case).await.unwrap();
    assert!(entries.iter().any(|entry| entry.command == "ViewSpecimen"));
}

#[tokio::test]
async fn whose_letter_came_back_is_looked_at_first() {
    let house = House::new().await;
    let case = form_arrives(&house).await;
    checked(&house, case).await;
    by_paper(&house, case, "approver1", Role::Approver, Command::Approve).await;
    house.wait(1).await;
    let mut tx = house.app.tools.db.read().await.unwrap();
    let letter = letters::newest(&mut tx, case).await.unwrap().unwrap().id;
    drop(tx);
    let by = house.app.at_work("hassou", Role::Dispatch).await.unwrap();
    house.app.hand_letter(&by, letter).await.unwrap();
    let numbers = [(case, "12345678903".to_owned())];
    house.app.post_batch(&by, 1, &numbers).await.unwrap().unwrap();
    // Long after the form was to be approved.
    house.wait(6 * 86_400).await;
    let post_room = house.member("hassou").await;
    let back = |what: &str| format!("tracking=12345678903&do={what}");
    let asked = post(&house, &post_room, "/dispatch/settle", &back("back")).await;
    assert_eq!(asked.status, StatusCode::OK, "{}", asked.main());
    assert!(asked.main().contains("back_sure") && asked.main().contains("R8-"));
    assert_eq!(state(&house, case).await.0, "Dispatched", "nothing is void yet");
    let done = post(&house, &post_room, "/dispatch/settle", &back("back_sure")).await;
    assert_eq!(done.header("location"), format!("/dispatch?settled={case}&as=back"));
    assert_eq!(state(&house, case).await.0, "Undelivered");

    // It waits where somebody can send it again, and its clock begins anew.
    house.wait(3_600).await;
    let (own, approver) = (house.member("clerk1-approver").await, house.member("approver1").await);
    let list = get(&house, &own, "/queue/approve").await;
    assert!(list.main().contains("あなたが確認した案件です"), "{}", list.main());
    assert!(!list.main().contains("class=\"late\""), "{}", list.main());
    let next = post(&house, &approver, "/queue/approve/next", "").await;
    assert_eq!(next.header("location"), format!("/desk/{case}?queue=approve"));
    let desk = get(&house, &approver, next.header("location")).await;
    assert!(desk.body.contains("value=\"resend\""), "{}", desk.body);
    assert!(!desk.body.contains("すぎています"), "{}", desk.body);
    assert!(!desk.body.contains("name=\"seal\""), "there is no seal to judge any more");
    let (_, version) = state(&house, case).await;
    let again = format!("version={version}&do=resend");
    let done = post(&house, &approver, &format!("/desk/{case}/decide"), &again).await;
    assert_eq!(done.header("location"), format!("/queue/approve?done={case}"));
    house.wait(1).await;
    assert_eq!(state(&house, case).await.0, "Printed");
}

/// A command about a paper case by somebody who has looked at it.
async fn by_paper(house: &House, case: CaseId, login: &str, role: Role, command: Command) {
    let by = house.app.at_work(login, role).await.unwrap();
    house.app.view_case(&by, case).await.unwrap();
    let id = format!("{command:?}");
    house.app.with_paper(&by, case, command, id).await.unwrap();
}

async fn checked(house: &House, case: CaseId) {
    for command in [Command::Check, Command::MatchSeal] {
        by_paper(house, case, "clerk1", Role::Clerk, command).await;
    }
}

#[tokio::test]
async fn whoever_sends_back_says_why() {
    let house = House::new().await;
    let case = form_arrives(&house).await;
    checked(&house, case).await;
    let approver = house.member("approver1").await;
    post(&house, &approver, "/queue/approve/next", "").await;
    let page = get(&house, &approver, &format!("/desk/{case}/back?queue=approve")).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    let (_, version) = state(&house, case).await;
    let decide = format!("/desk/{case}/decide?queue=approve");
    for (why, slip) in [
        ("", "見直してほしい点を書いてください"),
        ("1234+5678+9012+3456", "パスワードのおそれ"),
        (&*"%E5%8D%B0".repeat(201), "200字を超えています"),
    ] {
        let sent = format!("version={version}&do=back&why={why}");
        let refused = post(&house, &approver, &decide, &sent).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{why}");
        assert!(refused.main().contains(slip), "{why}: {}", refused.main());
        assert!(refused.body.contains(&format!("name=\"version\" value=\"{version}\"")));
    }
    assert_eq!(state(&house, case).await.0, "SealOk");
    let sent = format!("version={version}&do=back&why=look+at+the+date+%3Cagain%3E");
    let done = post(&house, &approver, &decide, &sent).await;
    assert_eq!(done.header("location"), format!("/queue/approve?done={case}"));
    assert_eq!(state(&house, case).await.0, "Identified");
    let clerk = house.member("clerk2").await;
    let desk = get(&house, &clerk, &format!("/desk/{case}")).await;
    assert!(desk.main().contains("look at the date &lt;again&gt;"), "{}", desk.main());
    assert!(desk.main().contains("確認にもどしました"));
    // Nobody sends back what is not theirs to judge.
    let early = get(&house, &clerk, &format!("/desk/{case}/back")).await;
    assert_eq!(early.status, StatusCode::NOT_FOUND);
}
