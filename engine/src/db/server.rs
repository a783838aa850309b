//! A transaction on a `PostgreSQL` server. One exchange begins it: the same message shows that the
//! connection still lives, begins, and brings the server's time. Of a page that reads twenty rows in
//! four transactions, asking for each of the three apart made a third of all exchanges.

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, PgPool};
use sqlx::{Postgres, Row};

use crate::Moment;

/// Begins a transaction that writes, and reads the clock.
pub(super) const WRITE: &str =
    "BEGIN; SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
/// The same for one that only reads, all of it from one moment.
pub(super) const READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
     SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

/// An open transaction; dropping it rolls back.
#[derive(Debug)]
pub(super) struct ServerTx(Option<PoolConnection<Postgres>>);

/// Begins a transaction to the end, whoever gives up waiting for it: a caller that went away in that
/// moment would give back a connection with an open transaction, and a later writer would find itself
/// in one that only reads.
pub(super) async fn begin(
    pool: &PgPool,
    how: &'static str,
) -> Result<(ServerTx, Moment), sqlx::Error> {
    let pool = pool.clone();
    // Of a task that nobody waits for, what it returns is dropped, which rolls back.
    let begun = tokio::spawn(async move { begin_on_any(&pool, how).await });
    begun.await.unwrap_or(Err(sqlx::Error::WorkerCrashed))
}

/// After a server was away every connection kept may be dead: each one that is gives way to the next,
/// and the last to a new one.
async fn begin_on_any(pool: &PgPool, how: &'static str) -> Result<(ServerTx, Moment), sqlx::Error> {
    let mut left = pool.options().get_max_connections();
    loop {
        let mut connection = pool.acquire().await?;
        let row = sqlx::raw_sql(how).fetch_one(&mut *connection).await;
        match row.and_then(|row| row.try_get(0)) {
            Ok(now) => return Ok((ServerTx(Some(connection)), Moment(now))),
            Err(error) => {
                connection.close_on_drop();
                left = left.checked_sub(1).ok_or(error)?;
            }
        }
    }
}

impl ServerTx {
    /// The connection; it is there until the transaction ends.
    pub(super) fn connection(&mut self) -> Result<&mut PgConnection, sqlx::Error> {
        self.0.as_deref_mut().ok_or(sqlx::Error::WorkerCrashed)
    }

    pub(super) async fn commit(self) -> Result<(), sqlx::Error> {
        self.end("COMMIT").await
    }

    pub(super) async fn roll_back(self) -> Result<(), sqlx::Error> {
        self.end("ROLLBACK").await
    }

    /// Ends it. Whoever gives up before the server has answered leaves it to the drop.
    async fn end(mut self, how: &'static str) -> Result<(), sqlx::Error> {
        let done = sqlx::raw_sql(how).execute(self.connection()?).await;
        if let Some(mut connection) = self.0.take()
            && done.is_err()
        {
            connection.close_on_drop();
        }
        done.map(drop)
    }
}

impl Drop for ServerTx {
    fn drop(&mut self) {
        let Some(mut connection) = self.0.take() else { return };
        tokio::spawn(async move {
            if sqlx::raw_sql("ROLLBACK").execute(&mut *connection).await.is_err() {
                connection.close_on_drop();
            }
        });
    }
}
