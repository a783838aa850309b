//! The forms crate from outside: what is printed is read back, and other programs agree.

mod golden;
mod hostile;
mod outside;
mod roundtrip;
mod sample;
