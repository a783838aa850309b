//! Tasks of people: taken, recorded by one or by two, and what follows for the case they are about.

use engine::{CaseId, Submission};
use workflows::paper;
use workflows::task::{self, Outcome, State, Task};
use workflows::terms::TaskKind;

use super::AtWork;
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

    /// A command about a task, and what it means for the case the task is about.
    pub async fn with_task(
        &self,
        by: &AtWork,
        task: CaseId,
        command: task::Command,
    ) -> Result<State, Declined> {
        let id = format!("task-{task}-{}", self.nonce());
        let submission = Submission::<Task>::new(task, command.clone(), by.actor(), id);
        let outcome = self.desks.task.submit(submission.from(by.origin()), ()).await?;
        let (_, state) = accepted(outcome)?;
        if let task::Command::Record { outcome } = command {
            self.follow(by, task, outcome, &state).await?;
        }
        Ok(state)
    }

    /// What two people have heard on the phone mends a form or sends it back; a letter's answer
    /// settles an address. Whatever a rule declines stays for whoever may.
    async fn follow(
        &self,
        by: &AtWork,
        task: CaseId,
        outcome: Outcome,
        state: &State,
    ) -> Result<(), Declined> {
        let mut tx = self.tools.db.read().await?;
        let Some((kind, about)) = tasks::kind_of(&mut tx, task).await? else { return Ok(()) };
        drop(tx);
        let is_done = matches!(state, State::Done { .. });
        let is = |wanted: TaskKind| kind == engine::label(&wanted);
        let command = match outcome {
            Outcome::Settled if is(TaskKind::CureByPhone) => paper::Command::CureByPhone,
            _ if is(TaskKind::CureByPhone) && is_done => paper::Command::ReturnForm,
            Outcome::Settled if is(TaskKind::LetterInquiry) => paper::Command::ConfirmAddress,
            Outcome::Denied if is(TaskKind::LetterInquiry) => paper::Command::ObjectAddress,
            Outcome::Settled if is(TaskKind::CallBack) && is_done => paper::Command::ClearDanger,
            _ => return Ok(()),
        };
        let about = CaseId(about);
        if self.desks.paper.find(about).await?.is_none() {
            return Ok(());
        }
        let id = format!("follow-{task}-{}-{}", engine::label(&command), self.nonce());
        match self.with_paper(by, about, command, id).await {
            Ok(_) | Err(Declined::Refused { .. }) => Ok(()),
            Err(other) => Err(other),
        }
    }
}
