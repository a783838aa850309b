//! Tasks of people, linked to the cases they are about.

use engine::{CaseId, Fault, Tx, on};

/// Links a task to the case it is about.
pub async fn link(tx: &mut Tx, task: CaseId, kind: &str, about: CaseId) -> Result<(), Fault> {
    const SQL: &str = "INSERT INTO tasks (case_id, kind, about_case) VALUES ($1,$2,$3)";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(task.0)
        .bind(kind)
        .bind(about.0)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("link a task"))
}

/// The tasks about a case.
pub async fn about(tx: &mut Tx, case: CaseId) -> Result<Vec<(i64, String)>, Fault> {
    const SQL: &str = "SELECT case_id, kind FROM tasks WHERE about_case = $1 ORDER BY case_id";
    on!(tx, |conn| sqlx::query_as(SQL).bind(case.0).fetch_all(conn).await)
        .map_err(Fault::database("read tasks"))
}

/// A task that is not done, with the case it is about.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct TaskLine {
    /// The task.
    pub case_id: i64,
    /// Its kind.
    pub kind: String,
    /// `Overdue` or `GivenUp` once the supervisor was told.
    pub escalated: String,
    /// When it was opened.
    pub opened_at: i64,
    /// The case it is about.
    pub about_case: i64,
    /// That case's kind.
    pub about_workflow: String,
    /// Its state's name.
    pub about_state: String,
    /// When it was opened.
    pub about_opened_at: i64,
    /// The user; empty where it is about an envelope, of which the company may be known.
    pub name: String,
    /// The company.
    pub company: String,
    /// The registered telephone number: calls go there and nowhere else.
    pub phone: String,
    /// What is wrong with the form, by code with commas between.
    pub defects: String,
    /// What was asked for on the form, by the name of its box; empty where there is no form.
    pub request: String,
}

/// The tasks that are not done, the oldest first.
pub async fn open(tx: &mut Tx) -> Result<Vec<TaskLine>, Fault> {
    const SQL: &str = "SELECT t.case_id, t.kind, t.escalated, c.opened_at, t.about_case, \
         a.workflow AS about_workflow, a.state_name AS about_state, \
         a.opened_at AS about_opened_at, COALESCE(u.name, '') AS name, \
         COALESCE(k.company, '') AS company, COALESCE(k.phone, '') AS phone, \
         COALESCE(r.defects, '') AS defects, COALESCE((SELECT MIN(i.request) FROM items i \
         WHERE i.case_id = t.about_case), '') AS request \
         FROM cases c JOIN tasks t ON t.case_id = c.id JOIN cases a ON a.id = t.about_case \
         LEFT JOIN users u ON u.id = CASE WHEN a.subject LIKE 'user-%' \
         THEN CAST(SUBSTR(a.subject, 6) AS BIGINT) END \
         LEFT JOIN submissions s ON s.case_id = t.about_case \
         LEFT JOIN contracts k ON k.id = COALESCE(u.contract_id, s.contract_id) \
         LEFT JOIN reissues r ON r.case_id = t.about_case \
         WHERE c.workflow = 'task' AND c.state_name IN ('Open', 'Owned', 'Recorded') \
         ORDER BY c.opened_at, c.id LIMIT 100";
    on!(tx, |conn| sqlx::query_as(SQL).fetch_all(conn).await).map_err(Fault::database("read tasks"))
}

/// The case that a task is about, and its kind.
pub async fn subject_of(tx: &mut Tx, task: CaseId) -> Result<Option<(i64, String)>, Fault> {
    const SQL: &str = "SELECT t.about_case, c.workflow FROM tasks t \
         JOIN cases c ON c.id = t.about_case WHERE t.case_id = $1";
    on!(tx, |conn| sqlx::query_as(SQL).bind(task.0).fetch_optional(conn).await)
        .map_err(Fault::database("read tasks"))
}

/// True when a task of this kind about a case is not done yet.
pub async fn is_open(tx: &mut Tx, about: CaseId, kind: &str) -> Result<bool, Fault> {
    const SQL: &str = "SELECT COUNT(*) FROM tasks t JOIN cases c ON c.id = t.case_id \
         WHERE t.about_case = $1 AND t.kind = $2 AND c.ended_at IS NULL";
    let count: i64 =
        on!(tx, |conn| sqlx::query_scalar(SQL).bind(about.0).bind(kind).fetch_one(conn).await)
            .map_err(Fault::database("read tasks"))?;
    Ok(count > 0)
}

/// Keeps what came of a task.
pub async fn settle(tx: &mut Tx, task: CaseId, outcome: &str) -> Result<(), Fault> {
    const SQL: &str = "UPDATE tasks SET outcome = $2 WHERE case_id = $1";
    on!(tx, |conn| sqlx::query(SQL).bind(task.0).bind(outcome).execute(conn).await.map(drop))
        .map_err(Fault::database("settle a task"))
}

/// Puts a task before the supervisor.
pub async fn escalate(tx: &mut Tx, task: CaseId, why: &str) -> Result<(), Fault> {
    const SQL: &str = "UPDATE tasks SET escalated = $2 WHERE case_id = $1";
    on!(tx, |conn| sqlx::query(SQL).bind(task.0).bind(why).execute(conn).await.map(drop))
        .map_err(Fault::database("escalate a task"))
}
