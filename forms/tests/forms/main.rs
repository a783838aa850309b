//! The forms crate from outside: what is printed is read back, and other programs agree.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a test that finds something else than it expects shall fail there"
)]

mod carriers;
mod corrections;
mod golden;
mod hostile;
mod letters;
mod measured;
mod outside;
mod permit;
mod roundtrip;
mod sample;
mod seals;
