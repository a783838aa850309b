//! One database, two kinds: `SQLite` embedded, `PostgreSQL` when one machine is not enough.

mod server;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{SqlSafeStr, Sqlite, Transaction};

use self::server::ServerTx;
use crate::{Clock, Fault, Moment};

/// A statement on whichever database is open: `on!(tx, |conn| query(SQL).bind(id).execute(conn).await)`.
///
/// Both arms are compiled from the one text; `$1` suits both databases.
#[macro_export]
macro_rules! on {
    ($tx:expr, |$conn:ident| $body:expr) => {{
        let tx: &mut $crate::Tx = $tx;
        match tx.statement() {
            Err(error) => Err(error),
            Ok($crate::Connection::Sqlite($conn)) => $body,
            Ok($crate::Connection::Postgres($conn)) => $body,
        }
    }};
}

/// Pages that SQLite keeps in memory, in KiB, written as it wants them. Its own 2 MiB do not hold
/// the upper pages of the indexes of 100,000 cases.
const WRITER_CACHE: &str = "-65536";
/// The same for each connection that reads.
const READER_CACHE: &str = "-16384";

/// How many pages SQLite's log may hold before a commit writes them back: 16 MiB, four times its own
/// value, for the same few pages change in every commit.
const LOG_PAGES: &str = "4000";

/// In WAL mode no commit is lost to a crash of the program, and the file stays whole.
const LAZY: &str = "PRAGMA synchronous = NORMAL";

/// An open database.
#[derive(Debug, Clone)]
pub struct Db {
    pools: Pools,
    clock: Clock,
    fuse: Option<Fuse>,
    commits: Arc<AtomicU64>,
}

#[derive(Debug, Clone)]
enum Pools {
    /// One writer, so that writers queue instead of failing; readers beside it.
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
        /// The writer's connection flushes each commit to the disk at this moment.
        flushes: Arc<AtomicBool>,
    },
    Postgres(PgPool),
}

/// Which database is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Embedded.
    Sqlite,
    /// A server.
    Postgres,
}

/// Fails every statement after so many: proves that a transaction leaves all or nothing.
#[derive(Debug, Clone, Default)]
pub struct Fuse(Arc<AtomicI64>);

impl Fuse {
    /// Lets `statements` more pass, then fails all until set anew.
    pub fn set(&self, statements: i64) {
        self.0.store(statements, Ordering::SeqCst);
    }

    fn burn(&self) -> Result<(), sqlx::Error> {
        if self.0.fetch_sub(1, Ordering::SeqCst) > 0 {
            return Ok(());
        }
        Err(sqlx::Error::Protocol("the test fuse has blown".into()))
    }
}

impl Db {
    /// Opens, and creates when `create`, an embedded database with durable commits.
    pub async fn sqlite(path: &Path, create: bool, clock: Clock) -> Result<Self, Fault> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(create)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10))
            .pragma("secure_delete", "on");
        let open = Fault::database("open");
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(
                options
                    .clone()
                    .pragma("cache_size", WRITER_CACHE)
                    .pragma("wal_autocheckpoint", LOG_PAGES),
            )
            .await
            .map_err(&open)?;
        let readers = SqlitePoolOptions::new()
            .max_connections(8)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.read_only(true).pragma("cache_size", READER_CACHE))
            .await
            .map_err(&open)?;
        let found: i64 =
            sqlx::query_scalar("PRAGMA synchronous").fetch_one(&writer).await.map_err(&open)?;
        if found < 2 {
            let (setting, wanted) = ("synchronous", "2 (full)");
            return Err(Fault::Setting { setting, found: found.to_string(), wanted });
        }
        Ok(Self {
            pools: Pools::Sqlite { writer, readers, flushes: Arc::new(AtomicBool::new(true)) },
            clock,
            fuse: None,
            commits: Arc::default(),
        })
    }

    /// Connects to a server: `postgres://user@host:port/database`.
    pub async fn postgres(url: &str, connections: u32, clock: Clock) -> Result<Self, Fault> {
        let open = Fault::database("connect");
        let options: PgConnectOptions = url.parse().map_err(&open)?;
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            // The begin of a transaction shows it, with one exchange less.
            .test_before_acquire(false)
            .acquire_timeout(Duration::from_secs(10))
            .connect_with(options)
            .await
            .map_err(&open)?;
        for (setting, query) in
            [("fsync", "SHOW fsync"), ("synchronous_commit", "SHOW synchronous_commit")]
        {
            let found: String = sqlx::query_scalar(query).fetch_one(&pool).await.map_err(&open)?;
            if found == "off" {
                return Err(Fault::Setting { setting, found, wanted: "on" });
            }
        }
        Ok(Self { pools: Pools::Postgres(pool), clock, fuse: None, commits: Arc::default() })
    }

    /// The same database with a fuse in every write transaction.
    #[must_use]
    pub fn with_fuse(mut self, fuse: Fuse) -> Self {
        self.fuse = Some(fuse);
        self
    }

    /// Brings the schema up to date; refuses a schema newer than this program.
    pub async fn migrate(&self, sqlite: &Migrator, postgres: &Migrator) -> Result<(), Fault> {
        let done = match &self.pools {
            Pools::Sqlite { writer, .. } => sqlite.run(writer).await,
            Pools::Postgres(pool) => postgres.run(pool).await,
        };
        done.map_err(|source| Fault::Migration { source })
    }

    /// Which database this is.
    pub fn kind(&self) -> Kind {
        match self.pools {
            Pools::Sqlite { .. } => Kind::Sqlite,
            Pools::Postgres(_) => Kind::Postgres,
        }
    }

    /// Where this database takes its time from.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// How many transactions that wrote were committed since this database was opened here.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Begins a transaction that writes. On SQLite it takes the writer's place at once
    /// (`BEGIN IMMEDIATE`): a read that turns into a write would fail with code 517.
    pub async fn write(&self) -> Result<Tx, Fault> {
        self.begin_write(true).await
    }

    /// As [`Db::write`], for what a failure of power may undo: on `SQLite` the commit is flushed to
    /// the disk with the next one of [`Db::write`]. A crash of the program alone undoes nothing. On
    /// `PostgreSQL` other nodes may live on, so that there it is the same as [`Db::write`].
    pub async fn write_lazily(&self) -> Result<Tx, Fault> {
        self.begin_write(false).await
    }

    async fn begin_write(&self, flushed: bool) -> Result<Tx, Fault> {
        let begin = Fault::database("begin");
        let (open, now) = match &self.pools {
            Pools::Sqlite { writer, flushes, .. } => {
                let mut conn = writer.acquire().await.map_err(&begin)?;
                // There is one connection, and it is ours: nobody else changes this meanwhile.
                if flushes.load(Ordering::Relaxed) != flushed {
                    // Not flushed from before the statement, flushed only after it: whoever gives up
                    // in between leaves a doubt that the next writer resolves towards the disk.
                    flushes.store(false, Ordering::Relaxed);
                    let sql = if flushed { "PRAGMA synchronous = FULL" } else { LAZY };
                    sqlx::query(sql).execute(&mut *conn).await.map_err(&begin)?;
                    flushes.store(flushed, Ordering::Relaxed);
                }
                let tx = Transaction::begin(conn, Some("BEGIN IMMEDIATE".into_sql_str()));
                (Open::Sqlite(tx.await.map_err(&begin)?), Moment::of_this_machine())
            }
            Pools::Postgres(pool) => on_server(pool, server::WRITE).await?,
        };
        let (fuse, commits) = (self.fuse.clone(), Some(self.commits.clone()));
        Ok(Tx { open, fuse, commits, now: self.clock.set_time().unwrap_or(now) })
    }

    /// Begins a transaction that only reads, all of it from one moment of the database.
    pub async fn read(&self) -> Result<Tx, Fault> {
        let (open, now) = match &self.pools {
            Pools::Sqlite { readers, .. } => {
                let tx = readers.begin().await.map_err(Fault::database("begin"))?;
                (Open::Sqlite(tx), Moment::of_this_machine())
            }
            Pools::Postgres(pool) => on_server(pool, server::READ).await?,
        };
        let now = self.clock.set_time().unwrap_or(now);
        Ok(Tx { open, fuse: None, commits: None, now })
    }

    /// The time by this database's clock.
    pub async fn now(&self) -> Result<Moment, Fault> {
        match self.clock.set_time() {
            Some(now) => Ok(now),
            None => Ok(self.read().await?.now()),
        }
    }

    /// Writes SQLite's log back into the file and empties it, so that deleted secrets do not
    /// linger there. Does nothing on `PostgreSQL`.
    pub async fn checkpoint_log(&self) -> Result<(), Fault> {
        if let Pools::Sqlite { writer, .. } = &self.pools {
            sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
                .execute(writer)
                .await
                .map_err(Fault::database("checkpoint"))?;
        }
        Ok(())
    }

    /// Closes every connection.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { writer, readers, .. } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}

async fn on_server(pool: &PgPool, how: &'static str) -> Result<(Open, Moment), Fault> {
    let begun = server::begin(pool, how).await;
    let (tx, now) = begun.map_err(Fault::database("begin"))?;
    Ok((Open::Postgres(tx), now))
}

/// An open transaction; dropping it rolls back.
#[derive(Debug)]
pub struct Tx {
    open: Open,
    fuse: Option<Fuse>,
    commits: Option<Arc<AtomicU64>>,
    now: Moment,
}

#[derive(Debug)]
enum Open {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(ServerTx),
}

/// The two kinds of connection that [`on!`] tells apart.
#[derive(Debug)]
pub enum Connection<'t> {
    /// Embedded.
    Sqlite(&'t mut SqliteConnection),
    /// A server.
    Postgres(&'t mut PgConnection),
}

impl Tx {
    /// The moment of this transaction, read once at its beginning.
    pub fn now(&self) -> Moment {
        self.now
    }

    /// Which database this is.
    pub fn kind(&self) -> Kind {
        match self.open {
            Open::Sqlite(_) => Kind::Sqlite,
            Open::Postgres(_) => Kind::Postgres,
        }
    }

    /// The connection for one statement; used by [`on!`].
    pub fn statement(&mut self) -> Result<Connection<'_>, sqlx::Error> {
        if let Some(fuse) = &self.fuse {
            fuse.burn()?;
        }
        match &mut self.open {
            Open::Sqlite(tx) => Ok(Connection::Sqlite(tx)),
            Open::Postgres(tx) => tx.connection().map(Connection::Postgres),
        }
    }

    /// Makes everything permanent. After an error the outcome may be unknown: the command id
    /// settles it when the command is sent again.
    pub async fn commit(mut self) -> Result<(), Fault> {
        if let Err(source) = self.statement() {
            self.abandon().await;
            return Err(Fault::database("commit")(source));
        }
        let done = match self.open {
            Open::Sqlite(tx) => tx.commit().await,
            Open::Postgres(tx) => tx.commit().await,
        };
        done.map_err(Fault::database("commit"))?;
        if let Some(commits) = self.commits {
            commits.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Undoes everything after a failure, so that its locks are gone when the failure is reported:
    /// a mere drop undoes in the background. When even that fails, the connection is gone and its
    /// locks with it.
    pub(crate) async fn abandon(self) {
        if let Err(fault) = self.roll_back().await {
            tracing::debug!(error = %crate::chain(&fault), "a failed transaction was not undone");
        }
    }

    /// Undoes everything now rather than at drop.
    pub async fn roll_back(self) -> Result<(), Fault> {
        let done = match self.open {
            Open::Sqlite(tx) => tx.rollback().await,
            Open::Postgres(tx) => tx.roll_back().await,
        };
        done.map_err(Fault::database("roll back"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn flushing(mut tx: Tx) -> i64 {
        let found: Result<i64, sqlx::Error> =
            on!(&mut tx, |conn| sqlx::query_scalar("PRAGMA synchronous").fetch_one(conn).await);
        tx.commit().await.unwrap();
        found.unwrap()
    }

    #[tokio::test]
    async fn only_what_may_be_undone_is_not_flushed() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Clock::manual(Moment(0));
        let db = Db::sqlite(&dir.path().join("one.db"), true, clock).await.unwrap();
        let (full, normal) = (2, 1);
        assert_eq!(flushing(db.write().await.unwrap()).await, full);
        assert_eq!(flushing(db.write_lazily().await.unwrap()).await, normal);
        assert_eq!(flushing(db.write_lazily().await.unwrap()).await, normal);
        assert_eq!(flushing(db.write().await.unwrap()).await, full);
        drop(db.write_lazily().await.unwrap());
        assert_eq!(flushing(db.write().await.unwrap()).await, full);
    }
}
