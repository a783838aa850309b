//! A fresh database for every story, with the sample's tables beside the engine's.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
use engine::calendar::Calendar;
use engine::history::{self, Entry};
use engine::outbox::{OutboxRow, Retry};
use engine::{
    Actor, ActorId, CaseId, Clock, Connection, Db, Desk, Engine, Entropy, Fuse, Hand, Kind, Moment,
    Origin, Outcome, Receipt, Submission, on, outbox,
};
use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};

use crate::sample::{Command, Loan, Role, Sample, State};

/// Makes two tests of every story.
macro_rules! stories {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                $crate::house::tell(engine::Kind::Sqlite, super::$name).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                $crate::house::tell(engine::Kind::Postgres, super::$name).await;
            })*
        }
    };
}
pub(crate) use stories;

const SERVER: &str = "SAIHAKKO_TEST_POSTGRES";
static COUNTER: AtomicU64 = AtomicU64::new(0);

/// Runs one story on one database and removes the database, whatever came of it.
pub(crate) async fn tell<F, T>(kind: Kind, story: F)
where
    F: FnOnce(Arc<House>) -> T,
    T: Future<Output = ()> + 'static,
{
    let Some(house) = House::build(kind).await else { return };
    let house = Arc::new(house);
    let room = tokio::task::LocalSet::new();
    let told = room.run_until(room.spawn_local(story(house.clone()))).await;
    house.db.close().await;
    house.drop_database().await;
    if let Err(error) = told {
        std::panic::resume_unwind(error.into_panic());
    }
}

/// A database with a hand-set clock that begins on Monday 7 December 2026, 10:00 in Tokyo.
pub(crate) struct House {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    place: Place,
    dir: tempfile::TempDir,
}

enum Place {
    File(PathBuf),
    Server { url: String, database: String },
}

/// A desk with the engine behind it and the host beside it.
pub(crate) struct Office {
    pub(crate) engine: Engine,
    pub(crate) desk: Desk<Loan, Sample>,
    pub(crate) host: Arc<Sample>,
}

impl House {
    async fn build(kind: Kind) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let clock = Clock::manual(at("2026-12-07T01:00:00Z"));
        let place = match kind {
            Kind::Sqlite => Place::File(dir.path().join("cases.db")),
            Kind::Postgres => create_database().await?,
        };
        let db = open(&place, clock.clone()).await;
        let (sqlite, postgres) =
            (migrations("sqlite", &dir).await, migrations("postgres", &dir).await);
        db.migrate(&sqlite, &postgres).await.unwrap();
        Some(Self { db, clock, place, dir })
    }

    /// The same database through connections of its own, as another process has them.
    pub(crate) async fn another(&self) -> Db {
        open(&self.place, self.clock.clone()).await
    }

    /// An engine with the sample registered, as after a start of the process.
    pub(crate) fn office(&self) -> Office {
        office(self.db.clone())
    }

    /// The same with a fuse in every write transaction, which lets everything pass at first.
    pub(crate) fn fused_office(&self) -> (Office, Fuse) {
        let fuse = Fuse::default();
        fuse.set(i64::MAX);
        (office(self.db.clone().with_fuse(fuse.clone())), fuse)
    }

    pub(crate) async fn execute(&self, sql: &str) -> u64 {
        let mut tx = self.db.write().await.unwrap();
        let rows = match tx.statement().unwrap() {
            Connection::Sqlite(conn) => {
                conn.execute(AssertSqlSafe(sql)).await.unwrap().rows_affected()
            }
            Connection::Postgres(conn) => {
                conn.execute(AssertSqlSafe(sql)).await.unwrap().rows_affected()
            }
        };
        tx.commit().await.unwrap();
        rows
    }

    pub(crate) async fn count(&self, sql: &str) -> i64 {
        let mut tx = self.db.read().await.unwrap();
        on!(&mut tx, |conn| sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(conn).await).unwrap()
    }

    pub(crate) async fn texts(&self, sql: &str) -> Vec<String> {
        let mut tx = self.db.read().await.unwrap();
        on!(&mut tx, |conn| sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(conn).await).unwrap()
    }

    /// Every row of every table, as text.
    pub(crate) async fn dump(&self) -> Vec<String> {
        let tables = match self.db.kind() {
            Kind::Sqlite => {
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '_sqlx%' \
                 AND name <> 'sqlite_sequence' ORDER BY name"
            }
            Kind::Postgres => {
                "SELECT table_name::text FROM information_schema.tables \
                 WHERE table_schema = 'public' AND table_name NOT LIKE '\\_sqlx%' ORDER BY 1"
            }
        };
        let mut dump = Vec::new();
        for table in self.texts(tables).await {
            let sql = match self.db.kind() {
                Kind::Postgres => format!("SELECT t::text FROM {table} t ORDER BY 1"),
                Kind::Sqlite => {
                    let columns = self
                        .texts(&format!(
                            "SELECT 'quote(' || name || ')' FROM pragma_table_info('{table}')"
                        ))
                        .await;
                    format!("SELECT {} FROM {table} ORDER BY 1", columns.join(" || ',' || "))
                }
            };
            let rows = self.texts(&sql).await;
            dump.extend(rows.into_iter().map(|row| format!("{table}: {row}")));
        }
        dump
    }

    pub(crate) async fn entries(&self, case: CaseId) -> Vec<Entry> {
        history::entries(&mut self.db.read().await.unwrap(), case).await.unwrap()
    }

    /// The history as `kind command outcome`.
    pub(crate) async fn lines(&self, case: CaseId) -> Vec<String> {
        let line = |e: Entry| format!("{} {} {}", e.kind, e.command, e.outcome).trim().to_owned();
        self.entries(case).await.into_iter().map(line).collect()
    }

    pub(crate) async fn outbox(&self) -> Vec<OutboxRow> {
        let mut tx = self.db.read().await.unwrap();
        let mut rows = outbox::list(&mut tx, None, 1000).await.unwrap();
        rows.reverse();
        rows
    }

    /// The armed deadlines as seconds from `since` and the command.
    pub(crate) async fn armed(&self, case: CaseId, since: Moment) -> Vec<(i64, String)> {
        let mut tx = self.db.read().await.unwrap();
        let armed = engine::timers::armed(&mut tx, case).await.unwrap();
        armed.into_iter().map(|(due, command)| ((due.0 - since.0) / 1_000_000, command)).collect()
    }

    pub(crate) fn now(&self) -> Moment {
        let Clock::Manual(now) = &self.clock else { panic!("the clock is set by hand") };
        Moment(now.load(Ordering::SeqCst))
    }

    pub(crate) fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub(crate) fn set_back(&self, seconds: i64) {
        let Clock::Manual(now) = &self.clock else { panic!("the clock is set by hand") };
        now.fetch_sub(seconds * 1_000_000, Ordering::SeqCst);
    }

    async fn drop_database(&self) {
        let Place::Server { url, database } = &self.place else { return };
        let options: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
        let mut admin = options.connect().await.unwrap();
        let sql = format!("DROP DATABASE {database} WITH (FORCE)");
        admin.execute(AssertSqlSafe(sql)).await.unwrap();
        assert!(self.dir.path().exists());
    }
}

impl Office {
    pub(crate) async fn submit(&self, submission: Submission<Loan>) -> Outcome<Loan> {
        self.desk.submit(submission, ()).await.unwrap()
    }

    /// Submits and demands that it is accepted.
    pub(crate) async fn take(&self, submission: Submission<Loan>) -> Receipt<Loan> {
        match self.submit(submission).await {
            Outcome::Accepted(receipt) => receipt,
            other => panic!("not accepted: {other:?}"),
        }
    }

    /// Opens a case about `subject` under the command id `open-SUBJECT`.
    pub(crate) async fn open(&self, subject: &str) -> CaseId {
        let case = self.engine.next_case().await.unwrap();
        self.take(opening(case, subject)).await.case
    }

    /// A case that waits for its return, with its papers printed.
    pub(crate) async fn waiting(&self, subject: &str) -> CaseId {
        let case = self.open(subject).await;
        self.take(by_clerk(case, Command::Check, &format!("check-{subject}"))).await;
        self.take(by_second(case, Command::Approve, &format!("approve-{subject}"))).await;
        self.engine.drain().await.unwrap();
        assert!(matches!(self.state(case).await, State::Waiting { .. }));
        case
    }

    pub(crate) async fn state(&self, case: CaseId) -> State {
        self.desk.find(case).await.unwrap().unwrap().1
    }

    pub(crate) async fn version(&self, case: CaseId) -> i64 {
        self.desk.find(case).await.unwrap().unwrap().0.version
    }
}

pub(crate) fn office(db: Db) -> Office {
    let fill: Entropy = Arc::new(|bytes: &mut [u8]| {
        for byte in bytes {
            *byte = u8::try_from(COUNTER.fetch_add(1, Ordering::Relaxed) % 251).unwrap();
        }
    });
    let new_year = NaiveDate::from_ymd_opt(2027, 1, 1).unwrap();
    let calendar = Calendar::new(tokyo(), [new_year]);
    let retry = Retry { attempts: 4, first_delay_s: 10, longest_delay_s: 3600, lease_s: 60 };
    let engine = Engine::new(db, calendar, retry, fill);
    let host = Arc::new(Sample::default());
    let desk = engine.register(host.clone());
    Office { engine, desk, host }
}

pub(crate) fn tokyo() -> FixedOffset {
    FixedOffset::east_opt(9 * 3600).unwrap()
}

pub(crate) fn opening(case: CaseId, subject: &str) -> Submission<Loan> {
    let actor = Actor::new(format!("user-{subject}"), Role::Borrower);
    let command = Command::Open { rival: None };
    Submission::opening(case, subject, command, actor, format!("open-{subject}"))
        .from(Origin { auth: "password".into(), place: "web".into() })
}

pub(crate) fn by_clerk(case: CaseId, command: Command, id: &str) -> Submission<Loan> {
    Submission::new(case, command, Actor::new("staff-1", Role::Clerk), id)
}

/// Somebody who did not check.
pub(crate) fn by_second(case: CaseId, command: Command, id: &str) -> Submission<Loan> {
    Submission::new(case, command, Actor::new("staff-2", Role::Clerk), id)
}

pub(crate) fn by_borrower(case: CaseId, command: Command, id: &str) -> Submission<Loan> {
    Submission::new(case, command, Actor::new("user-1", Role::Borrower), id)
}

pub(crate) fn hand() -> Hand {
    let origin = Origin { auth: "password+totp".into(), place: "desk 4".into() };
    Hand { actor: ActorId("staff-9".into()), role: "supervisor".into(), origin }
}

pub(crate) fn at(text: &str) -> Moment {
    text.parse::<DateTime<Utc>>().unwrap().into()
}

async fn open(place: &Place, clock: Clock) -> Db {
    match place {
        Place::File(path) => Db::sqlite(path, true, clock).await.unwrap(),
        Place::Server { url, database } => {
            let url = format!("{}/{database}", url.rsplit_once('/').unwrap().0);
            Db::postgres(&url, 12, clock).await.unwrap()
        }
    }
}

/// The engine's own migrations and the sample's, alone.
async fn migrations(kind: &str, dir: &tempfile::TempDir) -> Migrator {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../migrations").join(kind);
    let copy = dir.path().join(kind);
    std::fs::create_dir(&copy).unwrap();
    for name in ["0001_engine.sql", "0008_signals.sql"] {
        std::fs::copy(root.join(name), copy.join(name)).unwrap();
    }
    std::fs::write(copy.join("0002_sample.sql"), crate::sample::TABLES).unwrap();
    Migrator::new(copy).await.unwrap()
}

async fn create_database() -> Option<Place> {
    let Ok(url) = std::env::var(SERVER) else {
        println!("SKIP: the stories on PostgreSQL need {SERVER}");
        let is_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
        assert!(!is_ci, "{SERVER} is not set, and this is the place where it must be");
        return None;
    };
    let options: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
    let mut admin = options.connect().await.unwrap();
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let database = format!("conformance_{}_{number}", std::process::id());
    admin.execute(AssertSqlSafe(format!("CREATE DATABASE {database}"))).await.unwrap();
    Some(Place::Server { url, database })
}
