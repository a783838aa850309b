//! Who has a case in hand. A claim ends by itself, so that nobody's absence holds a case up; while
//! it lasts, nobody else works on the case.

use std::time::Duration;

use engine::{CaseId, Fault, Note};
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

    /// The cases that wait at a stage, the most urgent first.
    pub async fn queue(&self, stage: Stage, person: &str) -> Result<Vec<QueueLine>, Fault> {
        let mut tx = self.tools.db.read().await?;
        queue::list(&mut tx, stage, person).await
    }

    /// Takes the most urgent case that is wanted, that nobody has in hand, and that the person may
    /// work on.
    pub async fn take_next(
        &self,
        holder: &Holder<'_>,
        stage: Stage,
        is_wanted: impl Fn(CaseId) -> bool,
    ) -> Result<Option<CaseId>, Declined> {
        let lines = self.queue(stage, holder.by.person()).await?;
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
        let found = claims::find(&mut tx, case).await?;
        let was_mine = found.as_ref().is_some_and(|claim| claim.person == holder.by.person());
        let until = tx.now().plus(self.lease());
        let person = holder.by.person();
        if !claims::take(&mut tx, case, person, holder.login, until).await? {
            return Ok(claims::find(&mut tx, case).await?);
        }
        tx.commit().await?;
        if !was_mine {
            self.note(holder.by, case, "TakeCase").await?;
        }
        Ok(None)
    }

    /// Puts a case back.
    pub async fn release(&self, by: &AtWork, case: CaseId) -> Result<(), Declined> {
        let mut tx = self.tools.db.write().await?;
        let had = claims::release(&mut tx, case, by.person()).await?;
        tx.commit().await?;
        if had {
            self.note(by, case, "ReleaseCase").await?;
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
}
