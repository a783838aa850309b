//! Pages as people look at them, sealed at rest.

use engine::{Fault, Tx, on};

/// Keeps a picture of a page of a file; the same once more changes nothing.
pub async fn keep(
    tx: &mut Tx,
    digest: &[u8],
    page: i64,
    part: &str,
    sealed: &[u8],
) -> Result<(), Fault> {
    const SQL: &str = "INSERT INTO pictures (digest, page, part, picture) VALUES ($1,$2,$3,$4) \
         ON CONFLICT (digest, page, part) DO NOTHING";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(digest)
        .bind(page)
        .bind(part)
        .bind(sealed)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("keep a picture"))
}

/// A picture of a page of a file.
pub async fn find(
    tx: &mut Tx,
    digest: &[u8],
    page: i64,
    part: &str,
) -> Result<Option<Vec<u8>>, Fault> {
    const SQL: &str = "SELECT picture FROM pictures WHERE digest = $1 AND page = $2 AND part = $3";
    on!(tx, |conn| sqlx::query_scalar(SQL)
        .bind(digest)
        .bind(page)
        .bind(part)
        .fetch_optional(conn)
        .await)
    .map_err(Fault::database("read a picture"))
}

/// Whether there is a picture of a page.
pub async fn is_kept(tx: &mut Tx, digest: &[u8], page: i64) -> Result<bool, Fault> {
    const SQL: &str =
        "SELECT COUNT(*) FROM pictures WHERE digest = $1 AND page = $2 AND part = 'page'";
    let count: i64 =
        on!(tx, |conn| sqlx::query_scalar(SQL).bind(digest).bind(page).fetch_one(conn).await)
            .map_err(Fault::database("read a picture"))?;
    Ok(count > 0)
}
