//! Durable deadlines: they follow from the state, nobody arms them by hand.

use std::collections::{BTreeMap, BTreeSet};

use crate::calendar::Calendar;
use crate::case::write_json;
use crate::{Anchor, CaseId, Fault, Moment, Tx, Workflow, on};

/// A deadline as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Anchor, span and command: equal deadlines have equal slots.
    key: String,
    due: Moment,
    command: String,
    /// Its anchor moved with this transition, so the due time counts anew.
    moved: bool,
}

/// The deadlines of `state`, with their due times.
pub(crate) fn wanted<W: Workflow>(
    state: &W::State,
    rules: &W::Rules,
    anchors: &BTreeMap<String, Moment>,
    moved: &[&'static str],
    calendar: &Calendar,
) -> Result<Vec<Slot>, Fault> {
    let slot = |deadline: crate::Deadline<W::Command>| {
        let Anchor(name) = deadline.anchor;
        // A moment that was never marked counts from the entry into the state.
        let counted = if anchors.contains_key(name) { name } else { Anchor::ENTERED.0 };
        let anchor = anchors.get(counted).copied().unwrap_or(Moment(0));
        let command = write_json("command", &deadline.command)?;
        Ok(Slot {
            key: format!("{name} {} {command}", write_json("span", &deadline.span)?),
            due: calendar.after(anchor, deadline.span)?,
            command,
            moved: moved.contains(&counted),
        })
    };
    W::deadlines(state, rules).into_iter().map(slot).collect()
}

/// Makes the stored deadlines of a case those that are wanted. Equal ones are kept as they are,
/// fired ones too, so that a reminder is not sent again; a moved anchor arms its deadline anew.
pub(crate) async fn set(
    tx: &mut Tx,
    case: CaseId,
    workflow: &str,
    wanted: &[Slot],
) -> Result<(), Fault> {
    const STORED: &str = "SELECT slot FROM timers WHERE case_id = $1";
    const REMOVE: &str = "DELETE FROM timers WHERE case_id = $1 AND slot = $2";
    const INSERT: &str =
        "INSERT INTO timers (case_id, slot, workflow, due_at, command) VALUES ($1,$2,$3,$4,$5)";
    const MOVE: &str = "UPDATE timers SET due_at = $3, fired_at = NULL, failures = 0, \
         retry_at = 0, last_error = NULL WHERE case_id = $1 AND slot = $2";
    let arm = Fault::database("set a timer");
    let stored: Vec<String> =
        on!(tx, |conn| sqlx::query_scalar(STORED).bind(case.0).fetch_all(conn).await)
            .map_err(&arm)?;
    for gone in stored.iter().filter(|key| wanted.iter().all(|slot| slot.key != **key)) {
        on!(tx, |conn| sqlx::query(REMOVE).bind(case.0).bind(gone).execute(conn).await.map(drop))
            .map_err(&arm)?;
    }
    let mut present: BTreeSet<&str> = stored.iter().map(String::as_str).collect();
    for slot in wanted {
        if present.insert(&slot.key) {
            on!(tx, |conn| sqlx::query(INSERT)
                .bind(case.0)
                .bind(&slot.key)
                .bind(workflow)
                .bind(slot.due.0)
                .bind(&slot.command)
                .execute(conn)
                .await
                .map(drop))
            .map_err(&arm)?;
        } else if slot.moved {
            on!(tx, |conn| sqlx::query(MOVE)
                .bind(case.0)
                .bind(&slot.key)
                .bind(slot.due.0)
                .execute(conn)
                .await
                .map(drop))
            .map_err(&arm)?;
        }
    }
    Ok(())
}

/// Marks a deadline as fired; false when it is not the one that was due any more: fired by
/// another node, moved to a later time, or no longer wanted.
pub(crate) async fn take(
    tx: &mut Tx,
    case: CaseId,
    slot: &str,
    due: Moment,
) -> Result<bool, Fault> {
    const SQL: &str = "UPDATE timers SET fired_at = $4, last_error = NULL \
         WHERE case_id = $1 AND slot = $2 AND due_at = $3 AND fired_at IS NULL";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL)
        .bind(case.0)
        .bind(slot)
        .bind(due.0)
        .bind(now)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() > 0))
    .map_err(Fault::database("take a timer"))
}

/// Something broke while the deadline was sent: it is left alone until `retry_at`.
pub(crate) async fn postpone(
    tx: &mut Tx,
    due: &Due,
    retry_at: Moment,
    reason: &str,
) -> Result<(), Fault> {
    const SQL: &str = "UPDATE timers SET failures = failures + 1, retry_at = $4, last_error = $5 \
         WHERE case_id = $1 AND slot = $2 AND due_at = $3 AND fired_at IS NULL";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(due.case_id)
        .bind(&due.slot)
        .bind(due.at)
        .bind(retry_at.0)
        .bind(reason)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("postpone a timer"))
}

/// A deadline that has passed.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Due {
    pub(crate) case_id: i64,
    pub(crate) slot: String,
    pub(crate) workflow: String,
    #[sqlx(rename = "due_at")]
    pub(crate) at: i64,
    pub(crate) command: String,
    pub(crate) failures: i64,
}

/// The oldest deadlines that have passed.
pub(crate) async fn due(tx: &mut Tx, limit: i64) -> Result<Vec<Due>, Fault> {
    const SQL: &str = "SELECT case_id, slot, workflow, due_at, command, failures FROM timers \
         WHERE fired_at IS NULL AND due_at <= $1 AND retry_at <= $1 \
         ORDER BY due_at, case_id LIMIT $2";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query_as(SQL).bind(now).bind(limit).fetch_all(conn).await)
        .map_err(Fault::database("read due timers"))
}

/// The armed deadlines of a case: when, and which command.
pub async fn armed(tx: &mut Tx, case: CaseId) -> Result<Vec<(Moment, String)>, Fault> {
    const SQL: &str = "SELECT due_at, command FROM timers \
         WHERE case_id = $1 AND fired_at IS NULL ORDER BY due_at";
    let rows: Vec<(i64, String)> =
        on!(tx, |conn| sqlx::query_as(SQL).bind(case.0).fetch_all(conn).await)
            .map_err(Fault::database("read timers"))?;
    Ok(rows.into_iter().map(|(due, command)| (Moment(due), command)).collect())
}
