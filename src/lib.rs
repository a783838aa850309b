//! Saihakko reissues certificate retrieval passwords: for oneself, for a colleague, or on paper.
//!
//! This crate is the application: it wires the pure [`workflows`], the durable [`engine`], the
//! [`forms`] and the [`pki`] to a database, to mail and to the web. `ARCHITECTURE.md` is the map.

pub mod app;
pub mod backoffice;
pub mod config;
pub mod correspondence;
pub mod customer;
pub mod dates;
pub mod fold;
pub mod holidays;
pub mod host;
pub mod identity;
pub mod import;
pub mod intake;
mod keeper;
pub mod letter;
pub mod mail;
pub mod notify;
pub mod policy;
pub mod prefill;
pub mod reader;
pub mod secret;
pub mod server;
pub mod socket;
pub mod staffing;
pub mod station;
pub mod store;
pub mod text;
pub mod web;

mod embedded {
    //! The files that the build gathered.
    include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
}
