//! The typed front of one workflow: where its commands are handed in.

use std::collections::HashMap;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::advance::{Advanced, Item, advance_in, finished};
use crate::case::{self, CaseRow};
use crate::host::{Ask, Host, Parcel};
use crate::outbox::OutboxRow;
use crate::runner::{BoxFuture, Performed, Runner, Touched};
use crate::submission::{Cause, Outcome, Stored, Submission, Target};
use crate::{
    Actor, CaseId, Context, Core, Failure, Fault, Moment, Origin, Role, Transition, Workflow,
    chain, history,
};

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
    subject: String,
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
        let (outcome, touched) = self.run(submission, Cause::Asked, attachment).await?;
        self.core.after_commit(touched).await;
        Ok(outcome)
    }

    /// Hands many commands in, in as few transactions as their cases and subjects allow; commands
    /// about one subject keep their order. A batch that fails is halved under the same command
    /// ids, so that one bad command fails alone.
    pub async fn submit_all(
        &self,
        submissions: Vec<(Submission<W>, H::Attachment)>,
    ) -> Vec<Result<Outcome<W>, Fault>> {
        let mut outcomes: Vec<Option<_>> = submissions.iter().map(|_| None).collect();
        for wave in self.waves(submissions).await {
            let mut ready = Vec::with_capacity(wave.len());
            for (index, (submission, attachment)) in wave {
                match self.make_ready(submission, Cause::Asked, &attachment).await {
                    Ok(Ok(one)) => ready.push((index, one)),
                    Ok(Err(outcome)) => put(&mut outcomes, index, Ok(outcome)),
                    Err(fault) => put(&mut outcomes, index, Err(fault)),
                }
            }
            for (index, outcome) in self.run_wave(ready).await {
                put(&mut outcomes, index, outcome);
            }
        }
        outcomes.into_iter().map(|outcome| outcome.unwrap_or(Ok(Outcome::Moot))).collect()
    }

    /// Whether a command would be declined, writing nothing: which buttons a page shows.
    pub async fn ask(
        &self,
        case: CaseId,
        command: &W::Command,
        actor: &Actor<W::Role>,
        origin: &Origin,
    ) -> Result<Result<(), W::Refusal>, Fault> {
        Ok(self.foresee(case, command, actor, origin).await?.map(drop))
    }

    /// What would come of a command, writing nothing: what a page shows before it is sent.
    pub async fn foresee(
        &self,
        case: CaseId,
        command: &W::Command,
        actor: &Actor<W::Role>,
        origin: &Origin,
    ) -> Result<Result<Transition<W>, W::Refusal>, Fault> {
        let mut tx = self.core.db.read().await?;
        let row = case::find(&mut tx, case).await?.ok_or(Fault::NoSuchCase { case })?;
        let state = row.read_state::<W>()?;
        let (subject, command_id, now) = (row.subject.as_str(), "", tx.now());
        let ask = Ask { case, subject, state: &state, command, actor, origin, command_id, now };
        let Some(facts) = self.host.facts(&mut tx, &[ask]).await?.pop() else {
            return Err(Fault::FactsMissing { asked: 1, given: 0 });
        };
        let context = Context { actor: actor.clone(), facts };
        Ok(W::decide(&state, command, &context, &self.host.rules()))
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
    ) -> Result<(Outcome<W>, Touched), Fault> {
        let ready = match self.make_ready(submission, cause, &attachment).await? {
            Ok(ready) => ready,
            Err(outcome) => return Ok((outcome, Touched::default())),
        };
        let Advanced { outcomes, touched } = self.attempt(&[&ready]).await?;
        Ok((outcomes.into_iter().next().unwrap_or(Outcome::Moot), touched))
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
        Ok(Ok(Ready { submission, subject, cause, prepared }))
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
                subject: &one.subject,
                cause: &one.cause,
                prepared: &one.prepared,
            })
            .collect();
        match advance_in(&self.core, self.host.as_ref(), &mut tx, &items).await {
            Ok(advanced) => tx.commit().await.map(|()| advanced),
            Err(fault) => {
                tx.abandon().await;
                Err(fault)
            }
        }
    }

    async fn run_wave(
        &self,
        wave: Vec<(usize, Ready<W, H>)>,
    ) -> Vec<(usize, Result<Outcome<W>, Fault>)> {
        let mut pending = vec![wave];
        let mut outcomes = Vec::new();
        while let Some(mut group) = pending.pop().filter(|group| !group.is_empty()) {
            let refs: Vec<&Ready<W, H>> = group.iter().map(|(_, ready)| ready).collect();
            match self.attempt(&refs).await {
                Ok(advanced) => {
                    self.core.after_commit(advanced.touched).await;
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

/// A unique index of the engine's spoke: another transaction wrote the same command id or case
/// first; looking again finds its entry.
fn is_collision(fault: &Fault) -> bool {
    let Fault::Database { action, source: sqlx::Error::Database(error) } = fault else {
        return false;
    };
    matches!(*action, case::INSERTING | history::APPENDING) && error.is_unique_violation()
}

/// A submission with its attachment and its place in the batch.
type Numbered<W, A> = (usize, (Submission<W>, A));

impl<W: Workflow, H: Host<W>> Desk<W, H> {
    /// Splits commands so that no case, subject or command id occurs twice in one transaction,
    /// and those that share one stay in their order.
    async fn waves(
        &self,
        submissions: Vec<(Submission<W>, H::Attachment)>,
    ) -> Vec<Vec<Numbered<W, H::Attachment>>> {
        let subjects = self.subjects(&submissions).await;
        let mut waves: Vec<Vec<Numbered<W, H::Attachment>>> = Vec::new();
        let mut free_from: HashMap<String, usize> = HashMap::new();
        for (index, one) in submissions.into_iter().enumerate() {
            let case = one.0.target.case();
            let mut keys = vec![format!("case {case}"), format!("command {}", one.0.command_id)];
            keys.extend(subjects.get(&case).map(|subject| format!("subject {subject}")));
            let wave = keys.iter().filter_map(|key| free_from.get(key)).max().copied().unwrap_or(0);
            for key in keys {
                free_from.insert(key, wave + 1);
            }
            if waves.len() <= wave {
                waves.resize_with(wave + 1, Vec::new);
            }
            if let Some(wave) = waves.get_mut(wave) {
                wave.push((index, one));
            }
        }
        waves
    }

    /// What the cases are about. One that cannot be found fails later, on its own.
    async fn subjects(
        &self,
        submissions: &[(Submission<W>, H::Attachment)],
    ) -> HashMap<CaseId, String> {
        let mut subjects = HashMap::new();
        for (submission, _) in submissions {
            if let Target::New { case, subject } = &submission.target {
                subjects.insert(*case, subject.clone());
            }
        }
        let Ok(mut tx) = self.core.db.read().await else { return subjects };
        for (submission, _) in submissions {
            let case = submission.target.case();
            if !subjects.contains_key(&case)
                && let Ok(subject) = case::subject(&mut tx, case).await
            {
                subjects.insert(case, subject);
            }
        }
        subjects
    }

    async fn subject(&self, case: CaseId) -> Result<String, Fault> {
        let mut tx = self.core.db.read().await?;
        case::subject(&mut tx, case).await
    }

    /// Runs the host's part of a row for no longer than the lease allows.
    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let patience = self.core.retry.patience();
        tokio::time::timeout(patience, work).await.unwrap_or_else(|_| {
            Err(Failure::passing(format!("broken off after {} s", patience.as_secs())))
        })
    }
}

impl<W: Workflow, H: Host<W>> Runner for Desk<W, H> {
    fn submit_stored(&self, stored: Stored) -> BoxFuture<'_, Result<Touched, Fault>> {
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
            let done = self.run(submission, stored.cause, H::Attachment::default()).await?;
            Ok(done.1)
        })
    }

    fn carry_out<'a>(&'a self, row: &'a OutboxRow) -> BoxFuture<'a, Result<Performed, Failure>> {
        Box::pin(async move {
            let broken = |fault: Fault| Failure::passing(chain(&fault));
            let case = CaseId(row.case_id.unwrap_or_default());
            let subject = self.subject(case).await.map_err(broken)?;
            if row.kind == "notice" {
                let body = read(case, "notice", &row.body).map_err(Failure::permanent)?;
                self.in_time(self.host.send(parcel(row, case, subject, body))).await?;
                return Ok(Performed::Sent);
            }
            let body = read(case, "job", &row.body).map_err(Failure::permanent)?;
            let work = self.host.perform(parcel(row, case, subject, body));
            let Some(answer) = self.in_time(work).await? else {
                return Ok(Performed::Sent);
            };
            let id = format!("job-{}", row.id);
            let submission = Submission::new(case, answer.command, Actor::worker(), id);
            let cause = Cause::Job { outbox: row.id, attempt: row.attempts };
            match self.run(submission, cause, answer.attachment).await {
                Ok((_, touched)) => self.core.after_commit(touched).await,
                Err(Fault::LeaseLost { id }) => {
                    tracing::warn!(id, attempt = row.attempts, "late answer of a lost lease");
                }
                Err(fault) => return Err(broken(fault)),
            }
            Ok(Performed::Answered)
        })
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
