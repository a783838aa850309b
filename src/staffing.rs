//! How the bank's people sign in: a password and what their card shows, judged together and answered
//! with one word.

use std::time::Duration;

use data_encoding::{BASE32_NOPAD, BASE64};
use engine::{Fault, Moment, Role as _};
use workflows::terms::Role;
use zeroize::Zeroizing;

use crate::app::App;
use crate::backoffice::AtWork;
use crate::customer::{Declined, USE_NOTED};
use crate::secret::{OneTimeCard, Token, hash_password};
use crate::store::staff::{self, StaffRow, StaffSecrets};
use crate::store::{enrolment, staff_sessions};

/// What the seeds of staff's cards are sealed for.
pub const SEED_PURPOSE: &str = "staff card seed";
/// Wrong entries after which each further one has to wait.
const FREE_ENTRIES: i64 = 5;
/// The longest wait: an outsider must not be able to keep somebody from work for a day.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

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

/// Somebody of the staff who has signed in.
#[derive(Debug, Clone)]
pub struct Member {
    /// The account.
    pub account: StaffRow,
    /// The roles that it holds, in the order of the glossary.
    pub roles: Vec<Role>,
    /// The number of the session.
    pub session: i64,
    /// Network place.
    place: String,
}

impl Member {
    /// Takes up a role that the account holds; without it, nothing is found.
    pub fn acting(&self, role: Role) -> Result<AtWork, Declined> {
        if !self.roles.contains(&role) {
            return Err(Declined::NotFound);
        }
        let place = format!("staff-session-{} {}", self.session, self.place);
        Ok(AtWork::signed_in(&self.account.person, role, place))
    }

    /// Takes up the first of some roles that the account holds.
    pub fn acting_as_one_of(&self, roles: &[Role]) -> Result<AtWork, Declined> {
        let held = roles.iter().find(|role| self.roles.contains(role));
        self.acting(*held.ok_or(Declined::NotFound)?)
    }
}

/// The roles of a comma-separated list; unknown names are none.
pub fn roles_of(text: &str) -> Vec<Role> {
    let named = |role: &Role| text.split(',').any(|name| name.trim() == role.name());
    Role::ALL.into_iter().filter(named).collect()
}

/// The secrets of a new account, shown once.
pub struct NewStaff {
    /// The password.
    pub password: Zeroizing<String>,
    /// The card's seed in Base32, as authenticators take it.
    pub seed: Zeroizing<String>,
}

impl App {
    /// Judges password and card of a member of staff. Whatever is wrong, the answer and the time it
    /// takes are the same.
    pub async fn staff_sign_in(&self, typed: &StaffSignIn) -> Result<Token, Declined> {
        let charged = self.charge(&typed.login).await?;
        let secrets = charged.filter(|secrets| !secrets.password.is_empty());
        let nobody = || self.tools.hash_cost().verifier_of_nobody();
        let verifier = secrets.as_ref().map_or_else(nobody, |secrets| secrets.password.clone());
        let is_right = self.verify(None, typed.password.as_bytes(), verifier).await?;
        let secrets = secrets.filter(|_| is_right).ok_or(Declined::NotAccepted)?;
        let mut tx = self.tools.db.write().await?;
        let step = self.step(&typed.login, &secrets, &typed.code, tx.now())?;
        let step = step.ok_or(Declined::NotAccepted)?;
        if !staff::accept(&mut tx, &typed.login, step).await? {
            return Err(Declined::NotAccepted);
        }
        let token = Token::generate(&self.tools.entropy);
        staff_sessions::create(&mut tx, &token.digest(), &typed.login, &typed.place).await?;
        tx.commit().await?;
        Ok(token)
    }

    /// Counts an entry before it is judged; `None` when there is no such account, or when it has to
    /// wait.
    async fn charge(&self, login: &str) -> Result<Option<StaffSecrets>, Fault> {
        let mut tx = self.tools.db.write().await?;
        let Some(found) = staff::secrets(&mut tx, login).await? else { return Ok(None) };
        if tx.now() < Moment(found.tried_at).plus(wait(found.wrong)) {
            return Ok(None);
        }
        let charged = staff::charge(&mut tx, login, found.wrong).await?;
        tx.commit().await?;
        Ok(charged.then_some(found))
    }

    /// The time step that an entry of the card belongs to.
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
        Ok(card.step_of(code, seconds).and_then(|step| i64::try_from(step).ok()))
    }

    /// Finds a live session of staff by its token and notes that it is in use, once a minute at
    /// most.
    pub async fn staff_session(&self, token: &Token, place: &str) -> Result<Member, Declined> {
        let mut tx = self.tools.db.read().await?;
        let row = staff_sessions::find(&mut tx, &token.digest()).await?;
        let row = row.ok_or(Declined::SignedOut)?;
        let account = staff::find(&mut tx, &row.login).await?.ok_or(Declined::SignedOut)?;
        let now = tx.now();
        drop(tx);
        let (began, used) = (Moment(row.created_at), Moment(row.touched_at));
        let is_live = self.tools.config.security.session_lives(began, used, now);
        if row.ended_at.is_some() || !account.active || !is_live {
            return Err(Declined::SignedOut);
        }
        if now.since(used) >= USE_NOTED {
            let mut tx = self.tools.db.write_lazily().await?;
            staff_sessions::touch(&mut tx, row.id).await?;
            tx.commit().await?;
        }
        let roles = roles_of(&account.roles);
        Ok(Member { account, roles, session: row.id, place: place.to_owned() })
    }

    /// Ends a session of staff.
    pub async fn staff_sign_out(&self, member: &Member) -> Result<(), Fault> {
        let mut tx = self.tools.db.write().await?;
        staff_sessions::end(&mut tx, member.session).await?;
        tx.commit().await
    }

    /// Makes an account, or brings one to another name and other roles; gives it fresh secrets when
    /// it has none yet or `renew` asks for them.
    pub async fn save_staff(&self, row: &StaffRow, renew: bool) -> Result<Option<NewStaff>, Fault> {
        let mut tx = self.tools.db.read().await?;
        let found = staff::secrets(&mut tx, &row.login).await?;
        drop(tx);
        let fresh = if renew || found.is_none_or(|found| found.password.is_empty()) {
            Some(self.fresh_secrets(&row.login).await?)
        } else {
            None
        };
        let mut tx = self.tools.db.write().await?;
        enrolment::save_staff(&mut tx, &row.person, &row.login, &row.name, &row.roles).await?;
        staff::set_active(&mut tx, &row.login, row.active).await?;
        if let Some((_, hash, sealed)) = &fresh {
            staff::keep_secrets(&mut tx, &row.login, hash, sealed).await?;
        }
        if fresh.is_some() || !row.active {
            staff_sessions::end_all(&mut tx, &row.login).await?;
        }
        tx.commit().await?;
        Ok(fresh.map(|(new, ..)| new))
    }

    /// A password and a seed, with the forms in which they are kept.
    async fn fresh_secrets(&self, login: &str) -> Result<(NewStaff, String, String), Fault> {
        let mut bytes = Zeroizing::new([0; 10]);
        (self.tools.entropy)(bytes.as_mut_slice());
        let password = Zeroizing::new(BASE32_NOPAD.encode(bytes.as_slice()).to_lowercase());
        let mut seed = Zeroizing::new([0; 20]);
        (self.tools.entropy)(seed.as_mut_slice());
        let sealed = self.tools.keys.seal(SEED_PURPOSE, login.as_bytes(), seed.as_slice());
        let sealed = BASE64.encode(&sealed.map_err(Fault::host("seal a card's seed"))?);
        let (entropy, cost) = (self.tools.entropy.clone(), self.tools.hash_cost());
        let secret = password.clone();
        let hash = move || hash_password(&entropy, None, secret.as_bytes(), cost);
        let hash = self.tools.hashed("hash a password", hash).await?;
        let seed = Zeroizing::new(BASE32_NOPAD.encode(seed.as_slice()));
        Ok((NewStaff { password, seed }, hash, sealed))
    }
}

/// How long after the last of so many wrong entries the next one is not looked at.
fn wait(wrong: i64) -> Duration {
    let beyond = u32::try_from(wrong.saturating_sub(FREE_ENTRIES)).unwrap_or(0).min(12);
    if wrong < FREE_ENTRIES {
        return Duration::ZERO;
    }
    Duration::from_mins(2_u64.saturating_pow(beyond)).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_grows_and_has_an_end() {
        assert_eq!(wait(4), Duration::ZERO);
        assert_eq!(wait(5), Duration::from_mins(1));
        assert_eq!(wait(8), Duration::from_mins(8));
        assert_eq!(wait(400), LONGEST_WAIT);
    }

    #[test]
    fn roles_are_read_from_their_list() {
        assert_eq!(roles_of("approver, clerk,janitor"), [Role::Clerk, Role::Approver]);
        assert!(roles_of("").is_empty());
    }
}
