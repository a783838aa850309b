//! The operator's pages and the certificate site, over real cases and real TLS.

mod contrast;
mod operator;
mod serving;
mod tls;
mod world;
