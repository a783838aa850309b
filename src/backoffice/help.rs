//! The help desk: somebody is on the phone. Where their cases stand, what they should do next, and what
//! can be done for them without anybody's seeing a secret: guidance by mail to the registered address,
//! a call back at the registered number, the emergency stop.

use engine::{CaseId, Fault, Submission};
use workflows::credential::{self, Credential};
use workflows::tail;
use workflows::terms::Channel;

use super::AtWork;
use super::search::number_in;
use crate::app::App;
use crate::customer::{Declined, accepted};
use crate::dates;
use crate::fold::folded;
use crate::host::Judged;
use crate::policy::{Matter, Viewer, may_see};
use crate::store::contracts::{self, Contract};
use crate::store::search::{self, Customer, Found};
use crate::store::users::{self, User};
use crate::store::{credentials, reissues};

/// A customer as the help desk sees one.
pub struct Caller {
    /// The user.
    pub user: User,
    /// The contract.
    pub contract: Contract,
    /// The newest cases, newest first.
    pub cases: Vec<Found>,
    /// The secrets that are locked, by kind.
    pub locked: Vec<String>,
    /// The case that counts the user's sign-ins.
    login: Option<CaseId>,
}

impl Caller {
    /// Mail can reach them.
    pub fn has_mail(&self) -> bool {
        !self.user.email.is_empty()
    }
}

/// What an emergency stop did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Halted {
    /// Cases that are stopped now.
    pub cases: usize,
    /// The login is locked now, by this or before.
    pub is_locked: bool,
}

impl App {
    /// Customers who fit what was asked: a name, its reading, or any number.
    pub async fn find_customers(&self, asked: &str) -> Result<Vec<Customer>, Fault> {
        let mut terms = asked.split_whitespace().map(folded).filter(|term| !term.is_empty());
        let terms: [String; 3] = std::array::from_fn(|_| terms.next().unwrap_or_default());
        let [first, second, third] = &terms;
        if first.is_empty() {
            return Ok(Vec::new());
        }
        let mut tx = self.tools.db.read().await?;
        if second.is_empty()
            && let Some(number) = number_in(asked)
        {
            let found = search::customers_by_number(&mut tx, number, &number.to_string()).await?;
            if !found.is_empty() {
                return Ok(found);
            }
        }
        search::customers(&mut tx, [first, second, third]).await
    }

    /// A customer with their cases; the look is an entry.
    pub async fn caller(&self, by: &AtWork, user: i64) -> Result<Caller, Declined> {
        let caller = self.read_caller(by, user).await?;
        if let Some(login) = caller.login {
            self.note(by, login, "ViewCustomer").await?;
        }
        Ok(caller)
    }

    async fn read_caller(&self, by: &AtWork, user: i64) -> Result<Caller, Declined> {
        if !may_see(Viewer::Signed(by.role()), Matter::CustomerName) {
            return Err(Declined::NotFound);
        }
        let mut tx = self.tools.db.read().await?;
        let row = users::by_id(&mut tx, user).await?.ok_or(Declined::NotFound)?;
        let contract = contracts::by_id(&mut tx, row.contract_id).await?;
        let login = credentials::find(&mut tx, user, "login").await?;
        let mut locked = Vec::new();
        for secret in credentials::of_user(&mut tx, user).await? {
            let case = engine::case::find(&mut tx, CaseId(secret.case_id)).await?;
            locked.extend(case.filter(|case| case.state_name == "Locked").map(|_| secret.kind));
        }
        Ok(Caller {
            contract: contract.ok_or(Declined::NotFound)?,
            cases: search::of_user(&mut tx, user).await?,
            locked,
            login: login.map(|row| CaseId(row.case_id)),
            user: row,
        })
    }

    /// Sends the user, at the registered address, how to go on. Asked again on the same day, nothing
    /// is sent twice.
    pub async fn guide(&self, by: &AtWork, user: i64) -> Result<(), Declined> {
        let caller = self.read_caller(by, user).await?;
        if !caller.has_mail() {
            return Err(Declined::Refused { code: "help.NoMail".to_owned() });
        }
        let id = format!("guide-{user}-{}", self.today().await?);
        self.on_login(by, &caller, credential::Command::Guide, id).await
    }

    /// Opens a task to call the user back at the registered number; false where one is open.
    pub async fn have_called_back(&self, by: &AtWork, user: i64) -> Result<bool, Declined> {
        let caller = self.read_caller(by, user).await?;
        let is_new = self.call_back(user, &by.origin().place).await?;
        if let (true, Some(login)) = (is_new, caller.login) {
            self.note(by, login, "AskCallBack").await?;
        }
        Ok(is_new)
    }

    /// Stops every open case of the user and locks the login, which ends every session.
    pub async fn halt(&self, by: &AtWork, user: i64) -> Result<Halted, Declined> {
        let caller = self.read_caller(by, user).await?;
        let mut tx = self.tools.db.read().await?;
        let open = reissues::open_of_user(&mut tx, user, CaseId(0)).await?;
        drop(tx);
        let ways =
            [Channel::SelfService, Channel::Delegated, Channel::Paper].map(Channel::workflow);
        let mut cases = 0;
        for (case, way) in open.into_iter().filter(|(_, way)| ways.contains(&way.as_str())) {
            // A case that was let go on since is stopped anew; pressed twice, it is stopped once.
            let version = self.case_row(CaseId(case)).await?.version;
            let id = format!("help-stop-{case}-{version}");
            let command = tail::Command::EmergencyStop;
            let (actor, origin) = (by.actor(), by.origin());
            match self.submit_tail(CaseId(case), &way, command, actor, origin, id).await {
                Ok(()) => cases += 1,
                // Stopped before, or ended meanwhile.
                Err(Declined::Refused { .. } | Declined::NotFound) => {}
                Err(other) => return Err(other),
            }
        }
        let id = format!("help-lock-{user}-{}", self.nonce());
        let is_locked = match self.on_login(by, &caller, credential::Command::Lock, id).await {
            Ok(()) | Err(Declined::Refused { .. }) => true,
            Err(Declined::NotFound) => false,
            Err(other) => return Err(other),
        };
        Ok(Halted { cases, is_locked })
    }

    async fn on_login(
        &self,
        by: &AtWork,
        caller: &Caller,
        command: credential::Command,
        id: String,
    ) -> Result<(), Declined> {
        let login = caller.login.ok_or(Declined::NotFound)?;
        let submission = Submission::<Credential>::new(login, command, by.actor(), id);
        let outcome =
            self.desks.credential.submit(submission.from(by.origin()), Judged::default()).await?;
        accepted(outcome).map(drop)
    }

    async fn today(&self) -> Result<String, Fault> {
        Ok(dates::iso_day(self.tools.db.now().await?))
    }
}
