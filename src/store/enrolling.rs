//! Browsers that have entered an enrolment code. Only digests of what they hold are stored.

use engine::{Fault, Tx, on};

/// A row of `enrolling`.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct EnrollingRow {
    /// Its number.
    pub id: i64,
    /// Whose.
    pub user_id: i64,
    /// The login password was set in it.
    pub login_set: bool,
    /// The transaction password was set in it.
    pub transaction_set: bool,
    /// A card was registered in it.
    pub card_set: bool,
    /// When the code was entered.
    pub opened_at: i64,
    /// When it ended.
    pub ended_at: Option<i64>,
}

/// Begins one.
pub async fn open(tx: &mut Tx, user: i64, token: &[u8; 32]) -> Result<(), Fault> {
    const SQL: &str = "INSERT INTO enrolling (token, user_id, login_set, transaction_set, \
         card_set, opened_at) VALUES ($1,$2,FALSE,FALSE,FALSE,$3)";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL)
        .bind(token.as_slice())
        .bind(user)
        .bind(now)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("open an enrolment"))
}

/// Finds the one of a token.
pub async fn find(tx: &mut Tx, token: &[u8; 32]) -> Result<Option<EnrollingRow>, Fault> {
    const SQL: &str = "SELECT id, user_id, login_set, transaction_set, card_set, opened_at, \
         ended_at FROM enrolling WHERE token = $1";
    on!(tx, |conn| sqlx::query_as(SQL).bind(token.as_slice()).fetch_optional(conn).await)
        .map_err(Fault::database("find an enrolment"))
}

/// Finds one by its number.
pub async fn by_id(tx: &mut Tx, id: i64) -> Result<Option<EnrollingRow>, Fault> {
    const SQL: &str = "SELECT id, user_id, login_set, transaction_set, card_set, opened_at, \
         ended_at FROM enrolling WHERE id = $1";
    on!(tx, |conn| sqlx::query_as(SQL).bind(id).fetch_optional(conn).await)
        .map_err(Fault::database("find an enrolment"))
}

/// Notes in every open one of the user that a secret of this kind is set: whoever enters the code
/// again sees what was done before.
pub async fn note_set(tx: &mut Tx, user: i64, kind: &str) -> Result<(), Fault> {
    let sql = match kind {
        "login" => "UPDATE enrolling SET login_set = TRUE WHERE user_id = $1 AND ended_at IS NULL",
        "transaction" => {
            "UPDATE enrolling SET transaction_set = TRUE WHERE user_id = $1 AND ended_at IS NULL"
        }
        _ => "UPDATE enrolling SET card_set = TRUE WHERE user_id = $1 AND ended_at IS NULL",
    };
    on!(tx, |conn| sqlx::query(sql).bind(user).execute(conn).await.map(drop))
        .map_err(Fault::database("note what was set"))
}

/// What was set in the open ones of a user: login, transaction, card.
pub async fn set_so_far(tx: &mut Tx, user: i64) -> Result<[bool; 3], Fault> {
    const SQL: &str = "SELECT login_set, transaction_set, card_set FROM enrolling \
         WHERE user_id = $1 AND ended_at IS NULL";
    let rows: Vec<(bool, bool, bool)> =
        on!(tx, |conn| sqlx::query_as(SQL).bind(user).fetch_all(conn).await)
            .map_err(Fault::database("read what was set"))?;
    Ok(rows.iter().fold([false; 3], |[a, b, c], row| [a | row.0, b | row.1, c | row.2]))
}

/// Ends every open one of a user, and withdraws the card that was offered.
pub async fn end_all(tx: &mut Tx, user: i64) -> Result<(), Fault> {
    const SQL: &str = "UPDATE enrolling SET ended_at = $2 WHERE user_id = $1 AND ended_at IS NULL";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL).bind(user).bind(now).execute(conn).await.map(drop))
        .map_err(Fault::database("end enrolments"))
}

/// Removes those that ended before a moment.
pub async fn sweep(tx: &mut Tx, before: engine::Moment) -> Result<(), Fault> {
    const SQL: &str = "DELETE FROM enrolling WHERE ended_at < $1";
    on!(tx, |conn| sqlx::query(SQL).bind(before.0).execute(conn).await.map(drop))
        .map_err(Fault::database("sweep enrolments"))
}
