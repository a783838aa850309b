//! A fresh installation for every story: the sample ledger, a clock set by hand, real keys.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use engine::{CaseId, Clock, Kind as Database, Moment, on};
use saihakko::app::{App, Surroundings, system_entropy};
use saihakko::config::{Config, DatabaseUrl};
use saihakko::customer::{Declined, Session, SignIn, SignedIn};
use saihakko::import::{self, samples};
use saihakko::secret::{HashCost, OneTimeCard, hash_password};
use saihakko::store::certificates::{self, CertificateRow};
use saihakko::store::{contracts, users};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};
use zeroize::Zeroizing;

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

/// From where the people of the stories come.
pub(crate) const PLACE: &str = "203.0.113.7";
/// The sample company.
pub(crate) const AOBA: &str = samples::AOBA;
/// 佐藤 花子, who holds the authority.
pub(crate) const SATO: &str = "010429001";
/// 鈴木 一郎, who holds the authority.
pub(crate) const SUZUKI: &str = "010429002";
/// 山田 太郎, who does not.
pub(crate) const YAMADA: &str = "010429003";

/// What one hash costs in the stories: nobody attacks them.
pub(crate) const COST: HashCost = HashCost { memory_kib: 64, passes: 1, lanes: 1 };

/// Runs one story on one database and removes the database, whatever came of it.
pub(crate) async fn tell<F, T>(kind: Database, story: F)
where
    F: FnOnce(Arc<House>) -> T,
    T: Future<Output = ()> + 'static,
{
    let Some(house) = House::build(kind).await else { return };
    let house = Arc::new(house);
    let room = tokio::task::LocalSet::new();
    let told = room.run_until(room.spawn_local(story(house.clone()))).await;
    house.app.tools.db.close().await;
    house.drop_database().await;
    if let Err(error) = told {
        std::panic::resume_unwind(error.into_panic());
    }
}

/// An installation whose clock begins on Monday 7 December 2026, 10:00 in Tokyo.
pub(crate) struct House {
    /// The application.
    pub(crate) app: App,
    /// Its clock.
    pub(crate) clock: Clock,
    /// Where its files lie.
    pub(crate) dir: tempfile::TempDir,
    database: Option<(String, String)>,
}

pub(crate) fn at(text: &str) -> Moment {
    text.parse::<DateTime<Utc>>().unwrap().into()
}

impl House {
    async fn build(kind: Database) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::for_demo(&dir.path().join("data"));
        let database = match kind {
            Database::Sqlite => None,
            Database::Postgres => Some(create_database().await?),
        };
        if let Some((url, name)) = &database {
            let url = format!("{}/{name}", url.rsplit_once('/').unwrap().0);
            config.database.url = DatabaseUrl(url);
        }
        config.security.argon2_memory_kib = COST.memory_kib;
        config.security.argon2_passes = COST.passes;
        let clock = Clock::manual(at("2026-12-07T01:00:00Z"));
        let program = crate::fit(&mut config, dir.path());
        let around = Surroundings { clock: clock.clone(), entropy: system_entropy(), program };
        let app = App::open(config, around).await.unwrap();
        let house = Self { app, clock, dir, database };
        let lists = samples::write(&house.dir.path().join("ledger"), |one| {
            Ok(hash_password(&system_entropy(), None, one.secret.as_bytes(), COST).unwrap())
        });
        house.import(&lists.unwrap()).await;
        Some(house)
    }

    /// Imports files and opens what they bring; every row must be good.
    pub(crate) async fn import(&self, files: &[std::path::PathBuf]) -> import::Report {
        let tools = &self.app.tools;
        let report = import::import(&self.app.engine, &tools.keys, COST, files).await.unwrap();
        assert_eq!(report.problems, []);
        self.app.open_missing_credentials().await.unwrap();
        report
    }

    /// Imports one file of this name and text.
    pub(crate) async fn import_text(&self, name: &str, text: &str) -> import::Report {
        let path = self.dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        self.import(&[path]).await
    }

    async fn drop_database(&self) {
        let Some((url, name)) = &self.database else { return };
        let options: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
        let mut admin = options.connect().await.unwrap();
        let sql = format!("DROP DATABASE {name} WITH (FORCE)");
        admin.execute(AssertSqlSafe(sql)).await.unwrap();
    }

    /// Time passes, and whatever falls due is done.
    pub(crate) async fn wait(&self, span: Duration) {
        self.clock.advance(span);
        self.drain().await;
    }

    /// Everything that is due is done.
    pub(crate) async fn drain(&self) {
        self.app.engine.drain().await.unwrap();
    }

    pub(crate) fn now(&self) -> Moment {
        let Clock::Manual(now) = &self.clock else { panic!("the clock is set by hand") };
        Moment(now.load(Ordering::SeqCst))
    }

    /// The row of a user of the sample company.
    pub(crate) async fn user(&self, user_id: &str) -> i64 {
        let mut tx = self.app.tools.db.read().await.unwrap();
        let contract = contracts::id_of(&mut tx, AOBA).await.unwrap().unwrap();
        users::id_of(&mut tx, contract, user_id).await.unwrap().unwrap()
    }

    /// Signs in with this password.
    pub(crate) async fn try_sign_in(
        &self,
        user_id: &str,
        password: &str,
        certificate: Option<&str>,
    ) -> Result<(Session, SignedIn), Declined> {
        let typed = SignIn {
            contract: AOBA.to_owned(),
            user_id: user_id.to_owned(),
            password: Zeroizing::new(password.to_owned()),
            place: PLACE.to_owned(),
            certificate: certificate.map(ToOwned::to_owned),
        };
        let signed_in = self.app.sign_in(&typed).await?;
        let session = self.app.session(&signed_in.token, PLACE).await?;
        Ok((session, signed_in))
    }

    /// Signs a sample user in.
    pub(crate) async fn sign_in(&self, user_id: &str) -> (Session, SignedIn) {
        self.try_sign_in(user_id, &format!("login-{user_id}"), None).await.unwrap()
    }

    /// Signs a sample user in on the certificate site, with a certificate of a year.
    pub(crate) async fn sign_in_with_certificate(&self, user_id: &str) -> (Session, SignedIn) {
        let serial = format!("{user_id}-site");
        let expires = self.now().plus(Duration::from_hours(24 * 365));
        self.certificate(user_id, &serial, expires).await;
        let password = format!("login-{user_id}");
        self.try_sign_in(user_id, &password, Some(&serial)).await.unwrap()
    }

    /// Gives a user an active certificate that was not made here.
    pub(crate) async fn certificate(&self, user_id: &str, serial: &str, expires: Moment) {
        let user = self.user(user_id).await;
        let mut tx = self.app.tools.db.write().await.unwrap();
        let row = CertificateRow {
            serial: serial.to_owned(),
            fingerprint: serial.as_bytes().to_vec(),
            user_id: user,
            case_id: None,
            der: Vec::new(),
            not_before: 0,
            not_after: expires.seconds(),
            state: "active".to_owned(),
            held_by: None,
            why: String::new(),
            changed_at: 0,
            unused: false,
            sealed_key: None,
        };
        certificates::insert(&mut tx, &row).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// What a card with this seed shows, so many steps from now.
    pub(crate) fn shown(&self, seed: &[u8], steps: i64) -> String {
        let seconds = self.now().seconds() + 30 * steps;
        OneTimeCard::new(seed).unwrap().shown_at(u64::try_from(seconds).unwrap())
    }

    pub(crate) async fn state(&self, case: CaseId) -> String {
        let mut tx = self.app.tools.db.read().await.unwrap();
        engine::case::find(&mut tx, case).await.unwrap().unwrap().state_name
    }

    pub(crate) async fn count(&self, sql: &str) -> i64 {
        let mut tx = self.app.tools.db.read().await.unwrap();
        on!(&mut tx, |conn| sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(conn).await).unwrap()
    }

    pub(crate) async fn text(&self, sql: &str) -> String {
        let mut tx = self.app.tools.db.read().await.unwrap();
        on!(&mut tx, |conn| sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(conn).await).unwrap()
    }

    pub(crate) async fn execute(&self, sql: &str) {
        let mut tx = self.app.tools.db.write().await.unwrap();
        on!(&mut tx, |conn| sqlx::query(AssertSqlSafe(sql)).execute(conn).await.map(drop)).unwrap();
        tx.commit().await.unwrap();
    }

    /// How many entries of this command were carried out.
    pub(crate) async fn entries(&self, workflow: &str, command: &str) -> i64 {
        self.count(&format!(
            "SELECT COUNT(*) FROM entries e JOIN cases c ON c.id = e.case_id \
             WHERE c.workflow = '{workflow}' AND e.command = '{command}' \
             AND e.kind = 'transition'"
        ))
        .await
    }

    /// The notices that were queued under a name.
    pub(crate) async fn notices(&self, label: &str) -> i64 {
        self.count(&format!(
            "SELECT COUNT(*) FROM outbox WHERE kind = 'notice' AND label = '{label}'"
        ))
        .await
    }

    /// The mails that were written, as they stand in their files.
    pub(crate) fn mails(&self) -> Vec<String> {
        let Ok(folder) = std::fs::read_dir(self.dir.path().join("data/outbox")) else {
            return Vec::new();
        };
        folder.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect()
    }
}

/// The code of a refusal.
pub(crate) fn refusal<T>(declined: Result<T, Declined>) -> String {
    match declined {
        Err(Declined::Refused { code }) => code,
        Err(other) => format!("{other:?}"),
        Ok(_) => "accepted".to_owned(),
    }
}

async fn create_database() -> Option<(String, String)> {
    let Ok(url) = std::env::var(SERVER) else {
        println!("SKIP: the stories on PostgreSQL need {SERVER}");
        let is_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
        assert!(!is_ci, "{SERVER} is not set, and this is the place where it must be");
        return None;
    };
    let options: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
    let mut admin = options.connect().await.unwrap();
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let name = format!("customer_{}_{number}", std::process::id());
    admin.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    Some((url, name))
}
