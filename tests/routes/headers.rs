//! What every response bears, and what the cookies are like.

use axum::http::StatusCode;

use crate::answer::{Answer, Ask, Visitor};
use crate::house::{CERTIFICATE_SITE, HANAKO, House, MISAKI, PHRASE, SITE, token};
use crate::table::{READ, READ_WITH_CERTIFICATE, SENT, SENT_WITH_CERTIFICATE, addresses};

const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

fn check(answer: &Answer, what: &str) {
    let policy = answer.header("content-security-policy");
    for wanted in POLICY.split("; ") {
        assert!(policy.split("; ").any(|part| part == wanted), "{what}: {wanted} not in {policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains('*'), "{what}: {policy}");
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
    assert_eq!(answer.header("referrer-policy"), "no-referrer", "{what}");
    assert_eq!(answer.header("strict-transport-security"), "max-age=31536000", "{what}");
    assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{what}");
    if what == "/crl/issuing.crl" {
        assert_eq!(answer.header("cache-control"), "public, max-age=300", "{what}");
    } else {
        assert_eq!(answer.header("cache-control"), "no-store", "{what}");
    }
    assert!(!answer.body.contains(" style=\""), "{what}: a style of its own");
    assert!(!answer.body.contains("<script>"), "{what}: a script in the page");
    assert!(!answer.body.contains("javascript:"), "{what}");
    for event in [" onclick=", " onload=", " onsubmit=", " onerror="] {
        assert!(!answer.body.contains(event), "{what}: {event}");
    }
}

#[tokio::test]
async fn every_response_bears_the_headers_and_every_page_its_owners_phrase() {
    let house = House::new().await;
    let cases = house.with_cases().await;
    let own = house.visitor(HANAKO).await;
    let sites = [
        (&house.site, SITE, READ.as_slice(), SENT.as_slice(), &own),
        (
            &house.certificate_site,
            CERTIFICATE_SITE,
            READ_WITH_CERTIFICATE.as_slice(),
            SENT_WITH_CERTIFICATE.as_slice(),
            &cases.holder,
        ),
    ];
    let nobody = Visitor::default();
    for (router, host, read, sent, signed_in) in sites {
        for visitor in [&nobody, signed_in] {
            for (_, path) in addresses(read, &cases) {
                let answer = Ask::get(router, host, &path).by(visitor).send().await;
                check(&answer, &path);
                // Whoever has not signed in must not learn the phrase from any page.
                let shows = answer.body.contains(PHRASE);
                let is_personal = answer.body.contains("action=\"/sign-out\"");
                assert_eq!(shows, is_personal, "{path}: the phrase");
            }
            for (_, path) in addresses(sent, &cases) {
                let answer = Ask::post(router, host, &path, "").by(visitor).send().await;
                check(&answer, &path);
            }
        }
        for path in ["/nowhere", "/cases/abc", "/static/app.css", "/cases/%ff"] {
            check(&Ask::get(router, host, path).send().await, path);
        }
    }
}

#[tokio::test]
async fn files_are_packed_and_kept_and_pages_are_neither() {
    let house = House::new().await;
    let ask = async |path: &str, visitor: &Visitor| {
        let ask = Ask::get(&house.site, SITE, path).with("accept-encoding", "gzip, br");
        ask.by(visitor).send().await
    };
    let page = ask("/certificate", &house.visitor(HANAKO).await).await;
    assert_eq!(page.header("content-encoding"), "", "a page with secrets is never packed");
    let files: Vec<&str> =
        page.body.split('"').filter(|part| part.starts_with("/static/")).collect();
    assert!(files.len() > 2, "style, scripts, icons");
    for file in files {
        let path = file.split('#').next().unwrap();
        let packed = ask(path, &Visitor::default()).await;
        assert_eq!(packed.status, StatusCode::OK, "{path}");
        assert_eq!(packed.header("content-encoding"), "gzip", "{path}");
        assert_eq!(packed.header("cache-control"), "public, max-age=31536000, immutable");
        // A new cookie must not make the browser fetch the same file again.
        assert_eq!(packed.header("vary"), "Accept-Encoding", "{path}");
        let plain = Ask::get(&house.site, SITE, path).send().await;
        assert_eq!(plain.header("content-encoding"), "", "{path}");
        assert!(plain.body.len() > packed.body.len() / 2, "{path}");
    }
}

#[tokio::test]
async fn digits_stand_in_the_page_only_when_they_are_asked_for() {
    let house = House::new().await;
    let cases = house.with_cases().await;
    let ask = |path: String| {
        let (router, holder) = (&house.certificate_site, &cases.holder);
        async move { Ask::get(router, CERTIFICATE_SITE, &path).by(holder).send().await.body }
    };
    let done = format!("/settings/users/reissue/{}/done", cases.issued);
    let groups: Vec<String> = cases
        .digits
        .as_bytes()
        .chunks(4)
        .map(|four| String::from_utf8_lossy(four).into())
        .collect();
    let shows =
        |body: &str| groups.iter().all(|four| body.contains(&format!("<span>{four}</span>")));
    assert!(shows(&ask(format!("{done}?show=1")).await));
    for path in
        READ_WITH_CERTIFICATE.map(|route| route.replace("{case}", &cases.issued.to_string()))
    {
        let body = ask(path.clone()).await;
        assert!(!shows(&body) && !body.contains(&cases.digits), "{path}");
    }
    // The colleague and other browsers of the same administrator never see them.
    for user in [MISAKI, HANAKO] {
        let visitor = house.visitor(user).await;
        for path in READ.map(|route| route.replace("{case}", &cases.issued.to_string())) {
            let asked = format!("{path}?show=1");
            let body = Ask::get(&house.site, SITE, &asked).by(&visitor).send().await.body;
            assert!(!shows(&body) && !body.contains(&cases.digits), "{user} {path}");
        }
    }
}

#[tokio::test]
async fn cookies_are_for_this_host_this_browser_and_no_script() {
    let house = House::new().await;
    let form = format!("contract=0104212345&user_id={HANAKO}&password=login-{HANAKO}&back=/cases");
    let entered = Ask::post(&house.site, SITE, "/sign-in", &form).send().await;
    assert_eq!(entered.status, StatusCode::SEE_OTHER);
    assert_eq!(entered.header("location"), "/cases");
    let cookies = entered.cookies();
    assert_eq!(cookies.len(), 2);
    for (cookie, name) in cookies.iter().zip(["__Host-session", "__Host-ticket"]) {
        let mut parts = cookie.split("; ");
        let (found, value) = parts.next().unwrap().split_once('=').unwrap();
        assert_eq!((found, value.len()), (name, 43), "32 bytes");
        // No Domain, and no Expires or Max-Age: gone with the browser.
        assert_eq!(parts.collect::<Vec<_>>(), ["Path=/", "Secure", "HttpOnly", "SameSite=Strict"]);
    }
    let pair = |cookie: &str| cookie.split(';').next().unwrap().to_owned();
    let cookies = format!("{}; {}", pair(cookies[0]), pair(cookies[1]));
    let visitor = Visitor { cookies, certificate: None };
    let left = Ask::post(&house.site, SITE, "/sign-out", "").by(&visitor).send().await;
    assert_eq!(left.header("location"), "/sign-in?left=1");
    for cookie in left.cookies() {
        assert!(cookie.contains("=; ") && cookie.contains("Max-Age=0"), "{cookie}");
    }
    let after = Ask::get(&house.site, SITE, "/cases").by(&visitor).send().await;
    assert!(after.header("location").starts_with("/sign-in?"), "the session is over");
}

#[tokio::test]
async fn the_session_gets_a_new_token_when_more_is_proven() {
    let house = House::new().await;
    let cases = house.with_cases().await;
    let visitor = house.visitor(crate::house::ICHIRO).await;
    let before = token(&visitor).expose().to_string();
    let card = house.card(crate::house::ICHIRO).await;
    let path = format!("/reissue/{}/one-time-password", cases.begun);
    let form = format!("one_time_password={card}");
    let passed = Ask::post(&house.site, SITE, &path, &form).by(&visitor).send().await;
    assert_eq!(passed.header("location"), format!("/reissue/{}", cases.begun));
    let cookies = passed.cookies();
    assert_eq!(cookies.len(), 1, "the display ticket stays");
    assert!(cookies[0].starts_with("__Host-session=") && !cookies[0].contains(&before));
    let old = Ask::get(&house.site, SITE, "/cases").by(&visitor).send().await;
    assert!(old.header("location").starts_with("/sign-in?"), "the old token is worth nothing");
}
