//! What can break, as opposed to what a rule declines.

use crate::CaseId;

/// Something broke: the command may be sent again under the same id.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The database failed or could not be reached while doing `action`.
    #[error("database failed to {action}")]
    Database {
        /// What was being done, as a verb phrase.
        action: &'static str,
        /// The driver's word.
        source: sqlx::Error,
    },
    /// The schema could not be brought up to date, or is newer than this program.
    #[error("could not migrate the database")]
    Migration {
        /// The migrator's word.
        source: sqlx::migrate::MigrateError,
    },
    /// The database does not keep the promises it is asked for.
    #[error("database setting {setting} is {found}, not {wanted}")]
    Setting {
        /// The setting's name.
        setting: &'static str,
        /// What was read back.
        found: String,
        /// What is required.
        wanted: &'static str,
    },
    /// No such case of the workflow that was asked.
    #[error("case {case} does not exist")]
    NoSuchCase {
        /// The number asked for.
        case: CaseId,
    },
    /// A stored value cannot be read by this version.
    #[error("case {case} holds a {what} that this version cannot read")]
    Unreadable {
        /// The case.
        case: CaseId,
        /// Which value.
        what: &'static str,
    },
    /// A value cannot be written as JSON.
    #[error("{what} cannot be written as JSON")]
    Unwritable {
        /// Which value.
        what: &'static str,
        /// The serializer's word.
        source: serde_json::Error,
    },
    /// The case was changed by somebody else since the asker saw it.
    #[error("case {case} is at version {found}, not {expected}")]
    Stale {
        /// The case.
        case: CaseId,
        /// The version the asker saw.
        expected: i64,
        /// The version it has.
        found: i64,
    },
    /// A lease ran out before its work was settled; somebody else has it now.
    #[error("lease on outbox row {id} was lost")]
    LeaseLost {
        /// The outbox row.
        id: i64,
    },
    /// No workflow of that name has been registered with the engine.
    #[error("no workflow named {name}")]
    NoSuchWorkflow {
        /// The stored name.
        name: String,
    },
    /// A date lies outside what the calendar can hold.
    #[error("a time lies outside the calendar")]
    OutOfCalendar,
    /// A cron expression cannot be read.
    #[error("schedule {name} cannot be read: {reason}")]
    BadSchedule {
        /// The schedule's name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The host answered with another number of facts than it was asked for.
    #[error("host gave {given} facts for {asked} questions")]
    FactsMissing {
        /// Questions put to it.
        asked: usize,
        /// Answers it gave.
        given: usize,
    },
    /// A case was to be opened under a number that another case already has.
    #[error("case {case} exists already")]
    CaseExists {
        /// The number.
        case: CaseId,
    },
    /// The workflow or the host panicked; its transaction was rolled back.
    #[error("the code of workflow {workflow} {message}")]
    Panicked {
        /// The workflow's stored name.
        workflow: String,
        /// What it said.
        message: String,
    },
    /// The host failed.
    #[error("host failed to {action}")]
    Host {
        /// What was being done.
        action: &'static str,
        /// The host's own fault.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Fault {
    /// Wraps a driver error with what was being done.
    pub fn database(action: &'static str) -> impl Fn(sqlx::Error) -> Self {
        move |source| Self::Database { action, source }
    }

    /// Wraps an error of the host.
    pub fn host<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
        action: &'static str,
    ) -> impl Fn(E) -> Self {
        move |source| Self::Host { action, source: source.into() }
    }

    /// True when the very same transaction may succeed if tried again at once: a deadlock,
    /// a serialization failure, a busy SQLite file or a lost connection.
    pub fn is_transient(&self) -> bool {
        let Self::Database { source, .. } = self else { return false };
        match source {
            sqlx::Error::Database(error) => {
                let code = error.code();
                matches!(
                    code.as_deref(),
                    Some("40001" | "40P01" | "55P03" | "57P01" | "5" | "517" | "262" | "6")
                )
            }
            sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed => true,
            _ => false,
        }
    }
}
