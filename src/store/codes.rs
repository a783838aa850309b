//! Enrolment codes: verifiers and sealed display copies, never the characters.

use engine::{CaseId, Fault, Moment, Tx, on};

/// A row of `enrolment_codes`.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct CodeRow {
    /// The code.
    pub id: i64,
    /// For whom.
    pub user_id: i64,
    /// Under which command.
    pub command_id: String,
    /// Who issued it.
    pub issued_by: String,
    /// PHC string over the peppered characters.
    pub verifier: String,
    /// Id of the pepper's key.
    pub key_id: String,
    /// The display copy.
    pub sealed: Option<Vec<u8>>,
    /// Digest of the ticket that opens it.
    pub ticket: Option<Vec<u8>>,
    /// When it became live.
    pub issued_at: i64,
}

/// A code about to be stored.
#[derive(Debug)]
pub struct NewCode<'a> {
    /// For whom.
    pub user: i64,
    /// Under which command.
    pub command_id: &'a str,
    /// Who issues it.
    pub issued_by: &'a str,
    /// `imported`, `letter` or `colleague`.
    pub source: &'a str,
    /// `taken`, `pending` or `active`.
    pub state: &'a str,
    /// PHC string.
    pub verifier: &'a str,
    /// Id of the pepper's key.
    pub key_id: &'a str,
    /// The display copy with the digest of its ticket.
    pub display: Option<(&'a [u8], [u8; 32])>,
}

/// The case that counts a user's entries of codes.
pub async fn case_of(tx: &mut Tx, user: i64) -> Result<Option<CaseId>, Fault> {
    const SQL: &str = "SELECT case_id FROM enrolments WHERE user_id = $1";
    let found: Option<i64> =
        on!(tx, |conn| sqlx::query_scalar(SQL).bind(user).fetch_optional(conn).await)
            .map_err(Fault::database("find an enrolment"))?;
    Ok(found.map(CaseId))
}

/// Gives a user this case, unless they have one.
pub async fn give_case(tx: &mut Tx, user: i64, case: CaseId) -> Result<(), Fault> {
    const SQL: &str = "INSERT INTO enrolments (user_id, case_id) VALUES ($1,$2) \
         ON CONFLICT (user_id) DO NOTHING";
    on!(tx, |conn| sqlx::query(SQL).bind(user).bind(case.0).execute(conn).await.map(drop))
        .map_err(Fault::database("begin an enrolment"))
}

/// Stores a new code.
pub async fn insert(tx: &mut Tx, new: &NewCode<'_>) -> Result<(), Fault> {
    const SQL: &str = "INSERT INTO enrolment_codes (user_id, command_id, issued_by, source, state, \
         why, verifier, key_id, sealed, ticket, issued_at) \
         VALUES ($1,$2,$3,$4,$5,'',$6,$7,$8,$9,$10)";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL)
        .bind(new.user)
        .bind(new.command_id)
        .bind(new.issued_by)
        .bind(new.source)
        .bind(new.state)
        .bind(new.verifier)
        .bind(new.key_id)
        .bind(new.display.map(|(sealed, _)| sealed))
        .bind(new.display.as_ref().map(|(_, ticket)| ticket.as_slice()))
        .bind(now)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("store a code"))
}

/// The user's live code.
pub async fn active_of_user(tx: &mut Tx, user: i64) -> Result<Option<CodeRow>, Fault> {
    const SQL: &str = "SELECT id, user_id, command_id, issued_by, verifier, key_id, sealed, \
         ticket, issued_at FROM enrolment_codes WHERE user_id = $1 AND state = 'active'";
    on!(tx, |conn| sqlx::query_as(SQL).bind(user).fetch_optional(conn).await)
        .map_err(Fault::database("read a code"))
}

/// True when a code was issued under this command.
pub async fn by_command(tx: &mut Tx, command_id: &str) -> Result<bool, Fault> {
    const SQL: &str = "SELECT COUNT(*) FROM enrolment_codes WHERE command_id = $1";
    let count: i64 = on!(tx, |conn| sqlx::query_scalar(SQL).bind(command_id).fetch_one(conn).await)
        .map_err(Fault::database("find a code"))?;
    Ok(count > 0)
}

/// Makes the code live whose letter is posted now.
pub async fn activate(tx: &mut Tx, user: i64) -> Result<bool, Fault> {
    const SQL: &str = "UPDATE enrolment_codes SET state = 'active', issued_at = $2 \
         WHERE user_id = $1 AND state = 'pending'";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL)
        .bind(user)
        .bind(now)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
    .map_err(Fault::database("activate a code"))
}

/// Makes exactly this code live, which an import has taken; false when it is not there any more.
pub async fn take(tx: &mut Tx, id: i64) -> Result<bool, Fault> {
    const SQL: &str = "UPDATE enrolment_codes SET state = 'active', issued_at = $2 \
         WHERE id = $1 AND state = 'taken'";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
        .bind(now)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
    .map_err(Fault::database("take a code over"))
}

/// Ends the user's live and pending codes.
pub async fn void(tx: &mut Tx, user: i64, why: &str) -> Result<(), Fault> {
    const SQL: &str = "UPDATE enrolment_codes SET state = 'voided', why = $2, settled_at = $3, \
         sealed = NULL WHERE user_id = $1 AND state IN ('active', 'pending')";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL).bind(user).bind(why).bind(now).execute(conn).await.map(drop))
        .map_err(Fault::database("void a code"))
}

/// Destroys the display copies of the user's codes.
pub async fn destroy_copy(tx: &mut Tx, user: i64) -> Result<(), Fault> {
    const SQL: &str =
        "UPDATE enrolment_codes SET sealed = NULL WHERE user_id = $1 AND sealed IS NOT NULL";
    on!(tx, |conn| sqlx::query(SQL).bind(user).execute(conn).await.map(drop))
        .map_err(Fault::database("destroy a display copy"))
}

/// Codes that somebody issued since a moment.
pub async fn issued_since(tx: &mut Tx, actor: &str, since: Moment) -> Result<i64, Fault> {
    const SQL: &str =
        "SELECT COUNT(*) FROM enrolment_codes WHERE issued_by = $1 AND issued_at >= $2";
    on!(tx, |conn| sqlx::query_scalar(SQL).bind(actor).bind(since.0).fetch_one(conn).await)
        .map_err(Fault::database("count codes"))
}

/// Verifier and key id of every code that imports have brought for a user.
pub async fn imported(tx: &mut Tx, user: i64) -> Result<Vec<(String, String)>, Fault> {
    const SQL: &str = "SELECT verifier, key_id FROM enrolment_codes \
         WHERE user_id = $1 AND source = 'imported' ORDER BY id";
    on!(tx, |conn| sqlx::query_as(SQL).bind(user).fetch_all(conn).await)
        .map_err(Fault::database("read imported codes"))
}

/// Codes that an import has taken and nobody has made live yet: code and user, oldest first.
pub async fn taken(tx: &mut Tx, limit: i64) -> Result<Vec<(i64, i64)>, Fault> {
    const SQL: &str =
        "SELECT id, user_id FROM enrolment_codes WHERE state = 'taken' ORDER BY id LIMIT $1";
    on!(tx, |conn| sqlx::query_as(SQL).bind(limit).fetch_all(conn).await)
        .map_err(Fault::database("read imported codes"))
}

/// Puts a taken code aside that could not be made live.
pub async fn put_aside(tx: &mut Tx, id: i64) -> Result<(), Fault> {
    const SQL: &str = "UPDATE enrolment_codes SET state = 'voided', why = 'refused', \
         settled_at = $2 WHERE id = $1 AND state = 'taken'";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL).bind(id).bind(now).execute(conn).await.map(drop))
        .map_err(Fault::database("put a code aside"))
}
