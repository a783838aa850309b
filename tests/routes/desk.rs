//! A form's way over the desk: taken by one of two, checked with nothing preselected, handed on,
//! refused to whoever prepared it, approved by another; every look is in its history.

use std::fmt::Write;

use axum::http::StatusCode;
use engine::CaseId;
use forms::degrade::{Carrier, PaperSheet, Wear, encode};
use forms::seal::Impression;
use forms::{BoxMm, Variant, Version, layout};
use saihakko::backoffice::{Draft, Holder};
use saihakko::prefill::Wish;
use workflows::terms::Role;

use crate::answer::{Answer, Ask, Visitor};
use crate::house::{House, NAOKO, OFFICE};

/// The seal that the sample ledger has registered, and its width in millimetres.
const SEAL: &[u8] = include_bytes!("../../samples/seal-mizuiro.png");
const SEAL_MM: f32 = 18.0;
const DPI: f32 = 200.0;

/// A form of 小林 for a new retrieval password, stamped, posted, scanned and identified.
pub(crate) async fn form_arrives(house: &House) -> CaseId {
    form_asks(house, forms::Request::RetrievalReissue, vec![forms::Reason::Expired]).await
}

/// The same with another request.
pub(crate) async fn form_asks(
    house: &House,
    request: forms::Request,
    reasons: Vec<forms::Reason>,
) -> CaseId {
    let draft = drafted(house, request, reasons).await;
    comes_stamped(house, &draft, |sheet, area| {
        sheet.stamp(&own_seal(), area.centre(), 4.0, 7);
    })
    .await
}

/// A form of 小林 with one request, as it is printed.
pub(crate) async fn drafted(
    house: &House,
    request: forms::Request,
    reasons: Vec<forms::Reason>,
) -> Draft {
    let session = house.session_of(NAOKO).await;
    let wish = Wish { user_id: NAOKO.to_owned(), requests: vec![request], reasons };
    let data = house.app.prefill(&session, &[wish]).await.unwrap();
    house.app.draft_form(&session, Variant::Light, &data).await.unwrap()
}

/// The company's seal.
pub(crate) fn own_seal() -> Impression {
    Impression::of_specimen(SEAL, SEAL_MM).unwrap()
}

/// A form with one request comes back stamped, is scanned and identified.
pub(crate) async fn comes_stamped(
    house: &House,
    draft: &Draft,
    press: impl FnOnce(&mut PaperSheet, BoxMm),
) -> CaseId {
    let app = &house.app;
    let layout = layout(Version::default(), Variant::Light);
    let mut sheets = PaperSheet::print(&draft.pdf, DPI).unwrap();
    sheets.truncate(layout.pages.len());
    press(&mut sheets[0], layout.pages[0].seals[0].area);
    let scan: Vec<_> = sheets.iter().map(|sheet| sheet.scan(&Wear::default())).collect();
    let file = encode(&scan, DPI, Carrier::Pdf).unwrap();
    let room = app.at_work("uketsuke", Role::MailRoom).await.unwrap();
    app.receive(&room, draft.number, "普通郵便", 1).await.unwrap();
    app.scan(&room, draft.number, &[file]).await.unwrap();
    house.wait(1).await;
    let cases = app.cases_of(draft.number).await.unwrap();
    assert_eq!(cases.len(), 1, "one request, one case");
    cases[0]
}

pub(crate) async fn get(house: &House, who: &Visitor, path: &str) -> Answer {
    Ask::get(&house.office, OFFICE, path).by(who).send().await
}

pub(crate) async fn post(house: &House, who: &Visitor, path: &str, form: &str) -> Answer {
    Ask::post(&house.office, OFFICE, path, form).by(who).send().await
}

pub(crate) async fn state(house: &House, case: CaseId) -> (String, i64) {
    let mut tx = house.app.tools.db.read().await.unwrap();
    let row = engine::case::find(&mut tx, case).await.unwrap().unwrap();
    (row.state_name, row.version)
}

const EVERYTHING: &str = "seal=match&looked_original=yes&looked_untouched=yes";

#[tokio::test]
async fn of_two_clerks_one_gets_the_case() {
    let house = House::new().await;
    let case = form_arrives(&house).await;
    let (first, second) = (house.member("clerk1").await, house.member("clerk2").await);
    let (a, b) = tokio::join!(
        post(&house, &first, "/queue/check/next", ""),
        post(&house, &second, "/queue/check/next", ""),
    );
    let mut to = [a.header("location").to_owned(), b.header("location").to_owned()];
    to.sort();
    assert_eq!(to, [format!("/desk/{case}?queue=check"), "/queue/check?none=1".to_owned()]);
    let (mine, other) = if a.header("location").starts_with("/desk") {
        (&first, &second)
    } else {
        (&second, &first)
    };
    // Whoever came second sees it, and whose it is, but has no button; a form sent all the same is
    // refused.
    let page = get(&house, other, &format!("/desk/{case}")).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.body.contains("id=\"handing\"") && page.body.contains("担当:"));
    let (_, version) = state(&house, case).await;
    let sent = format!("version={version}&{EVERYTHING}");
    let refused = post(&house, other, &format!("/desk/{case}/hand-on"), &sent).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.body.contains("ほかの担当者が作業中です"));
    assert_eq!(state(&house, case).await.0, "Identified");
    // A claim ends by itself.
    house.wait(31 * 60).await;
    let late = house.member(if mine.cookies == first.cookies { "clerk2" } else { "clerk1" }).await;
    let taken = post(&house, &late, "/queue/check/next", "").await;
    assert_eq!(taken.header("location"), format!("/desk/{case}?queue=check"));
}

#[tokio::test]
async fn claims_race_and_nobody_gets_two() {
    let house = House::new().await;
    let case = form_arrives(&house).await;
    let app = &house.app;
    let mut tries = tokio::task::JoinSet::new();
    for login in ["clerk1", "clerk2"].into_iter().cycle().take(12) {
        let (app, login) = (app.clone(), login.to_owned());
        tries.spawn(async move {
            let by = app.at_work(&login, Role::Clerk).await.unwrap();
            let holder = Holder { by: &by, login: &login };
            (app.take(&holder, case).await.unwrap().is_none(), login)
        });
    }
    let mut holders: Vec<String> = Vec::new();
    while let Some(done) = tries.join_next().await {
        let (is_taken, login) = done.unwrap();
        if is_taken && !holders.contains(&login) {
            holders.push(login);
        }
    }
    assert_eq!(holders.len(), 1, "both hold it: {holders:?}");
}

#[tokio::test]
async fn a_form_goes_from_a_clerk_to_another_person() {
    let house = House::new().await;
    let case = form_arrives(&house).await;
    let clerk = house.member("clerk1").await;
    post(&house, &clerk, "/queue/check/next", "").await;
    let page = get(&house, &clerk, &format!("/desk/{case}?queue=check")).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    for text in ["合同会社 みずいろ珈琲", "台帳と一致", "承認へまわす", "数値は参考です"]
    {
        assert!(page.body.contains(text), "{text}");
    }
    let judged = page.body.split("class=\"verdicts\"").nth(1).unwrap();
    let judged = judged.split("</fieldset>").next().unwrap();
    assert!(!judged.contains("checked"), "a verdict is preselected");
    let picture = get(&house, &clerk, &format!("/desk/{case}/page/0")).await;
    assert_eq!((picture.status, picture.header("content-type")), (StatusCode::OK, "image/jpeg"));
    assert_eq!(picture.header("cache-control"), "no-store");
    for view in ["form", "specimen", "overlay", "difference"] {
        let seal = get(&house, &clerk, &format!("/desk/{case}/seal/{view}")).await;
        assert_eq!(
            (seal.status, seal.header("content-type")),
            (StatusCode::OK, "image/png"),
            "{view}"
        );
    }
    let (_, version) = state(&house, case).await;
    let hand_on = format!("/desk/{case}/hand-on");
    // Whatever is missing is told, and what was filled in stays.
    for (sent, missing) in [
        ("looked_original=yes&looked_untouched=yes", "お届け印の照合の結果を選んでください"),
        (
            "seal=unclear&looked_original=yes&looked_untouched=yes",
            "一致しないときは、不備として返してください",
        ),
        ("seal=match&looked_original=yes", "訂正や消した跡がないことを確かめてください"),
    ] {
        let slip = post(&house, &clerk, &hand_on, &format!("version={version}&{sent}")).await;
        assert_eq!(slip.status, StatusCode::UNPROCESSABLE_ENTITY, "{sent}");
        assert!(slip.body.contains(missing), "{missing}");
    }
    assert_eq!(state(&house, case).await.0, "Identified");
    let sent = format!("version={version}&{EVERYTHING}");
    let done = post(&house, &clerk, &hand_on, &sent).await;
    assert_eq!(done.header("location"), format!("/queue/check?done={case}"));
    assert_eq!(state(&house, case).await.0, "SealOk");

    // The same person under another account is refused, on the page and below it.
    let same = house.member("clerk1-approver").await;
    let queue = get(&house, &same, "/queue/approve").await;
    assert!(queue.body.contains("あなたが確認した案件です"));
    assert_eq!(
        post(&house, &same, "/queue/approve/next", "").await.header("location"),
        "/queue/approve?none=1"
    );
    post(&house, &same, &format!("/queue/approve/take/{case}"), "").await;
    let page = get(&house, &same, &format!("/desk/{case}")).await;
    assert!(!page.body.contains("id=\"handing\"") && page.body.contains("note warn"));
    let (_, version) = state(&house, case).await;
    let decide = format!("/desk/{case}/decide");
    let sent = format!("version={version}&do=approve&seal=match");
    let refused = post(&house, &same, &decide, &sent).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    post(&house, &same, &format!("/queue/approve/release/{case}"), "").await;

    // A version of yesterday is refused with who moved it; today's goes through.
    let approver = house.member("approver1").await;
    post(&house, &approver, "/queue/approve/next", "").await;
    let old = format!("version={}&do=approve&seal=match", version - 1);
    let stale = post(&house, &approver, &decide, &old).await;
    assert_eq!(stale.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(stale.body.contains("井上 誠さんが"), "{}", stale.main());
    let unjudged = post(&house, &approver, &decide, &format!("version={version}&do=approve")).await;
    assert_eq!(unjudged.status, StatusCode::UNPROCESSABLE_ENTITY);
    let done = post(&house, &approver, &decide, &sent).await;
    assert_eq!(done.header("location"), format!("/queue/approve?done={case}"));
    house.wait(1).await;
    assert_eq!(state(&house, case).await.0, "Printed");

    let mut tx = house.app.tools.db.read().await.unwrap();
    let entries = engine::history::entries(&mut tx, case).await.unwrap();
    for what in ["ViewForm", "ViewPage", "ViewSeal", "TakeCase"] {
        assert!(entries.iter().any(|e| e.command == what && e.kind == "noted"), "{what}");
    }
    let by = |command: &str| {
        let found = entries.iter().find(|e| e.command == command && e.kind == "transition");
        found.map(|e| (e.actor.clone(), e.auth.clone())).unwrap()
    };
    assert_eq!(by("Check"), ("staff-S-002".to_owned(), "password+totp".to_owned()));
    assert_eq!(by("Approve").0, "staff-S-004");
}

/// Two people had the same version before them: only the first has done it.
#[tokio::test]
async fn whoever_is_overtaken_is_told_by_whom() {
    let house = House::new().await;
    let case = form_arrives(&house).await;
    let (first, second) = (house.member("clerk1").await, house.member("clerk2").await);
    let (_, version) = state(&house, case).await;
    let sent = format!("version={version}&{EVERYTHING}");
    let at = format!("/desk/{case}/hand-on");
    post(&house, &second, &format!("/queue/check/take/{case}"), "").await;
    for visitor in [&first, &second] {
        get(&house, visitor, &format!("/desk/{case}")).await;
    }
    let done = post(&house, &second, &at, &sent).await;
    assert_eq!(done.header("location"), format!("/queue/check?done={case}"));
    let late = post(&house, &first, &at, &sent).await;
    assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", late.header("location"));
    assert!(late.body.contains("木村 葵さんが"), "{}", late.main());
    let again = post(&house, &second, &at, &sent).await;
    assert_eq!(again.status, StatusCode::SEE_OTHER, "pressed twice by the same person");
}

#[tokio::test]
async fn defects_are_chosen_and_the_form_goes_back() {
    let house = House::new().await;
    let case = form_arrives(&house).await;
    let clerk = house.member("clerk1").await;
    post(&house, &clerk, "/queue/check/next", "").await;
    let path = format!("/desk/{case}/return");
    let page = get(&house, &clerk, &path).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.main().contains(" checked"), "a defect is preselected");
    let (_, version) = state(&house, case).await;
    let none = post(&house, &clerk, &path, &format!("version={version}")).await;
    assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(state(&house, case).await.0, "Identified");
    // The letter is seen before anything is returned, and the look is an entry.
    let nothing = get(&house, &clerk, &format!("{path}/look?version={version}")).await;
    assert_eq!(nothing.status, StatusCode::UNPROCESSABLE_ENTITY);
    let chosen = format!("version={version}&code_SEAL_UNCLEAR=yes&code_DATE=yes");
    let look = get(&house, &clerk, &format!("{path}/look?{chosen}")).await;
    assert_eq!(look.status, StatusCode::OK);
    for shown in
        ["印影が不鮮明です", "この手紙で返す", "code_DATE", &format!("value=\"{version}\"")]
    {
        assert!(look.main().contains(shown), "{shown}: {}", look.main());
    }
    let letter = get(&house, &clerk, &format!("{path}/letter/pdf?{chosen}")).await;
    assert_eq!((letter.status, letter.header("content-type")), (StatusCode::OK, "application/pdf"));
    let picture = get(&house, &clerk, &format!("{path}/letter/picture?{chosen}")).await;
    assert_eq!((picture.status, picture.header("content-type")), (StatusCode::OK, "image/jpeg"));
    let by_phone = get(&house, &clerk, &format!("{path}/look?version=1&code_DATE=yes")).await;
    assert!(by_phone.main().contains("手紙は送りません") && !by_phone.main().contains("<img"));
    let none = get(&house, &clerk, &format!("{path}/letter/pdf?code_DATE=yes")).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND, "no letter, no preview");
    let other = house.member("approver1").await;
    let unread = get(&house, &other, &format!("{path}/letter/pdf?{chosen}")).await;
    assert_eq!(unread.status, StatusCode::NOT_FOUND, "whoever cannot return sees no preview");
    assert_eq!(state(&house, case).await.0, "Identified", "a look returns nothing");
    let mut tx = house.app.tools.db.read().await.unwrap();
    let entries = engine::history::entries(&mut tx, case).await.unwrap();
    drop(tx);
    let looks = entries.iter().filter(|e| e.command == "PreviewLetter" && e.kind == "noted");
    assert_eq!(looks.count(), 2);
    let done = post(&house, &clerk, &path, &chosen).await;
    assert_eq!(done.header("location"), format!("/queue/check?done={case}"));
    assert_eq!(state(&house, case).await.0, "Returned");

    // What the plots show is there for spreadsheets as well.
    let lead = house.member("supervisor").await;
    let reasons = get(&house, &lead, "/dashboard/csv/reasons").await;
    assert_eq!(reasons.header("content-type"), "text/csv; charset=utf-8");
    assert!(reasons.header("content-disposition").starts_with("attachment; filename=\"reasons-"));
    assert_eq!(
        reasons.body,
        "\u{feff}理由,件数\n印影が不鮮明です,1\n届出日の記入がないか、期間を過ぎています,1\n"
    );
    let days = get(&house, &lead, "/dashboard/csv/days").await;
    let lines: Vec<&str> = days.body.lines().collect();
    assert_eq!(lines.len(), 31, "{}", days.body);
    let cells: Vec<&str> = lines[30].split(',').collect();
    assert!(cells[0].parse::<chrono::NaiveDate>().is_ok() && cells[1..] == ["1", "0"], "{cells:?}");
    for key in ["ages", "weeks"] {
        let answer = get(&house, &lead, &format!("/dashboard/csv/{key}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{key}");
        let page = get(&house, &lead, "/dashboard").await;
        assert!(page.body.contains(&format!("href=\"/dashboard/csv/{key}\"")));
    }
    let nothing = get(&house, &lead, "/dashboard/csv/nothing").await;
    assert_eq!(nothing.status, StatusCode::NOT_FOUND);
}

/// Names are found however they are written, and numbers whatever they number.
#[tokio::test]
async fn a_case_is_found_by_name_reading_and_number() {
    let house = House::new().await;
    let case = form_arrives(&house).await;
    let clerk = house.member("clerk1").await;
    for asked in ["小林", "こばやし", "ｺﾊﾞﾔｼ", "みずいろ", "020705001", &format!("R8-{:06}", case.0)]
    {
        let path = format!("/search?q={}", encoded(asked));
        let page = get(&house, &clerk, &path).await;
        assert!(page.body.contains(&format!("/cases/{case}\"")), "{asked}");
    }
    let none = get(&house, &clerk, &format!("/search?q={}", encoded("田中一郎太"))).await;
    assert!(none.body.contains("見つかりませんでした"));
}

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut all, byte| {
        let _ = write!(all, "%{byte:02X}");
        all
    })
}
