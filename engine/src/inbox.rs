//! Commands that wait for a case: signals from other cases and submissions that came too early.

use crate::case::write_json;
use crate::host::Addressed;
use crate::submission::{Cause, Origin, Stored, Submission};
use crate::{ActorId, CaseId, Fault, Moment, Role, Speaker, Tx, Workflow, on};

const INSERT: &str = "INSERT INTO inbox (case_id, workflow, command_id, command, actor, role, \
     auth, place, status, tried_version, outcome, created_at, once) \
     VALUES ($1,$2,$3,$4,$5,$6,$7,$8,'waiting',$9,'',$10,$11) ON CONFLICT (command_id) DO NOTHING";

/// A signal on its way: the `index`th of an entry.
pub(crate) struct Signal<'a> {
    pub(crate) from: CaseId,
    pub(crate) entry: i64,
    pub(crate) index: usize,
    pub(crate) to: &'a Addressed,
}

/// Puts a signal that `cause` brought about into another case's inbox.
pub(crate) async fn signal<W: Workflow>(
    tx: &mut Tx,
    signal: &Signal<'_>,
    cause: &Submission<W>,
) -> Result<(), Fault> {
    let Signal { from, entry, index, to } = signal;
    let command = write_json("signal", &to.command)?;
    let now = tx.now().0;
    let case = (format!("case-{from}"), W::Role::PEER.name(), "none", "engine");
    let (actor, role, auth, place) = match to.speaker {
        Speaker::Case => case,
        Speaker::Actor => {
            let Submission { actor, origin, .. } = cause;
            (actor.id.0.clone(), actor.role.name(), origin.auth.as_str(), origin.place.as_str())
        }
    };
    on!(tx, |conn| sqlx::query(INSERT)
        .bind(to.case.0)
        .bind(to.workflow)
        .bind(format!("signal-{from}-{entry}-{index}"))
        .bind(&command)
        .bind(&actor)
        .bind(role)
        .bind(auth)
        .bind(place)
        .bind(-1_i64)
        .bind(now)
        .bind(to.speaker == Speaker::Actor)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("signal a case"))
}

/// Keeps a submission that was declined at `version`.
pub(crate) async fn keep<W: Workflow>(
    tx: &mut Tx,
    submission: &Submission<W>,
    version: i64,
) -> Result<(), Fault> {
    let command = write_json("command", &submission.command)?;
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(INSERT)
        .bind(submission.target.case().0)
        .bind(W::NAME)
        .bind(&submission.command_id)
        .bind(&command)
        .bind(&submission.actor.id.0)
        .bind(submission.actor.role.name())
        .bind(&submission.origin.auth)
        .bind(&submission.origin.place)
        .bind(version)
        .bind(now)
        .bind(false)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("keep a command"))
}

/// The case declined again; when it is at rest, the command will never be wanted.
pub(crate) async fn declined(
    tx: &mut Tx,
    id: i64,
    version: i64,
    moot: bool,
    refusal: &str,
) -> Result<(), Fault> {
    const SQL: &str = "UPDATE inbox SET tried_version = $2, status = $3, outcome = $4 \
         WHERE id = $1 AND status = 'waiting'";
    let status = if moot { "moot" } else { "waiting" };
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
        .bind(version)
        .bind(status)
        .bind(refusal)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("keep a command"))
}

/// The case took the command.
pub(crate) async fn taken(tx: &mut Tx, id: i64, outcome: &str) -> Result<(), Fault> {
    const SQL: &str = "UPDATE inbox SET status = 'taken', outcome = $2 WHERE id = $1";
    on!(tx, |conn| sqlx::query(SQL).bind(id).bind(outcome).execute(conn).await.map(drop))
        .map_err(Fault::database("settle a kept command"))
}

/// True when the submission `command_id` is being kept.
pub(crate) async fn is_kept(tx: &mut Tx, command_id: &str) -> Result<bool, Fault> {
    const SQL: &str = "SELECT id FROM inbox WHERE command_id = $1 AND status = 'waiting'";
    let found: Option<i64> =
        on!(tx, |conn| sqlx::query_scalar(SQL).bind(command_id).fetch_optional(conn).await)
            .map_err(Fault::database("read an inbox"))?;
    Ok(found.is_some())
}

/// True when something waits for `case`.
pub(crate) async fn expects(tx: &mut Tx, case: CaseId) -> Result<bool, Fault> {
    const SQL: &str = "SELECT id FROM inbox WHERE case_id = $1 AND status = 'waiting' LIMIT 1";
    let found: Option<i64> =
        on!(tx, |conn| sqlx::query_scalar(SQL).bind(case.0).fetch_optional(conn).await)
            .map_err(Fault::database("read an inbox"))?;
    Ok(found.is_some())
}

/// Something broke while the case was asked: the command is left alone until `retry_at`.
pub(crate) async fn postpone(
    tx: &mut Tx,
    id: i64,
    retry_at: Moment,
    reason: &str,
) -> Result<(), Fault> {
    const SQL: &str = "UPDATE inbox SET failures = failures + 1, retry_at = $2, last_error = $3 \
         WHERE id = $1 AND status = 'waiting'";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(id)
        .bind(retry_at.0)
        .bind(reason)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("postpone a kept command"))
}

/// A waiting command with what its delivery needs.
#[derive(sqlx::FromRow)]
pub(crate) struct Waiting {
    pub(crate) id: i64,
    case_id: i64,
    pub(crate) workflow: String,
    command_id: String,
    command: String,
    actor: String,
    role: String,
    auth: String,
    place: String,
    once: bool,
    pub(crate) failures: i64,
}

impl Waiting {
    pub(crate) fn stored(&self) -> Stored {
        Stored {
            case: CaseId(self.case_id),
            command: self.command.clone(),
            command_id: self.command_id.clone(),
            actor: ActorId(self.actor.clone()),
            role: self.role.clone(),
            origin: Origin { auth: self.auth.clone(), place: self.place.clone() },
            cause: Cause::Kept { inbox: self.id, once: self.once },
        }
    }
}

/// The oldest command that `case` has not been asked since it last changed.
pub(crate) async fn next_for(tx: &mut Tx, case: CaseId) -> Result<Option<Waiting>, Fault> {
    const SQL: &str = "SELECT i.id, i.case_id, i.workflow, i.command_id, i.command, i.actor, \
         i.role, i.auth, i.place, i.once, i.failures FROM inbox i JOIN cases c ON c.id = i.case_id \
         WHERE i.case_id = $1 AND i.status = 'waiting' AND i.tried_version < c.version \
         AND i.retry_at <= $2 ORDER BY i.id LIMIT 1";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query_as(SQL).bind(case.0).bind(now).fetch_optional(conn).await)
        .map_err(Fault::database("read an inbox"))
}

/// Cases that have something to be asked.
pub(crate) async fn expectant(tx: &mut Tx, limit: i64) -> Result<Vec<CaseId>, Fault> {
    const SQL: &str = "SELECT DISTINCT i.case_id FROM inbox i JOIN cases c ON c.id = i.case_id \
         WHERE i.status = 'waiting' AND i.tried_version < c.version AND i.retry_at <= $2 \
         ORDER BY i.case_id LIMIT $1";
    let now = tx.now().0;
    let rows: Vec<i64> =
        on!(tx, |conn| sqlx::query_scalar(SQL).bind(limit).bind(now).fetch_all(conn).await)
            .map_err(Fault::database("read inboxes"))?;
    Ok(rows.into_iter().map(CaseId).collect())
}
