//! Logged-in browsers. Only digests of what they hold are stored.

use engine::{Fault, Moment, Tx, on};

/// A session.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Session {
    /// Stays the same when the token changes.
    pub id: i64,
    /// Whose.
    pub user_id: i64,
    /// Digest of the display ticket.
    pub ticket: Vec<u8>,
    /// Serial of the certificate it is bound to, on the certificate site.
    pub certificate: Option<String>,
    /// When the login password was right.
    pub login_at: Option<i64>,
    /// When a one-time password was right.
    pub otp_at: Option<i64>,
    /// When the transaction password was right.
    pub transaction_at: Option<i64>,
    /// When it began.
    pub created_at: i64,
    /// When it was last used, to the minute.
    pub touched_at: i64,
    /// When it ended.
    pub ended_at: Option<i64>,
}

const COLUMNS: &str = "SELECT id, user_id, ticket, certificate, login_at, otp_at, transaction_at, \
     created_at, touched_at, ended_at FROM sessions WHERE token = $1";
const BY_ID: &str = "SELECT id, user_id, ticket, certificate, login_at, otp_at, transaction_at, \
     created_at, touched_at, ended_at FROM sessions WHERE id = $1";

/// Begins a session that has proven nothing yet.
pub async fn create(
    tx: &mut Tx,
    user: i64,
    token: &[u8; 32],
    ticket: &[u8; 32],
    certificate: Option<&str>,
    place: &str,
) -> Result<i64, Fault> {
    const SQL: &str = "INSERT INTO sessions (token, user_id, ticket, certificate, place, \
         created_at, touched_at) VALUES ($1,$2,$3,$4,$5,$6,$6) RETURNING id";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query_scalar(SQL)
        .bind(token.as_slice())
        .bind(user)
        .bind(ticket.as_slice())
        .bind(certificate)
        .bind(place)
        .bind(now)
        .fetch_one(conn)
        .await)
    .map_err(Fault::database("begin a session"))
}

/// Finds the session of a token.
pub async fn find(tx: &mut Tx, token: &[u8; 32]) -> Result<Option<Session>, Fault> {
    on!(tx, |conn| sqlx::query_as(COLUMNS).bind(token.as_slice()).fetch_optional(conn).await)
        .map_err(Fault::database("find a session"))
}

/// Finds a session by its number.
pub async fn by_id(tx: &mut Tx, id: i64) -> Result<Option<Session>, Fault> {
    on!(tx, |conn| sqlx::query_as(BY_ID).bind(id).fetch_optional(conn).await)
        .map_err(Fault::database("find a session"))
}

/// Gives a session a new token, as at every rise of privilege; the display ticket stays.
pub async fn rotate(tx: &mut Tx, id: i64, token: &[u8; 32]) -> Result<(), Fault> {
    const SQL: &str = "UPDATE sessions SET token = $2, touched_at = $3 WHERE id = $1";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
        .bind(token.as_slice())
        .bind(now)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("renew a session"))
}

/// Notes that a session is in use.
pub async fn touch(tx: &mut Tx, id: i64) -> Result<(), Fault> {
    const SQL: &str = "UPDATE sessions SET touched_at = $2 WHERE id = $1 AND touched_at < $2";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL).bind(id).bind(now).execute(conn).await.map(drop))
        .map_err(Fault::database("touch a session"))
}

/// What a session has proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The login password.
    Login,
    /// A one-time password.
    OneTimePassword,
    /// The transaction password.
    Transaction,
}

/// Records a proof in a session that is still alive; false when it is not.
pub async fn vouch(tx: &mut Tx, id: i64, proof: Proof) -> Result<bool, Fault> {
    let sql = match proof {
        Proof::Login => "UPDATE sessions SET login_at = $2 WHERE id = $1 AND ended_at IS NULL",
        Proof::OneTimePassword => {
            "UPDATE sessions SET otp_at = $2 WHERE id = $1 AND ended_at IS NULL"
        }
        Proof::Transaction => {
            "UPDATE sessions SET transaction_at = $2 WHERE id = $1 AND ended_at IS NULL"
        }
    };
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(sql)
        .bind(id)
        .bind(now)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
    .map_err(Fault::database("record a proof"))
}

/// A transaction password vouches for one act only.
pub async fn spend_transaction(tx: &mut Tx, id: i64) -> Result<(), Fault> {
    const SQL: &str = "UPDATE sessions SET transaction_at = NULL WHERE id = $1";
    on!(tx, |conn| sqlx::query(SQL).bind(id).execute(conn).await.map(drop))
        .map_err(Fault::database("spend a proof"))
}

/// Ends one session.
pub async fn end(tx: &mut Tx, id: i64) -> Result<(), Fault> {
    const SQL: &str = "UPDATE sessions SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL).bind(id).bind(now).execute(conn).await.map(drop))
        .map_err(Fault::database("end a session"))
}

/// Ends every session of a user.
pub async fn end_all(tx: &mut Tx, user: i64) -> Result<(), Fault> {
    const SQL: &str = "UPDATE sessions SET ended_at = $2 WHERE user_id = $1 AND ended_at IS NULL";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL).bind(user).bind(now).execute(conn).await.map(drop))
        .map_err(Fault::database("end a user's sessions"))
}

/// Ends every session of a user but one.
pub async fn end_others(tx: &mut Tx, user: i64, id: i64) -> Result<(), Fault> {
    const SQL: &str = "UPDATE sessions SET ended_at = $3 \
         WHERE user_id = $1 AND id <> $2 AND ended_at IS NULL";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL).bind(user).bind(id).bind(now).execute(conn).await.map(drop))
        .map_err(Fault::database("end a user's other sessions"))
}

/// Removes sessions that ended or were last used before `before`. The newest stays, whatever its age:
/// its number must never be given again, because histories and command ids speak of it.
pub async fn sweep(tx: &mut Tx, before: Moment) -> Result<u64, Fault> {
    const SQL: &str = "DELETE FROM sessions WHERE touched_at < $1 \
         AND id < (SELECT MAX(id) FROM sessions)";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(before.0)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))
    .map_err(Fault::database("sweep sessions"))
}
