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
    /// A case that the other form asked for; none while nothing was opened.
    pub case_id: Option<i64>,
    /// When that was opened.
    pub opened_at: Option<i64>,
}

/// The forms of a contract that came in an envelope, but for one of them; the newest first.
pub async fn others(tx: &mut Tx, contract: i64, but: i64, most: i64) -> Result<Vec<i64>, Fault> {
    const SQL: &str = "SELECT number FROM submissions WHERE contract_id = $1 AND number <> $2 \
         AND reading <> '' ORDER BY case_id DESC LIMIT $3";
    on!(tx, |conn| sqlx::query_scalar(SQL)
        .bind(contract)
        .bind(but)
        .bind(most)
        .fetch_all(conn)
        .await)
    .map_err(Fault::database("read forms of a contract"))
}

/// Writes down that a form's impression was compared, and with which others it is the same. Compared once
/// more, the newer finding counts.
pub async fn keep(
    tx: &mut Tx,
    number: i64,
    compared: i64,
    found: &[(i64, i64)],
) -> Result<(), Fault> {
    const MADE: &str = "INSERT INTO impressions (number, compared, compared_at) VALUES ($1,$2,$3) \
         ON CONFLICT (number) DO UPDATE SET compared = $2, compared_at = $3";
    const FOUND: &str = "INSERT INTO reuses (number, other, sameness) VALUES ($1,$2,$3) \
         ON CONFLICT (number, other) DO UPDATE SET sameness = $3";
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

/// With how many others a form's impression was compared; none before it was.
pub async fn compared(tx: &mut Tx, number: i64) -> Result<Option<i64>, Fault> {
    const SQL: &str = "SELECT compared FROM impressions WHERE number = $1";
    on!(tx, |conn| sqlx::query_scalar(SQL).bind(number).fetch_optional(conn).await)
        .map_err(Fault::database("read a comparison"))
}

/// The forms that bear the same impression, whichever came first; the most alike first.
pub async fn reuses(tx: &mut Tx, number: i64) -> Result<Vec<Reuse>, Fault> {
    const SQL: &str = "SELECT found.other, found.sameness, s.receipt, c.id AS case_id, c.opened_at \
         FROM (SELECT other, sameness FROM reuses WHERE number = $1 \
         UNION ALL SELECT number AS other, sameness FROM reuses WHERE other = $1) found \
         JOIN submissions s ON s.number = found.other \
         LEFT JOIN cases c ON c.id = \
         (SELECT MIN(i.case_id) FROM items i WHERE i.submission = found.other) \
         ORDER BY found.sameness DESC, found.other";
    on!(tx, |conn| sqlx::query_as(SQL).bind(number).fetch_all(conn).await)
        .map_err(Fault::database("read a comparison"))
}
