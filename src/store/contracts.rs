//! Contracts: one company's service contract each.

use engine::{Fault, Tx, on};

use super::saved::Saved;

/// A contract as the ledger keeps it, without its number in the table.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Contract {
    /// Ten digits.
    pub number: String,
    /// `bizstation` or `light`.
    pub variant: String,
    /// `active`, `suspended` or `closed`.
    pub status: String,
    /// The company's name.
    pub company: String,
    /// Its reading in katakana.
    pub company_kana: String,
    /// Title and name of its representative, as printed on forms.
    pub representative: String,
    /// Three digits.
    pub branch: String,
    /// `ordinary` or `current`.
    pub account_type: String,
    /// Seven digits.
    pub account_number: String,
    /// The registered telephone number.
    pub phone: String,
    /// `ja` or `en`.
    pub language: String,
    /// Known to the customer and the bank only; shown on every page and in every mail.
    pub phrase: String,
    /// Only the user may see a password that a colleague has issued.
    pub target_only_reveal: bool,
}

const BY_NUMBER: &str = "SELECT number, variant, status, company, company_kana, representative, \
     branch, account_type, account_number, phone, language, phrase, target_only_reveal \
     FROM contracts WHERE number = $1";
const BY_ID: &str = "SELECT number, variant, status, company, company_kana, representative, \
     branch, account_type, account_number, phone, language, phrase, target_only_reveal \
     FROM contracts WHERE id = $1";

/// Finds a contract by its ten digits.
pub async fn find(tx: &mut Tx, number: &str) -> Result<Option<Contract>, Fault> {
    on!(tx, |conn| sqlx::query_as(BY_NUMBER).bind(number).fetch_optional(conn).await)
        .map_err(Fault::database("read a contract"))
}

/// Finds a contract by its row.
pub async fn by_id(tx: &mut Tx, id: i64) -> Result<Option<Contract>, Fault> {
    on!(tx, |conn| sqlx::query_as(BY_ID).bind(id).fetch_optional(conn).await)
        .map_err(Fault::database("read a contract"))
}

/// The row of a contract number.
pub async fn id_of(tx: &mut Tx, number: &str) -> Result<Option<i64>, Fault> {
    const SQL: &str = "SELECT id FROM contracts WHERE number = $1";
    on!(tx, |conn| sqlx::query_scalar(SQL).bind(number).fetch_optional(conn).await)
        .map_err(Fault::database("read a contract"))
}

const SAVE: &str = "INSERT INTO contracts (number, variant, status, company, company_kana, \
     representative, branch, account_type, account_number, phone, language, phrase, \
     target_only_reveal) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13) \
     ON CONFLICT (number) DO UPDATE SET variant = excluded.variant, status = excluded.status, \
     company = excluded.company, company_kana = excluded.company_kana, \
     representative = excluded.representative, branch = excluded.branch, \
     account_type = excluded.account_type, account_number = excluded.account_number, \
     phone = excluded.phone, language = excluded.language, phrase = excluded.phrase, \
     target_only_reveal = excluded.target_only_reveal";

/// Brings a contract to this form.
pub async fn save(tx: &mut Tx, row: &Contract) -> Result<Saved, Fault> {
    let saved = Saved::of(find(tx, &row.number).await?.as_ref(), row);
    if saved == Saved::Same {
        return Ok(saved);
    }
    on!(tx, |conn| sqlx::query(SAVE)
        .bind(&row.number)
        .bind(&row.variant)
        .bind(&row.status)
        .bind(&row.company)
        .bind(&row.company_kana)
        .bind(&row.representative)
        .bind(&row.branch)
        .bind(&row.account_type)
        .bind(&row.account_number)
        .bind(&row.phone)
        .bind(&row.language)
        .bind(&row.phrase)
        .bind(row.target_only_reveal)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("save a contract"))?;
    if saved == Saved::Changed {
        super::search::forget(tx, &row.number).await?;
    }
    Ok(saved)
}
