//! A command on its way in, and what became of it.

use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use crate::{Actor, ActorId, CaseId, Moment, Workflow};

/// A command with everything the history must know about it.
#[derive(Debug, Clone)]
pub struct Submission<W: Workflow> {
    /// Which case it is for.
    pub target: Target,
    /// What is asked.
    pub command: W::Command,
    /// By whom.
    pub actor: Actor<W::Role>,
    /// From where, and how the actor was authenticated.
    pub origin: Origin,
    /// Unique among all commands: sent again, it finds the finished entry.
    pub command_id: String,
    /// The version the asker saw; a case that moved on meanwhile is left alone.
    pub expects: Option<i64>,
    /// Personal details for the history, kept apart from it.
    pub details: Option<Value>,
    /// When declined now, keep it until the case wants it; a case at rest never will.
    pub keep: bool,
}

impl<W: Workflow> Submission<W> {
    /// A command for a case that exists.
    pub fn new(
        case: CaseId,
        command: W::Command,
        actor: Actor<W::Role>,
        id: impl Into<String>,
    ) -> Self {
        Self::with_target(Target::Existing(case), command, actor, id)
    }

    /// The first command of a new case about `subject`. A declined one leaves a case at rest that
    /// holds the refusal; the same opening may be asked of it again.
    pub fn opening(
        case: CaseId,
        subject: impl Into<String>,
        command: W::Command,
        actor: Actor<W::Role>,
        id: impl Into<String>,
    ) -> Self {
        Self::with_target(Target::New { case, subject: subject.into() }, command, actor, id)
    }

    fn with_target(
        target: Target,
        command: W::Command,
        actor: Actor<W::Role>,
        id: impl Into<String>,
    ) -> Self {
        let origin = Origin::default();
        // The history holds texts in form C; the id has to be found there again.
        let command_id = id.into().nfc().collect();
        Self {
            target,
            command,
            actor,
            origin,
            command_id,
            expects: None,
            details: None,
            keep: false,
        }
    }

    /// Says how the actor was authenticated and where.
    #[must_use]
    pub fn from(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    /// Adds personal details.
    #[must_use]
    pub fn detailing(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }

    /// Leaves the case alone unless it is still at `version`.
    #[must_use]
    pub fn expecting(mut self, version: i64) -> Self {
        self.expects = Some(version);
        self
    }

    /// Keeps the command, when declined now, until the case wants it.
    #[must_use]
    pub fn kept(mut self) -> Self {
        self.keep = true;
        self
    }
}

/// Which case a command is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// One that exists.
    Existing(CaseId),
    /// One to be opened.
    New {
        /// Its number.
        case: CaseId,
        /// What it is about: the key that the host locks before the case.
        subject: String,
    },
}

impl Target {
    /// The case's number.
    pub fn case(&self) -> CaseId {
        match self {
            Self::Existing(case) | Self::New { case, .. } => *case,
        }
    }
}

/// How and where an actor came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The way of authentication, such as `password+otp`.
    pub auth: String,
    /// The terminal or network place.
    pub place: String,
}

impl Default for Origin {
    /// The machinery itself.
    fn default() -> Self {
        Self { auth: "none".into(), place: "engine".into() }
    }
}

/// What became of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<W: Workflow> {
    /// Done, now or before under the same command id.
    Accepted(Receipt<W>),
    /// Declined by rule; the history says so and nothing else changed.
    Refused {
        /// The case.
        case: CaseId,
        /// Why.
        refusal: W::Refusal,
    },
    /// Declined now and kept until the case wants it.
    Kept {
        /// The case.
        case: CaseId,
        /// Why not now.
        refusal: W::Refusal,
    },
    /// A deadline that no longer applies: somebody was quicker than the clock.
    Moot,
}

/// Proof that a command was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt<W: Workflow> {
    /// The case.
    pub case: CaseId,
    /// The number of its history entry.
    pub entry: i64,
    /// Where the case stands now.
    pub state: W::State,
    /// Its version now.
    pub version: i64,
    /// True when the command had been carried out before.
    pub repeated: bool,
}

/// Why the engine itself sends a command.
#[derive(Debug, Clone)]
pub(crate) enum Cause {
    /// Somebody asked.
    Asked,
    /// A deadline passed.
    Timer { slot: String, due: Moment },
    /// A kept command or a signal.
    Kept { inbox: i64, once: bool },
    /// The answer to a job, valid only while its lease is held.
    Job { outbox: i64, attempt: i64 },
}

/// A stored command, before its workflow has read it.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) case: CaseId,
    pub(crate) command: String,
    pub(crate) command_id: String,
    pub(crate) actor: ActorId,
    pub(crate) role: String,
    pub(crate) origin: Origin,
    pub(crate) cause: Cause,
}
