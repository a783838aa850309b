//! The whole life of a case, and cases that are older than the program.

use std::sync::Arc;

use engine::{CaseId, Fault, Origin, Outcome};

use crate::house::{House, by_borrower, by_clerk, by_second, opening, stories};
use crate::sample::{Command, Refusal, State};

stories!(
    a_case_lives_and_ends,
    an_older_shape_is_upgraded,
    a_newer_shape_is_left_alone,
    buttons_are_asked_without_a_trace
);

async fn a_case_lives_and_ends(house: Arc<House>) {
    let office = house.office();
    let mut changes = office.engine.changes();
    let case = office.open("a").await;
    assert_eq!(changes.recv().await.unwrap(), case);
    assert_eq!(office.engine.drain().await.unwrap(), 1, "one message");
    house.wait(60);
    office.take(by_clerk(case, Command::Check, "check")).await;
    house.wait(60);
    office.take(by_second(case, Command::Approve, "approve")).await;
    office.engine.drain().await.unwrap();
    assert_eq!(office.state(case).await, State::Waiting { pages: 2, rival: None });
    let receipt = office.take(by_borrower(case, Command::Return, "return")).await;
    assert_eq!((receipt.entry, receipt.version, receipt.repeated), (5, 5, false));
    office.engine.drain().await.unwrap();

    let (row, state) = office.desk.find(case).await.unwrap().unwrap();
    assert_eq!(state, State::Returned);
    assert_eq!(row.ended_at, Some(house.now().0));
    assert_eq!(row.opened_at, house.now().0 - 120_000_000);
    assert_eq!(
        house.lines(case).await,
        [
            "transition Open",
            "transition Check looks-right",
            "transition Approve",
            "transition Printed",
            "transition Return",
        ]
    );
    let entries = house.entries(case).await;
    let first = &entries[0];
    assert_eq!((first.from.as_str(), first.to.as_str()), ("", "Asked"));
    assert_eq!((first.auth.as_str(), first.place.as_str()), ("password", "web"));
    assert_eq!((first.actor.as_str(), first.role.as_str()), ("user-a", "borrower"));
    assert_eq!((entries[3].actor.as_str(), entries[3].role.as_str()), ("engine", "worker"));
    assert_eq!(entries[1].at.0 - first.at.0, 60_000_000);
    assert_eq!(house.count("SELECT COUNT(*) FROM stamps").await, 2);
    assert_eq!(house.count("SELECT loans FROM borrowers WHERE subject = 'a'").await, 0);
    assert_eq!(house.count("SELECT COUNT(*) FROM timers").await, 0);
    let settled: Vec<String> = house
        .outbox()
        .await
        .into_iter()
        .map(|row| format!("{} {}", row.label, row.status))
        .collect();
    assert_eq!(settled, ["Asked done", "Print done", "Ended done", "File done"]);
    assert_eq!(office.engine.drain().await.unwrap(), 0);
}

async fn an_older_shape_is_upgraded(house: Arc<House>) {
    let office = house.office();
    let case = office.open("a").await;
    house.execute("UPDATE cases SET shape = 1, state = '\"Asked\"'").await;
    assert_eq!(office.state(case).await, State::Asked { misses: 0, rival: None });
    office.take(by_borrower(case, Command::Miss, "miss")).await;
    let (row, state) = office.desk.find(case).await.unwrap().unwrap();
    assert_eq!((row.shape, state), (2, State::Asked { misses: 1, rival: None }));
}

async fn a_newer_shape_is_left_alone(house: Arc<House>) {
    let office = house.office();
    let case = office.open("a").await;
    house.execute("UPDATE cases SET shape = 3").await;
    let before = house.dump().await;
    let fault = office.desk.submit(by_clerk(case, Command::Check, "check"), ()).await.unwrap_err();
    assert!(matches!(fault, Fault::Unreadable { what: "state", .. }), "{fault}");
    assert_eq!(house.dump().await, before);
    house.execute("UPDATE cases SET workflow = 'other'").await;
    let fault = office.desk.submit(by_clerk(case, Command::Check, "check"), ()).await.unwrap_err();
    assert!(matches!(fault, Fault::NoSuchCase { .. }), "a case of another workflow: {fault}");
    assert!(office.desk.find(case).await.unwrap().is_none());
}

async fn buttons_are_asked_without_a_trace(house: Arc<House>) {
    let office = house.office();
    let case = office.open("a").await;
    let before = house.dump().await;
    let clerk = by_clerk(case, Command::Check, "").actor;
    let origin = Origin::default();
    assert_eq!(office.desk.ask(case, &Command::Check, &clerk, &origin).await.unwrap(), Ok(()));
    let refused = office.desk.ask(case, &Command::Approve, &clerk, &origin).await.unwrap();
    assert_eq!(refused, Err(Refusal::NotNow));
    assert!(office.desk.ask(CaseId(404), &Command::Check, &clerk, &origin).await.is_err());
    assert_eq!(house.dump().await, before);
    // What was promised holds.
    assert!(matches!(
        office.submit(by_clerk(case, Command::Check, "c")).await,
        Outcome::Accepted(_)
    ));
    let other = office.engine.next_case().await.unwrap();
    assert!(matches!(office.submit(opening(other, "a")).await, Outcome::Accepted(r) if r.repeated));
}
