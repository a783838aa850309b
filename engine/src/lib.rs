//! A durable state-machine engine.
//!
//! The default build is the pure half: the [`Workflow`] contract and its explorer. The feature
//! `durable` adds the half that keeps cases in SQLite or PostgreSQL. The engine knows nothing of
//! what its cases are about.

mod explore;
mod workflow;

pub use explore::{Graph, Step, Universe, explore};
pub use workflow::{
    Actor, ActorId, Anchor, CaseId, Context, Deadline, Role, Span, Transition, Workflow, label,
};
