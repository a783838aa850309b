//! Who has which case in hand, and until when.

use engine::{CaseId, Fault, Moment, Tx, on};

/// A claim that lasts.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Claim {
    /// The person.
    pub person: String,
    /// The account.
    pub login: String,
    /// The name of the account.
    pub name: String,
    /// When it began.
    pub taken_at: i64,
    /// When it ends by itself.
    pub until: i64,
}

/// The claim on a case, if one lasts.
pub async fn find(tx: &mut Tx, case: CaseId) -> Result<Option<Claim>, Fault> {
    const SQL: &str = "SELECT c.person, c.login, COALESCE(s.name, c.login) AS name, c.taken_at, \
         c.until FROM claims c LEFT JOIN staff s ON s.login = c.login \
         WHERE c.case_id = $1 AND c.until > $2";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query_as(SQL).bind(case.0).bind(now).fetch_optional(conn).await)
        .map_err(Fault::database("read a claim"))
}

/// Takes a case for a person until a moment; false while somebody else's claim lasts. One statement:
/// of two who try at once, one gets it.
pub async fn take(
    tx: &mut Tx,
    case: CaseId,
    person: &str,
    login: &str,
    until: Moment,
) -> Result<bool, Fault> {
    const SQL: &str = "INSERT INTO claims (case_id, person, login, taken_at, until) \
         VALUES ($1,$2,$3,$4,$5) ON CONFLICT (case_id) DO UPDATE SET \
         taken_at = CASE WHEN claims.person = excluded.person AND claims.until > excluded.taken_at \
             THEN claims.taken_at ELSE excluded.taken_at END, \
         person = excluded.person, login = excluded.login, until = excluded.until \
         WHERE claims.person = excluded.person OR claims.until <= excluded.taken_at";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL)
        .bind(case.0)
        .bind(person)
        .bind(login)
        .bind(now)
        .bind(until.0)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
    .map_err(Fault::database("take a case"))
}

/// Ends a person's claim on a case; false when there was none.
pub async fn release(tx: &mut Tx, case: CaseId, person: &str) -> Result<bool, Fault> {
    const SQL: &str = "DELETE FROM claims WHERE case_id = $1 AND person = $2";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(case.0)
        .bind(person)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
    .map_err(Fault::database("put a case back"))
}
