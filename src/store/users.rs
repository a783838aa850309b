//! Users of contracts, and their authorities.

use engine::{Fault, Tx, on};

use super::saved::Saved;

/// A user as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct User {
    /// The contract's row.
    pub contract_id: i64,
    /// Nine digits, never reused within the contract.
    pub user_id: String,
    /// The name.
    pub name: String,
    /// Its reading in katakana.
    pub kana: String,
    /// The department; may be empty.
    pub department: String,
    /// The title; may be empty.
    pub title: String,
    /// The e-mail address; may be empty.
    pub email: String,
    /// `ja` or `en`.
    pub language: String,
    /// `active` or `deleted`.
    pub status: String,
    /// Holds the reissue authority (再発行の実行権限).
    pub reissue_authority: bool,
    /// Needs a certificate to log in.
    pub certificate_required: bool,
}

const BY_NUMBER: &str = "SELECT contract_id, user_id, name, kana, department, title, email, \
     language, status, reissue_authority, certificate_required FROM users \
     WHERE contract_id = $1 AND user_id = $2";
const BY_ID: &str = "SELECT contract_id, user_id, name, kana, department, title, email, language, \
     status, reissue_authority, certificate_required FROM users WHERE id = $1";

/// Finds a user by contract and nine digits.
pub async fn find(tx: &mut Tx, contract: i64, user_id: &str) -> Result<Option<User>, Fault> {
    on!(tx, |conn| sqlx::query_as(BY_NUMBER)
        .bind(contract)
        .bind(user_id)
        .fetch_optional(conn)
        .await)
    .map_err(Fault::database("read a user"))
}

/// Finds a user by row.
pub async fn by_id(tx: &mut Tx, id: i64) -> Result<Option<User>, Fault> {
    on!(tx, |conn| sqlx::query_as(BY_ID).bind(id).fetch_optional(conn).await)
        .map_err(Fault::database("read a user"))
}

/// The row of a user.
pub async fn id_of(tx: &mut Tx, contract: i64, user_id: &str) -> Result<Option<i64>, Fault> {
    const SQL: &str = "SELECT id FROM users WHERE contract_id = $1 AND user_id = $2";
    on!(tx, |conn| sqlx::query_scalar(SQL).bind(contract).bind(user_id).fetch_optional(conn).await)
        .map_err(Fault::database("read a user"))
}

/// Everybody of a contract, deleted ones included, in the order of their numbers.
pub async fn of_contract(tx: &mut Tx, contract: i64) -> Result<Vec<User>, Fault> {
    const SQL: &str = "SELECT contract_id, user_id, name, kana, department, title, email, \
         language, status, reissue_authority, certificate_required FROM users \
         WHERE contract_id = $1 ORDER BY user_id";
    on!(tx, |conn| sqlx::query_as(SQL).bind(contract).fetch_all(conn).await)
        .map_err(Fault::database("read users"))
}

const SAVE: &str = "INSERT INTO users (contract_id, user_id, name, kana, department, title, email, \
     language, status, reissue_authority, certificate_required) \
     VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11) \
     ON CONFLICT (contract_id, user_id) DO UPDATE SET name = excluded.name, kana = excluded.kana, \
     department = excluded.department, title = excluded.title, email = excluded.email, \
     language = excluded.language, status = excluded.status, \
     reissue_authority = excluded.reissue_authority, \
     certificate_required = excluded.certificate_required";

/// Brings a user to this form.
pub async fn save(tx: &mut Tx, row: &User) -> Result<Saved, Fault> {
    let saved = Saved::of(find(tx, row.contract_id, &row.user_id).await?.as_ref(), row);
    if saved == Saved::Same {
        return Ok(saved);
    }
    on!(tx, |conn| sqlx::query(SAVE)
        .bind(row.contract_id)
        .bind(&row.user_id)
        .bind(&row.name)
        .bind(&row.kana)
        .bind(&row.department)
        .bind(&row.title)
        .bind(&row.email)
        .bind(&row.language)
        .bind(&row.status)
        .bind(row.reissue_authority)
        .bind(row.certificate_required)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("save a user"))?;
    // Of somebody new nothing is known to be forgotten.
    if saved == Saved::Changed
        && let Some(contract) = super::contracts::by_id(tx, row.contract_id).await?
    {
        super::search::forget(tx, &contract.number).await?;
    }
    Ok(saved)
}

/// What a message must know about somebody it goes to.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Reader {
    /// The user's row.
    pub id: i64,
    /// The name.
    pub name: String,
    /// The e-mail address; may be empty.
    pub email: String,
    /// `ja` or `en`.
    pub language: String,
    /// Holds the reissue authority.
    pub reissue_authority: bool,
}

/// The active users of a contract who get its messages: `user` (when given) and everybody with
/// the reissue authority, in the order of their rows.
pub async fn readers(tx: &mut Tx, contract: i64, user: Option<i64>) -> Result<Vec<Reader>, Fault> {
    const SQL: &str = "SELECT id, name, email, language, reissue_authority FROM users \
         WHERE contract_id = $1 AND status = 'active' AND (id = $2 OR reissue_authority) \
         ORDER BY id";
    on!(tx, |conn| sqlx::query_as(SQL).bind(contract).bind(user.unwrap_or(0)).fetch_all(conn).await)
        .map_err(Fault::database("read who gets a message"))
}
