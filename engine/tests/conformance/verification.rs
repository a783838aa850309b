//! What a hand in the database cannot hide.

use std::sync::Arc;

use engine::CaseId;
use engine::history::{GENESIS, hex};
use engine::verify::{Checkpoint, Discrepancy, Report, verify};

use crate::house::{House, by_borrower, hand, stories};
use crate::sample::Command;

stories!(
    everything_is_intact_after_everything,
    an_edited_field_is_named,
    a_missing_entry_is_named,
    swapped_entries_are_named,
    an_altered_case_is_named,
    altered_details_are_named,
    a_case_without_history_is_named,
    what_is_rewritten_consistently_shows_against_the_checkpoint,
    a_tampered_checkpoint_is_named,
    an_interrupted_checkpoint_goes_on,
    a_checkpoint_sees_late_commits,
    verification_beside_running_work
);

const KEY: &[u8] = b"a key kept outside the database";

/// Two cases with five and one entries, and a checkpoint over both.
async fn set(house: &House) -> (CaseId, CaseId, String) {
    let office = house.office();
    let case = office.waiting("a").await;
    office.take(by_borrower(case, Command::Extend, "extend")).await;
    let other = office.open("b").await;
    (case, other, extend(house, "").await)
}

/// Appends to a checkpoint and confirms it, as the application does.
async fn extend(house: &House, text: &str) -> String {
    let mut checkpoint = Checkpoint::read(text, KEY);
    let more = checkpoint.extend(&house.db, KEY).await.unwrap();
    checkpoint.confirm(&house.db).await.unwrap();
    format!("{text}{more}")
}

async fn check(house: &House, text: &str) -> Report {
    verify(&house.db, None, Some(&Checkpoint::read(text, KEY))).await.unwrap()
}

/// Everything found, as case, entry and what.
async fn found(house: &House, text: &str) -> Vec<(i64, i64, Discrepancy)> {
    let named = |finding: engine::verify::Finding| {
        (finding.case.map_or(0, |case| case.0), finding.entry.unwrap_or(0), finding.what)
    };
    check(house, text).await.findings.into_iter().map(named).collect()
}

async fn everything_is_intact_after_everything(house: Arc<House>) {
    let (case, other, text) = set(&house).await;
    let office = house.office();
    office.engine.drain().await.unwrap();
    office.submit(by_borrower(other, Command::Return, "too early")).await;
    let note = engine::Note { case, what: "ViewScan", outcome: "page-1", by: &hand() };
    office.engine.note(note).await.unwrap();
    house.wait(20 * 86_400);
    office.engine.drain().await.unwrap();
    let report = check(&house, &text).await;
    assert!(report.is_intact(), "{:?}", report.findings);
    assert_eq!((report.cases, report.checkpointed), (2, 2));
    assert_eq!(
        i64::try_from(report.entries).unwrap(),
        house.count("SELECT COUNT(*) FROM entries").await
    );
    let later = extend(&house, &text).await;
    assert!(later.len() > text.len());
    assert!(check(&house, &later).await.is_intact());
    assert_eq!(extend(&house, &later).await, later, "nothing new, nothing written");
    assert!(verify(&house.db, Some(other), None).await.unwrap().cases == 1);
    // A purge of details keeps the proof.
    house.execute("DELETE FROM entry_details").await;
    assert!(check(&house, &later).await.is_intact());
}

async fn an_edited_field_is_named(house: Arc<House>) {
    let (case, _, text) = set(&house).await;
    for column in
        ["actor", "role", "auth", "place", "command", "from_state", "outcome", "command_id"]
    {
        let sql = |to: &str| {
            format!("UPDATE entries SET {column} = {to} WHERE case_id = {case} AND no = 2")
        };
        house.execute(&sql(&format!("{column} || 'x'"))).await;
        let what = Discrepancy::EntryAltered;
        assert_eq!(found(&house, &text).await, [(case.0, 2, what)], "{column}");
        house.execute(&sql(&format!("substr({column}, 1, length({column}) - 1)"))).await;
    }
    house
        .execute(&format!("UPDATE entries SET at = at + 1 WHERE case_id = {case} AND no = 3"))
        .await;
    assert_eq!(found(&house, &text).await, [(case.0, 3, Discrepancy::EntryAltered)]);
}

async fn a_missing_entry_is_named(house: Arc<House>) {
    let (case, _, text) = set(&house).await;
    house.execute(&format!("DELETE FROM entries WHERE case_id = {case} AND no = 3")).await;
    assert_eq!(found(&house, &text).await, [(case.0, 3, Discrepancy::EntryMissing)]);
    // The last one too.
    house.execute(&format!("DELETE FROM entries WHERE case_id = {case} AND no = 5")).await;
    assert_eq!(
        found(&house, &text).await,
        [
            (case.0, 3, Discrepancy::EntryMissing),
            (case.0, 5, Discrepancy::EntryMissing),
            (case.0, 5, Discrepancy::RewrittenSinceCheckpoint),
        ]
    );
    let alone = verify(&house.db, Some(case), None).await.unwrap();
    assert_eq!(alone.findings.len(), 2, "the last one is missed without a checkpoint too");
    assert_eq!(
        alone.findings[0].to_string(),
        format!("case {case}, entry 3: the entry is missing")
    );
}

async fn swapped_entries_are_named(house: Arc<House>) {
    let (case, _, text) = set(&house).await;
    for table in ["entries", "entry_details"] {
        for (from, to) in [(2, 99), (3, 2), (99, 3)] {
            let sql =
                format!("UPDATE {table} SET no = {to} WHERE case_id = {case} AND no = {from}");
            house.execute(&sql).await;
        }
    }
    let what = Discrepancy::EntryAltered;
    assert_eq!(
        found(&house, &text).await,
        [(case.0, 2, what), (case.0, 3, what), (case.0, 4, what)]
    );
}

/// Stands for the moments as they were.
const RESTORED: &str = "(restored)";

async fn an_altered_case_is_named(house: Arc<House>) {
    let (case, _, text) = set(&house).await;
    let changes = [
        (
            "state = replace(state, '2', '9')",
            "state = replace(state, '9', '2')",
            Discrepancy::StateAltered,
        ),
        ("state_name = 'Returned'", "state_name = 'Waiting'", Discrepancy::StateAltered),
        ("subject = 'b'", "subject = 'a'", Discrepancy::StateAltered),
        ("anchors = replace(anchors, '1', '2')", RESTORED, Discrepancy::StateAltered),
    ];
    let anchors = house.texts(&format!("SELECT anchors FROM cases WHERE id = {case}")).await;
    for (there, back, what) in changes {
        house.execute(&format!("UPDATE cases SET {there} WHERE id = {case}")).await;
        assert_eq!(found(&house, &text).await, [(case.0, 0, what)], "{there}");
        let back = back.replace(RESTORED, &format!("anchors = '{}'", anchors[0]));
        house.execute(&format!("UPDATE cases SET {back} WHERE id = {case}")).await;
        assert_eq!(found(&house, &text).await, []);
    }
    house.execute(&format!("UPDATE cases SET version = version + 1 WHERE id = {case}")).await;
    assert_eq!(found(&house, &text).await, [(case.0, 0, Discrepancy::VersionAltered)]);
    house
        .execute(&format!("UPDATE cases SET version = version - 1, entries = 4 WHERE id = {case}"))
        .await;
    assert_eq!(found(&house, &text).await, [(case.0, 5, Discrepancy::EntryAdded)]);
    house.execute(&format!(
        "UPDATE cases SET entries = 5, head = (SELECT hash FROM entries WHERE case_id = {case} AND no = 1) \
         WHERE id = {case}"
    )).await;
    assert_eq!(found(&house, &text).await, [(case.0, 0, Discrepancy::HeadAltered)]);
}

async fn altered_details_are_named(house: Arc<House>) {
    let (case, _, text) = set(&house).await;
    house
        .execute(&format!(
            "UPDATE entry_details SET details = details || ' ' WHERE case_id = {case} AND no = 2"
        ))
        .await;
    assert_eq!(found(&house, &text).await, [(case.0, 2, Discrepancy::DetailsAltered)]);
}

async fn a_case_without_history_is_named(house: Arc<House>) {
    let (case, other, text) = set(&house).await;
    house.execute(&format!("DELETE FROM entries WHERE case_id = {other}")).await;
    house.execute(&format!("UPDATE cases SET entries = 0 WHERE id = {other}")).await;
    let alone = verify(&house.db, Some(other), None).await.unwrap();
    assert_eq!(alone.findings[0].what, Discrepancy::EntryMissing);
    for table in ["entry_details WHERE case_id", "entries WHERE case_id", "cases WHERE id"] {
        house.execute(&format!("DELETE FROM {table} = {case}")).await;
    }
    assert_eq!(
        found(&house, &text).await,
        [
            (other.0, 1, Discrepancy::EntryMissing),
            (other.0, 1, Discrepancy::RewrittenSinceCheckpoint),
            (case.0, 0, Discrepancy::CaseMissing),
        ]
    );
}

/// Somebody with the source and the database, but without the key and the checkpoint.
async fn what_is_rewritten_consistently_shows_against_the_checkpoint(house: Arc<House>) {
    let (case, _, text) = set(&house).await;
    let mut entries = house.entries(case).await;
    entries[1].actor = "staff-7".into();
    let mut previous = GENESIS;
    for entry in &mut entries {
        entry.hash = entry.expected_hash(&previous);
        previous = entry.hash;
        let literal = match house.db.kind() {
            engine::Kind::Sqlite => format!("x'{}'", hex(&entry.hash)),
            engine::Kind::Postgres => format!("'\\x{}'::bytea", hex(&entry.hash)),
        };
        house.execute(&format!(
            "UPDATE entries SET actor = '{}', hash = {literal} WHERE case_id = {case} AND no = {}",
            entry.actor, entry.no
        )).await;
        house.execute(&format!("UPDATE cases SET head = {literal} WHERE id = {case}")).await;
    }
    assert!(verify(&house.db, None, None).await.unwrap().is_intact(), "the forgery is perfect");
    assert_eq!(found(&house, &text).await, [(case.0, 5, Discrepancy::RewrittenSinceCheckpoint)]);
}

async fn a_tampered_checkpoint_is_named(house: Arc<House>) {
    let (case, other, first) = set(&house).await;
    house.wait(60);
    house.office().take(by_borrower(other, Command::Miss, "miss")).await;
    let text = extend(&house, &first).await;
    assert!(check(&house, &text).await.is_intact());
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 5);
    let altered = |what| vec![(0, 0, what)];
    let joined = |lines: &[&str]| format!("{}\n", lines.join("\n"));

    // Its newest part cut off, wholly or in the middle of a line.
    assert_eq!(found(&house, &first).await, altered(Discrepancy::CheckpointTruncated));
    assert_eq!(
        found(&house, &joined(&lines[..4])).await,
        altered(Discrepancy::CheckpointTruncated)
    );
    assert_eq!(
        found(&house, &text[..text.len() - 9]).await,
        altered(Discrepancy::CheckpointTruncated)
    );
    assert_eq!(found(&house, "").await, altered(Discrepancy::CheckpointTruncated));
    // A line edited, removed, added, or two swapped.
    let edited = text.replacen("\"entry\":5", "\"entry\":4", 1);
    assert!(found(&house, &edited).await.contains(&(0, 0, Discrepancy::CheckpointAltered)));
    assert!(found(&house, &joined(&lines[1..])).await.contains(&(
        0,
        0,
        Discrepancy::CheckpointAltered
    )));
    let added = format!("{}\n{text}", lines[0]);
    assert!(found(&house, &added).await.contains(&(0, 0, Discrepancy::CheckpointAltered)));
    let swapped = joined(&[lines[1], lines[0], lines[2], lines[3], lines[4]]);
    assert!(found(&house, &swapped).await.contains(&(0, 0, Discrepancy::CheckpointAltered)));
    // The first checkpoint taken out whole: the second was chained to it.
    let second_only = joined(&lines[3..]);
    let findings = found(&house, &second_only).await;
    assert!(findings.contains(&(0, 0, Discrepancy::CheckpointAltered)), "{findings:?}");
    // Another key.
    let forged = verify(&house.db, None, Some(&Checkpoint::read(&text, b"guessed"))).await.unwrap();
    assert!(!forged.is_intact());
    assert!(case.0 > 0);
}

/// The process dies while it appends: the file breaks off, and the next checkpoint goes on.
async fn an_interrupted_checkpoint_goes_on(house: Arc<House>) {
    let (_, other, first) = set(&house).await;
    house.wait(60);
    house.office().take(by_borrower(other, Command::Miss, "miss")).await;
    let mut dying = Checkpoint::read(&first, KEY);
    let more = dying.extend(&house.db, KEY).await.unwrap();
    for kept in [0, 10, more.find('\n').unwrap() + 1, more.len() - 5] {
        let broken = format!("{first}{}", &more[..kept]);
        let findings = found(&house, &broken).await;
        assert_eq!(findings, [(0, 0, Discrepancy::CheckpointTruncated)], "{kept} bytes");
        let before = house.dump().await;
        let whole = extend(&house, &broken).await;
        assert_eq!(found(&house, &whole).await, [], "{kept} bytes: {whole}");
        // Back to the moment of the crash for the next length.
        let lost = house.execute("DELETE FROM checkpoints WHERE confirmed = 1 AND at > (SELECT MIN(at) FROM checkpoints)").await;
        assert_eq!(lost, 1);
        if kept < more.len() - 5 {
            house.wait(1);
            dying = Checkpoint::read(&first, KEY);
            dying.extend(&house.db, KEY).await.unwrap();
        }
        assert!(!before.is_empty());
    }
}

/// A transaction that began before a checkpoint and committed after it is in the next one.
async fn a_checkpoint_sees_late_commits(house: Arc<House>) {
    let (case, _, first) = set(&house).await;
    house.office().take(by_borrower(case, Command::Miss, "late")).await;
    // As if it had been read a minute before the checkpoint.
    house.execute("UPDATE cases SET changed_at = changed_at - 60000000").await;
    let second = extend(&house, &first).await;
    assert!(second[first.len()..].contains(&format!("\"case\":{case},\"entry\":6")), "{second}");
}

/// Everything is read from one moment: work that goes on meanwhile is no tampering.
async fn verification_beside_running_work(house: Arc<House>) {
    let office = house.office();
    let case = office.waiting("a").await;
    let desk = office.desk.clone();
    let work = tokio::spawn(async move {
        for index in 0..60 {
            desk.submit(by_borrower(case, Command::Miss, &format!("{index}")), ()).await.unwrap();
        }
    });
    let mut text = String::new();
    while !work.is_finished() {
        text = extend(&house, &text).await;
        let report = check(&house, &text).await;
        assert!(report.is_intact(), "{:?}", report.findings);
    }
    work.await.unwrap();
    assert!(check(&house, &text).await.is_intact());
}
