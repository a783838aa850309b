//! What is turned away before any handler looks at it, and how a refusal is told.

use axum::http::StatusCode;

use crate::answer::{Ask, Visitor};
use crate::house::{CERTIFICATE_SITE, HANAKO, House, ICHIRO, MISAKI, SITE, TARO};
use crate::table::{SENT, SENT_WITH_CERTIFICATE, addresses};

#[tokio::test]
async fn a_form_of_another_site_is_refused() {
    let house = House::new().await;
    let cases = house.with_cases().await;
    let own = house.visitor(HANAKO).await;
    let sites = [
        (&house.site, SITE, SENT.as_slice(), &own),
        (
            &house.certificate_site,
            CERTIFICATE_SITE,
            SENT_WITH_CERTIFICATE.as_slice(),
            &cases.holder,
        ),
    ];
    for (router, host, routes, visitor) in sites {
        let out = ("/sign-out".to_owned(), "/sign-out".to_owned());
        for (_, path) in addresses(routes, &cases).into_iter().chain([out]) {
            let post = || Ask::post(router, host, &path, "").by(visitor);
            for foreign in [
                post().with("sec-fetch-site", "cross-site"),
                // The other site of the same bank is another origin as well.
                post().with("sec-fetch-site", "same-site"),
                post().with("origin", "https://evil.example"),
                post().with("origin", "null"),
            ] {
                let answer = foreign.send().await;
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
                assert!(answer.body.contains("ほかのサイトからの操作"), "{path}");
                assert!(answer.cookies().is_empty(), "{path}");
            }
        }
        // And nothing was done: the visitor is still signed in, the cases stand where they stood.
        let menu = Ask::get(router, host, "/cases").by(visitor).send().await;
        assert_eq!(menu.status, StatusCode::OK);
    }
    let confirm = format!("/settings/users/reissue/{}", cases.confirming);
    let ask = Ask::get(&house.certificate_site, CERTIFICATE_SITE, &confirm);
    assert_eq!(ask.by(&cases.holder).send().await.status, StatusCode::OK);
    let own_form = Ask::post(&house.site, SITE, "/session", "")
        .by(&own)
        .with("sec-fetch-site", "same-origin")
        .with("origin", "https://localhost:8443");
    assert_eq!(own_form.send().await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn only_our_own_host_is_answered() {
    let house = House::new().await;
    let own = house.visitor(HANAKO).await;
    for host in ["evil.example", "localhost", "localhost:8444", CERTIFICATE_SITE, ""] {
        for path in ["/", "/cases", "/static/app.css"] {
            let answer = Ask::get(&house.site, host, path).by(&own).send().await;
            assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST, "{host} {path}");
        }
    }
    let answer = Ask::get(&house.certificate_site, SITE, "/").send().await;
    assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST);
}

#[tokio::test]
async fn too_much_is_turned_away_with_a_page() {
    let house = House::new().await;
    let cases = house.with_cases().await;
    let own = house.visitor(HANAKO).await;
    let sites = [
        (&house.site, SITE, SENT.as_slice(), &own),
        (
            &house.certificate_site,
            CERTIFICATE_SITE,
            SENT_WITH_CERTIFICATE.as_slice(),
            &cases.holder,
        ),
    ];
    let large = format!("x={}", "a".repeat(64 * 1024));
    for (router, host, routes, visitor) in sites {
        for (_, path) in addresses(routes, &cases) {
            // It would end everything of the visitor's; and it reads nothing.
            if path == "/stop" {
                continue;
            }
            // Without fields of their own, these never read what is sent; and nothing is read of
            // whoever has not entered an enrolment code.
            let reads = !["/session", "/password", "/noted", "/cancel", "/form/check"]
                .iter()
                .any(|ending| path.ends_with(ending))
                && !path.starts_with("/enrol/secrets");
            let answer = Ask::post(router, host, &path, &large).by(visitor).send().await;
            if reads {
                assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{path}");
                assert!(answer.body.contains("送られた内容が大きすぎます"), "{path}");
            }
        }
    }
    let mut photo =
        b"--x\r\ncontent-disposition: form-data; name=\"photo\"; filename=\"a\"\r\n\r\n".to_vec();
    photo.resize(25 << 20, b'a');
    photo.extend_from_slice(b"\r\n--x--\r\n");
    let check = Ask::post(&house.site, SITE, "/form/check", "")
        .with("content-type", "multipart/form-data; boundary=x")
        .body(photo);
    let answer = check.send().await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(answer.body.contains("送られた内容が大きすぎます"));
}

#[tokio::test]
async fn what_cannot_be_read_is_a_page_as_well() {
    let house = House::new().await;
    let own = house.visitor(HANAKO).await;
    let post = |path| Ask::post(&house.site, SITE, path, "").by(&own);
    for (what, ask) in [
        ("JSON", post("/certificate").with("content-type", "application/json")),
        ("no kind", post("/certificate").with("content-type", "")),
        ("half a form", post("/reissue").body(b"reason=%".to_vec())),
        ("no letters", Ask::get(&house.site, SITE, "/cases/%ff").by(&own)),
        ("a form as a photo", post("/form/check")),
    ] {
        let answer = ask.send().await;
        assert!(answer.status.is_client_error(), "{what}: {}", answer.status);
        assert!(answer.body.contains("<main"), "{what}: {} {}", answer.status, answer.body);
        assert!(!answer.body.contains("deserialize") && !answer.body.contains("Content-Type"));
    }
}

/// Names and departments are what they are in every language.
const LEDGER: [&str; 2] =
    [include_str!("../../samples/users.csv"), include_str!("../../samples/contracts.csv")];

/// The longest first: some are parts of others.
fn names() -> Vec<&'static str> {
    let lines = LEDGER.iter().flat_map(|list| list.lines().skip(1));
    let mut names: Vec<&str> = lines.flat_map(|line| line.split(',')).collect();
    names.retain(|name| !name.is_ascii());
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    names
}

/// Japanese letters; names and the bank's words are taken out before.
fn japanese(text: &str) -> Vec<char> {
    let is_japanese = |letter: &char| matches!(letter, 'ぁ'..='ヿ' | '一'..='龥');
    text.chars().filter(is_japanese).collect()
}

#[tokio::test]
async fn a_refusal_is_told_in_both_languages() {
    let house = House::new().await;
    let cases = house.with_cases().await;
    let (user, other) = (house.visitor(TARO).await, house.visitor(ICHIRO).await);
    let nobody = Visitor::default();
    let own = house.visitor(HANAKO).await;
    let digits = "digits=1234567890123456&csr=";
    let bad_request = "digits=1234567890123456&csr=x";
    let confirm = format!("/settings/users/reissue/{}", cases.confirming);
    let card = format!("/reissue/{}/one-time-password", cases.begun);
    let site = |path: &str, form: &str, visitor: &Visitor, status: u16| {
        (&house.site, SITE, path.to_owned(), form.to_owned(), visitor.clone(), status)
    };
    let with_certificate = |path: &str, form: &str, status: u16| {
        let (router, holder) = (&house.certificate_site, cases.holder.clone());
        (router, CERTIFICATE_SITE, path.to_owned(), form.to_owned(), holder, status)
    };
    let refusals = [
        site("/sign-in", "contract=1&user_id=2&password=", &nobody, 422),
        site("/sign-in", "contract=0104212345&user_id=010429001&password=x", &nobody, 422),
        site("/reissue", "reason=expired&key=a", &user, 409),
        site("/reissue", "reason=nothing", &own, 422),
        site("/certificate", digits, &user, 422),
        site("/certificate", "digits=1&csr=", &user, 422),
        site("/certificate", bad_request, &user, 422),
        site(&card, "one_time_password=12", &other, 422),
        site("/form", "", &own, 422),
        site("/cases/99", "", &own, 405),
        site("/nowhere", "", &own, 404),
        with_certificate("/sign-in", "password=x", 422),
        with_certificate(&confirm, "transaction_password=", 422),
        with_certificate("/settings/users/reissue", "user_id=999999999&reason=expired", 404),
    ];
    for (router, host, path, form, visitor, status) in refusals {
        for lang in ["ja", "en"] {
            let asked = format!("{path}?lang={lang}");
            let answer = Ask::post(router, host, &asked, &form).by(&visitor).send().await;
            assert_eq!(answer.status.as_u16(), status, "{path} {form}: {}", answer.main());
            assert!(answer.body.contains(&format!("<html lang=\"{lang}\"")), "{path}");
            let mut main = answer.main().to_owned();
            for key in ["customer.", "refusal.", "web.error", "credential.", "self_service."] {
                assert!(!main.contains(key), "{path}: a key is shown: {key}");
            }
            for name in names() {
                main = main.replace(name, "");
            }
            let found = japanese(&main);
            assert_eq!(found.is_empty(), lang == "en", "{path} {form} {lang}: {found:?}");
        }
    }
    // Whoever may not is told who may, and where that is done.
    let denied = house.visitor(MISAKI).await;
    let page = Ask::post(&house.site, SITE, "/reissue", "reason=expired").by(&denied).send().await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(page.main().contains("社内の再発行権限をお持ちの方"));
    assert!(page.main().contains(&format!("href=\"https://{CERTIFICATE_SITE}/\"")));
}

/// F5 on a page that follows a wrong entry asks by GET: nothing is entered or counted again.
#[tokio::test]
async fn a_wrong_entry_is_answered_by_get() {
    let house = House::new().await;
    let cases = house.with_cases().await;
    let other = house.visitor(ICHIRO).await;
    let card = format!("/reissue/{}", cases.begun);
    let confirm = format!("/settings/users/reissue/{}", cases.confirming);
    let entries = [
        (&house.site, SITE, format!("{card}/one-time-password"), card, "one_time_password=000000"),
        (
            &house.certificate_site,
            CERTIFICATE_SITE,
            confirm.clone(),
            confirm,
            "transaction_password=x",
        ),
    ];
    for ((router, host, path, shown, form), visitor) in entries.iter().zip([&other, &cases.holder])
    {
        let answer = Ask::post(router, host, path, form).by(visitor).send().await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}: {}", answer.main());
        let next = answer.header("location").to_owned();
        assert_eq!(next, format!("{shown}?missed=1"));
        let mut pages = Vec::new();
        for _ in 0..3 {
            let page = Ask::get(router, host, &next).by(visitor).send().await;
            assert_eq!(page.status, StatusCode::OK);
            pages.push(page.main().to_owned());
        }
        assert!(pages[0].contains("違います"), "{}", pages[0]);
        assert!(pages[0].contains("あと4回"), "{}", pages[0]);
        assert!(pages[0] == pages[1] && pages[1] == pages[2], "{path} is counted again");
    }
}
