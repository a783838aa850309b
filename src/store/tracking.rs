//! Reissue cases as customers follow them: the case, its state, and for whom it is. What else was asked for
//! on a form is done by the bank by hand; the form itself is followed then.

use engine::{CaseId, Fault, Tx, on};

/// A reissue case with what its pages speak of.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct TrackedRow {
    /// The case.
    pub case_id: i64,
    /// `self_service`, `delegated` or `paper`.
    pub channel: String,
    /// Why.
    pub reason: String,
    /// Who opened it, as an actor.
    pub opened_by: String,
    /// When it was opened.
    pub opened_at: i64,
    /// The form's number.
    pub submission: Option<i64>,
    /// The version of the stored form of the state.
    pub shape: i64,
    /// The state as JSON.
    pub state: String,
    /// The state's name.
    pub state_name: String,
    /// Named moments, JSON.
    pub anchors: String,
    /// When anything was last recorded.
    pub changed_at: i64,
    /// When it came to rest.
    pub ended_at: Option<i64>,
    /// For whom: the row of the user.
    pub holder: i64,
    /// Nine digits.
    pub user_id: String,
    /// The name.
    pub name: String,
    /// The department; may be empty.
    pub department: String,
    /// The title; may be empty.
    pub title: String,
    /// Of which contract.
    pub contract_id: i64,
}

macro_rules! tracked {
    ($rest:literal) => {
        concat!(
            "SELECT r.case_id, r.channel, r.reason, r.opened_by, r.opened_at, r.submission, \
             c.shape, c.state, c.state_name, c.anchors, c.changed_at, c.ended_at, \
             u.id AS holder, u.user_id, u.name, u.department, u.title, u.contract_id \
             FROM reissues r JOIN cases c ON c.id = r.case_id JOIN users u ON u.id = r.user_id \
             WHERE r.channel IN ('self_service', 'delegated', 'paper') AND ",
            $rest
        )
    };
}

/// One case.
pub async fn find(tx: &mut Tx, case: CaseId) -> Result<Option<TrackedRow>, Fault> {
    const SQL: &str = tracked!("r.case_id = $1");
    on!(tx, |conn| sqlx::query_as(SQL).bind(case.0).fetch_optional(conn).await)
        .map_err(Fault::database("read a case"))
}

/// The newest cases of a user.
pub async fn of_user(tx: &mut Tx, user: i64, limit: i64) -> Result<Vec<TrackedRow>, Fault> {
    const SQL: &str = tracked!("r.user_id = $1 ORDER BY r.case_id DESC LIMIT $2");
    on!(tx, |conn| sqlx::query_as(SQL).bind(user).bind(limit).fetch_all(conn).await)
        .map_err(Fault::database("read a user's cases"))
}

/// The newest cases of the other users of a contract.
pub async fn of_colleagues(
    tx: &mut Tx,
    contract: i64,
    user: i64,
    limit: i64,
) -> Result<Vec<TrackedRow>, Fault> {
    const SQL: &str =
        tracked!("u.contract_id = $1 AND u.id <> $2 ORDER BY r.case_id DESC LIMIT $3");
    on!(tx, |conn| sqlx::query_as(SQL).bind(contract).bind(user).bind(limit).fetch_all(conn).await)
        .map_err(Fault::database("read a contract's cases"))
}

/// Who has signed in, as the head of every page names them.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Visitor {
    /// Nine digits.
    pub user_id: String,
    /// The name.
    pub name: String,
    /// The department; may be empty.
    pub department: String,
    /// The company.
    pub company: String,
    /// Ten digits.
    pub contract_number: String,
    /// `bizstation` or `light`.
    pub variant: String,
    /// Known to the customer and the bank only.
    pub phrase: String,
}

/// Reads the head of a user's pages.
pub async fn visitor(tx: &mut Tx, user: i64) -> Result<Option<Visitor>, Fault> {
    const SQL: &str = "SELECT u.user_id, u.name, u.department, c.company, \
         c.number AS contract_number, c.variant, c.phrase \
         FROM users u JOIN contracts c ON c.id = u.contract_id WHERE u.id = $1";
    on!(tx, |conn| sqlx::query_as(SQL).bind(user).fetch_optional(conn).await)
        .map_err(Fault::database("read who has signed in"))
}

/// A colleague in the list from which an administrator picks.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ColleagueRow {
    /// Nine digits.
    pub user_id: String,
    /// The name.
    pub name: String,
    /// Its reading.
    pub kana: String,
    /// The department; may be empty.
    pub department: String,
    /// The title; may be empty.
    pub title: String,
    /// The name of the state of the newest open reissue case, if there is one.
    pub open_state: Option<String>,
}

/// The active users of a contract besides one, in the order of their IDs. A contract has few
/// enough for one page to hold them all.
pub async fn colleagues(tx: &mut Tx, contract: i64, user: i64) -> Result<Vec<ColleagueRow>, Fault> {
    const SQL: &str = "SELECT u.user_id, u.name, u.kana, u.department, u.title, \
         (SELECT c.state_name FROM reissues r JOIN cases c ON c.id = r.case_id \
          WHERE r.user_id = u.id AND c.ended_at IS NULL ORDER BY r.case_id DESC LIMIT 1) \
         AS open_state \
         FROM users u WHERE u.contract_id = $1 AND u.id <> $2 AND u.status = 'active' \
         ORDER BY u.user_id LIMIT 2000";
    on!(tx, |conn| sqlx::query_as(SQL).bind(contract).bind(user).fetch_all(conn).await)
        .map_err(Fault::database("read colleagues"))
}

/// A form that was made on the web, as its customer follows it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct FormRow {
    /// Its number.
    pub number: i64,
    /// `bizstation` or `light`.
    pub variant: String,
    /// What was printed into it, JSON.
    pub prefilled: String,
    /// Receipt number; empty before the envelope came.
    pub receipt: String,
    /// The state of its case, by name.
    pub state_name: String,
    /// When it was made.
    pub opened_at: i64,
    /// When anything was last recorded.
    pub changed_at: i64,
}

/// The newest forms of a contract.
pub async fn forms(tx: &mut Tx, contract: i64, limit: i64) -> Result<Vec<FormRow>, Fault> {
    const SQL: &str = "SELECT s.number, s.variant, s.prefilled, s.receipt, c.state_name, \
         c.opened_at, c.changed_at FROM submissions s JOIN cases c ON c.id = s.case_id \
         WHERE s.contract_id = $1 ORDER BY c.id DESC LIMIT $2";
    on!(tx, |conn| sqlx::query_as(SQL).bind(contract).bind(limit).fetch_all(conn).await)
        .map_err(Fault::database("read a contract's forms"))
}
