//! What people look up about cases. Every query reads a bounded number of rows, however many
//! cases there are.

use engine::case::{self, CaseRow};
use engine::history::{self, Entry};
use engine::outbox::{self, OutboxRow};
use engine::{CaseId, Db, Fault, Moment, Tx, on, timers};

use super::holds::{self, HoldRow};

/// Rows looked through for one page when filters leave most of them out.
pub const WINDOW: i64 = 2_000;
/// Cases counted for the figures: the newest ones.
pub const COUNTED: i64 = 10_000;

/// Which cases are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Of this workflow; empty for every one except those in `without`.
    pub workflow: String,
    /// Left out when no workflow is named.
    pub without: String,
    /// In one of these states, by name, with commas between; empty for every one.
    pub state: String,
    /// Open ones only, closed ones only, or both.
    pub open: Option<bool>,
    /// Older than this case, by number; `None` begins with the newest.
    pub before: Option<CaseId>,
}

/// One line of a list.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, sqlx::FromRow)]
pub struct CaseLine {
    /// The case.
    pub id: i64,
    /// Its kind.
    pub workflow: String,
    /// What it is about.
    pub subject: String,
    /// The state's name.
    pub state_name: String,
    /// Transitions so far.
    pub version: i64,
    /// History entries so far.
    pub entries: i64,
    /// When it was opened, in microseconds UTC.
    pub opened_at: i64,
    /// When anything was last recorded, in microseconds UTC.
    pub changed_at: i64,
    /// When it came to rest, in microseconds UTC.
    pub ended_at: Option<i64>,
}

/// A page of a list, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// The lines.
    pub lines: Vec<CaseLine>,
    /// Where the next page begins; `None` when nothing older is left.
    pub next: Option<CaseId>,
}

const LIST: &str = "SELECT id, workflow, subject, state_name, version, entries, opened_at, \
     changed_at, ended_at FROM (SELECT * FROM cases WHERE id < $1 ORDER BY id DESC LIMIT $2) \
     AS recent WHERE ($3 = '' OR workflow = $3) AND ($3 <> '' OR workflow <> $4) \
     AND ($5 = '' OR ',' || $5 || ',' LIKE '%,' || state_name || ',%') AND ($6 = 0 OR ($6 = 1) = (ended_at IS NULL)) \
     ORDER BY id DESC LIMIT $7";
/// Where the window of [`LIST`] ends.
const EDGE: &str = "SELECT MIN(id) FROM \
     (SELECT id FROM cases WHERE id < $1 ORDER BY id DESC LIMIT $2) AS recent";

/// A page of at most `size` cases. A page may be short, and still have a next one, when few of
/// the cases looked through were wanted.
pub async fn list(tx: &mut Tx, filter: &Filter, size: i64) -> Result<Page, Fault> {
    let before = filter.before.map_or(i64::MAX, |case| case.0);
    let open: i64 = match filter.open {
        None => 0,
        Some(true) => 1,
        Some(false) => 2,
    };
    let mut lines: Vec<CaseLine> = on!(tx, |conn| sqlx::query_as(LIST)
        .bind(before)
        .bind(WINDOW)
        .bind(&filter.workflow)
        .bind(&filter.without)
        .bind(&filter.state)
        .bind(open)
        .bind(size + 1)
        .fetch_all(conn)
        .await)
    .map_err(Fault::database("list cases"))?;
    let limit = usize::try_from(size).unwrap_or_default();
    if lines.len() > limit {
        lines.truncate(limit);
        let next = lines.last().map(|line| CaseId(line.id));
        return Ok(Page { lines, next });
    }
    let edge: Option<i64> =
        on!(tx, |conn| sqlx::query_scalar(EDGE).bind(before).bind(WINDOW).fetch_one(conn).await)
            .map_err(Fault::database("list cases"))?;
    let older = match edge {
        Some(edge) => exists_before(tx, edge).await?.then_some(CaseId(edge)),
        None => None,
    };
    Ok(Page { lines, next: older })
}

async fn exists_before(tx: &mut Tx, id: i64) -> Result<bool, Fault> {
    const SQL: &str = "SELECT id FROM cases WHERE id < $1 ORDER BY id DESC LIMIT 1";
    let found: Option<i64> =
        on!(tx, |conn| sqlx::query_scalar(SQL).bind(id).fetch_optional(conn).await)
            .map_err(Fault::database("list cases"))?;
    Ok(found.is_some())
}

/// How many of the newest cases stand in one state.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, sqlx::FromRow)]
pub struct Tally {
    /// Their kind.
    pub workflow: String,
    /// The state's name.
    pub state_name: String,
    /// How many are not at rest.
    pub open: i64,
    /// How many, all in all.
    pub count: i64,
}

/// The newest [`COUNTED`] cases by workflow and state.
pub async fn tallies(tx: &mut Tx) -> Result<Vec<Tally>, Fault> {
    const SQL: &str = "SELECT workflow, state_name, \
         SUM(CASE WHEN ended_at IS NULL THEN 1 ELSE 0 END) AS open, COUNT(*) AS count \
         FROM (SELECT workflow, state_name, ended_at FROM cases ORDER BY id DESC LIMIT $1) \
         AS recent GROUP BY workflow, state_name ORDER BY workflow, state_name";
    on!(tx, |conn| sqlx::query_as(SQL).bind(COUNTED).fetch_all(conn).await)
        .map_err(Fault::database("count cases"))
}

/// How many messages and jobs wait, and how many were given to people; each counted up to 1,000.
pub async fn outbox_counts(tx: &mut Tx) -> Result<(i64, i64), Fault> {
    const WAITING: &str = "SELECT COUNT(*) FROM (SELECT id FROM outbox \
         WHERE status IN ('ready', 'leased') LIMIT 1000) AS found";
    const DEAD: &str =
        "SELECT COUNT(*) FROM (SELECT id FROM outbox WHERE status = 'dead' LIMIT 1000) AS found";
    let count = Fault::database("count the outbox");
    let waiting =
        on!(tx, |conn| sqlx::query_scalar(WAITING).fetch_one(conn).await).map_err(&count)?;
    let dead = on!(tx, |conn| sqlx::query_scalar(DEAD).fetch_one(conn).await).map_err(&count)?;
    Ok((waiting, dead))
}

/// A case with everything that belongs to it.
#[derive(Debug, Clone)]
pub struct CaseFile {
    /// The case.
    pub row: CaseRow,
    /// Its history, oldest first.
    pub entries: Vec<Entry>,
    /// Its armed deadlines: when, and the command as JSON.
    pub deadlines: Vec<(Moment, String)>,
    /// What it has queued, oldest first.
    pub outbox: Vec<OutboxRow>,
    /// The legal holds on it, the newest first.
    pub holds: Vec<HoldRow>,
    /// The moment of reading.
    pub now: Moment,
}

/// Reads a case in one transaction; `None` when there is no such case.
pub async fn find(db: &Db, case: CaseId) -> Result<Option<CaseFile>, Fault> {
    let mut tx = db.read().await?;
    let Some(row) = case::find(&mut tx, case).await? else { return Ok(None) };
    let entries = history::entries(&mut tx, case).await?;
    let deadlines = timers::armed(&mut tx, case).await?;
    let outbox = outbox::of_case(&mut tx, case).await?;
    let holds = holds::of_case(&mut tx, case).await?;
    Ok(Some(CaseFile { row, entries, deadlines, outbox, holds, now: tx.now() }))
}

/// When a case was opened, which its number tells; `None` when there is no such case.
pub async fn opened_at(tx: &mut Tx, case: i64) -> Result<Option<Moment>, Fault> {
    const SQL: &str = "SELECT opened_at FROM cases WHERE id = $1";
    on!(tx, |conn| sqlx::query_scalar(SQL).bind(case).fetch_optional(conn).await)
        .map(|found| found.map(Moment))
        .map_err(Fault::database("find a case"))
}

/// The names of members of staff, by the person that histories speak of.
pub async fn staff_names(tx: &mut Tx, persons: &[&str]) -> Result<Vec<(String, String)>, Fault> {
    const SQL: &str = "SELECT name FROM staff WHERE person = $1 ORDER BY id LIMIT 1";
    let mut names = Vec::new();
    for actor in persons {
        // Histories speak of `staff-<person>`, so that nobody's number is taken for a customer's.
        let Some(person) = actor.strip_prefix("staff-") else { continue };
        let found: Option<String> =
            on!(tx, |conn| sqlx::query_scalar(SQL).bind(person).fetch_optional(conn).await)
                .map_err(Fault::database("read names"))?;
        names.extend(found.map(|name| ((*actor).to_owned(), name)));
    }
    Ok(names)
}
