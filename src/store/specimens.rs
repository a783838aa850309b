//! Registered seals (届出印): sealed pictures with the dates between which they are valid.

use engine::{Fault, Tx, on};

use super::saved::Saved;

/// A specimen as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Specimen {
    /// The contract's row.
    pub contract_id: i64,
    /// ISO date from which it is valid.
    pub valid_from: String,
    /// ISO date until which it is valid, if it ended.
    pub valid_to: Option<String>,
    /// SHA-256 of the picture.
    pub digest: Vec<u8>,
    /// PNG, sealed at rest under [`PURPOSE`] with [`sealing_data`].
    pub picture: Vec<u8>,
}

/// What the pictures are sealed for.
pub const PURPOSE: &str = "specimen";

/// What a sealed picture is bound to: its contract and its own digest.
pub fn sealing_data(contract_number: &str, digest: &[u8]) -> Vec<u8> {
    [contract_number.as_bytes(), b"/", digest].concat()
}

/// Finds a specimen by its row.
pub async fn by_id(tx: &mut Tx, id: i64) -> Result<Option<Specimen>, Fault> {
    const SQL: &str = "SELECT contract_id, valid_from, valid_to, digest, picture FROM specimens \
         WHERE id = $1";
    on!(tx, |conn| sqlx::query_as(SQL).bind(id).fetch_optional(conn).await)
        .map_err(Fault::database("read a specimen"))
}

/// Finds the specimen of a contract that became valid on a day.
pub async fn find(tx: &mut Tx, contract: i64, from: &str) -> Result<Option<Specimen>, Fault> {
    const SQL: &str = "SELECT contract_id, valid_from, valid_to, digest, picture FROM specimens \
         WHERE contract_id = $1 AND valid_from = $2";
    on!(tx, |conn| sqlx::query_as(SQL).bind(contract).bind(from).fetch_optional(conn).await)
        .map_err(Fault::database("read a specimen"))
}

/// The specimens of a contract: from when until when, and the digest; the newest first.
pub async fn of_contract(
    tx: &mut Tx,
    contract: i64,
) -> Result<Vec<(String, Option<String>, Vec<u8>)>, Fault> {
    const SQL: &str = "SELECT valid_from, valid_to, digest FROM specimens WHERE contract_id = $1 \
         ORDER BY valid_from DESC";
    on!(tx, |conn| sqlx::query_as(SQL).bind(contract).fetch_all(conn).await)
        .map_err(Fault::database("read specimens"))
}

/// Ends the specimens that began before a day and have no end yet, on the day before.
pub async fn end_before(
    tx: &mut Tx,
    contract: i64,
    from: &str,
    day_before: &str,
) -> Result<(), Fault> {
    const SQL: &str = "UPDATE specimens SET valid_to = $3 \
         WHERE contract_id = $1 AND valid_from < $2 AND (valid_to IS NULL OR valid_to >= $2)";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(contract)
        .bind(from)
        .bind(day_before)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("save a specimen"))
}

/// Brings the specimen of a contract and day to this form. Sealed bytes differ each time, so the
/// digests are compared.
pub async fn save(tx: &mut Tx, row: &Specimen) -> Result<Saved, Fault> {
    const SQL: &str = "INSERT INTO specimens (contract_id, valid_from, valid_to, digest, picture) \
         VALUES ($1,$2,$3,$4,$5) ON CONFLICT (contract_id, valid_from) DO UPDATE SET \
         valid_to = excluded.valid_to, digest = excluded.digest, picture = excluded.picture";
    let found = find(tx, row.contract_id, &row.valid_from).await?;
    let comparable = found.map(|found| Specimen { picture: row.picture.clone(), ..found });
    let saved = Saved::of(comparable.as_ref(), row);
    if saved == Saved::Same {
        return Ok(saved);
    }
    on!(tx, |conn| sqlx::query(SQL)
        .bind(row.contract_id)
        .bind(&row.valid_from)
        .bind(row.valid_to.as_deref())
        .bind(&row.digest)
        .bind(&row.picture)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("save a specimen"))?;
    Ok(saved)
}
