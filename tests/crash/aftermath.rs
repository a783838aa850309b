//! What must be true once everybody has gone home.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{FromRow, Row, SqlitePool};
use tokio::time::{Instant, sleep};

use super::driver::Driver;
use super::server::Place;

/// How long what was begun may take to be finished once nobody is killed any more.
const PATIENCE: Duration = Duration::from_secs(90);

/// What people are told of a case from its beginning to its end, and how many mails that takes: in
/// a company two hold the authority, and the user is told as well.
const TOLD: [(&str, &[(&str, i64)]); 3] = [
    ("self_service", &[("Issued", 2), ("CertificateReady", 1), ("Completed", 2)]),
    ("delegated", &[("IssuedByColleague", 3), ("CertificateReady", 1), ("Completed", 3)]),
    ("paper", &[("Approved", 1), ("Dispatched", 1), ("CertificateReady", 1), ("Completed", 1)]),
];

/// Opens the database to look at it.
pub(crate) async fn open(place: &Place) -> SqlitePool {
    let file = place.data.join("saihakko.db");
    let options = SqliteConnectOptions::new().filename(file).read_only(true);
    SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap()
}

/// Rows that a statement finds, as text; for statements that must find none.
async fn found(db: &SqlitePool, sql: &'static str) -> Vec<String> {
    let rows = sqlx::query(sql).fetch_all(db).await.unwrap();
    let cell = |row: &sqlx::sqlite::SqliteRow, at: usize| {
        row.try_get::<i64, _>(at).map(|n| n.to_string()).or_else(|_| row.try_get::<String, _>(at))
    };
    let line = |row: &sqlx::sqlite::SqliteRow| {
        (0..row.len()).filter_map(|at| cell(row, at).ok()).collect::<Vec<_>>().join(" ")
    };
    rows.iter().map(line).collect()
}

async fn must_be_none(db: &SqlitePool, what: &str, sql: &'static str) {
    let rows = found(db, sql).await;
    assert!(rows.is_empty(), "{what}:\n{}", rows.join("\n"));
}

/// Waits until nothing is due any more, neither in the outbox nor in the inbox. Ticks recur every
/// second and are not waited for.
pub(crate) async fn settle(db: &SqlitePool) {
    const OPEN: &str = "SELECT 'outbox', id, kind, label, status, attempts, \
         coalesce(last_error, '') FROM outbox \
         WHERE status IN ('ready', 'leased') AND kind <> 'tick' \
         UNION ALL SELECT 'inbox', id, workflow, command, status, failures, \
         coalesce(last_error, '') FROM inbox WHERE status = 'waiting'";
    let deadline = Instant::now() + PATIENCE;
    loop {
        let rows = found(db, OPEN).await;
        if rows.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "still open:\n{}", rows.join("\n"));
        sleep(Duration::from_millis(100)).await;
    }
}

/// Everything that is read from the database alone.
pub(crate) async fn check_database(db: &SqlitePool, driver: &Driver) {
    assert_eq!(found(db, "PRAGMA integrity_check").await, ["ok"]);
    for (what, sql) in [
        (
            "cases with a second password",
            "SELECT case_id, count(*) FROM retrieval_passwords GROUP BY case_id HAVING count(*) > 1",
        ),
        (
            "users with two live passwords",
            "SELECT user_id, count(*) FROM retrieval_passwords WHERE state = 'active' \
             GROUP BY user_id HAVING count(*) > 1",
        ),
        (
            "cases with a second certificate",
            "SELECT case_id, count(*) FROM certificates GROUP BY case_id HAVING count(*) > 1",
        ),
        (
            "cases with a second letter",
            "SELECT case_id, count(*) FROM letters GROUP BY case_id HAVING count(*) > 1",
        ),
        (
            "people for whom a way was begun twice",
            "SELECT user_id, channel, count(*) FROM reissues GROUP BY user_id, channel \
             HAVING count(*) > 1",
        ),
        (
            "forms with a second case",
            "SELECT submission, count(*) FROM reissues WHERE submission IS NOT NULL \
             GROUP BY submission HAVING count(*) > 1",
        ),
        (
            "dead letters",
            "SELECT id, kind, workflow, label, status, attempts, last_error FROM outbox \
             WHERE status IN ('dead', 'dropped')",
        ),
        (
            "open cases that no clock will ever move",
            "SELECT id, workflow, state_name FROM cases c WHERE ended_at IS NULL \
             AND workflow <> 'credential' AND NOT EXISTS \
             (SELECT 1 FROM timers t WHERE t.case_id = c.id AND t.fired_at IS NULL)",
        ),
        ("timers that broke", "SELECT case_id, slot, last_error FROM timers WHERE failures > 0"),
        (
            "forms without a case",
            "SELECT number FROM submissions s WHERE NOT EXISTS \
             (SELECT 1 FROM cases c WHERE c.id = s.case_id)",
        ),
        (
            "reissues without a case",
            "SELECT case_id FROM reissues r WHERE NOT EXISTS \
             (SELECT 1 FROM cases c WHERE c.id = r.case_id)",
        ),
    ] {
        must_be_none(db, what, sql).await;
    }
    let finished = driver.finished.lock().unwrap().clone();
    for (workflow, case) in finished {
        let ends = "SELECT workflow, state_name, (SELECT state FROM retrieval_passwords p \
             WHERE p.case_id = c.id), (SELECT count(*) FROM certificates x WHERE x.case_id = c.id) \
             FROM cases c WHERE id = $1";
        let row: (String, String, String, i64) =
            sqlx::query_as(ends).bind(case.0).fetch_one(db).await.unwrap();
        let wanted = (workflow.to_owned(), "Tail.Completed".to_owned(), "used".to_owned(), 1);
        assert_eq!(row, wanted, "case {case}");
    }
}

#[derive(FromRow)]
struct Told {
    label: String,
    mails: i64,
}

/// Every finished case has told the same people the same things, each once.
pub(crate) async fn check_notices(db: &SqlitePool, driver: &Driver) {
    const SQL: &str = "SELECT label, (SELECT count(*) FROM mails m WHERE m.outbox_id = o.id) \
         AS mails FROM outbox o WHERE kind = 'notice' AND case_id = $1 ORDER BY id";
    let wanted: BTreeMap<&str, BTreeMap<String, i64>> = TOLD
        .into_iter()
        .map(|(workflow, told)| {
            let told = told.iter().map(|(label, mails)| ((*label).to_owned(), *mails));
            (workflow, told.collect())
        })
        .collect();
    let finished = driver.finished.lock().unwrap().clone();
    for (workflow, case) in finished {
        let rows: Vec<Told> = sqlx::query_as(SQL).bind(case.0).fetch_all(db).await.unwrap();
        let count = rows.len();
        let told: BTreeMap<String, i64> =
            rows.into_iter().map(|row| (row.label, row.mails)).collect();
        assert_eq!(told.len(), count, "case {case} told something twice");
        assert_eq!(told, wanted[workflow], "what case {case} ({workflow}) told people");
    }
}

/// Every mail that was remembered lies in the outbox folder under its Message-ID, and no other.
pub(crate) async fn check_mails(db: &SqlitePool, place: &Place) -> usize {
    let ids: Vec<String> =
        sqlx::query_scalar("SELECT message_id FROM mails").fetch_all(db).await.unwrap();
    let remembered: BTreeSet<String> = ids.iter().cloned().collect();
    assert_eq!(ids.len(), remembered.len(), "two mails under one Message-ID");
    let mut lying = BTreeSet::new();
    for file in std::fs::read_dir(place.data.join("outbox")).unwrap() {
        let path = file.unwrap().path();
        // A write that was cut off leaves its draft; its mail was written again under the name.
        if path.extension().is_none_or(|ending| ending != "eml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let id = text.lines().find_map(|line| line.strip_prefix("Message-ID: "));
        let id = id.unwrap_or_else(|| panic!("{} has no Message-ID", path.display()));
        assert!(text.trim_end().ends_with("--"), "{} is cut off", path.display());
        assert!(lying.insert(id.to_owned()), "two files hold {id}");
    }
    assert_eq!(lying, remembered, "the folder and what was remembered of it");
    lying.len()
}

/// The program's own verdict.
pub(crate) async fn check_histories(place: &Place) {
    let mut command = place.command(&["history", "verify", "--json"]);
    let output = command.output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "the histories are not intact: {said}");
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["intact"], true);
    assert!(said["report"]["checkpointed"].as_u64().unwrap() > 0, "no checkpoint was compared");
}

/// No file of the installation holds a password in the clear, in one piece or grouped.
pub(crate) fn check_secrecy(data: &Path, digits: &[String]) -> usize {
    let secrets: HashSet<&[u8]> = digits.iter().map(String::as_bytes).collect();
    let planted = format!("..{}..", digits[0]).into_bytes();
    assert!(holds(&planted, &secrets), "the search finds nothing");
    let mut files = Vec::new();
    collect(data, &mut files);
    for path in &files {
        let bytes = std::fs::read(path).unwrap();
        assert!(!holds(&bytes, &secrets), "{} holds a password", path.display());
    }
    files.len()
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            collect(&entry.path(), files);
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
}

fn holds(bytes: &[u8], secrets: &HashSet<&[u8]>) -> bool {
    let grouped: Vec<u8> = bytes.iter().copied().filter(|b| !matches!(b, b' ' | b'-')).collect();
    [bytes, grouped.as_slice()].into_iter().any(|bytes| {
        bytes
            .split(|byte| !byte.is_ascii_digit())
            .filter(|run| run.len() >= 16)
            .any(|run| run.windows(16).any(|window| secrets.contains(window)))
    })
}
