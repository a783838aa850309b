//! Holidays that the bank keeps besides the national ones.

use chrono::NaiveDate;
use engine::{Fault, Tx, on};

use super::saved::Saved;

/// Every kept day with its name, in order; a row that is no date is left out.
pub async fn all(tx: &mut Tx) -> Result<Vec<(NaiveDate, String)>, Fault> {
    const SQL: &str = "SELECT day, name FROM holidays ORDER BY day";
    let rows: Vec<(String, String)> = on!(tx, |conn| sqlx::query_as(SQL).fetch_all(conn).await)
        .map_err(Fault::database("read holidays"))?;
    Ok(rows.into_iter().filter_map(|(day, name)| Some((day.parse().ok()?, name))).collect())
}

/// A day that the bank keeps.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Holiday {
    /// ISO date.
    pub day: String,
    /// How it is called.
    pub name: String,
    /// Where it was announced; empty when it came with the ledger.
    pub source: String,
}

/// The kept days from one on, in order.
pub async fn from(tx: &mut Tx, day: &str) -> Result<Vec<Holiday>, Fault> {
    const SQL: &str =
        "SELECT day, name, source FROM holidays WHERE day >= $1 ORDER BY day LIMIT 200";
    on!(tx, |conn| sqlx::query_as(SQL).bind(day).fetch_all(conn).await)
        .map_err(Fault::database("read holidays"))
}

/// One kept day.
pub async fn find(tx: &mut Tx, day: &str) -> Result<Option<Holiday>, Fault> {
    const SQL: &str = "SELECT day, name, source FROM holidays WHERE day = $1";
    on!(tx, |conn| sqlx::query_as(SQL).bind(day).fetch_optional(conn).await)
        .map_err(Fault::database("read a holiday"))
}

/// Keeps one more day.
pub async fn add(tx: &mut Tx, row: &Holiday) -> Result<(), Fault> {
    const SQL: &str = "INSERT INTO holidays (day, name, source) VALUES ($1,$2,$3)";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(&row.day)
        .bind(&row.name)
        .bind(&row.source)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("save a holiday"))
}

/// Keeps a day no longer.
pub async fn remove(tx: &mut Tx, day: &str) -> Result<(), Fault> {
    const SQL: &str = "DELETE FROM holidays WHERE day = $1";
    on!(tx, |conn| sqlx::query(SQL).bind(day).execute(conn).await.map(drop))
        .map_err(Fault::database("remove a holiday"))
}

/// Keeps a day under this name.
pub async fn save(tx: &mut Tx, day: NaiveDate, name: &str) -> Result<Saved, Fault> {
    const FIND: &str = "SELECT name FROM holidays WHERE day = $1";
    const SQL: &str = "INSERT INTO holidays (day, name) VALUES ($1,$2) \
         ON CONFLICT (day) DO UPDATE SET name = excluded.name";
    let day = day.to_string();
    let found: Option<String> =
        on!(tx, |conn| sqlx::query_scalar(FIND).bind(&day).fetch_optional(conn).await)
            .map_err(Fault::database("read a holiday"))?;
    let saved = Saved::of(found.as_deref().as_ref(), &name);
    if saved != Saved::Same {
        on!(tx, |conn| sqlx::query(SQL).bind(&day).bind(name).execute(conn).await.map(drop))
            .map_err(Fault::database("save a holiday"))?;
    }
    Ok(saved)
}
