//! Paths 1 and 2: reissue for oneself, or for a colleague, and see the digits.

use engine::{CaseId, Fault, Submission};
use workflows::delegated::{self, Delegated};
use workflows::self_service::{self, SelfService};
use workflows::tail;
use workflows::terms::{Channel, Reason, UserRef};

use super::{Declined, Session, accepted};
use crate::app::App;
use crate::host::{Attachment, DISPLAY, display_place};
use crate::secret::{RetrievalPassword, Ticket};
use crate::store::{passwords, reissues, standing, users};

/// What the display page shows.
pub enum Display {
    /// The digits, to this browser.
    Digits(Shown),
    /// Issued, and cannot be shown again, or not here.
    Gone,
}

/// The digits with what stands beside them.
pub struct Shown {
    /// The digits.
    pub digits: RetrievalPassword,
    /// When they were issued.
    pub issued_at: engine::Moment,
}

impl App {
    /// Path 1 begins: once for every page that was shown, whose key comes with it.
    pub async fn begin_own_reissue(
        &self,
        session: &Session,
        reason: Reason,
        key: &str,
    ) -> Result<CaseId, Declined> {
        let case = self.engine.next_case().await?;
        let command = self_service::Command::Open { user: UserRef(session.user), reason };
        let subject = format!("user-{}", session.user);
        let id = format!("self-{}-{key}", session.id);
        let submission =
            Submission::<SelfService>::opening(case, subject, command, session.actor(), id)
                .from(session.origin());
        let outcome = self.desks.self_service.submit(submission, Attachment::default()).await?;
        accepted(outcome).map(|(case, _)| case)
    }

    /// Goes on after the one-time password, then issues: once per case, however often it is asked.
    pub async fn issue_for_oneself(
        &self,
        session: &Session,
        case: CaseId,
        ticket: &Ticket,
    ) -> Result<(), Declined> {
        self.pass_one_time_password(session, case).await?;
        self.show_own_password(session, case, ticket).await
    }

    /// The one-time password was right in this session: the case goes on.
    pub async fn pass_one_time_password(
        &self,
        session: &Session,
        case: CaseId,
    ) -> Result<(), Declined> {
        let command = self_service::Command::PassOtp;
        self.on_own_case(session, case, command, format!("otp-{case}"), None).await
    }

    /// The user asks to see the password: it is made once per case, for this browser.
    pub async fn show_own_password(
        &self,
        session: &Session,
        case: CaseId,
        ticket: &Ticket,
    ) -> Result<(), Declined> {
        let (command, id) = (self_service::Command::Issue, format!("issue-{case}"));
        self.on_own_case(session, case, command, id, Some(ticket.clone())).await
    }

    /// The user stops before anything was issued.
    pub async fn cancel_own_reissue(
        &self,
        session: &Session,
        case: CaseId,
    ) -> Result<(), Declined> {
        let command = self_service::Command::Cancel;
        self.on_own_case(session, case, command, format!("cancel-{case}"), None).await
    }

    async fn on_own_case(
        &self,
        session: &Session,
        case: CaseId,
        command: self_service::Command,
        id: String,
        ticket: Option<Ticket>,
    ) -> Result<(), Declined> {
        self.demand_opened_by(session, case).await?;
        let submission = Submission::<SelfService>::new(case, command, session.actor(), id);
        let attachment = Attachment { ticket, ..Attachment::default() };
        let submission = submission.from(session.origin());
        accepted(self.desks.self_service.submit(submission, attachment).await?).map(drop)
    }

    /// The administrator stops before the confirmation.
    pub async fn cancel_colleague_reissue(
        &self,
        session: &Session,
        case: CaseId,
    ) -> Result<(), Declined> {
        self.demand_opened_by(session, case).await?;
        let command = delegated::Command::Cancel;
        let submission =
            Submission::<Delegated>::new(case, command, session.actor(), format!("cancel-{case}"))
                .from(session.origin());
        accepted(self.desks.delegated.submit(submission, Attachment::default()).await?).map(drop)
    }

    /// Under target-only reveal, the user whom a colleague granted a password asks to see it.
    pub async fn reveal_granted_password(
        &self,
        session: &Session,
        case: CaseId,
        ticket: &Ticket,
    ) -> Result<(), Declined> {
        let command = delegated::Command::Reveal;
        let submission =
            Submission::<Delegated>::new(case, command, session.actor(), format!("reveal-{case}"))
                .from(session.origin());
        let attachment = Attachment { ticket: Some(ticket.clone()), ..Attachment::default() };
        accepted(self.desks.delegated.submit(submission, attachment).await?).map(drop)
    }

    /// Path 2 begins: a colleague was picked; the confirmation page carries the case.
    pub async fn begin_colleague_reissue(
        &self,
        session: &Session,
        user_id: &str,
        reason: Reason,
        key: &str,
    ) -> Result<CaseId, Declined> {
        let mut tx = self.tools.db.read().await?;
        let own = standing::find(&mut tx, session.user).await?.ok_or(Declined::NotFound)?;
        // A user of another contract is answered like one that does not exist.
        let target = users::id_of(&mut tx, own.contract, user_id).await?;
        let target = target.ok_or(Declined::NotFound)?;
        drop(tx);
        let case = self.engine.next_case().await?;
        let command = delegated::Command::Open { target: UserRef(target), reason };
        let subject = format!("user-{target}");
        let id = format!("delegate-{}-{key}", session.id);
        let submission =
            Submission::<Delegated>::opening(case, subject, command, session.actor(), id)
                .from(session.origin());
        let outcome = self.desks.delegated.submit(submission, Attachment::default()).await?;
        accepted(outcome).map(|(case, _)| case)
    }

    /// The administrator confirms with their own transaction password. A repeated confirmation
    /// finds the finished one and judges nothing.
    pub async fn confirm_colleague_reissue(
        &self,
        session: &Session,
        case: CaseId,
        transaction_password: &str,
        ticket: &Ticket,
    ) -> Result<(), Declined> {
        self.demand_opened_by(session, case).await?;
        if !self.is_issued(case).await? {
            self.enter_transaction_password(session, transaction_password).await?;
        }
        let id = format!("issue-{case}");
        let command = delegated::Command::Issue;
        let submission =
            Submission::<Delegated>::new(case, command, session.actor(), id).from(session.origin());
        let attachment = Attachment { ticket: Some(ticket.clone()), ..Attachment::default() };
        let outcome = self.desks.delegated.submit(submission, attachment).await?;
        accepted(outcome).map(drop)
    }

    /// A case of somebody else is answered like one that does not exist, finished or not.
    async fn demand_opened_by(&self, session: &Session, case: CaseId) -> Result<(), Declined> {
        let mut tx = self.tools.db.read().await?;
        let row = reissues::find(&mut tx, case).await?.ok_or(Declined::NotFound)?;
        if row.opened_by == session.actor().id.0 { Ok(()) } else { Err(Declined::NotFound) }
    }

    async fn is_issued(&self, case: CaseId) -> Result<bool, Fault> {
        let mut tx = self.tools.db.read().await?;
        Ok(passwords::newest_of_case(&mut tx, case).await?.is_some())
    }

    /// What the display page shows to the browser that holds this ticket. Only who may see it
    /// comes here with a ticket that opens: the copy is sealed to it.
    pub async fn display(
        &self,
        session: &Session,
        case: CaseId,
        ticket: &Ticket,
    ) -> Result<Display, Declined> {
        let mut tx = self.tools.db.read().await?;
        let row = reissues::find(&mut tx, case).await?.ok_or(Declined::NotFound)?;
        let actor = session.actor().id;
        if row.user_id != session.user && row.opened_by != actor.0 {
            return Err(Declined::NotFound);
        }
        let password = passwords::newest_of_case(&mut tx, case).await?;
        drop(tx);
        let Some(password) = password else { return Err(Declined::NotFound) };
        let Some(sealed) = &password.sealed else { return Ok(Display::Gone) };
        if password.ticket.as_deref() != Some(ticket.digest().as_slice()) {
            return Ok(Display::Gone);
        }
        let place = display_place(password.user_id, &password.command_id);
        let opened = self.tools.keys.open_for(DISPLAY, ticket.expose_bytes(), &place, sealed);
        let Ok(opened) = opened else { return Ok(Display::Gone) };
        let text = std::str::from_utf8(&opened).map_err(Fault::host("read a display copy"))?;
        let digits = RetrievalPassword::parse(text).map_err(Fault::host("read a display copy"))?;
        let issued_at = engine::Moment(password.issued_at);
        Ok(Display::Digits(Shown { digits, issued_at }))
    }

    /// A command of the common tail from a customer's page.
    pub async fn in_tail(
        &self,
        session: &Session,
        case: CaseId,
        command: tail::Command,
        id: String,
    ) -> Result<(), Declined> {
        let mut tx = self.tools.db.read().await?;
        let row = reissues::find(&mut tx, case).await?.ok_or(Declined::NotFound)?;
        drop(tx);
        let (actor, origin) = (session.actor(), session.origin());
        self.submit_tail(case, &row.channel, command, actor, origin, id).await
    }

    pub(crate) async fn submit_tail(
        &self,
        case: CaseId,
        channel: &str,
        command: tail::Command,
        actor: engine::Actor<workflows::terms::Role>,
        origin: engine::Origin,
        id: String,
    ) -> Result<(), Declined> {
        let none = Attachment::default();
        if channel == Channel::SelfService.workflow() {
            let command = self_service::Command::Tail(command);
            let submission = Submission::new(case, command, actor, id).from(origin);
            accepted(self.desks.self_service.submit(submission, none).await?).map(drop)
        } else if channel == Channel::Delegated.workflow() {
            let command = delegated::Command::Tail(command);
            let submission = Submission::new(case, command, actor, id).from(origin);
            accepted(self.desks.delegated.submit(submission, none).await?).map(drop)
        } else {
            let command = workflows::paper::Command::Tail(command);
            let submission = Submission::new(case, command, actor, id).from(origin);
            accepted(self.desks.paper.submit(submission, none).await?).map(drop)
        }
    }
}
