//! Signing in: password and card judged together and answered with one word. Whatever is tried is an
//! entry in the history of the account.

use data_encoding::BASE64;
use engine::{Actor, ActorId, CaseId, Fault, Moment, Origin, Submission};
use workflows::account::{Account, Command};
use workflows::terms::Role;
use zeroize::Zeroizing;

use super::{SEED_PURPOSE, roles_of};
use crate::app::App;
use crate::customer::{Declined, accepted};
use crate::host::{AccountAttachment, NewSession};
use crate::secret::{OneTimeCard, Token};
use crate::store::staff::{self, StaffRow, StaffSecrets};

/// How a session that began with password and card is known.
pub(crate) const LOCAL: &str = "password+totp";

/// A sign-in as it was typed.
pub struct StaffSignIn {
    /// The account.
    pub login: String,
    /// The password.
    pub password: Zeroizing<String>,
    /// What the card shows.
    pub code: Zeroizing<String>,
    /// Network place.
    pub place: String,
}

/// Who tries, as the history names them.
struct Entrant {
    case: CaseId,
    actor: Actor<Role>,
    place: String,
}

impl Entrant {
    fn origin(&self, auth: &str) -> Origin {
        Origin { auth: auth.to_owned(), place: self.place.clone() }
    }
}

impl App {
    /// Judges password and card of a member of staff. Whatever is wrong, the answer and the time it
    /// takes are the same.
    pub async fn staff_sign_in(&self, typed: &StaffSignIn) -> Result<Token, Declined> {
        let mut tx = self.tools.db.read().await?;
        let row = staff::find(&mut tx, &typed.login).await?;
        let secrets = staff::secrets(&mut tx, &typed.login).await?;
        drop(tx);
        let by = self.entrant(row.as_ref(), &typed.place).await?;
        let charged = self.put_on_record(&by, Command::ChargeAttempt, "none", None).await;
        let is_charged = match charged {
            Ok(()) => true,
            Err(Declined::Refused { .. }) => false,
            Err(other) => return Err(other),
        };
        let secrets = secrets.filter(|secrets| is_charged && !secrets.password.is_empty());
        let nobody = || self.tools.hash_cost().verifier_of_nobody();
        let verifier = secrets.as_ref().map_or_else(nobody, |secrets| secrets.password.clone());
        let is_right = self.verify(None, typed.password.as_bytes(), verifier).await?;
        let secrets = secrets.filter(|_| is_right);
        let now = self.tools.db.now().await?;
        let step = match &secrets {
            None => None,
            Some(secrets) => self.step(&typed.login, secrets, &typed.code, now)?,
        };
        let Some(step) = step else {
            if is_charged {
                self.put_on_record(&by, Command::Miss, "none", None).await?;
            }
            return Err(Declined::NotAccepted);
        };
        let token = self.begin_session(&by, Command::Redeem, &typed.login, LOCAL, Some(step)).await;
        match token {
            // The account was closed while this entry was judged.
            Err(Declined::Refused { .. }) => Err(Declined::NotAccepted),
            Err(fault) if self.is_spent(&typed.login, step).await? => {
                tracing::info!(error = %fault, "a card's number was sent twice at once");
                self.put_on_record(&by, Command::Miss, "none", None).await?;
                Err(Declined::NotAccepted)
            }
            other => other,
        }
    }

    /// Whether another entry has spent a time step of the card.
    async fn is_spent(&self, login: &str, step: i64) -> Result<bool, Fault> {
        let mut tx = self.tools.db.read().await?;
        let secrets = staff::secrets(&mut tx, login).await?;
        Ok(secrets.is_some_and(|secrets| secrets.last_step >= step))
    }

    async fn entrant(&self, row: Option<&StaffRow>, place: &str) -> Result<Entrant, Declined> {
        let place = place.to_owned();
        let held = row.and_then(|row| Some((row, *roles_of(&row.roles).first()?)));
        Ok(match held {
            Some((row, role)) => Entrant {
                case: self.account_case(&row.login).await?,
                actor: Actor { id: ActorId(format!("staff-{}", row.person)), role },
                place,
            },
            None => Entrant {
                case: self.account_case("").await?,
                actor: Actor { id: ActorId("unknown".to_owned()), role: Role::Worker },
                place,
            },
        })
    }

    /// Begins a session with the transition that lets somebody in.
    async fn begin_session(
        &self,
        by: &Entrant,
        command: Command,
        login: &str,
        means: &str,
        step: Option<i64>,
    ) -> Result<Token, Declined> {
        let token = Token::generate(&self.tools.entropy);
        let session = NewSession {
            token: token.digest(),
            login: login.to_owned(),
            means: means.to_owned(),
            place: by.place.clone(),
            step,
        };
        let attachment = AccountAttachment { session: Some(session), ..Default::default() };
        self.put_on_record(by, command, means, Some(attachment)).await?;
        Ok(token)
    }

    async fn put_on_record(
        &self,
        by: &Entrant,
        command: Command,
        auth: &str,
        attachment: Option<AccountAttachment>,
    ) -> Result<(), Declined> {
        let id = format!("{}-{}-{}", engine::label(&command), by.case, self.nonce());
        let submission = Submission::<Account>::new(by.case, command, by.actor.clone(), id);
        let submission = submission.from(by.origin(auth));
        accepted(self.desks.account.submit(submission, attachment).await?).map(drop)
    }

    /// The time step that an entry of the card belongs to; none when it was spent before.
    fn step(
        &self,
        login: &str,
        secrets: &StaffSecrets,
        code: &str,
        now: Moment,
    ) -> Result<Option<i64>, Fault> {
        let broken = Fault::host("open a card's seed");
        let Ok(sealed) = BASE64.decode(secrets.seed.as_bytes()) else { return Ok(None) };
        if sealed.is_empty() {
            return Ok(None);
        }
        let seed =
            self.tools.keys.open(SEED_PURPOSE, login.as_bytes(), &sealed).map_err(&broken)?;
        let card = OneTimeCard::new(&seed).map_err(&broken)?;
        let seconds = u64::try_from(now.seconds()).unwrap_or_default();
        let step = card.step_of(code, seconds).and_then(|step| i64::try_from(step).ok());
        Ok(step.filter(|step| *step > secrets.last_step))
    }
}
