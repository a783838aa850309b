//! After a reset a code goes out by sealed letter, and not to an address that changed lately.

use std::sync::Arc;
use std::time::Duration;

use engine::{Actor, CaseId, Submission};
use saihakko::backoffice::AtWork;
use saihakko::host::Judged;
use saihakko::letter;
use saihakko::secret::StationKey;
use saihakko::store::{credentials, letters};
use workflows::credential::{Command, Kind};
use workflows::enrolment;
use workflows::terms::Role;

use crate::enrolment::enter;
use crate::house::{AOBA, House, YAMADA, refusal, stories};

stories!(
    a_reset_sends_a_code_by_sealed_letter,
    two_resets_share_one_letter,
    no_letter_goes_to_a_fresh_address,
    a_returned_letter_voids_its_code,
);

/// As the clerical case tells a credential once two people have confirmed the reset.
pub(crate) async fn reset(house: &House, user_id: &str, kind: &str) {
    let user = house.user(user_id).await;
    let mut tx = house.app.tools.db.read().await.unwrap();
    let row = credentials::find(&mut tx, user, kind).await.unwrap().unwrap();
    drop(tx);
    let (case, clerical) = (CaseId(row.case_id), CaseId(999_999));
    let id = format!("reset-{case}-{}", house.now().0);
    let submission = Submission::new(case, Command::Reset, Actor::peer(clerical), id);
    house.app.desks.credential.submit(submission, Judged::default()).await.unwrap();
    house.drain().await;
}

async fn enrolment_of(house: &House, user_id: &str) -> CaseId {
    let user = house.user(user_id).await;
    CaseId(house.count(&format!("SELECT case_id FROM enrolments WHERE user_id = {user}")).await)
}

/// Opens the newest letter of a case as the print station does.
async fn opened(house: &House, case: CaseId) -> letter::OpenedCode {
    let station = house.dir.path().join("data/keys/print-station.key");
    let station = StationKey::load(&station).unwrap();
    let mut tx = house.app.tools.db.read().await.unwrap();
    let row = letters::newest(&mut tx, case).await.unwrap().unwrap();
    letter::open_code(&station, case, row.address_version, &row.sealed).unwrap()
}

async fn dispatcher(house: &House) -> AtWork {
    house.app.at_work("hassou", Role::Dispatch).await.unwrap()
}

async fn post(house: &House, case: CaseId) {
    let by = dispatcher(house).await;
    let dispatch = || enrolment::Command::Dispatch { tracking: "12345678903".to_owned() };
    let early = house.app.with_enrolment(&by, case, dispatch(), "early".to_owned()).await;
    assert_eq!(refusal(early), "enrolment.BatchOpen");
    let mut tx = house.app.tools.db.read().await.unwrap();
    let row = letters::newest(&mut tx, case).await.unwrap().unwrap();
    drop(tx);
    house.app.hand_letter(&by, row.id).await.unwrap();
    house.app.reconcile(&by, &[case]).await.unwrap();
    house.app.with_enrolment(&by, case, dispatch(), format!("post-{case}")).await.unwrap();
    house.drain().await;
}

async fn a_reset_sends_a_code_by_sealed_letter(house: Arc<House>) {
    reset(&house, YAMADA, "transaction").await;
    let case = enrolment_of(&house, YAMADA).await;
    assert_eq!(house.state(case).await, "Printed");
    let letter = opened(&house, case).await;
    let code = letter.code.expose_grouped();
    assert!(letter.page.starts_with(b"%PDF"));
    let plain = code.replace('-', "");
    assert!(!String::from_utf8_lossy(&letter.page).contains(&plain), "shapes, never text");
    // Before it is posted, nobody enters it.
    enter(&house, YAMADA, &code).await.map(drop).unwrap_err();
    post(&house, case).await;
    assert_eq!(house.notices("CodePosted").await, 1);
    let at = enter(&house, YAMADA, &code).await.unwrap();
    let status = house.app.enrolment_status(&at).await.unwrap();
    assert_eq!(status.items.map(|item| item.may_be_set), [true; 3]);
    house.app.set_password(&at, Kind::Transaction, "river stone lantern").await.unwrap();
    let (session, _) = house.sign_in(YAMADA).await;
    house.app.enter_transaction_password(&session, "river stone lantern").await.unwrap();
    // Nothing that lies in the database or leaves the house holds the code.
    for mail in house.mails() {
        assert!(!mail.contains(&plain) && !mail.contains(code.as_str()));
    }
}

async fn two_resets_share_one_letter(house: Arc<House>) {
    reset(&house, YAMADA, "transaction").await;
    reset(&house, YAMADA, "login").await;
    let case = enrolment_of(&house, YAMADA).await;
    assert_eq!(house.count("SELECT COUNT(*) FROM letters").await, 1);
    // A spoiled one is never printed again: each letter has a code of its own.
    let first = opened(&house, case).await.code.expose_grouped();
    let by = dispatcher(&house).await;
    let spoil = enrolment::Command::Spoil;
    house.app.with_enrolment(&by, case, spoil, "spoil".to_owned()).await.unwrap();
    house.drain().await;
    let second = opened(&house, case).await.code.expose_grouped();
    assert_ne!(*first, *second);
    post(&house, case).await;
    enter(&house, YAMADA, &first).await.map(drop).unwrap_err();
    let at = enter(&house, YAMADA, &second).await.unwrap();
    house.app.set_password(&at, Kind::Login, "set with the second").await.unwrap();
}

async fn no_letter_goes_to_a_fresh_address(house: Arc<House>) {
    let text = format!(
        "contract,postal_code,address,changed_on\n\
         {AOBA},1500001,東京都渋谷区見本町9番,2026-12-01\n"
    );
    house.import_text("addresses.csv", &text).await;
    reset(&house, YAMADA, "login").await;
    let case = enrolment_of(&house, YAMADA).await;
    assert_eq!(house.state(case).await, "AddressHold");
    assert_eq!(house.count("SELECT COUNT(*) FROM letters").await, 0);
    assert_eq!(house.count("SELECT COUNT(*) FROM tasks WHERE kind = 'LetterInquiry'").await, 1);
    house.wait(Duration::from_hours(24 * 30)).await;
    assert_eq!(house.state(case).await, "Printed");
    post(&house, case).await;
    let code = opened(&house, case).await.code.expose_grouped();
    enter(&house, YAMADA, &code).await.map(drop).unwrap();
}

async fn a_returned_letter_voids_its_code(house: Arc<House>) {
    reset(&house, YAMADA, "login").await;
    let case = enrolment_of(&house, YAMADA).await;
    post(&house, case).await;
    let code = opened(&house, case).await.code.expose_grouped();
    let by = dispatcher(&house).await;
    let back = enrolment::Command::ReturnedMail;
    house.app.with_enrolment(&by, case, back, "back".to_owned()).await.unwrap();
    house.drain().await;
    enter(&house, YAMADA, &code).await.map(drop).unwrap_err();
    assert_eq!(house.count("SELECT COUNT(*) FROM tasks WHERE kind = 'Undelivered'").await, 1);
}
