//! Client certificates and what became of them.

use engine::{CaseId, Fault, Tx, on};

/// A row of `certificates`.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct CertificateRow {
    /// Hexadecimal.
    pub serial: String,
    /// SHA-256 of the certificate.
    pub fingerprint: Vec<u8>,
    /// Whose.
    pub user_id: i64,
    /// Which case made it.
    pub case_id: Option<i64>,
    /// The certificate itself.
    pub der: Vec<u8>,
    /// Seconds since 1970 UTC.
    pub not_before: i64,
    /// Seconds since 1970 UTC.
    pub not_after: i64,
    /// `active`, `held` or `revoked`; expiry is told by the dates.
    pub state: String,
    /// The case that holds it.
    pub held_by: Option<i64>,
    /// Reason of revocation.
    pub why: String,
    /// When the state changed, in microseconds.
    pub changed_at: i64,
    /// Never used.
    pub unused: bool,
    /// The key made on the server, sealed.
    pub sealed_key: Option<Vec<u8>>,
}

impl CertificateRow {
    /// True when it identifies its user at this moment.
    pub fn is_active(&self, seconds: i64) -> bool {
        self.state == "active" && (self.not_before..=self.not_after).contains(&seconds)
    }
}

/// Stores a new, active certificate.
pub async fn insert(tx: &mut Tx, row: &CertificateRow) -> Result<(), Fault> {
    const SQL: &str = "INSERT INTO certificates (serial, fingerprint, user_id, case_id, der, \
         not_before, not_after, state, why, changed_at, unused, sealed_key) \
         VALUES ($1,$2,$3,$4,$5,$6,$7,'active','',$8,FALSE,$9)";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL)
        .bind(&row.serial)
        .bind(&row.fingerprint)
        .bind(row.user_id)
        .bind(row.case_id)
        .bind(&row.der)
        .bind(row.not_before)
        .bind(row.not_after)
        .bind(now)
        .bind(row.sealed_key.as_deref())
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("store a certificate"))
}

const BY_FINGERPRINT: &str = "SELECT serial, fingerprint, user_id, case_id, der, not_before, \
     not_after, state, held_by, why, changed_at, unused, sealed_key FROM certificates \
     WHERE fingerprint = $1";
const BY_USER: &str = "SELECT serial, fingerprint, user_id, case_id, der, not_before, \
     not_after, state, held_by, why, changed_at, unused, sealed_key FROM certificates \
     WHERE user_id = $1 ORDER BY not_before, serial";
const BY_SERIAL: &str = "SELECT serial, fingerprint, user_id, case_id, der, not_before, \
     not_after, state, held_by, why, changed_at, unused, sealed_key FROM certificates \
     WHERE serial = $1";
const NOT_ACTIVE: &str = "SELECT serial, fingerprint, user_id, case_id, der, not_before, \
     not_after, state, held_by, why, changed_at, unused, sealed_key FROM certificates \
     WHERE state <> 'active' AND not_after >= $1 ORDER BY changed_at, serial";

/// The exact certificate.
pub async fn by_fingerprint(
    tx: &mut Tx,
    digest: &[u8; 32],
) -> Result<Option<CertificateRow>, Fault> {
    on!(tx, |conn| sqlx::query_as(BY_FINGERPRINT)
        .bind(digest.as_slice())
        .fetch_optional(conn)
        .await)
    .map_err(Fault::database("read a certificate"))
}

/// The certificate of a serial number.
pub async fn by_serial(tx: &mut Tx, serial: &str) -> Result<Option<CertificateRow>, Fault> {
    on!(tx, |conn| sqlx::query_as(BY_SERIAL).bind(serial).fetch_optional(conn).await)
        .map_err(Fault::database("read a certificate"))
}

/// Every certificate of a user, oldest first.
pub async fn of_user(tx: &mut Tx, user: i64) -> Result<Vec<CertificateRow>, Fault> {
    on!(tx, |conn| sqlx::query_as(BY_USER).bind(user).fetch_all(conn).await)
        .map_err(Fault::database("read certificates"))
}

/// Held and revoked certificates that have not expired before `seconds`: the revocation list.
pub async fn not_active(tx: &mut Tx, seconds: i64) -> Result<Vec<CertificateRow>, Fault> {
    on!(tx, |conn| sqlx::query_as(NOT_ACTIVE).bind(seconds).fetch_all(conn).await)
        .map_err(Fault::database("read revoked certificates"))
}

/// Holds every active certificate of the user for `case`, and takes over those held by others.
pub async fn hold(tx: &mut Tx, user: i64, case: CaseId) -> Result<(), Fault> {
    const SQL: &str = "UPDATE certificates SET state = 'held', held_by = $2, changed_at = $3 \
         WHERE user_id = $1 AND state IN ('active', 'held')";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL).bind(user).bind(case.0).bind(now).execute(conn).await.map(drop))
        .map_err(Fault::database("hold certificates"))
}

/// Releases what `case` holds.
pub async fn release(tx: &mut Tx, case: CaseId) -> Result<(), Fault> {
    const SQL: &str = "UPDATE certificates SET state = 'active', held_by = NULL, changed_at = $2 \
         WHERE held_by = $1 AND state = 'held'";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL).bind(case.0).bind(now).execute(conn).await.map(drop))
        .map_err(Fault::database("release certificates"))
}

/// Which certificates of a user are revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// All of them.
    All,
    /// All but the newest one that this case made.
    AllButNewest,
    /// The one that this case made last.
    Newest,
}

/// Revokes certificates of a user; their server-made keys are destroyed.
pub async fn revoke(
    tx: &mut Tx,
    user: i64,
    case: CaseId,
    which: Which,
    why: &str,
) -> Result<(), Fault> {
    let newest = newest_of_case(tx, case).await?.unwrap_or_default();
    let sql = match which {
        Which::All => {
            "UPDATE certificates SET state = 'revoked', held_by = NULL, why = $2, changed_at = $3, \
             sealed_key = NULL WHERE user_id = $1 AND state <> 'revoked' AND $4 = $4"
        }
        Which::AllButNewest => {
            "UPDATE certificates SET state = 'revoked', held_by = NULL, why = $2, changed_at = $3, \
             sealed_key = NULL WHERE user_id = $1 AND state <> 'revoked' AND serial <> $4"
        }
        Which::Newest => {
            "UPDATE certificates SET state = 'revoked', held_by = NULL, why = $2, changed_at = $3, \
             sealed_key = NULL WHERE user_id = $1 AND state <> 'revoked' AND serial = $4"
        }
    };
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(sql)
        .bind(user)
        .bind(why)
        .bind(now)
        .bind(&newest)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("revoke certificates"))
}

/// The serial of the certificate that a case made last.
pub async fn newest_of_case(tx: &mut Tx, case: CaseId) -> Result<Option<String>, Fault> {
    const SQL: &str = "SELECT serial FROM certificates WHERE case_id = $1 \
         ORDER BY changed_at DESC, serial LIMIT 1";
    on!(tx, |conn| sqlx::query_scalar(SQL).bind(case.0).fetch_optional(conn).await)
        .map_err(Fault::database("read a case's certificate"))
}

/// Destroys the sealed key of the certificates that a case made.
pub async fn destroy_key(tx: &mut Tx, case: CaseId) -> Result<(), Fault> {
    const SQL: &str = "UPDATE certificates SET sealed_key = NULL WHERE case_id = $1";
    on!(tx, |conn| sqlx::query(SQL).bind(case.0).execute(conn).await.map(drop))
        .map_err(Fault::database("destroy a key"))
}

/// Flags the certificates that a case made as never used.
pub async fn flag_unused(tx: &mut Tx, case: CaseId) -> Result<(), Fault> {
    const SQL: &str = "UPDATE certificates SET unused = TRUE WHERE case_id = $1";
    on!(tx, |conn| sqlx::query(SQL).bind(case.0).execute(conn).await.map(drop))
        .map_err(Fault::database("flag a certificate"))
}

/// True when the user got a certificate after `since` that is not revoked.
pub async fn obtained_since(tx: &mut Tx, user: i64, since: i64) -> Result<bool, Fault> {
    const SQL: &str = "SELECT COUNT(*) FROM certificates WHERE user_id = $1 AND state <> 'revoked' \
         AND case_id IS NOT NULL AND not_before * 1000000 > $2";
    let count: i64 =
        on!(tx, |conn| sqlx::query_scalar(SQL).bind(user).bind(since).fetch_one(conn).await)
            .map_err(Fault::database("read certificates"))?;
    Ok(count > 0)
}
