//! Certificates that expire soon, and what was said of them.

use engine::{CaseId, Fault, Moment, Tx, on};

/// A certificate that expires within the time looked at.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Expiring {
    /// Hexadecimal.
    pub serial: String,
    /// Whose.
    pub user_id: i64,
    /// Seconds since 1970 UTC.
    pub not_after: i64,
    /// The case that speaks of it, when something was said before.
    pub case_id: Option<i64>,
    /// The nearest distance told, in days.
    pub told: Option<i64>,
}

/// Active certificates that expire after `from` and until `to` (seconds), and are not replaced by
/// one that lasts longer: a page, beginning behind `after`.
pub async fn between(
    tx: &mut Tx,
    from: i64,
    to: i64,
    after: &(i64, String),
    size: i64,
) -> Result<Vec<Expiring>, Fault> {
    const SQL: &str = "SELECT c.serial, c.user_id, c.not_after, e.case_id, e.told \
         FROM certificates c LEFT JOIN expiries e ON e.serial = c.serial \
         WHERE c.state = 'active' AND c.not_after > $1 AND c.not_after <= $2 \
         AND c.not_after >= $3 AND (c.not_after > $3 OR c.serial > $4) \
         AND NOT EXISTS (SELECT 1 FROM certificates n WHERE n.user_id = c.user_id \
           AND n.state = 'active' AND n.not_after > c.not_after) \
         ORDER BY c.not_after, c.serial LIMIT $5";
    on!(tx, |conn| sqlx::query_as(SQL)
        .bind(from)
        .bind(to)
        .bind(after.0)
        .bind(&after.1)
        .bind(size)
        .fetch_all(conn)
        .await)
    .map_err(Fault::database("read expiring certificates"))
}

/// Begins to speak of a certificate in this case, unless another one does.
pub async fn begin(tx: &mut Tx, serial: &str, user: i64, case: CaseId) -> Result<(), Fault> {
    const SQL: &str = "INSERT INTO expiries (serial, case_id, user_id) VALUES ($1,$2,$3) \
         ON CONFLICT (serial) DO NOTHING";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(serial)
        .bind(case.0)
        .bind(user)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("begin an expiry"))
}

/// The case that speaks of a certificate.
pub async fn case_of(tx: &mut Tx, serial: &str) -> Result<Option<CaseId>, Fault> {
    const SQL: &str = "SELECT case_id FROM expiries WHERE serial = $1";
    let found: Option<i64> =
        on!(tx, |conn| sqlx::query_scalar(SQL).bind(serial).fetch_optional(conn).await)
            .map_err(Fault::database("read an expiry"))?;
    Ok(found.map(CaseId))
}

/// Notes what was said.
pub async fn note_told(tx: &mut Tx, case: CaseId, days: i64) -> Result<(), Fault> {
    const SQL: &str = "UPDATE expiries SET told = $2 WHERE case_id = $1";
    on!(tx, |conn| sqlx::query(SQL).bind(case.0).bind(days).execute(conn).await.map(drop))
        .map_err(Fault::database("note what was said"))
}

/// When the certificate expires that a case speaks of.
pub async fn moment_of(tx: &mut Tx, case: CaseId) -> Result<Option<Moment>, Fault> {
    const SQL: &str = "SELECT c.not_after FROM expiries e \
         JOIN certificates c ON c.serial = e.serial WHERE e.case_id = $1";
    let found: Option<i64> =
        on!(tx, |conn| sqlx::query_scalar(SQL).bind(case.0).fetch_optional(conn).await)
            .map_err(Fault::database("read an expiry"))?;
    Ok(found.map(Moment::from_seconds))
}

/// When the user's certificate that lasts longest expires: the latest active one.
pub async fn of_user(tx: &mut Tx, user: i64) -> Result<Option<Moment>, Fault> {
    const SQL: &str =
        "SELECT MAX(not_after) FROM certificates WHERE user_id = $1 AND state = 'active'";
    let found: Option<i64> =
        on!(tx, |conn| sqlx::query_scalar(SQL).bind(user).fetch_one(conn).await)
            .map_err(Fault::database("read an expiry"))?;
    Ok(found.map(Moment::from_seconds))
}
