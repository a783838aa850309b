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
use crate::store::submissions::SubmissionRow;
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

/// What was made ready.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prepared {
    /// The receipt number of an envelope.
    receipt: Option<String>,
    /// The row of a form that is given out.
    form: Option<SubmissionRow>,
}

impl SubmissionHost {
    /// A host that opens its cases at `desks`.
    pub fn new(tools: Arc<Tools>, engine: Engine, desks: ItemDesks) -> Self {
        Self { tools, engine, desks }
    }

    async fn write(
        &self,
        tx: &mut Tx,
        write: &Write<'_, Submission, Prepared>,
    ) -> Result<(), Fault> {
        // A form and its case come about together or not at all.
        if let Some(form) = &write.prepared.form {
            submissions::insert(tx, form).await?;
        }
        for effect in write.effects {
            match effect {
                Effect::RecordReceipt { carrier, pages } => {
                    let missing = Missing::Prepared { what: "a receipt number" };
                    let receipt = write.prepared.receipt.as_deref();
                    let receipt =
                        receipt.ok_or_else(|| Fault::host("register an envelope")(missing))?;
                    let pages = i64::from(*pages);
                    submissions::receive(tx, write.case, receipt, carrier, pages).await?;
                }
                Effect::MendReceipt { carrier, pages } => {
                    submissions::mend(tx, write.case, carrier, i64::from(*pages)).await?;
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
    let actor = match user_of(&ask.actor.id) {
        Some(user) => standing::find(tx, user).await?,
        None => None,
    };
    let row = match submissions::of_case(tx, ask.case).await? {
        Some(row) => row,
        // A form is given out for the contract of whoever asks for it.
        None if *ask.command == Command::Prefill => {
            return Ok(Facts {
                contract_found: actor.is_some(),
                pages_complete: false,
                actor_of_contract: true,
                count_agrees: false,
                is_form: false,
            });
        }
        // An envelope whose pages name no form of ours is opened as it comes.
        None if matches!(ask.command, Command::Receive { .. }) => {
            return Ok(Facts {
                contract_found: false,
                pages_complete: false,
                actor_of_contract: true,
                count_agrees: false,
                is_form: false,
            });
        }
        None => {
            let subject = ask.subject.to_owned();
            let missing = Missing::Subject { what: "submission", subject };
            return Err(Fault::host("look up facts")(missing));
        }
    };
    let contents = Contents::read(&row.reading);
    let is_form = contents.as_ref().is_some_and(|contents| !contents.pages_seen.is_empty());
    let scanned = submissions::count_pages(tx, row.number).await?;
    Ok(Facts {
        contract_found: row.contract_id.is_some(),
        pages_complete: contents.is_some_and(|contents| contents.is_complete()),
        actor_of_contract: actor.is_none_or(|standing| row.contract_id == Some(standing.contract)),
        count_agrees: scanned == row.counted,
        is_form,
    })
}

impl Host<Submission> for SubmissionHost {
    /// The row of a form that is given out.
    type Attachment = Option<SubmissionRow>;
    type Prepared = Prepared;

    fn rules(&self) -> Arc<Rules> {
        self.tools.rules.clone()
    }

    async fn prepare(
        &self,
        ask: &Ask<'_, Submission>,
        form: &Option<SubmissionRow>,
    ) -> Result<Prepared, Fault> {
        let receipt = match ask.command {
            Command::Receive { .. } => {
                let number = self.engine.next_number("receipt").await?;
                Some(format!("U{}", crate::dates::numbered(ask.now, number)))
            }
            _ => None,
        };
        Ok(Prepared { receipt, form: form.clone() })
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
        writes: &[Write<'_, Submission, Prepared>],
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
        reissue::send(&self.tools, &self.engine, &self.desks.tasks, &parcel).await
    }

    async fn perform(
        &self,
        parcel: Parcel<Job>,
    ) -> Result<Option<Answer<Submission, Option<SubmissionRow>>>, Failure> {
        let answer = |command| Ok(Some(Answer { command, attachment: None }));
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
