//! Copies of a finished case, so that something can be measured among very many.
//!
//! A copy has every row that its original has in the engine's tables, and a chain of its own that
//! verifies: number, subject, actors, command ids and times are its own. The salted details are
//! those of the original.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::case::{self, CaseRow, write_json};
use crate::history::{self, Details, Entry, GENESIS};
use crate::{CaseId, Fault, Moment, Tx, on};

/// A finished case that is copied.
#[derive(Debug, Clone)]
pub struct Template {
    row: CaseRow,
    entries: Vec<Entry>,
    details: BTreeMap<i64, Details>,
    anchors: BTreeMap<String, Moment>,
    /// The last of its signals: what copies add comes after it and need not be looked through.
    last_signal: i64,
}

/// What is different in a copy.
#[derive(Debug, Clone)]
pub struct Copy<'a> {
    /// Its number.
    pub case: CaseId,
    /// What it is about.
    pub subject: &'a str,
    /// Who did what, each in the place of somebody of the original.
    pub actors: &'a [(String, String)],
    /// How much earlier it happened.
    pub earlier: Duration,
}

const OUTBOX: &str = "INSERT INTO outbox (kind, workflow, case_id, entry, label, body, status, \
     attempts, spent, due_at, leased_until, last_error, created_at, done_at) \
     SELECT kind, workflow, $2, entry, label, body, status, attempts, spent, due_at - $3, \
     leased_until, last_error, created_at - $3, done_at - $3 FROM outbox WHERE case_id = $1";
const INBOX: &str = "INSERT INTO inbox (case_id, workflow, command_id, command, actor, role, \
     auth, place, status, tried_version, outcome, created_at) \
     SELECT $2, workflow, command_id || $4, command, actor, role, auth, place, status, \
     tried_version, outcome, created_at - $3 FROM inbox WHERE case_id = $1 AND id <= $5";
const LAST_SIGNAL: &str = "SELECT COALESCE(MAX(id), 0) FROM inbox WHERE case_id = $1";
const TIMERS: &str = "INSERT INTO timers (case_id, slot, workflow, due_at, command, fired_at) \
     SELECT $2, slot, workflow, due_at - $3, command, fired_at - $3 FROM timers WHERE case_id = $1";

impl Template {
    /// Reads the case that is going to be copied.
    ///
    /// # Errors
    /// When the database fails or the case cannot be read.
    pub async fn read(tx: &mut Tx, case: CaseId) -> Result<Self, Fault> {
        let row = case::find(tx, case).await?.ok_or(Fault::NoSuchCase { case })?;
        let entries = history::entries(tx, case).await?;
        let details = history::details(tx, case).await?.into_iter().collect();
        let anchors = row.read_anchors()?;
        let last_signal =
            on!(tx, |conn| sqlx::query_scalar(LAST_SIGNAL).bind(case.0).fetch_one(conn).await)
                .map_err(Fault::database("read the signals of a case"))?;
        Ok(Self { row, entries, details, anchors, last_signal })
    }

    /// The original.
    pub fn case(&self) -> CaseId {
        self.row.case()
    }

    /// Writes a copy.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn write(&self, tx: &mut Tx, copy: &Copy<'_>) -> Result<(), Fault> {
        let micros = i64::try_from(copy.earlier.as_micros()).unwrap_or(i64::MAX);
        let row = self.copied(copy, micros)?;
        let entries = self.chained(copy, micros, &row);
        let head = entries.last().map_or(GENESIS, |entry| entry.hash);
        case::insert(tx, &CaseRow { head: head.to_vec(), ..row }).await?;
        for entry in &entries {
            history::append(tx, entry, self.details.get(&entry.no)).await?;
        }
        let from = self.row.id;
        let ending = format!("-{}", copy.case);
        for sql in [OUTBOX, TIMERS] {
            on!(tx, |conn| sqlx::query(sql)
                .bind(from)
                .bind(copy.case.0)
                .bind(micros)
                .execute(conn)
                .await
                .map(drop))
            .map_err(Fault::database("copy a case"))?;
        }
        on!(tx, |conn| sqlx::query(INBOX)
            .bind(from)
            .bind(copy.case.0)
            .bind(micros)
            .bind(&ending)
            .bind(self.last_signal)
            .execute(conn)
            .await
            .map(drop))
        .map_err(Fault::database("copy a case"))
    }

    fn copied(&self, copy: &Copy<'_>, micros: i64) -> Result<CaseRow, Fault> {
        let earlier = |at: i64| at - micros;
        let anchors: BTreeMap<&str, Moment> =
            self.anchors.iter().map(|(name, at)| (name.as_str(), Moment(earlier(at.0)))).collect();
        Ok(CaseRow {
            id: copy.case.0,
            subject: copy.subject.to_owned(),
            anchors: write_json("anchors", &anchors)?,
            opened_at: earlier(self.row.opened_at),
            changed_at: earlier(self.row.changed_at),
            ended_at: self.row.ended_at.map(earlier),
            ..self.row.clone()
        })
    }

    fn chained(&self, copy: &Copy<'_>, micros: i64, row: &CaseRow) -> Vec<Entry> {
        let mut previous = GENESIS;
        let last = self.entries.len();
        let mut entries = Vec::with_capacity(last);
        for (index, original) in self.entries.iter().enumerate() {
            let mut entry = original.clone();
            entry.case = copy.case;
            entry.at = Moment(entry.at.0 - micros);
            entry.command_id = format!("{}-{}", entry.command_id, copy.case);
            if let Some((_, own)) = copy.actors.iter().find(|(actor, _)| *actor == entry.actor) {
                entry.actor.clone_from(own);
            }
            if index + 1 == last {
                entry.state_digest = row.state_digest();
            }
            let entry = entry.sealed(&previous);
            previous = entry.hash;
            entries.push(entry);
        }
        entries
    }
}
