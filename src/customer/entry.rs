//! Entries of secrets: charged first, judged outside any transaction, then redeemed or missed.

use data_encoding::{BASE64, HEXLOWER};
use engine::{Actor, ActorId, CaseId, Fault, Origin, Outcome, Submission};
use workflows::credential::{Command, Credential, Kind, State};
use workflows::terms::Role;
use zeroize::Zeroizing;

use super::{Declined, Session, accepted};
use crate::app::App;
use crate::host::{Judged, RETRIEVAL_PEPPER, Replacement, customer_role};
use crate::secret::{OneTimeCard, Ticket, Token, one_form, verify_password};
use crate::store::credentials::{self, CredentialRow};
use crate::store::{contracts, enrolment, sessions, standing, users};

/// A sign-in as it was typed.
pub struct SignIn {
    /// Ten digits.
    pub contract: String,
    /// Nine digits.
    pub user_id: String,
    /// The login password.
    pub password: Zeroizing<String>,
    /// Network place.
    pub place: String,
    /// Serial of the certificate in use, on the certificate site.
    pub certificate: Option<String>,
}

/// What the browser keeps after a sign-in.
pub struct SignedIn {
    /// The session's cookie.
    pub token: Token,
    /// The display ticket's cookie.
    pub ticket: Ticket,
}

/// A secret that was entered, and where it is counted.
pub struct Entry<'a> {
    /// Whose credential.
    pub user: i64,
    /// Which one.
    pub kind: Kind,
    /// Acts for the person.
    pub actor: Actor<Role>,
    /// From where.
    pub origin: Origin,
    /// In which session.
    pub session: i64,
    /// What was entered.
    pub secret: &'a [u8],
    /// Retrieval only: PKCS#10 from the browser.
    pub csr: Option<String>,
}

/// Opens the cases of credentials that have none; the machinery enrols what an import brought, and
/// what it did not bring waits for its holder.
pub async fn enrol(app: &App, missing: Vec<CredentialRow>) -> Result<(), Fault> {
    let mut submissions = Vec::with_capacity(missing.len());
    for CredentialRow { user_id: user, kind, case_id, secret, .. } in missing {
        let Some(kind) = kind_named(&kind) else { continue };
        let id = format!("enrol-{user}-{}", kind_name(kind));
        let command =
            if secret.is_empty() { Command::Prepare { kind } } else { Command::Enrol { kind } };
        let submission = Submission::<Credential>::opening(
            CaseId(case_id),
            format!("user-{user}"),
            command,
            Actor::worker(),
            id,
        );
        submissions.push((submission, Judged::default()));
    }
    for outcome in app.desks.credential.submit_all(submissions).await {
        if let Outcome::Refused { case, refusal } = outcome? {
            tracing::error!(%case, %refusal, "a credential could not be enrolled");
        }
    }
    Ok(())
}

/// Enrols what was awaited and came with a later import.
pub async fn enrol_brought(app: &App, brought: Vec<CredentialRow>) -> Result<(), Fault> {
    for row in brought {
        let case = CaseId(row.case_id);
        if let (Some(kind), "Unset") = (kind_named(&row.kind), row.state_name.as_str()) {
            let id = format!("brought-{case}-{}", app.nonce());
            let submission = Submission::new(case, Command::Enrol { kind }, Actor::worker(), id);
            app.desks.credential.submit(submission, Judged::default()).await?;
        }
        let mut tx = app.tools.db.write().await?;
        credentials::settle_brought(&mut tx, case).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// The stored name of a kind.
pub(crate) fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Login => "login",
        Kind::Transaction => "transaction",
        Kind::OneTimePassword => "one_time_password",
        Kind::Retrieval => "retrieval",
    }
}

fn kind_named(name: &str) -> Option<Kind> {
    Kind::ALL.into_iter().find(|kind| kind_name(*kind) == name)
}

impl App {
    /// Signs a user in. Whatever is wrong, the answer and its cost are the same.
    pub async fn sign_in(&self, typed: &SignIn) -> Result<SignedIn, Declined> {
        let found = self.find_user(&typed.contract, &typed.user_id).await?;
        let Some((user, has_authority)) = found else {
            self.judge_nothing(typed.password.as_bytes()).await?;
            return Err(Declined::NotAccepted);
        };
        let signed_in = SignedIn {
            token: Token::generate(&self.tools.entropy),
            ticket: Token::generate(&self.tools.entropy),
        };
        // The first entry of the session flushes it.
        let mut tx = self.tools.db.write_lazily().await?;
        let session = sessions::create(
            &mut tx,
            user,
            &signed_in.token.digest(),
            &signed_in.ticket.digest(),
            typed.certificate.as_deref(),
            &typed.place,
        )
        .await?;
        tx.commit().await?;
        let id = ActorId(format!("user-{user}"));
        let place = format!("session-{session} {}", typed.place);
        let entry = Entry {
            user,
            kind: Kind::Login,
            actor: Actor { id, role: customer_role(has_authority) },
            origin: Origin { auth: "none".into(), place },
            session,
            secret: typed.password.as_bytes(),
            csr: None,
        };
        match self.enter(entry).await {
            Ok(_) => Ok(signed_in),
            Err(Declined::Wrong | Declined::Refused { .. }) => Err(Declined::NotAccepted),
            Err(Declined::NotFound) => {
                self.judge_nothing(typed.password.as_bytes()).await?;
                Err(Declined::NotAccepted)
            }
            Err(other) => Err(other),
        }
    }

    /// The row of an active user, and whether they hold the authority.
    pub(super) async fn find_user(
        &self,
        contract: &str,
        user_id: &str,
    ) -> Result<Option<(i64, bool)>, Fault> {
        let mut tx = self.tools.db.read().await?;
        let Some(contract) = contracts::id_of(&mut tx, contract).await? else {
            return Ok(None);
        };
        let user = users::id_of(&mut tx, contract, user_id).await?;
        let Some(user) = user else { return Ok(None) };
        let standing = standing::find(&mut tx, user).await?;
        Ok(standing.filter(standing::Standing::user_active).map(|s| (s.user, s.reissue_authority)))
    }

    /// Charges, judges and settles one entry. Gives the case of the credential.
    pub async fn enter(&self, entry: Entry<'_>) -> Result<CaseId, Declined> {
        self.enter_for(entry, None).await
    }

    /// As [`App::enter`]; with a replacement, a right entry puts it in the place of the secret that
    /// was entered.
    pub(super) async fn enter_for(
        &self,
        entry: Entry<'_>,
        replacement: Option<(Replacement, i64)>,
    ) -> Result<CaseId, Declined> {
        let row = self.credential(entry.user, entry.kind).await?;
        let case = CaseId(row.case_id);
        let nonce = self.nonce();
        let submit = |command, name: &str, judged| {
            let id = format!("{name}-{case}-{nonce}");
            let submission = Submission::new(case, command, entry.actor.clone(), id);
            self.desks.credential.submit(submission.from(entry.origin.clone()), judged)
        };
        let charged = submit(Command::ChargeAttempt, "charge", Judged::default()).await?;
        if let Err(refused) = accepted(charged) {
            // A refused entry takes as long as a judged one.
            self.judge_nothing(entry.secret).await?;
            return Err(refused);
        }
        match self.judge(&row, &entry).await? {
            Some(mut judged) => {
                let (session, csr) = (entry.session.to_string(), entry.csr.clone());
                let outcome = match replacement {
                    None => submit(Command::Redeem { session, csr }, "redeem", judged).await?,
                    Some((mut new, step)) => {
                        new.judged = Some(Zeroizing::new(row.secret.clone()));
                        judged.step = judged.step.max(Some(step));
                        judged.replacement = Some(new);
                        submit(Command::Change { session }, "change", judged).await?
                    }
                };
                accepted(outcome).map(|(case, _)| case)
            }
            None => {
                submit(Command::Miss, "miss", Judged::default()).await?;
                Err(Declined::Wrong)
            }
        }
    }

    /// How a credential stands: the name of its state, and how many entries are left before it
    /// locks, when any is accepted now.
    pub async fn credential_standing(
        &self,
        user: i64,
        kind: Kind,
    ) -> Result<(String, Option<u8>), Declined> {
        let row = self.credential(user, kind).await?;
        let found = self.desks.credential.find(CaseId(row.case_id)).await?;
        let left = match found {
            Some((_, State::Active { wrong, .. })) => {
                Some(kind.max_wrong(&self.tools.rules).saturating_sub(wrong))
            }
            _ => None,
        };
        Ok((row.state_name, left))
    }

    /// How many entries of a secret are left before it locks; `None` when none is accepted now.
    pub async fn attempts_left(&self, user: i64, kind: Kind) -> Result<Option<u8>, Declined> {
        Ok(self.credential_standing(user, kind).await?.1)
    }

    /// Signs in the holder of a certificate, who types the login password alone.
    pub async fn sign_in_with_certificate(
        &self,
        holder: &super::Holder,
        password: Zeroizing<String>,
        place: String,
    ) -> Result<SignedIn, Declined> {
        let mut tx = self.tools.db.read().await?;
        let user = users::by_id(&mut tx, holder.user).await?.ok_or(Declined::NotAccepted)?;
        let contract = contracts::by_id(&mut tx, user.contract_id).await?;
        let contract = contract.ok_or(Declined::NotAccepted)?;
        drop(tx);
        let certificate = Some(holder.serial.clone());
        let (contract, user_id) = (contract.number, user.user_id);
        self.sign_in(&SignIn { contract, user_id, password, place, certificate }).await
    }

    pub(super) async fn credential(
        &self,
        user: i64,
        kind: Kind,
    ) -> Result<CredentialRow, Declined> {
        let mut tx = self.tools.db.read().await?;
        let row = credentials::find(&mut tx, user, kind_name(kind)).await?;
        row.ok_or(Declined::NotFound)
    }

    /// Judges an entry; `None` is wrong.
    async fn judge(
        &self,
        row: &CredentialRow,
        entry: &Entry<'_>,
    ) -> Result<Option<Judged>, Declined> {
        match entry.kind {
            Kind::Login | Kind::Transaction => self.judge_password(row, entry.secret).await,
            Kind::OneTimePassword => self.judge_card(row, entry.secret).await,
            Kind::Retrieval => self.judge_retrieval(entry).await,
        }
    }

    async fn judge_password(
        &self,
        row: &CredentialRow,
        secret: &[u8],
    ) -> Result<Option<Judged>, Declined> {
        // Chosen here, it was hashed in its one form; the bank's own system may not have done so.
        let typed = std::str::from_utf8(secret).unwrap_or_default();
        let one_form = one_form(typed);
        let mut right = self.verify(None, one_form.as_bytes(), row.secret.clone()).await?;
        if !right && one_form.as_bytes() != secret {
            right = self.verify(None, secret, row.secret.clone()).await?;
        }
        Ok(right.then(Judged::default))
    }

    async fn judge_retrieval(&self, entry: &Entry<'_>) -> Result<Option<Judged>, Declined> {
        let mut tx = self.tools.db.read().await?;
        let password = crate::store::passwords::active_of_user(&mut tx, entry.user).await?;
        drop(tx);
        let Some(password) = password else { return Ok(None) };
        let pepper = Some((password.key_id, RETRIEVAL_PEPPER));
        let right = self.verify(pepper, entry.secret, password.verifier).await?;
        Ok(right.then_some(Judged { password: Some(password.id), ..Judged::default() }))
    }

    async fn judge_card(
        &self,
        row: &CredentialRow,
        secret: &[u8],
    ) -> Result<Option<Judged>, Declined> {
        let sealed = BASE64.decode(row.secret.as_bytes());
        let sealed = sealed.map_err(Fault::host("read a card's seed"))?;
        let broken = Fault::host("open a card's seed");
        let bound_to = self.seed_sealing_data(row.user_id).await?;
        let seed = self.tools.keys.open(enrolment::SEED_PURPOSE, &bound_to, &sealed);
        let card = OneTimeCard::new(&seed.map_err(&broken)?).map_err(&broken)?;
        let Ok(typed) = std::str::from_utf8(secret) else { return Ok(None) };
        let now = self.tools.db.now().await?.seconds();
        let step = card.step_of(typed, u64::try_from(now).unwrap_or_default());
        let step = step.and_then(|step| i64::try_from(step).ok());
        // A step is accepted once: what was seen over a shoulder is worth nothing.
        Ok(step
            .filter(|step| *step > row.last_step)
            .map(|step| Judged { step: Some(step), ..Judged::default() }))
    }

    pub(super) async fn seed_sealing_data(&self, user: i64) -> Result<Vec<u8>, Declined> {
        let mut tx = self.tools.db.read().await?;
        let user = users::by_id(&mut tx, user).await?.ok_or(Declined::NotFound)?;
        let contract = contracts::by_id(&mut tx, user.contract_id).await?;
        let contract = contract.ok_or(Declined::NotFound)?;
        Ok(enrolment::seed_sealing_data(&contract.number, &user.user_id))
    }

    /// Computes a hash for nothing, so that every answer takes as long.
    pub(super) async fn judge_nothing(&self, secret: &[u8]) -> Result<(), Declined> {
        let nobody = self.tools.hash_cost().verifier_of_nobody();
        self.verify(None, secret, nobody).await.map(drop)
    }

    /// Verifies against a PHC string: under the pepper of a stored key for what is made here,
    /// without one for the passwords that the bank's own system has hashed.
    pub(crate) async fn verify(
        &self,
        pepper: Option<(String, &'static str)>,
        secret: &[u8],
        verifier: String,
    ) -> Result<bool, Declined> {
        let keys = self.tools.keys.clone();
        let secret = Zeroizing::new(secret.to_vec());
        let verify = move || {
            let pepper = pepper.as_ref().map(|(id, purpose)| (&keys, id.as_str(), *purpose));
            verify_password(pepper, &secret, &verifier)
        };
        Ok(self.tools.hashed("judge an entry", verify).await?)
    }

    /// Makes a command id that nobody else can have made.
    pub fn nonce(&self) -> String {
        let mut bytes = [0; 16];
        (self.tools.entropy)(&mut bytes);
        HEXLOWER.encode(&bytes)
    }

    /// Proves a one-time password in a session; gives the session its new token.
    pub async fn enter_one_time_password(
        &self,
        session: &Session,
        typed: &str,
    ) -> Result<Token, Declined> {
        self.enter_in_session(session, Kind::OneTimePassword, typed.as_bytes()).await?;
        self.rotate(session).await
    }

    /// Proves the transaction password in a session.
    pub async fn enter_transaction_password(
        &self,
        session: &Session,
        typed: &str,
    ) -> Result<(), Declined> {
        self.enter_in_session(session, Kind::Transaction, typed.as_bytes()).await
    }

    async fn enter_in_session(
        &self,
        session: &Session,
        kind: Kind,
        secret: &[u8],
    ) -> Result<(), Declined> {
        let entry = Entry {
            user: session.user,
            kind,
            actor: session.actor(),
            origin: session.origin(),
            session: session.id,
            secret,
            csr: None,
        };
        self.enter(entry).await.map(drop)
    }

    async fn rotate(&self, session: &Session) -> Result<Token, Declined> {
        let token = Token::generate(&self.tools.entropy);
        // Undone, somebody signs in once more.
        let mut tx = self.tools.db.write_lazily().await?;
        sessions::rotate(&mut tx, session.id, &token.digest()).await?;
        tx.commit().await?;
        Ok(token)
    }
}
