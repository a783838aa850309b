//! Enrolment: with a code from the bank or a colleague, users set login password, transaction
//! password and one-time-password card themselves. Nobody needs a hand in the database.

use std::time::Duration;

use engine::{Actor, ActorId, CaseId, Fault, Moment, Origin, Submission};
use workflows::credential::{self, Kind};
use workflows::enrolment::Command;
use workflows::terms::Role;
use zeroize::Zeroizing;

use super::entry::kind_name;
use super::{Declined, accepted};
use crate::app::App;
use crate::host::{CODE_PEPPER, CodeAttachment, Judged, Replacement, customer_role};
use crate::secret::{ChosenPassword, EnrolmentCode, Token, Unfit, hash_password};
use crate::store::{codes, contracts, credentials, enrolling, standing, users};

/// A code as it was typed.
pub struct CodeEntry {
    /// Ten digits.
    pub contract: String,
    /// Nine digits.
    pub user_id: String,
    /// The code.
    pub code: Zeroizing<String>,
    /// Network place.
    pub place: String,
}

/// A browser that has entered a code.
#[derive(Clone)]
pub struct Enrolling {
    /// Its number.
    pub id: i64,
    /// Whose.
    pub user: i64,
    /// When it ends by itself.
    pub until: Moment,
    /// What the browser holds.
    pub(super) token: Token,
    has_authority: bool,
    place: String,
    /// What was set in it: login, transaction, card.
    set: [bool; 3],
}

impl Enrolling {
    /// The person as an actor.
    pub fn actor(&self) -> Actor<Role> {
        let id = ActorId(format!("user-{}", self.user));
        Actor { id, role: customer_role(self.has_authority) }
    }

    /// Where commands of this enrolment come from.
    pub fn origin(&self) -> Origin {
        let place = format!("enrolment-{} {}", self.id, self.place);
        Origin { auth: "code".to_owned(), place }
    }
}

/// Whether a secret is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretState {
    /// There is none: it is to be set.
    Unset,
    /// There is one that works.
    Active,
    /// There is one that is locked.
    Locked,
}

/// One of the three secrets in an enrolment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct EnrolmentItem {
    /// Which one.
    pub kind: Kind,
    /// Whether it is there.
    pub state: SecretState,
    /// It was set in this enrolment.
    pub is_done: bool,
    /// It may be set now.
    pub may_be_set: bool,
}

/// What an enrolment is about, for its page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolmentStatus {
    /// The user's name.
    pub name: String,
    /// Nine digits.
    pub user_id: String,
    /// The company.
    pub company: String,
    /// When it ends by itself.
    pub until: Moment,
    /// Login, transaction, card.
    pub items: [EnrolmentItem; 3],
}

/// The secrets of an enrolment, in the order of its page.
pub(super) const ENROLLED: [Kind; 3] = [Kind::Login, Kind::Transaction, Kind::OneTimePassword];

impl App {
    /// Enters an enrolment code; gives the browser its token. A typing slip is told without costing
    /// an attempt; whatever else is wrong, the answer and its cost are the same.
    pub async fn begin_enrolment(&self, typed: &CodeEntry) -> Result<Token, Declined> {
        let code = EnrolmentCode::parse(&typed.code).map_err(Declined::MistypedCode)?;
        let ascii = code.expose_ascii();
        let found = self.find_user(&typed.contract, &typed.user_id).await?;
        let case = match found {
            Some((user, _)) => self.begun_case(user).await?,
            None => None,
        };
        let (Some((user, has_authority)), Some(case)) = (found, case) else {
            self.judge_nothing(ascii.as_slice()).await?;
            return Err(Declined::NotAccepted);
        };
        let id = ActorId(format!("user-{user}"));
        let actor = Actor { id, role: customer_role(has_authority) };
        let origin = Origin { auth: "none".to_owned(), place: typed.place.clone() };
        let counter = Counter { case, actor, origin, nonce: self.nonce() };
        if self.charge_code(&counter).await.is_err() {
            // A refused entry takes as long as a judged one.
            self.judge_nothing(ascii.as_slice()).await?;
            return Err(Declined::NotAccepted);
        }
        let Some(judged) = self.judge_code(user, ascii.as_slice()).await? else {
            self.count(&counter, Command::Miss, CodeAttachment::default()).await?;
            return Err(Declined::NotAccepted);
        };
        let token = Token::generate(&self.tools.entropy);
        let (judged, browser) = (Some(judged), Some(token.digest()));
        let attachment = CodeAttachment { browser, judged, ..CodeAttachment::default() };
        match self.count(&counter, Command::Redeem, attachment).await {
            Ok(()) => Ok(token),
            Err(Declined::Refused { .. }) => Err(Declined::NotAccepted),
            Err(other) => Err(other),
        }
    }

    async fn begun_case(&self, user: i64) -> Result<Option<CaseId>, Fault> {
        let mut tx = self.tools.db.read().await?;
        let Some(case) = codes::case_of(&mut tx, user).await? else { return Ok(None) };
        Ok(engine::case::find(&mut tx, case).await?.map(|_| case))
    }

    async fn judge_code(&self, user: i64, secret: &[u8]) -> Result<Option<i64>, Declined> {
        let mut tx = self.tools.db.read().await?;
        let code = codes::active_of_user(&mut tx, user).await?;
        drop(tx);
        let Some(code) = code else {
            self.judge_nothing(secret).await?;
            return Ok(None);
        };
        let pepper = Some((code.key_id, CODE_PEPPER));
        Ok(self.verify(pepper, secret, code.verifier).await?.then_some(code.id))
    }

    async fn charge_code(&self, counter: &Counter) -> Result<(), Declined> {
        self.count(counter, Command::ChargeAttempt, CodeAttachment::default()).await
    }

    async fn count(
        &self,
        counter: &Counter,
        command: Command,
        attachment: CodeAttachment,
    ) -> Result<(), Declined> {
        let name = engine::label(&command);
        let id = format!("code-{name}-{}-{}", counter.case, counter.nonce);
        let submission = Submission::new(counter.case, command, counter.actor.clone(), id)
            .from(counter.origin.clone());
        accepted(self.desks.enrolment.submit(submission, attachment).await?).map(drop)
    }

    /// Finds an open enrolment by its token.
    pub async fn enrolment(&self, token: &Token, place: &str) -> Result<Enrolling, Declined> {
        let mut tx = self.tools.db.read().await?;
        let row = enrolling::find(&mut tx, &token.digest()).await?.ok_or(Declined::SignedOut)?;
        let standing = standing::find(&mut tx, row.user_id).await?.ok_or(Declined::SignedOut)?;
        let set = enrolling::set_so_far(&mut tx, row.user_id).await?;
        let minutes = u64::from(self.tools.rules.enrolment_window_minutes);
        let until = Moment(row.opened_at).plus(Duration::from_secs(60 * minutes));
        if row.ended_at.is_some() || until <= tx.now() || !standing.user_active() {
            return Err(Declined::SignedOut);
        }
        Ok(Enrolling {
            id: row.id,
            user: row.user_id,
            until,
            token: token.clone(),
            has_authority: standing.reissue_authority,
            place: place.to_owned(),
            set,
        })
    }

    /// What is to be set and what is done.
    pub async fn enrolment_status(&self, at: &Enrolling) -> Result<EnrolmentStatus, Declined> {
        let mut tx = self.tools.db.read().await?;
        let user = users::by_id(&mut tx, at.user).await?.ok_or(Declined::NotFound)?;
        let contract = contracts::by_id(&mut tx, user.contract_id).await?;
        let rows = credentials::of_user(&mut tx, at.user).await?;
        drop(tx);
        let item = |place: usize, kind: Kind| {
            let row = rows.iter().find(|row| row.kind == kind_name(kind));
            let state = match row.map_or("", |row| row.state_name.as_str()) {
                "Active" => SecretState::Active,
                "Locked" => SecretState::Locked,
                _ => SecretState::Unset,
            };
            let is_done = at.set.get(place).is_some_and(|set| *set);
            // Shown only: the credential's own rule decides when it is tried.
            let may_be_set = kind != Kind::Transaction || state == SecretState::Unset || is_done;
            EnrolmentItem { kind, state, is_done, may_be_set }
        };
        let [login, transaction, card] = ENROLLED;
        Ok(EnrolmentStatus {
            name: user.name,
            user_id: user.user_id,
            company: contract.map(|contract| contract.company).unwrap_or_default(),
            until: at.until,
            items: [item(0, login), item(1, transaction), item(2, card)],
        })
    }

    /// Sets the login or the transaction password.
    pub async fn set_password(
        &self,
        at: &Enrolling,
        kind: Kind,
        new: &str,
    ) -> Result<(), Declined> {
        if !matches!(kind, Kind::Login | Kind::Transaction) {
            return Err(Declined::NotFound);
        }
        let chosen = self.chosen(at.user, new).await?;
        self.demand_different(at, kind, &chosen).await?;
        let secret = self.hashed(&chosen).await?;
        let replacement = Replacement { secret, judged: None, card: None };
        self.enrol_here(at, kind, Judged { replacement: Some(replacement), ..Judged::default() })
            .await
    }

    /// A chosen password, held against what it may not be.
    pub(super) async fn chosen(&self, user: i64, new: &str) -> Result<ChosenPassword, Declined> {
        let mut tx = self.tools.db.read().await?;
        let user = users::by_id(&mut tx, user).await?.ok_or(Declined::NotFound)?;
        let contract = contracts::by_id(&mut tx, user.contract_id).await?;
        let number = contract.map(|contract| contract.number).unwrap_or_default();
        ChosenPassword::new(new, &[&user.user_id, &number]).map_err(Declined::Unfit)
    }

    /// Login and transaction password differ. The other one is compared only when it was set in
    /// this very enrolment: otherwise the comparison would tell whoever holds a code, entry by
    /// entry and uncounted, what the other password is.
    async fn demand_different(
        &self,
        at: &Enrolling,
        kind: Kind,
        chosen: &ChosenPassword,
    ) -> Result<(), Declined> {
        let [login_set, transaction_set, _] = at.set;
        let (other, is_set) = match kind {
            Kind::Login => (Kind::Transaction, transaction_set),
            _ => (Kind::Login, login_set),
        };
        if !is_set {
            return Ok(());
        }
        let row = self.credential(at.user, other).await?;
        let same = self.verify(None, chosen.expose(), row.secret).await?;
        if same { Err(Declined::Unfit(Unfit::SameAsOther)) } else { Ok(()) }
    }

    /// Hashes where blocking is allowed, no more at once than configured.
    pub(super) async fn hashed(
        &self,
        chosen: &ChosenPassword,
    ) -> Result<Zeroizing<String>, Declined> {
        let (entropy, cost) = (self.tools.entropy.clone(), self.tools.hash_cost());
        let chosen = chosen.clone();
        let hash = move || hash_password(&entropy, None, chosen.expose(), cost);
        Ok(Zeroizing::new(self.tools.hashed("hash a password", hash).await?))
    }

    /// Enrols what was made ready: in the history it is the user's own act.
    pub(super) async fn enrol_here(
        &self,
        at: &Enrolling,
        kind: Kind,
        judged: Judged,
    ) -> Result<(), Declined> {
        let row = self.credential(at.user, kind).await?;
        let case = CaseId(row.case_id);
        let id = format!("enrol-{}-{case}-{}", at.id, self.nonce());
        let command = credential::Command::Enrol { kind };
        let submission = Submission::new(case, command, at.actor(), id).from(at.origin());
        accepted(self.desks.credential.submit(submission, judged).await?).map(drop)
    }

    /// Charges an entry in an open enrolment, such as the codes of a new card.
    pub(super) async fn charge_here(&self, at: &Enrolling) -> Result<Counter, Declined> {
        let case = self.begun_case(at.user).await?.ok_or(Declined::NotFound)?;
        let counter = Counter { case, actor: at.actor(), origin: at.origin(), nonce: self.nonce() };
        self.charge_code(&counter).await?;
        Ok(counter)
    }

    /// Settles what [`App::charge_here`] has charged.
    pub(super) async fn settle_here(
        &self,
        counter: &Counter,
        is_right: bool,
    ) -> Result<(), Declined> {
        let command = if is_right { Command::Pass } else { Command::Miss };
        self.count(counter, command, CodeAttachment::default()).await
    }

    /// Makes the codes live that imports have taken.
    pub(crate) async fn take_codes_over(&self) -> Result<(), Fault> {
        loop {
            let mut tx = self.tools.db.read().await?;
            let taken = codes::taken(&mut tx, 200).await?;
            drop(tx);
            if taken.is_empty() {
                return Ok(());
            }
            for (code, user) in taken {
                let case = self.enrolment_case(user).await?;
                let id = format!("import-code-{code}");
                let submission = Submission::new(case, Command::Import, Actor::worker(), id);
                let attachment = CodeAttachment { taken: Some(code), ..CodeAttachment::default() };
                let outcome = self.desks.enrolment.submit(submission, attachment).await?;
                if let engine::Outcome::Refused { case, refusal } = outcome {
                    tracing::error!(%case, %refusal, "an imported code could not be taken over");
                    let mut tx = self.tools.db.write().await?;
                    codes::put_aside(&mut tx, code).await?;
                    tx.commit().await?;
                }
            }
        }
    }

    /// Ends an enrolment; its code is used.
    pub async fn finish_enrolment(&self, at: &Enrolling) -> Result<(), Declined> {
        let case = self.begun_case(at.user).await?.ok_or(Declined::NotFound)?;
        let id = format!("finish-{}", at.id);
        let submission = Submission::new(case, Command::Finish, at.actor(), id).from(at.origin());
        accepted(self.desks.enrolment.submit(submission, CodeAttachment::default()).await?)
            .map(drop)
    }
}

/// Where an entry is counted, and for whom.
pub(super) struct Counter {
    case: CaseId,
    actor: Actor<Role>,
    origin: Origin,
    nonce: String,
}
