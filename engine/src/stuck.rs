//! Deadlines and kept commands that something broke: tried again with back-off for as long as it
//! takes, because the next version of the program may be able to read them, and shown meanwhile.

use crate::{Fault, Tx, on};

/// A deadline or a kept command that could not be handed to its case.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, sqlx::FromRow)]
pub struct Stuck {
    /// `timer` or `inbox`.
    pub kind: String,
    /// The case it is for.
    pub case_id: i64,
    /// Its workflow, by its stored name.
    pub workflow: String,
    /// Tries that failed so far; 0 when the case does not exist.
    pub failures: i64,
    /// Not tried again before (microseconds since 1970 UTC).
    pub retry_at: i64,
    /// Why the last try failed.
    pub last_error: String,
}

/// What is stuck, oldest failure first.
pub async fn list(tx: &mut Tx, limit: i64) -> Result<Vec<Stuck>, Fault> {
    const SQL: &str = "SELECT 'timer' AS kind, case_id, workflow, failures, retry_at, last_error \
         FROM timers WHERE fired_at IS NULL AND last_error IS NOT NULL \
         UNION ALL SELECT 'inbox', i.case_id, i.workflow, i.failures, i.retry_at, \
         COALESCE(i.last_error, 'the case does not exist') \
         FROM inbox i LEFT JOIN cases c ON c.id = i.case_id \
         WHERE i.status = 'waiting' AND (i.last_error IS NOT NULL OR c.id IS NULL) \
         ORDER BY 5, 2 LIMIT $1";
    on!(tx, |conn| sqlx::query_as(SQL).bind(limit).fetch_all(conn).await)
        .map_err(Fault::database("list what is stuck"))
}
