//! The host of the form's other requests.

use std::sync::Arc;

use engine::{
    Addressed, Answer, Ask, CaseId, Desk, Engine, Failure, Fault, Host, Parcel, Tx, Write,
};
use workflows::clerical::{Clerical, Command, Effect, Facts, Job, NAME, Notice, Request, State};
use workflows::task::Task;
use workflows::terms::{Rules, Signal};

use super::task::TaskHost;
use super::{Tools, effects, facts, reissue, user_of_subject};
use crate::store::reissues::{self, Change};
use crate::store::{credentials, standing};

/// Serves the clerical cases.
pub struct ClericalHost {
    tools: Arc<Tools>,
    engine: Engine,
    tasks: Desk<Task, TaskHost>,
}

impl ClericalHost {
    /// A host that opens its tasks at `tasks`.
    pub fn new(tools: Arc<Tools>, engine: Engine, tasks: Desk<Task, TaskHost>) -> Self {
        Self { tools, engine, tasks }
    }

    async fn facts_of(&self, tx: &mut Tx, ask: &Ask<'_, Clerical>) -> Result<Facts, Fault> {
        let opening = match ask.command {
            Command::Open { user, submission, .. } => {
                Some(reissue::Opening { user: *user, reason: None, submission: Some(submission.0) })
            }
            _ => None,
        };
        let about = facts::About {
            case: ask.case,
            subject: ask.subject,
            opening,
            actor: &ask.actor.id,
            origin: ask.origin,
        };
        let common = facts::of_reissue(tx, &self.tools.rules, &about).await?;
        let user = user_of_subject(ask.subject).unwrap_or_default();
        let credential = match request_of(ask).and_then(kind_of) {
            Some(kind) => credentials::find(tx, user, kind).await?,
            None => None,
        };
        let is_locked = credential.as_ref().is_some_and(|row| row.state_name == "Locked");
        Ok(Facts {
            contract_active: common.contract_active,
            user_active: common.user_active,
            fits: request_of(ask).is_some_and(|request| !is_release(request) || is_locked),
            specimen_valid: common.specimen_valid,
            form_age_days: common.form_age_days,
            address_fresh: common.address_fresh,
            danger: common.danger,
            // No interface to the bank's own system is configured: two people confirm the work.
            bank_connected: false,
            actor_of_customer: common.actor_is_user
                || (common.same_contract && common.actor_authority),
            credential: credential
                .filter(|row| !row.state_name.is_empty())
                .map(|row| CaseId(row.case_id)),
        })
    }
}

fn request_of(ask: &Ask<'_, Clerical>) -> Option<Request> {
    match (ask.command, ask.state) {
        (Command::Open { request, .. }, _)
        | (
            _,
            State::Received { request }
            | State::Checked { request, .. }
            | State::CarryingOut { request }
            | State::ByHand { request, .. },
        ) => Some(*request),
        _ => None,
    }
}

/// The credential that a request concerns.
fn kind_of(request: Request) -> Option<&'static str> {
    match request {
        Request::RetrievalRelease => Some("retrieval"),
        Request::LoginRelease | Request::LoginReset => Some("login"),
        Request::TransactionRelease | Request::TransactionReset => Some("transaction"),
        Request::IdInquiry => None,
    }
}

fn is_release(request: Request) -> bool {
    matches!(
        request,
        Request::RetrievalRelease | Request::LoginRelease | Request::TransactionRelease
    )
}

impl Host<Clerical> for ClericalHost {
    type Attachment = ();
    type Prepared = ();

    fn rules(&self) -> Arc<Rules> {
        self.tools.rules.clone()
    }

    async fn prepare(&self, _ask: &Ask<'_, Clerical>, _attachment: &()) -> Result<(), Fault> {
        Ok(())
    }

    async fn lock(&self, tx: &mut Tx, subjects: &[String]) -> Result<(), Fault> {
        for user in subjects.iter().filter_map(|subject| user_of_subject(subject)) {
            standing::lock_user(tx, user).await?;
        }
        Ok(())
    }

    async fn facts(&self, tx: &mut Tx, asks: &[Ask<'_, Clerical>]) -> Result<Vec<Facts>, Fault> {
        let mut all = Vec::with_capacity(asks.len());
        for ask in asks {
            all.push(self.facts_of(tx, ask).await?);
        }
        Ok(all)
    }

    async fn apply(&self, tx: &mut Tx, writes: &[Write<'_, Clerical, ()>]) -> Result<(), Fault> {
        for write in writes {
            if let Command::Open { user, submission, .. } = write.command {
                let place = effects::Place {
                    case: write.case,
                    subject: write.subject,
                    channel: NAME,
                    actor: &write.actor.id,
                    origin: write.origin,
                    command_id: write.command_id,
                };
                let submission = Some(submission.0);
                let opening = reissue::Opening { user: *user, reason: None, submission };
                effects::open(tx, &place, &opening).await?;
            }
            for effect in write.effects {
                let Effect::RecordDefects { codes } = effect;
                let codes: Vec<&str> = codes.iter().map(|code| code.code()).collect();
                reissues::change(tx, write.case, &Change::Defects(&codes.join(","))).await?;
            }
        }
        Ok(())
    }

    fn address(&self, signal: &Signal) -> Result<Addressed, Fault> {
        reissue::address(signal)
    }

    async fn send(&self, parcel: Parcel<Notice>) -> Result<(), Failure> {
        reissue::send(&self.tools, &self.engine, &self.tasks, &parcel).await
    }

    async fn perform(&self, parcel: Parcel<Job>) -> Result<Option<Answer<Clerical, ()>>, Failure> {
        match parcel.body {
            Job::CallBank { .. } => {
                Ok(Some(Answer { command: Command::NotCarried, attachment: () }))
            }
            Job::OpenTask { kind } => {
                let (id, case) = (parcel.id, parcel.case);
                reissue::open_task(&self.engine, &self.tasks, id, case, kind).await?;
                Ok(None)
            }
        }
    }
}
