//! Many commands at once.

use std::sync::Arc;

use engine::{CaseId, Fault, Outcome, Submission};

use crate::house::{House, by_borrower, by_clerk, by_second, office, opening, stories};
use crate::sample::{Command, Loan, State};

stories!(
    one_bad_command_fails_alone,
    one_case_may_occur_often,
    a_batch_may_open_and_go_on,
    one_id_twice_in_a_batch,
    batches_of_two_engines_do_not_deadlock
);

async fn openings(office: &crate::house::Office, count: usize) -> Vec<(Submission<Loan>, ())> {
    let mut batch = Vec::new();
    for index in 0..count {
        let case = office.engine.next_case().await.unwrap();
        batch.push((opening(case, &format!("s{index}")), ()));
    }
    batch
}

async fn one_bad_command_fails_alone(house: Arc<House>) {
    let office = house.office();
    *office.host.poison.lock().unwrap() = Some("open-s17");
    let batch = openings(&office, 50).await;
    let outcomes = office.desk.submit_all(batch.clone()).await;
    for (index, outcome) in outcomes.iter().enumerate() {
        match outcome {
            Ok(Outcome::Accepted(receipt)) => {
                assert_ne!(index, 17);
                assert_eq!(receipt.case, batch[index].0.target.case(), "outcomes in order");
            }
            Err(Fault::Host { .. }) => assert_eq!(index, 17),
            other => panic!("{index}: {other:?}"),
        }
    }
    assert_eq!(house.count("SELECT COUNT(*) FROM cases").await, 49);
    *office.host.poison.lock().unwrap() = None;
    let again = office.desk.submit_all(batch).await;
    let repeated = again
        .iter()
        .filter(|outcome| matches!(outcome, Ok(Outcome::Accepted(receipt)) if receipt.repeated));
    assert_eq!(repeated.count(), 49);
    assert_eq!(house.count("SELECT COUNT(*) FROM cases").await, 50);
    office.engine.drain().await.unwrap();
    assert_eq!(office.host.times("Asked"), 50);
    assert!(engine::verify::verify(&house.db, None, None).await.unwrap().is_intact());
}

async fn one_case_may_occur_often(house: Arc<House>) {
    let office = house.office();
    let case = office.open("a").await;
    let other = office.open("b").await;
    let batch = vec![
        (by_borrower(case, Command::Miss, "1"), ()),
        (by_borrower(other, Command::Miss, "2"), ()),
        (by_clerk(case, Command::Check, "3"), ()),
        (by_clerk(case, Command::Approve, "4"), ()),
        (by_second(case, Command::Approve, "5"), ()),
        (by_clerk(CaseId(404), Command::Check, "6"), ()),
    ];
    let outcomes = office.desk.submit_all(batch).await;
    assert!(matches!(&outcomes[0], Ok(Outcome::Accepted(r)) if r.version == 2));
    assert!(matches!(&outcomes[1], Ok(Outcome::Accepted(r)) if r.case == other));
    assert!(matches!(&outcomes[2], Ok(Outcome::Accepted(r)) if r.version == 3));
    assert!(matches!(&outcomes[3], Ok(Outcome::Refused { .. })));
    assert!(matches!(&outcomes[4], Ok(Outcome::Accepted(r)) if r.version == 4));
    assert!(matches!(&outcomes[5], Err(Fault::NoSuchCase { case: CaseId(404) })));
    assert_eq!(
        house.lines(case).await,
        [
            "transition Open",
            "transition Miss",
            "transition Check looks-right",
            "refused Approve FourEyes",
            "transition Approve",
        ]
    );
}

async fn a_batch_may_open_and_go_on(house: Arc<House>) {
    let office = house.office();
    let case = office.engine.next_case().await.unwrap();
    let second = office.engine.next_case().await.unwrap();
    // The second opening is about the same borrower: its facts are those after the first.
    let mut late = opening(second, "a");
    late.command_id = "open-again".into();
    let batch = vec![
        (opening(case, "a"), ()),
        (by_borrower(case, Command::Miss, "1"), ()),
        (late, ()),
        (by_clerk(case, Command::Check, "2"), ()),
    ];
    let outcomes = office.desk.submit_all(batch).await;
    assert!(matches!(&outcomes[0], Ok(Outcome::Accepted(_))));
    assert!(matches!(&outcomes[1], Ok(Outcome::Accepted(_))));
    assert!(matches!(&outcomes[2], Ok(Outcome::Refused { .. })), "one loan at a time");
    assert!(matches!(&outcomes[3], Ok(Outcome::Accepted(_))));
    assert!(matches!(office.state(case).await, State::Checked { .. }));
}

async fn one_id_twice_in_a_batch(house: Arc<House>) {
    let office = house.office();
    let mut batch = openings(&office, 4).await;
    for (submission, ()) in &mut batch {
        submission.command_id = "the-same".into();
    }
    let outcomes = office.desk.submit_all(batch).await;
    let first = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Ok(Outcome::Accepted(receipt)) if !receipt.repeated));
    assert_eq!(first.count(), 1);
    assert_eq!(house.count("SELECT COUNT(*) FROM cases").await, 1);
}

async fn batches_of_two_engines_do_not_deadlock(house: Arc<House>) {
    let offices = [house.office(), office(house.another().await)];
    let mut cases = Vec::new();
    for index in 0..10 {
        cases.push(offices[0].waiting(&format!("s{index}")).await);
    }
    let runs: Vec<_> = (0..8)
        .map(|run| {
            let desk = offices[run % 2].desk.clone();
            let mut cases = cases.clone();
            if run % 2 == 1 {
                cases.reverse();
            }
            tokio::spawn(async move {
                let miss =
                    |case: CaseId| by_borrower(case, Command::Miss, &format!("{run}-{case}"));
                desk.submit_all(cases.into_iter().map(|case| (miss(case), ())).collect()).await
            })
        })
        .collect();
    for run in runs {
        assert!(run.await.unwrap().iter().all(|o| matches!(o, Ok(Outcome::Accepted(_)))));
    }
    for case in cases {
        assert_eq!(offices[0].version(case).await, 4 + 8);
    }
}
