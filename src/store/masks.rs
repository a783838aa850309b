//! Where masks lie on pages.

use engine::{CaseId, Fault, Tx, on};

/// A mask on a page.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct MaskRow {
    /// Its case.
    pub case_id: i64,
    /// SHA-256 of the file.
    pub digest: Vec<u8>,
    /// The page's place in the file, from 1.
    pub page: i64,
    /// Ten-thousandths of the page's width and height.
    pub x: i64,
    /// From the upper edge.
    pub y: i64,
    /// To the right.
    pub w: i64,
    /// Down.
    pub h: i64,
    /// The person, as histories name people.
    pub laid_by: String,
    /// 1 once it hides nothing any more.
    pub lifted: i64,
}

/// Writes down where a mask lies.
pub async fn insert(tx: &mut Tx, row: &MaskRow) -> Result<(), Fault> {
    const SQL: &str = "INSERT INTO masks (case_id, digest, page, x, y, w, h, laid_by, lifted) \
         VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(row.case_id)
        .bind(&row.digest)
        .bind(row.page)
        .bind(row.x)
        .bind(row.y)
        .bind(row.w)
        .bind(row.h)
        .bind(&row.laid_by)
        .bind(row.lifted)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("keep a mask"))
}

/// It hides nothing any more.
pub async fn lift(tx: &mut Tx, case: CaseId) -> Result<(), Fault> {
    const SQL: &str = "UPDATE masks SET lifted = 1 WHERE case_id = $1";
    on!(tx, |conn| sqlx::query(SQL).bind(case.0).execute(conn).await.map(drop))
        .map_err(Fault::database("lift a mask"))
}

/// Finds a mask.
pub async fn find(tx: &mut Tx, case: CaseId) -> Result<Option<MaskRow>, Fault> {
    const SQL: &str = "SELECT case_id, digest, page, x, y, w, h, laid_by, lifted FROM masks \
         WHERE case_id = $1";
    on!(tx, |conn| sqlx::query_as(SQL).bind(case.0).fetch_optional(conn).await)
        .map_err(Fault::database("read a mask"))
}

/// Every mask that ever lay on a page, the oldest first.
pub async fn of_page(tx: &mut Tx, digest: &[u8], page: i64) -> Result<Vec<MaskRow>, Fault> {
    const SQL: &str = "SELECT case_id, digest, page, x, y, w, h, laid_by, lifted FROM masks \
         WHERE digest = $1 AND page = $2 ORDER BY case_id";
    on!(tx, |conn| sqlx::query_as(SQL).bind(digest).bind(page).fetch_all(conn).await)
        .map_err(Fault::database("read masks"))
}

/// Whether anything is masked on any page of a file.
pub async fn lie_on(tx: &mut Tx, digest: &[u8]) -> Result<bool, Fault> {
    const SQL: &str = "SELECT COUNT(*) FROM masks WHERE digest = $1 AND lifted = 0";
    let count: i64 = on!(tx, |conn| sqlx::query_scalar(SQL).bind(digest).fetch_one(conn).await)
        .map_err(Fault::database("read masks"))?;
    Ok(count > 0)
}

/// A mask in the list of all.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct MaskLine {
    /// Its case.
    pub case_id: i64,
    /// Where it stands.
    pub state_name: String,
    /// Who laid it.
    pub laid_by: String,
    /// When.
    pub opened_at: i64,
}

/// Those that wait for a decision first, then the newest.
pub async fn newest(tx: &mut Tx) -> Result<Vec<MaskLine>, Fault> {
    const SQL: &str = "SELECT m.case_id, c.state_name, m.laid_by, c.opened_at FROM masks m \
         JOIN cases c ON c.id = m.case_id \
         ORDER BY CASE c.state_name WHEN 'Asked' THEN 0 WHEN 'Shown' THEN 1 ELSE 2 END, \
         m.case_id DESC LIMIT 50";
    on!(tx, |conn| sqlx::query_as(SQL).fetch_all(conn).await).map_err(Fault::database("read masks"))
}

/// How many wait for a decision.
pub async fn asked(tx: &mut Tx) -> Result<i64, Fault> {
    const SQL: &str = "SELECT COUNT(*) FROM cases WHERE workflow = 'mask' AND state_name = 'Asked'";
    on!(tx, |conn| sqlx::query_scalar(SQL).fetch_one(conn).await)
        .map_err(Fault::database("count masks"))
}
