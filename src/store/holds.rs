//! Legal holds on cases.

use engine::{CaseId, Fault, Moment, Tx, on};

/// A hold.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct HoldRow {
    /// Its number.
    pub id: i64,
    /// The case that is held.
    pub case_id: i64,
    /// The number of the dispute or request.
    pub reference: String,
    /// Why.
    pub reason: String,
    /// Who proposed it, as histories name people.
    pub placed_by: String,
    /// Who approved it.
    pub approved_by: String,
    /// When.
    pub placed_at: i64,
    /// The case of the proposal.
    pub proposal: i64,
    /// When it was lifted.
    pub lifted_at: Option<i64>,
    /// The case of the proposal that lifted it.
    pub lift_proposal: Option<i64>,
}

/// A hold in a list, with what is held.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct HoldLine {
    /// The hold.
    #[sqlx(flatten)]
    pub hold: HoldRow,
    /// The kind of the case.
    pub workflow: String,
    /// When the case was opened.
    pub opened_at: i64,
}

/// Kinds of cases that can be held: what customers ask for, and what is done about it.
pub const HELD_KINDS: [&str; 6] =
    ["self_service", "delegated", "paper", "clerical", "submission", "task"];

/// Places a hold.
pub async fn place(tx: &mut Tx, row: &HoldRow) -> Result<(), Fault> {
    const SQL: &str = "INSERT INTO holds (case_id, reference, reason, placed_by, approved_by, \
         placed_at, proposal) VALUES ($1,$2,$3,$4,$5,$6,$7)";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(row.case_id)
        .bind(&row.reference)
        .bind(&row.reason)
        .bind(&row.placed_by)
        .bind(&row.approved_by)
        .bind(row.placed_at)
        .bind(row.proposal)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("place a hold"))
}

/// Lifts a hold; false when it was not in force.
pub async fn lift(
    tx: &mut Tx,
    case: i64,
    reference: &str,
    proposal: CaseId,
    at: Moment,
) -> Result<bool, Fault> {
    const SQL: &str = "UPDATE holds SET lifted_at = $3, lift_proposal = $4 \
         WHERE case_id = $1 AND reference = $2 AND lifted_at IS NULL";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(case)
        .bind(reference)
        .bind(at.0)
        .bind(proposal.0)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
    .map_err(Fault::database("lift a hold"))
}

/// The holds of a case, the newest first.
pub async fn of_case(tx: &mut Tx, case: CaseId) -> Result<Vec<HoldRow>, Fault> {
    const SQL: &str = "SELECT id, case_id, reference, reason, placed_by, approved_by, placed_at, \
         proposal, lifted_at, lift_proposal FROM holds WHERE case_id = $1 ORDER BY id DESC";
    on!(tx, |conn| sqlx::query_as(SQL).bind(case.0).fetch_all(conn).await)
        .map_err(Fault::database("read holds"))
}

/// A hold in force.
pub async fn in_force(tx: &mut Tx, case: i64, reference: &str) -> Result<Option<HoldRow>, Fault> {
    let all = of_case(tx, CaseId(case)).await?;
    Ok(all.into_iter().find(|row| row.lifted_at.is_none() && row.reference == reference))
}

/// The kind of a case; `None` when there is no such case.
pub async fn kind_of(tx: &mut Tx, case: i64) -> Result<Option<String>, Fault> {
    const SQL: &str = "SELECT workflow FROM cases WHERE id = $1";
    on!(tx, |conn| sqlx::query_scalar(SQL).bind(case).fetch_optional(conn).await)
        .map_err(Fault::database("find a case"))
}

/// Every hold, those in force first.
pub async fn all(tx: &mut Tx, size: i64) -> Result<Vec<HoldLine>, Fault> {
    const SQL: &str = "SELECT h.id, h.case_id, h.reference, h.reason, h.placed_by, h.approved_by, \
         h.placed_at, h.proposal, h.lifted_at, h.lift_proposal, c.workflow, c.opened_at \
         FROM holds h JOIN cases c ON c.id = h.case_id \
         ORDER BY CASE WHEN h.lifted_at IS NULL THEN 0 ELSE 1 END, h.id DESC LIMIT $1";
    on!(tx, |conn| sqlx::query_as(SQL).bind(size).fetch_all(conn).await)
        .map_err(Fault::database("read holds"))
}
