//! What the dashboard counts. Every query reads what changed lately, however many cases there are.

use engine::{Fault, Moment, Tx, on};

/// More than a month's work of a large house.
const MOST: i64 = 20_000;

/// A case of the desk that waits somewhere: its state, and when its form came. The form's other
/// requests count where a paper case at the same desk would stand.
pub async fn waiting(tx: &mut Tx) -> Result<Vec<(String, i64)>, Fault> {
    const SQL: &str = "SELECT CASE WHEN c.workflow = 'paper' THEN c.state_name \
         WHEN c.state_name = 'Received' THEN 'Identified' ELSE 'SealOk' END, \
         COALESCE(r.received_at, c.opened_at) FROM cases c \
         LEFT JOIN reissues r ON r.case_id = c.id WHERE (c.workflow = 'paper' AND c.state_name IN \
         ('Identified', 'Checked', 'SealOk', 'Printed', 'Defect', 'Returned')) \
         OR (c.workflow = 'clerical' AND c.state_name IN ('Received', 'Checked')) LIMIT $1";
    on!(tx, |conn| sqlx::query_as(SQL).bind(MOST).fetch_all(conn).await)
        .map_err(Fault::database("count cases"))
}

/// When the forms came that have come since a moment.
pub async fn came(tx: &mut Tx, since: Moment) -> Result<Vec<i64>, Fault> {
    const SQL: &str = "SELECT received_at FROM reissues WHERE received_at >= $1 \
         AND submission IS NOT NULL ORDER BY received_at LIMIT $2";
    on!(tx, |conn| sqlx::query_scalar(SQL).bind(since.0).bind(MOST).fetch_all(conn).await)
        .map_err(Fault::database("count forms"))
}

/// When forms came that were approved since a moment, and when they were.
pub async fn approved(tx: &mut Tx, since: Moment) -> Result<Vec<(i64, i64)>, Fault> {
    const SQL: &str = "SELECT r.received_at, e.at FROM cases c \
         JOIN reissues r ON r.case_id = c.id JOIN entries e ON e.case_id = c.id \
         WHERE c.changed_at >= $1 AND c.workflow IN ('paper', 'clerical') \
         AND e.kind = 'transition' AND e.command = 'Approve' AND e.at >= $1 \
         ORDER BY e.at LIMIT $2";
    on!(tx, |conn| sqlx::query_as(SQL).bind(since.0).bind(MOST).fetch_all(conn).await)
        .map_err(Fault::database("count approvals"))
}

/// Defect codes, comma-separated, of the forms that have come since a moment.
pub async fn defects(tx: &mut Tx, since: Moment) -> Result<Vec<String>, Fault> {
    const SQL: &str = "SELECT defects FROM reissues WHERE received_at >= $1 AND defects <> '' \
         LIMIT $2";
    on!(tx, |conn| sqlx::query_scalar(SQL).bind(since.0).bind(MOST).fetch_all(conn).await)
        .map_err(Fault::database("count defects"))
}

/// Retrieval passwords that are locked now.
pub async fn locked(tx: &mut Tx) -> Result<i64, Fault> {
    const SQL: &str = "SELECT COUNT(*) FROM cases c JOIN credentials k ON k.case_id = c.id \
         WHERE c.workflow = 'credential' AND c.state_name = 'Locked' AND k.kind = 'retrieval'";
    on!(tx, |conn| sqlx::query_scalar(SQL).fetch_one(conn).await)
        .map_err(Fault::database("count locks"))
}
