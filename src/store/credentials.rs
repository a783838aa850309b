//! The secret halves of credentials; their counters are cases of the engine.

use engine::{CaseId, Fault, Tx, on};

/// A row of `credentials` with the state of its case.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct CredentialRow {
    /// Whose.
    pub user_id: i64,
    /// `login`, `transaction`, `one_time_password` or `retrieval`.
    pub kind: String,
    /// The case that counts its entries.
    pub case_id: i64,
    /// PHC string, or sealed seed in Base64; empty when there is none.
    pub secret: String,
    /// Last accepted time step of a card.
    pub last_step: i64,
    /// The case's state by name; empty before the case was opened.
    pub state_name: String,
}

const COLUMNS: &str = "SELECT k.user_id, k.kind, k.case_id, k.secret, k.last_step, \
     COALESCE(c.state_name, '') AS state_name FROM credentials k \
     LEFT JOIN cases c ON c.id = k.case_id WHERE k.user_id = $1 ORDER BY k.kind";

/// Every credential of a user.
pub async fn of_user(tx: &mut Tx, user: i64) -> Result<Vec<CredentialRow>, Fault> {
    on!(tx, |conn| sqlx::query_as(COLUMNS).bind(user).fetch_all(conn).await)
        .map_err(Fault::database("read credentials"))
}

/// One credential of a user.
pub async fn find(tx: &mut Tx, user: i64, kind: &str) -> Result<Option<CredentialRow>, Fault> {
    Ok(of_user(tx, user).await?.into_iter().find(|row| row.kind == kind))
}

/// The credential whose entries this case counts.
pub async fn of_case(tx: &mut Tx, case: CaseId) -> Result<Option<CredentialRow>, Fault> {
    const SQL: &str = "SELECT k.user_id, k.kind, k.case_id, k.secret, k.last_step, \
         COALESCE(c.state_name, '') AS state_name FROM credentials k \
         LEFT JOIN cases c ON c.id = k.case_id WHERE k.case_id = $1";
    on!(tx, |conn| sqlx::query_as(SQL).bind(case.0).fetch_optional(conn).await)
        .map_err(Fault::database("read a credential"))
}

/// Credentials whose case was never opened, as after an import that was interrupted.
pub async fn without_case(tx: &mut Tx, limit: i64) -> Result<Vec<CredentialRow>, Fault> {
    const SQL: &str = "SELECT k.user_id, k.kind, k.case_id, k.secret, k.last_step, \
         '' AS state_name FROM credentials k \
         LEFT JOIN cases c ON c.id = k.case_id WHERE c.id IS NULL ORDER BY k.case_id LIMIT $1";
    on!(tx, |conn| sqlx::query_as(SQL).bind(limit).fetch_all(conn).await)
        .map_err(Fault::database("read credentials"))
}

/// Credentials whose awaited secret an import has brought.
pub async fn brought(tx: &mut Tx, limit: i64) -> Result<Vec<CredentialRow>, Fault> {
    const SQL: &str = "SELECT k.user_id, k.kind, k.case_id, k.secret, k.last_step, \
         COALESCE(c.state_name, '') AS state_name FROM credentials k \
         LEFT JOIN cases c ON c.id = k.case_id WHERE k.brought ORDER BY k.case_id LIMIT $1";
    on!(tx, |conn| sqlx::query_as(SQL).bind(limit).fetch_all(conn).await)
        .map_err(Fault::database("read credentials"))
}

/// What was brought is enrolled.
pub async fn settle_brought(tx: &mut Tx, case: CaseId) -> Result<(), Fault> {
    const SQL: &str = "UPDATE credentials SET brought = FALSE WHERE case_id = $1";
    on!(tx, |conn| sqlx::query(SQL).bind(case.0).execute(conn).await.map(drop))
        .map_err(Fault::database("settle a credential"))
}

/// Puts a new secret in the place of exactly the one that was judged (any, when none was); false
/// when another came between. An accepted time step is spent, and none becomes fresh again.
pub async fn store(
    tx: &mut Tx,
    case: CaseId,
    secret: &str,
    judged: Option<&str>,
    step: i64,
) -> Result<bool, Fault> {
    const SQL: &str = "UPDATE credentials SET secret = $2, \
         last_step = CASE WHEN last_step < $4 THEN $4 ELSE last_step END \
         WHERE case_id = $1 AND ($3 = '' OR secret = $3)";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(case.0)
        .bind(secret)
        .bind(judged.unwrap_or_default())
        .bind(step)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
    .map_err(Fault::database("store a secret"))
}

/// Accepts a card's time step once: false when this or a later one was accepted before.
pub async fn advance_step(tx: &mut Tx, user: i64, step: i64) -> Result<bool, Fault> {
    const SQL: &str = "UPDATE credentials SET last_step = $2 \
         WHERE user_id = $1 AND kind = 'one_time_password' AND last_step < $2";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(user)
        .bind(step)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
    .map_err(Fault::database("accept a time step"))
}

/// Makes a secret useless.
pub async fn retire(tx: &mut Tx, case: CaseId) -> Result<(), Fault> {
    const SQL: &str = "UPDATE credentials SET secret = '' WHERE case_id = $1";
    on!(tx, |conn| sqlx::query(SQL).bind(case.0).execute(conn).await.map(drop))
        .map_err(Fault::database("retire a secret"))
}
