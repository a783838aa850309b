//! What a page says of its user's standing.

use std::sync::Arc;
use std::time::Duration;

use saihakko::customer::LockState;
use workflows::router::Advice;
use workflows::terms::Reason;

use crate::house::{House, SATO, YAMADA, stories};

stories!(everything_at_a_glance, the_router_follows_what_is_locked);

async fn everything_at_a_glance(house: Arc<House>) {
    let (session, cookies) = house.sign_in(SATO).await;
    let seen = house.app.overview(&session, None).await.unwrap();
    assert_eq!(seen.login, LockState::Open { left: 20 });
    assert_eq!(seen.transaction, LockState::Open { left: 5 });
    assert_eq!(seen.one_time_password, LockState::Open { left: 5 });
    assert_eq!((seen.retrieval, seen.certificate), (LockState::Unset, None));
    assert_eq!((seen.open_cases.len(), seen.advice), (0, Advice::OwnReissue));

    let expires = house.now().plus(Duration::from_hours(24 * 10));
    house.certificate(SATO, "01", expires).await;
    let seen = house.app.overview(&session, None).await.unwrap();
    assert_eq!(seen.advice, Advice::Renew);
    let certificate = seen.certificate.unwrap();
    assert_eq!((certificate.state.as_str(), certificate.days_left), ("active", Some(10)));
    let lost = house.app.overview(&session, Some(Reason::NewPc)).await.unwrap();
    assert_eq!(lost.advice, Advice::OwnReissue);
    let stolen = house.app.overview(&session, Some(Reason::Vanished)).await.unwrap();
    assert_eq!(stolen.advice, Advice::Stop);

    let case = house.app.begin_own_reissue(&session, Reason::NewPc, "page").await.unwrap();
    let shown = house.shown(&saihakko::import::samples::card_seed(SATO), 0);
    house.app.enter_one_time_password(&session, &shown).await.unwrap();
    house.app.issue_for_oneself(&session, case, &cookies.ticket).await.unwrap();
    for _ in 0..2 {
        house.app.claim(&session, "0000000000000000", None).await.map(drop).unwrap_err();
    }
    let seen = house.app.overview(&session, None).await.unwrap();
    assert_eq!(seen.retrieval, LockState::Open { left: 3 });
    assert_eq!(
        (seen.open_cases[0].case, seen.open_cases[0].state.as_str()),
        (case, "Tail.Waiting")
    );
    assert_eq!(seen.certificate.unwrap().state, "held");
}

async fn the_router_follows_what_is_locked(house: Arc<House>) {
    let (sato, _) = house.sign_in(SATO).await;
    let (yamada, _) = house.sign_in(YAMADA).await;
    let advice = async |session| house.app.overview(session, None).await.unwrap().advice;
    // Nobody has a certificate: an administrator goes first, then for the others.
    assert_eq!(advice(&yamada).await, Advice::Chain);
    let expires = house.now().plus(Duration::from_hours(24 * 100));
    house.certificate("010429002", "02", expires).await;
    assert_eq!(advice(&yamada).await, Advice::Colleague);
    for _ in 0..5 {
        house.app.enter_one_time_password(&sato, "000000").await.map(drop).unwrap_err();
    }
    let seen = house.app.overview(&sato, None).await.unwrap();
    assert_eq!((seen.one_time_password, seen.advice), (LockState::Locked, Advice::Colleague));
    house.execute("UPDATE users SET reissue_authority = FALSE WHERE user_id = '010429002'").await;
    assert_eq!(advice(&sato).await, Advice::Paper);
    house.execute("UPDATE contracts SET status = 'suspended'").await;
    assert_eq!(advice(&sato).await, Advice::Closed);
    // What the page advises is what the path decides.
    let refused = house.app.begin_own_reissue(&sato, Reason::NewPc, "page").await;
    assert_eq!(crate::house::refusal(refused), "self_service.ContractInactive");
}
