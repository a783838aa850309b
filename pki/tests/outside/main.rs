//! What the crate makes, judged by other programs: OpenSSL, NSS and curl.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests fail loudly; a skipped check is said aloud"
)]

mod bundles;
mod handshakes;
mod issuing;
mod requests;
mod revocations;
mod terms;
mod workbench;
