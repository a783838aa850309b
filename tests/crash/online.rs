//! Paths 1 and 2, and what follows every path: enter the digits, fetch the file, log in.
//!
//! Each person looks at the page that is there and does what it asks for. When a reply is lost,
//! they load the page again and go on from wherever it leads, so that every step must be reachable
//! from the pages alone.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use engine::CaseId;
use hyper::StatusCode;
use saihakko::text::{Language, Texts};
use saihakko::web::page::name;
use tokio::time::sleep;

use super::browser::{Browser, Page, Site};
use super::chance::Chance;
use super::driver::{Card, Driver, Shown};
use super::ledger::{LOGIN, Person, TRANSACTION, Team};

/// Nobody needs more pages than these to get anywhere, kills included.
const STEPS: usize = 2000;
/// How long one waits before a page is loaded again.
const BREATH: Duration = Duration::from_millis(25);
/// The list of colleagues.
const LIST: &str = "/settings/users/reissue";

/// Plays a whole company: the administrator for themselves, then for the colleague.
pub(crate) async fn play(driver: Arc<Driver>, team: Team, mut chance: Chance) {
    let holder = own_reissue(&driver, &team.administrator, &mut chance).await;
    colleague_reissue(&driver, &team, &holder, &mut chance).await;
}

/// The case in an address such as `/reissue/7/password`.
fn case_of(page: &Page, before: &str) -> CaseId {
    let rest = page.path().strip_prefix(before).unwrap_or_else(|| page.stray(before));
    let number = rest.trim_start_matches('/').split('/').next().unwrap_or_default();
    CaseId(number.parse().unwrap_or_else(|_| page.stray("a case in the address")))
}

/// What a refusal says on a page, in Japanese.
fn words_of(refusal: &str) -> String {
    let texts = Texts::load().unwrap();
    name(&texts, Language::Japanese, "refusal", "credential", refusal)
}

/// Fills in the sign-in form of the customers' site; when the reply is lost, `wanted` is opened.
async fn sign_in(
    driver: &Driver,
    browser: &Browser,
    who: &Person,
    page: &Page,
    wanted: &str,
) -> Page {
    let (contract, user_id) = (who.contract.as_str(), who.user_id.as_str());
    let back = page.hidden("back");
    let fields =
        [("back", &*back), ("contract", contract), ("user_id", user_id), ("password", LOGIN)];
    match browser.post(driver, Site::Customers, "/sign-in", &fields).await {
        Some(page) if page.path() == "/sign-in" => page.stray("a sign-in that is accepted"),
        Some(page) => page,
        None => browser.open(driver, Site::Customers, wanted).await,
    }
}

/// Path 1; gives the browser into which the new certificate was imported.
async fn own_reissue(driver: &Driver, who: &Person, chance: &mut Chance) -> Browser {
    let browser = driver.browser();
    let page = walk_to_password(driver, &browser, who, chance).await;
    let case = case_of(&page, "/reissue");
    let shown = driver.note_digits(&browser, Site::Customers, case, &page);
    linger(driver, &shown, chance).await;
    driver.about_to_claim(&shown);
    let holder = retrieve_and_log_in(driver, &browser, who, case, &shown.digits).await;
    driver.shows_nothing_more(&shown).await;
    driver.finished.lock().unwrap().push(("self_service", case));
    holder
}

/// From the link 再発行 to the window with the digits.
async fn walk_to_password(
    driver: &Driver,
    browser: &Browser,
    who: &Person,
    chance: &mut Chance,
) -> Page {
    let site = Site::Customers;
    let mut card = Card::of(who);
    let (mut entered, mut signed_in) = (0_u64, 0_u64);
    let mut page = browser.open(driver, site, "/reissue").await;
    for _ in 0..STEPS {
        let here = page.path().to_owned();
        if page.digits().is_some() {
            driver.counts.cards_again.fetch_add(entered.saturating_sub(1), Ordering::Relaxed);
            let again = signed_in.saturating_sub(1);
            driver.counts.signed_in_again.fetch_add(again, Ordering::Relaxed);
            return page;
        }
        // The reply of what is pressed now, and the page to be loaded when it is lost.
        let pressed = if here == "/sign-in" {
            signed_in += 1;
            Some(sign_in(driver, browser, who, &page, "/reissue").await)
        } else if page.has_form("/reissue") {
            let key = page.hidden("key");
            let fields = [("key", &*key), ("reason", "expired")];
            browser.post(driver, site, "/reissue", &fields).await
        } else if page.has_form(&format!("{here}/one-time-password")) {
            entered += 1;
            let (to, code) = (format!("{here}/one-time-password"), card.next().await);
            browser.post(driver, site, &to, &[("one_time_password", &code)]).await
        } else if page.has_form(&format!("{here}/password")) {
            let to = format!("{here}/password");
            if chance.one_in(3) {
                browser.double_click(driver, site, &to, &[]).await
            } else {
                browser.post(driver, site, &to, &[]).await
            }
        } else if let Some(window) = page.link(&format!("{here}/password?show=1")) {
            Some(browser.open(driver, site, &window).await)
        } else {
            page.stray("a step of path 1")
        };
        page = match pressed {
            Some(page) => page,
            None => browser.open(driver, site, &here).await,
        };
    }
    page.stray("the digits, at long last")
}

/// Leaves the page open for a while, then reloads it.
async fn linger(driver: &Driver, shown: &Shown, chance: &mut Chance) {
    if chance.one_in(2) {
        driver.outlive_a_kill().await;
    }
    driver.compare(shown).await;
}

/// Path 2, in the browser that holds the administrator's certificate.
async fn colleague_reissue(driver: &Driver, team: &Team, holder: &Browser, chance: &mut Chance) {
    let page = walk_to_completion(driver, holder, &team.colleague, chance).await;
    let case = case_of(&page, LIST);
    let shown = driver.note_digits(holder, Site::Certificate, case, &page);
    repeat_confirmation(driver, holder, &shown).await;
    linger(driver, &shown, chance).await;
    driver.about_to_claim(&shown);
    let own = driver.browser();
    retrieve_and_log_in(driver, &own, &team.colleague, case, &shown.digits).await;
    driver.shows_nothing_more(&shown).await;
    driver.finished.lock().unwrap().push(("delegated", case));
}

/// From the list of colleagues to the completion page with the digits.
async fn walk_to_completion(
    driver: &Driver,
    holder: &Browser,
    colleague: &Person,
    chance: &mut Chance,
) -> Page {
    let site = Site::Certificate;
    let mut page = holder.open(driver, site, LIST).await;
    for _ in 0..STEPS {
        let here = page.path().to_owned();
        if page.digits().is_some() {
            return page;
        }
        let mut anew = here.clone();
        let pressed = if page.has_form("/sign-in") {
            LIST.clone_into(&mut anew);
            let back = page.hidden("back");
            let fields = [("back", &*back), ("password", LOGIN)];
            holder.post(driver, site, "/sign-in", &fields).await
        } else if here == LIST && page.status == StatusCode::OK {
            let key = page.hidden("key");
            let fields =
                [("key", &*key), ("reason", "new_pc"), ("user_id", colleague.user_id.as_str())];
            holder.post(driver, site, LIST, &fields).await
        } else if page.has_form(&here) {
            if let Some(complaint) = page.complaint() {
                page.stray(&format!("a right transaction password, without {complaint}"));
            }
            let fields = [("transaction_password", TRANSACTION)];
            if chance.one_in(3) {
                holder.double_click(driver, site, &here, &fields).await
            } else {
                holder.post(driver, site, &here, &fields).await
            }
        } else if let Some(shown) = page.link(&format!("{here}?show=1")) {
            Some(holder.open(driver, site, &shown).await)
        } else {
            page.stray("a step of path 2")
        };
        page = match pressed {
            Some(page) => page,
            None => holder.open(driver, site, &anew).await,
        };
    }
    page.stray("the completion page, at long last")
}

/// Goes back and presses 再発行 once more: the same password.
async fn repeat_confirmation(driver: &Driver, holder: &Browser, shown: &Shown) {
    let confirm = format!("{LIST}/{}", shown.case);
    let fields = [("transaction_password", TRANSACTION)];
    if let Some(page) = holder.post(driver, Site::Certificate, &confirm, &fields).await
        && page.path() != format!("{confirm}/done")
    {
        page.stray("the completion page again");
    }
    driver.compare(shown).await;
}

/// Uses the digits once, downloads the .p12, imports it, and comes with it to the certificate
/// site; gives the browser that did.
pub(crate) async fn retrieve_and_log_in(
    driver: &Driver,
    browser: &Browser,
    who: &Person,
    case: CaseId,
    digits: &str,
) -> Browser {
    enter_digits(driver, browser, who, case, digits).await;
    let bundle = download(driver, browser, who, case).await;
    let holder = driver.browser_with(&bundle);
    let welcome = holder.open(driver, Site::Certificate, "/").await;
    if welcome.status != StatusCode::OK || !welcome.has_form("/sign-in") {
        welcome.stray("a welcome to the new certificate");
    }
    driver.until(case, &["Tail.Completed"]).await;
    let parcel = signed_in_at(driver, browser, who, &format!("/cases/{case}")).await;
    if parcel.link("/certificate/").is_some() || parcel.link("/reissue/").is_some() {
        parcel.stray("a case that is over");
    }
    refuse_again(driver, browser, who, digits).await;
    holder
}

/// Opens a page of the customers' site, signing in where that is asked for.
async fn signed_in_at(driver: &Driver, browser: &Browser, who: &Person, path: &str) -> Page {
    let mut page = browser.open(driver, Site::Customers, path).await;
    for _ in 0..STEPS {
        if page.path() != "/sign-in" {
            return page;
        }
        page = sign_in(driver, browser, who, &page, path).await;
    }
    page.stray("a page behind the sign-in")
}

/// Enters the digits. When the reply is lost, the page tells whether they were taken.
async fn enter_digits(
    driver: &Driver,
    browser: &Browser,
    who: &Person,
    case: CaseId,
    digits: &str,
) {
    let fetching = format!("/certificate/{case}");
    let early = [words_of("Unset"), words_of("NotLive")];
    for _ in 0..STEPS {
        let page = signed_in_at(driver, browser, who, "/certificate").await;
        if page.link("/certificate/").is_some_and(|link| link == fetching) {
            driver.counts.settled_by_looking.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let fields = [("digits", digits), ("csr", "")];
        let Some(page) = browser.post(driver, Site::Customers, "/certificate", &fields).await
        else {
            continue;
        };
        if page.path() == fetching {
            return;
        }
        // The credential may not have heard of its new password yet.
        let complaint = page.complaint().unwrap_or_else(|| page.stray("the file"));
        if !early.iter().any(|words| complaint.contains(words)) {
            page.stray("that the right digits are taken");
        }
        sleep(BREATH).await;
    }
    panic!("case {case}: the digits are never taken");
}

/// Presses [取得] until the file is there.
async fn download(driver: &Driver, browser: &Browser, who: &Person, case: CaseId) -> Vec<u8> {
    let fetching = format!("/certificate/{case}");
    let file = format!("{fetching}/file");
    for _ in 0..STEPS {
        let page = signed_in_at(driver, browser, who, &fetching).await;
        if page.path() != fetching {
            page.stray("the page that gives the file");
        }
        if page.has_form(&file) {
            let fields = [("p12_password", ""), ("p12_password_again", "")];
            match browser.post(driver, Site::Customers, &file, &fields).await {
                Some(page) if page.path() == file && page.status == StatusCode::OK => {
                    return page.bytes;
                }
                Some(page) if page.path() == fetching => {}
                Some(page) => page.stray("the file"),
                None => continue,
            }
        }
        // The certificate is still being made.
        sleep(BREATH).await;
    }
    panic!("case {case}: the certificate is never made");
}

/// Digits that were used are not taken again.
async fn refuse_again(driver: &Driver, browser: &Browser, who: &Person, digits: &str) {
    for _ in 0..STEPS {
        signed_in_at(driver, browser, who, "/certificate").await;
        let fields = [("digits", digits), ("csr", "")];
        if let Some(page) = browser.post(driver, Site::Customers, "/certificate", &fields).await {
            let complaint = page.complaint().unwrap_or_else(|| page.stray("a refusal"));
            assert!(complaint.contains(&words_of("Used")), "digits used twice: {complaint}");
            return;
        }
    }
    panic!("the refusal of used digits never comes");
}
