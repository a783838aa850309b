//! What the ledger says about a user and their contract, in one look.

use engine::{Fault, Tx, on};

/// A user with the contract and the registered address in force.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Standing {
    /// The user.
    #[sqlx(rename = "user_no")]
    pub user: i64,
    /// The contract.
    pub contract: i64,
    /// `active`, `suspended` or `closed`.
    pub contract_status: String,
    /// `active` or `deleted`.
    pub user_status: String,
    /// The user holds the reissue authority.
    pub reissue_authority: bool,
    /// The user needs a certificate.
    pub certificate_required: bool,
    /// Only the user may see a password that a colleague has issued.
    pub target_only_reveal: bool,
    /// The newest version of the registered address.
    pub address_version: i64,
    /// When it became so.
    pub address_changed_at: i64,
}

impl Standing {
    /// The contract is in force.
    pub fn contract_active(&self) -> bool {
        self.contract_status == "active"
    }

    /// The user is in force.
    pub fn user_active(&self) -> bool {
        self.user_status == "active"
    }
}

/// Finds a user's standing; a contract without an address has version 0.
pub async fn find(tx: &mut Tx, user: i64) -> Result<Option<Standing>, Fault> {
    const SQL: &str = "SELECT u.id AS user_no, c.id AS contract, c.status AS contract_status, \
         u.status AS user_status, u.reissue_authority, u.certificate_required, \
         c.target_only_reveal, COALESCE(a.version, 0) AS address_version, \
         COALESCE(a.changed_at, 0) AS address_changed_at \
         FROM users u JOIN contracts c ON c.id = u.contract_id \
         LEFT JOIN addresses a ON a.contract_id = c.id AND a.version = \
           (SELECT MAX(version) FROM addresses WHERE contract_id = c.id) \
         WHERE u.id = $1";
    on!(tx, |conn| sqlx::query_as(SQL).bind(user).fetch_optional(conn).await)
        .map_err(Fault::database("read a user's standing"))
}

/// Takes the locks that come before a case in the lock order: contract shared, then user.
pub async fn lock_user(tx: &mut Tx, user: i64) -> Result<(), Fault> {
    const CONTRACT: &str = "SELECT c.id FROM contracts c JOIN users u ON u.contract_id = c.id \
         WHERE u.id = $1 FOR SHARE OF c";
    const USER: &str = "SELECT id FROM users WHERE id = $1 FOR UPDATE";
    if tx.kind() == engine::Kind::Sqlite {
        return Ok(());
    }
    for sql in [CONTRACT, USER] {
        let _: Option<i64> =
            on!(tx, |conn| sqlx::query_scalar(sql).bind(user).fetch_optional(conn).await)
                .map_err(Fault::database("lock a user"))?;
    }
    Ok(())
}

/// The specimen seal that is valid on a date (ISO), if there is one, and since when it is.
pub async fn valid_specimen(
    tx: &mut Tx,
    contract: i64,
    date: &str,
) -> Result<Option<(i64, String)>, Fault> {
    const SQL: &str = "SELECT id, valid_from FROM specimens WHERE contract_id = $1 \
         AND valid_from <= $2 AND (valid_to IS NULL OR valid_to >= $2) \
         ORDER BY valid_from DESC LIMIT 1";
    on!(tx, |conn| sqlx::query_as(SQL).bind(contract).bind(date).fetch_optional(conn).await)
        .map_err(Fault::database("read a specimen"))
}
