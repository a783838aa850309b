//! The operator's pages and the certificate site, over real cases and real TLS.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what fails here is a failed test")]

mod contrast;
mod operator;
mod serving;
mod tls;
mod world;
