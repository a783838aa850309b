//! Mails before a certificate expires: at 28, 10 and 3 days, once each.

use std::sync::Arc;
use std::time::Duration;

use engine::Moment;

use crate::house::{House, SATO, YAMADA, at, stories};

stories!(
    three_mails_on_three_mornings,
    after_a_downtime_only_the_nearest_is_sent,
    nothing_is_said_of_held_revoked_or_replaced_ones,
    the_days_left_are_those_of_the_page,
);

/// The clock stands at this moment, and the schedule of 09:00 runs through its tick.
async fn morning(house: &House, moment: &str) {
    let now = at(moment);
    house.clock.advance(now.since(house.now()));
    assert_eq!(house.now(), now);
    house.drain().await;
}

async fn told(house: &House, user_id: &str) -> i64 {
    let user = house.user(user_id).await;
    house
        .count(&format!(
            "SELECT COUNT(*) FROM mails m JOIN outbox o ON o.id = m.outbox_id \
             WHERE o.label = 'CertificateExpiring' AND m.recipient = 'user-{user}'"
        ))
        .await
}

/// 09:00 in Japan on 15 January 2027.
const EXPIRES: &str = "2027-01-15T00:00:00Z";

async fn three_mails_on_three_mornings(house: Arc<House>) {
    house.drain().await;
    house.certificate(YAMADA, "01", at(EXPIRES)).await;
    let mut mornings = Vec::new();
    for day in 0..40 {
        let moment = at("2026-12-08T00:00:01Z").plus(Duration::from_hours(24 * day));
        let before = (told(&house, YAMADA).await, told(&house, SATO).await);
        morning(&house, &moment.to_string()).await;
        let after = (told(&house, YAMADA).await, told(&house, SATO).await);
        if before != after {
            let date = moment.to_string().get(..10).unwrap().to_owned();
            mornings.push((date, after.0 - before.0, after.1 - before.1));
        }
    }
    let expected = [("2026-12-18", 1, 0), ("2027-01-05", 1, 0), ("2027-01-12", 1, 1)]
        .map(|(date, holder, administrator)| (date.to_owned(), holder, administrator));
    assert_eq!(mornings, expected);
    let mail = house.mails().into_iter().find(|mail| mail.contains("user-")).unwrap();
    assert!(!mail.contains("http"), "no link");
    let case = house.count("SELECT case_id FROM expiries WHERE serial = '01'").await;
    assert_eq!(house.state(engine::CaseId(case)).await, "Over", "the case ends by the clock");
}

async fn after_a_downtime_only_the_nearest_is_sent(house: Arc<House>) {
    house.drain().await;
    house.certificate(YAMADA, "01", at(EXPIRES)).await;
    // The program slept until nine days before.
    morning(&house, "2027-01-06T02:00:00Z").await;
    assert_eq!(told(&house, YAMADA).await, 1);
    morning(&house, "2027-01-07T02:00:00Z").await;
    assert_eq!(told(&house, YAMADA).await, 1);
    // And over the last morning: it is sent on the very day, but not when it is too late.
    house.certificate(SATO, "02", at("2027-01-14T14:00:00Z")).await;
    morning(&house, "2027-01-14T15:00:00Z").await;
    assert_eq!((told(&house, YAMADA).await, told(&house, SATO).await), (2, 1));
    let expired = "SELECT COUNT(*) FROM expiries WHERE serial = '02'";
    assert_eq!(house.count(expired).await, 0, "the administrator heard of the other one");
}

async fn nothing_is_said_of_held_revoked_or_replaced_ones(house: Arc<House>) {
    house.drain().await;
    house.certificate(YAMADA, "01", at(EXPIRES)).await;
    house.certificate(YAMADA, "02", at("2027-12-01T00:00:00Z")).await;
    house.certificate(SATO, "03", at(EXPIRES)).await;
    house.execute("UPDATE certificates SET state = 'held' WHERE serial = '03'").await;
    morning(&house, "2027-01-12T00:00:01Z").await;
    assert_eq!(house.notices("CertificateExpiring").await, 0);
    house.execute("UPDATE certificates SET state = 'active' WHERE serial = '03'").await;
    house.execute("UPDATE certificates SET state = 'revoked' WHERE serial = '02'").await;
    morning(&house, "2027-01-13T00:00:01Z").await;
    assert_eq!(house.notices("CertificateExpiring").await, 2);
}

async fn the_days_left_are_those_of_the_page(house: Arc<House>) {
    let (session, _) = house.sign_in(YAMADA).await;
    let left = || house.app.days_until_expiry(&session);
    assert_eq!(left().await.unwrap(), None);
    house.certificate(YAMADA, "01", at("2026-12-10T14:59:59Z")).await;
    assert_eq!(left().await.unwrap(), Some(3), "10 December is three days after the 7th");
    house.certificate(YAMADA, "02", Moment(house.now().0 - 1_000_000)).await;
    assert_eq!(left().await.unwrap(), Some(3));
}
