//! What a customer's pages show of their user, in few statements.

use engine::{Fault, Tx, on};

/// A credential with the state of its case as stored.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct CredentialStanding {
    /// `login`, `transaction`, `one_time_password` or `retrieval`.
    pub kind: String,
    /// The case's state, JSON; empty before it was opened.
    pub state: String,
}

/// Every credential of a user.
pub async fn credentials(tx: &mut Tx, user: i64) -> Result<Vec<CredentialStanding>, Fault> {
    const SQL: &str = "SELECT k.kind, COALESCE(c.state, '') AS state FROM credentials k \
         LEFT JOIN cases c ON c.id = k.case_id WHERE k.user_id = $1";
    on!(tx, |conn| sqlx::query_as(SQL).bind(user).fetch_all(conn).await)
        .map_err(Fault::database("read credentials"))
}

/// An open case of a user.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct CaseStanding {
    /// The case.
    pub case_id: i64,
    /// `self_service`, `delegated`, `paper` or `clerical`.
    pub channel: String,
    /// The state's name.
    pub state_name: String,
    /// A danger sign that nobody has cleared.
    pub danger: bool,
    /// When it was opened, in microseconds.
    pub opened_at: i64,
}

/// The open cases of a user, the newest first.
pub async fn open_cases(tx: &mut Tx, user: i64) -> Result<Vec<CaseStanding>, Fault> {
    const SQL: &str = "SELECT r.case_id, r.channel, c.state_name, r.danger, r.opened_at \
         FROM reissues r JOIN cases c ON c.id = r.case_id \
         WHERE r.user_id = $1 AND c.ended_at IS NULL ORDER BY r.case_id DESC";
    on!(tx, |conn| sqlx::query_as(SQL).bind(user).fetch_all(conn).await)
        .map_err(Fault::database("read open cases"))
}

/// The certificate of a user that counts.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct CertificateLine {
    /// Hexadecimal.
    pub serial: String,
    /// `active`, `held` or `revoked`.
    pub state: String,
    /// Seconds since 1970 UTC.
    pub not_before: i64,
    /// Seconds since 1970 UTC.
    pub not_after: i64,
}

/// The certificate of a user that counts: the active one that lasts longest, then a held one, then
/// what was revoked last.
pub async fn certificate(tx: &mut Tx, user: i64) -> Result<Option<CertificateLine>, Fault> {
    const SQL: &str = "SELECT serial, state, not_before, not_after FROM certificates \
         WHERE user_id = $1 ORDER BY CASE state WHEN 'active' THEN 0 WHEN 'held' THEN 1 ELSE 2 \
         END, not_after DESC LIMIT 1";
    on!(tx, |conn| sqlx::query_as(SQL).bind(user).fetch_optional(conn).await)
        .map_err(Fault::database("read certificates"))
}

/// Whether another holder of the authority can log in with a certificate, and whether one could
/// reissue for themselves first.
pub async fn colleagues(tx: &mut Tx, user: i64) -> Result<(bool, bool), Fault> {
    const SQL: &str = "SELECT CAST(COALESCE(MAX(CASE WHEN EXISTS (SELECT 1 FROM certificates t \
           WHERE t.user_id = o.id AND t.state = 'active' AND t.not_before <= $2 \
           AND t.not_after >= $2) THEN 1 ELSE 0 END), 0) AS BIGINT), \
         CAST(COALESCE(MAX(CASE WHEN EXISTS (SELECT 1 FROM credentials p JOIN cases q \
           ON q.id = p.case_id WHERE p.user_id = o.id AND p.kind = 'one_time_password' \
           AND q.state_name = 'Active') AND NOT EXISTS (SELECT 1 FROM credentials r JOIN cases s \
           ON s.id = r.case_id WHERE r.user_id = o.id AND r.kind = 'retrieval' \
           AND s.state_name = 'Locked') THEN 1 ELSE 0 END), 0) AS BIGINT) \
         FROM users u JOIN users o ON o.contract_id = u.contract_id AND o.id <> u.id \
         JOIN credentials k ON k.user_id = o.id AND k.kind = 'login' \
         JOIN cases c ON c.id = k.case_id AND c.state_name = 'Active' \
         WHERE u.id = $1 AND o.reissue_authority AND o.status = 'active'";
    let now = tx.now().seconds();
    let (can_log_in, qualifies): (i64, i64) =
        on!(tx, |conn| sqlx::query_as(SQL).bind(user).bind(now).fetch_one(conn).await)
            .map_err(Fault::database("read colleagues"))?;
    Ok((can_log_in > 0, qualifies > 0))
}

/// What hangs on the users of a contract, or on one of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hanging {
    /// How many users it is about who are not deleted.
    pub users: i64,
    /// Their open cases: number, and when each was opened.
    pub cases: Vec<(i64, i64)>,
    /// Their certificates in force.
    pub certificates: i64,
    /// Their live sessions.
    pub sessions: i64,
}

/// See [`Hanging`]; an empty user is everybody of the contract. At most 50 cases are named.
pub async fn hanging(tx: &mut Tx, contract: &str, user_id: &str) -> Result<Hanging, Fault> {
    const USERS: &str = "SELECT COUNT(*) FROM users u JOIN contracts c ON c.id = u.contract_id \
         WHERE c.number = $1 AND ($2 = '' OR u.user_id = $2) AND u.status = 'active'";
    const CASES: &str = "SELECT r.case_id, k.opened_at FROM reissues r \
         JOIN users u ON u.id = r.user_id JOIN contracts c ON c.id = u.contract_id \
         JOIN cases k ON k.id = r.case_id WHERE c.number = $1 AND ($2 = '' OR u.user_id = $2) \
         AND k.ended_at IS NULL ORDER BY r.case_id DESC LIMIT 50";
    const CERTIFICATES: &str = "SELECT COUNT(*) FROM certificates f JOIN users u ON u.id = f.user_id \
         JOIN contracts c ON c.id = u.contract_id WHERE c.number = $1 \
         AND ($2 = '' OR u.user_id = $2) AND f.state = 'active' AND f.not_after > $3";
    const SESSIONS: &str = "SELECT COUNT(*) FROM sessions s JOIN users u ON u.id = s.user_id \
         JOIN contracts c ON c.id = u.contract_id WHERE c.number = $1 \
         AND ($2 = '' OR u.user_id = $2) AND s.ended_at IS NULL";
    let read = Fault::database("read what hangs on users");
    let users = on!(tx, |conn| sqlx::query_scalar(USERS)
        .bind(contract)
        .bind(user_id)
        .fetch_one(conn)
        .await)
    .map_err(&read)?;
    let cases =
        on!(tx, |conn| sqlx::query_as(CASES).bind(contract).bind(user_id).fetch_all(conn).await)
            .map_err(&read)?;
    let now = tx.now().seconds();
    let certificates = on!(tx, |conn| sqlx::query_scalar(CERTIFICATES)
        .bind(contract)
        .bind(user_id)
        .bind(now)
        .fetch_one(conn)
        .await)
    .map_err(&read)?;
    let sessions = on!(tx, |conn| sqlx::query_scalar(SESSIONS)
        .bind(contract)
        .bind(user_id)
        .fetch_one(conn)
        .await)
    .map_err(&read)?;
    Ok(Hanging { users, cases, certificates, sessions })
}
