//! Certificates that expire soon: their holders are told once a day, and their pages say it.

use std::time::Duration;

use engine::{Actor, CaseId, Fault, Outcome, Submission};
use workflows::expiry::{Command, Expiry, due};

use super::Session;
use crate::app::App;
use crate::host::days_until;
use crate::store::expiries::{self, Expiring};

/// Certificates looked at in one go.
const PAGE: i64 = 500;

impl App {
    /// Tells the holders of expiring certificates for whom it is time. What a downtime left out is
    /// made up for, and never more than one notice a certificate at once.
    pub async fn tell_of_expiries(&self) -> Result<(), Fault> {
        let rules = &self.tools.rules;
        let Some(longest) = rules.certificate_notice_days.iter().copied().max() else {
            return Ok(());
        };
        let mut tx = self.tools.db.read().await?;
        let now = tx.now();
        drop(tx);
        // A day more than the distance, because days are counted by the calendar.
        let to = now.plus(Duration::from_secs(86_400 * (u64::from(longest) + 1))).seconds();
        let mut after = (i64::MIN, String::new());
        loop {
            tx = self.tools.db.read().await?;
            let page = expiries::between(&mut tx, now.seconds(), to, &after, PAGE).await?;
            drop(tx);
            let Some(last) = page.last() else { return Ok(()) };
            after = (last.not_after, last.serial.clone());
            let is_due = |one: &Expiring| {
                let left = days_until(now, engine::Moment::from_seconds(one.not_after));
                let told = one.told.and_then(|told| u16::try_from(told).ok());
                due(left, told, rules).is_some()
            };
            let wanted: Vec<Expiring> = page.into_iter().filter(is_due).collect();
            self.tell(wanted, now).await?;
        }
    }

    async fn tell(&self, wanted: Vec<Expiring>, now: engine::Moment) -> Result<(), Fault> {
        let mut submissions = Vec::with_capacity(wanted.len());
        for one in wanted {
            let command = Command::Tell { serial: one.serial.clone() };
            let submission = match one.case_id {
                Some(case) => {
                    // Of a day that failed half-way, the rest is told under other ids.
                    let day = crate::dates::iso_day(now);
                    let id = format!("expiry-{}-{day}", one.serial);
                    Submission::<Expiry>::new(CaseId(case), command, Actor::worker(), id)
                }
                None => {
                    let case = self.engine.next_case().await?;
                    let id = format!("expiry-{}", one.serial);
                    let subject = format!("user-{}", one.user_id);
                    Submission::opening(case, subject, command, Actor::worker(), id)
                }
            };
            submissions.push((submission, ()));
        }
        for outcome in self.desks.expiry.submit_all(submissions).await {
            if let Outcome::Refused { case, refusal } = outcome? {
                tracing::info!(%case, %refusal, "an expiry is not told");
            }
        }
        Ok(())
    }

    /// Days in Japan until the user's certificate that lasts longest expires; `None` when they
    /// have no active one, or it has expired.
    pub async fn days_until_expiry(&self, session: &Session) -> Result<Option<u16>, Fault> {
        let mut tx = self.tools.db.read().await?;
        let now = tx.now();
        let expires = expiries::of_user(&mut tx, session.user).await?;
        Ok(expires.filter(|expires| *expires > now).map(|expires| days_until(now, expires)))
    }
}
