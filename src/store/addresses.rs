//! Registered addresses of contracts; each change is a new version.

use engine::{Fault, Tx, on};

use super::saved::Saved;

/// A version of a contract's registered address.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Address {
    /// The contract's row.
    pub contract_id: i64,
    /// From 1; the greatest is the one in force.
    pub version: i64,
    /// Seven digits.
    pub postal_code: String,
    /// In full, on one line.
    pub address: String,
    /// When it became so.
    pub changed_at: i64,
}

/// The address in force.
pub async fn current(tx: &mut Tx, contract: i64) -> Result<Option<Address>, Fault> {
    const SQL: &str = "SELECT contract_id, version, postal_code, address, changed_at \
         FROM addresses WHERE contract_id = $1 ORDER BY version DESC LIMIT 1";
    on!(tx, |conn| sqlx::query_as(SQL).bind(contract).fetch_optional(conn).await)
        .map_err(Fault::database("read an address"))
}

/// One version of an address.
pub async fn find(tx: &mut Tx, contract: i64, version: i64) -> Result<Option<Address>, Fault> {
    const SQL: &str = "SELECT contract_id, version, postal_code, address, changed_at \
         FROM addresses WHERE contract_id = $1 AND version = $2";
    on!(tx, |conn| sqlx::query_as(SQL).bind(contract).bind(version).fetch_optional(conn).await)
        .map_err(Fault::database("read an address"))
}

/// Makes this the address in force: a new version, unless it is the same already.
pub async fn save(tx: &mut Tx, row: &Address) -> Result<Saved, Fault> {
    const SQL: &str = "INSERT INTO addresses (contract_id, version, postal_code, address, \
         changed_at) VALUES ($1,$2,$3,$4,$5)";
    let found = current(tx, row.contract_id).await?;
    let version = found.as_ref().map_or(1, |found| found.version + 1);
    let same = found.as_ref().map(|found| Address { version: row.version, ..found.clone() });
    let saved = Saved::of(same.as_ref(), row);
    if saved == Saved::Same {
        return Ok(saved);
    }
    on!(tx, |conn| sqlx::query(SQL)
        .bind(row.contract_id)
        .bind(version)
        .bind(&row.postal_code)
        .bind(&row.address)
        .bind(row.changed_at)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("save an address"))?;
    Ok(saved)
}
