//! A durable state-machine engine.
//!
//! The default build is the pure half: the [`Workflow`] contract and its explorer. The feature
//! `durable` adds the half that keeps cases in SQLite or PostgreSQL. The engine knows nothing of
//! what its cases are about.

mod explore;
mod workflow;

#[cfg(feature = "durable")]
mod advance;
#[cfg(feature = "bench")]
pub mod bench;
#[cfg(feature = "durable")]
pub mod calendar;
#[cfg(feature = "durable")]
pub mod case;
#[cfg(feature = "durable")]
mod checkpoint;
#[cfg(feature = "durable")]
mod clock;
#[cfg(feature = "bench")]
pub mod copies;
#[cfg(feature = "durable")]
mod db;
#[cfg(feature = "durable")]
mod desk;
#[cfg(feature = "durable")]
mod engine;
#[cfg(feature = "durable")]
mod error;
#[cfg(feature = "durable")]
pub mod history;
#[cfg(feature = "durable")]
mod host;
#[cfg(feature = "durable")]
mod inbox;
#[cfg(feature = "durable")]
mod loops;
#[cfg(feature = "durable")]
pub mod outbox;
#[cfg(feature = "durable")]
mod runner;
#[cfg(feature = "durable")]
pub mod schedule;
#[cfg(feature = "durable")]
pub mod stuck;
#[cfg(feature = "durable")]
mod submission;
#[cfg(feature = "durable")]
pub mod timers;
#[cfg(feature = "durable")]
pub mod verify;

pub use explore::{Graph, Step, Universe, explore};
pub use workflow::{
    Actor, ActorId, Anchor, CaseId, Context, Deadline, Role, Span, Speaker, Transition, Workflow,
    label,
};

#[cfg(feature = "durable")]
pub use self::{
    clock::{Clock, Entropy, Moment},
    db::{Connection, Db, Fuse, Kind, Tx},
    desk::Desk,
    engine::{Engine, Hand, Note, chain},
    error::Fault,
    host::{Addressed, Answer, Ask, Failure, Host, Parcel, Write},
    submission::{Origin, Outcome, Receipt, Submission, Target},
};
#[cfg(feature = "durable")]
pub(crate) use engine::Core;
