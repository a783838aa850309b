//! One suite, two databases: every story runs on `SQLite` and on `PostgreSQL` through one body.
//!
//! `SAIHAKKO_TEST_POSTGRES` names a server on which databases may be created, such as the one that
//! `tests/postgres.sh start DIR` prints. Without it the stories are skipped there, which is a
//! failure when `CI` is `true`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly; a skipped story is said aloud"
)]

mod house;
mod sample;

mod atomic;
mod batches;
#[cfg(feature = "bench")]
mod bench;
mod inboxes;
mod life;
mod outboxes;
mod schedules;
mod submissions;
mod timers;
mod tough;
mod verification;
