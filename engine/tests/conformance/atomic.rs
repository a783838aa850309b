//! All or nothing, at every statement.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use engine::{Actor, Kind, Submission, on};

use crate::house::{House, by_borrower, by_clerk, by_second, hand, stories};
use crate::sample::{Command, Mood, Role};

stories!(
    a_rich_transition_is_all_or_nothing,
    an_opening_is_all_or_nothing,
    a_refusal_is_all_or_nothing,
    a_job_answer_is_all_or_nothing,
    a_hand_on_a_dead_letter_is_all_or_nothing,
    who_gives_up_waiting_leaves_no_transaction_behind
);

/// Fails `submission` at every statement in turn, then lets it pass; returns the statements.
async fn all_or_nothing(
    house: &House,
    submission: impl Fn() -> Submission<crate::sample::Loan>,
    is_accepted: bool,
) -> i64 {
    let (office, fuse) = house.fused_office();
    let before = house.dump().await;
    for statements in 0..200 {
        fuse.set(statements);
        let result = office.desk.submit(submission(), ()).await;
        fuse.set(i64::MAX);
        match result {
            Err(_) => assert_eq!(house.dump().await, before, "after {statements} statements"),
            Ok(outcome) => {
                assert_eq!(
                    matches!(outcome, engine::Outcome::Accepted(r) if !r.repeated),
                    is_accepted
                );
                assert_ne!(house.dump().await, before);
                return statements;
            }
        }
    }
    unreachable!("there are not so many statements");
}

async fn a_rich_transition_is_all_or_nothing(house: Arc<House>) {
    let office = house.office();
    let rival = office.open("a").await;
    let case = office.engine.next_case().await.unwrap();
    let open = Command::Open { rival: Some(rival) };
    let actor = Actor::new("user-b", Role::Borrower);
    office.take(Submission::opening(case, "b", open, actor, "open-b")).await;
    office.take(by_clerk(case, Command::Check, "check")).await;
    office.take(by_second(case, Command::Approve, "approve")).await;
    office.engine.drain().await.unwrap();
    // State, history, details, two effects, a notice, a job, a signal, and three timers go.
    let submission = || {
        by_borrower(case, Command::Return, "return").detailing(serde_json::json!({"who": "山田"}))
    };
    let statements = all_or_nothing(&house, submission, true).await;
    assert!(statements >= 16, "{statements} statements only");
    office.engine.drain().await.unwrap();
    assert_eq!(house.count("SELECT COUNT(*) FROM cases WHERE state_name = 'Superseded'").await, 1);
    assert!(engine::verify::verify(&house.db, None, None).await.unwrap().is_intact());
}

async fn an_opening_is_all_or_nothing(house: Arc<House>) {
    let case = house.office().engine.next_case().await.unwrap();
    all_or_nothing(&house, || crate::house::opening(case, "a"), true).await;
    assert!(engine::verify::verify(&house.db, None, None).await.unwrap().is_intact());
}

async fn a_refusal_is_all_or_nothing(house: Arc<House>) {
    let case = house.office().open("a").await;
    all_or_nothing(&house, || by_second(case, Command::Approve, "early").kept(), false).await;
    assert_eq!(house.count("SELECT COUNT(*) FROM inbox").await, 1);
}

/// The answer of a job fails at every statement of its transaction, and each failure is an
/// attempt of the job that leaves nothing behind but the row's own fate.
async fn a_job_answer_is_all_or_nothing(house: Arc<House>) {
    let (office, fuse) = house.fused_office();
    let case = office.open("a").await;
    office.take(by_clerk(case, Command::Check, "check")).await;
    office.take(by_second(case, Command::Approve, "approve")).await;
    office.engine.drain().await.unwrap();
    let version = office.version(case).await;
    assert_eq!(house.count("SELECT COUNT(*) FROM stamps").await, 1);
    assert_eq!(version, 4);
    for statements in 0..40 {
        let other = office.open(&format!("s{statements}")).await;
        office.take(by_clerk(other, Command::Check, &format!("check-{statements}"))).await;
        office.take(by_second(other, Command::Approve, &format!("approve-{statements}"))).await;
        fuse.set(statements);
        let _ = office.engine.drain().await;
        fuse.set(i64::MAX);
        house.wait(7200);
        // Whatever happened, once the database is well again the case gets its print, once.
        office.engine.drain().await.unwrap();
        let printed = house.lines(other).await;
        assert_eq!(
            printed,
            [
                "transition Open",
                "transition Check looks-right",
                "transition Approve",
                "transition Printed",
            ],
            "after {statements} statements"
        );
    }
    assert_eq!(house.count("SELECT COUNT(*) FROM stamps WHERE what = 'printed'").await, 41);
    assert!(engine::verify::verify(&house.db, None, None).await.unwrap().is_intact());
}

async fn a_hand_on_a_dead_letter_is_all_or_nothing(house: Arc<House>) {
    let (office, fuse) = house.fused_office();
    office.host.mood("Asked", Some(Mood::FailsForGood));
    office.open("a").await;
    office.engine.drain().await.unwrap();
    let id = house.outbox().await[0].id;
    let before = house.dump().await;
    for statements in 0..200 {
        fuse.set(statements);
        let result = office.engine.retry(id, &hand()).await;
        fuse.set(i64::MAX);
        if result.is_ok() {
            assert!(statements > 3);
            break;
        }
        assert_eq!(house.dump().await, before, "after {statements} statements");
    }
    assert_ne!(house.dump().await, before);
}

/// A future that nobody waits for any more after so many steps.
async fn given_up<F: Future>(future: F, mut steps: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|context| {
        if steps == 0 {
            return Poll::Ready(None);
        }
        steps -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

async fn who_gives_up_waiting_leaves_no_transaction_behind(house: Arc<House>) {
    for steps in 0..12 {
        drop(given_up(house.db.read(), steps).await);
        drop(given_up(house.db.write_lazily(), steps).await);
        drop(given_up(house.db.write(), steps).await);
        drop(given_up(house.db.read(), steps).await);
        // Whichever connection they get: it lets them write, and keeps what they wrote.
        for _ in 0..4 {
            house.execute("DELETE FROM timers WHERE case_id < 0").await;
            if house.db.kind() == Kind::Sqlite {
                let mut tx = house.db.write().await.unwrap();
                let flushed: Result<i64, sqlx::Error> =
                    on!(&mut tx, |conn| sqlx::query_scalar("PRAGMA synchronous")
                        .fetch_one(conn)
                        .await);
                assert_eq!(flushed.unwrap(), 2, "given up after {steps} steps");
            }
        }
    }
}
