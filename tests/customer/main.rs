//! What customers do, as stories over the whole application: one body, two databases.
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

/// What is special about the house of these stories: nothing is scanned in it.
fn fit(_: &mut saihakko::config::Config, _: &std::path::Path) -> std::path::PathBuf {
    std::env::current_exe().unwrap()
}

mod calendar;
mod cards;
mod correspondence;
mod enrolment;
mod expiry;
mod letters;
mod many;
mod overview;
mod parallel;
mod stop;
