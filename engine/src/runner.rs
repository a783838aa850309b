//! A workflow as the engine's own loops see it: stored texts in, settled rows out.

use std::future::Future;
use std::pin::Pin;

use crate::outbox::OutboxRow;
use crate::submission::Stored;
use crate::{Failure, Fault};

pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What became of a stored command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settled {
    Accepted,
    Declined,
}

/// What became of an outbox row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Performed {
    /// A message has left; the row is still to be settled.
    Sent,
    /// A job's answer was submitted, which settled the row in its own transaction.
    Answered,
}

/// One registered workflow.
pub(crate) trait Runner: Send + Sync {
    fn submit_stored<'a>(&'a self, stored: Stored) -> BoxFuture<'a, Result<Settled, Fault>>;
    fn carry_out<'a>(&'a self, row: &'a OutboxRow) -> BoxFuture<'a, Result<Performed, Failure>>;
}
