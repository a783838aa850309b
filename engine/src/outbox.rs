//! What leaves the house after the commit: leased, retried with back-off, and in the end handed
//! to a person.

use std::time::Duration;

use crate::history::digest;
use crate::{CaseId, Db, Fault, Kind, Moment, Tx, on};

/// How often and how patiently a message or a job is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retry {
    /// Attempts before the row becomes a dead letter.
    pub attempts: i64,
    /// Seconds before the second attempt; doubled each time.
    pub first_delay_s: u64,
    /// Longest delay between attempts, in seconds.
    pub longest_delay_s: u64,
    /// Seconds for which a worker owns a row. A send or a job that takes nine tenths of them is
    /// broken off and tried again, so that no two workers hold the same row.
    pub lease_s: u64,
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts: 12, first_delay_s: 5, longest_delay_s: 3600, lease_s: 300 }
    }
}

impl Retry {
    /// When to try again after attempt `attempt` (from 1): doubled each time, spread by ±20 % so
    /// that rows which failed together do not return together.
    pub fn delay(&self, id: i64, attempt: i64) -> Duration {
        let doublings = u32::try_from(attempt.saturating_sub(1)).unwrap_or(0).min(30);
        let plain = self.first_delay_s.saturating_mul(1 << doublings).min(self.longest_delay_s);
        let [high, low, ..] = digest(format!("{id}/{attempt}").as_bytes());
        let spread = u64::from(u16::from_be_bytes([high, low]));
        let millis = plain.saturating_mul(1000);
        let jitter = millis.saturating_mul(spread) / u64::from(u16::MAX) * 2 / 5;
        Duration::from_millis((millis - millis / 5).saturating_add(jitter))
    }

    /// How long a worker owns a row.
    pub(crate) fn lease(&self) -> Duration {
        Duration::from_secs(self.lease_s)
    }

    /// How long one send or job may take: shorter than the lease, with time left to settle it.
    pub(crate) fn patience(&self) -> Duration {
        self.lease() * 9 / 10
    }
}

/// The columns of [`OutboxRow`], in one place for every statement below.
macro_rules! columns {
    () => {
        "id, kind, workflow, case_id, entry, label, body, status, attempts, spent, due_at, \
         last_error, created_at, done_at"
    };
}

/// Two kinds of row, so that slow mail does not hold up a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Notices.
    Messages,
    /// Jobs and ticks.
    Work,
}

/// A row of the outbox.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, sqlx::FromRow)]
pub struct OutboxRow {
    /// The row; stays the same through all retries.
    pub id: i64,
    /// `notice`, `job` or `tick`.
    pub kind: String,
    /// Which workflow, or which schedule.
    pub workflow: String,
    /// Which case, unless it is a tick.
    pub case_id: Option<i64>,
    /// Queued by this history entry.
    pub entry: i64,
    /// What it is, by name.
    pub label: String,
    /// The message or job, as JSON.
    #[serde(skip)]
    pub body: String,
    /// `ready`, `leased`, `done`, `dead` or `dropped`.
    pub status: String,
    /// Attempts begun.
    pub attempts: i64,
    /// Of these, attempts before a person last revived the row.
    pub spent: i64,
    /// Not before.
    pub due_at: i64,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// When it was queued.
    pub created_at: i64,
    /// When it was settled.
    pub done_at: Option<i64>,
}

/// Queues a message, a job or a tick.
pub(crate) async fn put(
    tx: &mut Tx,
    kind: &str,
    workflow: &str,
    cause: Option<(CaseId, i64)>,
    label: &str,
    body: &str,
) -> Result<(), Fault> {
    const SQL: &str = "INSERT INTO outbox (kind, workflow, case_id, entry, label, body, status, \
         attempts, spent, due_at, created_at) VALUES ($1,$2,$3,$4,$5,$6,'ready',0,0,$7,$7)";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL)
        .bind(kind)
        .bind(workflow)
        .bind(cause.map(|(case, _)| case.0))
        .bind(cause.map_or(0, |(_, entry)| entry))
        .bind(label)
        .bind(body)
        .bind(now)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("queue in the outbox"))
}

/// Due rows of a lane ($1 now, $4 whether notices). A due time or a lease that lies further ahead
/// than any the engine gives ($5, $6) stems from a clock that has since been set back. The states
/// stand there a second time in the words of the index: without them every row is looked at.
macro_rules! due {
    () => {
        "status IN ('ready', 'leased') AND (kind = 'notice') = $4 AND ((status = 'ready' AND (due_at <= $1 OR due_at > $5)) \
         OR (status = 'leased' AND (leased_until <= $1 OR leased_until > $6)))"
    };
}

const CLAIM_SQLITE: &str = concat!(
    "UPDATE outbox SET status = 'leased', attempts = attempts + 1, leased_until = $2 \
     WHERE id IN (SELECT id FROM outbox WHERE ",
    due!(),
    " ORDER BY due_at, id LIMIT $3) RETURNING ",
    columns!()
);
const CLAIM_POSTGRES: &str = concat!(
    "UPDATE outbox SET status = 'leased', attempts = attempts + 1, leased_until = $2 \
     WHERE id IN (SELECT id FROM outbox WHERE ",
    due!(),
    " ORDER BY due_at, id LIMIT $3 FOR UPDATE SKIP LOCKED) RETURNING ",
    columns!()
);
const PEEK: &str = concat!("SELECT id FROM outbox WHERE $2 >= 0 AND ", due!(), " LIMIT $3");

/// Takes up to `limit` due rows; each is ours until the lease ends. The attempt number is the
/// fencing token.
pub(crate) async fn claim(
    db: &Db,
    lane: Lane,
    retry: &Retry,
    limit: i64,
) -> Result<Vec<OutboxRow>, Fault> {
    // A cheap look before taking the writer's place.
    let mut tx = db.read().await?;
    let found = !due_rows::<(i64,)>(&mut tx, PEEK, lane, retry, 1).await?.is_empty();
    drop(tx);
    if !found {
        return Ok(Vec::new());
    }
    // Undone by a failure of power, the row is claimed again; nobody is left who held it.
    let mut tx = db.write_lazily().await?;
    let sql = match tx.kind() {
        Kind::Sqlite => CLAIM_SQLITE,
        Kind::Postgres => CLAIM_POSTGRES,
    };
    let mut rows: Vec<OutboxRow> = match due_rows(&mut tx, sql, lane, retry, limit).await {
        Ok(rows) => rows,
        Err(fault) => {
            tx.abandon().await;
            return Err(fault);
        }
    };
    tx.commit().await?;
    rows.sort_unstable_by_key(|row| (row.due_at, row.id));
    Ok(rows)
}

async fn due_rows<T>(
    tx: &mut Tx,
    sql: &'static str,
    lane: Lane,
    retry: &Retry,
    limit: i64,
) -> Result<Vec<T>, Fault>
where
    T: Send + Unpin,
    T: for<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow>,
    T: for<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow>,
{
    let now = tx.now();
    on!(tx, |conn| sqlx::query_as(sql)
        .bind(now.0)
        .bind(now.plus(retry.lease()).0)
        .bind(limit)
        .bind(lane == Lane::Messages)
        .bind(now.plus(Duration::from_secs(retry.longest_delay_s.saturating_mul(2))).0)
        .bind(now.plus(retry.lease() * 2).0)
        .fetch_all(conn)
        .await)
    .map_err(Fault::database("claim from the outbox"))
}

/// Settles a row; false when the lease was lost to another attempt.
pub(crate) async fn done(tx: &mut Tx, id: i64, attempt: i64) -> Result<bool, Fault> {
    const SQL: &str = "UPDATE outbox SET status = 'done', done_at = $3, leased_until = NULL, \
         last_error = NULL WHERE id = $1 AND attempts = $2 AND status = 'leased'";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
        .bind(attempt)
        .bind(now)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() > 0))
    .map_err(Fault::database("settle an outbox row"))
}

/// Puts a row back for a later attempt, or aside as a dead letter; false when the lease was lost
/// to another attempt.
pub(crate) async fn failed(
    tx: &mut Tx,
    row: &OutboxRow,
    reason: &str,
    again_at: Option<Moment>,
) -> Result<bool, Fault> {
    const SQL: &str = "UPDATE outbox SET status = $3, due_at = $4, last_error = $5, \
         leased_until = NULL WHERE id = $1 AND attempts = $2 AND status = 'leased'";
    let status = if again_at.is_some() { "ready" } else { "dead" };
    let due = again_at.map_or(row.due_at, |at| at.0);
    let reason: String = reason.chars().take(500).collect();
    on!(tx, |conn| sqlx::query(SQL)
        .bind(row.id)
        .bind(row.attempts)
        .bind(status)
        .bind(due)
        .bind(&reason)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() > 0))
    .map_err(Fault::database("put an outbox row back"))
}

/// Rows of one status (every status when `None`), newest first.
pub async fn list(tx: &mut Tx, status: Option<&str>, limit: i64) -> Result<Vec<OutboxRow>, Fault> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM outbox \
         WHERE ($1 = '' OR status = $1) ORDER BY id DESC LIMIT $2"
    );
    on!(tx, |conn| sqlx::query_as(SQL)
        .bind(status.unwrap_or_default())
        .bind(limit)
        .fetch_all(conn)
        .await)
    .map_err(Fault::database("list the outbox"))
}

/// The rows that a case has queued, oldest first.
pub async fn of_case(tx: &mut Tx, case: CaseId) -> Result<Vec<OutboxRow>, Fault> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM outbox WHERE case_id = $1 ORDER BY id");
    on!(tx, |conn| sqlx::query_as(SQL).bind(case.0).fetch_all(conn).await)
        .map_err(Fault::database("list the outbox"))
}

/// The case of a row, if the row exists; and whether it belongs to one.
pub(crate) async fn case_of(tx: &mut Tx, id: i64) -> Result<Option<CaseId>, Fault> {
    const SQL: &str = "SELECT case_id FROM outbox WHERE id = $1";
    let found: Option<Option<i64>> =
        on!(tx, |conn| sqlx::query_scalar(SQL).bind(id).fetch_optional(conn).await)
            .map_err(Fault::database("look into the outbox"))?;
    Ok(found.flatten().map(CaseId))
}

/// Ends every lease: whoever held one is gone. The next claim has a higher attempt number, so a
/// late answer of the last one still changes nothing.
pub(crate) async fn release_all(tx: &mut Tx) -> Result<u64, Fault> {
    const SQL: &str = "UPDATE outbox SET status = 'ready', leased_until = NULL \
         WHERE status IN ('ready', 'leased') AND status = 'leased'";
    on!(tx, |conn| sqlx::query(SQL).execute(conn).await.map(|done| done.rows_affected()))
        .map_err(Fault::database("release leases"))
}

/// Makes a dead letter ready again with all its attempts; `None` when the row is no dead letter.
/// The attempt number keeps growing, so that an attempt of before cannot settle the row.
pub(crate) async fn revive(tx: &mut Tx, id: i64) -> Result<Option<OutboxRow>, Fault> {
    const SQL: &str = concat!(
        "UPDATE outbox SET status = 'ready', spent = attempts, due_at = $2 \
         WHERE id = $1 AND status = 'dead' RETURNING ",
        columns!()
    );
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query_as(SQL).bind(id).bind(now).fetch_optional(conn).await)
        .map_err(Fault::database("retry a dead letter"))
}

/// Gives a dead letter up; `None` when the row is no dead letter.
pub(crate) async fn discard(tx: &mut Tx, id: i64) -> Result<Option<OutboxRow>, Fault> {
    const SQL: &str = concat!(
        "UPDATE outbox SET status = 'dropped', done_at = $2 \
         WHERE id = $1 AND status = 'dead' RETURNING ",
        columns!()
    );
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query_as(SQL).bind(id).bind(now).fetch_optional(conn).await)
        .map_err(Fault::database("drop a dead letter"))
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};

    use super::*;

    #[test]
    fn delays_double_up_to_the_longest_and_are_spread() {
        let retry = Retry::default();
        for (attempt, plain) in [(1, 5), (2, 10), (5, 80), (11, 3600), (60, 3600)] {
            let delay = retry.delay(42, attempt).as_secs_f64();
            let plain = f64::from(plain);
            assert!((plain * 0.8..=plain * 1.2).contains(&delay), "{attempt}: {delay}");
        }
        assert_ne!(retry.delay(1, 3), retry.delay(2, 3));
    }

    /// Very many rows are done: whoever looks for due ones must not pass them all.
    #[tokio::test]
    async fn due_rows_are_found_by_their_index() {
        let schema = include_str!("../../migrations/sqlite/0001_engine.sql");
        let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        sqlx::raw_sql(schema).execute(&mut conn).await.unwrap();
        for sql in [PEEK, CLAIM_SQLITE] {
            let explained = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
            let plan: Vec<(i64, i64, i64, String)> =
                sqlx::query_as(explained).fetch_all(&mut conn).await.unwrap();
            let rows: Vec<&str> = plan.iter().map(|line| line.3.as_str()).collect();
            assert!(rows.iter().any(|row| row.contains("INDEX outbox_due")), "{sql}: {rows:?}");
            assert!(!rows.contains(&"SCAN outbox"), "{sql}: {rows:?}");
        }
    }
}
