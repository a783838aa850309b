//! How the bank's people sign in, and how their accounts are kept.

pub mod proposing;
mod secrets;
mod sign_in;
mod vouched;

pub use secrets::NewStaff;
pub(crate) use secrets::{Fresh, KeptSecrets, fresh_secrets};
pub use sign_in::StaffSignIn;
pub use vouched::{Returned, Turned};

use std::time::Duration;

use engine::{ActorId, CaseId, Moment, Origin, Role as _, Submission};
use workflows::account::{self, Account, Command};
use workflows::terms::Role;

use crate::app::App;
use crate::backoffice::AtWork;
use crate::customer::{Declined, USE_NOTED, accepted};
use crate::host::AccountAttachment;
use crate::secret::Token;
use crate::store::staff::{self, StaffRow};
use crate::store::{sign_ins, staff_sessions};

/// What the seeds of staff's cards are sealed for.
pub const SEED_PURPOSE: &str = "staff card seed";
/// Wrong entries after which each further one has to wait.
const FREE_ENTRIES: u8 = 5;
/// The longest wait: an outsider must not be able to keep somebody from work for a day.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// Somebody of the staff who has signed in.
#[derive(Debug, Clone)]
pub struct Member {
    /// The account.
    pub account: StaffRow,
    /// The roles that it holds, in the order of the glossary.
    pub roles: Vec<Role>,
    /// The number of the session.
    pub session: i64,
    /// By which means the session began.
    means: String,
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
        Ok(AtWork::signed_in(&self.account.person, role, place, &self.means))
    }

    /// The session began at the bank's identity provider.
    pub fn came_by_provider(&self) -> bool {
        self.means == vouched::PROVIDER
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

/// How long after the last of so many wrong entries the next one is not looked at.
pub(crate) fn wait(wrong: u8) -> Duration {
    if wrong < FREE_ENTRIES {
        return Duration::ZERO;
    }
    let beyond = u32::from(wrong - FREE_ENTRIES).min(12);
    Duration::from_mins(2_u64.saturating_pow(beyond)).min(LONGEST_WAIT)
}

impl App {
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
        let (session, means, place) = (row.id, row.means, place.to_owned());
        Ok(Member { account, roles, session, means, place })
    }

    /// Ends a session of staff.
    pub async fn staff_sign_out(&self, member: &Member) -> Result<(), Declined> {
        let by = member.acting(*member.roles.first().ok_or(Declined::NotFound)?)?;
        let case = self.account_case(&member.account.login).await?;
        let id = format!("leave-{case}-{}", self.nonce());
        let submission = Submission::<Account>::new(case, Command::Leave, by.actor(), id);
        let outcome = self.desks.account.submit(submission.from(by.origin()), None).await?;
        accepted(outcome).map(drop)
    }

    /// The case of an account; an empty name stands for every name that nobody has. Opened when
    /// somebody first tries it.
    pub(crate) async fn account_case(&self, login: &str) -> Result<CaseId, Declined> {
        let subject = account::subject(login);
        let mut tx = self.tools.db.read().await?;
        let found = sign_ins::case_of(&mut tx, &subject).await?;
        drop(tx);
        if let Some(case) = found {
            return Ok(case);
        }
        let case = self.engine.next_case().await?;
        // Two who try it first at the same time open one case: the id is the same.
        let id = format!("begin-{subject}");
        let worker = engine::Actor::worker();
        let submission = Submission::opening(case, subject, Command::Begin, worker, id);
        let outcome = self.desks.account.submit(submission, None).await?;
        accepted(outcome).map(|(case, _)| case)
    }

    /// The command line makes an account, renews its secrets, links or closes it: for the first account
    /// and for emergencies, and on record.
    pub async fn keep_account(
        &self,
        command: Command,
        row: &StaffRow,
    ) -> Result<Option<NewStaff>, Declined> {
        let has_secrets = matches!(command, Command::Add | Command::Renew);
        let fresh =
            if has_secrets { Some(fresh_secrets(&self.tools, &row.login).await?) } else { None };
        let actor = engine::Actor {
            id: ActorId(account::COMMAND_LINE.to_owned()),
            role: Role::SystemAdministrator,
        };
        let id = format!("{}-{}-{}", engine::label(&command), row.login, self.nonce());
        let subject = account::subject(&row.login);
        let mut tx = self.tools.db.read().await?;
        let found = sign_ins::case_of(&mut tx, &subject).await?;
        drop(tx);
        let submission = match (found, &command) {
            (None, Command::Add) => {
                let case = self.engine.next_case().await?;
                Submission::opening(case, subject, command, actor, id)
            }
            (Some(case), _) => Submission::new(case, command, actor, id),
            (None, _) => {
                let case = self.account_case(&row.login).await?;
                Submission::new(case, command, actor, id)
            }
        };
        let place = format!("command line {}", operating_user());
        let submission = submission.from(Origin { auth: "local".to_owned(), place }).detailing(
            serde_json::json!({
                "login": row.login, "person": row.person, "name": row.name, "roles": row.roles,
                "issuer": row.issuer, "subject": row.subject,
            }),
        );
        let (new, kept) = fresh.map(Fresh::split).unzip();
        let attachment = AccountAttachment { row: Some(row.clone()), secrets: kept, session: None };
        let outcome = self.desks.account.submit(submission, Some(attachment)).await?;
        accepted(outcome).map(|_| new)
    }
}

/// Who runs this program, as the operating system numbers its users.
fn operating_user() -> String {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self")
        .map_or_else(|_| "unknown".to_owned(), |own| format!("uid-{}", own.uid()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_grows_and_has_an_end() {
        assert_eq!(wait(4), Duration::ZERO);
        assert_eq!(wait(5), Duration::from_mins(1));
        assert_eq!(wait(8), Duration::from_mins(8));
        assert_eq!(wait(account::MOST_COUNTED), LONGEST_WAIT);
        assert_eq!(wait(255), LONGEST_WAIT);
    }

    #[test]
    fn roles_are_read_from_their_list() {
        assert_eq!(roles_of("approver, clerk,janitor"), [Role::Clerk, Role::Approver]);
        assert!(roles_of("").is_empty());
    }
}
