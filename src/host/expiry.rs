//! The host of expiries: what the holder of a certificate is told before it expires.

use std::sync::Arc;

use engine::{Addressed, Answer, Ask, Failure, Fault, Host, Moment, Parcel, Tx, Write};
use workflows::expiry::{Command, Effect, Expiry, Facts, Job, Notice};
use workflows::terms::{Rules, Signal};

use super::{Missing, Tools, reissue, user_of_subject};
use crate::dates;
use crate::store::{certificates, expiries, standing};

/// Serves the expiries.
pub struct ExpiryHost {
    tools: Arc<Tools>,
}

impl ExpiryHost {
    /// A host.
    pub fn new(tools: Arc<Tools>) -> Self {
        Self { tools }
    }
}

/// Days in Japan from now until a moment; 0 on its day and afterwards.
pub(crate) fn days_until(now: Moment, then: Moment) -> u16 {
    let day = |at| dates::japan(at).date_naive();
    let days = day(then).signed_duration_since(day(now)).num_days();
    u16::try_from(days.max(0)).unwrap_or(u16::MAX)
}

async fn facts_of(tx: &mut Tx, ask: &Ask<'_, Expiry>) -> Result<Facts, Fault> {
    let missing = |what| {
        let subject = ask.subject.to_owned();
        Fault::host("look up facts")(Missing::Subject { what, subject })
    };
    let user = user_of_subject(ask.subject).ok_or_else(|| missing("user"))?;
    let standing = standing::find(tx, user).await?.ok_or_else(|| missing("user"))?;
    let now = tx.now();
    let Command::Tell { serial } = ask.command else {
        return Ok(Facts { user_active: true, active: false, newer: false, days_left: 0 });
    };
    let all = certificates::of_user(tx, user).await?;
    let one = all.iter().find(|row| row.serial == *serial).ok_or_else(|| missing("certificate"))?;
    let expires = Moment::from_seconds(one.not_after);
    Ok(Facts {
        user_active: standing.user_active() && standing.contract_active(),
        active: one.state == "active" && expires > now,
        newer: all.iter().any(|row| row.state == "active" && row.not_after > one.not_after),
        days_left: days_until(now, expires),
    })
}

impl Host<Expiry> for ExpiryHost {
    type Attachment = ();
    type Prepared = ();

    fn rules(&self) -> Arc<Rules> {
        self.tools.rules.clone()
    }

    async fn prepare(&self, _ask: &Ask<'_, Expiry>, _attachment: &()) -> Result<(), Fault> {
        Ok(())
    }

    async fn lock(&self, tx: &mut Tx, subjects: &[String]) -> Result<(), Fault> {
        for user in subjects.iter().filter_map(|subject| user_of_subject(subject)) {
            standing::lock_user(tx, user).await?;
        }
        Ok(())
    }

    async fn facts(&self, tx: &mut Tx, asks: &[Ask<'_, Expiry>]) -> Result<Vec<Facts>, Fault> {
        let mut all = Vec::with_capacity(asks.len());
        for ask in asks {
            all.push(facts_of(tx, ask).await?);
        }
        Ok(all)
    }

    async fn apply(&self, tx: &mut Tx, writes: &[Write<'_, Expiry, ()>]) -> Result<(), Fault> {
        for write in writes {
            let user = user_of_subject(write.subject);
            if let (Command::Tell { serial }, Some(user)) = (write.command, user) {
                expiries::begin(tx, serial, user, write.case).await?;
            }
            for Effect::RecordTold { days } in write.effects {
                expiries::note_told(tx, write.case, i64::from(*days)).await?;
            }
        }
        Ok(())
    }

    fn address(&self, signal: &Signal) -> Result<Addressed, Fault> {
        reissue::address(signal)
    }

    async fn send(&self, parcel: Parcel<Notice>) -> Result<(), Failure> {
        self.tools.notifier.send(&parcel).await
    }

    async fn perform(&self, parcel: Parcel<Job>) -> Result<Option<Answer<Expiry, ()>>, Failure> {
        match parcel.body {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_by_the_calendar_of_japan() {
        let at = |text: &str| Moment::from(text.parse::<chrono::DateTime<chrono::Utc>>().unwrap());
        // 09:00 in Japan on the 1st and on the 29th.
        assert_eq!(days_until(at("2026-12-01T00:00:00Z"), at("2026-12-29T00:00:00Z")), 28);
        assert_eq!(days_until(at("2026-12-01T00:00:00Z"), at("2026-12-29T14:59:59Z")), 28);
        assert_eq!(days_until(at("2026-12-01T00:00:00Z"), at("2026-12-29T15:00:00Z")), 29);
        // The leap day counts; the era does not.
        assert_eq!(days_until(at("2028-02-28T00:00:00Z"), at("2028-03-01T00:00:00Z")), 2);
        assert_eq!(days_until(at("2019-04-28T00:00:00Z"), at("2019-05-08T00:00:00Z")), 10);
        assert_eq!(days_until(at("2026-12-01T00:00:00Z"), at("2026-11-01T00:00:00Z")), 0);
    }
}
