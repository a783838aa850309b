//! The application as the engine sees it: facts, preparations, effects, notices and jobs, one
//! module a kind of case.

mod account;
mod clerical;
mod credential;
mod effects;
mod enrolment;
mod expiry;
mod facts;
mod issue;
mod mask;
mod proposal;
mod reissue;
mod submission;
mod task;

pub(crate) use account::NewSession;
pub use account::{AccountAttachment, AccountHost};
pub use clerical::ClericalHost;
pub use credential::{CredentialHost, Judged, Replacement};
pub(crate) use enrolment::{CODE_PEPPER, case_of as enrolment_case, code_place};
pub use enrolment::{CodeAttachment, EnrolmentHost};
pub use expiry::ExpiryHost;
pub(crate) use expiry::days_until;
pub(crate) use facts::is_renewable;
pub use issue::{Attachment, Prepared};
pub(crate) use issue::{DISPLAY, RETRIEVAL_PEPPER, SERVER_KEY, display_place, letter_place};
pub use mask::MaskHost;
pub(crate) use mask::page_subject;
pub use proposal::{Made, Picture, ProposalHost};
pub(crate) use proposal::{PASSWORD_HALF, SEED_HALF, half_place, matter_name, read_change};
pub(crate) use reissue::open_task;
pub use reissue::{Path, ReissueHost};
pub use submission::{ItemDesks, SubmissionHost};
pub use task::TaskHost;

use std::sync::Arc;

use engine::{ActorId, Entropy, Fault, Origin};
use workflows::terms::{Role, Rules};

use crate::config::Config;
use crate::notify::Notifier;
use crate::secret::{HashCost, Keys, SecretFault, StationPublicKey};

/// What every host works with.
pub struct Tools {
    /// The configuration in force.
    pub config: Arc<Config>,
    /// Its rules, as the workflows take them.
    pub rules: Arc<Rules>,
    /// The bank's keys.
    pub keys: Keys,
    /// Random bytes.
    pub entropy: Entropy,
    /// The issuing authority.
    pub authority: pki::Authority,
    /// Prints forms and letters.
    pub press: forms::Press,
    /// What letters are sealed to.
    pub station: StationPublicKey,
    /// Sends messages.
    pub notifier: Notifier,
    /// The open database, for what happens outside the engine's transactions.
    pub db: engine::Db,
    /// The bank's own identity provider, where staff sign in.
    pub provider: Option<crate::identity::Provider>,
    /// Bounds the hashes computed at once.
    pub hashing: tokio::sync::Semaphore,
}

impl Tools {
    /// What one hash costs.
    pub fn hash_cost(&self) -> HashCost {
        self.config.security.hash_cost()
    }

    /// Computes a hash where blocking is allowed, no more at once than configured; `doing` says what
    /// for.
    pub(crate) async fn hashed<T: Send + 'static>(
        &self,
        doing: &'static str,
        compute: impl FnOnce() -> Result<T, SecretFault> + Send + 'static,
    ) -> Result<T, Fault> {
        let permit = self.hashing.acquire().await.map_err(Fault::host(doing))?;
        let done = tokio::task::spawn_blocking(compute).await;
        drop(permit);
        done.map_err(Fault::host(doing))?.map_err(Fault::host(doing))
    }
}

/// The user behind an actor, when it is a customer's.
pub(crate) fn user_of(actor: &ActorId) -> Option<i64> {
    actor.0.strip_prefix("user-")?.parse().ok()
}

/// The user whom a subject names.
pub(crate) fn user_of_subject(subject: &str) -> Option<i64> {
    subject.strip_prefix("user-")?.parse().ok()
}

/// The session from which a command came: places of customers begin with `session-<id>`.
pub(crate) fn session_of(origin: &Origin) -> Option<i64> {
    origin.place.split(' ').next()?.strip_prefix("session-")?.parse().ok()
}

/// The enrolment from which a command came: places of browsers that have entered a code begin with
/// `enrolment-<id>`.
pub(crate) fn enrolling_of(origin: &Origin) -> Option<i64> {
    origin.place.split(' ').next()?.strip_prefix("enrolment-")?.parse().ok()
}

/// A host's own fault: something that should be there is not.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Missing {
    /// The ledger does not know the subject of a case.
    #[error("the ledger has no {what} for {subject}")]
    Subject { what: &'static str, subject: String },
    /// An effect came without what it needs.
    #[error("{what} was not prepared")]
    Prepared { what: &'static str },
    /// What was judged is not what is stored any more.
    #[error("{what} changed meanwhile")]
    Changed { what: &'static str },
}

/// The name under which a role is shown for customers: holders of the authority act as such.
pub(crate) fn customer_role(has_authority: bool) -> Role {
    if has_authority { Role::AuthorityHolder } else { Role::User }
}
