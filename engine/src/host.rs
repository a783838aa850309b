//! The application as the engine sees it.

use std::future::Future;
use std::sync::Arc;

use serde_json::Value;

use crate::{Actor, CaseId, Fault, Moment, Origin, Speaker, Tx, Workflow};

/// Supplies what a workflow must know and carries out what it decides. Facts are asked and
/// effects given for many cases at once, inside one transaction; everything slow or random is
/// done in [`Host::prepare`], before it.
pub trait Host<W: Workflow>: Send + Sync + 'static {
    /// What accompanies a submission in memory only, such as the key that seals a secret.
    type Attachment: Default + Send + Sync;
    /// What [`Host::prepare`] made ready for the effects.
    type Prepared: Default + Send + Sync;

    /// The configuration in force.
    fn rules(&self) -> Arc<W::Rules>;

    /// Slow or random work before the transaction: hashing, sealing, new numbers.
    fn prepare(
        &self,
        ask: &Ask<'_, W>,
        attachment: &Self::Attachment,
    ) -> impl Future<Output = Result<Self::Prepared, Fault>> + Send;

    /// Locks the rows that stand before the cases in the lock order, in the order given
    /// (sorted by subject). Nothing to do on SQLite, whose writer is alone.
    fn lock(
        &self,
        tx: &mut Tx,
        subjects: &[String],
    ) -> impl Future<Output = Result<(), Fault>> + Send;

    /// What is known at this moment, one for each ask, in their order.
    fn facts(
        &self,
        tx: &mut Tx,
        asks: &[Ask<'_, W>],
    ) -> impl Future<Output = Result<Vec<W::Facts>, Fault>> + Send;

    /// Writes the effects of accepted commands. The opening of a case comes here even without
    /// effects, so that the host may write its own row for it.
    fn apply(
        &self,
        tx: &mut Tx,
        writes: &[Write<'_, W, Self::Prepared>],
    ) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Turns a signal into a command to another case.
    fn address(&self, signal: &W::Signal) -> Result<Addressed, Fault>;

    /// Sends a message. Called after the commit, at least once.
    fn send(&self, parcel: Parcel<W::Notice>) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Does a job and says which command answers it, if any does. Called after the commit, at
    /// least once.
    fn perform(
        &self,
        parcel: Parcel<W::Job>,
    ) -> impl Future<Output = Result<Option<Answer<W, Self::Attachment>>, Failure>> + Send;
}

/// One command as the host sees it before it is decided.
#[derive(Debug)]
pub struct Ask<'a, W: Workflow> {
    /// The case.
    pub case: CaseId,
    /// What the case is about: the key given when it was opened.
    pub subject: &'a str,
    /// Where it stands; [`Workflow::start`] for a new case.
    pub state: &'a W::State,
    /// What is asked.
    pub command: &'a W::Command,
    /// By whom.
    pub actor: &'a Actor<W::Role>,
    /// From where, and how authenticated.
    pub origin: &'a Origin,
    /// Under which id.
    pub command_id: &'a str,
    /// When.
    pub now: Moment,
}

/// The effects of one accepted command.
#[derive(Debug)]
pub struct Write<'a, W: Workflow, P> {
    /// The case.
    pub case: CaseId,
    /// What the case is about.
    pub subject: &'a str,
    /// The state before.
    pub from: &'a W::State,
    /// The state after.
    pub to: &'a W::State,
    /// What was asked.
    pub command: &'a W::Command,
    /// By whom.
    pub actor: &'a Actor<W::Role>,
    /// From where, and how authenticated.
    pub origin: &'a Origin,
    /// Under which id.
    pub command_id: &'a str,
    /// When.
    pub now: Moment,
    /// The writes, in order.
    pub effects: &'a [W::Effect],
    /// What was made ready.
    pub prepared: &'a P,
}

/// A signal, ready for another case's inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressed {
    /// To which case.
    pub case: CaseId,
    /// Of which workflow.
    pub workflow: &'static str,
    /// Its command, as JSON.
    pub command: Value,
    /// Who is heard there.
    pub speaker: Speaker,
}

/// A message or a job out of the outbox.
#[derive(Debug, Clone)]
pub struct Parcel<T> {
    /// Stays the same through all retries: the root of message ids and file names.
    pub id: i64,
    /// Which case it belongs to.
    pub case: CaseId,
    /// What that case is about.
    pub subject: String,
    /// The history entry that queued it.
    pub entry: i64,
    /// When it was queued.
    pub queued_at: Moment,
    /// This attempt, from 1.
    pub attempt: i64,
    /// What to do.
    pub body: T,
}

/// How a job is answered.
#[derive(Debug)]
pub struct Answer<W: Workflow, A> {
    /// Submitted to the case by [`crate::Role::WORKER`].
    pub command: W::Command,
    /// Goes with it in memory.
    pub attachment: A,
}

/// Why a message or a job did not succeed this time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Failure {
    /// For the operator; holds no secret and no address.
    pub reason: String,
    /// Trying again will not help: a person must look.
    pub permanent: bool,
}

impl Failure {
    /// Worth another attempt.
    #[expect(clippy::needless_pass_by_value, reason = "reads best with literals and errors")]
    pub fn passing(reason: impl ToString) -> Self {
        Self { reason: reason.to_string(), permanent: false }
    }

    /// Not worth another attempt.
    #[expect(clippy::needless_pass_by_value, reason = "reads best with literals and errors")]
    pub fn permanent(reason: impl ToString) -> Self {
        Self { reason: reason.to_string(), permanent: true }
    }
}
