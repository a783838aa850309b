//! Command ids, refusals and concurrent askers.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use engine::{Actor, CaseId, Fault, Outcome, Submission};

use crate::house::{House, by_borrower, by_clerk, by_second, office, opening, stories};
use crate::sample::{Command, Refusal, Role, State};

stories!(
    every_repeat_changes_nothing,
    one_id_many_askers_on_a_new_case,
    one_id_many_askers_on_a_case,
    different_commands_on_a_case_take_turns,
    a_refusal_is_recorded_and_changes_nothing_else,
    a_refused_opening_rests,
    a_taken_number_is_not_opened_again,
    a_stale_asker_is_turned_away,
    ids_are_compared_in_one_form,
    numbers_never_repeat
);

async fn every_repeat_changes_nothing(house: Arc<House>) {
    let office = house.office();
    let case = office.engine.next_case().await.unwrap();
    let commands = [
        opening(case, "a"),
        by_borrower(case, Command::Miss, "miss"),
        by_clerk(case, Command::Check, "check"),
        by_second(case, Command::Approve, "approve"),
        by_borrower(case, Command::Extend, "extend"),
        by_borrower(case, Command::Return, "return"),
    ];
    let mut entries = Vec::new();
    for command in &commands {
        entries.push(office.take(command.clone()).await.entry);
        office.engine.drain().await.unwrap();
    }
    let before = house.dump().await;
    for (command, entry) in commands.into_iter().zip(entries) {
        let receipt = office.take(command).await;
        assert!(receipt.repeated);
        assert_eq!((receipt.case, receipt.entry, receipt.version), (case, entry, 7));
        assert_eq!(receipt.state, State::Returned);
        office.engine.drain().await.unwrap();
    }
    assert_eq!(house.dump().await, before);
}

async fn one_id_many_askers_on_a_new_case(house: Arc<House>) {
    let offices = [house.office(), office(house.another().await)];
    let mut askers = Vec::new();
    for index in 0..16 {
        // Half the askers took a number of their own, as two clicks on one button do.
        let office = &offices[index % 2];
        let case = if index < 8 { CaseId(1000) } else { office.engine.next_case().await.unwrap() };
        let desk = office.desk.clone();
        askers.push(tokio::spawn(async move { desk.submit(opening(case, "a"), ()).await }));
    }
    let mut cases = Vec::new();
    let mut first_time = 0;
    for asker in askers {
        let Outcome::Accepted(receipt) = asker.await.unwrap().unwrap() else { panic!("refused") };
        cases.push(receipt.case);
        first_time += usize::from(!receipt.repeated);
    }
    cases.dedup();
    assert_eq!((cases.len(), first_time), (1, 1));
    assert_eq!(house.count("SELECT COUNT(*) FROM cases").await, 1);
    assert_eq!(house.count("SELECT COUNT(*) FROM outbox").await, 1);
    assert_eq!(house.count("SELECT loans FROM borrowers").await, 1);
}

async fn one_id_many_askers_on_a_case(house: Arc<House>) {
    let offices = [house.office(), office(house.another().await)];
    let case = offices[0].open("a").await;
    let askers: Vec<_> = (0..16)
        .map(|index| {
            let desk = offices[index % 2].desk.clone();
            let miss = by_borrower(case, Command::Miss, "one-click");
            tokio::spawn(async move { desk.submit(miss, ()).await })
        })
        .collect();
    let mut first_time = 0;
    for asker in askers {
        let Outcome::Accepted(receipt) = asker.await.unwrap().unwrap() else { panic!("refused") };
        assert_eq!(receipt.version, 2);
        first_time += usize::from(!receipt.repeated);
    }
    assert_eq!(first_time, 1);
    assert_eq!(offices[0].state(case).await, State::Asked { misses: 1, rival: None });
    assert_eq!(house.entries(case).await.len(), 2);
}

async fn different_commands_on_a_case_take_turns(house: Arc<House>) {
    let offices = [house.office(), office(house.another().await)];
    let case = offices[0].waiting("a").await;
    for office in &offices {
        office.host.is_lockless.store(true, Ordering::SeqCst);
        office.host.asked.store(0, Ordering::SeqCst);
    }
    let before = offices[0].version(case).await;
    let askers: Vec<_> = (0..16)
        .map(|index| {
            let desk = offices[index % 2].desk.clone();
            let miss = by_borrower(case, Command::Miss, &format!("miss-{index}"));
            tokio::spawn(async move { desk.submit(miss, ()).await })
        })
        .collect();
    let mut versions = Vec::new();
    for asker in askers {
        let Outcome::Accepted(receipt) = asker.await.unwrap().unwrap() else { panic!("refused") };
        versions.push(receipt.version - before);
    }
    versions.sort_unstable();
    assert_eq!(versions, (1..=16).collect::<Vec<_>>());
    let asked = offices.iter().map(|office| office.host.asked.load(Ordering::SeqCst));
    assert_eq!(asked.sum::<usize>(), 16, "they waited for the lock, nobody collided");
    assert!(engine::verify::verify(&house.db, None, None).await.unwrap().is_intact());
}

async fn a_refusal_is_recorded_and_changes_nothing_else(house: Arc<House>) {
    let office = house.office();
    let case = office.open("a").await;
    office.take(by_clerk(case, Command::Check, "check")).await;
    let (before, _) = office.desk.find(case).await.unwrap().unwrap();
    let timers = house.armed(case, house.now()).await;
    let outcome = office.submit(by_clerk(case, Command::Approve, "approve")).await;
    assert_eq!(outcome, Outcome::Refused { case, refusal: Refusal::FourEyes });
    let (after, _) = office.desk.find(case).await.unwrap().unwrap();
    assert_eq!((&after.state, after.version), (&before.state, before.version));
    assert_eq!(after.entries, before.entries + 1);
    assert_eq!(house.armed(case, house.now()).await, timers);
    assert_eq!(house.lines(case).await[2], "refused Approve FourEyes");
    // The id was not consumed: the same one carries the approval of somebody else.
    let receipt = office.take(by_second(case, Command::Approve, "approve")).await;
    assert!(!receipt.repeated);
    assert!(engine::verify::verify(&house.db, None, None).await.unwrap().is_intact());
}

async fn a_refused_opening_rests(house: Arc<House>) {
    let office = house.office();
    house.execute("INSERT INTO borrowers (subject, blocked, loans) VALUES ('a', 1, 0)").await;
    let case = office.engine.next_case().await.unwrap();
    let outcome = office.submit(opening(case, "a")).await;
    assert_eq!(outcome, Outcome::Refused { case, refusal: Refusal::Blocked });
    let (row, state) = office.desk.find(case).await.unwrap().unwrap();
    assert_eq!((state, row.version, row.entries), (State::Blank, 0, 1));
    assert_eq!(row.ended_at, Some(house.now().0));
    assert_eq!(house.count("SELECT COUNT(*) FROM timers").await, 0);
    assert_eq!(house.count("SELECT COUNT(*) FROM outbox").await, 0);
    // Once the reason is gone the same opening succeeds, and its time counts from now.
    house.execute("UPDATE borrowers SET blocked = 0").await;
    house.wait(3600);
    let receipt = office.take(opening(case, "a")).await;
    assert_eq!((receipt.entry, receipt.version, receipt.repeated), (2, 1, false));
    let (row, _) = office.desk.find(case).await.unwrap().unwrap();
    assert_eq!(row.ended_at, None);
    assert_eq!(house.armed(case, house.now()).await, [(7 * 86_400, "\"Lapse\"".into())]);
    assert!(engine::verify::verify(&house.db, None, None).await.unwrap().is_intact());
}

async fn a_taken_number_is_not_opened_again(house: Arc<House>) {
    let office = house.office();
    let case = office.open("a").await;
    let before = house.dump().await;
    let again = Submission::opening(
        case,
        "b",
        Command::Open { rival: None },
        Actor::new("user-b", Role::Borrower),
        "open-b",
    );
    let fault = office.desk.submit(again, ()).await.unwrap_err();
    assert!(matches!(fault, Fault::CaseExists { .. }), "{fault}");
    assert_eq!(house.dump().await, before);
}

async fn a_stale_asker_is_turned_away(house: Arc<House>) {
    let office = house.office();
    let case = office.open("a").await;
    let version = office.version(case).await;
    office.take(by_borrower(case, Command::Miss, "miss").expecting(version)).await;
    let before = house.dump().await;
    let late = by_clerk(case, Command::Check, "check").expecting(version);
    let fault = office.desk.submit(late, ()).await.unwrap_err();
    assert!(matches!(fault, Fault::Stale { expected: 1, found: 2, .. }), "{fault}");
    assert_eq!(house.dump().await, before);
    // A repeat is not stale: it was carried out when the version was right.
    let repeat = by_borrower(case, Command::Miss, "miss").expecting(version);
    assert!(office.take(repeat).await.repeated);
}

async fn ids_are_compared_in_one_form(house: Arc<House>) {
    let office = house.office();
    let case = office.open("a").await;
    office.take(by_borrower(case, Command::Miss, "か\u{3099}")).await;
    assert!(office.take(by_borrower(case, Command::Miss, "か\u{3099}")).await.repeated);
    assert!(office.take(by_borrower(case, Command::Miss, "が")).await.repeated);
}

async fn numbers_never_repeat(house: Arc<House>) {
    let offices = [house.office(), office(house.another().await), house.office()];
    let takers: Vec<_> = offices
        .iter()
        .map(|office| {
            let engine = office.engine.clone();
            tokio::spawn(async move {
                let mut numbers = Vec::new();
                for _ in 0..70 {
                    numbers.push(engine.next_number("letter").await.unwrap());
                }
                assert!(numbers.is_sorted());
                numbers
            })
        })
        .collect();
    let mut numbers = Vec::new();
    for taker in takers {
        numbers.extend(taker.await.unwrap());
    }
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 210);
    assert_eq!(numbers[0], 1);
    assert_eq!(offices[0].engine.next_number("other").await.unwrap(), 1);
}
