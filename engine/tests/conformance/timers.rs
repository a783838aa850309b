//! Deadlines follow from the state and fire once.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use engine::{Clock, Span};

use crate::house::{House, at, by_borrower, by_clerk, office, stories};
use crate::sample::{Command, State};

stories!(
    timers_follow_the_state,
    an_equal_deadline_keeps_its_due_time,
    a_marked_moment_moves_its_deadlines,
    reminders_come_once_then_the_end,
    a_reminder_does_not_come_back_with_the_next_command,
    two_engines_fire_once,
    whoever_is_quicker_than_the_clock_wins,
    a_deadline_moved_meanwhile_does_not_fire,
    business_days_skip_weekends_and_holidays,
    new_rules_hold_from_the_next_transition,
    a_clock_set_back_fires_nothing_twice
);

const DAY: u64 = 86_400;
const DAY_S: i64 = 86_400;

fn remind(round: u8) -> String {
    format!("{{\"Remind\":{{\"round\":{round}}}}}")
}

async fn timers_follow_the_state(house: Arc<House>) {
    let office = house.office();
    let start = house.now();
    let case = office.open("a").await;
    assert_eq!(house.armed(case, start).await, [(7 * DAY_S, "\"Lapse\"".to_owned())]);
    house.wait(100);
    let case = {
        let other = office.waiting("b").await;
        assert_ne!(other, case);
        other
    };
    let issued = house.now();
    assert_eq!(
        house.armed(case, issued).await,
        [(DAY_S, remind(1)), (2 * DAY_S, remind(2)), (7 * DAY_S, "\"Lapse\"".into()),]
    );
    office.take(by_borrower(case, Command::Return, "return")).await;
    assert_eq!(house.armed(case, issued).await, []);
}

async fn an_equal_deadline_keeps_its_due_time(house: Arc<House>) {
    let office = house.office();
    let start = house.now();
    let case = office.open("a").await;
    house.wait(5000);
    office.take(by_clerk(case, Command::Check, "check")).await;
    assert_eq!(house.armed(case, start).await, [(7 * DAY_S, "\"Lapse\"".into())]);
}

async fn a_marked_moment_moves_its_deadlines(house: Arc<House>) {
    let office = house.office();
    let case = office.waiting("a").await;
    house.wait(DAY / 2);
    let extended = house.now();
    office.take(by_borrower(case, Command::Extend, "extend")).await;
    assert_eq!(house.armed(case, extended).await[0], (DAY_S, remind(1)));
    house.wait(DAY / 2 + 1);
    office.engine.drain().await.unwrap();
    assert_eq!(office.host.times("Reminder"), 0, "the old due time is no more");
}

async fn reminders_come_once_then_the_end(house: Arc<House>) {
    let office = house.office();
    let case = office.waiting("a").await;
    for (wait, reminders) in [(DAY - 1, 0), (1, 1), (DAY - 1, 1), (1, 2), (DAY, 2)] {
        house.wait(wait);
        office.engine.drain().await.unwrap();
        assert_eq!(office.host.times("Reminder"), reminders);
    }
    assert_eq!(house.armed(case, house.now()).await, [(4 * DAY_S, "\"Lapse\"".to_owned())]);
    house.wait(4 * DAY);
    office.engine.drain().await.unwrap();
    assert_eq!(office.state(case).await, State::Lapsed);
    assert_eq!(
        house.lines(case).await[4..],
        ["transition Remind", "transition Remind", "transition Lapse",]
    );
    let entry = house.entries(case).await.pop().unwrap();
    assert_eq!((entry.actor.as_str(), entry.role.as_str()), ("engine", "clock"));
    // An extension after the first reminder would have brought both again; after the end nothing.
    house.wait(30 * DAY);
    assert_eq!(office.engine.drain().await.unwrap(), 0);
}

async fn a_reminder_does_not_come_back_with_the_next_command(house: Arc<House>) {
    let office = house.office();
    let case = office.waiting("a").await;
    house.wait(DAY);
    office.engine.drain().await.unwrap();
    office.take(by_borrower(case, Command::Miss, "miss")).await;
    assert_eq!(house.armed(case, house.now()).await[0], (DAY_S, remind(2)));
    office.engine.drain().await.unwrap();
    assert_eq!(office.host.times("Reminder"), 1);
    // Its moment moves: now it is due again, a day later.
    office.take(by_borrower(case, Command::Extend, "extend")).await;
    house.wait(DAY);
    office.engine.drain().await.unwrap();
    assert_eq!(office.host.times("Reminder"), 2);
}

async fn two_engines_fire_once(house: Arc<House>) {
    let offices = [house.office(), office(house.another().await)];
    let mut cases = Vec::new();
    for index in 0..12 {
        cases.push(offices[0].open(&format!("s{index}")).await);
    }
    offices[0].engine.drain().await.unwrap();
    house.wait(7 * DAY);
    let drains: Vec<_> = offices
        .iter()
        .map(|office| {
            let engine = office.engine.clone();
            tokio::spawn(async move { engine.drain().await.unwrap() })
        })
        .collect();
    for drain in drains {
        drain.await.unwrap();
    }
    for case in cases {
        assert_eq!(house.lines(case).await, ["transition Open", "transition Lapse"]);
    }
    let ended = offices.iter().map(|office| office.host.times("Ended")).sum::<usize>();
    assert_eq!(ended, 12);
}

async fn whoever_is_quicker_than_the_clock_wins(house: Arc<House>) {
    let office = house.office();
    let case = office.waiting("a").await;
    house.wait(8 * DAY);
    office.take(by_borrower(case, Command::Return, "return")).await;
    office.engine.drain().await.unwrap();
    assert_eq!(office.state(case).await, State::Returned);
    assert_eq!(house.lines(case).await.last().unwrap(), "transition Return", "no refused Lapse");
}

/// Between the look at due timers and the lock on the case, somebody extends: the timer that was
/// read is not the one that is stored. Repeated, because it is a race.
async fn a_deadline_moved_meanwhile_does_not_fire(house: Arc<House>) {
    let office = house.office();
    for round in 0..20 {
        let case = office.waiting(&format!("s{round}")).await;
        house.wait(DAY);
        let engine = office.engine.clone();
        let drain = tokio::spawn(async move { engine.drain().await.unwrap() });
        office.take(by_borrower(case, Command::Extend, &format!("extend-{round}"))).await;
        drain.await.unwrap();
        let entries = house.entries(case).await;
        let extended = entries.iter().position(|e| e.command == "Extend").unwrap();
        let late = entries[extended..].iter().filter(|e| e.command == "Remind").count();
        assert_eq!(late, 0, "round {round}: a reminder after the extension");
        office.take(by_borrower(case, Command::Return, &format!("return-{round}"))).await;
    }
}

async fn business_days_skip_weekends_and_holidays(house: Arc<House>) {
    let office = house.office();
    let Clock::Manual(clock) = &house.clock else { panic!("the clock is set by hand") };
    // Wednesday 30 December 2026, 10:00 in Tokyo; 1 January is a holiday of the test's calendar.
    clock.store(at("2026-12-30T01:00:00Z").0, Ordering::SeqCst);
    let case = office.waiting("a").await;
    let due = house.armed(case, at("2027-01-07T01:00:00Z")).await;
    assert_eq!(due.last().unwrap(), &(0, "\"Lapse\"".to_owned()));
}

async fn new_rules_hold_from_the_next_transition(house: Arc<House>) {
    let office = house.office();
    let start = house.now();
    let case = office.open("a").await;
    office.host.rules.lock().unwrap().patience = Span::days(3);
    assert_eq!(house.armed(case, start).await[0].0, 7 * DAY_S);
    office.take(by_borrower(case, Command::Miss, "miss")).await;
    assert_eq!(house.armed(case, start).await, [(3 * DAY_S, "\"Lapse\"".into())]);
}

async fn a_clock_set_back_fires_nothing_twice(house: Arc<House>) {
    let office = house.office();
    let case = office.waiting("a").await;
    house.wait(DAY);
    office.engine.drain().await.unwrap();
    house.set_back(DAY_S);
    office.engine.drain().await.unwrap();
    house.wait(DAY);
    office.engine.drain().await.unwrap();
    assert_eq!(office.host.times("Reminder"), 1);
    assert!(matches!(office.state(case).await, State::Waiting { .. }));
}
