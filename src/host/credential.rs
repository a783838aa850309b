//! The host of credentials: login, transaction, one-time and retrieval passwords.

use std::sync::Arc;
use std::time::Duration;

use engine::{
    Addressed, Answer, Ask, CaseId, Desk, Engine, Failure, Fault, Host, Moment, Origin, Parcel, Tx,
    Write,
};
use workflows::credential::{Credential, Effect, Facts, Job, Kind, Notice, State};
use workflows::enrolment::Enrolment;
use workflows::terms::{CHARGED, Neighbour, Rules, Signal};
use zeroize::Zeroizing;

use super::enrolment::{self, EnrolmentHost};
use super::{Missing, Tools, enrolling_of, facts, reissue, user_of, user_of_subject};
use crate::store::sessions::{self, Proof};
use crate::store::{cards, credentials, enrolling, passwords, reissues, standing};

/// Serves the credentials.
pub struct CredentialHost {
    tools: Arc<Tools>,
    engine: Engine,
    enrolments: Desk<Enrolment, EnrolmentHost>,
}

/// What was judged outside the transaction, so that the write can insist on it.
#[derive(Clone, Default)]
pub struct Judged {
    /// The retrieval password that the entry was right for.
    pub password: Option<i64>,
    /// The time step that a one-time password was right for.
    pub step: Option<i64>,
    /// What takes the place of the present secret.
    pub replacement: Option<Replacement>,
}

/// A secret in the form in which it is stored: hashed, or sealed.
#[derive(Clone)]
pub struct Replacement {
    /// PHC string, or sealed seed in Base64.
    pub secret: Zeroizing<String>,
    /// The stored secret that was judged; `None` when none had to be.
    pub judged: Option<Zeroizing<String>>,
    /// The card from the stock whose seed it is.
    pub card: Option<String>,
}

impl CredentialHost {
    /// A host that orders enrolment codes at `enrolments`.
    pub fn new(
        tools: Arc<Tools>,
        engine: Engine,
        enrolments: Desk<Enrolment, EnrolmentHost>,
    ) -> Self {
        Self { tools, engine, enrolments }
    }

    async fn facts_of(&self, tx: &mut Tx, ask: &Ask<'_, Credential>) -> Result<Facts, Fault> {
        let user = user_of_subject(ask.subject).ok_or_else(|| missing(ask.subject))?;
        let standing = standing::find(tx, user).await?.ok_or_else(|| missing(ask.subject))?;
        let charged_at = charged_at(tx, ask.case).await?;
        let active = passwords::active_of_user(tx, user).await?;
        let issuing = match &active {
            None => None,
            Some(row) => facts::read_channel(&row.channel)
                .map(|channel| Neighbour { case: CaseId(row.case_id), channel }),
        };
        Ok(Facts {
            user_active: standing.user_active() && standing.contract_active(),
            delay_over: delay_over(ask.state, charged_at, tx.now(), &self.tools.rules),
            enrolling: user_of(&ask.actor.id) == Some(user)
                && is_enrolling(tx, ask.origin, user, &self.tools.rules).await?,
            set_here: match set_by(ask.state) {
                None => false,
                Some(place) => {
                    enrolling::set_so_far(tx, user).await?.get(place).is_some_and(|set| *set)
                }
            },
            password_live: active.is_some(),
            issuing,
            self_service_case: reissues::newest_open(tx, user, "self_service").await?,
            delegated_case: reissues::newest_opened_by(tx, ask.subject).await?,
        })
    }

    async fn write(&self, tx: &mut Tx, write: &Write<'_, Credential, Judged>) -> Result<(), Fault> {
        let user = user_of_subject(write.subject).ok_or_else(|| missing(write.subject))?;
        for effect in write.effects {
            match effect {
                Effect::Vouch { kind, session } => {
                    vouch(tx, user, *kind, session, write.prepared).await?;
                }
                Effect::UsePassword => use_password(tx, write.prepared).await?,
                Effect::VoidPassword => {
                    passwords::void_of_user(tx, user, "locked", "locked").await?;
                }
                Effect::EndSessions => sessions::end_all(tx, user).await?,
                Effect::EndOtherSessions { session } => {
                    let id = session.parse().map_err(|_| changed("the session"))?;
                    sessions::end_others(tx, user, id).await?;
                }
                Effect::StoreSecret => store_secret(tx, user, write).await?,
                Effect::RetireSecret => credentials::retire(tx, write.case).await?,
            }
        }
        Ok(())
    }
}

fn missing(subject: &str) -> Fault {
    let subject = subject.to_owned();
    Fault::host("look up facts")(Missing::Subject { what: "user", subject })
}

fn changed(what: &'static str) -> Fault {
    Fault::host("settle an entry")(Missing::Changed { what })
}

/// When an entry was last charged; long ago when none ever was.
async fn charged_at(tx: &mut Tx, case: CaseId) -> Result<Moment, Fault> {
    let Some(row) = engine::case::find(tx, case).await? else { return Ok(Moment(0)) };
    Ok(row.read_anchors()?.get(CHARGED.0).copied().unwrap_or(Moment(0)))
}

/// From the fifth wrong entry on, one has to wait: one second, doubled with each further one, at
/// most five minutes.
fn delay_over(state: &State, wrong_at: Moment, now: Moment, rules: &Rules) -> bool {
    let State::Active { kind: Kind::Login, wrong, .. } = state else { return true };
    let Some(extra) = wrong.checked_sub(rules.login_delay_from_wrong) else { return true };
    let seconds = (1_u64 << u32::from(extra).min(9)).min(300);
    wrong_at.plus(Duration::from_secs(seconds)) <= now
}

async fn vouch(
    tx: &mut Tx,
    user: i64,
    kind: Kind,
    session: &str,
    judged: &Judged,
) -> Result<(), Fault> {
    let proof = match kind {
        Kind::Login => Proof::Login,
        Kind::OneTimePassword => Proof::OneTimePassword,
        Kind::Transaction => Proof::Transaction,
        Kind::Retrieval => return Ok(()),
    };
    if kind == Kind::OneTimePassword {
        let step = judged.step.ok_or_else(|| changed("the time step"))?;
        if !credentials::advance_step(tx, user, step).await? {
            return Err(changed("the time step"));
        }
    }
    let id = session.parse().map_err(|_| changed("the session"))?;
    if sessions::vouch(tx, id, proof).await? { Ok(()) } else { Err(changed("the session")) }
}

/// True when the command comes from a browser that has entered the user's code and is not over.
async fn is_enrolling(
    tx: &mut Tx,
    origin: &Origin,
    user: i64,
    rules: &Rules,
) -> Result<bool, Fault> {
    let Some(id) = enrolling_of(origin) else { return Ok(false) };
    let row = enrolling::by_id(tx, id).await?;
    let window = Duration::from_secs(60 * u64::from(rules.enrolment_window_minutes));
    Ok(row.is_some_and(|row| {
        let is_over = Moment(row.opened_at).plus(window) <= tx.now();
        row.user_id == user && row.ended_at.is_none() && !is_over
    }))
}

/// Where it stands what an enrolment has set: login, transaction, card.
fn set_by(state: &State) -> Option<usize> {
    match state {
        State::Unset { kind } | State::Active { kind, .. } | State::Locked { kind } => match kind {
            Kind::Login => Some(0),
            Kind::Transaction => Some(1),
            Kind::OneTimePassword => Some(2),
            Kind::Retrieval => None,
        },
        State::Start | State::Used => None,
    }
}

/// Exactly in the place of what was judged; a card goes to nobody who does not have it.
async fn store_secret(
    tx: &mut Tx,
    user: i64,
    write: &Write<'_, Credential, Judged>,
) -> Result<(), Fault> {
    let replacement = write.prepared.replacement.as_ref();
    let replacement = replacement.ok_or_else(|| changed("the new secret"))?;
    let step = write.prepared.step.unwrap_or_default();
    let judged = replacement.judged.as_ref().map(|judged| judged.as_str());
    if !credentials::store(tx, write.case, &replacement.secret, judged, step).await? {
        return Err(changed("the present secret"));
    }
    if let Some(serial) = &replacement.card
        && !cards::register(tx, serial, user).await?
    {
        return Err(changed("the card"));
    }
    let kind = match set_by(write.to) {
        Some(0) => "login",
        Some(1) => "transaction",
        _ => {
            cards::withdraw_offer(tx, user).await?;
            "one_time_password"
        }
    };
    enrolling::note_set(tx, user, kind).await
}

/// Exactly the password that was judged, and once only.
async fn use_password(tx: &mut Tx, judged: &Judged) -> Result<(), Fault> {
    let id = judged.password.ok_or_else(|| changed("the password"))?;
    if passwords::mark_used(tx, id).await? { Ok(()) } else { Err(changed("the password")) }
}

impl Host<Credential> for CredentialHost {
    type Attachment = Judged;
    type Prepared = Judged;

    fn rules(&self) -> Arc<Rules> {
        self.tools.rules.clone()
    }

    async fn prepare(
        &self,
        _ask: &Ask<'_, Credential>,
        attachment: &Judged,
    ) -> Result<Judged, Fault> {
        Ok(attachment.clone())
    }

    async fn lock(&self, tx: &mut Tx, subjects: &[String]) -> Result<(), Fault> {
        for user in subjects.iter().filter_map(|subject| user_of_subject(subject)) {
            standing::lock_user(tx, user).await?;
        }
        Ok(())
    }

    async fn facts(&self, tx: &mut Tx, asks: &[Ask<'_, Credential>]) -> Result<Vec<Facts>, Fault> {
        let mut all = Vec::with_capacity(asks.len());
        for ask in asks {
            all.push(self.facts_of(tx, ask).await?);
        }
        Ok(all)
    }

    async fn apply(
        &self,
        tx: &mut Tx,
        writes: &[Write<'_, Credential, Judged>],
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
    ) -> Result<Option<Answer<Credential, Judged>>, Failure> {
        let Job::OrderCode = parcel.body;
        let failed = |fault: Fault| Failure::passing(engine::chain(&fault));
        let user = user_of_subject(&parcel.subject)
            .ok_or_else(|| Failure::permanent("the subject of a credential is no user"))?;
        enrolment::order(&self.tools, &self.engine, &self.enrolments, user, parcel.id)
            .await
            .map_err(failed)?;
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_grows_from_the_fifth_wrong_entry() {
        let rules = Rules::default();
        let at = Moment::from_seconds(1_000);
        let over = |wrong, after| {
            let state = State::Active { kind: Kind::Login, wrong, open: 0 };
            delay_over(&state, at, at.plus(Duration::from_secs(after)), &rules)
        };
        assert!(over(4, 0));
        assert!(!over(5, 0) && over(5, 1));
        assert!(!over(8, 7) && over(8, 8));
        assert!(!over(19, 299) && over(19, 300));
        let other = State::Active { kind: Kind::Transaction, wrong: 9, open: 0 };
        assert!(delay_over(&other, at, at, &rules));
    }
}
