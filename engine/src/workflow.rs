//! What a workflow is: a pure function from state and command to the next state.

use std::borrow::Cow;
use std::error::Error;
use std::fmt::{self, Debug, Display};
use std::hash::Hash;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A kind of case, written once and run by the engine. It performs no I/O, reads no clock and
/// draws no random numbers; everything it may know comes in as an argument.
pub trait Workflow: Clone + Debug + Eq + Send + Sync + 'static {
    /// Stored beside every case; never renamed, never reused.
    const NAME: &'static str;
    /// Raised when the stored form of [`Workflow::State`] changes and needs [`Workflow::upgrade`].
    const VERSION: u32;

    /// Where a case stands, with exactly the data that this standing needs. It holds no dates:
    /// the engine keeps moments as [`Anchor`]s, so that the set of states stays finite.
    type State: Clone + Eq + Hash + Debug + Serialize + DeserializeOwned + Send + Sync;
    /// What somebody asks for.
    type Command: Clone + Eq + Hash + Debug + Serialize + DeserializeOwned + Send + Sync;
    /// What a person or the machinery may act as.
    type Role: Role;
    /// What the host looked up inside the transaction before asking.
    type Facts: Clone + Debug + Send + Sync;
    /// The configuration: every number that a bank may want to change.
    type Rules: Clone + Debug + Send + Sync;
    /// A cheap write that commits together with the new state.
    type Effect: Clone + Eq + Debug + Send + Sync;
    /// A message to people, sent after the commit through the outbox.
    type Notice: Clone + Eq + Debug + Serialize + DeserializeOwned + Send + Sync;
    /// Work done after the commit through the outbox and answered by a command.
    type Job: Clone + Eq + Debug + Serialize + DeserializeOwned + Send + Sync;
    /// What this case tells another case.
    type Signal: Clone + Eq + Debug + Send + Sync;
    /// Why a command is not carried out.
    type Refusal: Clone + Ord + Debug + Error + Send + Sync;

    /// Where a new case stands before its first command.
    fn start() -> Self::State;

    /// The whole business rule: the next state and its consequences, or a refusal.
    fn decide(
        state: &Self::State,
        command: &Self::Command,
        context: &Context<Self>,
        rules: &Self::Rules,
    ) -> Result<Transition<Self>, Self::Refusal>;

    /// What the clock sends, and when, while a case stays in `state`; empty only at an end.
    fn deadlines(state: &Self::State, rules: &Self::Rules) -> Vec<Deadline<Self::Command>>;

    /// Turns the stored form of an older version into today's; `None` when it cannot be read.
    fn upgrade(from: u32, stored: &str) -> Option<Self::State> {
        let _ = (from, stored);
        None
    }

    /// True when no deadline is left: the case is closed and stays so.
    fn is_end(state: &Self::State, rules: &Self::Rules) -> bool {
        Self::deadlines(state, rules).is_empty()
    }
}

/// The roles of a workflow. The engine itself acts as three of them.
pub trait Role: Copy + Eq + Hash + Debug + Send + Sync + 'static {
    /// Sends deadlines.
    const CLOCK: Self;
    /// Answers jobs.
    const WORKER: Self;
    /// Carries signals from other cases.
    const PEER: Self;

    /// The name under which the role is written into the history; never renamed.
    fn name(self) -> &'static str;
    /// The inverse of [`Role::name`].
    fn from_name(name: &str) -> Option<Self>;
}

/// An accepted command: one transaction writes all of it, or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition<W: Workflow> {
    /// The new state.
    pub to: W::State,
    /// Moments to remember as "now", besides [`Anchor::ENTERED`], which the engine keeps itself.
    pub marks: Vec<Anchor>,
    /// Written with the state.
    pub effects: Vec<W::Effect>,
    /// Queued with the state, sent afterwards.
    pub notices: Vec<W::Notice>,
    /// Queued with the state, performed and answered afterwards.
    pub jobs: Vec<W::Job>,
    /// Put into other cases' inboxes with the state.
    pub signals: Vec<W::Signal>,
    /// A code from a fixed list that says why, for the history.
    pub reason: Option<Cow<'static, str>>,
}

impl<W: Workflow> Transition<W> {
    /// Moves to `state` with no consequence yet.
    pub fn to(state: W::State) -> Self {
        Self {
            to: state,
            marks: Vec::new(),
            effects: Vec::new(),
            notices: Vec::new(),
            jobs: Vec::new(),
            signals: Vec::new(),
            reason: None,
        }
    }

    /// Remembers this moment under a name, for deadlines that count from it.
    #[must_use]
    pub fn marking(mut self, anchor: Anchor) -> Self {
        self.marks.push(anchor);
        self
    }

    /// Adds a write.
    #[must_use]
    pub fn with(mut self, effect: W::Effect) -> Self {
        self.effects.push(effect);
        self
    }

    /// Adds a message.
    #[must_use]
    pub fn telling(mut self, notice: W::Notice) -> Self {
        self.notices.push(notice);
        self
    }

    /// Adds work.
    #[must_use]
    pub fn asking(mut self, job: W::Job) -> Self {
        self.jobs.push(job);
        self
    }

    /// Adds a signal to another case.
    #[must_use]
    pub fn signalling(mut self, signal: W::Signal) -> Self {
        self.signals.push(signal);
        self
    }

    /// Says why, by a code.
    #[must_use]
    pub fn because(mut self, reason: impl Into<Cow<'static, str>>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}

/// In whose name a signal is heard by the other case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// The sending case, as [`Role::PEER`]. Declined, the signal waits until it is taken or
    /// the other case is at rest.
    Case,
    /// Whoever sent the command that caused it, in the same role: as if that person had turned to
    /// the other case. Declined, it is a refused command there and is not asked again.
    Actor,
}

/// A moment that the engine keeps for a case, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Anchor(pub &'static str);

impl Anchor {
    /// When the present state was entered; a change of its data alone does not move it.
    pub const ENTERED: Self = Self("entered");
    /// When the case was opened.
    pub const OPENED: Self = Self("opened");
}

/// How long a case may stay, and what happens then.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Deadline<C> {
    /// Counted from this moment.
    pub anchor: Anchor,
    /// For so long.
    pub span: Span,
    /// Submitted by [`Role::CLOCK`].
    pub command: C,
}

impl<C> Deadline<C> {
    /// `command`, `span` after `anchor`.
    pub const fn after(anchor: Anchor, span: Span, command: C) -> Self {
        Self { anchor, span, command }
    }
}

/// A length of time as a rule states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// Elapsed time.
    Time(Duration),
    /// The same time of day so many business days later, by the engine's calendar.
    BusinessDays(u32),
}

impl Span {
    /// So many minutes.
    pub const fn minutes(count: u64) -> Self {
        Self::Time(Duration::from_secs(60 * count))
    }
    /// So many hours.
    pub const fn hours(count: u64) -> Self {
        Self::minutes(60 * count)
    }
    /// So many times 24 hours.
    pub const fn days(count: u64) -> Self {
        Self::hours(24 * count)
    }
}

/// Who asks, and what the host knows at this moment.
#[derive(Debug, Clone)]
pub struct Context<W: Workflow> {
    /// The authenticated party.
    pub actor: Actor<W::Role>,
    /// Looked up in the same transaction.
    pub facts: W::Facts,
}

/// An authenticated party in one role.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Actor<R> {
    /// The person (not the account: a person behind two accounts counts once).
    pub id: ActorId,
    /// The role under which the person acts now.
    pub role: R,
}

impl<R: Role> Actor<R> {
    /// A person in a role.
    pub fn new(id: impl Into<String>, role: R) -> Self {
        Self { id: ActorId(id.into()), role }
    }
    /// The engine's clock.
    pub fn clock() -> Self {
        Self::new("engine", R::CLOCK)
    }
    /// The engine's worker, answering a job.
    pub fn worker() -> Self {
        Self::new("engine", R::WORKER)
    }
    /// Another case.
    pub fn peer(case: CaseId) -> Self {
        Self::new(format!("case-{case}"), R::PEER)
    }
}

/// Identifies a person, or a part of the machinery, in every history.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ActorId(pub String);

impl Display for ActorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Identifies a case; positive, growing in the order of opening on one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CaseId(pub i64);

impl Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(&self.0, f)
    }
}

/// The name of a variant without its data, one level of nesting kept: `Tail(Waiting { .. })`
/// gives `Tail.Waiting`. Variants are never renamed once released, because stored cases hold them.
pub fn label(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    let outer: String = text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let inner: String = text
        .get(outer.len()..)
        .and_then(|rest| rest.strip_prefix('('))
        .filter(|rest| rest.starts_with(char::is_uppercase))
        .map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
        .unwrap_or_default();
    if inner.is_empty() { outer } else { format!("{outer}.{inner}") }
}

#[cfg(test)]
mod tests {
    use super::label;

    #[derive(Debug)]
    #[expect(dead_code, reason = "only its Debug form is of interest")]
    enum Sample {
        Plain,
        Data { round: u8 },
        Tail(Option<u8>),
    }

    #[test]
    fn labels_keep_one_level_of_nesting_and_no_data() {
        assert_eq!(label(&Sample::Plain), "Plain");
        assert_eq!(label(&Sample::Data { round: 3 }), "Data");
        assert_eq!(label(&Sample::Tail(Some(1))), "Tail.Some");
        assert_eq!(label(&7), "7");
    }
}
