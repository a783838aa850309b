//! Each tick of a schedule once, whoever is awake.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use engine::schedule::{CatchUp, Schedule, TickHandler};
use engine::{Failure, Moment};

use crate::house::{House, Office, at, office, stories, tokyo};

stories!(
    each_tick_once_with_two_engines,
    only_the_latest_missed_tick,
    every_missed_tick,
    first_sight_counts_from_now,
    a_failing_tick_is_tried_again,
    a_schedule_that_is_gone_is_shown,
    a_clock_set_back_ticks_nothing_twice
);

type Ticks = Arc<Mutex<Vec<Moment>>>;

fn schedule(office: &Office, ticks: &Ticks, expression: &str, catch_up: CatchUp) {
    let ticks = ticks.clone();
    let handler: TickHandler = Arc::new(move |tick| {
        ticks.lock().unwrap().push(tick);
        Box::pin(async { Ok(()) })
    });
    let schedule = Schedule::new("nightly", expression, tokyo(), catch_up).unwrap();
    office.engine.schedule(schedule, handler);
}

fn seen(ticks: &Ticks) -> Vec<String> {
    let mut seen = ticks.lock().unwrap().clone();
    seen.sort_unstable();
    seen.iter().map(ToString::to_string).collect()
}

async fn each_tick_once_with_two_engines(house: Arc<House>) {
    let ticks = Ticks::default();
    let offices = [house.office(), office(house.another().await)];
    for office in &offices {
        schedule(office, &ticks, "0 0 * * * *", CatchUp::Each);
        office.engine.drain().await.unwrap();
    }
    for _ in 0..5 {
        house.wait(3600);
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
    }
    let hours: Vec<String> =
        (2..=6).map(|hour| format!("2026-12-07T0{hour}:00:00.000000Z")).collect();
    assert_eq!(seen(&ticks), hours);
}

async fn only_the_latest_missed_tick(house: Arc<House>) {
    let ticks = Ticks::default();
    let before = house.office();
    // 02:00 in Tokyo.
    schedule(&before, &ticks, "0 0 2 * * *", CatchUp::Latest);
    before.engine.drain().await.unwrap();
    drop(before);
    house.wait(10 * 86_400);
    let after = house.office();
    schedule(&after, &ticks, "0 0 2 * * *", CatchUp::Latest);
    after.engine.drain().await.unwrap();
    assert_eq!(seen(&ticks), ["2026-12-16T17:00:00.000000Z"]);
    house.wait(86_400);
    after.engine.drain().await.unwrap();
    assert_eq!(seen(&ticks).len(), 2);
}

async fn every_missed_tick(house: Arc<House>) {
    let ticks = Ticks::default();
    let before = house.office();
    schedule(&before, &ticks, "0 0 * * * *", CatchUp::Each);
    before.engine.drain().await.unwrap();
    drop(before);
    house.wait(250 * 3600);
    let after = house.office();
    schedule(&after, &ticks, "0 0 * * * *", CatchUp::Each);
    after.engine.drain().await.unwrap();
    assert_eq!(seen(&ticks).len(), 250);
    let mut distinct = seen(&ticks);
    distinct.dedup();
    assert_eq!(distinct.len(), 250);
}

async fn first_sight_counts_from_now(house: Arc<House>) {
    let ticks = Ticks::default();
    let office = house.office();
    schedule(&office, &ticks, "0 0 * * * *", CatchUp::Each);
    // 10:00:00 in Tokyo is itself a tick of this schedule; it was not missed.
    office.engine.drain().await.unwrap();
    house.wait(3599);
    office.engine.drain().await.unwrap();
    assert_eq!(seen(&ticks), [""; 0]);
    house.wait(1);
    office.engine.drain().await.unwrap();
    assert_eq!(seen(&ticks), ["2026-12-07T02:00:00.000000Z"]);
    let mut tx = house.db.read().await.unwrap();
    let last = engine::schedule::last_tick(&mut tx, "nightly").await.unwrap();
    assert_eq!(last, Some(at("2026-12-07T02:00:00Z")));
}

async fn a_failing_tick_is_tried_again(house: Arc<House>) {
    let office = house.office();
    let tries = Arc::new(AtomicU32::new(0));
    let counted = tries.clone();
    let handler: TickHandler = Arc::new(move |_| {
        let result = match counted.fetch_add(1, Ordering::SeqCst) {
            0 => Err(Failure::passing("no space")),
            1 => panic!("the second try"),
            _ => Ok(()),
        };
        Box::pin(async { result })
    });
    let schedule = Schedule::new("nightly", "0 0 * * * *", tokyo(), CatchUp::Latest).unwrap();
    office.engine.schedule(schedule, handler);
    office.engine.drain().await.unwrap();
    for wait in [3600, 30, 60] {
        house.wait(wait);
        office.engine.drain().await.unwrap();
    }
    let row = house.outbox().await.remove(0);
    assert_eq!(row.kind, "tick");
    assert_eq!((row.status.as_str(), row.attempts), ("done", 3));
    assert_eq!(tries.load(Ordering::SeqCst), 3);
}

async fn a_schedule_that_is_gone_is_shown(house: Arc<House>) {
    let ticks = Ticks::default();
    let before = house.office();
    schedule(&before, &ticks, "0 0 * * * *", CatchUp::Latest);
    before.engine.drain().await.unwrap();
    house
        .execute(
            "INSERT INTO outbox (kind, workflow, entry, label, body, status, attempts, due_at, \
         created_at) VALUES ('tick', 'of-yore', 0, 'Tick', '0', 'ready', 0, 0, 0)",
        )
        .await;
    before.engine.drain().await.unwrap();
    assert_eq!(house.outbox().await[0].status, "dead");
}

async fn a_clock_set_back_ticks_nothing_twice(house: Arc<House>) {
    let ticks = Ticks::default();
    let office = house.office();
    schedule(&office, &ticks, "0 0 * * * *", CatchUp::Each);
    office.engine.drain().await.unwrap();
    for wait in [7200, 1800] {
        house.wait(wait);
        office.engine.drain().await.unwrap();
    }
    house.set_back(7200);
    for _ in 0..4 {
        house.wait(1800);
        office.engine.drain().await.unwrap();
    }
    assert_eq!(seen(&ticks).len(), 2);
}
