//! Retrieval passwords: verifiers and sealed display copies, never the digits.

use engine::{CaseId, Fault, Moment, Tx, on};

/// A row of `retrieval_passwords`.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct PasswordRow {
    /// The password.
    pub id: i64,
    /// Which case issued it.
    pub case_id: i64,
    /// For whom.
    pub user_id: i64,
    /// Under which command.
    pub command_id: String,
    /// By which way.
    pub channel: String,
    /// `pending`, `active`, `used`, `expired`, `voided` or `locked`.
    pub state: String,
    /// PHC string over the peppered digits.
    pub verifier: String,
    /// Id of the pepper's key.
    pub key_id: String,
    /// The display copy.
    pub sealed: Option<Vec<u8>>,
    /// Digest of the ticket that opens it.
    pub ticket: Option<Vec<u8>>,
    /// When it was issued.
    pub issued_at: i64,
}

/// A password about to be stored.
#[derive(Debug)]
pub struct NewPassword<'a> {
    /// Which case issues it.
    pub case: CaseId,
    /// For whom.
    pub user: i64,
    /// Under which command.
    pub command_id: &'a str,
    /// Who issues it.
    pub issued_by: &'a str,
    /// By which way.
    pub channel: &'a str,
    /// Waits for its letter to be posted.
    pub pending: bool,
    /// PHC string.
    pub verifier: &'a str,
    /// Id of the pepper's key.
    pub key_id: &'a str,
    /// The display copy with the digest of its ticket.
    pub display: Option<(&'a [u8], [u8; 32])>,
}

/// Stores a new password.
pub async fn insert(tx: &mut Tx, new: &NewPassword<'_>) -> Result<(), Fault> {
    const SQL: &str = "INSERT INTO retrieval_passwords (case_id, user_id, command_id, issued_by, \
         channel, state, why, verifier, key_id, sealed, ticket, issued_at) \
         VALUES ($1,$2,$3,$4,$5,$6,'',$7,$8,$9,$10,$11)";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL)
        .bind(new.case.0)
        .bind(new.user)
        .bind(new.command_id)
        .bind(new.issued_by)
        .bind(new.channel)
        .bind(if new.pending { "pending" } else { "active" })
        .bind(new.verifier)
        .bind(new.key_id)
        .bind(new.display.map(|(sealed, _)| sealed))
        .bind(new.display.as_ref().map(|(_, ticket)| ticket.as_slice()))
        .bind(now)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("store a password"))
}

/// Ends every active password of a user in favour of a newer one.
pub async fn supersede(tx: &mut Tx, user: i64) -> Result<(), Fault> {
    const SQL: &str = "UPDATE retrieval_passwords SET state = 'voided', why = 'superseded', \
         settled_at = $2, sealed = NULL WHERE user_id = $1 AND state = 'active'";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL).bind(user).bind(now).execute(conn).await.map(drop))
        .map_err(Fault::database("supersede passwords"))
}

/// Makes a case's pending password active.
pub async fn activate(tx: &mut Tx, case: CaseId) -> Result<(), Fault> {
    const SQL: &str = "UPDATE retrieval_passwords SET state = 'active' \
         WHERE case_id = $1 AND state = 'pending'";
    on!(tx, |conn| sqlx::query(SQL).bind(case.0).execute(conn).await.map(drop))
        .map_err(Fault::database("activate a password"))
}

/// Ends a case's pending or active password.
pub async fn void(tx: &mut Tx, case: CaseId, state: &str, why: &str) -> Result<(), Fault> {
    const SQL: &str = "UPDATE retrieval_passwords SET state = $2, why = $3, settled_at = $4, \
         sealed = NULL WHERE case_id = $1 AND state IN ('pending', 'active')";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL)
        .bind(case.0)
        .bind(state)
        .bind(why)
        .bind(now)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("void a password"))
}

/// Ends the user's active password.
pub async fn void_of_user(tx: &mut Tx, user: i64, state: &str, why: &str) -> Result<(), Fault> {
    const SQL: &str = "UPDATE retrieval_passwords SET state = $2, why = $3, settled_at = $4, \
         sealed = NULL WHERE user_id = $1 AND state = 'active'";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL)
        .bind(user)
        .bind(state)
        .bind(why)
        .bind(now)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("void a password"))
}

/// Marks exactly this password as used, if it is still active; false when it is not.
pub async fn mark_used(tx: &mut Tx, id: i64) -> Result<bool, Fault> {
    const SQL: &str = "UPDATE retrieval_passwords SET state = 'used', settled_at = $2, \
         sealed = NULL WHERE id = $1 AND state = 'active'";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
        .bind(now)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
    .map_err(Fault::database("use a password"))
}

/// Destroys a case's display copy.
pub async fn destroy_copy(tx: &mut Tx, case: CaseId) -> Result<(), Fault> {
    const SQL: &str = "UPDATE retrieval_passwords SET sealed = NULL WHERE case_id = $1";
    on!(tx, |conn| sqlx::query(SQL).bind(case.0).execute(conn).await.map(drop))
        .map_err(Fault::database("destroy a display copy"))
}

/// The user's active password.
pub async fn active_of_user(tx: &mut Tx, user: i64) -> Result<Option<PasswordRow>, Fault> {
    const SQL: &str = "SELECT id, case_id, user_id, command_id, channel, state, verifier, key_id, \
         sealed, ticket, issued_at FROM retrieval_passwords \
         WHERE user_id = $1 AND state = 'active'";
    on!(tx, |conn| sqlx::query_as(SQL).bind(user).fetch_optional(conn).await)
        .map_err(Fault::database("read a password"))
}

/// The newest password of a case, whatever became of it.
pub async fn newest_of_case(tx: &mut Tx, case: CaseId) -> Result<Option<PasswordRow>, Fault> {
    const SQL: &str = "SELECT id, case_id, user_id, command_id, channel, state, verifier, key_id, \
         sealed, ticket, issued_at FROM retrieval_passwords \
         WHERE case_id = $1 ORDER BY id DESC LIMIT 1";
    on!(tx, |conn| sqlx::query_as(SQL).bind(case.0).fetch_optional(conn).await)
        .map_err(Fault::database("read a password"))
}

/// When the newest password of a case was issued.
pub async fn issued_at(tx: &mut Tx, case: CaseId) -> Result<Option<Moment>, Fault> {
    Ok(newest_of_case(tx, case).await?.map(|row| Moment(row.issued_at)))
}
