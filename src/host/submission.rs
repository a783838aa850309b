//! The host of submissions: envelopes, their pages, and the cases that come out of them.

use std::sync::Arc;

use engine::{Addressed, Answer, Ask, Desk, Engine, Failure, Fault, Host, Parcel, Tx, Write};
use workflows::clerical::Clerical;
use workflows::paper::Paper;
use workflows::submission::{Command, Effect, Facts, Job, Notice, Submission};
use workflows::task::Task;
use workflows::terms::{Rules, Signal};

use super::clerical::ClericalHost;
use super::reissue::{self, ReissueHost};
use super::task::TaskHost;
use super::{Missing, Tools, user_of};
use crate::intake::{self, Contents};
use crate::store::{standing, submissions};

/// Serves the submissions.
pub struct SubmissionHost {
    tools: Arc<Tools>,
    engine: Engine,
    desks: ItemDesks,
}

/// Where the cases of a form are opened.
pub struct ItemDesks {
    /// Tasks.
    pub tasks: Desk<Task, TaskHost>,
    /// Retrieval requests.
    pub paper: Desk<Paper, ReissueHost>,
    /// The other requests.
    pub clerical: Desk<Clerical, ClericalHost>,
}

/// What was made ready: the receipt number of an envelope.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Receipt(Option<String>);

impl SubmissionHost {
    /// A host that opens its cases at `desks`.
    pub fn new(tools: Arc<Tools>, engine: Engine, desks: ItemDesks) -> Self {
        Self { tools, engine, desks }
    }

    async fn write(
        &self,
        tx: &mut Tx,
        write: &Write<'_, Submission, Receipt>,
    ) -> Result<(), Fault> {
        for effect in write.effects {
            match effect {
                Effect::RecordReceipt { carrier, pages } => {
                    let missing = Missing::Prepared { what: "a receipt number" };
                    let receipt = write.prepared.0.as_deref();
                    let receipt =
                        receipt.ok_or_else(|| Fault::host("register an envelope")(missing))?;
                    let pages = i64::from(*pages);
                    submissions::receive(tx, write.case, receipt, carrier, pages).await?;
                }
                Effect::RecordPages { pages } => {
                    submissions::count_more(tx, write.case, i64::from(*pages)).await?;
                }
                Effect::DetachPage { page } => {
                    submissions::detach(tx, write.case, i64::from(*page)).await?;
                }
                Effect::RecordReturn => submissions::close_pages(tx, write.case).await?,
            }
        }
        Ok(())
    }
}

async fn facts_of(tx: &mut Tx, ask: &Ask<'_, Submission>) -> Result<Facts, Fault> {
    let row = submissions::of_case(tx, ask.case).await?;
    let row = row.ok_or_else(|| {
        let subject = ask.subject.to_owned();
        Fault::host("look up facts")(Missing::Subject { what: "submission", subject })
    })?;
    let contents = Contents::read(&row.reading);
    let actor = match user_of(&ask.actor.id) {
        Some(user) => standing::find(tx, user).await?,
        None => None,
    };
    let scanned = submissions::count_pages(tx, row.number).await?;
    Ok(Facts {
        contract_found: row.contract_id.is_some(),
        pages_complete: contents.is_some_and(|contents| contents.is_complete()),
        actor_of_contract: actor.is_none_or(|standing| row.contract_id == Some(standing.contract)),
        count_agrees: scanned == row.counted,
    })
}

impl Host<Submission> for SubmissionHost {
    type Attachment = ();
    type Prepared = Receipt;

    fn rules(&self) -> Arc<Rules> {
        self.tools.rules.clone()
    }

    async fn prepare(&self, ask: &Ask<'_, Submission>, _attachment: &()) -> Result<Receipt, Fault> {
        let Command::Receive { .. } = ask.command else { return Ok(Receipt::default()) };
        let number = self.engine.next_number("receipt").await?;
        Ok(Receipt(Some(format!("U{}", crate::dates::numbered(ask.now, number)))))
    }

    async fn lock(&self, _tx: &mut Tx, _subjects: &[String]) -> Result<(), Fault> {
        Ok(())
    }

    async fn facts(&self, tx: &mut Tx, asks: &[Ask<'_, Submission>]) -> Result<Vec<Facts>, Fault> {
        let mut all = Vec::with_capacity(asks.len());
        for ask in asks {
            all.push(facts_of(tx, ask).await?);
        }
        Ok(all)
    }

    async fn apply(
        &self,
        tx: &mut Tx,
        writes: &[Write<'_, Submission, Receipt>],
    ) -> Result<(), Fault> {
        for write in writes {
            self.write(tx, write).await?;
        }
        Ok(())
    }

    fn address(&self, signal: &Signal) -> Result<Addressed, Fault> {
        reissue::address(signal)
    }

    async fn send(&self, parcel: Parcel<Notice>) -> Result<(), Failure> {
        self.tools.notifier.send(&parcel).await
    }

    async fn perform(
        &self,
        parcel: Parcel<Job>,
    ) -> Result<Option<Answer<Submission, ()>>, Failure> {
        let answer = |command| Ok(Some(Answer { command, attachment: () }));
        match parcel.body {
            Job::ReadPages => answer(intake::read_pages(&self.tools, parcel.case).await?),
            Job::OpenItems => {
                let opened = intake::open_items(
                    &self.tools,
                    &self.engine,
                    &self.desks,
                    parcel.case,
                    parcel.id,
                );
                answer(Command::ItemsOpened { count: opened.await? })
            }
            Job::OpenTask { kind } => {
                let (id, case) = (parcel.id, parcel.case);
                reissue::open_task(&self.engine, &self.desks.tasks, id, case, kind).await?;
                Ok(None)
            }
        }
    }
}
