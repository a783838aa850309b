//! Parts of the queues that people want to find again.

use engine::{Fault, Tx, on};

/// A filter under its name.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct FilterRow {
    /// As its owner calls it.
    pub name: String,
    /// Which part of the queue.
    pub part: String,
    /// The workflow; empty for every one.
    pub kind: String,
    /// What names and numbers hold.
    pub words: String,
}

/// So many are kept of one queue.
pub const MOST: i64 = 20;

/// Keeps a filter; under a name that is taken, in its place. False when there are too many.
pub async fn save(tx: &mut Tx, person: &str, queue: &str, row: &FilterRow) -> Result<bool, Fault> {
    const COUNT: &str =
        "SELECT COUNT(*) FROM filters WHERE person = $1 AND queue = $2 AND name <> $3";
    const SQL: &str = "INSERT INTO filters (person, queue, name, part, kind, words) \
         VALUES ($1,$2,$3,$4,$5,$6) ON CONFLICT (person, queue, name) DO UPDATE \
         SET part = excluded.part, kind = excluded.kind, words = excluded.words";
    let others: i64 = on!(tx, |conn| sqlx::query_scalar(COUNT)
        .bind(person)
        .bind(queue)
        .bind(&row.name)
        .fetch_one(conn)
        .await)
    .map_err(Fault::database("count filters"))?;
    if others >= MOST {
        return Ok(false);
    }
    on!(tx, |conn| sqlx::query(SQL)
        .bind(person)
        .bind(queue)
        .bind(&row.name)
        .bind(&row.part)
        .bind(&row.kind)
        .bind(&row.words)
        .execute(conn)
        .await
        .map(|_| true))
    .map_err(Fault::database("keep a filter"))
}

/// Somebody's filters of a queue, by name.
pub async fn of(tx: &mut Tx, person: &str, queue: &str) -> Result<Vec<FilterRow>, Fault> {
    const SQL: &str = "SELECT name, part, kind, words FROM filters \
         WHERE person = $1 AND queue = $2 ORDER BY name";
    on!(tx, |conn| sqlx::query_as(SQL).bind(person).bind(queue).fetch_all(conn).await)
        .map_err(Fault::database("read filters"))
}

/// Forgets a filter; no-op when it is gone.
pub async fn drop(tx: &mut Tx, person: &str, queue: &str, name: &str) -> Result<(), Fault> {
    const SQL: &str = "DELETE FROM filters WHERE person = $1 AND queue = $2 AND name = $3";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(person)
        .bind(queue)
        .bind(name)
        .execute(conn)
        .await
        .map(|_| ()))
    .map_err(Fault::database("forget a filter"))
}
