//! The typed front of one workflow: where its commands are handed in.

use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::advance::{Advanced, Item, advance_in, finished};
use crate::case::{self, CaseRow};
use crate::host::{Ask, Host, Parcel};
use crate::outbox::OutboxRow;
use crate::runner::{BoxFuture, Performed, Runner, Settled};
use crate::submission::{Cause, Outcome, Stored, Submission, Target};
use crate::{Actor, CaseId, Context, Core, Failure, Fault, Moment, Origin, Role, Workflow};

/// Commands of one workflow go in here.
pub struct Desk<W: Workflow, H: Host<W>> {
    core: Arc<Core>,
    host: Arc<H>,
    kind: std::marker::PhantomData<fn() -> W>,
}

impl<W: Workflow, H: Host<W>> Clone for Desk<W, H> {
    fn clone(&self) -> Self {
        Self { core: self.core.clone(), host: self.host.clone(), kind: self.kind }
    }
}

/// A submission with what accompanies it.
struct Ready<W: Workflow, H: Host<W>> {
    submission: Submission<W>,
    cause: Cause,
    prepared: H::Prepared,
}

/// How often a transaction is tried again at once when the database asks for it.
const TRIES: u32 = 5;

impl<W: Workflow, H: Host<W>> Desk<W, H> {
    pub(crate) fn new(core: Arc<Core>, host: Arc<H>) -> Self {
        Self { core, host, kind: std::marker::PhantomData }
    }

    /// Hands a command in; the outcome is durable when this returns.
    pub async fn submit(
        &self,
        submission: Submission<W>,
        attachment: H::Attachment,
    ) -> Result<Outcome<W>, Fault> {
        self.run(submission, Cause::Asked, attachment).await
    }

    /// Hands many commands in, in as few transactions as their cases and subjects allow. A batch
    /// that fails is halved under the same command ids, so that one bad command fails alone.
    pub async fn submit_all(
        &self,
        submissions: Vec<(Submission<W>, H::Attachment)>,
    ) -> Vec<Result<Outcome<W>, Fault>> {
        let mut outcomes = Vec::with_capacity(submissions.len());
        let mut ready = Vec::new();
        for (index, (submission, attachment)) in submissions.into_iter().enumerate() {
            outcomes.push(None);
            match self.make_ready(submission, Cause::Asked, &attachment).await {
                Ok(Ok(one)) => ready.push((index, one)),
                Ok(Err(outcome)) => put(&mut outcomes, index, Ok(outcome)),
                Err(fault) => put(&mut outcomes, index, Err(fault)),
            }
        }
        for wave in waves(ready) {
            for (index, outcome) in self.run_wave(wave).await {
                put(&mut outcomes, index, outcome);
            }
        }
        outcomes.into_iter().map(|outcome| outcome.unwrap_or(Ok(Outcome::Moot))).collect()
    }

    /// What would come of a command, writing nothing: which buttons a page shows.
    pub async fn ask(
        &self,
        case: CaseId,
        command: &W::Command,
        actor: &Actor<W::Role>,
        origin: &Origin,
    ) -> Result<Result<(), W::Refusal>, Fault> {
        let mut tx = self.core.db.read().await?;
        let row = case::find(&mut tx, case).await?.ok_or(Fault::NoSuchCase { case })?;
        let state = row.read_state::<W>()?;
        let (subject, command_id, now) = (row.subject.as_str(), "", tx.now());
        let ask = Ask { case, subject, state: &state, command, actor, origin, command_id, now };
        let Some(facts) = self.host.facts(&mut tx, &[ask]).await?.pop() else {
            return Err(Fault::NoSuchCase { case });
        };
        let context = Context { actor: actor.clone(), facts };
        Ok(W::decide(&state, command, &context, &self.host.rules()).map(drop))
    }

    /// The case's row and state; `None` when there is no such case of this workflow.
    pub async fn find(&self, case: CaseId) -> Result<Option<(CaseRow, W::State)>, Fault> {
        let mut tx = self.core.db.read().await?;
        let Some(row) = case::find(&mut tx, case).await? else { return Ok(None) };
        if row.workflow != W::NAME {
            return Ok(None);
        }
        let state = row.read_state::<W>()?;
        Ok(Some((row, state)))
    }

    /// The host that serves this desk.
    pub fn host(&self) -> &Arc<H> {
        &self.host
    }

    async fn run(
        &self,
        submission: Submission<W>,
        cause: Cause,
        attachment: H::Attachment,
    ) -> Result<Outcome<W>, Fault> {
        let ready = match self.make_ready(submission, cause, &attachment).await? {
            Ok(ready) => ready,
            Err(outcome) => return Ok(outcome),
        };
        let advanced = self.attempt(&[&ready]).await?;
        self.core.after_commit(&advanced.woken).await;
        Ok(advanced.outcomes.into_iter().next().unwrap_or(Outcome::Moot))
    }

    /// Prepares outside any transaction, unless the command was carried out before.
    async fn make_ready(
        &self,
        submission: Submission<W>,
        cause: Cause,
        attachment: &H::Attachment,
    ) -> Result<Result<Ready<W, H>, Outcome<W>>, Fault> {
        let mut tx = self.core.db.read().await?;
        let stored_cause = !matches!(cause, Cause::Asked);
        if !stored_cause
            && let Some(receipt) = finished::<W>(&mut tx, &submission.command_id).await?
        {
            return Ok(Err(Outcome::Accepted(receipt)));
        }
        let now = tx.now();
        let (subject, state) = match &submission.target {
            Target::New { subject, .. } => (subject.clone(), W::start()),
            Target::Existing(case) => {
                let case = *case;
                let row = case::find(&mut tx, case).await?.ok_or(Fault::NoSuchCase { case })?;
                let state = row.read_state::<W>()?;
                (row.subject, state)
            }
        };
        drop(tx);
        let ask = Ask {
            case: submission.target.case(),
            subject: &subject,
            state: &state,
            command: &submission.command,
            actor: &submission.actor,
            origin: &submission.origin,
            command_id: &submission.command_id,
            now,
        };
        let prepared = self.host.prepare(&ask, attachment).await?;
        Ok(Ok(Ready { submission, cause, prepared }))
    }

    /// One transaction, tried again when the database says that it may succeed.
    async fn attempt(&self, ready: &[&Ready<W, H>]) -> Result<Advanced<W>, Fault> {
        let mut tries = 0;
        loop {
            match self.attempt_once(ready).await {
                Err(fault) if (fault.is_transient() || is_collision(&fault)) && tries < TRIES => {
                    tries += 1;
                    tracing::debug!(tries, error = %fault, "transaction tried again");
                    tokio::time::sleep(std::time::Duration::from_millis(5 << tries)).await;
                }
                other => return other,
            }
        }
    }

    async fn attempt_once(&self, ready: &[&Ready<W, H>]) -> Result<Advanced<W>, Fault> {
        let mut tx = self.core.db.write().await?;
        let items: Vec<Item<'_, W, H::Prepared>> = ready
            .iter()
            .map(|one| Item {
                submission: &one.submission,
                cause: &one.cause,
                prepared: &one.prepared,
            })
            .collect();
        let advanced = advance_in(&self.core, self.host.as_ref(), &mut tx, &items).await?;
        tx.commit().await?;
        Ok(advanced)
    }

    async fn run_wave(
        &self,
        wave: Vec<(usize, Ready<W, H>)>,
    ) -> Vec<(usize, Result<Outcome<W>, Fault>)> {
        let mut pending = vec![wave];
        let mut outcomes = Vec::new();
        while let Some(mut group) = pending.pop() {
            let refs: Vec<&Ready<W, H>> = group.iter().map(|(_, ready)| ready).collect();
            match self.attempt(&refs).await {
                Ok(advanced) => {
                    self.core.after_commit(&advanced.woken).await;
                    let indexes = group.into_iter().map(|(index, _)| index);
                    outcomes.extend(indexes.zip(advanced.outcomes.into_iter().map(Ok)));
                }
                Err(fault) if group.len() == 1 => {
                    outcomes.extend(group.first().map(|(index, _)| (*index, Err(fault))));
                }
                Err(_) => {
                    let second = group.split_off(group.len() / 2);
                    pending.push(second);
                    pending.push(group);
                }
            }
        }
        outcomes
    }
}

fn put<T>(slots: &mut [Option<T>], index: usize, value: T) {
    if let Some(slot) = slots.get_mut(index) {
        *slot = Some(value);
    }
}

/// A unique index spoke: another transaction wrote the same command id first; looking again
/// finds its entry.
fn is_collision(fault: &Fault) -> bool {
    let Fault::Database { source: sqlx::Error::Database(error), .. } = fault else { return false };
    error.is_unique_violation()
}

/// Splits commands so that no case and no new subject occurs twice in one transaction.
fn waves<W: Workflow, H: Host<W>>(
    ready: Vec<(usize, Ready<W, H>)>,
) -> Vec<Vec<(usize, Ready<W, H>)>> {
    let mut waves: Vec<(Vec<(usize, Ready<W, H>)>, Vec<Target>)> = Vec::new();
    for (index, one) in ready {
        let target = one.submission.target.clone();
        let collides = |taken: &[Target]| {
            taken.iter().any(|other| match (other, &target) {
                (Target::New { subject: a, .. }, Target::New { subject: b, .. }) => a == b,
                (a, b) => a.case() == b.case(),
            })
        };
        match waves.iter_mut().find(|(_, taken)| !collides(taken)) {
            Some((wave, taken)) => {
                wave.push((index, one));
                taken.push(target);
            }
            None => waves.push((vec![(index, one)], vec![target])),
        }
    }
    waves.into_iter().map(|(wave, _)| wave).collect()
}

impl<W: Workflow, H: Host<W>> Runner for Desk<W, H> {
    fn submit_stored<'a>(&'a self, stored: Stored) -> BoxFuture<'a, Result<Settled, Fault>> {
        Box::pin(async move {
            let case = stored.case;
            let command: W::Command = read(case, "command", &stored.command)?;
            let role = match stored.role.as_str() {
                "peer" => W::Role::PEER,
                "clock" => W::Role::CLOCK,
                name => W::Role::from_name(name).ok_or(Fault::Unreadable { case, what: "role" })?,
            };
            let actor = Actor { id: stored.actor, role };
            let submission =
                Submission::new(case, command, actor, stored.command_id).from(stored.origin);
            let outcome = self.run(submission, stored.cause, H::Attachment::default()).await?;
            Ok(match outcome {
                Outcome::Accepted(_) => Settled::Accepted,
                Outcome::Refused { .. } | Outcome::Kept { .. } | Outcome::Moot => Settled::Declined,
            })
        })
    }

    fn carry_out<'a>(&'a self, row: &'a OutboxRow) -> BoxFuture<'a, Result<Performed, Failure>> {
        Box::pin(async move {
            let case = CaseId(row.case_id.unwrap_or_default());
            let subject = self.subject(case).await.map_err(Failure::passing)?;
            if row.kind == "notice" {
                let body = read(case, "notice", &row.body).map_err(Failure::permanent)?;
                self.host.send(parcel(row, case, subject, body)).await?;
                return Ok(Performed::Sent);
            }
            let body = read(case, "job", &row.body).map_err(Failure::permanent)?;
            let Some(answer) = self.host.perform(parcel(row, case, subject, body)).await? else {
                return Ok(Performed::Sent);
            };
            let id = format!("job-{}", row.id);
            let submission = Submission::new(case, answer.command, Actor::worker(), id);
            let cause = Cause::Job { outbox: row.id, attempt: row.attempts };
            match self.run(submission, cause, answer.attachment).await {
                Ok(_) | Err(Fault::LeaseLost { .. }) => Ok(Performed::Answered),
                Err(fault) => Err(Failure::passing(fault)),
            }
        })
    }
}

impl<W: Workflow, H: Host<W>> Desk<W, H> {
    async fn subject(&self, case: CaseId) -> Result<String, Fault> {
        let mut tx = self.core.db.read().await?;
        case::subject(&mut tx, case).await
    }
}

fn parcel<T>(row: &OutboxRow, case: CaseId, subject: String, body: T) -> Parcel<T> {
    Parcel {
        id: row.id,
        case,
        subject,
        entry: row.entry,
        queued_at: Moment(row.created_at),
        attempt: row.attempts,
        body,
    }
}

fn read<T: DeserializeOwned>(case: CaseId, what: &'static str, text: &str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|_| Fault::Unreadable { case, what })
}
