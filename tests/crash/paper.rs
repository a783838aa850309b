//! Path 3: the form by mail, and the desks of the bank.

use std::path::Path;
use std::sync::Arc;

use chrono::Datelike;
use data_encoding::BASE64;
use engine::CaseId;
use forms::degrade::{Carrier, PaperSheet, Wear, encode};
use forms::seal::Impression;
use forms::{AccountType, FormData, ReiwaDate, UserRow, Variant, Version, layout};
use saihakko::dates;
use saihakko::letter;
use saihakko::secret::StationKey;
use saihakko::socket::Call;
use workflows::paper::Command;

use super::driver::{Driver, case_in, text_in};
use super::ledger::Person;
use super::online::retrieve_and_log_in;

/// The scanner of the rehearsal.
const DPI: f32 = 180.0;
/// A registered-mail number whose last digit is the others modulo 7.
const TRACKING: &str = "12345678903";

/// Plays one form from the web to the certificate.
pub(crate) async fn play(driver: Arc<Driver>, who: Person, station: Arc<StationKey>) {
    let token = driver.sign_in(&who).await;
    let (variant, data) = (Variant::Light, Box::new(filled_in(&who)));
    // A lost reply costs a form that nobody posts; the next one has a number of its own.
    let draft = Call::DraftForm { token, variant, data };
    let draft = driver.done("a form", &draft).await;
    let number = text_in(&draft, "number");
    let pdf = BASE64.decode(text_in(&draft, "pdf").as_bytes()).unwrap();
    let scan = tokio::task::spawn_blocking(move || stamped_and_scanned(&pdf)).await.unwrap();
    let case = intake(&driver, &number, &scan).await;
    approve(&driver, case).await;
    let digits = open_letter(&driver, case, &station).await;
    post(&driver, case).await;
    retrieve_and_log_in(&driver, &driver.browser(), &who, case, &digits).await;
    driver.finished.lock().unwrap().push(("paper", case));
}

/// The print station's private key.
pub(crate) fn station_key(data: &Path) -> Arc<StationKey> {
    Arc::new(StationKey::load(&data.join("keys").join("print-station.key")).unwrap())
}

fn filled_in(who: &Person) -> FormData {
    let today = dates::japan(engine::Moment::of_this_machine()).date_naive();
    FormData {
        date: Some(ReiwaDate {
            year: u8::try_from(today.year() - 2018).unwrap(),
            month: u8::try_from(today.month()).unwrap(),
            day: u8::try_from(today.day()).unwrap(),
        }),
        registered_address: "東京都千代田区見本町1番地".to_owned(),
        company_name: "株式会社 見本".to_owned(),
        company_kana: "カブシキガイシャ ミホン".to_owned(),
        representative_title: "代表取締役".to_owned(),
        representative_name: "見本 一郎".to_owned(),
        contract_number: who.contract.clone(),
        branch_number: "042".to_owned(),
        account_type: Some(AccountType::Ordinary),
        account_number: "0000001".to_owned(),
        contact_name: String::new(),
        phone: "0300000101".to_owned(),
        no_authority_online: true,
        users: vec![UserRow {
            user_id: who.user_id.clone(),
            kana: "コバヤシ ナオコ".to_owned(),
            name: "小林 直子".to_owned(),
            department: String::new(),
            requests: [forms::Request::RetrievalReissue].into(),
            reasons: [forms::Reason::Expired].into(),
        }],
    }
}

/// What the customer does to the paper, and the scanner to both.
fn stamped_and_scanned(pdf: &[u8]) -> Vec<u8> {
    let layout = layout(Version::default(), Variant::Light);
    let mut sheets = PaperSheet::print(pdf, DPI).unwrap();
    sheets.truncate(layout.pages.len());
    let seal = Impression::company("合同会社みずいろ珈琲", 2).unwrap();
    sheets[0].stamp(&seal, layout.pages[0].seals[0].area.centre(), 4.0, 7);
    let wear = Wear { skew: 0.8, ..Wear::default() };
    let pictures: Vec<_> = sheets.iter().map(|sheet| sheet.scan(&wear)).collect();
    encode(&pictures, DPI, Carrier::Pdf).unwrap()
}

/// The mail room registers and scans; a case comes of it, however often that is repeated.
async fn intake(driver: &Driver, number: &str, scan: &[u8]) -> CaseId {
    let (login, number) = ("uketsuke".to_owned(), number.to_owned());
    let carrier = "普通郵便".to_owned();
    let receive = Call::Receive { login: login.clone(), number: number.clone(), carrier, pages: 1 };
    let envelope = case_in(&driver.done("a receipt", &receive).await);
    let files = vec![BASE64.encode(scan)];
    driver.done("a scan", &Call::Scan { login, number: number.clone(), files }).await;
    driver.until(envelope, &["Opened"]).await;
    let cases = driver.done("a look", &Call::CasesOf { number }).await;
    let cases: Vec<CaseId> = serde_json::from_value(cases["cases"].clone()).unwrap();
    assert_eq!(cases.len(), 1, "one request, one case");
    driver.until(cases[0], &["Identified"]).await;
    cases[0]
}

async fn at_desk(driver: &Driver, login: &str, role: &str, case: CaseId, command: Command) {
    // The same id however often it is sent: a repeat finds the finished entry.
    let id = format!("rehearsal-{case}-{}", engine::label(&command));
    let (login, role) = (login.to_owned(), role.to_owned());
    driver.done("a command of a desk", &Call::Paper { login, role, case, command, id }).await;
}

async fn view(driver: &Driver, login: &str, role: &str, case: CaseId) {
    let (login, role) = (login.to_owned(), role.to_owned());
    driver.done("a view", &Call::ViewCase { login, role, case }).await;
}

async fn approve(driver: &Driver, case: CaseId) {
    view(driver, "clerk1", "clerk", case).await;
    at_desk(driver, "clerk1", "clerk", case, Command::Check).await;
    at_desk(driver, "clerk1", "clerk", case, Command::MatchSeal).await;
    view(driver, "approver1", "approver", case).await;
    at_desk(driver, "approver1", "approver", case, Command::Approve).await;
    driver.until(case, &["Printed"]).await;
}

/// The letter is the same however often the station asks for it.
async fn open_letter(driver: &Driver, case: CaseId, station: &StationKey) -> String {
    let call = Call::SealedLetter { login: "hassou".to_owned(), case };
    let read = async || {
        let answer = driver.done("a sealed letter", &call).await;
        let sealed = BASE64.decode(text_in(&answer, "sealed").as_bytes()).unwrap();
        let version = answer["address_version"].as_i64().unwrap();
        let opened = letter::open(station, case, version, &sealed).unwrap();
        String::from_utf8(opened.digits.expose_ascii().to_vec()).unwrap()
    };
    let digits = read().await;
    driver.digits.lock().unwrap().push(digits.clone());
    driver.outlive_a_kill().await;
    assert_eq!(read().await, digits, "case {case}: the letter changed");
    digits
}

/// The station takes the letter once, whatever becomes of the answer.
async fn hand(driver: &Driver, case: CaseId) {
    let login = || "hassou".to_owned();
    let waiting = driver.done("the batch", &Call::LettersWaiting { login: login() }).await;
    let own = waiting["sealed"].as_array().unwrap().iter().find(|line| line["case_id"] == case.0);
    let letter = own.unwrap()["id"].as_i64().unwrap();
    let call = Call::HandLetter { login: login(), letter };
    if let Err(why) = driver.ask(&call).await {
        let waiting = driver.done("the batch", &Call::LettersWaiting { login: login() }).await;
        let sealed = waiting["sealed"].as_array().unwrap();
        assert!(sealed.iter().all(|line| line["id"] != letter), "not handed over: {why}");
    }
}

async fn post(driver: &Driver, case: CaseId) {
    hand(driver, case).await;
    let reconcile = Call::Reconcile { login: "hassou".to_owned(), cases: vec![case] };
    driver.done("a counted batch", &reconcile).await;
    let tracking = TRACKING.to_owned();
    at_desk(driver, "hassou", "dispatch", case, Command::Dispatch { tracking }).await;
    at_desk(driver, "hassou", "dispatch", case, Command::Deliver).await;
    driver.until(case, &["Tail.Waiting"]).await;
}
