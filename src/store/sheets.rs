//! Where each page of each file lies: every page has one place.

use engine::{Fault, Moment, Tx, on};

/// A page of a file that came.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Sheet {
    /// The file.
    pub arrival: i64,
    /// Its place in the file, from 1.
    pub page: i64,
    /// `case`, `blank`, `cover`, `foreign`, `unidentified`, `duplicate`, `lost`.
    pub place: String,
    /// The envelope in which it lies.
    pub number: Option<i64>,
    /// What comes next of it.
    pub what: String,
}

/// Every place, in the order in which the mail room reads them.
pub const PLACES: [&str; 7] =
    ["case", "unidentified", "foreign", "cover", "blank", "duplicate", "lost"];

/// Gives a page its place; the first one that it gets is its own.
pub async fn put(tx: &mut Tx, sheet: &Sheet) -> Result<(), Fault> {
    const SQL: &str = "INSERT INTO sheets (arrival, page, place, number, what) \
         VALUES ($1,$2,$3,$4,$5) ON CONFLICT (arrival, page) DO NOTHING";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(sheet.arrival)
        .bind(sheet.page)
        .bind(&sheet.place)
        .bind(sheet.number)
        .bind(&sheet.what)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("place a page"))
}

/// What comes next of the pages that a file brought into an envelope.
pub async fn tell(tx: &mut Tx, arrival: i64, number: i64, what: &str) -> Result<(), Fault> {
    const SQL: &str = "UPDATE sheets SET what = $3 WHERE arrival = $1 AND number = $2 \
         AND place <> 'duplicate'";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(arrival)
        .bind(number)
        .bind(what)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("place a page"))
}

/// Pages of an envelope that waited for others do so no longer.
pub async fn go_on(tx: &mut Tx, number: i64) -> Result<(), Fault> {
    const SQL: &str = "UPDATE sheets SET what = 'read' WHERE number = $1 \
         AND what IN ('counting', 'unregistered')";
    on!(tx, |conn| sqlx::query(SQL).bind(number).execute(conn).await.map(drop))
        .map_err(Fault::database("place a page"))
}

/// Whatever was lost is about to get its place by a new reading.
pub async fn forget_lost(tx: &mut Tx, arrival: i64) -> Result<(), Fault> {
    const SQL: &str = "DELETE FROM sheets WHERE arrival = $1 AND place = 'lost'";
    on!(tx, |conn| sqlx::query(SQL).bind(arrival).execute(conn).await.map(drop))
        .map_err(Fault::database("place a page"))
}

/// The pages of one file.
pub async fn of_arrival(tx: &mut Tx, arrival: i64) -> Result<Vec<Sheet>, Fault> {
    const SQL: &str =
        "SELECT arrival, page, place, number, what FROM sheets WHERE arrival = $1 ORDER BY page";
    on!(tx, |conn| sqlx::query_as(SQL).bind(arrival).fetch_all(conn).await)
        .map_err(Fault::database("read the places of pages"))
}

/// The pages of the files that the mail room looks at: of every file that is not done, and of those
/// that came since a moment.
pub async fn recent(tx: &mut Tx, since: Moment) -> Result<Vec<Sheet>, Fault> {
    const SQL: &str = "SELECT s.arrival, s.page, s.place, s.number, s.what FROM arrivals a \
         JOIN sheets s ON s.arrival = a.id WHERE a.came_at >= $1 OR a.state <> 'done' \
         ORDER BY s.arrival, s.page LIMIT 20000";
    on!(tx, |conn| sqlx::query_as(SQL).bind(since.0).fetch_all(conn).await)
        .map_err(Fault::database("read the places of pages"))
}
