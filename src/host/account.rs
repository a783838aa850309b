//! The host of staff's accounts: sign-ins, and what the command line does.

use std::sync::Arc;

use engine::{Addressed, Answer, Ask, Failure, Fault, Host, Moment, Parcel, Tx, Write};
use workflows::account::{Account, Effect, Facts, Job, Notice, State};
use workflows::terms::{CHARGED, Role, Rules, Signal};

use super::{Missing, Tools, reissue};
use crate::staffing::{KeptSecrets, roles_of, wait};
use crate::store::staff::StaffRow;
use crate::store::{enrolment, staff, staff_sessions};

/// Serves the accounts.
pub struct AccountHost {
    tools: Arc<Tools>,
}

/// What accompanies a command: made before it, and written with it.
#[derive(Clone, Default)]
pub struct AccountAttachment {
    /// How the account shall be.
    pub(crate) row: Option<StaffRow>,
    /// Fresh secrets.
    pub(crate) secrets: Option<KeptSecrets>,
    /// The session that begins.
    pub(crate) session: Option<NewSession>,
}

/// A session that begins.
#[derive(Clone)]
pub(crate) struct NewSession {
    /// Digest of what the browser will hold.
    pub(crate) token: [u8; 32],
    /// The account.
    pub(crate) login: String,
    /// By which means.
    pub(crate) means: String,
    /// Network place.
    pub(crate) place: String,
    /// The time step of the card that was right.
    pub(crate) step: Option<i64>,
}

/// The account that a subject names; empty for every name that nobody has.
pub(crate) fn login_of_subject(subject: &str) -> Option<&str> {
    subject.strip_prefix("account-")
}

/// The session of staff from which a command came.
pub(crate) fn staff_session_of(place: &str) -> Option<i64> {
    place.split(' ').next()?.strip_prefix("staff-session-")?.parse().ok()
}

impl AccountHost {
    /// A host.
    pub fn new(tools: Arc<Tools>) -> Self {
        Self { tools }
    }

    async fn facts_of(&self, tx: &mut Tx, ask: &Ask<'_, Account>) -> Result<Facts, Fault> {
        let login = login_of_subject(ask.subject).unwrap_or_default();
        let row = staff::find(tx, login).await?;
        let administers = row.as_ref().is_some_and(|row| row.active && is_administrator(row));
        let others_administer = match &row {
            None => true,
            Some(row) => staff::others_administer(tx, &row.person).await?,
        };
        Ok(Facts {
            local: self.tools.config.staff_identity.local_sign_in,
            active: row.map_or(login.is_empty(), |row| row.active),
            // Whoever tries names that nobody has must not be able to tell them by the answer.
            delay_over: login.is_empty() || delay_over(tx, ask).await?,
            others_administer,
            administers,
        })
    }
}

/// An account with the role of a system administrator.
pub(super) fn is_administrator(row: &StaffRow) -> bool {
    roles_of(&row.roles).contains(&Role::SystemAdministrator)
}

async fn delay_over(tx: &mut Tx, ask: &Ask<'_, Account>) -> Result<bool, Fault> {
    let State::Open { wrong, .. } = ask.state else { return Ok(true) };
    let Some(row) = engine::case::find(tx, ask.case).await? else { return Ok(true) };
    let charged = row.read_anchors()?.get(CHARGED.0).copied().unwrap_or(Moment(0));
    Ok(charged.plus(wait(*wrong)) <= tx.now())
}

fn changed(what: &'static str) -> Fault {
    Fault::host("settle a sign-in")(Missing::Changed { what })
}

async fn write(tx: &mut Tx, write: &Write<'_, Account, AccountAttachment>) -> Result<(), Fault> {
    let login = login_of_subject(write.subject).unwrap_or_default();
    let made = write.prepared;
    let lacking = |what| Fault::host("keep an account")(Missing::Prepared { what });
    for effect in write.effects {
        match effect {
            Effect::SpendStep => {
                let step = made.session.as_ref().and_then(|session| session.step);
                let step = step.ok_or_else(|| lacking("a time step"))?;
                if !staff::accept(tx, login, step).await? {
                    return Err(changed("the time step"));
                }
            }
            Effect::OpenSession => {
                let session = made.session.as_ref().filter(|session| session.login == login);
                let session = session.ok_or_else(|| lacking("a session"))?;
                let (place, means) = (&session.place, &session.means);
                staff_sessions::create(tx, &session.token, login, place, means).await?;
            }
            Effect::EndSession => {
                if let Some(id) = staff_session_of(&write.origin.place) {
                    staff_sessions::end(tx, id).await?;
                }
            }
            Effect::EndSessions => staff_sessions::end_all(tx, login).await?,
            Effect::SaveAccount => {
                let row = made.row.as_ref().filter(|row| row.login == login);
                let row = row.ok_or_else(|| lacking("an account"))?;
                enrolment::save_staff(tx, &row.person, login, &row.name, &row.roles).await?;
                staff::set_active(tx, login, true).await?;
            }
            Effect::SaveLink => {
                let row = made.row.as_ref().filter(|row| row.login == login);
                let row = row.ok_or_else(|| lacking("an account"))?;
                staff::link(tx, login, &row.issuer, &row.subject).await?;
            }
            Effect::StoreSecrets => {
                let secrets = made.secrets.as_ref().ok_or_else(|| lacking("a password"))?;
                staff::keep_secrets(tx, login, &secrets.password, &secrets.seed).await?;
            }
            Effect::CloseAccount => staff::set_active(tx, login, false).await?,
        }
    }
    Ok(())
}

impl Host<Account> for AccountHost {
    type Attachment = Option<AccountAttachment>;
    type Prepared = AccountAttachment;

    fn rules(&self) -> Arc<Rules> {
        self.tools.rules.clone()
    }

    async fn prepare(
        &self,
        _ask: &Ask<'_, Account>,
        attachment: &Option<AccountAttachment>,
    ) -> Result<AccountAttachment, Fault> {
        Ok(attachment.clone().unwrap_or_default())
    }

    async fn lock(&self, _tx: &mut Tx, _subjects: &[String]) -> Result<(), Fault> {
        Ok(())
    }

    async fn facts(&self, tx: &mut Tx, asks: &[Ask<'_, Account>]) -> Result<Vec<Facts>, Fault> {
        let mut all = Vec::with_capacity(asks.len());
        for ask in asks {
            all.push(self.facts_of(tx, ask).await?);
        }
        Ok(all)
    }

    async fn apply(
        &self,
        tx: &mut Tx,
        writes: &[Write<'_, Account, AccountAttachment>],
    ) -> Result<(), Fault> {
        for one in writes {
            write(tx, one).await?;
        }
        Ok(())
    }

    fn address(&self, signal: &Signal) -> Result<Addressed, Fault> {
        reissue::address(signal)
    }

    async fn send(&self, parcel: Parcel<Notice>) -> Result<(), Failure> {
        match parcel.body {}
    }

    async fn perform(
        &self,
        parcel: Parcel<Job>,
    ) -> Result<Option<Answer<Account, Option<AccountAttachment>>>, Failure> {
        match parcel.body {}
    }
}
