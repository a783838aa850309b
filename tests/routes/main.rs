//! The customers' pages asked directly: who gets what, what stays the same for everybody, and what
//! no request may do. The application, its database and the sample ledger are real.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails here is a failed test"
)]

mod accounts;
mod answer;
mod desk;
mod errands;
mod findings;
mod guards;
mod headers;
mod help;
mod holds;
mod house;
mod idp;
mod ledger;
mod masks;
mod office;
mod paper;
mod provider;
mod queues;
mod reuse;
mod sameness;
mod table;
