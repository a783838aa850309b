//! The common tail as customers meet it: type the digits, fetch the certificate, log in with it.

use std::time::Duration;

use engine::{Actor, ActorId, CaseId, Fault, Moment, Origin, Tx};
use pki::{Alias, BundlePassword, Certificate, Encryption, PrivateKey};
use workflows::credential::Kind;
use workflows::tail;
use workflows::terms::KeyOrigin;
use zeroize::Zeroizing;

use super::{Declined, Entry, Session};
use crate::app::App;
use crate::host::{SERVER_KEY, customer_role};
use crate::secret::RetrievalPassword;
use crate::store::certificates::{self, CertificateRow};
use crate::store::{contracts, passwords, reissues, standing, users};
use crate::web::certificate_site::Visit;

/// A certificate as its holder receives it.
pub enum Fetched {
    /// Key and certificate in one file, when the key was made here.
    Bundle(Zeroizing<Vec<u8>>),
    /// The certificate and its chain in PEM, when the key was made in the browser.
    Chain(String),
}

/// How far the certificate of a claimed case is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It is being made.
    Making,
    /// The file can be fetched until then: its key was made here.
    File {
        /// When the window closes.
        until: Moment,
    },
    /// The browser has the key; it may ask for another certificate until then.
    Browser {
        /// When the window closes.
        until: Moment,
    },
    /// It was made and can no longer be fetched.
    Closed,
    /// The case does not lead to one.
    None,
}

/// Whom a certificate identifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The user.
    pub user: i64,
    /// The certificate's serial.
    pub serial: String,
}

/// How long a page waits for a certificate to be made.
const PATIENCE: Duration = Duration::from_secs(15);

impl App {
    /// Enters the retrieval password. A typing slip is told without costing an attempt; a right
    /// entry uses the password and has the certificate made. Gives the case that issued it.
    pub async fn claim(
        &self,
        session: &Session,
        typed: &str,
        csr: Option<String>,
    ) -> Result<CaseId, Declined> {
        let digits = RetrievalPassword::parse(typed).map_err(Declined::Mistyped)?;
        let mut tx = self.tools.db.read().await?;
        let issuing = passwords::active_of_user(&mut tx, session.user).await?;
        drop(tx);
        let ascii = digits.expose_ascii();
        let entry = Entry {
            user: session.user,
            kind: Kind::Retrieval,
            actor: session.actor(),
            origin: session.origin(),
            session: session.id,
            secret: ascii.as_slice(),
            csr,
        };
        self.enter(entry).await?;
        issuing.map(|row| CaseId(row.case_id)).ok_or(Declined::NotFound)
    }

    /// Waits until the certificate of a claimed case is there, then gives it to its holder.
    pub async fn fetch(
        &self,
        session: &Session,
        case: CaseId,
        password: &BundlePassword,
    ) -> Result<Fetched, Declined> {
        let mut changes = self.engine.changes();
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let row = loop {
            if let Some(row) = self.certificate_of(session, case).await? {
                break row;
            }
            // Another node may have made it: look again now and then.
            let next = tokio::time::Instant::now() + Duration::from_millis(200);
            let _ = tokio::time::timeout_at(next.min(deadline), changes.recv()).await;
            if tokio::time::Instant::now() >= deadline {
                return Err(Declined::NotFound);
            }
        };
        let certificate =
            Certificate::from_der(row.der.clone()).map_err(Fault::host("read a certificate"))?;
        match &row.sealed_key {
            Some(sealed) => self.bundle(session, &row, &certificate, sealed, password).await,
            None if self.was_made_in_browser(case, &row).await? => {
                Ok(Fetched::Chain(self.chain_pem(&certificate)))
            }
            None => Err(Declined::Refused { code: "tail.WindowClosed".to_owned() }),
        }
    }

    /// How far the certificate of a case is.
    pub async fn progress(&self, session: &Session, case: CaseId) -> Result<Progress, Declined> {
        let tracked = self.case_for(session, case).await?;
        if !tracked.is_own {
            return Err(Declined::NotFound);
        }
        Ok(match &tracked.tail {
            Some(tail::State::Redeemed { .. } | tail::State::Claimed { .. }) => Progress::Making,
            // The digits were taken, and the case is just hearing of it.
            Some(tail::State::Waiting { .. }) if self.is_password_used(case).await? => {
                Progress::Making
            }
            Some(tail::State::CertificateIssued { key, refetch: true, .. }) => {
                let minutes = u64::from(self.tools.rules.certificate_refetch_minutes);
                let anchors: std::collections::BTreeMap<String, Moment> =
                    serde_json::from_str(&tracked.row.anchors).unwrap_or_default();
                let made = anchors.get(workflows::terms::CERTIFIED.0);
                let made = made.copied().unwrap_or(Moment(tracked.row.changed_at));
                let until = made.plus(Duration::from_secs(60 * minutes));
                match key {
                    KeyOrigin::Server => Progress::File { until },
                    KeyOrigin::Browser => Progress::Browser { until },
                }
            }
            Some(
                tail::State::CertificateIssued { refetch: false, .. }
                | tail::State::Completed
                | tail::State::ClosedUnused,
            ) => Progress::Closed,
            _ => Progress::None,
        })
    }

    async fn is_password_used(&self, case: CaseId) -> Result<bool, Declined> {
        let mut tx = self.tools.db.read().await?;
        let password = passwords::newest_of_case(&mut tx, case).await?;
        Ok(password.is_some_and(|password| password.state == "used"))
    }

    /// The chain of a certificate whose key the browser has made; `None` while it is being made.
    pub async fn chain(&self, session: &Session, case: CaseId) -> Result<Option<String>, Declined> {
        match self.progress(session, case).await? {
            Progress::Making => Ok(None),
            Progress::Browser { .. } => {
                let row = self.certificate_of(session, case).await?.ok_or(Declined::NotFound)?;
                let certificate =
                    Certificate::from_der(row.der).map_err(Fault::host("read a certificate"))?;
                Ok(Some(self.chain_pem(&certificate)))
            }
            _ => Err(Declined::NotFound),
        }
    }

    /// Asks for another certificate for another key, within the window.
    pub async fn refetch(
        &self,
        session: &Session,
        case: CaseId,
        csr: String,
    ) -> Result<(), Declined> {
        let command = tail::Command::Refetch { csr: Some(csr) };
        let id = format!("refetch-{case}-{}", self.nonce());
        self.in_tail(session, case, command, id).await
    }

    async fn certificate_of(
        &self,
        session: &Session,
        case: CaseId,
    ) -> Result<Option<CertificateRow>, Declined> {
        let mut tx = self.tools.db.read().await?;
        let row = reissues::find(&mut tx, case).await?.ok_or(Declined::NotFound)?;
        if row.user_id != session.user {
            return Err(Declined::NotFound);
        }
        match certificates::newest_of_case(&mut tx, case).await? {
            Some(serial) => Ok(certificates::by_serial(&mut tx, &serial).await?),
            None => Ok(None),
        }
    }

    /// A key made here is sealed until the refetch window closes; a certificate whose state still
    /// says that its key was made in the browser never had one.
    async fn was_made_in_browser(
        &self,
        case: CaseId,
        row: &CertificateRow,
    ) -> Result<bool, Declined> {
        let mut tx = self.tools.db.read().await?;
        let stored = engine::case::find(&mut tx, case).await?.ok_or(Declined::NotFound)?;
        Ok(stored.state.contains("\"key\":\"browser\"") && row.state == "active")
    }

    async fn bundle(
        &self,
        session: &Session,
        row: &CertificateRow,
        certificate: &Certificate,
        sealed: &[u8],
        password: &BundlePassword,
    ) -> Result<Fetched, Declined> {
        let pkcs8 = self.tools.keys.open(SERVER_KEY, row.serial.as_bytes(), sealed);
        let pkcs8 = pkcs8.map_err(Fault::host("open a key"))?;
        let write = Fault::host("write a bundle");
        let key = PrivateKey::from_pkcs8("the customer's", &pkcs8).map_err(&write)?;
        let mut tx = self.tools.db.read().await?;
        let user = users::by_id(&mut tx, session.user).await?.ok_or(Declined::NotFound)?;
        drop(tx);
        let alias = Alias::new(&user.user_id).map_err(Fault::host("name a bundle"))?;
        let chain = self.tools.authority.chain();
        let bundle =
            pki::bundle(&key, certificate, &chain, &alias, password, Encryption::default());
        Ok(Fetched::Bundle(bundle.map_err(&write)?))
    }

    fn chain_pem(&self, certificate: &Certificate) -> String {
        let above = self.tools.authority.chain();
        above.iter().fold(certificate.to_pem(), |text, next| text + &next.to_pem())
    }

    /// Whom a certificate identifies at this moment: only the exact one, active and in force.
    pub async fn holder(&self, fingerprint: &[u8; 32]) -> Result<Option<Holder>, Fault> {
        holder(&mut self.tools.db.read().await?, fingerprint).await
    }

    /// Judges a certificate that was presented at the certificate site, at every request. The
    /// first visit with a new certificate completes its case.
    pub async fn visit(&self, fingerprint: &[u8; 32], place: &str) -> Result<Visit, Fault> {
        let mut tx = self.tools.db.read().await?;
        let Some(row) = certificates::by_fingerprint(&mut tx, fingerprint).await? else {
            return Ok(Visit::Foreign);
        };
        let now = tx.now();
        if let Some(unwelcome) = unwelcome(&row, now) {
            return Ok(unwelcome);
        }
        let Some(user) = users::by_id(&mut tx, row.user_id).await? else {
            return Ok(Visit::Foreign);
        };
        let standing = standing::find(&mut tx, row.user_id).await?;
        if !standing.is_some_and(|s| s.user_active() && s.contract_active()) {
            return Ok(Visit::Revoked { reason: "contract".to_owned() });
        }
        let contract = contracts::by_id(&mut tx, user.contract_id).await?;
        drop(tx);
        let completed = self.complete(&row, &user, place).await?;
        Ok(Visit::Welcome {
            user: user.name,
            company: contract.map(|contract| contract.company).unwrap_or_default(),
            serial: row.serial,
            not_after: Moment::from_seconds(row.not_after),
            case_completed: completed,
        })
    }

    async fn complete(
        &self,
        row: &CertificateRow,
        user: &users::User,
        place: &str,
    ) -> Result<Option<CaseId>, Fault> {
        let Some(case) = row.case_id.map(CaseId) else { return Ok(None) };
        let mut tx = self.tools.db.read().await?;
        let reissue = reissues::find(&mut tx, case).await?;
        let stored = engine::case::find(&mut tx, case).await?;
        drop(tx);
        let (Some(reissue), Some(stored)) = (reissue, stored) else { return Ok(None) };
        if stored.state_name != "Tail.CertificateIssued" {
            return Ok((stored.state_name == "Tail.Completed").then_some(case));
        }
        let actor = Actor {
            id: ActorId(format!("user-{}", row.user_id)),
            role: customer_role(user.reissue_authority),
        };
        let origin = Origin { auth: "certificate".to_owned(), place: place.to_owned() };
        let command = tail::Command::FirstLogin { serial: row.serial.clone() };
        let id = format!("first-login-{}", row.serial);
        match self.submit_tail(case, &reissue.channel, command, actor, origin, id).await {
            Ok(()) => Ok(Some(case)),
            Err(Declined::Fault(fault)) => Err(fault),
            Err(_) => Ok(None),
        }
    }
}

/// See [`App::holder`].
pub(super) async fn holder(tx: &mut Tx, fingerprint: &[u8; 32]) -> Result<Option<Holder>, Fault> {
    let Some(row) = certificates::by_fingerprint(tx, fingerprint).await? else {
        return Ok(None);
    };
    if !row.is_active(tx.now().seconds()) {
        return Ok(None);
    }
    let standing = standing::find(tx, row.user_id).await?;
    let counts = standing.is_some_and(|s| s.user_active() && s.contract_active());
    Ok(counts.then_some(Holder { user: row.user_id, serial: row.serial }))
}

fn unwelcome(row: &CertificateRow, now: Moment) -> Option<Visit> {
    match row.state.as_str() {
        "held" => Some(Visit::Held),
        "active" if now.seconds() < row.not_before => Some(Visit::NotYetValid),
        "active" if now.seconds() > row.not_after => Some(Visit::Expired),
        "active" => None,
        _ => Some(Visit::Revoked { reason: row.why.clone() }),
    }
}
