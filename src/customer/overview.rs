//! What a page says of its user's standing: what is locked and the way out, what is under way,
//! which way is open.

use engine::{CaseId, Moment};
use workflows::credential::{Kind, State};
use workflows::router::{Advice, Known, advise};
use workflows::terms::Reason;

use super::entry::kind_name;
use super::{Declined, Session};
use crate::app::App;
use crate::host::{days_until, is_renewable};
use crate::store::{overview, standing};

/// Where one credential stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "lock", rename_all = "snake_case")]
pub enum LockState {
    /// There is nothing to enter: to be enrolled, or for a retrieval password to be issued.
    Unset,
    /// Entries are accepted.
    Open {
        /// Wrong entries left before it locks.
        left: u8,
    },
    /// No entry is accepted.
    Locked,
    /// A retrieval password that was used.
    Used,
}

/// An open case of the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCase {
    /// Its number.
    pub case: CaseId,
    /// By which way: the workflow's stored name.
    pub workflow: String,
    /// The state's name.
    pub state: String,
    /// When it was opened.
    pub opened_at: Moment,
}

/// The certificate that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateStanding {
    /// Hexadecimal.
    pub serial: String,
    /// `active`, `held` or `revoked`, as stored.
    pub state: String,
    /// When it expires.
    pub expires_at: Moment,
    /// Days in Japan until then; `None` when it has expired.
    pub days_left: Option<u16>,
}

/// Everything at a glance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingFor {
    /// The login password.
    pub login: LockState,
    /// The transaction password.
    pub transaction: LockState,
    /// The one-time-password card.
    pub one_time_password: LockState,
    /// The certificate retrieval password.
    pub retrieval: LockState,
    /// The newest first.
    pub open_cases: Vec<OpenCase>,
    /// The certificate that counts, if there ever was one.
    pub certificate: Option<CertificateStanding>,
    /// Which way is open to a new retrieval password.
    pub advice: Advice,
}

impl App {
    /// What a page shows of its user, from one moment of the database and in five statements; the
    /// router is asked with what the self-service path would know for this reason.
    pub async fn overview(
        &self,
        session: &Session,
        reason: Option<Reason>,
    ) -> Result<StandingFor, Declined> {
        let mut tx = self.tools.db.read().await?;
        let user = session.user;
        let own = standing::find(&mut tx, user).await?.ok_or(Declined::NotFound)?;
        let credentials = overview::credentials(&mut tx, user).await?;
        let cases = overview::open_cases(&mut tx, user).await?;
        let certificate = overview::certificate(&mut tx, user).await?;
        let (colleague_can_log_in, colleague_qualifies) =
            overview::colleagues(&mut tx, user).await?;
        let now = tx.now();
        drop(tx);
        let lock = |kind: Kind| {
            let row = credentials.iter().find(|row| row.kind == kind_name(kind));
            let state = row.and_then(|row| serde_json::from_str(&row.state).ok());
            self.lock_state(kind, state.as_ref())
        };
        let (login, one_time_password) = (lock(Kind::Login), lock(Kind::OneTimePassword));
        let retrieval = lock(Kind::Retrieval);
        let is_active = certificate.as_ref().is_some_and(|one| {
            one.state == "active" && (one.not_before..=one.not_after).contains(&now.seconds())
        });
        let asked = reason.unwrap_or(Reason::Expired);
        let known = Known {
            contract_active: own.contract_active(),
            danger: asked.is_dangerous() || cases.iter().any(|case| case.danger),
            certificate_needed: own.certificate_required,
            renewable: is_renewable(asked) && is_active,
            authority: own.reissue_authority,
            login_unlocked: matches!(login, LockState::Open { .. }),
            otp_usable: matches!(one_time_password, LockState::Open { .. }),
            retrieval_unlocked: retrieval != LockState::Locked,
            colleague_can_log_in,
            colleague_qualifies,
        };
        Ok(StandingFor {
            login,
            transaction: lock(Kind::Transaction),
            one_time_password,
            retrieval,
            open_cases: cases.into_iter().map(open_case).collect(),
            certificate: certificate.map(|one| certificate_standing(one, now)),
            advice: advise(&known),
        })
    }

    fn lock_state(&self, kind: Kind, state: Option<&State>) -> LockState {
        match state {
            Some(State::Active { wrong, .. }) => {
                LockState::Open { left: kind.max_wrong(&self.tools.rules).saturating_sub(*wrong) }
            }
            Some(State::Locked { .. }) => LockState::Locked,
            Some(State::Used) => LockState::Used,
            Some(State::Start | State::Unset { .. }) | None => LockState::Unset,
        }
    }
}

fn open_case(row: overview::CaseStanding) -> OpenCase {
    OpenCase {
        case: CaseId(row.case_id),
        workflow: row.channel,
        state: row.state_name,
        opened_at: Moment(row.opened_at),
    }
}

fn certificate_standing(row: overview::CertificateLine, now: Moment) -> CertificateStanding {
    let expires_at = Moment::from_seconds(row.not_after);
    let days_left = (expires_at > now).then(|| days_until(now, expires_at));
    CertificateStanding { serial: row.serial, state: row.state, expires_at, days_left }
}
