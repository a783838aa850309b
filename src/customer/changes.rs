//! An enrolment code for a colleague, and changes by a signed-in user.

use engine::{CaseId, Fault, Submission};
use workflows::credential::Kind;
use workflows::enrolment::{Command, Refusal};
use zeroize::Zeroizing;

use super::{Declined, Entry, Session, accepted};
use crate::app::App;
use crate::host::{CodeAttachment, DISPLAY, Replacement, code_place, enrolment_case};
use crate::secret::{EnrolmentCode, Ticket, Unfit, one_form};
use crate::store::{codes, standing, users};

impl App {
    /// Issues a code for a colleague of the same contract; gives the case that shows it. Sent
    /// again under the same key, it finds the finished one and judges nothing.
    pub async fn issue_enrolment_code(
        &self,
        session: &Session,
        user_id: &str,
        transaction_password: &str,
        key: &str,
        ticket: &Ticket,
    ) -> Result<CaseId, Declined> {
        let target = self.colleague(session, user_id).await?;
        let case = self.enrolment_case(target).await?;
        let id = format!("code-{}-{key}", session.id);
        let mut tx = self.tools.db.read().await?;
        let is_issued = codes::by_command(&mut tx, &id).await?;
        drop(tx);
        if !is_issued {
            // Nobody enters a password for what is refused anyway.
            self.demand_issuable(session, case).await?;
            self.enter_transaction_password(session, transaction_password).await?;
        }
        let submission =
            Submission::new(case, Command::Issue, session.actor(), id).from(session.origin());
        let attachment =
            CodeAttachment { ticket: Some(ticket.clone()), ..CodeAttachment::default() };
        accepted(self.desks.enrolment.submit(submission, attachment).await?).map(|(case, _)| case)
    }

    /// Whether a code may be issued for a colleague, the transaction password left aside: what the
    /// page shows before it asks for one.
    pub async fn may_issue_enrolment_code(
        &self,
        session: &Session,
        user_id: &str,
    ) -> Result<(), Declined> {
        let target = self.colleague(session, user_id).await?;
        let case = self.enrolment_case(target).await?;
        self.demand_issuable(session, case).await
    }

    async fn demand_issuable(&self, session: &Session, case: CaseId) -> Result<(), Declined> {
        let (actor, origin) = (session.actor(), session.origin());
        match self.desks.enrolment.ask(case, &Command::Issue, &actor, &origin).await? {
            Ok(()) | Err(Refusal::TransactionMissing) => Ok(()),
            Err(refusal) => {
                Err(Declined::Refused { code: format!("enrolment.{}", engine::label(&refusal)) })
            }
        }
    }

    async fn colleague(&self, session: &Session, user_id: &str) -> Result<i64, Declined> {
        let mut tx = self.tools.db.read().await?;
        let own = standing::find(&mut tx, session.user).await?.ok_or(Declined::NotFound)?;
        // A user of another contract is answered like one that does not exist.
        users::id_of(&mut tx, own.contract, user_id).await?.ok_or(Declined::NotFound)
    }

    pub(super) async fn enrolment_case(&self, user: i64) -> Result<CaseId, Fault> {
        enrolment_case(&self.tools, &self.engine, &self.desks.enrolment, user).await
    }

    /// The code that this browser has issued for a colleague, in groups of four; `None` once its
    /// copy is destroyed, and in every other browser.
    pub async fn display_enrolment_code(
        &self,
        session: &Session,
        user_id: &str,
        ticket: &Ticket,
    ) -> Result<Option<Zeroizing<String>>, Declined> {
        let target = self.colleague(session, user_id).await?;
        let mut tx = self.tools.db.read().await?;
        let row = codes::active_of_user(&mut tx, target).await?;
        drop(tx);
        let Some(row) = row.filter(|row| row.issued_by == session.actor().id.0) else {
            return Err(Declined::NotFound);
        };
        let Some(sealed) = &row.sealed else { return Ok(None) };
        if row.ticket.as_deref() != Some(ticket.digest().as_slice()) {
            return Ok(None);
        }
        let place = code_place(target, &row.command_id);
        let opened = self.tools.keys.open_for(DISPLAY, ticket.expose_bytes(), &place, sealed);
        let Ok(opened) = opened else { return Ok(None) };
        let text = std::str::from_utf8(&opened).map_err(Fault::host("read a display copy"))?;
        let code = EnrolmentCode::parse(text).map_err(Fault::host("read a display copy"))?;
        Ok(Some(code.expose_grouped()))
    }

    /// The issuer has noted the code: its copy is destroyed.
    pub async fn note_enrolment_code(
        &self,
        session: &Session,
        user_id: &str,
    ) -> Result<(), Declined> {
        let target = self.colleague(session, user_id).await?;
        let case = self.enrolment_case(target).await?;
        let id = format!("code-noted-{case}-{}", self.nonce());
        let submission =
            Submission::new(case, Command::Noted, session.actor(), id).from(session.origin());
        accepted(self.desks.enrolment.submit(submission, CodeAttachment::default()).await?)
            .map(drop)
    }

    /// Changes the login or the transaction password of a signed-in user. The present one is
    /// charged and judged like every entry; the user's other sessions end.
    ///
    /// The new one is not compared with the other of the two: whoever holds a session would learn
    /// from the answers, uncounted, what the other password is.
    pub async fn change_password(
        &self,
        session: &Session,
        kind: Kind,
        present: &str,
        new: &str,
    ) -> Result<(), Declined> {
        if !matches!(kind, Kind::Login | Kind::Transaction) {
            return Err(Declined::NotFound);
        }
        let chosen = self.chosen(session.user, new).await?;
        if one_form(present).as_bytes() == chosen.expose() {
            return Err(Declined::Unfit(Unfit::Unchanged));
        }
        let secret = self.hashed(&chosen).await?;
        let entry = Entry {
            user: session.user,
            kind,
            actor: session.actor(),
            origin: session.origin(),
            session: session.id,
            secret: present.as_bytes(),
            csr: None,
        };
        let replacement = Replacement { secret, judged: None, card: None };
        self.enter_for(entry, Some((replacement, 0))).await.map(drop)
    }
}
