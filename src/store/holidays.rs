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
