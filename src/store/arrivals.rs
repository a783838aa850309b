//! Files that the mail room takes in: one row each, from the moment it is safe in the database.

use engine::{Fault, Moment, Tx, on};

/// A file that came.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Arrival {
    /// Its number; given by the database.
    pub id: i64,
    /// `upload`, `folder`, or `folder/<device>`.
    pub source: String,
    /// As it came.
    pub name: String,
    /// Who sent it; empty for the folder.
    pub login: String,
    /// SHA-256 of the file.
    pub digest: Vec<u8>,
    /// Its size in bytes.
    pub size: i64,
    /// `waiting`, `done`, `failed`.
    pub state: String,
    /// Why it failed; else empty.
    pub reason: String,
    /// What was read, JSON, until its pages have their places.
    pub reading: String,
    /// The number of the envelope for pages that name none.
    pub loose: i64,
    /// Begun so far: the fencing token.
    pub attempts: i64,
    /// Until when nobody else takes it.
    pub leased_until: i64,
    /// Where the folder's file lies: empty while in it, else `done` or `failed`; `-` for an upload.
    pub cleared: String,
    /// Who gave up reading it; else empty.
    pub aside_by: String,
    /// When it came.
    pub came_at: i64,
    /// When anything was last written here.
    pub changed_at: i64,
}

/// What is known of a file as it comes.
pub struct New<'a> {
    /// `upload`, `folder`, or `folder/<device>`.
    pub source: &'a str,
    /// As it came.
    pub name: &'a str,
    /// Who sent it; empty for the folder.
    pub login: &'a str,
    /// SHA-256 of the file.
    pub digest: &'a [u8],
    /// Its size in bytes.
    pub size: i64,
    /// The file, sealed.
    pub picture: &'a [u8],
    /// The number of the envelope for pages that name none.
    pub loose: i64,
    /// Why it is not even tried; else empty.
    pub reason: &'a str,
    /// Empty for a file that lies in the folder.
    pub cleared: &'a str,
    /// Until when whoever brings it works on it.
    pub leased_until: Moment,
}

const COLUMNS: &str = "SELECT id, source, name, login, digest, size, state, reason, reading, loose, \
     attempts, leased_until, cleared, aside_by, came_at, changed_at FROM arrivals WHERE id = $1";

/// Writes a file down; `None` when it is there already and still lies in its folder.
pub async fn insert(tx: &mut Tx, new: &New<'_>) -> Result<Option<i64>, Fault> {
    const SQL: &str = "INSERT INTO arrivals (source, name, login, digest, size, picture, state, \
         reason, reading, loose, attempts, leased_until, cleared, came_at, changed_at) \
         VALUES ($1,$2,$3,$4,$5,$6,$7,$8,'',$9,1,$10,$11,$12,$12) ON CONFLICT DO NOTHING \
         RETURNING id";
    let now = tx.now().0;
    let state = if new.reason.is_empty() { "waiting" } else { "failed" };
    on!(tx, |conn| sqlx::query_scalar(SQL)
        .bind(new.source)
        .bind(new.name)
        .bind(new.login)
        .bind(new.digest)
        .bind(new.size)
        .bind(new.picture)
        .bind(state)
        .bind(new.reason)
        .bind(new.loose)
        .bind(new.leased_until.0)
        .bind(new.cleared)
        .bind(now)
        .fetch_optional(conn)
        .await)
    .map_err(Fault::database("take a file in"))
}

/// The file that lies in the folder under this name with these bytes.
pub async fn in_folder(
    tx: &mut Tx,
    source: &str,
    name: &str,
    digest: &[u8],
) -> Result<Option<i64>, Fault> {
    const SQL: &str = "SELECT id FROM arrivals WHERE source = $1 AND name = $2 AND digest = $3 \
         AND cleared = ''";
    on!(tx, |conn| sqlx::query_scalar(SQL)
        .bind(source)
        .bind(name)
        .bind(digest)
        .fetch_optional(conn)
        .await)
    .map_err(Fault::database("read a file that came"))
}

/// A file by its number.
pub async fn find(tx: &mut Tx, id: i64) -> Result<Option<Arrival>, Fault> {
    on!(tx, |conn| sqlx::query_as(COLUMNS).bind(id).fetch_optional(conn).await)
        .map_err(Fault::database("read a file that came"))
}

/// The sealed bytes of a file; empty when they lie elsewhere.
pub async fn picture(tx: &mut Tx, id: i64) -> Result<Vec<u8>, Fault> {
    const SQL: &str = "SELECT picture FROM arrivals WHERE id = $1";
    on!(tx, |conn| sqlx::query_scalar(SQL).bind(id).fetch_one(conn).await)
        .map_err(Fault::database("read a file that came"))
}

/// The next file that waits and that nobody works on.
pub async fn due(tx: &mut Tx) -> Result<Option<i64>, Fault> {
    const SQL: &str = "SELECT id FROM arrivals WHERE state = 'waiting' AND leased_until <= $1 \
         ORDER BY id LIMIT 1";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query_scalar(SQL).bind(now).fetch_optional(conn).await)
        .map_err(Fault::database("read files that came"))
}

/// Takes a waiting file until a moment; gives the fencing token. One statement: of two nodes one
/// gets it.
pub async fn claim(tx: &mut Tx, id: i64, until: Moment) -> Result<Option<i64>, Fault> {
    const SQL: &str = "UPDATE arrivals SET attempts = attempts + 1, leased_until = $2 \
         WHERE id = $1 AND state = 'waiting' AND leased_until <= $3 RETURNING attempts";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query_scalar(SQL)
        .bind(id)
        .bind(until.0)
        .bind(now)
        .fetch_optional(conn)
        .await)
    .map_err(Fault::database("take a file that came"))
}

/// Keeps a file for longer; false when somebody else has it.
pub async fn renew(tx: &mut Tx, id: i64, attempt: i64, until: Moment) -> Result<bool, Fault> {
    const SQL: &str = "UPDATE arrivals SET leased_until = $3 \
         WHERE id = $1 AND attempts = $2 AND state = 'waiting'";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
        .bind(attempt)
        .bind(until.0)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
    .map_err(Fault::database("keep a file that came"))
}

/// Keeps what was read of a file; false when somebody else has it.
pub async fn keep_reading(
    tx: &mut Tx,
    id: i64,
    attempt: i64,
    reading: &str,
) -> Result<bool, Fault> {
    const SQL: &str = "UPDATE arrivals SET reading = $3, changed_at = $4 \
         WHERE id = $1 AND attempts = $2 AND state = 'waiting'";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
        .bind(attempt)
        .bind(reading)
        .bind(now)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
    .map_err(Fault::database("keep a reading"))
}

/// Ends the work on a file; with `drops` its bytes go too. False when somebody else has it.
pub async fn finish(
    tx: &mut Tx,
    id: i64,
    attempt: i64,
    reason: &str,
    drops: bool,
) -> Result<bool, Fault> {
    const SQL: &str = "UPDATE arrivals SET state = $3, reason = $4, reading = '', changed_at = $6, \
         picture = CASE WHEN $5 THEN $7 ELSE picture END \
         WHERE id = $1 AND attempts = $2 AND state = 'waiting'";
    let now = tx.now().0;
    let state = if reason.is_empty() { "done" } else { "failed" };
    let nothing: &[u8] = &[];
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
        .bind(attempt)
        .bind(state)
        .bind(reason)
        .bind(drops)
        .bind(now)
        .bind(nothing)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
    .map_err(Fault::database("finish a file that came"))
}

/// Lets a failed file be read again; false when it has not failed.
pub async fn retry(tx: &mut Tx, id: i64, loose: i64) -> Result<bool, Fault> {
    const SQL: &str = "UPDATE arrivals SET state = 'waiting', reason = '', reading = '', \
         loose = $2, leased_until = 0, changed_at = $3 \
         WHERE id = $1 AND state = 'failed' AND size > 0 AND reason <> 'too_large'";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
        .bind(loose)
        .bind(now)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
    .map_err(Fault::database("read a file again"))
}

/// Gives up reading a failed file; false when it has not failed.
pub async fn set_aside(tx: &mut Tx, id: i64, login: &str) -> Result<bool, Fault> {
    const SQL: &str = "UPDATE arrivals SET state = 'done', aside_by = $2, changed_at = $3 \
         WHERE id = $1 AND state = 'failed'";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
        .bind(login)
        .bind(now)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
    .map_err(Fault::database("set a file aside"))
}

/// The failed files that can be read again, the oldest first.
pub async fn failed(tx: &mut Tx) -> Result<Vec<i64>, Fault> {
    const SQL: &str = "SELECT id FROM arrivals WHERE state = 'failed' AND size > 0 \
         AND reason <> 'too_large' ORDER BY id LIMIT 500";
    on!(tx, |conn| sqlx::query_scalar(SQL).fetch_all(conn).await)
        .map_err(Fault::database("read files that came"))
}

/// The folder's files that do not lie yet where they belong: number, source, name, digest, state,
/// reason, and where they lie.
pub async fn unsettled(tx: &mut Tx) -> Result<Vec<Arrival>, Fault> {
    const SQL: &str = "SELECT id, source, name, login, digest, size, state, reason, reading, loose, \
         attempts, leased_until, cleared, aside_by, came_at, changed_at FROM arrivals \
         WHERE (cleared = '' AND state <> 'waiting') \
         OR (cleared = 'failed' AND state = 'done' AND aside_by = '') \
         ORDER BY id LIMIT 500";
    on!(tx, |conn| sqlx::query_as(SQL).fetch_all(conn).await)
        .map_err(Fault::database("read files that came"))
}

/// Notes where the folder's file lies now.
pub async fn cleared(tx: &mut Tx, id: i64, place: &str) -> Result<(), Fault> {
    const SQL: &str = "UPDATE arrivals SET cleared = $2 WHERE id = $1";
    on!(tx, |conn| sqlx::query(SQL).bind(id).bind(place).execute(conn).await.map(drop))
        .map_err(Fault::database("clear a file away"))
}

/// What the mail room looks at: every file that is not done, and those that came since a moment;
/// the newest first.
pub async fn recent(tx: &mut Tx, since: Moment) -> Result<Vec<Arrival>, Fault> {
    const SQL: &str = "SELECT id, source, name, login, digest, size, state, reason, '' AS reading, \
         loose, attempts, leased_until, cleared, aside_by, came_at, changed_at FROM arrivals \
         WHERE came_at >= $1 OR state <> 'done' ORDER BY came_at DESC, id DESC LIMIT 500";
    on!(tx, |conn| sqlx::query_as(SQL).bind(since.0).fetch_all(conn).await)
        .map_err(Fault::database("read files that came"))
}
