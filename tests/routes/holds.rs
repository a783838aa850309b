//! Legal holds: placed and lifted by two people, and kept by the database itself.

use axum::http::StatusCode;
use engine::{CaseId, on};
use saihakko::store::holds;

use crate::answer::{Answer, Ask, Visitor};
use crate::house::{House, OFFICE};

async fn post(house: &House, by: &Visitor, path: &str, form: &str) -> Answer {
    Ask::post(&house.office, OFFICE, path, form).by(by).send().await
}

async fn get(house: &House, by: &Visitor, path: &str) -> Answer {
    Ask::get(&house.office, OFFICE, path).by(by).send().await
}

fn wish(matter: &str, key: u8, case: CaseId, reference: &str) -> String {
    let key = format!("{key:02x}").repeat(16);
    format!("matter={matter}&key={key}&case=R8-{case}&reference={reference}&reason=%3Dlawsuit")
}

/// What a job that deletes or redacts would do.
async fn deleted(house: &House, sql: &'static str, case: CaseId) -> Result<u64, engine::Fault> {
    let mut tx = house.app.tools.db.write().await.unwrap();
    let done = on!(&mut tx, |conn| sqlx::query(sql)
        .bind(case.0)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))
    .map_err(engine::Fault::database("delete"));
    match done {
        Ok(count) => tx.commit().await.map(|()| count),
        Err(fault) => Err(fault),
    }
}

async fn decided(house: &House, by: &Visitor, asked: &Answer) -> Answer {
    let path = asked.header("location").to_owned();
    assert!(path.starts_with("/proposals/"), "{}", asked.body);
    let answer = post(house, by, &path, "do=approve").await;
    house.app.engine.drain().await.unwrap();
    answer
}

#[tokio::test]
async fn nothing_of_a_held_case_is_deleted_until_two_people_lift_the_hold() {
    let house = House::new().await;
    let cases = house.with_cases().await;
    let case = cases.begun;
    let chief = house.member("supervisor").await;
    let approver = house.member("approver1").await;
    let auditor = house.member("auditor").await;
    let page = get(&house, &chief, &format!("/cases/{case}")).await;
    assert!(page.main().contains(&format!("href=\"/holds?case={case}\"")));
    let asked = post(&house, &chief, "/holds/propose", &wish("place_hold", 1, case, "R8-1")).await;
    let path = asked.header("location").to_owned();
    let own = post(&house, &chief, &path, "do=approve").await;
    assert!(own.body.contains("申請した方は承認も否認もできません"), "{}", own.main());
    let mut tx = house.app.tools.db.read().await.unwrap();
    assert!(holds::of_case(&mut tx, case).await.unwrap().is_empty(), "a proposal holds nothing");
    drop(tx);
    assert_eq!(decided(&house, &approver, &asked).await.status, StatusCode::SEE_OTHER);

    for sql in [
        "DELETE FROM entries WHERE case_id = $1",
        "DELETE FROM entry_details WHERE case_id = $1",
        "UPDATE entry_details SET details = '' WHERE case_id = $1",
        "DELETE FROM reissues WHERE case_id = $1",
        "DELETE FROM cases WHERE id = $1",
        "DELETE FROM holds WHERE case_id = $1",
    ] {
        let fault = deleted(&house, sql, case).await.expect_err(sql);
        assert!(engine::chain(&fault).contains("a legal hold keeps this"), "{sql}: {fault:?}");
    }
    let other = "DELETE FROM entry_details WHERE case_id = $1";
    assert!(deleted(&house, other, cases.completed).await.unwrap() > 0, "others may go");

    let story = get(&house, &auditor, &format!("/cases/{case}")).await;
    assert!(story.main().contains("R8-1") && story.main().contains("保全を開始しました"));
    let json = get(&house, &auditor, &format!("/cases/{case}.json")).await;
    let told: serde_json::Value = serde_json::from_str(&json.body).unwrap();
    assert_eq!(told["holds"][0]["reference"], "R8-1");
    assert_eq!(told["holds"][0]["reason"], "=lawsuit");
    assert!(told["holds"][0]["lifted_at"].is_null());
    let csv = get(&house, &auditor, &format!("/cases/{case}.csv")).await;
    assert!(csv.body.lines().next().unwrap().ends_with(",held_for"));
    assert!(csv.body.lines().nth(1).unwrap().ends_with(",R8-1"), "{}", csv.body);
    let list = get(&house, &auditor, "/holds").await;
    assert!(list.main().contains("保全中") && list.main().contains("松本 隆・林 京子"));
    let mut tx = house.app.tools.db.read().await.unwrap();
    let entries = engine::history::entries(&mut tx, case).await.unwrap();
    drop(tx);
    let noted: Vec<_> = entries.iter().filter(|entry| entry.command == "PlaceHold").collect();
    assert_eq!(noted.len(), 1);
    assert_eq!((noted[0].actor.as_str(), noted[0].role.as_str()), ("staff-S-004", "approver"));

    let twice = post(&house, &chief, "/holds/propose", &wish("place_hold", 2, case, "R8-1")).await;
    assert_eq!(twice.status, StatusCode::UNPROCESSABLE_ENTITY, "held for that already");
    assert!(twice.main().contains("value=\"R8-1\""), "what was typed is kept");
    let second = post(&house, &chief, "/holds/propose", &wish("place_hold", 3, case, "R8-2")).await;
    decided(&house, &approver, &second).await;
    let lift = post(&house, &chief, "/holds/propose", &wish("lift_hold", 4, case, "R8-1")).await;
    assert_eq!(decided(&house, &approver, &lift).await.status, StatusCode::SEE_OTHER);
    assert!(deleted(&house, other, case).await.is_err(), "held for the other reference");
    let lift = post(&house, &chief, "/holds/propose", &wish("lift_hold", 5, case, "R8-2")).await;
    decided(&house, &approver, &lift).await;
    assert!(deleted(&house, other, case).await.is_ok());
    let story = get(&house, &auditor, &format!("/cases/{case}")).await;
    assert!(story.main().contains("保全を解除しました"));
}

#[tokio::test]
async fn only_a_supervisor_proposes_and_only_cases_of_customers_are_held() {
    let house = House::new().await;
    let case = house.with_cases().await.issued;
    let chief = house.member("supervisor").await;
    for login in ["clerk1", "uketsuke", "operator", "helpdesk"] {
        let visitor = house.member(login).await;
        assert_eq!(get(&house, &visitor, "/holds").await.status, StatusCode::NOT_FOUND, "{login}");
    }
    for login in ["clerk1", "approver1", "auditor"] {
        let visitor = house.member(login).await;
        let form = wish("place_hold", 1, case, "R8-1");
        let answer = post(&house, &visitor, "/holds/propose", &form).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{login}");
    }
    let account = house.app.tools.db.read().await.unwrap();
    let mut tx = account;
    let account = saihakko::store::sign_ins::case_of(&mut tx, "account-clerk1").await.unwrap();
    drop(tx);
    for missing in [account.unwrap(), CaseId(999_999)] {
        let form = wish("place_hold", 2, missing, "R8-1");
        let answer = post(&house, &chief, "/holds/propose", &form).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{missing}");
    }
    let form = format!("matter=place_hold&key={}&case=x", "0a".repeat(16));
    let slips = post(&house, &chief, "/holds/propose", &form).await;
    assert_eq!(slips.status, StatusCode::UNPROCESSABLE_ENTITY);
    for field in ["#case", "#reference", "#reason"] {
        assert!(slips.main().contains(&format!("href=\"{field}\"")), "{field}");
    }
}

#[tokio::test]
async fn the_scans_of_a_form_are_kept_for_every_case_that_it_asks_for() {
    let house = House::new().await;
    let case = house.with_cases().await.issued;
    let mut tx = house.app.tools.db.write().await.unwrap();
    let rows = [
        "INSERT INTO submissions (number, case_id, variant, receipt, carrier, counted, prefilled, \
         reading) VALUES (7, 700, 'bizstation', '', '', 1, '', '')",
        "INSERT INTO pages (submission, no, page_count, digest, picture, reading, scanned_at) \
         VALUES (7, 1, 1, 'd', 'scan', '', 0)",
    ];
    for sql in rows {
        let done = on!(&mut tx, |conn| sqlx::query(sql).execute(conn).await.map(drop));
        done.unwrap();
    }
    let sql = "INSERT INTO items (submission, row_no, request, user_id, case_id) \
         SELECT 7, 1, 'retrieval_reissue', MIN(id), $1 FROM users";
    let done = on!(&mut tx, |conn| sqlx::query(sql).bind(case.0).execute(conn).await.map(drop));
    done.unwrap();
    let hold = holds::HoldRow {
        id: 0,
        case_id: case.0,
        reference: "R8-1".to_owned(),
        reason: "x".to_owned(),
        placed_by: "staff-S-007".to_owned(),
        approved_by: "staff-S-004".to_owned(),
        placed_at: 0,
        proposal: 1,
        lifted_at: None,
        lift_proposal: None,
    };
    holds::place(&mut tx, &hold).await.unwrap();
    tx.commit().await.unwrap();
    let forms = CaseId(7);
    for sql in [
        "DELETE FROM pages WHERE submission = $1",
        "UPDATE pages SET picture = '' WHERE submission = $1",
    ] {
        assert!(deleted(&house, sql, forms).await.is_err(), "{sql}");
    }
    // What is read anew of a scan is no redaction.
    let sql = "UPDATE pages SET reading = '{}' WHERE submission = $1";
    assert_eq!(deleted(&house, sql, forms).await.unwrap(), 1);
    let mut tx = house.app.tools.db.write().await.unwrap();
    let now = tx.now();
    assert!(holds::lift(&mut tx, case.0, "R8-1", CaseId(2), now).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(deleted(&house, "DELETE FROM pages WHERE submission = $1", forms).await.unwrap(), 1);
}
