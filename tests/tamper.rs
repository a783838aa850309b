//! Whoever writes into the database behind the program's back is found out, and what they did is
//! named: on copies of a finished installation, with `saihakko history verify`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails here is a failed test"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use engine::history::{self, Entry, GENESIS};
use engine::{CaseId, Clock, Db};
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};

const PROGRAM: &str = env!("CARGO_BIN_EXE_saihakko");
/// Histories that do not agree.
const NOT_INTACT: i32 = 4;
/// The entry that is tampered with; there are others before and behind.
const MIDDLE: i64 = 2;

/// A copy of the installation, and the case in it that somebody tampers with.
struct Victim {
    dir: PathBuf,
    case: i64,
    last: i64,
}

fn saihakko(arguments: &[&str], dir: &Path) -> Output {
    Command::new(PROGRAM).args(arguments).arg("--dir").arg(dir).output().unwrap()
}

/// Exit code and answer of a verification.
fn verify(dir: &Path) -> (i32, Value) {
    let output = saihakko(&["history", "verify", "--json"], dir);
    let answer = serde_json::from_slice(&output.stdout);
    (output.status.code().unwrap(), answer.unwrap_or_else(|_| panic!("no answer: {output:?}")))
}

async fn open(dir: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(dir.join("saihakko.db"));
    options.connect().await.unwrap()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

impl Victim {
    async fn in_copy(original: &Path, copies: &Path, name: &str) -> Self {
        const SQL: &str = "SELECT id, entries FROM cases WHERE workflow = 'self_service' \
             AND state_name = 'Tail.Completed' ORDER BY id LIMIT 1";
        let dir = copies.join(name);
        copy(original, &dir);
        let mut db = open(&dir).await;
        let (case, last): (i64, i64) = sqlx::query_as(SQL).fetch_one(&mut db).await.unwrap();
        db.close().await.unwrap();
        assert!(last > MIDDLE + 1, "the case has too short a history");
        Self { dir, case, last }
    }

    /// Runs statements, each with the case as `$1`.
    async fn write(&self, statements: &[&'static str]) {
        let mut db = open(&self.dir).await;
        for sql in statements {
            let done = sqlx::query(*sql).bind(self.case).execute(&mut db).await.unwrap();
            assert!(done.rows_affected() > 0, "nothing was tampered with: {sql}");
        }
        db.close().await.unwrap();
    }

    async fn entries(&self) -> Vec<Entry> {
        let db = Db::sqlite(&self.dir.join("saihakko.db"), false, Clock::Database).await.unwrap();
        let mut tx = db.read().await.unwrap();
        let entries = history::entries(&mut tx, CaseId(self.case)).await.unwrap();
        drop(tx);
        db.close().await;
        entries
    }

    /// Renames the actor of an entry and makes every hash behind it fit again.
    async fn rewrite(&self) {
        const ENTRY: &str =
            "UPDATE entries SET actor = $3, hash = $4 WHERE case_id = $1 AND no = $2";
        const CASE: &str = "UPDATE cases SET head = $2 WHERE id = $1";
        let mut previous = GENESIS;
        let mut entries = self.entries().await;
        for entry in &mut entries {
            if entry.no == MIDDLE {
                "user-999".clone_into(&mut entry.actor);
            }
            entry.hash = entry.expected_hash(&previous);
            previous = entry.hash;
        }
        let mut db = open(&self.dir).await;
        for entry in &entries {
            let update = sqlx::query(ENTRY).bind(self.case).bind(entry.no).bind(&entry.actor);
            update.bind(entry.hash.as_slice()).execute(&mut db).await.unwrap();
        }
        sqlx::query(CASE).bind(self.case).bind(previous.as_slice()).execute(&mut db).await.unwrap();
        db.close().await.unwrap();
    }

    fn checkpoint(&self) -> PathBuf {
        self.dir.join("checkpoint.json")
    }

    /// The verdict must be "not intact" and name exactly this.
    fn must_name(&self, found: &[(Option<i64>, &str)]) {
        let wanted: Vec<Value> = found
            .iter()
            .map(|(entry, what)| json!({ "case": self.case, "entry": entry, "what": what }))
            .collect();
        self.must_find(&wanted);
    }

    fn must_find(&self, wanted: &[Value]) {
        let (code, answer) = verify(&self.dir);
        assert_eq!(answer["report"]["findings"], json!(wanted), "{}", self.dir.display());
        assert_eq!(answer["intact"], false);
        assert_eq!(code, NOT_INTACT);
    }
}

#[test]
fn every_way_of_tampering_is_found_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let original = folder.path().join("original");
    let told = saihakko(&["demo", "--no-serve"], &original);
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let (code, answer) = verify(&original);
    assert_eq!((code, &answer["intact"]), (0, &json!(true)), "{answer}");
    assert!(answer["report"]["checkpointed"].as_u64().unwrap() > 0);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        entries(&original, folder.path()).await;
        cases(&original, folder.path()).await;
        whole_chains(&original, folder.path()).await;
        checkpoints(&original, folder.path()).await;
    });
    let (code, answer) = verify(&original);
    assert_eq!((code, &answer["intact"]), (0, &json!(true)), "the original was touched: {answer}");
}

/// Single entries.
async fn entries(original: &Path, copies: &Path) {
    let one = Victim::in_copy(original, copies, "field").await;
    one.write(&["UPDATE entries SET actor = 'user-999' WHERE case_id = $1 AND no = 2"]).await;
    one.must_name(&[(Some(MIDDLE), "entry_altered")]);

    let one = Victim::in_copy(original, copies, "middle").await;
    one.write(&["DELETE FROM entries WHERE case_id = $1 AND no = 2"]).await;
    one.must_name(&[(Some(MIDDLE), "entry_missing")]);

    let one = Victim::in_copy(original, copies, "last").await;
    one.write(&["DELETE FROM entries WHERE case_id = $1 \
         AND no = (SELECT max(no) FROM entries WHERE case_id = $1)"])
        .await;
    one.must_name(&[
        (Some(one.last), "entry_missing"),
        (Some(one.last), "rewritten_since_checkpoint"),
    ]);

    let one = Victim::in_copy(original, copies, "swap").await;
    one.write(&[
        "UPDATE entries SET no = -2 WHERE case_id = $1 AND no = 2",
        "UPDATE entries SET no = 2 WHERE case_id = $1 AND no = 3",
        "UPDATE entries SET no = 3 WHERE case_id = $1 AND no = -2",
    ])
    .await;
    one.must_name(&[
        (Some(2), "entry_altered"),
        (Some(3), "entry_altered"),
        (Some(4), "entry_altered"),
        (Some(2), "details_altered"),
        (Some(3), "details_altered"),
    ]);
}

/// What a case says of itself.
async fn cases(original: &Path, copies: &Path) {
    let one = Victim::in_copy(original, copies, "state-name").await;
    one.write(&["UPDATE cases SET state_name = 'Tail.Waiting' WHERE id = $1"]).await;
    one.must_name(&[(None, "state_altered")]);

    let one = Victim::in_copy(original, copies, "state").await;
    one.write(&["UPDATE cases SET state = '\"Cancelled\"' WHERE id = $1"]).await;
    one.must_name(&[(None, "state_altered")]);

    let one = Victim::in_copy(original, copies, "version").await;
    one.write(&["UPDATE cases SET version = version + 1 WHERE id = $1"]).await;
    one.must_name(&[(None, "version_altered")]);

    let one = Victim::in_copy(original, copies, "head").await;
    one.write(&["UPDATE cases SET head = zeroblob(32) WHERE id = $1"]).await;
    one.must_name(&[(None, "head_altered")]);
}

/// More than one row at a time, so that what is left agrees with itself.
async fn whole_chains(original: &Path, copies: &Path) {
    let one = Victim::in_copy(original, copies, "case").await;
    one.write(&["DELETE FROM entries WHERE case_id = $1", "DELETE FROM cases WHERE id = $1"]).await;
    one.must_name(&[(None, "case_missing")]);

    let one = Victim::in_copy(original, copies, "rewritten").await;
    one.rewrite().await;
    one.must_name(&[(Some(one.last), "rewritten_since_checkpoint")]);

    // The last entry is gone, and the case was made to fit the one before.
    let one = Victim::in_copy(original, copies, "shortened").await;
    one.write(&[
        "DELETE FROM entries WHERE case_id = $1 \
         AND no = (SELECT max(no) FROM entries WHERE case_id = $1)",
        "UPDATE cases SET entries = entries - 1, \
         (head, version, state_name) = (SELECT hash, version, to_state FROM entries \
         WHERE case_id = $1 ORDER BY no DESC LIMIT 1) WHERE id = $1",
    ])
    .await;
    one.must_name(&[(None, "state_altered"), (Some(one.last), "rewritten_since_checkpoint")]);
}

/// The file that stands outside the database.
async fn checkpoints(original: &Path, copies: &Path) {
    let of_checkpoint = |what: &str| json!({ "case": null, "entry": null, "what": what });

    let one = Victim::in_copy(original, copies, "cut").await;
    fs::write(one.checkpoint(), "").unwrap();
    one.must_find(&[of_checkpoint("checkpoint_truncated")]);

    let one = Victim::in_copy(original, copies, "line").await;
    let text = fs::read_to_string(one.checkpoint()).unwrap();
    let dropped: Vec<&str> = text.lines().skip(1).collect();
    fs::write(one.checkpoint(), dropped.join("\n") + "\n").unwrap();
    one.must_find(&[of_checkpoint("checkpoint_altered")]);
}
