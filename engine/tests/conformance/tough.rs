//! One bad row never stalls the others.

use std::sync::Arc;
use std::time::Duration;

use engine::Kind;
use tokio::sync::watch;

use crate::house::{House, by_clerk, by_second, stories};
use crate::sample::{Command, Mood, State};

stories!(
    bad_timers_stall_nobody,
    bad_kept_commands_stall_nobody,
    a_panicking_host_is_a_failure,
    a_send_that_hangs_is_broken_off,
    an_unknown_workflow_ends_as_a_dead_letter,
    a_lost_stop_ends_the_loops,
    a_failing_database_is_survived,
    connections_that_died_are_replaced
);

/// More bad rows than one round takes, all due before the good one.
async fn bad_timers_stall_nobody(house: Arc<House>) {
    let office = house.office();
    let case = office.waiting("a").await;
    let bad = office.open("bad").await;
    for index in 0..50 {
        let (workflow, command) =
            if index % 2 == 0 { ("of-yore", "\"Lapse\"") } else { ("loan", "\"Never\"") };
        house
            .execute(&format!(
                "INSERT INTO timers (case_id, slot, workflow, due_at, command) \
             VALUES ({bad}, 'bad {index}', '{workflow}', {index}, '{command}')"
            ))
            .await;
    }
    house.wait(86_400);
    office.engine.drain().await.unwrap();
    // The first round put the bad ones off; those behind them have their turn.
    office.engine.drain().await.unwrap();
    assert_eq!(office.host.times("Reminder"), 1);
    let mut tx = house.db.read().await.unwrap();
    let stuck = engine::stuck::list(&mut tx, 100).await.unwrap();
    assert_eq!(stuck.len(), 50);
    assert!(stuck.iter().any(|one| one.last_error == "no workflow named of-yore"));
    assert!(stuck.iter().any(|one| one.last_error.contains("cannot read")), "{stuck:?}");
    drop(tx);
    assert_eq!(office.version(case).await, 5);
    // They are tried again, ever less often, for the next version may be able to read them.
    house.wait(20);
    office.engine.drain().await.unwrap();
    assert_eq!(house.count("SELECT MAX(failures) FROM timers").await, 2);
}

async fn bad_kept_commands_stall_nobody(house: Arc<House>) {
    let office = house.office();
    let case = office.open("a").await;
    for index in 0..40 {
        let other = if index == 0 { case } else { office.open(&format!("s{index}")).await };
        house.execute(&format!(
            "INSERT INTO inbox (case_id, workflow, command_id, command, actor, role, auth, place, \
             status, tried_version, outcome, created_at) VALUES ({other}, 'loan', 'bad-{index}', \
             '\"Never\"', 'user-1', 'borrower', 'none', 'web', 'waiting', -1, '', 0)"
        )).await;
    }
    let last = office.open("last").await;
    house
        .execute(&format!(
            "INSERT INTO inbox (case_id, workflow, command_id, command, actor, role, auth, place, \
         status, tried_version, outcome, created_at) VALUES ({last}, 'loan', 'good', \
         '\"Miss\"', 'user-1', 'borrower', 'none', 'web', 'waiting', -1, '', 0)"
        ))
        .await;
    office.submit(by_second(case, Command::Approve, "approve").kept()).await;
    office.take(by_clerk(case, Command::Check, "check")).await;
    assert!(
        matches!(office.state(case).await, State::Printing { .. }),
        "the good one behind the bad"
    );
    office.engine.drain().await.unwrap();
    office.engine.drain().await.unwrap();
    assert_eq!(office.version(last).await, 2);
    let mut tx = house.db.read().await.unwrap();
    assert_eq!(engine::stuck::list(&mut tx, 100).await.unwrap().len(), 40);
}

async fn a_panicking_host_is_a_failure(house: Arc<House>) {
    let office = house.office();
    office.host.mood("Asked", Some(Mood::Panics));
    office.open("a").await;
    office.open("b").await;
    office.engine.drain().await.unwrap();
    for row in house.outbox().await {
        assert_eq!(row.status, "ready");
        assert_eq!(row.last_error.as_deref(), Some("panicked: out of paper"));
    }
    office.host.mood("Asked", None);
    house.wait(60);
    office.engine.drain().await.unwrap();
    assert!(house.outbox().await.iter().all(|row| row.status == "done"));
}

/// The clock of the story stands still; the patience is real time, so the lease is a short one.
async fn a_send_that_hangs_is_broken_off(house: Arc<House>) {
    let retry = engine::outbox::Retry { lease_s: 1, ..Default::default() };
    let calendar = house.office().engine.calendar().as_ref().clone();
    let engine =
        engine::Engine::new(house.db.clone(), calendar, retry, Arc::new(|bytes| bytes.fill(7)));
    let host = Arc::new(crate::sample::Sample::default());
    host.mood("Asked", Some(Mood::Waits));
    engine.register::<crate::sample::Loan, _>(host.clone());
    house.office().open("a").await;
    tokio::time::timeout(Duration::from_secs(10), engine.drain()).await.unwrap().unwrap();
    let row = house.outbox().await.remove(0);
    assert_eq!((row.status.as_str(), row.attempts), ("ready", 1));
    assert!(row.last_error.unwrap().starts_with("broken off"));
}

async fn an_unknown_workflow_ends_as_a_dead_letter(house: Arc<House>) {
    let office = house.office();
    let case = office.open("a").await;
    house.execute(&format!(
        "INSERT INTO outbox (kind, workflow, case_id, entry, label, body, status, attempts, due_at, \
         created_at) VALUES ('notice', 'of-yore', {case}, 1, 'Old', '\"Old\"', 'ready', 0, 0, 0)"
    )).await;
    house.execute(&format!(
        "INSERT INTO outbox (kind, workflow, case_id, entry, label, body, status, attempts, due_at, \
         created_at) VALUES ('job', 'loan', {case}, 1, 'Old', '\"Old\"', 'ready', 0, 0, 0)"
    )).await;
    for _ in 0..4 {
        office.engine.drain().await.unwrap();
        house.wait(3600);
    }
    let fates: Vec<(String, i64)> =
        house.outbox().await.into_iter().map(|row| (row.status, row.attempts)).collect();
    assert_eq!(fates, [("done".into(), 1), ("dead".into(), 4), ("dead".into(), 1)]);
}

async fn a_lost_stop_ends_the_loops(house: Arc<House>) {
    let office = house.office();
    let (stop, stopped) = watch::channel(false);
    let engine = office.engine.clone();
    let running = tokio::spawn(async move { engine.run(stopped).await });
    office.open("a").await;
    drop(stop);
    tokio::time::timeout(Duration::from_secs(5), running).await.unwrap().unwrap();
}

async fn a_failing_database_is_survived(house: Arc<House>) {
    let (office, fuse) = house.fused_office();
    let (stop, stopped) = watch::channel(false);
    let engine = office.engine.clone();
    let running = tokio::spawn(async move { engine.run(stopped).await });
    office.open("a").await;
    fuse.set(3);
    tokio::time::sleep(Duration::from_millis(300)).await;
    fuse.set(i64::MAX);
    let case = office.open("b").await;
    house.wait(60);
    office.engine.wake();
    let mut sent = 0;
    for _ in 0..300 {
        sent = house.count("SELECT COUNT(*) FROM outbox WHERE status = 'done'").await;
        if sent == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(sent, 2);
    assert_eq!(office.version(case).await, 1);
    stop.send(true).unwrap();
    running.await.unwrap();
}

/// A server that was started anew has closed every connection that waits to be used again.
async fn connections_that_died_are_replaced(house: Arc<House>) {
    let mut open = Vec::new();
    for _ in 0..5 {
        open.push(house.db.read().await.unwrap());
    }
    drop(open);
    if house.db.kind() == Kind::Postgres {
        let sql = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity \
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";
        let other = house.another().await;
        let mut tx = other.write().await.unwrap();
        let dead: Result<i64, sqlx::Error> =
            engine::on!(&mut tx, |conn| sqlx::query_scalar(sql).fetch_one(conn).await);
        assert!(dead.unwrap() >= 5);
        tx.commit().await.unwrap();
        other.close().await;
    }
    for _ in 0..5 {
        house.db.read().await.unwrap();
        house.db.write().await.unwrap().commit().await.unwrap();
    }
}
