//! What is served over HTTP: pages made on the server, one file an audience.
//!
//! [`serve`] owns sockets, [`page`] turns values into pages, [`error`] alone chooses status codes.
//! Nothing here decides what may be done; who may see what is asked of [`crate::policy`].

pub mod certificate_site;
pub mod customer;
pub mod diagram;
pub mod error;
pub mod face;
pub mod metrics;
pub mod page;
pub mod serve;
pub mod staff;
pub mod start;
pub mod story;
pub mod when;

mod assets;
mod export;
