//! What must look the same: somebody else's case and one that does not exist; a user whom the bank
//! knows and one whom it does not.

use axum::Router;

use crate::answer::{Answer, Ask, Visitor};
use crate::house::{CERTIFICATE_SITE, HANAKO, House, MISAKI, NAOKO, SITE};
use crate::table::{READ, READ_WITH_CERTIFICATE, SENT, SENT_WITH_CERTIFICATE};

/// A number that no case bears, of as many digits.
const NOBODYS: &str = "99";

/// What a page says, apart from the number that was asked for and keys of one use.
fn said(answer: &Answer, number: &str) -> String {
    let headers: Vec<String> = answer
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    let text = format!("{}\n{}\n{}", answer.status, headers.join("\n"), answer.body);
    text.replace(&format!("/{number}"), "/CASE")
}

async fn both_ways(router: &Router, host: &str, visitor: &Visitor, foreign: &str, routes: &[&str]) {
    for (index, route) in routes.iter().enumerate().filter(|(_, route)| route.contains("{case}")) {
        // The reading routes come first, then those to which forms are sent.
        let is_read = index < routes.len() - sent_count(routes);
        let mut answers = Vec::new();
        for number in [foreign, NOBODYS] {
            let path = route.replace("{case}", number);
            let ask = if is_read {
                Ask::get(router, host, &path)
            } else {
                Ask::post(router, host, &path, "transaction_password=x&one_time_password=123456")
            };
            let answer = ask.by(visitor).send().await;
            // Where only a form is sent to, reading leads back to its page, whatever the number.
            let leads_back = is_read && answer.header("location") == parent(&path);
            assert!(answer.status.as_u16() == 404 || leads_back, "{route} {}", answer.status);
            answers.push(said(&answer, number));
        }
        assert_eq!(answers[0], answers[1], "{route}");
    }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn sent_count(routes: &[&str]) -> usize {
    if routes.len() == READ.len() + SENT.len() { SENT.len() } else { SENT_WITH_CERTIFICATE.len() }
}

#[tokio::test]
async fn a_foreign_case_is_answered_like_a_missing_one() {
    let house = House::new().await;
    let cases = house.with_cases().await;
    let all: Vec<&str> = READ.into_iter().chain(SENT).collect();
    let begun = cases.begun.to_string();
    assert_eq!(begun.len(), NOBODYS.len());
    assert!(cases.all().iter().all(|(_, case)| case.to_string() != NOBODYS));
    for user in [NAOKO, MISAKI] {
        let visitor = house.visitor(user).await;
        both_ways(&house.site, SITE, &visitor, &begun, &all).await;
    }
    // The other company's case, on the certificate site.
    let theirs = {
        let session = house.session_of(NAOKO).await;
        let begun = house.app.begin_own_reissue(&session, workflows::terms::Reason::Expired, "own");
        begun.await.unwrap().to_string()
    };
    let all: Vec<&str> = READ_WITH_CERTIFICATE.into_iter().chain(SENT_WITH_CERTIFICATE).collect();
    both_ways(&house.certificate_site, CERTIFICATE_SITE, &cases.holder, &theirs, &all).await;
}

/// One sign-in with what the form asks for; the typed values are struck out of the page.
async fn sign_in(house: &House, contract: &str, user_id: &str, password: &str) -> String {
    let form = format!("contract={contract}&user_id={user_id}&password={password}&back=");
    let answer = Ask::post(&house.site, SITE, "/sign-in", &form).send().await;
    assert!(answer.cookies().is_empty(), "{:?}", answer.cookies());
    said(&answer, "none").replace(contract, "CONTRACT").replace(user_id, "USER")
}

#[tokio::test]
async fn nothing_tells_a_known_user_from_an_unknown_one() {
    let house = House::new().await;
    let unknown = sign_in(&house, "9999999999", "999999999", "wrong").await;
    assert!(unknown.contains("422"), "{unknown}");
    // Known, known and delayed, and in the end, after twenty, known and locked.
    for turn in 0..24 {
        let known = sign_in(&house, "0104212345", HANAKO, "wrong").await;
        assert_eq!(known, unknown, "after {turn} wrong entries");
        house.wait(if turn == 6 { 0 } else { 600 }).await;
    }
    let right = sign_in(&house, "0104212345", HANAKO, "login-010429001").await;
    assert_eq!(right, unknown, "the right password while the login is locked");
    // A user of one company under the number of another.
    assert_eq!(sign_in(&house, "0207054321", MISAKI, "login-010429004").await, unknown);
}

/// One form of a stranger; the typed values are struck out of the page.
async fn stranger(house: &House, path: &str, form: &str, typed: [&str; 2]) -> String {
    let answer = Ask::post(&house.site, SITE, path, form).send().await;
    assert!(answer.cookies().is_empty(), "{:?}", answer.cookies());
    said(&answer, "none").replace(typed[0], "CONTRACT").replace(typed[1], "USER")
}

#[tokio::test]
async fn enrolment_and_call_back_tell_nothing_of_whom_the_bank_knows() {
    let house = House::new().await;
    let code = saihakko::secret::EnrolmentCode::generate(&saihakko::app::system_entropy());
    let code = code.expose_grouped();
    for path in ["/enrol", "/call-back"] {
        let mut first = None;
        // Known, known again, of another company, and known to nobody.
        for typed in [
            ["0104212345", HANAKO],
            ["0104212345", HANAKO],
            ["0207054321", HANAKO],
            ["9999999999", "999999999"],
        ] {
            let form = format!("contract={}&user_id={}&code={}", typed[0], typed[1], *code);
            let answer = stranger(&house, path, &form, typed).await;
            let first = first.get_or_insert_with(|| answer.clone());
            assert_eq!(&answer, first, "{path} {typed:?}");
        }
    }
}

#[tokio::test]
async fn a_user_of_another_company_is_answered_like_a_missing_one() {
    let house = House::new().await;
    let cases = house.with_cases().await;
    let ask = async |method: &str, user_id: &str, ending: &str| {
        let path = format!("/settings/users/codes/{user_id}{ending}");
        let (router, host) = (&house.certificate_site, CERTIFICATE_SITE);
        let ask = if method == "GET" {
            Ask::get(router, host, &path)
        } else {
            Ask::post(router, host, &path, "transaction_password=order-010429001&key=a")
        };
        said(&ask.by(&cases.holder).send().await, user_id)
    };
    for (method, ending) in [("GET", ""), ("GET", "/done"), ("POST", ""), ("POST", "/noted")] {
        let theirs = ask(method, NAOKO, ending).await;
        assert_eq!(ask(method, "999999999", ending).await, theirs, "{method} {ending}");
    }
    let pick = async |user_id: &str| {
        let form = format!("user_id={user_id}&reason=expired&key=a");
        let post =
            Ask::post(&house.certificate_site, CERTIFICATE_SITE, "/settings/users/reissue", &form);
        said(&post.by(&cases.holder).send().await, user_id)
    };
    assert_eq!(pick(NAOKO).await, pick("999999999").await);
}

#[tokio::test]
async fn a_stranger_sees_the_same_with_any_cookies() {
    let house = House::new().await;
    let cases = house.with_cases().await;
    let strange = Visitor {
        cookies: format!("__Host-session={0}; __Host-ticket={0}", "A".repeat(43)),
        certificate: None,
    };
    let member = Visitor { cookies: cases.holder.cookies.clone(), certificate: None };
    for (router, host, routes) in [
        (&house.site, SITE, READ.as_slice()),
        (&house.certificate_site, CERTIFICATE_SITE, READ_WITH_CERTIFICATE.as_slice()),
    ] {
        for route in routes {
            let path = route.replace("{case}", &cases.issued.to_string());
            let ask = || Ask::get(router, host, &path);
            let nobody = said(&ask().send().await, "none");
            assert_eq!(said(&ask().by(&strange).send().await, "none"), nobody, "{path}");
            assert_eq!(said(&ask().by(&member).send().await, "none"), nobody, "{path}");
        }
    }
}
