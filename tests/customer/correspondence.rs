//! Ordinary letters reach the print station, sealed ones are handed over once, and a returned form
//! speaks for everybody on it.

use std::sync::Arc;
use std::time::Duration;

use engine::{Actor, CaseId, Submission};
use saihakko::backoffice::AtWork;
use saihakko::correspondence::{LetterKey, SealedPage};
use saihakko::host::Attachment;
use saihakko::secret::StationKey;
use saihakko::socket::{self, Call, Reply};
use saihakko::station::Handed;
use saihakko::store::submissions::{self, SubmissionRow};
use serde_json::Value;
use workflows::paper::{Command, Paper};
use workflows::terms::{DefectCode, Role, SubmissionRef, UserRef};

use crate::house::{AOBA, House, SUZUKI, YAMADA, stories};

stories!(
    a_lock_without_mail_is_told_by_letter,
    one_letter_returns_a_form_for_everybody_on_it,
    a_preview_is_the_letter_that_goes_out,
    a_sealed_letter_is_handed_over_once,
    an_inquiry_goes_to_the_former_address,
);

/// The number of the form in these stories.
const FORM: i64 = 261_122_000_170;

fn station(house: &House) -> StationKey {
    StationKey::load(&house.dir.path().join("data/keys/print-station.key")).unwrap()
}

async fn at_work(house: &House, login: &str, role: Role) -> AtWork {
    house.app.at_work(login, role).await.unwrap()
}

/// What a letter says, as poppler reads it; empty where poppler is missing.
fn words(page: &[u8]) -> String {
    assert!(page.starts_with(b"%PDF"));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("letter.pdf");
    std::fs::write(&path, page).unwrap();
    match std::process::Command::new("pdftotext").args([path.as_os_str(), "-".as_ref()]).output() {
        Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned(),
        Err(_) => {
            println!("SKIP: pdftotext");
            assert!(std::env::var("CI").as_deref() != Ok("true"), "pdftotext is missing on CI");
            String::new()
        }
    }
}

fn says(page: &[u8], wanted: &[&str]) {
    let words = words(page);
    for word in wanted.iter().filter(|_| !words.is_empty()) {
        assert!(words.contains(word), "{word} in {words}");
    }
}

/// The letters of the pile about that, drawn and opened as the station does.
async fn drawn(house: &House, about: &str) -> Vec<(SealedPage, Vec<u8>)> {
    let by = at_work(house, "hassou", Role::Dispatch).await;
    let mut pages = Vec::new();
    for row in house.app.letters_due().await.unwrap() {
        if row.about == about {
            let page = house.app.ordinary_letter(&by, &LetterKey::from(&row)).await.unwrap();
            let clear = page.open(&station(house)).unwrap().to_vec();
            pages.push((page, clear));
        }
    }
    pages
}

async fn a_lock_without_mail_is_told_by_letter(house: Arc<House>) {
    house.execute("UPDATE users SET email = ''").await;
    let (session, _) = house.sign_in(YAMADA).await;
    for _ in 0..house.app.tools.rules.transaction_max_wrong {
        house.app.enter_transaction_password(&session, "not the right one").await.unwrap_err();
    }
    house.drain().await;
    let letters = drawn(&house, "credential_locked").await;
    let [(page, clear)] = &letters[..] else { panic!("one letter: {}", letters.len()) };
    says(clear, &["ロックのお知らせ", "取引実行パスワード", "山田 太郎 様"]);
    // What lies on the pile or travels is readable at the station alone.
    assert!(!page.sealed.contains("山田"));
    house.app.letters_printed(&page.covers).await.unwrap();
    assert_eq!(house.app.letters_due().await.unwrap(), []);
    let by = at_work(&house, "hassou", Role::Dispatch).await;
    house.app.ordinary_letter(&by, &page.covers[0]).await.unwrap_err();
}

/// Two users of one form, each with a case.
async fn form_of_two(house: &House) -> [CaseId; 2] {
    let contract = house.count(&format!("SELECT id FROM contracts WHERE number = '{AOBA}'")).await;
    let row = SubmissionRow {
        number: FORM,
        case_id: 990_000,
        variant: "bizstation".to_owned(),
        contract_id: Some(contract),
        receipt: "0001-0002".to_owned(),
        carrier: "mail".to_owned(),
        counted: 2,
        prefilled: String::new(),
        reading: String::new(),
    };
    let mut tx = house.app.tools.db.write().await.unwrap();
    submissions::insert(&mut tx, &row).await.unwrap();
    tx.commit().await.unwrap();
    let mut cases = Vec::new();
    for (row, user_id) in [(1, YAMADA), (2, SUZUKI)] {
        let user = house.user(user_id).await;
        let case = house.app.engine.next_case().await.unwrap();
        let submission = SubmissionRef(FORM);
        let command = Command::Open { user: UserRef(user), submission };
        let subject = format!("user-{user}");
        let id = format!("open-{row}");
        let opening = Submission::<Paper>::opening(case, subject, command, Actor::worker(), id);
        house.app.desks.paper.submit(opening, Attachment::default()).await.unwrap();
        let mut tx = house.app.tools.db.write().await.unwrap();
        submissions::add_item(&mut tx, FORM, row, "retrieval_reissue", user, case).await.unwrap();
        tx.commit().await.unwrap();
        cases.push(case);
    }
    cases.try_into().unwrap()
}

async fn one_letter_returns_a_form_for_everybody_on_it(house: Arc<House>) {
    let [first, second] = form_of_two(&house).await;
    let clerk = at_work(&house, "clerk1", Role::Clerk).await;
    for (case, codes) in [
        (first, vec![DefectCode::SealMissing, DefectCode::Date]),
        (second, vec![DefectCode::SealMissing, DefectCode::User]),
    ] {
        // A defect of the seal blocks the other case of the form as well, so it may come first.
        let command = Command::Defect { codes };
        let _ = house.app.with_paper(&clerk, case, command, format!("defect-{case}")).await;
        house.drain().await;
    }
    let letters = drawn(&house, "defective").await;
    assert_eq!(letters.len(), 2, "a notice for each case");
    let (page, clear) = &letters[0];
    assert_eq!(page.covers.len(), 2, "and one letter for both");
    says(
        clear,
        &[
            "書類ご返却のご案内",
            "お届け印が押されていません",
            "0001-0002",
            "再提出の期限",
            "パスワードに関する諸届",
            "山田 太郎",
            "鈴木 一郎",
        ],
    );
    house.app.letters_printed(&page.covers).await.unwrap();
    assert_eq!(drawn(&house, "defective").await.len(), 0);
    // Whoever prints may not look at it; whoever handles the case may.
    house.execute("UPDATE letters_due SET printed_at = NULL").await;
    let preview = house.app.preview_letter(&clerk, &page.covers[0]).await.unwrap();
    assert!(preview.starts_with(b"%PDF"));
    let dispatch = at_work(&house, "hassou", Role::Dispatch).await;
    house.app.preview_letter(&dispatch, &page.covers[0]).await.unwrap_err();
}

/// What is shown before a return says word for word what goes out, for everybody whom it concerns.
async fn a_preview_is_the_letter_that_goes_out(house: Arc<House>) {
    let [first, _] = form_of_two(&house).await;
    let clerk = at_work(&house, "clerk1", Role::Clerk).await;
    let codes = vec![DefectCode::SealMissing, DefectCode::Date];
    let preview = house.app.preview_return(&clerk, first, &codes).await.unwrap();
    assert_eq!(house.app.letters_due().await.unwrap(), [], "a look puts nothing on the pile");
    let dispatch = at_work(&house, "hassou", Role::Dispatch).await;
    house.app.preview_return(&dispatch, first, &codes).await.unwrap_err();
    let command = Command::Defect { codes };
    house.app.with_paper(&clerk, first, command, "defect".to_owned()).await.unwrap();
    house.drain().await;
    let letters = drawn(&house, "defective").await;
    assert_eq!(letters.len(), 2, "the seal concerns both");
    for name in ["山田 太郎", "鈴木 一郎", "お届け印が押されていません"] {
        says(&preview, &[name]);
    }
    assert_eq!(words(&preview), words(&letters[0].1));
}

async fn answer(house: &House, call: Call) -> Result<Value, String> {
    match socket::carry_out(&house.app, call).await {
        Reply::Done(value) => Ok(value),
        Reply::Declined(why) | Reply::Broken(why) => Err(why),
    }
}

async fn a_sealed_letter_is_handed_over_once(house: Arc<House>) {
    crate::letters::reset(&house, YAMADA, "transaction").await;
    let login = || "hassou".to_owned();
    let waiting = answer(&house, Call::LettersWaiting { login: login() }).await.unwrap();
    assert_eq!(waiting["station"], station(&house).public().to_text());
    let letter = waiting["sealed"][0]["id"].as_i64().unwrap();
    let handed = answer(&house, Call::HandLetter { login: login(), letter }).await.unwrap();
    let handed: Handed = serde_json::from_value(handed).unwrap();
    let page = handed.open(&station(&house)).unwrap();
    says(&page, &["登録コードのお知らせ", "親展"]);
    answer(&house, Call::HandLetter { login: login(), letter }).await.unwrap_err();
    let waiting = answer(&house, Call::LettersWaiting { login: login() }).await.unwrap();
    assert_eq!(waiting["sealed"].as_array().map(Vec::len), Some(0));
    assert_eq!(waiting["uncounted"][0]["case_id"], handed.case);
    // Spoiled at the printer: void, and a new one with a new code waits.
    let (case, role, id) = (CaseId(handed.case), "dispatch".to_owned(), "spoil".to_owned());
    let command = workflows::enrolment::Command::Spoil;
    answer(&house, Call::Enrolment { login: login(), role, case, command, id }).await.unwrap();
    house.drain().await;
    let waiting = answer(&house, Call::LettersWaiting { login: login() }).await.unwrap();
    assert_eq!(waiting["uncounted"].as_array().map(Vec::len), Some(0));
    assert_ne!(waiting["sealed"][0]["id"].as_i64().unwrap(), letter);
    // Nobody but dispatch is given anything.
    let clerk = Call::LettersWaiting { login: "clerk1".to_owned() };
    answer(&house, clerk).await.unwrap_err();
}

async fn an_inquiry_goes_to_the_former_address(house: Arc<House>) {
    let text = format!(
        "contract,postal_code,address,changed_on\n\
         {AOBA},1500001,東京都渋谷区見本町9番,2026-12-01\n"
    );
    house.import_text("addresses.csv", &text).await;
    let [case, _] = form_of_two(&house).await;
    let clerk = at_work(&house, "clerk1", Role::Clerk).await;
    house.app.view_case(&clerk, case).await.unwrap();
    house.execute("UPDATE reissues SET form_date = '2026-12-05'").await;
    house.app.with_paper(&clerk, case, Command::Check, "check".to_owned()).await.unwrap();
    house.drain().await;
    assert_eq!(house.state(case).await, "AddressHold");
    let letters = drawn(&house, "address_inquiry").await;
    let [(_, clear)] = &letters[..] else { panic!("one inquiry: {}", letters.len()) };
    says(clear, &["照会状", "回答書", "令和8年(2026年)12月1日"]);
    let words = words(clear);
    assert!(!words.contains("渋谷区"), "the new address is not told: {words}");
    house.wait(Duration::from_secs(1)).await;
}
