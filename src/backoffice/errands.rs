//! Tasks of people: taken, recorded by one or by two, and what follows for the case they are about.

use engine::{CaseId, Submission};
use workflows::task::{self, State, Task};

use super::{AtWork, able};
use crate::app::App;
use crate::customer::{Declined, accepted};
use crate::store::tasks::{self, TaskLine};

/// A task with where it stands.
pub struct Errand {
    /// What it is about.
    pub line: TaskLine,
    /// Where it stands.
    pub state: State,
}

impl App {
    /// The tasks that are not done, the oldest first.
    pub async fn errands(&self) -> Result<Vec<Errand>, Declined> {
        let mut tx = self.tools.db.read().await?;
        let lines = tasks::open(&mut tx).await?;
        drop(tx);
        let mut all = Vec::with_capacity(lines.len());
        for line in lines {
            if let Some((_, state)) = self.desks.task.find(CaseId(line.case_id)).await? {
                all.push(Errand { line, state });
            }
        }
        Ok(all)
    }

    /// A command about a task. What it means for the case that the task is about, the task's own
    /// workflow tells that case in the same transaction. Of several roles of a person the first counts
    /// in which it is accepted.
    pub async fn with_task(
        &self,
        viewers: &[AtWork],
        task: CaseId,
        command: task::Command,
    ) -> Result<State, Declined> {
        let able = able(&self.desks.task, task, &command, viewers).await?;
        // What is declined is declined in some role, and stands in the history.
        let by = able.or(viewers.first()).ok_or(Declined::NotFound)?;
        let id = format!("task-{task}-{}", self.nonce());
        let submission = Submission::<Task>::new(task, command.clone(), by.actor(), id);
        let outcome = self.desks.task.submit(submission.from(by.origin()), ()).await?;
        accepted(outcome).map(|(_, state)| state)
    }
}
