//! Every workflow, walked completely, with no database in sight.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "the checks that several tests share stand outside the test functions"
)]

mod account;
mod clerical;
mod credential;
mod delegated;
mod documents;
mod enrolment;
mod expiry;
mod mask;
mod paper;
mod paths;
mod proposal;
mod router;
mod rules;
mod self_service;
mod stored;
mod submission;
mod tail;
mod task;
mod texts;
mod world;
