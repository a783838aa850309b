//! Letters: those with a secret, sealed to the print station, and the pile of ordinary ones.

use engine::{CaseId, Fault, Tx, on};

/// A row of `letters`.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct LetterRow {
    /// The letter.
    pub id: i64,
    /// Whose case.
    pub case_id: i64,
    /// The version of the registered address it goes to.
    pub address_version: i64,
    /// Sealed to the print station.
    pub sealed: Vec<u8>,
    /// The same page with ● for every digit.
    pub specimen: Vec<u8>,
    /// `printed`, `spoiled`, `posted`, `delivered` or `returned`.
    pub state: String,
    /// Its batch was counted and agrees.
    pub reconciled: bool,
    /// Registered-mail number.
    pub tracking: String,
    /// When it was delivered, came back, or was spoiled.
    pub settled_at: Option<i64>,
}

/// Stores a letter that was just made.
pub async fn insert(
    tx: &mut Tx,
    case: CaseId,
    address_version: i64,
    sealed: &[u8],
    specimen: &[u8],
) -> Result<(), Fault> {
    const SQL: &str = "INSERT INTO letters (case_id, address_version, sealed, specimen, state, \
         reconciled, tracking, made_at) VALUES ($1,$2,$3,$4,'printed',FALSE,'',$5)";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL)
        .bind(case.0)
        .bind(address_version)
        .bind(sealed)
        .bind(specimen)
        .bind(now)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("store a letter"))
}

/// The newest letter of a case.
pub async fn newest(tx: &mut Tx, case: CaseId) -> Result<Option<LetterRow>, Fault> {
    const SQL: &str = "SELECT id, case_id, address_version, sealed, specimen, state, reconciled, \
         tracking, settled_at FROM letters WHERE case_id = $1 ORDER BY id DESC LIMIT 1";
    on!(tx, |conn| sqlx::query_as(SQL).bind(case.0).fetch_optional(conn).await)
        .map_err(Fault::database("read a letter"))
}

/// A letter with where it goes.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct LetterLine {
    /// Whose case.
    pub case_id: i64,
    /// When the case was opened.
    pub opened_at: i64,
    /// The user.
    pub name: String,
    /// The company.
    pub company: String,
    /// Seven digits.
    pub postal_code: String,
    /// In the version for which the letter was made.
    pub address: String,
    /// When it was made.
    pub made_at: i64,
    /// When it was posted.
    pub posted_at: Option<i64>,
    /// Registered-mail number; empty before.
    pub tracking: String,
    /// When the print station took it.
    pub handed_at: Option<i64>,
}

/// The letters in a state, the oldest first; of a case only the newest.
pub async fn in_state(tx: &mut Tx, state: &str) -> Result<Vec<LetterLine>, Fault> {
    const SQL: &str = "SELECT l.case_id, c.opened_at, u.name, k.company, a.postal_code, a.address, \
         l.made_at, l.posted_at, l.tracking, l.handed_at FROM letters l JOIN cases c ON c.id = l.case_id \
         JOIN reissues r ON r.case_id = l.case_id JOIN users u ON u.id = r.user_id \
         JOIN contracts k ON k.id = u.contract_id \
         JOIN addresses a ON a.contract_id = k.id AND a.version = l.address_version \
         WHERE l.state = $1 ORDER BY l.id LIMIT 200";
    on!(tx, |conn| sqlx::query_as(SQL).bind(state).fetch_all(conn).await)
        .map_err(Fault::database("read letters"))
}

/// True when a letter bears that number.
pub async fn is_used(tx: &mut Tx, tracking: &str) -> Result<bool, Fault> {
    const SQL: &str = "SELECT COUNT(*) FROM letters WHERE tracking = $1";
    let count: i64 = on!(tx, |conn| sqlx::query_scalar(SQL).bind(tracking).fetch_one(conn).await)
        .map_err(Fault::database("read letters"))?;
    Ok(count > 0)
}

/// The case of the posted letter with that number.
pub async fn by_tracking(tx: &mut Tx, tracking: &str) -> Result<Option<i64>, Fault> {
    const SQL: &str = "SELECT case_id FROM letters WHERE tracking = $1 AND tracking <> ''";
    on!(tx, |conn| sqlx::query_scalar(SQL).bind(tracking).fetch_optional(conn).await)
        .map_err(Fault::database("read letters"))
}

/// A sealed letter of the batch, without its content.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, sqlx::FromRow)]
pub struct BatchLine {
    /// The letter.
    pub id: i64,
    /// Whose case.
    pub case_id: i64,
    /// The kind of that case: it tells what the letter brings.
    pub workflow: String,
}

/// The sealed letters that wait for the print station.
pub async fn waiting(tx: &mut Tx) -> Result<Vec<BatchLine>, Fault> {
    const SQL: &str = "SELECT l.id, l.case_id, c.workflow FROM letters l \
         JOIN cases c ON c.id = l.case_id \
         WHERE l.state = 'printed' AND l.handed_at IS NULL ORDER BY l.id";
    on!(tx, |conn| sqlx::query_as(SQL).fetch_all(conn).await)
        .map_err(Fault::database("read the batch"))
}

/// Those that the station has and nobody has counted yet.
pub async fn uncounted(tx: &mut Tx) -> Result<Vec<BatchLine>, Fault> {
    const SQL: &str = "SELECT l.id, l.case_id, c.workflow FROM letters l \
         JOIN cases c ON c.id = l.case_id \
         WHERE l.state = 'printed' AND l.handed_at IS NOT NULL AND NOT l.reconciled ORDER BY l.id";
    on!(tx, |conn| sqlx::query_as(SQL).fetch_all(conn).await)
        .map_err(Fault::database("read the batch"))
}

/// Whose a letter is.
pub async fn case_of(tx: &mut Tx, id: i64) -> Result<Option<i64>, Fault> {
    const SQL: &str = "SELECT case_id FROM letters WHERE id = $1";
    on!(tx, |conn| sqlx::query_scalar(SQL).bind(id).fetch_optional(conn).await)
        .map_err(Fault::database("read a letter"))
}

/// Hands a sealed letter over; `None` when it was handed over before, or is no more to be printed.
pub async fn hand(tx: &mut Tx, id: i64) -> Result<Option<LetterRow>, Fault> {
    const HAND: &str = "UPDATE letters SET handed_at = $2 \
         WHERE id = $1 AND state = 'printed' AND handed_at IS NULL";
    const READ: &str = "SELECT id, case_id, address_version, sealed, specimen, state, reconciled, \
         tracking, settled_at FROM letters WHERE id = $1";
    let now = tx.now().0;
    let handed = on!(tx, |conn| sqlx::query(HAND)
        .bind(id)
        .bind(now)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))
    .map_err(Fault::database("hand a letter over"))?;
    if handed == 0 {
        return Ok(None);
    }
    on!(tx, |conn| sqlx::query_as(READ).bind(id).fetch_optional(conn).await)
        .map_err(Fault::database("read a letter"))
}

/// Whether the letter of a case was printed: the print station has it, and only there it can be read.
pub async fn is_handed(tx: &mut Tx, case: CaseId) -> Result<bool, Fault> {
    const SQL: &str = "SELECT COUNT(*) FROM letters \
         WHERE case_id = $1 AND state = 'printed' AND handed_at IS NOT NULL";
    let count: i64 = on!(tx, |conn| sqlx::query_scalar(SQL).bind(case.0).fetch_one(conn).await)
        .map_err(Fault::database("read letters"))?;
    Ok(count > 0)
}

/// Notes that the batch with the letter of a case was counted and agrees; false while the print station
/// does not have it: what nobody has printed, nobody has counted.
pub async fn reconcile(tx: &mut Tx, case: CaseId) -> Result<bool, Fault> {
    const SQL: &str = "UPDATE letters SET reconciled = TRUE WHERE case_id = $1 AND state = 'printed' \
         AND handed_at IS NOT NULL";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(case.0)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
    .map_err(Fault::database("reconcile a letter"))
}

/// Sets aside the letter of a case that was printed and will not be posted.
pub async fn spoil(tx: &mut Tx, case: CaseId) -> Result<(), Fault> {
    const SQL: &str = "UPDATE letters SET state = 'spoiled', settled_at = $2 \
         WHERE case_id = $1 AND state = 'printed'";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL).bind(case.0).bind(now).execute(conn).await.map(drop))
        .map_err(Fault::database("set a letter aside"))
}

/// Notes that the letter of a case was posted.
pub async fn post(tx: &mut Tx, case: CaseId, tracking: &str) -> Result<(), Fault> {
    const SQL: &str = "UPDATE letters SET state = 'posted', tracking = $2, posted_at = $3 \
         WHERE case_id = $1 AND state = 'printed'";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL)
        .bind(case.0)
        .bind(tracking)
        .bind(now)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("post a letter"))
}

/// Notes that the posted letter of a case was delivered or came back.
pub async fn settle(tx: &mut Tx, case: CaseId, state: &str) -> Result<(), Fault> {
    const SQL: &str = "UPDATE letters SET state = $2, settled_at = $3 \
         WHERE case_id = $1 AND state = 'posted'";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL)
        .bind(case.0)
        .bind(state)
        .bind(now)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("settle a letter"))
}

/// A letter that a notice asks for, such as a returned form's, besides the password letters.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, sqlx::FromRow)]
pub struct LetterDueRow {
    /// The outbox row of the notice.
    pub outbox_id: i64,
    /// The notice.
    pub about: String,
    /// Whose case.
    pub case_id: i64,
    /// To the registered address of this contract.
    pub contract_id: i64,
    /// About this user, if about one.
    pub user_id: Option<i64>,
    /// In this version of the address.
    pub address_version: i64,
    /// ISO date.
    pub due_on: String,
}

/// Puts a letter on the pile to be printed; a second time changes nothing.
pub async fn due(tx: &mut Tx, row: &LetterDueRow) -> Result<(), Fault> {
    const SQL: &str = "INSERT INTO letters_due (outbox_id, about, case_id, contract_id, user_id, \
         address_version, due_on) VALUES ($1,$2,$3,$4,$5,$6,$7) \
         ON CONFLICT (outbox_id, about) DO NOTHING";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(row.outbox_id)
        .bind(&row.about)
        .bind(row.case_id)
        .bind(row.contract_id)
        .bind(row.user_id)
        .bind(row.address_version)
        .bind(&row.due_on)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("put a letter on the pile"))
}

/// A letter on the pile; `None` when it is printed, or was never on it.
pub async fn find_due(
    tx: &mut Tx,
    outbox_id: i64,
    about: &str,
) -> Result<Option<LetterDueRow>, Fault> {
    const SQL: &str = "SELECT outbox_id, about, case_id, contract_id, user_id, address_version, \
         due_on FROM letters_due WHERE outbox_id = $1 AND about = $2 AND printed_at IS NULL";
    on!(tx, |conn| sqlx::query_as(SQL).bind(outbox_id).bind(about).fetch_optional(conn).await)
        .map_err(Fault::database("read a letter"))
}

/// The letters of a case that wait to be printed.
pub async fn due_of_case(tx: &mut Tx, case: CaseId) -> Result<Vec<LetterDueRow>, Fault> {
    const SQL: &str = "SELECT outbox_id, about, case_id, contract_id, user_id, address_version, \
         due_on FROM letters_due WHERE case_id = $1 AND printed_at IS NULL ORDER BY outbox_id";
    on!(tx, |conn| sqlx::query_as(SQL).bind(case.0).fetch_all(conn).await)
        .map_err(Fault::database("read letters"))
}

/// Every ordinary letter that waits to be printed, the oldest first.
pub async fn pile(tx: &mut Tx) -> Result<Vec<LetterDueRow>, Fault> {
    const SQL: &str = "SELECT outbox_id, about, case_id, contract_id, user_id, address_version, \
         due_on FROM letters_due WHERE printed_at IS NULL ORDER BY due_on, outbox_id";
    on!(tx, |conn| sqlx::query_as(SQL).fetch_all(conn).await)
        .map_err(Fault::database("read the pile of letters"))
}

/// Takes a letter off the pile; false when it is not on it.
pub async fn take_off(tx: &mut Tx, outbox_id: i64, about: &str) -> Result<bool, Fault> {
    const SQL: &str = "UPDATE letters_due SET printed_at = $3 \
         WHERE outbox_id = $1 AND about = $2 AND printed_at IS NULL";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL)
        .bind(outbox_id)
        .bind(about)
        .bind(now)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
    .map_err(Fault::database("take a letter off the pile"))
}
