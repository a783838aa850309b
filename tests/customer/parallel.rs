//! Many at once: 64 wrong retrieval entries, 16 confirmations of one reissue.

use std::sync::Arc;

use engine::CaseId;
use saihakko::customer::{Declined, Session, SignedIn};
use saihakko::import::samples::card_seed;
use saihakko::secret::{RetrievalPassword, Token};
use workflows::terms::Reason;

use crate::house::{House, SATO, YAMADA, stories};

stories!(
    of_64_wrong_entries_five_are_judged_and_one_lock_is_told,
    of_16_confirmations_one_issues,
    of_16_issues_for_oneself_one_is_shown,
);

async fn issued(house: &House) -> (Session, SignedIn, CaseId) {
    let (session, cookies) = house.sign_in(SATO).await;
    let case = house.app.begin_own_reissue(&session, Reason::NewPc, "page").await.unwrap();
    let shown = house.shown(&card_seed(SATO), 0);
    house.app.enter_one_time_password(&session, &shown).await.unwrap();
    house.app.issue_for_oneself(&session, case, &cookies.ticket).await.unwrap();
    house.drain().await;
    (session, cookies, case)
}

async fn of_64_wrong_entries_five_are_judged_and_one_lock_is_told(house: Arc<House>) {
    let (session, _, case) = issued(&house).await;
    let entropy = saihakko::app::system_entropy();
    let entries: Vec<_> = (0..64)
        .map(|_| {
            let digits = RetrievalPassword::generate(&entropy).expose_ascii();
            let typed = String::from_utf8(digits.to_vec()).unwrap();
            let (app, session) = (house.app.clone(), session.clone());
            tokio::spawn(async move { app.claim(&session, &typed, None).await.map(drop) })
        })
        .collect();
    let (mut wrong, mut locked) = (0, 0);
    for entry in entries {
        match entry.await.unwrap() {
            Err(Declined::Wrong) => wrong += 1,
            Err(Declined::Refused { code }) if code == "credential.Locked" => locked += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((wrong, locked), (5, 59));
    // What was charged was hashed and missed; nothing else was hashed against the password.
    assert_eq!(
        house
            .count(
                "SELECT COUNT(*) FROM entries e JOIN credentials k \
         ON k.case_id = e.case_id WHERE k.kind = 'retrieval' AND e.kind = 'transition' \
         AND e.command = 'ChargeAttempt'"
            )
            .await,
        5
    );
    house.drain().await;
    assert_eq!(house.state(case).await, "Tail.Locked");
    assert_eq!(house.notices("RetrievalLocked").await, 1);
    assert_eq!(house.notices("Locked").await, 0, "the case has told it");
}

async fn of_16_confirmations_one_issues(house: Arc<House>) {
    let (session, cookies) = house.sign_in_with_certificate(SATO).await;
    let case =
        house.app.begin_colleague_reissue(&session, YAMADA, Reason::NewPc, "k").await.unwrap();
    let confirmations: Vec<_> = (0..16)
        .map(|_| {
            let (app, session) = (house.app.clone(), session.clone());
            let ticket = cookies.ticket.clone();
            let password = format!("order-{SATO}");
            tokio::spawn(async move {
                app.confirm_colleague_reissue(&session, case, &password, &ticket).await
            })
        })
        .collect();
    let mut accepted = 0;
    for confirmation in confirmations {
        match confirmation.await.unwrap() {
            Ok(()) => accepted += 1,
            // The one password entry vouches for one issue; and no more than five are judged at
            // once. Whoever is told so loads the page again and finds the digits.
            Err(Declined::Refused { code })
                if code == "delegated.TransactionMissing" || code == "credential.Locked" => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(accepted >= 1);
    let live = "SELECT COUNT(*) FROM retrieval_passwords";
    assert_eq!(house.count(live).await, 1);
    assert_eq!(house.entries("delegated", "Issue").await, 1);
    let order = format!("order-{SATO}");
    house.app.confirm_colleague_reissue(&session, case, &order, &cookies.ticket).await.unwrap();
    shows_digits(&house, &session, case, &cookies.ticket).await;
}

async fn of_16_issues_for_oneself_one_is_shown(house: Arc<House>) {
    let (session, cookies, case) = issued(&house).await;
    let issues: Vec<_> = (0..16)
        .map(|_| {
            let (app, session, ticket) =
                (house.app.clone(), session.clone(), cookies.ticket.clone());
            tokio::spawn(async move { app.issue_for_oneself(&session, case, &ticket).await })
        })
        .collect();
    for issue in issues {
        issue.await.unwrap().unwrap();
    }
    assert_eq!(house.count("SELECT COUNT(*) FROM retrieval_passwords").await, 1);
    shows_digits(&house, &session, case, &cookies.ticket).await;
}

async fn shows_digits(house: &House, session: &Session, case: CaseId, ticket: &Token) {
    let shown = house.app.display(session, case, ticket).await.unwrap();
    assert!(matches!(shown, saihakko::customer::Display::Digits(_)));
}
