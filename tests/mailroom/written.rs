//! What people write on paper: a date that no machine can read, and the corrected form that comes after
//! the one that went back.

use std::sync::Arc;

use chrono::NaiveDate;
use engine::CaseId;
use forms::SubmissionNumber;
use saihakko::correspondence::LetterKey;
use saihakko::customer::Declined;
use saihakko::reader::PageRead;
use saihakko::store::impressions;
use workflows::paper::Command;
use workflows::terms::{DefectCode, Role};

use crate::house::{House, SUZUKI, YAMADA, stories};
use crate::room::{page, plain, row};
use crate::scenarios::{CLERK, act, arrives, checked, look};

stories!(
    a_date_is_read_by_a_person_for_every_case_on_the_paper,
    the_corrected_form_takes_the_place_of_the_one_that_went_back,
    the_form_in_a_returning_letter_is_awaited,
    whoever_asked_for_something_else_as_well_sees_their_cases,
);

fn dated(page: &mut PageRead, day: &str) {
    day.clone_into(&mut page.digits.get_mut("date_day").unwrap().v);
}

fn reasoned(page: &mut PageRead, reason: &str) {
    page.checks.remove("u1_reason_expired");
    let ticked = saihakko::reader::Check { v: Some(true) };
    page.checks.insert(format!("u1_reason_{reason}"), ticked);
}

async fn kept(house: &House, case: CaseId, column: &str) -> String {
    let sql = format!("SELECT COALESCE({column}, '') FROM reissues WHERE case_id = {case}");
    house.text(&sql).await
}

async fn a_date_is_read_by_a_person_for_every_case_on_the_paper(house: Arc<House>) {
    let form = house.received(1).await;
    let mut first = page(Some(form.number), "1/1");
    row(&mut first, 2, SUZUKI);
    dated(&mut first, "?1");
    let cases = arrives(&house, form, &plain(&[first])).await;
    let [one, other] = cases[..] else { panic!("{cases:?}") };
    look(&house, CLERK, one).await;
    assert_eq!(act(&house, CLERK, one, Command::Check).await, "paper.FormDate");
    let by = house.app.at_work(CLERK.0, CLERK.1).await.unwrap();
    let version = house.app.read_desk(one).await.unwrap().version;
    let day = NaiveDate::from_ymd_opt(2026, 11, 30).unwrap();
    let stale = house.app.read_date(&by, one, version + 1, day).await;
    assert!(stale.is_err(), "a page that was overtaken writes nothing");
    assert_eq!(kept(&house, one, "form_date").await, "");
    let is_other = house.app.read_date(&by, one, version, day).await.unwrap();
    assert!(!is_other, "the same seal counts on that day");
    for case in [one, other] {
        assert_eq!(kept(&house, case, "form_date").await, "2026-11-30");
        let told =
            format!("SELECT outcome FROM entries WHERE case_id = {case} AND command = 'ReadDate'");
        assert_eq!(house.text(&told).await, "2026-11-30", "the history says who read what");
        checked(&house, case).await;
    }
    let verified = engine::verify::verify(&house.app.tools.db, None, None).await.unwrap();
    assert!(verified.is_intact());
}

async fn the_corrected_form_takes_the_place_of_the_one_that_went_back(house: Arc<House>) {
    let old = house.received(1).await;
    let mut first = page(Some(old.number), "1/1");
    // The 31st of November.
    dated(&mut first, "31");
    "11".clone_into(&mut first.digits.get_mut("date_month").unwrap().v);
    let cases = arrives(&house, old, &plain(&[first])).await;
    let [case] = cases[..] else { panic!("{cases:?}") };
    look(&house, CLERK, case).await;
    let codes = vec![DefectCode::Date, DefectCode::SealMissing];
    assert_eq!(act(&house, CLERK, case, Command::Defect { codes }).await, "accepted");
    house.drain().await;
    assert_eq!(house.state(case).await, "Returned");

    let new = house.received(1).await;
    let mut first = page(Some(new.number), "1/1");
    reasoned(&mut first, "new_pc");
    assert_eq!(arrives(&house, new, &plain(&[first])).await, [case]);
    assert_eq!(house.state(case).await, "Identified");
    // What lies on the desk is the new paper, with its date and its reason.
    let desk = house.app.read_desk(case).await.unwrap();
    assert_eq!(format!("{:012}", desk.submission.number), new.number.to_string());
    assert_eq!(desk.pages.len(), 1);
    assert_eq!(kept(&house, case, "form_date").await, "2026-12-01");
    assert_eq!(kept(&house, case, "reason").await, "new_pc");
    assert_eq!(kept(&house, case, "defects").await, "", "those were the other form's");
    checked(&house, case).await;
    assert_eq!(house.state(case).await, "SealOk");

    // Were the old form's seal copied onto the new one, nobody would be led from the desk to itself: the case
    // goes by the new form now.
    let (from, to) = (stored(old.number), stored(new.number));
    let mut tx = house.app.tools.db.write().await.unwrap();
    impressions::keep(&mut tx, to, 1, &[(from, 88)]).await.unwrap();
    impressions::keep(&mut tx, from, 1, &[(to, 71)]).await.unwrap();
    tx.commit().await.unwrap();
    let desk = house.app.read_desk(case).await.unwrap();
    let [twin] = &desk.reuses[..] else { panic!("{:?}", desk.reuses) };
    assert_eq!((twin.other, twin.sameness, twin.case_id, twin.closed), (from, 88, None, false));
    assert_eq!(desk.compared, Some(1));
    let mut tx = house.app.tools.db.write().await.unwrap();
    impressions::forget(&mut tx, to).await.unwrap();
    impressions::forget(&mut tx, from).await.unwrap();
    tx.commit().await.unwrap();
    let desk = house.app.read_desk(case).await.unwrap();
    assert!(desk.reuses.is_empty() && desk.compared.is_none());
}

fn stored(number: SubmissionNumber) -> i64 {
    number.to_string().parse().unwrap()
}

/// What comes back is the form that went along in the returning letter: it has a number of its own, under
/// which it is awaited, and the case goes on with it.
async fn the_form_in_a_returning_letter_is_awaited(house: Arc<House>) {
    let old = house.received(1).await;
    let cases = arrives(&house, old, &plain(&[page(Some(old.number), "1/1")])).await;
    let [case] = cases[..] else { panic!("{cases:?}") };
    look(&house, CLERK, case).await;
    let codes = vec![DefectCode::SealMismatch];
    assert_eq!(act(&house, CLERK, case, Command::Defect { codes }).await, "accepted");
    house.drain().await;
    let due = house.app.letters_due().await.unwrap();
    let letter = due.iter().find(|row| row.about == "defective").unwrap();
    let by = house.app.at_work("hassou", Role::Dispatch).await.unwrap();
    let key = LetterKey::from(letter);
    // Drawn twice, as after a jam of paper, it is the same letter with the same form.
    for _ in 0..2 {
        house.app.ordinary_letter(&by, &key).await.unwrap();
        house.drain().await;
    }
    let drafts = "SELECT COUNT(*) FROM submissions s JOIN cases c ON c.id = s.case_id \
         WHERE c.state_name = 'Draft'";
    assert_eq!(house.count(drafts).await, 1);
    let number = house.text(
        "SELECT CAST(s.number AS TEXT) FROM submissions s JOIN cases c ON c.id = s.case_id \
         WHERE c.state_name = 'Draft'",
    );
    let number: SubmissionNumber = format!("{:0>12}", number.await).parse().unwrap();
    assert_ne!(number, old.number);
    house.app.receive(&house.mail_room().await, number, "普通郵便", 1).await.unwrap();
    let scan = plain(&[page(Some(number), "1/1")]);
    house.drop_file("again.pdf", &scan);
    house.settle_down().await;
    assert_eq!(house.app.cases_of(number).await.unwrap(), [case]);
    assert_eq!(house.state(case).await, "Identified");
    let desk = house.app.read_desk(case).await.unwrap();
    assert_eq!(format!("{:012}", desk.submission.number), number.to_string());
}

/// A login password is reset by hand, beside a reissue on the same form; its case is none of those that a
/// customer follows step by step, and is in nobody's way.
async fn whoever_asked_for_something_else_as_well_sees_their_cases(house: Arc<House>) {
    let form = house.received(1).await;
    let mut first = page(Some(form.number), "1/1");
    let ticked = saihakko::reader::Check { v: Some(true) };
    first.checks.insert("u1_login_reset".to_owned(), ticked);
    let cases = arrives(&house, form, &plain(&[first])).await;
    assert_eq!(cases.len(), 2);
    let (session, _) = house.sign_in(YAMADA).await;
    let own = house.app.own_cases(&session).await.unwrap();
    assert_eq!(own.len(), 1);
    let other = cases.iter().find(|case| **case != own[0].case).unwrap();
    assert!(matches!(house.app.case_for(&session, *other).await, Err(Declined::NotFound)));
    assert_eq!(house.app.forms_for(&session).await.unwrap().len(), 1);
}
