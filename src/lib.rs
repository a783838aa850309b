//! Saihakko reissues certificate retrieval passwords: for oneself, for a colleague, or on paper.
//!
//! This crate is the application: it wires the pure [`workflows`], the durable [`engine`], the
//! [`forms`] and the [`pki`] to a database, to mail and to the web. `ARCHITECTURE.md` is the map.

pub mod config;
pub mod dates;
pub mod holidays;
pub mod policy;
pub mod secret;
pub mod store;
pub mod text;
pub mod web;
