//! Commands that wait for a case: signals from other cases and submissions that came too early.

use crate::case::write_json;
use crate::host::Addressed;
use crate::submission::{Cause, Origin, Stored, Submission};
use crate::{ActorId, CaseId, Fault, Role, Tx, Workflow, on};

const INSERT: &str = "INSERT INTO inbox (case_id, workflow, command_id, command, actor, role, \
     auth, place, status, tried_version, outcome, created_at) \
     VALUES ($1,$2,$3,$4,$5,$6,$7,$8,'waiting',$9,'',$10) ON CONFLICT (command_id) DO NOTHING";

/// Puts a signal of `from` into another case's inbox.
pub(crate) async fn signal(
    tx: &mut Tx,
    from: CaseId,
    entry: i64,
    index: usize,
    to: &Addressed,
) -> Result<(), Fault> {
    let command = write_json("signal", &to.command)?;
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(INSERT)
        .bind(to.case.0)
        .bind(to.workflow)
        .bind(format!("signal-{from}-{entry}-{index}"))
        .bind(&command)
        .bind(format!("case-{from}"))
        .bind("peer")
        .bind("none")
        .bind("engine")
        .bind(-1_i64)
        .bind(now)
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

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    case_id: i64,
    workflow: String,
    command_id: String,
    command: String,
    actor: String,
    role: String,
    auth: String,
    place: String,
}

impl Row {
    fn stored(self) -> (String, Stored) {
        let stored = Stored {
            case: CaseId(self.case_id),
            command: self.command,
            command_id: self.command_id,
            actor: ActorId(self.actor),
            role: self.role,
            origin: Origin { auth: self.auth, place: self.place },
            cause: Cause::Kept { inbox: self.id },
        };
        (self.workflow, stored)
    }
}

/// What `case` has not been asked since it last changed, oldest first, with its workflow's name.
pub(crate) async fn waiting_for(tx: &mut Tx, case: CaseId) -> Result<Vec<(String, Stored)>, Fault> {
    const SQL: &str = "SELECT i.id, i.case_id, i.workflow, i.command_id, i.command, i.actor, \
         i.role, i.auth, i.place FROM inbox i JOIN cases c ON c.id = i.case_id \
         WHERE i.case_id = $1 AND i.status = 'waiting' AND i.tried_version < c.version \
         ORDER BY i.id";
    let rows: Vec<Row> = on!(tx, |conn| sqlx::query_as(SQL).bind(case.0).fetch_all(conn).await)
        .map_err(Fault::database("read an inbox"))?;
    Ok(rows.into_iter().map(Row::stored).collect())
}

/// Cases that have something to be asked.
pub(crate) async fn expectant(tx: &mut Tx, limit: i64) -> Result<Vec<CaseId>, Fault> {
    const SQL: &str = "SELECT DISTINCT i.case_id FROM inbox i JOIN cases c ON c.id = i.case_id \
         WHERE i.status = 'waiting' AND i.tried_version < c.version ORDER BY i.case_id LIMIT $1";
    let rows: Vec<i64> = on!(tx, |conn| sqlx::query_scalar(SQL).bind(limit).fetch_all(conn).await)
        .map_err(Fault::database("read inboxes"))?;
    Ok(rows.into_iter().map(CaseId).collect())
}
