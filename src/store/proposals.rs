//! What exactly is proposed, beside the cases of proposals.

use engine::{CaseId, Fault, Tx, on};

/// A proposal as it was written down.
#[derive(Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ProposalRow {
    /// Its case.
    pub case_id: i64,
    /// What the case is about.
    pub subject: String,
    /// What shall be, JSON.
    pub change: String,
    /// What it replaces, JSON.
    pub was: String,
    /// The person, as histories name people.
    pub proposed_by: String,
    /// The picture of a specimen, sealed.
    pub picture: Option<Vec<u8>>,
    /// The password, sealed, until it is taken.
    pub sealed_password: Option<Vec<u8>>,
    /// The card's seed, sealed, until it is taken.
    pub sealed_seed: Option<Vec<u8>>,
}

/// A proposal in a list.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ProposalLine {
    /// Its case.
    pub case_id: i64,
    /// What kind of change.
    pub matter: String,
    /// What shall be, JSON.
    pub change: String,
    /// The person, as histories name people.
    pub proposed_by: String,
    /// Where it stands.
    pub state_name: String,
    /// When it was proposed.
    pub opened_at: i64,
}

/// Writes a proposal down.
pub async fn insert(tx: &mut Tx, matter: &str, row: &ProposalRow) -> Result<(), Fault> {
    const SQL: &str = "INSERT INTO proposals (case_id, matter, subject, change, was, proposed_by, \
         picture) VALUES ($1,$2,$3,$4,$5,$6,$7)";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(row.case_id)
        .bind(matter)
        .bind(&row.subject)
        .bind(&row.change)
        .bind(&row.was)
        .bind(&row.proposed_by)
        .bind(row.picture.as_deref())
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("keep a proposal"))
}

/// Finds a proposal.
pub async fn find(tx: &mut Tx, case: CaseId) -> Result<Option<ProposalRow>, Fault> {
    const SQL: &str = "SELECT case_id, subject, change, was, proposed_by, picture, \
         sealed_password, sealed_seed FROM proposals WHERE case_id = $1";
    on!(tx, |conn| sqlx::query_as(SQL).bind(case.0).fetch_optional(conn).await)
        .map_err(Fault::database("read a proposal"))
}

/// Where proposals are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// Contracts and holidays.
    Ledger,
    /// Accounts of staff.
    Accounts,
    /// Legal holds.
    Holds,
}

/// The newest proposals of a list; the open ones first.
pub async fn newest(tx: &mut Tx, list: List) -> Result<Vec<ProposalLine>, Fault> {
    const SQL: &str = "SELECT p.case_id, p.matter, p.change, p.proposed_by, c.state_name, \
         c.opened_at FROM proposals p JOIN cases c ON c.id = p.case_id \
         WHERE $1 = CASE WHEN p.subject LIKE 'account-%' THEN 1 \
         WHEN p.subject LIKE 'case-%' THEN 2 ELSE 0 END ORDER BY CASE WHEN c.ended_at IS NULL THEN 0 ELSE 1 END, p.case_id DESC LIMIT 50";
    let list: i64 = match list {
        List::Ledger => 0,
        List::Accounts => 1,
        List::Holds => 2,
    };
    on!(tx, |conn| sqlx::query_as(SQL).bind(list).fetch_all(conn).await)
        .map_err(Fault::database("read proposals"))
}

/// Whether another proposal about the same waits to be decided.
pub async fn is_open(tx: &mut Tx, subject: &str, besides: CaseId) -> Result<bool, Fault> {
    const SQL: &str = "SELECT COUNT(*) FROM proposals p JOIN cases c ON c.id = p.case_id \
         WHERE p.subject = $1 AND p.case_id <> $2 AND c.state_name = 'Proposed'";
    let count: i64 =
        on!(tx, |conn| sqlx::query_scalar(SQL).bind(subject).bind(besides.0).fetch_one(conn).await)
            .map_err(Fault::database("read proposals"))?;
    Ok(count > 0)
}

/// Keeps the sealed halves of fresh secrets until each is taken.
pub async fn keep_secrets(
    tx: &mut Tx,
    case: CaseId,
    password: &[u8],
    seed: &[u8],
) -> Result<(), Fault> {
    const SQL: &str =
        "UPDATE proposals SET sealed_password = $2, sealed_seed = $3 WHERE case_id = $1";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(case.0)
        .bind(password)
        .bind(seed)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("keep secrets"))
}

/// Something that stands beside a proposal for a time only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// The sealed password.
    Password,
    /// The sealed seed.
    Seed,
    /// The picture of a specimen.
    Picture,
}

/// Destroys it; no-op when it is gone.
pub async fn destroy(tx: &mut Tx, case: CaseId, what: Kept) -> Result<(), Fault> {
    const PASSWORD: &str = "UPDATE proposals SET sealed_password = NULL WHERE case_id = $1";
    const SEED: &str = "UPDATE proposals SET sealed_seed = NULL WHERE case_id = $1";
    const PICTURE: &str = "UPDATE proposals SET picture = NULL WHERE case_id = $1";
    let sql = match what {
        Kept::Password => PASSWORD,
        Kept::Seed => SEED,
        Kept::Picture => PICTURE,
    };
    on!(tx, |conn| sqlx::query(sql).bind(case.0).execute(conn).await.map(drop))
        .map_err(Fault::database("destroy what was kept"))
}

/// Takes the lock under which accounts of staff are changed: whether somebody is the last system
/// administrator depends on all of them.
pub async fn lock_staff(tx: &mut Tx) -> Result<(), Fault> {
    const SQL: &str = "SELECT id FROM staff ORDER BY id FOR UPDATE";
    if tx.kind() == engine::Kind::Sqlite {
        return Ok(());
    }
    let _: Vec<i64> = on!(tx, |conn| sqlx::query_scalar(SQL).fetch_all(conn).await)
        .map_err(Fault::database("lock staff"))?;
    Ok(())
}

/// Takes the lock under which a contract's address and seals are changed.
pub async fn lock_contract(tx: &mut Tx, number: &str) -> Result<(), Fault> {
    const SQL: &str = "SELECT id FROM contracts WHERE number = $1 FOR UPDATE";
    if tx.kind() == engine::Kind::Sqlite {
        return Ok(());
    }
    let _: Option<i64> =
        on!(tx, |conn| sqlx::query_scalar(SQL).bind(number).fetch_optional(conn).await)
            .map_err(Fault::database("lock a contract"))?;
    Ok(())
}
