//! Entering by the bank's own identity provider: what comes of its answer is an entry in the history
//! of the account it speaks of, or of the one that stands for everybody who has none.

use engine::{Actor, ActorId, Origin, Submission};
use serde_json::json;
use workflows::account::{Account, Answer, Command};
use workflows::terms::Role;

use super::roles_of;
use crate::app::App;
use crate::customer::{Declined, accepted};
use crate::host::{AccountAttachment, NewSession};
use crate::identity::{Passage, Provider, ProviderFault, Unmet, Vouched};
use crate::secret::Token;
use crate::store::staff::{self, StaffRow};

/// How a session that began at the identity provider is known.
pub(crate) const PROVIDER: &str = "oidc";

/// What a browser brings back from the provider.
pub struct Returned {
    /// As it was sent there.
    pub state: String,
    /// What the provider gives a token for; empty when it let nobody in.
    pub code: String,
    /// Network place.
    pub place: String,
}

/// Why nobody was let in.
#[derive(Debug)]
pub enum Turned {
    /// The provider could not be asked.
    Down(ProviderFault),
    /// What was wrong with its answer.
    Away(Answer),
    /// Something broke here.
    Broken(Declined),
}

impl From<Declined> for Turned {
    fn from(declined: Declined) -> Self {
        Self::Broken(declined)
    }
}

impl From<engine::Fault> for Turned {
    fn from(fault: engine::Fault) -> Self {
        Self::Broken(fault.into())
    }
}

impl App {
    /// Judges what somebody brings back from the identity provider, and begins their session.
    pub async fn staff_enter(
        &self,
        provider: &Provider,
        redirect: &str,
        passage: &Passage,
        returned: &Returned,
    ) -> Result<Token, Turned> {
        let (answer, vouched) = self.judge_answer(provider, redirect, passage, returned).await?;
        let mut tx = self.tools.db.read().await?;
        let row = match &vouched {
            None => None,
            Some(vouched) => staff::linked(&mut tx, provider.issuer(), &vouched.subject).await?,
        };
        drop(tx);
        let answer = match (answer, &row) {
            (Answer::Sound, None) => Answer::Unlinked,
            (answer, _) => answer,
        };
        let token = Token::generate(&self.tools.entropy);
        let entered = self.note_answer(answer, row.as_ref(), vouched.as_ref(), &token, returned);
        match entered.await {
            Ok(()) => Ok(token),
            // A closed account and none at all are told alike.
            Err(Declined::Refused { .. }) if answer == Answer::Sound => {
                Err(Turned::Away(Answer::Unlinked))
            }
            Err(Declined::Refused { .. }) => Err(Turned::Away(answer)),
            Err(other) => Err(other.into()),
        }
    }

    async fn judge_answer(
        &self,
        provider: &Provider,
        redirect: &str,
        passage: &Passage,
        returned: &Returned,
    ) -> Result<(Answer, Option<Vouched>), Turned> {
        if !passage.is_answered_by(&returned.state) {
            return Ok((Answer::Mismatched, None));
        }
        if returned.code.is_empty() {
            return Ok((Answer::Denied, None));
        }
        let now = self.tools.db.now().await?;
        match provider.finish(redirect, passage, &returned.code, now).await {
            Ok(vouched) => Ok((Answer::Sound, Some(vouched))),
            Err(Unmet::Wrong(answer, vouched)) => Ok((answer, vouched)),
            Err(Unmet::Down(fault)) => Err(Turned::Down(fault)),
        }
    }

    async fn note_answer(
        &self,
        answer: Answer,
        row: Option<&StaffRow>,
        vouched: Option<&Vouched>,
        token: &Token,
        returned: &Returned,
    ) -> Result<(), Declined> {
        let held = row.and_then(|row| Some((row, *roles_of(&row.roles).first()?)));
        let (login, actor) = match held {
            Some((row, role)) => {
                let id = ActorId(format!("staff-{}", row.person));
                (row.login.as_str(), Actor { id, role })
            }
            None => ("", Actor { id: ActorId("unknown".to_owned()), role: Role::Worker }),
        };
        let case = self.account_case(login).await?;
        let session = NewSession {
            token: token.digest(),
            login: login.to_owned(),
            means: PROVIDER.to_owned(),
            place: returned.place.clone(),
            step: None,
        };
        let attachment = AccountAttachment { session: Some(session), ..Default::default() };
        let id = format!("enter-{case}-{}", self.nonce());
        let origin = Origin { auth: PROVIDER.to_owned(), place: returned.place.clone() };
        let submission = Submission::<Account>::new(case, Command::Enter { answer }, actor, id)
            .from(origin)
            // Of whom it speaks is what the system administrator needs to link an account.
            .detailing(json!({
                "subject": vouched.map(|one| &one.subject),
                "acr": vouched.map(|one| &one.acr),
                "amr": vouched.map(|one| &one.amr),
            }));
        let outcome = self.desks.account.submit(submission, Some(attachment)).await?;
        accepted(outcome).map(drop)
    }
}
