//! Danger signs: a call back before login, a stop of everything after it.

use std::time::Duration;

use engine::{Actor, CaseId, Fault, Origin, Submission};
use tokio::time::Instant;
use workflows::tail;
use workflows::task;
use workflows::terms::{Channel, Reason, TaskKind, UserRef};
use workflows::{credential, self_service};

use super::entry::kind_name;
use super::{Declined, Session, accepted};
use crate::app::App;
use crate::dates;
use crate::host::Attachment;
use crate::store::{credentials, reissues, tasks};

/// No request for a call is answered sooner, so that the time does not tell whether somebody
/// exists.
const PATIENCE: Duration = Duration::from_millis(250);

/// What a stop came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// The cases that are stopped now, the newest last.
    pub cases: Vec<CaseId>,
}

impl App {
    /// Somebody asks before login to be called back, because a certificate vanished or somebody
    /// urged a "renewal". The answer is the same whether or not the user exists. The bank calls the
    /// registered number and no other.
    pub async fn request_call_back(
        &self,
        contract: &str,
        user_id: &str,
        place: &str,
    ) -> Result<(), Fault> {
        let answer_at = Instant::now() + PATIENCE;
        let done = self.open_call_back(contract, user_id, place).await;
        tokio::time::sleep_until(answer_at).await;
        done
    }

    async fn open_call_back(
        &self,
        contract: &str,
        user_id: &str,
        place: &str,
    ) -> Result<(), Fault> {
        let Some((user, _)) = self.find_user(contract, user_id).await? else { return Ok(()) };
        self.call_back(user, place).await.map(drop)
    }

    /// Opens a task to call a user back, at the registered number; one a day. False where there is
    /// one already.
    pub(crate) async fn call_back(&self, user: i64, place: &str) -> Result<bool, Fault> {
        let mut tx = self.tools.db.read().await?;
        let login = kind_name(credential::Kind::Login);
        let row = credentials::find(&mut tx, user, login).await?;
        let Some(about) = row.map(|row| CaseId(row.case_id)) else { return Ok(false) };
        let is_open = tasks::is_open(&mut tx, about, &engine::label(&TaskKind::CallBack)).await?;
        let today = dates::iso_day(tx.now());
        drop(tx);
        if is_open {
            return Ok(false);
        }
        let case = self.engine.next_case().await?;
        let command = task::Command::Open { kind: TaskKind::CallBack, about };
        // Once a day: the same id again finds the task of this morning.
        let id = format!("call-{user}-{today}");
        let origin = Origin { auth: "none".to_owned(), place: place.to_owned() };
        let submission =
            Submission::opening(case, format!("case-{about}"), command, Actor::worker(), id);
        self.desks.task.submit(submission.from(origin), ()).await?;
        Ok(true)
    }

    /// Stops everything of a signed-in user at once: their open cases, and with them their
    /// certificate. Without an open case one is opened for this alone, which the bank settles
    /// after a call to the registered number. Asked again on the same day, nothing happens twice.
    pub async fn emergency_stop(&self, session: &Session) -> Result<Stopped, Declined> {
        let mut tx = self.tools.db.read().await?;
        let open = reissues::open_of_user(&mut tx, session.user, CaseId(0)).await?;
        let today = dates::iso_day(tx.now());
        drop(tx);
        let mut cases = Vec::new();
        let mut holds = false;
        let ways =
            [Channel::SelfService, Channel::Delegated, Channel::Paper].map(Channel::workflow);
        // The form's other requests have neither a password nor a certificate to stop.
        for (case, channel) in open.into_iter().filter(|(_, way)| ways.contains(&way.as_str())) {
            let case = CaseId(case);
            if self.stop_case(session, case, &channel).await? {
                cases.push(case);
                holds |= self.is_frozen(case).await?;
            }
        }
        // A form that is not approved yet must not touch a certificate, and neither does its stop.
        if !holds {
            cases.push(self.open_stop(session, &today).await?);
        }
        Ok(Stopped { cases })
    }

    /// True when the case is stopped, now or before.
    async fn stop_case(
        &self,
        session: &Session,
        case: CaseId,
        channel: &str,
    ) -> Result<bool, Declined> {
        let (actor, origin) = (session.actor(), session.origin());
        let command = tail::Command::EmergencyStop;
        // A case that was let go on since is stopped anew; pressed twice, it is stopped once.
        let id = format!("stop-{case}-{}", self.case_row(case).await?.version);
        match self.submit_tail(case, channel, command, actor, origin, id).await {
            Ok(()) => Ok(true),
            Err(Declined::Refused { .. }) => Ok(self.is_frozen(case).await?),
            // Ended meanwhile.
            Err(Declined::NotFound) => Ok(false),
            Err(other) => Err(other),
        }
    }

    async fn is_frozen(&self, case: CaseId) -> Result<bool, Fault> {
        let mut tx = self.tools.db.read().await?;
        let row = engine::case::find(&mut tx, case).await?;
        Ok(row.is_some_and(|row| row.state_name == "Tail.Frozen"))
    }

    async fn open_stop(&self, session: &Session, today: &str) -> Result<CaseId, Declined> {
        let case = self.engine.next_case().await?;
        let (user, reason) = (UserRef(session.user), Reason::Vanished);
        let command = self_service::Command::Open { user, reason };
        let subject = format!("user-{}", session.user);
        let id = format!("stop-{}-{today}", session.user);
        let submission =
            Submission::opening(case, subject, command, session.actor(), id).from(session.origin());
        let outcome = self.desks.self_service.submit(submission, Attachment::default()).await?;
        accepted(outcome).map(|(case, _)| case)
    }
}
