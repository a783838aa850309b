//! What customers do: sign in, reissue for themselves or a colleague, fetch a certificate, log in
//! with it. Pages and the local socket call these; every rule behind them is a workflow's.

pub(crate) mod cards;
mod changes;
mod enrolment;
pub(crate) mod entry;
mod expiry;
mod online;
mod overview;
mod retrieval;
mod stop;
mod tracking;

pub use cards::{CardSecret, NewCard};
pub use enrolment::{CodeEntry, Enrolling, EnrolmentItem, EnrolmentStatus, SecretState};
pub(crate) use entry::kind_name;
pub use entry::{Entry, SignIn, SignedIn, enrol, enrol_brought};
pub use online::{Display, Shown};
pub use overview::{CertificateStanding, LockState, OpenCase, StandingFor};
pub use retrieval::{Fetched, Holder, Progress};
pub use stop::Stopped;
pub use tracking::{Colleague, Step, Tracked};

use std::time::Duration;

use engine::{Actor, ActorId, CaseId, Fault, Moment, Origin, Outcome, Tx, Workflow};
use workflows::terms::Role;

use crate::app::App;
use crate::host::customer_role;
use crate::secret::Token;
use crate::store::tracking::Visitor;
use crate::store::{self, sessions, standing};

/// What a customer's request comes to when it does not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Declined {
    /// The session is unknown, ended or too old.
    #[error("the session is over")]
    SignedOut,
    /// Contract number, user ID and password do not belong together, or may not enter: one word
    /// for everything.
    #[error("the sign-in was not accepted")]
    NotAccepted,
    /// A one-time or transaction password was wrong.
    #[error("the entry was wrong")]
    Wrong,
    /// The entry cannot be a retrieval password; no attempt was used.
    #[error("the entry cannot be right")]
    Mistyped(crate::secret::DigitsFault),
    /// The entry cannot be an enrolment code; no attempt was used.
    #[error("the entry cannot be a code")]
    MistypedCode(crate::secret::CodeFault),
    /// A chosen password may not be used; no attempt was used.
    #[error("the password may not be used")]
    Unfit(crate::secret::Unfit),
    /// A rule declined; the code is the key of the text.
    #[error("declined: {code}")]
    Refused {
        /// `workflow.Refusal`.
        code: String,
    },
    /// There is no such thing, or it belongs to somebody else.
    #[error("there is nothing like that")]
    NotFound,
    /// Something broke.
    #[error("something broke")]
    Fault(#[source] Fault),
}

impl From<Fault> for Declined {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// A live session.
#[derive(Debug, Clone)]
pub struct Session {
    /// Its number.
    pub id: i64,
    /// Whose.
    pub user: i64,
    /// The user's contract.
    pub contract: i64,
    /// The user holds the reissue authority.
    pub has_authority: bool,
    /// Network place.
    pub place: String,
    /// Serial of the certificate it is bound to, on the certificate site.
    pub certificate: Option<String>,
    /// A one-time password was right recently enough to go on.
    pub otp_fresh: bool,
    /// When it ends in any case.
    pub ends_at: Moment,
    /// What was proven so far.
    auth: String,
    /// Nobody has noted for a minute that it is in use.
    is_stale: bool,
}

/// How often it is noted that a session is in use.
pub(crate) const USE_NOTED: Duration = Duration::from_mins(1);

/// Where a session is used.
#[derive(Debug, Clone, Copy)]
pub enum Site {
    /// Where a password signs in; a session of the certificate site never counts there.
    Customers,
    /// Where a session counts only behind the very certificate it began with.
    Certificate {
        /// SHA-256 of the certificate whose key the browser has proven to hold.
        fingerprint: Option<[u8; 32]>,
    },
}

impl Session {
    /// The person as an actor.
    pub fn actor(&self) -> Actor<Role> {
        let id = ActorId(format!("user-{}", self.user));
        Actor { id, role: customer_role(self.has_authority) }
    }

    /// Where commands of this session come from.
    pub fn origin(&self) -> Origin {
        let place = format!("session-{} {}", self.id, self.place);
        Origin { auth: self.auth.clone(), place }
    }
}

impl App {
    /// Finds a live session by its token and notes that it is in use, once a minute at most.
    pub async fn session(&self, token: &Token, place: &str) -> Result<Session, Declined> {
        let mut tx = self.tools.db.read().await?;
        let session = self.find_session(&mut tx, token, place).await?;
        drop(tx);
        self.note_use(&session).await?;
        Ok(session)
    }

    /// The live session behind a page, used where it counts, and who has signed in. One
    /// transaction, for every page begins with it.
    pub async fn signed_in(
        &self,
        token: &Token,
        place: &str,
        site: Site,
    ) -> Result<(Session, Visitor), Declined> {
        let mut tx = self.tools.db.read().await?;
        let session = self.find_session(&mut tx, token, place).await?;
        if !is_bound(&mut tx, &session, site).await? {
            return Err(Declined::SignedOut);
        }
        let visitor = store::tracking::visitor(&mut tx, session.user).await?;
        drop(tx);
        let visitor = visitor.ok_or(Declined::SignedOut)?;
        self.note_use(&session).await?;
        Ok((session, visitor))
    }

    async fn find_session(
        &self,
        tx: &mut Tx,
        token: &Token,
        place: &str,
    ) -> Result<Session, Declined> {
        let row = sessions::find(tx, &token.digest()).await?.ok_or(Declined::SignedOut)?;
        let standing = standing::find(tx, row.user_id).await?.ok_or(Declined::SignedOut)?;
        let now = tx.now();
        let security = &self.tools.config.security;
        let (began, used) = (Moment(row.created_at), Moment(row.touched_at));
        let is_over = row.ended_at.is_some()
            || row.login_at.is_none()
            || !standing.user_active()
            || !security.session_lives(began, used, now);
        if is_over {
            return Err(Declined::SignedOut);
        }
        let minutes = |count: u32| Duration::from_secs(60 * u64::from(count));
        let window = minutes(self.tools.rules.online_idle_minutes);
        let otp_fresh = row.otp_at.is_some_and(|at| Moment(at).plus(window) >= now);
        Ok(Session {
            id: row.id,
            user: row.user_id,
            contract: standing.contract,
            has_authority: standing.reissue_authority,
            place: place.to_owned(),
            auth: proofs(&row),
            certificate: row.certificate,
            otp_fresh,
            ends_at: began.plus(minutes(security.session_absolute_minutes)),
            is_stale: now.since(used) >= USE_NOTED,
        })
    }

    async fn note_use(&self, session: &Session) -> Result<(), Fault> {
        if !session.is_stale {
            return Ok(());
        }
        let mut tx = self.tools.db.write_lazily().await?;
        sessions::touch(&mut tx, session.id).await?;
        tx.commit().await
    }

    /// Ends a session.
    pub async fn sign_out(&self, session: &Session) -> Result<(), Fault> {
        let mut tx = self.tools.db.write().await?;
        sessions::end(&mut tx, session.id).await?;
        tx.commit().await
    }
}

/// A session of one site is worth nothing on the other, nor behind another certificate.
async fn is_bound(tx: &mut Tx, session: &Session, site: Site) -> Result<bool, Fault> {
    match (site, &session.certificate) {
        (Site::Customers, None) => Ok(true),
        (Site::Customers, Some(_)) | (Site::Certificate { .. }, None) => Ok(false),
        (Site::Certificate { fingerprint }, Some(serial)) => {
            let Some(fingerprint) = fingerprint else { return Ok(false) };
            let holder = retrieval::holder(tx, &fingerprint).await?;
            Ok(holder.is_some_and(|holder| holder.user == session.user && holder.serial == *serial))
        }
    }
}

/// How a session was authenticated, for the history.
fn proofs(row: &sessions::Session) -> String {
    let mut proofs = vec!["password"];
    if row.certificate.is_some() {
        proofs.push("certificate");
    }
    if row.otp_at.is_some() {
        proofs.push("otp");
    }
    if row.transaction_at.is_some() {
        proofs.push("transaction");
    }
    proofs.join("+")
}

/// An outcome as pages take it: the case, or the code of the refusal.
pub(crate) fn accepted<W: Workflow>(outcome: Outcome<W>) -> Result<(CaseId, W::State), Declined> {
    match outcome {
        Outcome::Accepted(receipt) => Ok((receipt.case, receipt.state)),
        Outcome::Refused { refusal, .. } | Outcome::Kept { refusal, .. } => {
            Err(Declined::Refused { code: format!("{}.{}", W::NAME, engine::label(&refusal)) })
        }
        Outcome::Moot => Err(Declined::NotFound),
    }
}
