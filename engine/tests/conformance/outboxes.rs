//! Messages and jobs: at least once, fenced, and in the end before a person.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::house::{House, Office, by_clerk, by_second, hand, office, stories};
use crate::sample::{Command, Mood, State};

stories!(
    a_lease_runs_out_and_another_takes_over,
    a_late_answer_changes_nothing,
    a_late_failure_changes_nothing,
    back_off_doubles,
    a_permanent_failure_waits_for_a_person,
    a_dead_letter_can_be_retried,
    a_dead_letter_can_be_dropped,
    no_notice_is_lost_with_the_process,
    a_job_done_twice_is_answered_once,
    a_declined_answer_ends_the_job,
    a_clock_set_back_strands_nothing,
    slow_mail_holds_up_no_letter
);

/// A case that is being printed: one job in the outbox, the opening's message sent.
async fn printing(office: &Office) -> engine::CaseId {
    let case = office.open("a").await;
    office.engine.drain().await.unwrap();
    office.take(by_clerk(case, Command::Check, "check")).await;
    office.take(by_second(case, Command::Approve, "approve")).await;
    case
}

/// Polls until it holds; the stories' clocks stand still, so this waits for work, not for time.
async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    for _ in 0..500 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("in vain: {what}");
}

async fn a_lease_runs_out_and_another_takes_over(house: Arc<House>) {
    let (first, second) = (house.office(), office(house.another().await));
    let case = printing(&first).await;
    first.host.mood("Print", Some(Mood::Waits));
    let engine = first.engine.clone();
    let stuck = tokio::spawn(async move { engine.drain().await });
    until("the first begins", async || first.host.times("Print") == 1).await;
    second.engine.drain().await.unwrap();
    assert_eq!(second.host.times("Print"), 0, "leased");
    house.wait(59);
    second.engine.drain().await.unwrap();
    assert_eq!(second.host.times("Print"), 0, "still leased");
    house.wait(1);
    second.engine.drain().await.unwrap();
    assert_eq!(second.host.times("Print"), 1);
    assert!(matches!(second.state(case).await, State::Waiting { .. }));
    stuck.abort();
}

async fn a_late_answer_changes_nothing(house: Arc<House>) {
    let (first, second) = (house.office(), office(house.another().await));
    let case = printing(&first).await;
    first.host.mood("Print", Some(Mood::Waits));
    let engine = first.engine.clone();
    let late = tokio::spawn(async move { engine.drain().await });
    until("the first begins", async || first.host.times("Print") == 1).await;
    house.wait(60);
    // The second holds the row now, and fails: the row waits for its next attempt.
    second.host.mood("Print", Some(Mood::Fails));
    second.engine.drain().await.unwrap();
    let before = house.dump().await;
    first.host.gate.add_permits(1);
    late.await.unwrap().unwrap();
    assert_eq!(house.dump().await, before, "the answer of the lost lease");
    assert!(matches!(first.state(case).await, State::Printing { .. }));
    second.host.mood("Print", None);
    house.wait(60);
    second.engine.drain().await.unwrap();
    assert!(matches!(first.state(case).await, State::Waiting { .. }));
}

async fn a_late_failure_changes_nothing(house: Arc<House>) {
    let (first, second) = (house.office(), office(house.another().await));
    first.host.mood("Asked", Some(Mood::Waits));
    first.open("a").await;
    let engine = first.engine.clone();
    let late = tokio::spawn(async move { engine.drain().await });
    until("the first begins", async || first.host.times("Asked") == 1).await;
    house.wait(60);
    second.engine.drain().await.unwrap();
    let before = house.dump().await;
    first.host.gate.close();
    late.await.unwrap().unwrap();
    assert_eq!(house.dump().await, before, "a closed gate panics, but the row is not ours");
    assert_eq!(house.outbox().await[0].status, "done");
}

async fn back_off_doubles(house: Arc<House>) {
    let office = house.office();
    office.host.mood("Asked", Some(Mood::Fails));
    office.open("a").await;
    for (attempt, plain) in [(1_usize, 10_i64), (2, 20), (3, 40)] {
        office.engine.drain().await.unwrap();
        assert_eq!(office.host.times("Asked"), attempt);
        let row = house.outbox().await.remove(0);
        let delay = (row.due_at - house.now().0) / 1_000_000;
        assert!((plain * 8 / 10..=plain * 12 / 10).contains(&delay), "{attempt}: {delay}");
        assert_eq!(
            (row.status.as_str(), row.last_error.as_deref()),
            ("ready", Some("the line is busy"))
        );
        house.wait(u64::try_from(delay).unwrap() - 1);
        office.engine.drain().await.unwrap();
        assert_eq!(office.host.times("Asked"), attempt, "not before its time");
        house.wait(2);
    }
    // The fourth attempt is the last one allowed.
    office.engine.drain().await.unwrap();
    assert_eq!(house.outbox().await[0].status, "dead");
    house.wait(1_000_000);
    assert_eq!(office.host.times("Asked"), 4);
}

async fn a_permanent_failure_waits_for_a_person(house: Arc<House>) {
    let office = house.office();
    office.host.mood("Asked", Some(Mood::FailsForGood));
    office.open("a").await;
    office.engine.drain().await.unwrap();
    let row = house.outbox().await.remove(0);
    assert_eq!((row.status.as_str(), row.attempts), ("dead", 1));
    assert_eq!(row.last_error.as_deref(), Some("no such address"));
    house.wait(100_000);
    office.engine.drain().await.unwrap();
    assert_eq!(office.host.times("Asked"), 1);
}

async fn a_dead_letter_can_be_retried(house: Arc<House>) {
    let office = house.office();
    office.host.mood("Asked", Some(Mood::FailsForGood));
    let case = office.open("a").await;
    office.engine.drain().await.unwrap();
    let id = house.outbox().await[0].id;
    office.host.mood("Asked", Some(Mood::Fails));
    assert!(office.engine.retry(id, &hand()).await.unwrap().is_some());
    assert!(office.engine.retry(id, &hand()).await.unwrap().is_none(), "it is alive now");
    assert!(office.engine.give_up(id, &hand()).await.unwrap().is_none());
    // It has all its attempts again, and the attempt number never falls.
    for attempt in 2..=5 {
        assert_eq!(house.outbox().await[0].status, "ready");
        office.engine.drain().await.unwrap();
        assert_eq!(house.outbox().await[0].attempts, attempt);
        house.wait(3600);
    }
    assert_eq!(house.outbox().await[0].status, "dead");
    office.host.mood("Asked", None);
    office.engine.retry(id, &hand()).await.unwrap();
    office.engine.drain().await.unwrap();
    assert_eq!(house.outbox().await[0].status, "done");
    let entries = house.entries(case).await;
    assert_eq!(entries.len(), 3);
    assert_eq!(entries[1].command, "RetryDeadLetter");
    assert_eq!((entries[1].kind.as_str(), entries[1].actor.as_str()), ("noted", "staff-9"));
    assert_eq!(entries[1].outcome, format!("outbox-{id}"));
    assert_eq!(office.version(case).await, 1);
    assert!(engine::verify::verify(&house.db, None, None).await.unwrap().is_intact());
}

async fn a_dead_letter_can_be_dropped(house: Arc<House>) {
    let office = house.office();
    office.host.mood("Asked", Some(Mood::FailsForGood));
    let case = office.open("a").await;
    office.engine.drain().await.unwrap();
    let id = house.outbox().await[0].id;
    let row = office.engine.give_up(id, &hand()).await.unwrap().unwrap();
    assert_eq!((row.id, row.status.as_str()), (id, "dropped"));
    assert!(office.engine.retry(id, &hand()).await.unwrap().is_none());
    assert!(office.engine.retry(404, &hand()).await.unwrap().is_none());
    assert_eq!(house.entries(case).await[1].command, "DropDeadLetter");
    house.wait(100_000);
    office.engine.drain().await.unwrap();
    assert_eq!(office.host.times("Asked"), 1);
}

async fn no_notice_is_lost_with_the_process(house: Arc<House>) {
    let before = house.office();
    before.open("a").await;
    assert_eq!(before.host.times("Asked"), 0);
    drop(before);
    // It dies between the commit and the send.
    let during = office(house.another().await);
    during.host.mood("Asked", Some(Mood::Waits));
    let engine = during.engine.clone();
    let dying = tokio::spawn(async move { engine.drain().await });
    until("the send begins", async || during.host.times("Asked") == 1).await;
    // It dies in the middle of the send.
    dying.abort();
    let after = office(house.another().await);
    after.engine.drain().await.unwrap();
    assert_eq!(after.host.times("Asked"), 0, "the dead one's lease");
    house.wait(60);
    after.engine.drain().await.unwrap();
    assert_eq!(after.host.times("Asked"), 1);
    let log = after.host.log.lock().unwrap().clone();
    assert_eq!((log[0].1, log[0].2), (during.host.log.lock().unwrap()[0].1, 2), "the same row");
    house.wait(600);
    after.engine.drain().await.unwrap();
    assert_eq!(after.host.times("Asked"), 1);
}

async fn a_job_done_twice_is_answered_once(house: Arc<House>) {
    let (first, second) = (house.office(), office(house.another().await));
    let case = printing(&first).await;
    first.host.mood("Print", Some(Mood::Waits));
    let engine = first.engine.clone();
    let late = tokio::spawn(async move { engine.drain().await });
    until("the first begins", async || first.host.times("Print") == 1).await;
    house.wait(60);
    second.engine.drain().await.unwrap();
    first.host.gate.add_permits(1);
    late.await.unwrap().unwrap();
    assert_eq!(first.host.times("Print") + second.host.times("Print"), 2);
    let lines = house.lines(case).await;
    assert_eq!(lines.iter().filter(|line| line.ends_with("Printed")).count(), 1, "{lines:?}");
    assert_eq!(house.count("SELECT COUNT(*) FROM stamps WHERE what = 'printed'").await, 1);
}

async fn a_declined_answer_ends_the_job(house: Arc<House>) {
    let office = house.office();
    let case = printing(&office).await;
    office.host.mood("Print", Some(Mood::AnswersNothingPrinted));
    office.engine.drain().await.unwrap();
    assert_eq!(house.lines(case).await.last().unwrap(), "refused Printed Empty");
    let row = house.outbox().await.pop().unwrap();
    assert_eq!((row.label.as_str(), row.status.as_str()), ("Print", "done"));
    assert_eq!(office.host.times("Print"), 1);
}

async fn a_clock_set_back_strands_nothing(house: Arc<House>) {
    let office = house.office();
    office.open("a").await;
    house.set_back(3 * 86_400);
    office.engine.drain().await.unwrap();
    assert_eq!(office.host.times("Asked"), 1, "due in a future that no longer comes");
    // A lease of that future belongs to nobody either.
    let far = house.now().0 + 86_400_000_000;
    house.execute(&format!("UPDATE outbox SET status = 'leased', leased_until = {far}")).await;
    office.engine.drain().await.unwrap();
    assert_eq!(office.host.times("Asked"), 2);
}

async fn slow_mail_holds_up_no_letter(house: Arc<House>) {
    let office = house.office();
    office.host.mood("Asked", Some(Mood::Waits));
    let (stop, stopped) = watch::channel(false);
    let engine = office.engine.clone();
    let running = tokio::spawn(async move { engine.run(stopped).await });
    let mut cases = Vec::new();
    for index in 0..12 {
        cases.push(office.open(&format!("s{index}")).await);
    }
    until("eight sends hang", async || office.host.times("Asked") == 8).await;
    let case = cases[11];
    office.take(by_clerk(case, Command::Check, "check")).await;
    office.take(by_second(case, Command::Approve, "approve")).await;
    until("the letter is printed", async || {
        matches!(office.state(case).await, State::Waiting { .. })
    })
    .await;
    assert_eq!(office.host.times("Asked"), 8, "never more than eight at once");
    office.host.gate.add_permits(12);
    until("all mail has left", async || {
        house.count("SELECT COUNT(*) FROM outbox WHERE status <> 'done'").await == 0
    })
    .await;
    stop.send(true).unwrap();
    tokio::time::timeout(Duration::from_secs(5), running).await.unwrap().unwrap();
}
