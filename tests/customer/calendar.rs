//! S15: the calendar's corners: the turn of an era, 29 February, 09:00 on the day of the expiry,
//! holidays.

use std::sync::Arc;
use std::time::Duration;

use engine::{CaseId, Moment};
use saihakko::dates;
use saihakko::import::samples::card_seed;
use saihakko::text::Language;
use workflows::tail;
use workflows::terms::Reason;

use crate::house::{AOBA, House, PLACE, SATO, YAMADA, at, refusal, stories};

stories!(
    a_password_lives_24_hours_over_the_leap_day,
    at_nine_on_its_last_day_a_certificate_ends,
    a_task_is_due_on_the_next_business_day,
    the_years_of_an_era_stand_in_every_mail,
);

async fn turn_to(house: &House, moment: &str) {
    house.clock.advance(at(moment).since(house.now()));
    house.drain().await;
}

async fn issue(house: &House) -> CaseId {
    let (session, cookies) = house.sign_in(SATO).await;
    let case = house.app.begin_own_reissue(&session, Reason::NewPc, "page").await.unwrap();
    let shown = house.shown(&card_seed(SATO), 0);
    house.app.enter_one_time_password(&session, &shown).await.unwrap();
    house.app.issue_for_oneself(&session, case, &cookies.ticket).await.unwrap();
    case
}

async fn a_password_lives_24_hours_over_the_leap_day(house: Arc<House>) {
    // 2028-02-28 23:30 in Japan; a day later it is 29 February.
    turn_to(&house, "2028-02-28T14:30:00Z").await;
    let case = issue(&house).await;
    turn_to(&house, "2028-02-29T14:29:59Z").await;
    assert_eq!(house.state(case).await, "Tail.Waiting");
    turn_to(&house, "2028-02-29T14:30:00Z").await;
    assert_eq!(house.state(case).await, "Tail.Expired");
    let issued = dates::full(Language::Japanese, at("2028-02-28T14:30:00Z"));
    let ended = dates::full(Language::Japanese, at("2028-02-29T14:30:00Z"));
    assert_eq!(issued, "令和10年(2028年)2月28日(月) 23:30");
    assert_eq!(ended, "令和10年(2028年)2月29日(火) 23:30");
    // The limit of a day counts from midnight in Japan, not in Greenwich.
    for _ in 0..3 {
        house.wait(Duration::from_mins(1)).await;
        let case = issue(&house).await;
        let (session, _) = house.sign_in(SATO).await;
        let withdraw = tail::Command::Withdraw;
        house.app.in_tail(&session, case, withdraw, format!("w-{case}")).await.unwrap();
    }
    let (session, _) = house.sign_in(SATO).await;
    let begin = |key| house.app.begin_own_reissue(&session, Reason::NewPc, key);
    assert_eq!(refusal(begin("before midnight").await), "self_service.DailyLimit");
    turn_to(&house, "2028-02-29T14:59:59Z").await;
    assert_eq!(refusal(begin("still before").await), "self_service.DailyLimit");
    turn_to(&house, "2028-02-29T15:00:00Z").await;
    let (session, _) = house.sign_in(SATO).await;
    house.app.begin_own_reissue(&session, Reason::NewPc, "a new day").await.unwrap();
}

async fn at_nine_on_its_last_day_a_certificate_ends(house: Arc<House>) {
    // Valid until 09:00 in Japan on the leap day.
    let nine = at("2028-02-29T00:00:00Z");
    turn_to(&house, "2028-02-28T00:00:00Z").await;
    house.certificate(YAMADA, "01", nine).await;
    let fingerprint = {
        let mut bytes = [0; 32];
        bytes[..2].copy_from_slice(b"01");
        bytes
    };
    // The stored fingerprint is as long as a real one.
    let hex = data_encoding::HEXLOWER.encode(&fingerprint);
    let bytes = match house.app.tools.db.kind() {
        engine::Kind::Sqlite => format!("x'{hex}'"),
        engine::Kind::Postgres => format!("'\\x{hex}'"),
    };
    house
        .execute(&format!("UPDATE certificates SET fingerprint = {bytes} WHERE serial = '01'"))
        .await;
    let visit = async || house.app.visit(&fingerprint, PLACE).await.unwrap();
    let welcome = |visit: &saihakko::web::certificate_site::Visit| {
        matches!(visit, saihakko::web::certificate_site::Visit::Welcome { .. })
    };
    turn_to(&house, "2028-02-28T23:59:59Z").await;
    assert!(welcome(&visit().await), "a second before nine it opens");
    turn_to(&house, "2028-02-29T00:00:01Z").await;
    assert!(!welcome(&visit().await), "a second after nine it does not");
    let (session, _) = house.sign_in(YAMADA).await;
    assert_eq!(house.app.days_until_expiry(&session).await.unwrap(), None);
}

async fn a_task_is_due_on_the_next_business_day(house: Arc<House>) {
    // Friday 30 April 2027, 16:00; then Golden Week: 3, 4 and 5 May are holidays.
    turn_to(&house, "2027-04-30T07:00:00Z").await;
    house.app.request_call_back(AOBA, YAMADA, PLACE).await.unwrap();
    house.drain().await;
    let late = async || {
        house.drain().await;
        house.count("SELECT COUNT(*) FROM tasks WHERE escalated = 'Overdue'").await
    };
    turn_to(&house, "2027-05-06T06:59:59Z").await;
    assert_eq!(late().await, 0, "Saturday, Sunday and three holidays do not count");
    turn_to(&house, "2027-05-06T07:00:00Z").await;
    assert_eq!(late().await, 1, "Thursday 6 May is the next business day");
}

async fn the_years_of_an_era_stand_in_every_mail(house: Arc<House>) {
    // An era may end on any day; what was is told as it was then.
    for (moment, told) in [
        ("1989-01-07T14:59:59Z", "昭和64年(1989年)1月7日(土) 23:59"),
        ("1989-01-07T15:00:00Z", "平成元年(1989年)1月8日(日) 00:00"),
        ("2019-04-30T14:59:59Z", "平成31年(2019年)4月30日(火) 23:59"),
        ("2019-04-30T15:00:00Z", "令和元年(2019年)5月1日(水) 00:00"),
    ] {
        assert_eq!(dates::full(Language::Japanese, at(moment)), told);
    }
    assert_eq!(dates::numbered(at("2019-04-30T14:59:59Z"), 12), "H31-000012");
    assert_eq!(dates::numbered(at("2019-04-30T15:00:00Z"), 12), "R1-000012");
    // A password issued in the last minute of a year of the era and ending in the next one.
    turn_to(&house, "2027-12-31T14:59:00Z").await;
    let case = issue(&house).await;
    house.drain().await;
    let until: Moment = at("2028-01-01T14:59:00Z");
    assert_eq!(
        dates::full(Language::Japanese, until),
        "令和10年(2028年)1月1日(土) 23:59",
        "the year changes on 1 January"
    );
    assert_eq!(house.state(case).await, "Tail.Waiting");
}
