//! The host of tasks: work of people, linked to the case it is about.

use std::sync::Arc;

use engine::{Addressed, Answer, Ask, CaseId, Failure, Fault, Host, Parcel, Tx, Write};
use workflows::task::{Effect, Facts, Job, Notice, Task};
use workflows::terms::{Rules, Signal};
use workflows::{clerical, paper};

use super::{Tools, reissue};
use crate::store::tasks;

/// Serves the tasks.
pub struct TaskHost {
    tools: Arc<Tools>,
}

impl TaskHost {
    /// A host.
    pub fn new(tools: Arc<Tools>) -> Self {
        Self { tools }
    }
}

impl Host<Task> for TaskHost {
    type Attachment = ();
    type Prepared = ();

    fn rules(&self) -> Arc<Rules> {
        self.tools.rules.clone()
    }

    async fn prepare(&self, _ask: &Ask<'_, Task>, _attachment: &()) -> Result<(), Fault> {
        Ok(())
    }

    async fn lock(&self, _tx: &mut Tx, _subjects: &[String]) -> Result<(), Fault> {
        Ok(())
    }

    async fn facts(&self, tx: &mut Tx, asks: &[Ask<'_, Task>]) -> Result<Vec<Facts>, Fault> {
        let mut facts = Vec::with_capacity(asks.len());
        for ask in asks {
            let about = tasks::subject_of(tx, ask.case).await?;
            let of = |kind: &str| {
                about.as_ref().filter(|(_, own)| own == kind).map(|(case, _)| CaseId(*case))
            };
            facts.push(Facts { paper: of(paper::NAME), clerical: of(clerical::NAME) });
        }
        Ok(facts)
    }

    async fn apply(&self, tx: &mut Tx, writes: &[Write<'_, Task, ()>]) -> Result<(), Fault> {
        for write in writes {
            for effect in write.effects {
                match effect {
                    Effect::LinkCase { about, kind } => {
                        tasks::link(tx, write.case, &kind_name(*kind), *about).await?;
                    }
                    Effect::RecordOutcome { outcome } => {
                        tasks::settle(tx, write.case, &format!("{outcome:?}")).await?;
                    }
                }
            }
        }
        Ok(())
    }

    fn address(&self, signal: &Signal) -> Result<Addressed, Fault> {
        reissue::address(signal)
    }

    /// The supervisor is told in the list of tasks, where the work is, not by mail.
    async fn send(&self, parcel: Parcel<Notice>) -> Result<(), Failure> {
        let failed = |fault| Failure::passing(engine::chain(&fault));
        let mut tx = self.tools.db.write().await.map_err(failed)?;
        tasks::escalate(&mut tx, parcel.case, &engine::label(&parcel.body))
            .await
            .map_err(failed)?;
        tx.commit().await.map_err(failed)
    }

    async fn perform(&self, parcel: Parcel<Job>) -> Result<Option<Answer<Task, ()>>, Failure> {
        match parcel.body {}
    }
}

/// The stored name of a kind of task.
fn kind_name(kind: workflows::terms::TaskKind) -> String {
    engine::label(&kind)
}
