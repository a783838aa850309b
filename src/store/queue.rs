//! What waits for people, the most urgent first.

use engine::{Fault, Tx, on};

/// Where cases wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// For the checklist and the comparison of the seal.
    Check,
    /// For somebody else's approval: of a checked form, or of another letter where one came back.
    Approve,
}

/// A case and whom it is about, as every list names it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct CaseHead {
    /// The case.
    pub id: i64,
    /// Its kind.
    pub workflow: String,
    /// The state's name.
    pub state_name: String,
    /// When it was opened.
    pub opened_at: i64,
    /// The user's name.
    pub name: String,
    /// Nine digits.
    pub user_id: String,
    /// The company.
    pub company: String,
}

/// A case that waits: of a paper form, or one of its other requests.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct QueueLine {
    /// The case.
    #[sqlx(flatten)]
    pub head: CaseHead,
    /// When the form came, or its letter came back: from then the clock runs.
    pub waits_since: i64,
    /// What is asked for, as the form names it.
    pub request: String,
    /// The person who has it in hand; empty when nobody has.
    pub holder: String,
    /// The name of that person.
    pub holder_name: String,
    /// Until when.
    pub until: i64,
    /// The person who asks has prepared it.
    pub own: bool,
}

impl QueueLine {
    /// Nobody has it in hand.
    pub fn is_free(&self) -> bool {
        self.holder.is_empty()
    }
}

/// A page of work; whoever has more waiting works from the front.
pub const MOST: i64 = 500;

macro_rules! queue {
    ($paper:literal, $clerical:literal) => {
        concat!(
            "SELECT c.id, c.workflow, c.state_name, c.opened_at, \
             COALESCE((SELECT MAX(p.settled_at) FROM letters p WHERE p.case_id = c.id \
             AND p.state = 'returned' AND c.state_name = 'Undelivered'), \
             r.received_at, c.opened_at) AS waits_since, COALESCE((SELECT MIN(i.request) \
             FROM items i WHERE i.case_id = c.id), '') AS request, u.name, u.user_id, k.company, \
             COALESCE(l.person, '') AS holder, COALESCE(s.name, '') AS holder_name, \
             COALESCE(l.until, 0) AS until, EXISTS (SELECT 1 FROM entries e \
             WHERE e.case_id = c.id AND e.actor = $2 AND e.kind = 'transition' \
             AND e.command IN ('Check', 'MatchSeal', 'CureByPhone')) AS own \
             FROM cases c LEFT JOIN reissues r ON r.case_id = c.id \
             JOIN users u ON u.id = CAST(SUBSTR(c.subject, 6) AS BIGINT) \
             JOIN contracts k ON k.id = u.contract_id \
             LEFT JOIN claims l ON l.case_id = c.id AND l.until > $1 \
             LEFT JOIN staff s ON s.login = l.login \
             WHERE (c.workflow = 'paper' AND c.state_name IN (",
            $paper,
            ")) OR (c.workflow = 'clerical' AND c.state_name IN (",
            $clerical,
            ")) ORDER BY waits_since, c.id LIMIT $3"
        )
    };
}

/// What waits at a stage. Nobody approves what they have prepared, so that is said beside it.
pub async fn list(tx: &mut Tx, stage: Stage, person: &str) -> Result<Vec<QueueLine>, Fault> {
    const CHECK: &str = queue!("'Identified', 'Checked'", "'Received'");
    const APPROVE: &str = queue!("'SealOk', 'Undelivered'", "'Checked'");
    let (sql, asks) = match stage {
        Stage::Check => (CHECK, false),
        Stage::Approve => (APPROVE, true),
    };
    let now = tx.now().0;
    // A clerk goes on with what they have begun: only approvals look at who prepared.
    let actor = if asks { format!("staff-{person}") } else { String::new() };
    on!(tx, |conn| sqlx::query_as(sql).bind(now).bind(&actor).bind(MOST).fetch_all(conn).await)
        .map_err(Fault::database("read a queue"))
}
