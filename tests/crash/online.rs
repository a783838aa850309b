//! Paths 1 and 2, and what follows every path: claim, fetch, log in.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use data_encoding::{BASE64, HEXLOWER};
use engine::CaseId;
use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
use saihakko::customer::Declined;
use saihakko::socket::Call;
use sha2::{Digest, Sha256};
use tokio::time::sleep;
use workflows::terms::Reason;

use super::chance::Chance;
use super::driver::{Card, Cookies, Driver, Shown, case_in, is_signed_out, text_in};
use super::ledger::{Person, TRANSACTION, Team};

/// Where a case may stand once its password is used.
const USED: [&str; 4] =
    ["Tail.Redeemed", "Tail.Claimed", "Tail.CertificateIssued", "Tail.Completed"];

/// Plays a whole company: the administrator for themselves, then for the colleague.
pub(crate) async fn play(driver: Arc<Driver>, team: Team, mut chance: Chance) {
    let serial = own_reissue(&driver, &team.administrator, &mut chance).await;
    colleague_reissue(&driver, &team, &serial, &mut chance).await;
}

/// Path 1; gives the serial of the new certificate.
async fn own_reissue(driver: &Driver, who: &Person, chance: &mut Chance) -> String {
    let mut cookies = driver.sign_in(who, None).await;
    let begin = Call::BeginOwn { token: cookies.token.clone(), reason: Reason::Expired };
    let case = case_in(&driver.done("a beginning", &begin).await);
    let mut card = Card::of(who);
    let mut entered = 0_u64;
    loop {
        let (token, ticket) = (cookies.token.clone(), cookies.ticket.clone());
        match driver.ask(&Call::IssueOwn { token, ticket, case }).await {
            Ok(_) => break,
            Err(code) if code == "self_service.OtpMissing" => {
                entered += 1;
                enter_card(driver, &mut cookies, &mut card).await;
            }
            // The card was accepted and the new cookie lost on its way: log in anew.
            Err(code) if is_signed_out(&code) => cookies = driver.sign_in(who, None).await,
            Err(code) => panic!("case {case} was not issued: {code}"),
        }
    }
    driver.counts.cards_again.fetch_add(entered.saturating_sub(1), Ordering::Relaxed);
    let shown = driver.note_digits(&cookies, case).await;
    linger(driver, &shown, chance).await;
    driver.about_to_claim(&shown);
    let serial = claim_and_log_in(driver, &cookies, case, &shown.digits).await;
    driver.shows_nothing_more(&shown).await;
    driver.finished.lock().unwrap().push(("self_service", case));
    serial
}

/// Enters the card once. A lost reply leaves the old cookie: the next step tells what it is worth.
async fn enter_card(driver: &Driver, cookies: &mut Cookies, card: &mut Card) {
    let (token, entry) = (cookies.token.clone(), card.next().await);
    match driver.once(&Call::OneTimePassword { token, entry }).await {
        Some(Ok(value)) => cookies.token = text_in(&value, "token"),
        Some(Err(code)) => panic!("the card was not accepted: {code}"),
        None => {}
    }
}

/// Leaves the page open for a while, then reloads it.
async fn linger(driver: &Driver, shown: &Shown, chance: &mut Chance) {
    if chance.one_in(2) {
        driver.outlive_a_kill().await;
    }
    driver.compare(shown).await;
}

/// Path 2.
async fn colleague_reissue(driver: &Driver, team: &Team, serial: &str, chance: &mut Chance) {
    let cookies = driver.sign_in(&team.administrator, Some(serial)).await;
    let begin = Call::BeginColleague {
        token: cookies.token.clone(),
        user_id: team.colleague.user_id.clone(),
        reason: Reason::NewPc,
        key: "page-1".to_owned(),
    };
    let case = case_in(&driver.done("a beginning for a colleague", &begin).await);
    let confirm = Call::ConfirmColleague {
        token: cookies.token.clone(),
        ticket: cookies.ticket.clone(),
        case,
        password: TRANSACTION.to_owned(),
    };
    driver.done("a confirmation", &confirm).await;
    let shown = driver.note_digits(&cookies, case).await;
    driver.done("a repeated confirmation", &confirm).await;
    linger(driver, &shown, chance).await;
    let own = driver.sign_in(&team.colleague, None).await;
    driver.about_to_claim(&shown);
    claim_and_log_in(driver, &own, case, &shown.digits).await;
    driver.shows_nothing_more(&shown).await;
    driver.finished.lock().unwrap().push(("delegated", case));
}

/// Uses the digits once, fetches the certificate, logs in with it; gives its serial.
pub(crate) async fn claim_and_log_in(
    driver: &Driver,
    own: &Cookies,
    case: CaseId,
    digits: &str,
) -> String {
    claim(driver, own, case, digits).await;
    let bundle = fetch(driver, own, case).await;
    let fingerprint = fingerprint_in(&bundle);
    let visit = Call::Visit { fingerprint };
    let welcome = driver.done("a log-in with the certificate", &visit).await;
    assert_eq!(welcome["visit"], "welcome", "{welcome}");
    driver.until(case, &["Tail.Completed"]).await;
    let again = Call::Claim { token: own.token.clone(), entry: digits.to_owned(), csr: None };
    let refused = driver.ask(&again).await;
    assert_eq!(refused.unwrap_err(), "credential.Used", "digits could be used twice");
    text_in(&welcome, "serial")
}

/// Enters the digits. When the reply is lost, the case tells whether they were taken.
async fn claim(driver: &Driver, own: &Cookies, case: CaseId, digits: &str) {
    let mut lost = false;
    for _ in 0..2000 {
        let call = Call::Claim { token: own.token.clone(), entry: digits.to_owned(), csr: None };
        match driver.once(&call).await {
            Some(Ok(value)) => return assert_eq!(case_in(&value), case),
            Some(Err(code)) if code == "credential.Used" && lost => {
                driver.counts.settled_by_looking.fetch_add(1, Ordering::Relaxed);
                return;
            }
            // The credential has not heard of its new password yet.
            Some(Err(code)) if matches!(&*code, "credential.Unset" | "credential.NotLive") => {}
            Some(Err(code)) => panic!("case {case}: the right digits were declined: {code}"),
            None => {
                lost = true;
                if USED.contains(&driver.state(case).await.as_str()) {
                    driver.counts.settled_by_looking.fetch_add(1, Ordering::Relaxed);
                    return;
                }
            }
        }
        sleep(Duration::from_millis(25)).await;
    }
    panic!("case {case}: the digits are never taken");
}

/// Fetches the .p12, as often as it takes.
async fn fetch(driver: &Driver, own: &Cookies, case: CaseId) -> Vec<u8> {
    for _ in 0..8 {
        let call = Call::Fetch { token: own.token.clone(), case, password: String::new() };
        match driver.ask(&call).await {
            Ok(value) => return BASE64.decode(text_in(&value, "p12").as_bytes()).unwrap(),
            // The certificate is still being made.
            Err(code) if code == Declined::NotFound.to_string() => {}
            Err(code) => panic!("case {case}: no certificate: {code}"),
        }
    }
    panic!("case {case}: the certificate is never made");
}

fn fingerprint_in(bundle: &[u8]) -> String {
    let store = KeyStore::from_pkcs12(bundle, "", Pkcs12ImportPolicy::Strict).unwrap();
    let (_, chain) = store.private_key_chain().unwrap();
    HEXLOWER.encode(&Sha256::digest(chain.certs()[0].as_der()))
}
