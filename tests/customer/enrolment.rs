//! Codes from the ledger and from colleagues; passwords set and changed.

use std::sync::Arc;
use std::time::Duration;

use saihakko::app::system_entropy;
use saihakko::customer::{CodeEntry, Declined, Enrolling, SecretState};
use saihakko::secret::{CodeFault, EnrolmentCode, Unfit};
use workflows::credential::Kind;
use zeroize::Zeroizing;

use crate::house::{AOBA, House, PLACE, SATO, SUZUKI, YAMADA, refusal, stories};

stories!(
    an_imported_code_sets_everything_once,
    wrong_codes_are_counted_and_lock,
    at_once_no_more_codes_are_judged_than_the_rules_allow,
    a_newer_code_voids_the_older_one,
    a_colleague_issues_a_code_and_everybody_is_told,
    a_code_replaces_no_standing_transaction_password,
    a_signed_in_user_changes_a_password,
    a_code_lapses_and_an_enrolment_closes,
    nobody_learns_who_exists,
    both_passwords_differ,
    a_secret_that_comes_later_is_enrolled,
    the_number_of_a_session_is_never_given_again,
);

pub(crate) fn new_code() -> String {
    EnrolmentCode::generate(&system_entropy()).expose_grouped().to_string()
}

/// A user without any secret.
pub(crate) const NEWCOMER: &str = "010429077";

/// Brings a newcomer and their code into the ledger.
pub(crate) async fn newcomer(house: &House) -> String {
    let user = format!(
        "contract,user_id,name,kana,reissue_authority,email\n\
         {AOBA},{NEWCOMER},新井 優,アライ ユウ,false,yu.arai@aoba.example\n"
    );
    house.import_text("users-new.csv", &user).await;
    let code = new_code();
    give_code(house, NEWCOMER, &code).await;
    code
}

pub(crate) async fn give_code(house: &House, user_id: &str, code: &str) {
    let text = format!("contract,user_id,kind,secret\n{AOBA},{user_id},enrolment_code,{code}\n");
    house.import_text("credentials-code.csv", &text).await;
}

pub(crate) async fn enter(house: &House, user_id: &str, code: &str) -> Result<Enrolling, Declined> {
    let entry = CodeEntry {
        contract: AOBA.to_owned(),
        user_id: user_id.to_owned(),
        code: Zeroizing::new(code.to_owned()),
        place: PLACE.to_owned(),
    };
    let token = house.app.begin_enrolment(&entry).await?;
    house.app.enrolment(&token, PLACE).await
}

async fn again(house: &House, at: &Enrolling, code: &str) -> Enrolling {
    let user_id = house.text(&format!("SELECT user_id FROM users WHERE id = {}", at.user)).await;
    enter(house, &user_id, code).await.unwrap()
}

async fn an_imported_code_sets_everything_once(house: Arc<House>) {
    let code = newcomer(&house).await;
    assert!(matches!(
        house.try_sign_in(NEWCOMER, "anything at all", None).await,
        Err(Declined::NotAccepted)
    ));
    let at = enter(&house, NEWCOMER, &code.to_lowercase()).await.unwrap();
    let status = house.app.enrolment_status(&at).await.unwrap();
    assert_eq!((status.name.as_str(), status.user_id.as_str()), ("新井 優", NEWCOMER));
    assert!(
        status
            .items
            .iter()
            .all(|item| { item.state == SecretState::Unset && item.may_be_set && !item.is_done })
    );

    let set = |kind, new| house.app.set_password(&at, kind, new);
    assert!(matches!(set(Kind::Login, "short").await, Err(Declined::Unfit(Unfit::TooShort))));
    assert!(matches!(set(Kind::Login, NEWCOMER).await, Err(Declined::Unfit(Unfit::Identifier))));
    assert!(matches!(set(Kind::Login, "password").await, Err(Declined::Unfit(Unfit::Common))));
    set(Kind::Login, "朝の散歩は気持ちがいい").await.unwrap();
    set(Kind::Transaction, "caramel windmill 42").await.unwrap();
    // A double click, and a change of mind.
    set(Kind::Transaction, "caramel windmill 43").await.unwrap();

    // Whoever loses the page enters the code again and goes on.
    let back = again(&house, &at, &code).await;
    let status = house.app.enrolment_status(&back).await.unwrap();
    assert_eq!(status.items.map(|item| item.is_done), [true, true, false]);

    house.app.finish_enrolment(&back).await.unwrap();
    assert!(matches!(enter(&house, NEWCOMER, &code).await, Err(Declined::NotAccepted)));
    assert!(matches!(
        house.app.set_password(&back, Kind::Login, "too late for this").await,
        Err(Declined::Refused { .. })
    ));
    let (session, _) = house.try_sign_in(NEWCOMER, "朝の散歩は気持ちがいい", None).await.unwrap();
    house.app.enter_transaction_password(&session, "ｃａｒａｍｅｌ windmill 43").await.unwrap();
    house.drain().await;
    assert_eq!(house.notices("Enrolled").await, 3);
    assert_eq!(house.entries("credential", "Enrol").await, 24 + 3, "the samples, then these");

    // The same file again changes nothing: the code stays used.
    give_code(&house, NEWCOMER, &code).await;
    assert!(matches!(enter(&house, NEWCOMER, &code).await, Err(Declined::NotAccepted)));
    let plain = code.replace('-', "");
    for mail in house.mails() {
        assert!(!mail.contains(&plain) && !mail.contains(&code));
    }
}

async fn wrong_codes_are_counted_and_lock(house: Arc<House>) {
    let code = newcomer(&house).await;
    let mut slip = code.replace('-', "");
    let last = slip.pop().unwrap();
    slip.push(if last == '2' { '3' } else { '2' });
    for _ in 0..20 {
        let typed = enter(&house, NEWCOMER, &slip).await;
        assert!(matches!(typed, Err(Declined::MistypedCode(CodeFault::Check))));
    }
    for _ in 0..5 {
        let typed = enter(&house, NEWCOMER, &new_code()).await;
        assert!(matches!(typed, Err(Declined::NotAccepted)));
    }
    assert!(matches!(enter(&house, NEWCOMER, &code).await, Err(Declined::NotAccepted)));
    house.drain().await;
    assert_eq!(house.notices("CodeLocked").await, 1);
    assert_eq!(house.entries("enrolment", "Miss").await, 5);
}

async fn at_once_no_more_codes_are_judged_than_the_rules_allow(house: Arc<House>) {
    newcomer(&house).await;
    let wrong: Vec<String> = (0..32).map(|_| new_code()).collect();
    let entries: Vec<_> = wrong
        .iter()
        .map(|code| {
            let (house, code) = (house.clone(), code.clone());
            tokio::task::spawn_local(async move { enter(&house, NEWCOMER, &code).await.is_ok() })
        })
        .collect();
    for entry in entries {
        assert!(!entry.await.unwrap());
    }
    assert_eq!(house.entries("enrolment", "ChargeAttempt").await, 5);
    house.drain().await;
    assert_eq!(house.notices("CodeLocked").await, 1);
}

async fn a_newer_code_voids_the_older_one(house: Arc<House>) {
    let older = newcomer(&house).await;
    let newer = new_code();
    give_code(&house, NEWCOMER, &newer).await;
    assert!(matches!(enter(&house, NEWCOMER, &older).await, Err(Declined::NotAccepted)));
    enter(&house, NEWCOMER, &newer).await.unwrap();
}

async fn a_colleague_issues_a_code_and_everybody_is_told(house: Arc<House>) {
    let app = &house.app;
    let (sato, cookies) = house.sign_in_with_certificate(SATO).await;
    let order = format!("order-{SATO}");
    let issue =
        |user_id, key| app.issue_enrolment_code(&sato, user_id, &order, key, &cookies.ticket);
    app.may_issue_enrolment_code(&sato, YAMADA).await.unwrap();
    assert_eq!(refusal(issue(SATO, "self").await), "enrolment.ForColleagues");
    assert!(matches!(issue("999999999", "nobody").await, Err(Declined::NotFound)));
    let wrong = app.issue_enrolment_code(&sato, YAMADA, "not it", "k", &cookies.ticket).await;
    assert!(matches!(wrong, Err(Declined::Wrong)));

    issue(YAMADA, "k").await.unwrap();
    let shown = app.display_enrolment_code(&sato, YAMADA, &cookies.ticket).await.unwrap().unwrap();
    // F5, and the form sent again, show the same.
    issue(YAMADA, "k").await.unwrap();
    let reloaded = app.display_enrolment_code(&sato, YAMADA, &cookies.ticket).await.unwrap();
    assert_eq!(*reloaded.unwrap(), *shown);
    let other = saihakko::secret::Token::generate(&system_entropy());
    assert!(app.display_enrolment_code(&sato, YAMADA, &other).await.unwrap().is_none());
    assert_eq!(house.entries("enrolment", "Issue").await, 1);

    house.drain().await;
    assert_eq!(house.notices("CodeIssued").await, 1);
    let told = house
        .count(
            "SELECT COUNT(*) FROM mails m JOIN outbox o ON o.id = m.outbox_id \
         WHERE o.label = 'CodeIssued'",
        )
        .await;
    assert_eq!(told, 3, "the colleague and both administrators");

    // Its window closes, the code stays good.
    house.wait(Duration::from_mins(16)).await;
    assert!(app.display_enrolment_code(&sato, YAMADA, &cookies.ticket).await.unwrap().is_none());
    let at = enter(&house, YAMADA, &shown).await.unwrap();
    app.set_password(&at, Kind::Login, "kitchen table sunrise").await.unwrap();

    // Somebody without a certificate or without the authority issues none.
    let (suzuki, cookies) = house.sign_in(SUZUKI).await;
    let order = format!("order-{SUZUKI}");
    let refused = app.issue_enrolment_code(&suzuki, YAMADA, &order, "k", &cookies.ticket).await;
    assert_eq!(refusal(refused), "enrolment.CertificateInactive");
    let (yamada, cookies) = house.try_sign_in(YAMADA, "kitchen table sunrise", None).await.unwrap();
    let refused = app.issue_enrolment_code(&yamada, SATO, "x", "k", &cookies.ticket).await;
    assert_eq!(refusal(refused), "enrolment.NotAllowed");
}

async fn a_code_replaces_no_standing_transaction_password(house: Arc<House>) {
    let code = new_code();
    give_code(&house, YAMADA, &code).await;
    let (session, signed_in) = house.sign_in(YAMADA).await;
    let at = enter(&house, YAMADA, &code).await.unwrap();
    let status = house.app.enrolment_status(&at).await.unwrap();
    assert_eq!(status.items.map(|item| item.may_be_set), [true, false, true]);
    let refused = house.app.set_password(&at, Kind::Transaction, "somebody else's now").await;
    assert_eq!(refusal(refused), "credential.ResetFirst");
    house.app.enter_transaction_password(&session, &format!("order-{YAMADA}")).await.unwrap();
    // The login password may be forgotten; whoever sets it anew ends every session.
    house.app.set_password(&at, Kind::Login, "forgotten no longer").await.unwrap();
    assert!(matches!(house.app.session(&signed_in.token, PLACE).await, Err(Declined::SignedOut)));
    house.try_sign_in(YAMADA, "forgotten no longer", None).await.unwrap();
}

async fn a_signed_in_user_changes_a_password(house: Arc<House>) {
    let app = &house.app;
    let (_, elsewhere) = house.sign_in(YAMADA).await;
    let (session, here) = house.sign_in(YAMADA).await;
    let present = format!("order-{YAMADA}");
    let change = |kind, present: String, new: &'static str| {
        let session = session.clone();
        async move { app.change_password(&session, kind, &present, new).await }
    };
    let wrong = change(Kind::Transaction, "guess".to_owned(), "violet harbour lamp").await;
    assert!(matches!(wrong, Err(Declined::Wrong)));
    let same = app.change_password(&session, Kind::Transaction, &present, &present).await;
    assert!(matches!(same, Err(Declined::Unfit(Unfit::Unchanged))));
    change(Kind::Transaction, present.clone(), "violet harbour lamp").await.unwrap();
    assert!(matches!(
        app.enter_transaction_password(&session, &present).await,
        Err(Declined::Wrong)
    ));
    app.enter_transaction_password(&session, "violet harbour lamp").await.unwrap();
    app.session(&here.token, PLACE).await.unwrap();
    assert!(matches!(app.session(&elsewhere.token, PLACE).await, Err(Declined::SignedOut)));
    change(Kind::Login, format!("login-{YAMADA}"), "amber meadow clock").await.unwrap();
    house.try_sign_in(YAMADA, "amber meadow clock", None).await.unwrap();

    // Guesses of the present one lock it like any others.
    for _ in 0..5 {
        let guess = change(Kind::Transaction, "guess".to_owned(), "another new one 1").await;
        assert!(matches!(guess, Err(Declined::Wrong)));
    }
    let locked = change(Kind::Transaction, "violet harbour lamp".to_owned(), "new one 2").await;
    assert_eq!(refusal(locked), "credential.Locked");
    house.drain().await;
    assert_eq!(house.notices("Changed").await, 2);
}

async fn a_code_lapses_and_an_enrolment_closes(house: Arc<House>) {
    let code = newcomer(&house).await;
    let at = enter(&house, NEWCOMER, &code).await.unwrap();
    house.wait(Duration::from_mins(61)).await;
    assert!(matches!(
        house.app.set_password(&at, Kind::Login, "an hour too late").await,
        Err(Declined::Refused { .. })
    ));
    assert!(matches!(enter(&house, NEWCOMER, &code).await, Err(Declined::NotAccepted)));
    let late = new_code();
    give_code(&house, NEWCOMER, &late).await;
    house.wait(Duration::from_hours(24 * 31)).await;
    assert!(matches!(enter(&house, NEWCOMER, &late).await, Err(Declined::NotAccepted)));
    assert_eq!(house.notices("CodeExpired").await, 1);
}

async fn nobody_learns_who_exists(house: Arc<House>) {
    let code = new_code();
    for user_id in ["999999999", YAMADA, NEWCOMER] {
        let typed = enter(&house, user_id, &code).await;
        assert!(matches!(typed, Err(Declined::NotAccepted)), "{user_id}");
        let typed = house.try_sign_in(user_id, "no password of theirs", None).await;
        assert!(matches!(typed, Err(Declined::NotAccepted)), "{user_id}");
    }
    house.execute("UPDATE users SET status = 'deleted' WHERE user_id = '010429003'").await;
    give_code(&house, YAMADA, &code).await;
    assert!(matches!(enter(&house, YAMADA, &code).await, Err(Declined::NotAccepted)));
}

async fn both_passwords_differ(house: Arc<House>) {
    let code = newcomer(&house).await;
    let at = enter(&house, NEWCOMER, &code).await.unwrap();
    house.app.set_password(&at, Kind::Login, "one for everything").await.unwrap();
    let at = again(&house, &at, &code).await;
    let same = house.app.set_password(&at, Kind::Transaction, "ｏｎｅ for everything").await;
    assert!(matches!(same, Err(Declined::Unfit(Unfit::SameAsOther))));
    house.app.set_password(&at, Kind::Transaction, "one for payments").await.unwrap();
}

async fn a_secret_that_comes_later_is_enrolled(house: Arc<House>) {
    newcomer(&house).await;
    let hash = saihakko::secret::hash_password(
        &system_entropy(),
        None,
        b"hashed by the bank",
        crate::house::COST,
    );
    let text =
        format!("contract,user_id,kind,secret\n{AOBA},{NEWCOMER},login,\"{}\"\n", hash.unwrap());
    house.import_text("credentials-later.csv", &text).await;
    house.try_sign_in(NEWCOMER, "hashed by the bank", None).await.unwrap();
    let left = "SELECT COUNT(*) FROM credentials WHERE brought";
    assert_eq!(house.count(left).await, 0);
}

async fn the_number_of_a_session_is_never_given_again(house: Arc<House>) {
    house.drain().await;
    let code = newcomer(&house).await;
    let at = enter(&house, NEWCOMER, &code).await.unwrap();
    house.app.finish_enrolment(&at).await.unwrap();
    let (first, _) = house.sign_in(YAMADA).await;
    let (second, _) = house.sign_in(YAMADA).await;
    // Long enough for everything to be swept.
    house.wait(Duration::from_hours(24 * 3)).await;
    let swept = format!("SELECT COUNT(*) FROM sessions WHERE id = {}", first.id);
    assert_eq!(house.count(&swept).await, 0);
    assert_eq!(house.count("SELECT COUNT(*) FROM enrolling").await, 0);
    let (third, _) = house.sign_in(YAMADA).await;
    assert!(third.id > second.id);
    let code = new_code();
    give_code(&house, NEWCOMER, &code).await;
    let again = enter(&house, NEWCOMER, &code).await.unwrap();
    assert!(again.id > at.id);
    house.app.finish_enrolment(&again).await.unwrap();
    assert!(matches!(enter(&house, NEWCOMER, &code).await, Err(Declined::NotAccepted)));
}
