//! Signing in at the bank's identity provider: what an answer must be, and what becomes of any other.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use hmac::{Hmac, KeyInit, Mac};
use saihakko::store::{sign_ins, staff};
use serde_json::{Value, json};
use sha2::Sha256;
use workflows::account::Command;

use crate::answer::{Answer, Ask, Visitor};
use crate::house::{House, OFFICE};
use crate::idp::{CLIENT, Idp, Key, SECRET, unsigned};

/// 井上 as the provider knows him.
const SUBJECT: &str = "248289761001";

/// The office with a provider before it.
struct Door {
    idp: Idp,
    house: House,
    _folder: tempfile::TempDir,
}

/// A browser at the provider.
struct Away {
    asked: BTreeMap<String, String>,
    cookie: String,
}

impl Door {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut saihakko::config::StaffIdentity)) -> Self {
        let idp = Idp::new().await;
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("secret");
        std::fs::write(&secret, format!("{SECRET}\n")).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&secret, mode).unwrap();
        let house = House::with(|config| {
            let identity = &mut config.staff_identity;
            idp.issuer.clone_into(&mut identity.issuer);
            CLIENT.clone_into(&mut identity.client_id);
            identity.client_secret_file = secret;
            change(identity);
        })
        .await;
        let door = Self { idp, house, _folder: folder };
        door.link("clerk1", SUBJECT).await;
        door
    }

    async fn link(&self, login: &str, subject: &str) {
        let mut tx = self.house.app.tools.db.write().await.unwrap();
        staff::link(&mut tx, login, &self.idp.issuer, subject).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn get(&self, path: &str, cookies: &str) -> Answer {
        let visitor = Visitor { cookies: cookies.to_owned(), certificate: None };
        Ask::get(&self.house.office, OFFICE, path).by(&visitor).send().await
    }

    async fn leave(&self, path: &str) -> Away {
        self.leave_with(path, "").await
    }

    /// Leaves for the provider from a browser that keeps these cookies already.
    async fn leave_with(&self, path: &str, cookies: &str) -> Away {
        let sent = self.get(path, cookies).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
        let to = sent.header("location");
        let query = to.strip_prefix(&format!("{}/authorize?", self.idp.issuer));
        let query = query.unwrap_or_else(|| panic!("{to}"));
        let asked = query.split('&').filter_map(|pair| pair.split_once('='));
        let asked = asked.map(|(name, value)| (name.to_owned(), decoded(value))).collect();
        let [cookie] = sent.cookies()[..] else { panic!("{:?}", sent.cookies()) };
        for word in ["__Host-staff-way", "; Secure", "; HttpOnly", "; SameSite=Lax", "Max-Age=600"]
        {
            assert!(cookie.contains(word), "{cookie}");
        }
        Away { asked, cookie: cookie.split(';').next().unwrap().to_owned() }
    }

    /// The token of somebody who has just signed in there with two factors.
    async fn token(&self, away: &Away) -> String {
        let claims = self.claims(away).await;
        self.idp.script().keys[0].sign(&claims)
    }

    /// What the provider says of them.
    async fn claims(&self, away: &Away) -> Value {
        let now = self.house.seconds().await;
        json!({
            "iss": self.idp.issuer, "aud": CLIENT, "sub": SUBJECT, "nonce": away.asked["nonce"],
            "iat": now, "exp": now + 60, "auth_time": now - 5, "amr": ["pwd", "otp", "mfa"],
        })
    }

    async fn back(&self, away: &Away, token: String) -> Answer {
        self.idp.script().tokens.insert("code".to_owned(), token);
        let challenge = away.asked["code_challenge"].clone();
        self.idp.script().challenges.insert("code".to_owned(), challenge);
        let path = format!("/sign-in/provider/back?code=code&state={}", away.asked["state"]);
        self.get(&path, &away.cookie).await
    }

    async fn entered(&self, path: &str) -> Visitor {
        let away = self.leave(path).await;
        let claims = self.claims(&away).await;
        let token = self.idp.script().keys[0].sign(&claims);
        let answer = self.back(&away, token).await;
        let cookies = session(&answer).unwrap_or_else(|| panic!("{}", answer.main()));
        Visitor { cookies, certificate: None }
    }

    /// Command and outcome of the entries of an account.
    async fn told(&self, login: &str) -> Vec<(String, String, String)> {
        let mut tx = self.house.app.tools.db.read().await.unwrap();
        let case = sign_ins::case_of(&mut tx, &format!("account-{login}")).await.unwrap();
        let Some(case) = case else { return Vec::new() };
        let entries = engine::history::entries(&mut tx, case).await.unwrap();
        entries.into_iter().map(|one| (one.command, one.outcome, one.actor)).collect()
    }
}

fn decoded(text: &str) -> String {
    let text = text.replace('+', " ");
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if let (b'%', [high, low, tail @ ..]) = (first, tail) {
            let digits = String::from_utf8(vec![*high, *low]).unwrap();
            bytes.push(u8::from_str_radix(&digits, 16).unwrap());
            rest = tail;
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// The session's cookie, when one is handed out.
fn session(answer: &Answer) -> Option<String> {
    let cookies = answer.cookies();
    let cookie = cookies.iter().find(|cookie| cookie.starts_with("__Host-staff="))?;
    assert!(cookie.contains("SameSite=Strict"));
    Some(cookie.split(';').next().unwrap().to_owned())
}

#[tokio::test]
async fn whoever_the_provider_vouches_for_comes_to_the_page_that_was_asked_for() {
    let door = Door::with(|identity| {
        identity.required_acr = vec!["urn:bank:two".to_owned()];
        identity.scopes = vec!["profile".to_owned()];
    })
    .await;
    let over = door.get("/search?q=a", "").await;
    assert_eq!(over.header("location"), "/sign-in?back=%2Fsearch&over=1");
    let page = door.get(over.header("location"), "").await;
    assert!(page.main().contains("href=\"/sign-in/provider?back=%2Fsearch\""), "{}", page.main());
    assert!(page.main().contains("name=\"password\"") && page.main().contains("行内IDでログイン"));
    let away = door.leave("/sign-in/provider?back=%2Fsearch").await;
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", CLIENT),
        ("scope", "openid profile"),
        ("redirect_uri", "https://staff.localhost:8445/sign-in/provider/back"),
        ("code_challenge_method", "S256"),
        ("acr_values", "urn:bank:two"),
        ("max_age", "28800"),
        ("ui_locales", "ja"),
    ] {
        assert_eq!(away.asked[name], value, "{name}");
    }
    let mut claims = door.claims(&away).await;
    claims["acr"] = "urn:bank:two".into();
    let token = door.idp.script().keys[0].sign(&claims);
    let answer = door.back(&away, token.clone()).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.body.contains("http-equiv=\"refresh\" content=\"0; url=/search\""));
    assert!(answer.cookies().iter().any(|one| one.starts_with("__Host-staff-way=; ")));
    let cookies = session(&answer).unwrap();
    let found = door.get("/search", &cookies).await;
    assert!(found.status == StatusCode::OK && found.body.contains("井上 誠"));
    // Roles are ours, whatever the token says.
    assert_eq!(door.get("/accounts", &cookies).await.status, StatusCode::NOT_FOUND);
    let told = door.told("clerk1").await;
    let last = told.last().unwrap();
    assert_eq!((last.0.as_str(), last.2.as_str()), ("Enter", "staff-S-002"));
    let auditor = door.house.member("auditor").await;
    let page = Ask::get(&door.house.office, OFFICE, "/sign-ins?login=clerk1").by(&auditor).send();
    let page = page.await;
    assert!(page.main().contains("行内の認証基盤") && page.main().contains("203.0.113.24"));
    assert!(!format!("{told:?}{}", page.body).contains(&token));
    // The code and what the browser kept count once.
    let path = format!("/sign-in/provider/back?code=code&state={}", away.asked["state"]);
    let again = door.get(&path, &away.cookie).await;
    assert!(session(&again).is_none() && again.status == StatusCode::UNPROCESSABLE_ENTITY);
}

/// What is wrong with a token's claims.
type Change = Box<dyn Fn(&mut Value)>;
/// Makes a token of claims as the provider would not.
type Forge<'f> = &'f dyn Fn(&Value) -> String;

#[tokio::test]
async fn every_wrong_answer_lets_nobody_in_and_its_reason_is_on_record() {
    let door = Door::new().await;
    door.link("clerk2", "closed").await;
    let mut tx = door.house.app.tools.db.write().await.unwrap();
    staff::set_active(&mut tx, "clerk2", false).await.unwrap();
    tx.commit().await.unwrap();
    let stranger = Key::new("first");
    let wrong = |name: &'static str, value: Value| {
        move |claims: &mut Value| {
            claims[name] = value.clone();
        }
    };
    let now = door.house.seconds().await;
    let changed: Vec<(&str, &str, Change)> = vec![
        ("", "ForeignIssuer", Box::new(wrong("iss", "https://id.other.example".into()))),
        ("", "ForeignAudience", Box::new(wrong("aud", "payroll".into()))),
        ("", "ForeignAudience", Box::new(wrong("aud", json!([CLIENT, "payroll"])))),
        ("", "ForeignAudience", Box::new(wrong("azp", "payroll".into()))),
        ("", "Expired", Box::new(wrong("exp", (now - 1).into()))),
        ("", "Mismatched", Box::new(wrong("nonce", "of another browser".into()))),
        ("", "Mismatched", Box::new(wrong("nonce", Value::Null))),
        ("clerk1", "OneFactor", Box::new(wrong("amr", json!(["pwd"])))),
        ("clerk1", "OneFactor", Box::new(wrong("amr", Value::Null))),
        ("clerk1", "Stale", Box::new(wrong("auth_time", (now - 9 * 3600).into()))),
        ("clerk1", "Stale", Box::new(wrong("auth_time", Value::Null))),
        ("", "Unlinked", Box::new(wrong("sub", "somebody".into()))),
        ("", "Forged", Box::new(wrong("sub", "x".repeat(256).into()))),
        ("clerk2", "Closed", Box::new(wrong("sub", "closed".into()))),
    ];
    for (login, reason, change) in changed {
        let away = door.leave("/sign-in/provider").await;
        let mut claims = door.claims(&away).await;
        change(&mut claims);
        let token = door.idp.script().keys[0].sign(&claims);
        turned_away(&door, &away, token, login, reason).await;
    }
    let forgers: [(&str, Forge<'_>); 4] = [
        ("another key under the same name", &|claims| stranger.sign(claims)),
        ("no signature", &|claims| format!("{}.", unsigned(&json!({ "alg": "none" }), claims))),
        ("the shared secret", &|claims| {
            let text = unsigned(&json!({ "alg": "HS256" }), claims);
            let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
            mac.update(text.as_bytes());
            let tag = data_encoding::BASE64URL_NOPAD.encode(&mac.finalize().into_bytes());
            format!("{text}.{tag}")
        }),
        ("no token", &|_| "x".to_owned()),
    ];
    for (what, forge) in forgers {
        let away = door.leave("/sign-in/provider").await;
        let token = forge(&door.claims(&away).await);
        println!("{what}");
        turned_away(&door, &away, token, "", "Forged").await;
    }
}

async fn turned_away(door: &Door, away: &Away, token: String, login: &str, reason: &str) {
    let before = door.told(login).await.len();
    let answer = door.back(away, token).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{reason}: {}", answer.main());
    assert!(session(&answer).is_none(), "{reason}");
    let told = door.told(login).await;
    let (command, outcome, actor) = told.last().unwrap();
    assert!(told.len() > before, "{reason} left no entry");
    assert_eq!((command.as_str(), outcome.as_str()), ("Enter", reason));
    assert_eq!(actor == "unknown", login.is_empty());
}

#[tokio::test]
async fn keys_that_the_provider_has_changed_meanwhile_are_asked_for() {
    let door = Door::new().await;
    let away = door.leave("/sign-in/provider").await;
    door.idp.script().keys = vec![Key::new("second")];
    let claims = door.claims(&away).await;
    let token = door.idp.script().keys[0].sign(&claims);
    let answer = door.back(&away, token).await;
    assert!(session(&answer).is_some(), "{}", answer.main());
    // Under the same name as well.
    let away = door.leave("/sign-in/provider").await;
    door.idp.script().keys = vec![Key::new("second")];
    let claims = door.claims(&away).await;
    let token = door.idp.script().keys[0].sign(&claims);
    assert!(session(&door.back(&away, token).await).is_some());
}

#[tokio::test]
async fn two_windows_of_one_browser_sign_in_beside_each_other() {
    let door = Door::new().await;
    let first = door.leave("/sign-in/provider").await;
    let second = door.leave_with("/sign-in/provider", &first.cookie).await;
    let cookie = format!("{}; {}", first.cookie, second.cookie);
    for away in [second, first] {
        let token = door.token(&away).await;
        let own = away.cookie.split('=').next().unwrap().to_owned();
        let answer = door.back(&Away { asked: away.asked, cookie: cookie.clone() }, token).await;
        assert!(session(&answer).is_some(), "{}", answer.main());
        // The other window's way stays open.
        let ended: Vec<_> =
            answer.cookies().into_iter().filter(|one| one.contains("-way")).collect();
        assert!(ended.len() == 1 && ended[0].starts_with(&format!("{own}=; ")), "{ended:?}");
    }
}

#[tokio::test]
async fn an_answer_counts_in_the_browser_that_asked_and_for_ten_minutes() {
    let door = Door::new().await;
    let away = door.leave("/sign-in/provider").await;
    let other = door.leave("/sign-in/provider").await;
    let claims = door.claims(&away).await;
    let token = door.idp.script().keys[0].sign(&claims);
    // Somebody is made to come back with another person's answer.
    let mixed = Away { asked: away.asked.clone(), cookie: other.cookie.clone() };
    turned_away(&door, &mixed, token.clone(), "", "Mismatched").await;
    let without = Away { asked: away.asked.clone(), cookie: String::new() };
    let answer = door.back(&without, token.clone()).await;
    assert!(session(&answer).is_none() && answer.main().contains("時間がかかりすぎたか"));
    let denied =
        format!("/sign-in/provider/back?error=access_denied&state={}", away.asked["state"]);
    let answer = door.get(&denied, &away.cookie).await;
    assert!(answer.main().contains("完了しませんでした"), "{}", answer.main());
    assert_eq!(door.told("").await.last().unwrap().1, "Denied");
    door.house.wait(601).await;
    let answer = door.back(&away, token).await;
    assert!(session(&answer).is_none() && answer.main().contains("時間がかかりすぎたか"));
}

#[tokio::test]
async fn a_provider_that_is_down_is_told_and_the_own_way_stays_open() {
    let door = Door::new().await;
    let away = door.leave("/sign-in/provider").await;
    let token = door.token(&away).await;
    door.idp.script().is_broken = true;
    let answer = door.back(&away, token).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    for path in ["/sign-in/provider?back=%2Ftasks", "/sign-in/provider"] {
        let answer = door.get(path, "").await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(
            answer.main().contains("つながりません") && answer.main().contains("id=\"password\"")
        );
        assert!(answer.cookies().is_empty());
        door.idp.stop();
    }
    door.house.member("clerk1").await;
    let mut tx = door.house.app.tools.db.read().await.unwrap();
    let case = sign_ins::case_of(&mut tx, "account-").await.unwrap();
    assert!(case.is_none(), "nobody was judged");
}

#[tokio::test]
async fn one_comes_back_to_our_own_pages_only() {
    let door = Door::new().await;
    for foreign in ["%2F%2Fevil.example", "https%3A%2F%2Fevil.example", "%2F%5Cevil.example"] {
        let away = door.leave(&format!("/sign-in/provider?back={foreign}")).await;
        let token = door.token(&away).await;
        let answer = door.back(&away, token).await;
        assert!(answer.body.contains("content=\"0; url=/\""), "{foreign}");
        assert!(!answer.body.contains("evil"), "{foreign}");
    }
}

#[tokio::test]
async fn where_everybody_signs_in_there_no_password_is_judged_here() {
    let door = Door::with(|identity| identity.local_sign_in = false).await;
    let page = door.get("/sign-in", "").await;
    assert!(!page.main().contains("id=\"password\"") && page.main().contains("/sign-in/provider"));
    assert!(door.house.try_member("clerk1").await.is_none());
    assert_eq!(door.told("clerk1").await.last().unwrap().1, "NotLocal");
    let clerk = door.entered("/sign-in/provider").await;
    assert_eq!(door.get("/queue/check", &clerk.cookies).await.status, StatusCode::OK);
    let none = House::new().await;
    let missing = Ask::get(&none.office, OFFICE, "/sign-in/provider").send().await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_person_behind_two_accounts_counts_once_however_they_sign_in() {
    let door = Door::new().await;
    let clerk = door.entered("/sign-in/provider").await;
    let same = door.house.member("clerk1-approver").await;
    let key = "0b".repeat(16);
    let wish = format!(
        "matter=address&key={key}&contract=0104212345&postal_code=1000005&address=%E5%8D%83"
    );
    let asked = Ask::post(&door.house.office, OFFICE, "/upkeep/propose", &wish).by(&clerk);
    let asked = asked.send().await;
    let path = asked.header("location").to_owned();
    let refused = Ask::post(&door.house.office, OFFICE, &path, "do=approve").by(&same).send().await;
    assert!(refused.body.contains("申請した方は承認も否認もできません"), "{}", refused.main());
}

#[tokio::test]
async fn two_people_link_an_account_and_end_the_sessions_of_the_earlier_link() {
    let door = Door::new().await;
    let house = &door.house;
    let first = house.member("operator").await;
    let row = staff::StaffRow {
        person: "S-020".to_owned(),
        login: "takagi".to_owned(),
        name: "高木 真".to_owned(),
        roles: "system_administrator".to_owned(),
        active: true,
        issuer: door.idp.issuer.clone(),
        subject: "takagi-there".to_owned(),
    };
    let new = house.app.keep_account(Command::Add, &row).await.unwrap().unwrap();
    let second = house.signed_in("takagi", &new.password, &new.seed).await.unwrap();
    let send = async |by: &Visitor, path: &str, form: &str| {
        Ask::post(&house.office, OFFICE, path, form).by(by).send().await
    };
    let wish = |key: u8, login: &str, subject: &str| {
        let key = format!("{key:02x}").repeat(16);
        format!("matter=link_subject&key={key}&login={login}&subject={subject}")
    };
    let taken = send(&first, "/accounts/propose", &wish(1, "clerk1", "takagi-there")).await;
    assert!(taken.body.contains("別のアカウントに結び付いています"), "{}", taken.main());
    let blank = send(&first, "/accounts/propose", &wish(2, "clerk1", "a%20b")).await;
    assert_eq!(blank.status, StatusCode::UNPROCESSABLE_ENTITY);
    let clerk = door.entered("/sign-in/provider").await;
    let asked = send(&first, "/accounts/propose", &wish(3, "clerk1", "other")).await;
    let path = asked.header("location").to_owned();
    let own = send(&first, &path, "do=approve").await;
    assert_eq!(own.status, StatusCode::CONFLICT);
    assert_eq!(door.get("/queue/check", &clerk.cookies).await.status, StatusCode::OK);
    assert_eq!(send(&second, &path, "do=approve").await.status, StatusCode::SEE_OTHER);
    assert_eq!(door.get("/queue/check", &clerk.cookies).await.status, StatusCode::SEE_OTHER);
    let away = door.leave("/sign-in/provider").await;
    let token = door.token(&away).await;
    turned_away(&door, &away, token, "", "Unlinked").await;
    // A new account without a password of its own.
    let key = "04".repeat(16);
    let wish = format!(
        "matter=open_linked_account&key={key}&login=mori2&name=a&person=S-021&role_clerk=yes&subject={SUBJECT}"
    );
    let asked = send(&first, "/accounts/propose", &wish).await;
    let path = asked.header("location").to_owned();
    send(&second, &path, "do=approve").await;
    let mori = door.entered("/sign-in/provider").await;
    assert_eq!(door.get("/queue/check", &mori.cookies).await.status, StatusCode::OK);
    assert!(house.signed_in("mori2", "", "").await.is_none());
}

#[tokio::test]
async fn signing_out_here_ends_the_session_and_shows_the_way_out_there() {
    let door = Door::new().await;
    let clerk = door.entered("/sign-in/provider").await;
    let left = Ask::post(&door.house.office, OFFICE, "/sign-out", "").by(&clerk).send().await;
    assert_eq!(left.header("location"), "/sign-in?left=provider");
    assert_eq!(door.get("/queue/check", &clerk.cookies).await.status, StatusCode::SEE_OTHER);
    let page = door.get("/sign-in?left=provider", "").await;
    let (_, rest) = page.body.split_once(&format!("href=\"{}/leave?", door.idp.issuer)).unwrap();
    let query = rest.split_once('"').unwrap().0;
    assert!(query.contains("client_id=saihakko"), "{query}");
    let after = "post_logout_redirect_uri=https%3A%2F%2Fstaff.localhost%3A8445%2Fsign-in";
    assert!(query.contains(after), "{query}");
    assert!(!query.contains("id_token"), "{query}");
    let clerk = door.house.member("clerk1").await;
    let left = Ask::post(&door.house.office, OFFICE, "/sign-out", "").by(&clerk).send().await;
    assert_eq!(left.header("location"), "/sign-in?left=1");
}
