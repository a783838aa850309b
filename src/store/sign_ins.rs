//! The sign-ins of staff, out of the histories of their accounts.

use engine::{CaseId, Fault, Tx, on};

/// The case of an account; `None` before the first sign-in.
pub async fn case_of(tx: &mut Tx, subject: &str) -> Result<Option<CaseId>, Fault> {
    const SQL: &str =
        "SELECT id FROM cases WHERE subject = $1 AND workflow = 'account' ORDER BY id LIMIT 1";
    let found: Option<i64> =
        on!(tx, |conn| sqlx::query_scalar(SQL).bind(subject).fetch_optional(conn).await)
            .map_err(Fault::database("find an account"))?;
    Ok(found.map(CaseId))
}

/// One sign-in, or what else happened to an account.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct SignInLine {
    /// The account's case.
    pub case_id: i64,
    /// What the case is about.
    pub subject: String,
    /// The entry.
    pub no: i64,
    /// When.
    pub at: i64,
    /// `transition` or `refused`.
    pub kind: String,
    /// What was asked.
    pub command: String,
    /// The refusal, if it was refused.
    pub outcome: String,
    /// By whom.
    pub actor: String,
    /// By which means.
    pub auth: String,
    /// From where.
    pub place: String,
}

/// Which are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Of one account's case; every one when empty.
    pub subject: String,
    /// From this moment on.
    pub from: i64,
    /// Before this moment.
    pub until: i64,
}

/// The newest first, at most `size`. That an entry was charged says nothing yet; how it was judged
/// does.
pub async fn list(tx: &mut Tx, wanted: &Wanted, size: i64) -> Result<Vec<SignInLine>, Fault> {
    const SQL: &str = "SELECT e.case_id, c.subject, e.no, e.at, e.kind, e.command, e.outcome, \
         e.actor, e.auth, e.place FROM cases c JOIN entries e ON e.case_id = c.id \
         WHERE c.workflow = 'account' AND ($1 = '' OR c.subject = $1) AND e.at >= $2 AND e.at < $3 \
         AND (e.kind = 'refused' OR (e.kind = 'transition' AND e.command NOT IN \
         ('Begin', 'ChargeAttempt'))) ORDER BY e.at DESC, e.case_id DESC, e.no DESC LIMIT $4";
    on!(tx, |conn| sqlx::query_as(SQL)
        .bind(&wanted.subject)
        .bind(wanted.from)
        .bind(wanted.until)
        .bind(size)
        .fetch_all(conn)
        .await)
    .map_err(Fault::database("read sign-ins"))
}
