//! The ways to a new certificate retrieval password, as pure state machines.
//!
//! Each module is one kind of case. Nothing here performs I/O, reads a clock or draws a random
//! number: the host supplies facts, the engine supplies time, and both carry out what is decided.

pub mod account;
pub mod clerical;
pub mod credential;
pub mod delegated;
pub mod enrolment;
pub mod expiry;
pub mod mask;
pub mod paper;
pub mod proposal;
mod reissue;
pub mod router;
pub mod self_service;
pub mod submission;
pub mod tail;
pub mod task;
pub mod terms;

/// The stored names of all workflows, in the order of the customer's way through them.
pub const WORKFLOWS: [&str; 12] = [
    credential::NAME,
    enrolment::NAME,
    self_service::NAME,
    delegated::NAME,
    submission::NAME,
    paper::NAME,
    clerical::NAME,
    task::NAME,
    expiry::NAME,
    proposal::NAME,
    account::NAME,
    mask::NAME,
];
