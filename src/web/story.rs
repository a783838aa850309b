//! The story of one case: where it stands, how it came there, and the proof that this is true.

mod holds;
mod view;
mod words;

pub use view::{Drawing, drawn};

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use engine::history::hex;
use engine::verify::Report;
use engine::{CaseId, Fault, Moment};
use serde::Serialize;

use super::error::Problem;
use super::page::Visit;
use super::start::{Looker, Shared};
use super::{export, when};
use crate::policy::{Matter, Viewer};
use crate::store::cases::{self, CaseFile};
use holds::Hold;

/// A case as it is told to machines; the page is drawn from the same.
#[derive(Debug, Serialize)]
pub(super) struct Told {
    pub(super) id: i64,
    pub(super) number: String,
    pub(super) workflow: String,
    pub(super) subject: String,
    pub(super) state: String,
    pub(super) open: bool,
    pub(super) version: i64,
    pub(super) opened_at: String,
    pub(super) changed_at: String,
    pub(super) ended_at: Option<String>,
    pub(super) entries: Vec<Line>,
    pub(super) deadlines: Vec<Deadline>,
    holds: Vec<Hold>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) outbox: Option<Vec<Parcel>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) verification: Option<Report>,
}

/// One entry of the history.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    pub(super) no: i64,
    pub(super) at: String,
    pub(super) kind: String,
    pub(super) command: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) outcome: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) actor: Option<String>,
    pub(super) role: String,
    pub(super) auth: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) place: Option<String>,
    pub(super) version: i64,
    pub(super) state_digest: String,
    pub(super) details_digest: String,
    pub(super) hash: String,
}

impl Told {
    /// What the case is held for now.
    pub(super) fn held_for(&self) -> String {
        holds::in_force(&self.holds)
    }
}

/// An armed deadline.
#[derive(Debug, Serialize)]
pub(super) struct Deadline {
    pub(super) due_at: String,
    pub(super) command: String,
    #[serde(skip)]
    pub(super) due: Moment,
}

/// A message or a job.
#[derive(Debug, Serialize)]
pub(super) struct Parcel {
    pub(super) id: i64,
    pub(super) kind: String,
    pub(super) label: String,
    pub(super) entry: i64,
    pub(super) status: String,
    pub(super) attempts: i64,
    pub(super) created_at: String,
    pub(super) done_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_error: Option<String>,
    #[serde(skip)]
    pub(super) settled: Option<Moment>,
    #[serde(skip)]
    pub(super) due: Moment,
}

/// `/cases/1204`, `/cases/1204.json`, `/cases/1204.csv`, `/cases/1204.svg`, `/cases/1204.mmd`.
pub(super) async fn show(
    State(shared): State<Arc<Shared>>,
    Extension(looker): Extension<Looker>,
    Path(name): Path<String>,
    visit: Visit,
) -> Result<Response, Problem> {
    looker.demand(Matter::History)?;
    let (number, ending) = name.split_once('.').unwrap_or((&name, ""));
    let case = number.parse().map(CaseId).map_err(|_| Problem::NotFound)?;
    let file = cases::find(&shared.db, case).await?.ok_or(Problem::NotFound)?;
    if !looker.may_open(&file.row.workflow) {
        return Err(Problem::NotFound);
    }
    note_look(&shared, &looker, case).await?;
    // Once more, so that whoever looks sees their own look.
    let file = cases::find(&shared.db, case).await?.ok_or(Problem::NotFound)?;
    let told = told(&shared, &looker, &file).await?;
    match ending {
        "" => view::page(&shared, &looker, &visit, &file, &told).await,
        "json" => Ok(export::json(&told)),
        "csv" => export::csv(&told),
        "svg" => Ok(view::drawing(&shared, &visit, &file)),
        "mmd" => Ok(view::mermaid(&shared, &visit, &file)),
        _ => Err(Problem::NotFound),
    }
}

/// Whoever looks at a history stands in it.
async fn note_look(shared: &Shared, looker: &Looker, case: CaseId) -> Result<(), Problem> {
    let (Some(app), Some(member)) = (&shared.notes, &looker.member) else { return Ok(()) };
    let Viewer::Signed(role) = looker.viewer else { return Ok(()) };
    let mut tx = shared.db.read().await?;
    let exists = engine::case::find(&mut tx, case).await?.is_some();
    drop(tx);
    if exists {
        app.note(&member.acting(role)?, case, "ViewHistory").await?;
    }
    Ok(())
}

async fn told(shared: &Shared, looker: &Looker, file: &CaseFile) -> Result<Told, Problem> {
    let row = &file.row;
    Ok(Told {
        id: row.id,
        number: when::case_number(row.id, Moment(row.opened_at)),
        workflow: row.workflow.clone(),
        subject: row.subject.clone(),
        state: row.state_name.clone(),
        open: row.ended_at.is_none(),
        version: row.version,
        opened_at: export::moment(Moment(row.opened_at)),
        changed_at: export::moment(Moment(row.changed_at)),
        ended_at: row.ended_at.map(|at| export::moment(Moment(at))),
        entries: lines(looker, file),
        deadlines: file.deadlines.iter().map(deadline).collect(),
        holds: holds::of(looker, file),
        outbox: looker.may_see(Matter::Outbox).then(|| parcels(looker, file)),
        verification: verification(shared, looker, row.case()).await?,
    })
}

fn lines(looker: &Looker, file: &CaseFile) -> Vec<Line> {
    let (person, place) = (looker.may_see(Matter::Person), looker.may_see(Matter::Place));
    let line = |entry: &engine::history::Entry| Line {
        no: entry.no,
        at: export::moment(entry.at),
        kind: entry.kind.clone(),
        command: entry.command.clone(),
        from: entry.from.clone(),
        to: entry.to.clone(),
        outcome: entry.outcome.clone(),
        actor: person.then(|| entry.actor.clone()),
        role: entry.role.clone(),
        auth: entry.auth.clone(),
        place: place.then(|| entry.place.clone()),
        version: entry.version,
        state_digest: hex(&entry.state_digest),
        details_digest: hex(&entry.details_digest),
        hash: hex(&entry.hash),
    };
    file.entries.iter().map(line).collect()
}

fn deadline((due, command): &(Moment, String)) -> Deadline {
    Deadline { due_at: export::moment(*due), command: command_name(command), due: *due }
}

/// The name of a stored command, as the history would write it: `"Lapse"` gives `Lapse`,
/// `{"Tail":"Expire"}` and `{"Tail":{"Resolve":{…}}}` give `Tail.Expire` and `Tail.Resolve`.
fn command_name(stored: &str) -> String {
    fn read(value: &serde_json::Value, depth: usize) -> Option<String> {
        if let Some(name) = value.as_str() {
            return Some(name.to_owned());
        }
        let (name, inner) = value.as_object()?.iter().next()?;
        // Names of fields begin small; a nested command begins with a capital letter.
        let nested = (depth == 0).then(|| read(inner, 1)).flatten();
        match nested.filter(|inner| inner.starts_with(char::is_uppercase)) {
            Some(inner) => Some(format!("{name}.{inner}")),
            None => Some(name.clone()),
        }
    }
    let value = serde_json::from_str(stored).unwrap_or_default();
    read(&value, 0).unwrap_or_default()
}

fn parcels(looker: &Looker, file: &CaseFile) -> Vec<Parcel> {
    let shows_failures = looker.may_see(Matter::FailureText);
    let parcel = |row: &engine::outbox::OutboxRow| Parcel {
        id: row.id,
        kind: row.kind.clone(),
        label: row.label.clone(),
        entry: row.entry,
        status: row.status.clone(),
        attempts: row.attempts,
        created_at: export::moment(Moment(row.created_at)),
        done_at: row.done_at.map(|at| export::moment(Moment(at))),
        last_error: row.last_error.clone().filter(|_| shows_failures),
        settled: row.done_at.map(Moment),
        due: Moment(row.due_at),
    };
    file.outbox.iter().map(parcel).collect()
}

async fn verification(
    shared: &Shared,
    looker: &Looker,
    case: CaseId,
) -> Result<Option<Report>, Fault> {
    if !looker.may_see(Matter::Proof) {
        return Ok(None);
    }
    let checkpoint = shared.read_checkpoint().await;
    engine::verify::verify(&shared.db, Some(case), checkpoint.as_ref()).await.map(Some)
}

/// The names of staff behind a history, as far as they may be shown.
pub(super) async fn names(
    shared: &Shared,
    looker: &Looker,
    file: &CaseFile,
) -> Result<BTreeMap<String, String>, Fault> {
    if !looker.may_see(Matter::StaffName) {
        return Ok(BTreeMap::new());
    }
    let mut persons: Vec<&str> = file.entries.iter().map(|entry| entry.actor.as_str()).collect();
    persons.sort_unstable();
    persons.dedup();
    let mut tx = shared.db.read().await?;
    Ok(cases::staff_names(&mut tx, &persons).await?.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::command_name;

    #[test]
    fn stored_commands_have_the_names_of_the_history() {
        for (stored, name) in [
            (r#""Lapse""#, "Lapse"),
            (r#"{"Tail":"Expire"}"#, "Tail.Expire"),
            (r#"{"Tail":{"Resolve":{"innocent":true}}}"#, "Tail.Resolve"),
            (r#"{"Dispatch":{"tracking":"12345678901"}}"#, "Dispatch"),
            ("", ""),
        ] {
            assert_eq!(command_name(stored), name);
        }
    }
}
