//! Early commands and signals between cases.

use std::sync::Arc;

use engine::history::Entry;
use engine::{Actor, CaseId, Outcome, Submission};

use crate::house::{House, Office, by_borrower, by_clerk, by_second, office, stories};
use crate::sample::{Command, Refusal, Role, State};

stories!(
    an_early_approval_is_taken_once,
    an_early_approval_becomes_moot_at_rest,
    a_signal_reaches_the_other_case,
    a_signal_in_a_persons_name_is_that_persons_act,
    a_signal_in_a_persons_name_is_refused_once,
    a_signal_survives_the_death_of_its_sender,
    two_engines_deliver_once,
    a_signal_to_nobody_is_shown
);

async fn an_early_approval_is_taken_once(house: Arc<House>) {
    let office = house.office();
    let case = office.open("a").await;
    let early = by_second(case, Command::Approve, "approve").kept();
    for _ in 0..3 {
        let outcome = office.submit(early.clone()).await;
        assert_eq!(outcome, Outcome::Kept { case, refusal: Refusal::NotNow });
    }
    assert_eq!(office.engine.drain().await.unwrap(), 1, "only the message: it is not asked again");
    assert_eq!(house.lines(case).await, ["transition Open", "refused Approve NotNow"]);
    // A change that does not make it welcome leaves it waiting.
    office.take(by_borrower(case, Command::Miss, "miss")).await;
    assert_eq!(house.count("SELECT COUNT(*) FROM inbox WHERE status = 'waiting'").await, 1);
    office.take(by_clerk(case, Command::Check, "check")).await;
    assert!(matches!(office.state(case).await, State::Printing { .. }), "taken without a loop");
    let outcome = office.submit(early).await;
    assert!(matches!(outcome, Outcome::Accepted(receipt) if receipt.repeated));
    office.engine.drain().await.unwrap();
    let approvals = house.lines(case).await;
    assert_eq!(approvals.iter().filter(|line| *line == "transition Approve").count(), 1);
    assert_eq!(house.count("SELECT COUNT(*) FROM inbox WHERE status = 'taken'").await, 1);
    assert_eq!(
        house
            .entries(case)
            .await
            .iter()
            .find(|e| e.command == "Approve" && e.version == 4)
            .map(|e| e.actor.as_str()),
        Some("staff-2")
    );
}

async fn an_early_approval_becomes_moot_at_rest(house: Arc<House>) {
    let office = house.office();
    let case = office.open("a").await;
    office.submit(by_second(case, Command::Approve, "approve").kept()).await;
    for id in ["miss-1", "miss-2", "miss-3"] {
        office.take(by_borrower(case, Command::Miss, id)).await;
    }
    assert_eq!(office.state(case).await, State::Locked);
    assert_eq!(house.count("SELECT COUNT(*) FROM inbox WHERE status = 'moot'").await, 1);
    // A case at rest keeps nothing: it will never want it.
    let late = office.submit(by_second(case, Command::Approve, "late").kept()).await;
    assert_eq!(late, Outcome::Refused { case, refusal: Refusal::NotNow });
    assert_eq!(house.count("SELECT COUNT(*) FROM inbox").await, 1);
    office.engine.drain().await.unwrap();
}

/// A waiting case whose return supersedes `rival`.
async fn rival_of(office: &Office, rival: CaseId, subject: &str) -> CaseId {
    let case = office.engine.next_case().await.unwrap();
    let command = Command::Open { rival: Some(rival) };
    let actor = Actor::new("user-1", Role::Borrower);
    office
        .take(Submission::opening(case, subject, command, actor, format!("open-{subject}")))
        .await;
    office.take(by_clerk(case, Command::Check, &format!("check-{subject}"))).await;
    office.take(by_second(case, Command::Approve, &format!("approve-{subject}"))).await;
    office.engine.drain().await.unwrap();
    case
}

async fn a_signal_reaches_the_other_case(house: Arc<House>) {
    let office = house.office();
    let first = office.open("a").await;
    let second = rival_of(&office, first, "b").await;
    office.take(by_borrower(second, Command::Return, "return")).await;
    assert_eq!(office.state(first).await, State::Superseded);
    let entry = house.entries(first).await.pop().unwrap();
    assert_eq!((entry.role.as_str(), entry.actor), ("peer", format!("case-{second}")));
    // The same return again signals nothing.
    office.take(by_borrower(second, Command::Return, "return")).await;
    assert_eq!(house.count("SELECT COUNT(*) FROM inbox").await, 1);
}

async fn a_signal_in_a_persons_name_is_that_persons_act(house: Arc<House>) {
    let office = house.office();
    let cases = [office.open("a").await, office.open("b").await];
    for case in cases {
        office.take(by_clerk(case, Command::Check, &format!("check-{case}"))).await;
    }
    let command = Command::ApproveToo { other: cases[1] };
    office.take(by_second(cases[0], command, "too")).await;
    office.engine.drain().await.unwrap();
    assert!(matches!(office.state(cases[1]).await, State::Waiting { .. }));
    let entries = house.entries(cases[1]).await;
    let approved = entries.iter().find(|entry| entry.command == "Approve").unwrap();
    let second = house.entries(cases[0]).await.pop().unwrap();
    let who = |entry: &Entry| {
        let Entry { actor, role, auth, place, .. } = entry.clone();
        [actor, role, auth, place]
    };
    assert_eq!(who(approved), who(&second));
}

/// Four eyes count for the person, not for the way the command took; and what was refused is on
/// record, not tried again when the case moves on.
async fn a_signal_in_a_persons_name_is_refused_once(house: Arc<House>) {
    let office = house.office();
    let cases = [office.open("a").await, office.open("b").await];
    for case in cases {
        office.take(by_clerk(case, Command::Check, &format!("check-{case}"))).await;
    }
    let command = Command::ApproveToo { other: cases[1] };
    office.take(by_clerk(cases[0], command, "too")).await;
    office.engine.drain().await.unwrap();
    let last = house.entries(cases[1]).await.pop().unwrap();
    assert_eq!((last.command.as_str(), last.outcome.as_str()), ("Approve", "FourEyes"));
    assert_eq!(house.count("SELECT COUNT(*) FROM inbox WHERE status = 'waiting'").await, 0);
}

/// The sender's transaction is there, its process is not: the row is as a crash leaves it.
async fn a_signal_survives_the_death_of_its_sender(house: Arc<House>) {
    let office_before = house.office();
    let first = office_before.open("a").await;
    let second = rival_of(&office_before, first, "b").await;
    // The signalled case cannot be read by the dying process, so nothing is delivered there.
    house.execute(&format!("UPDATE cases SET shape = 3 WHERE id = {first}")).await;
    office_before.take(by_borrower(second, Command::Return, "return")).await;
    assert_eq!(house.count("SELECT COUNT(*) FROM inbox WHERE status = 'waiting'").await, 1);
    drop(office_before);
    house.execute(&format!("UPDATE cases SET shape = 2 WHERE id = {first}")).await;
    house.wait(60);
    let office_after = office(house.another().await);
    office_after.engine.drain().await.unwrap();
    assert_eq!(office_after.state(first).await, State::Superseded);
    assert_eq!(house.count("SELECT COUNT(*) FROM inbox WHERE status = 'taken'").await, 1);
}

async fn two_engines_deliver_once(house: Arc<House>) {
    let offices = [house.office(), office(house.another().await)];
    let case = offices[0].waiting("a").await;
    for index in 0..10 {
        // As if the submitting process had died after its commit, ten times.
        house.execute(&format!(
            "INSERT INTO inbox (case_id, workflow, command_id, command, actor, role, auth, place, \
             status, tried_version, outcome, created_at) VALUES ({case}, 'loan', 'kept-{index}', \
             '\"Miss\"', 'user-1', 'borrower', 'none', 'web', 'waiting', -1, '', 0)"
        )).await;
    }
    let before = offices[0].version(case).await;
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
    assert_eq!(offices[0].version(case).await, before + 10);
    assert_eq!(house.count("SELECT COUNT(*) FROM inbox WHERE status = 'taken'").await, 10);
}

async fn a_signal_to_nobody_is_shown(house: Arc<House>) {
    let office = house.office();
    let case = rival_of(&office, CaseId(404), "b").await;
    office.take(by_borrower(case, Command::Return, "return")).await;
    office.engine.drain().await.unwrap();
    let mut tx = house.db.read().await.unwrap();
    let stuck = engine::stuck::list(&mut tx, 10).await.unwrap();
    assert_eq!(stuck.len(), 1);
    assert_eq!((stuck[0].case_id, stuck[0].kind.as_str()), (404, "inbox"));
}
