//! Browsers in which staff have signed in. Only digests of what they hold are stored.

use engine::{Fault, Tx, on};

/// A session of a member of staff.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct StaffSession {
    /// Its number.
    pub id: i64,
    /// Whose: the account.
    pub login: String,
    /// By which means it began.
    pub means: String,
    /// When it began.
    pub created_at: i64,
    /// When it was last used, to the minute.
    pub touched_at: i64,
    /// When it ended.
    pub ended_at: Option<i64>,
}

/// Begins a session.
pub async fn create(
    tx: &mut Tx,
    token: &[u8; 32],
    login: &str,
    place: &str,
    means: &str,
) -> Result<(), Fault> {
    const SQL: &str = "INSERT INTO staff_sessions (token, login, place, means, created_at, \
         touched_at) VALUES ($1,$2,$3,$4,$5,$5)";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL)
        .bind(token.as_slice())
        .bind(login)
        .bind(place)
        .bind(means)
        .bind(now)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("begin a session"))
}

/// Finds the session of a token.
pub async fn find(tx: &mut Tx, token: &[u8; 32]) -> Result<Option<StaffSession>, Fault> {
    const SQL: &str = "SELECT id, login, means, created_at, touched_at, ended_at FROM staff_sessions \
         WHERE token = $1";
    on!(tx, |conn| sqlx::query_as(SQL).bind(token.as_slice()).fetch_optional(conn).await)
        .map_err(Fault::database("find a session"))
}

/// Notes that a session is in use.
pub async fn touch(tx: &mut Tx, id: i64) -> Result<(), Fault> {
    const SQL: &str = "UPDATE staff_sessions SET touched_at = $2 WHERE id = $1 AND touched_at < $2";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL).bind(id).bind(now).execute(conn).await.map(drop))
        .map_err(Fault::database("touch a session"))
}

/// Ends one session.
pub async fn end(tx: &mut Tx, id: i64) -> Result<(), Fault> {
    const SQL: &str = "UPDATE staff_sessions SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL).bind(id).bind(now).execute(conn).await.map(drop))
        .map_err(Fault::database("end a session"))
}

/// Ends every session of an account.
pub async fn end_all(tx: &mut Tx, login: &str) -> Result<(), Fault> {
    const SQL: &str =
        "UPDATE staff_sessions SET ended_at = $2 WHERE login = $1 AND ended_at IS NULL";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL).bind(login).bind(now).execute(conn).await.map(drop))
        .map_err(Fault::database("end the sessions of an account"))
}
