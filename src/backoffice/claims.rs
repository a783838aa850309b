//! Who has a case in hand. A claim ends by itself, so that nobody's absence holds a case up; while
//! it lasts, nobody else works on the case.

use std::time::Duration;

use engine::{CaseId, Fault, Moment, Note, Tx};
use workflows::terms::Role;

use super::AtWork;
use crate::app::App;
use crate::customer::Declined;
use crate::store::claims::{self, Claim};
use crate::store::queue::{self, QueueLine, Stage};

/// What a claim needs to say of who holds it.
pub struct Holder<'a> {
    /// The person in a role.
    pub by: &'a AtWork,
    /// The account.
    pub login: &'a str,
}

impl App {
    fn lease(&self) -> Duration {
        Duration::from_secs(60 * u64::from(self.tools.config.office.claim_minutes))
    }

    /// The cases that wait at a stage, the most urgent first, and as of when.
    pub async fn queue(
        &self,
        stage: Stage,
        person: &str,
    ) -> Result<(Vec<QueueLine>, Moment), Fault> {
        let mut tx = self.tools.db.read().await?;
        Ok((queue::list(&mut tx, stage, person).await?, tx.now()))
    }

    /// Whether a claim was made or kept up within the last minute: keeping it up again is not worth a
    /// write.
    pub fn is_fresh(&self, claim: &Claim, now: Moment) -> bool {
        Moment(claim.until).plus(Duration::from_mins(1)) > now.plus(self.lease())
    }

    /// Takes the most urgent case that is wanted, that nobody has in hand, and that the person may
    /// work on.
    pub async fn take_next(
        &self,
        holder: &Holder<'_>,
        stage: Stage,
        is_wanted: impl Fn(CaseId) -> bool,
    ) -> Result<Option<CaseId>, Declined> {
        let (lines, _) = self.queue(stage, holder.by.person()).await?;
        for line in lines.iter().filter(|line| line.is_free() && !line.own) {
            let case = CaseId(line.head.id);
            if is_wanted(case) && self.take(holder, case).await?.is_none() {
                return Ok(Some(case));
            }
        }
        Ok(None)
    }

    /// Takes a case in hand, or keeps it there for longer; gives the claim of whoever else has it.
    pub async fn take(&self, holder: &Holder<'_>, case: CaseId) -> Result<Option<Claim>, Declined> {
        let mut tx = self.tools.db.write().await?;
        let person = holder.by.person();
        match claims::find(&mut tx, case).await? {
            Some(claim) if claim.person != person => return Ok(Some(claim)),
            Some(_) => {}
            None => self.note_in(&mut tx, holder.by, case, "TakeCase").await?,
        }
        let until = tx.now().plus(self.lease());
        if !claims::take(&mut tx, case, person, holder.login, until).await? {
            // Somebody was quicker: nothing of this remains.
            return Ok(claims::find(&mut tx, case).await?);
        }
        tx.commit().await?;
        Ok(None)
    }

    /// Puts a case back.
    pub async fn release(&self, by: &AtWork, case: CaseId) -> Result<(), Declined> {
        let mut tx = self.tools.db.write().await?;
        let is_mine = |claim: &Claim| claim.person == by.person();
        if claims::find(&mut tx, case).await?.as_ref().is_some_and(is_mine) {
            self.note_in(&mut tx, by, case, "ReleaseCase").await?;
            claims::release(&mut tx, case, by.person()).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Who has a case in hand now.
    pub async fn claim_of(&self, case: CaseId) -> Result<Option<Claim>, Fault> {
        let mut tx = self.tools.db.read().await?;
        claims::find(&mut tx, case).await
    }

    /// Refuses to work on what somebody else has in hand.
    pub async fn demand_free(&self, by: &AtWork, case: CaseId) -> Result<(), Declined> {
        match self.claim_of(case).await? {
            Some(claim) if claim.person != by.person() && by.role() != Role::Supervisor => {
                Err(Declined::Refused { code: "desk.Taken".to_owned() })
            }
            _ => Ok(()),
        }
    }

    /// Writes into a case's history what was no command.
    pub async fn note(&self, by: &AtWork, case: CaseId, what: &str) -> Result<(), Fault> {
        let hand = by.hand();
        self.engine.note(Note { case, what, outcome: "", by: &hand }).await
    }

    /// The same, together with what else is written.
    pub(super) async fn note_in(
        &self,
        tx: &mut Tx,
        by: &AtWork,
        case: CaseId,
        what: &str,
    ) -> Result<(), Fault> {
        let hand = by.hand();
        self.engine.note_in(tx, Note { case, what, outcome: "", by: &hand }).await
    }
}
