//! Impressions compared with those on other forms of a contract, and what was found.

use engine::{Fault, Tx, on};

/// A form that bears the impression of another one.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Reuse {
    /// The other form's number.
    pub other: i64,
    /// Of the ink's unevenness, in hundredths.
    pub sameness: i64,
    /// The other form's receipt number.
    pub receipt: String,
    /// The case of its envelope.
    pub envelope: i64,
    /// A case that still goes by that form; none while nothing was opened, or once a newer form came.
    pub case_id: Option<i64>,
    /// When that was opened.
    pub opened_at: Option<i64>,
    /// Its paper went back: nobody at a desk sees its pages any more.
    pub closed: bool,
}

/// The forms of a contract that were scanned, but for one of them; those scanned last first.
pub async fn others(tx: &mut Tx, contract: i64, but: i64, most: i64) -> Result<Vec<i64>, Fault> {
    const SQL: &str = "SELECT s.number FROM submissions s JOIN pages p ON p.submission = s.number \
         WHERE s.contract_id = $1 AND s.number <> $2 \
         GROUP BY s.number ORDER BY MAX(p.scanned_at) DESC, s.number LIMIT $3";
    on!(tx, |conn| sqlx::query_scalar(SQL)
        .bind(contract)
        .bind(but)
        .bind(most)
        .fetch_all(conn)
        .await)
    .map_err(Fault::database("read forms of a contract"))
}

/// Writes down that a form's impression was compared, and with which others it is the same, in the place of
/// what was found before.
pub async fn keep(
    tx: &mut Tx,
    number: i64,
    compared: i64,
    found: &[(i64, i64)],
) -> Result<(), Fault> {
    const MADE: &str = "INSERT INTO impressions (number, compared, compared_at) VALUES ($1,$2,$3)";
    const FOUND: &str = "INSERT INTO reuses (number, other, sameness) VALUES ($1,$2,$3)";
    forget(tx, number).await?;
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(MADE)
        .bind(number)
        .bind(compared)
        .bind(now)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("keep a comparison"))?;
    for (other, sameness) in found {
        on!(tx, |conn| sqlx::query(FOUND)
            .bind(number)
            .bind(other)
            .bind(sameness)
            .execute(conn)
            .await
            .map(drop))
        .map_err(Fault::database("keep a comparison"))?;
    }
    Ok(())
}

/// Nothing is said of a form's impression any more.
pub async fn forget(tx: &mut Tx, number: i64) -> Result<(), Fault> {
    for sql in ["DELETE FROM reuses WHERE number = $1", "DELETE FROM impressions WHERE number = $1"]
    {
        on!(tx, |conn| sqlx::query(sql).bind(number).execute(conn).await.map(drop))
            .map_err(Fault::database("forget a comparison"))?;
    }
    Ok(())
}

/// With how many others a form's impression was compared; none before it was.
pub async fn compared(tx: &mut Tx, number: i64) -> Result<Option<i64>, Fault> {
    const SQL: &str = "SELECT compared FROM impressions WHERE number = $1";
    on!(tx, |conn| sqlx::query_scalar(SQL).bind(number).fetch_optional(conn).await)
        .map_err(Fault::database("read a comparison"))
}

/// The forms of the same contract that bear the same impression, whichever came first, each once; the most
/// alike first.
pub async fn reuses(tx: &mut Tx, number: i64) -> Result<Vec<Reuse>, Fault> {
    const SQL: &str = "SELECT found.other, found.sameness, s.receipt, s.case_id AS envelope, \
         c.id AS case_id, c.opened_at, EXISTS (SELECT 1 FROM pages p \
         WHERE p.submission = found.other AND p.closed) AS closed \
         FROM (SELECT other, MAX(sameness) AS sameness FROM \
         (SELECT other, sameness FROM reuses WHERE number = $1 \
         UNION ALL SELECT number AS other, sameness FROM reuses WHERE other = $1) both_ways \
         GROUP BY other) found \
         JOIN submissions s ON s.number = found.other \
         JOIN submissions own ON own.number = $1 AND own.contract_id = s.contract_id \
         LEFT JOIN cases c ON c.id = (SELECT MIN(i.case_id) FROM items i \
         JOIN reissues r ON r.case_id = i.case_id AND r.submission = i.submission \
         WHERE i.submission = found.other) \
         ORDER BY found.sameness DESC, found.other";
    on!(tx, |conn| sqlx::query_as(SQL).bind(number).fetch_all(conn).await)
        .map_err(Fault::database("read a comparison"))
}
