//! A workflow as the engine's own loops see it: stored texts in, settled rows out.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::Poll;

use crate::outbox::OutboxRow;
use crate::submission::Stored;
use crate::{CaseId, Failure, Fault};

pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What became of an outbox row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Performed {
    /// A message has left, or a job ended without an answer; the row is still to be settled.
    Sent,
    /// A job's answer was submitted, which settled the row in its own transaction.
    Answered,
}

/// Cases that a committed transaction touched.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    /// They have a new history entry.
    pub(crate) changed: Vec<CaseId>,
    /// Something waits for them and may be welcome now.
    pub(crate) expectant: Vec<CaseId>,
    /// A message was queued.
    pub(crate) has_message: bool,
    /// A job was queued.
    pub(crate) has_work: bool,
}

/// One registered workflow.
pub(crate) trait Runner: Send + Sync {
    fn submit_stored(&self, stored: Stored) -> BoxFuture<'_, Result<Touched, Fault>>;
    fn carry_out<'a>(&'a self, row: &'a OutboxRow) -> BoxFuture<'a, Result<Performed, Failure>>;
}

/// Runs `work`; a panic in it becomes its message. Transactions that were open are rolled back by
/// the unwinding, so nothing half done can be seen afterwards.
pub(crate) async fn guarded<T>(work: impl Future<Output = T>) -> Result<T, String> {
    let mut work = pin!(work);
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
        Err(payload) => Poll::Ready(Err(message(payload.as_ref()))),
    })
    .await
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let owned = payload.downcast_ref::<String>().map(String::as_str);
    format!("panicked: {}", text.or(owned).unwrap_or("without a message"))
}
