//! Keys and certificates: a root and an issuing authority, certificate requests, client and
//! server certificates, PKCS#12 bundles, revocation lists and the TLS configurations of the sites.
//!
//! The crate takes values and bytes and gives bytes back: it opens no file and no socket, knows no
//! user and no database, and reads no clock. Times are Unix seconds, serial numbers are made from
//! random octets of the caller's. Only key generation and ECDSA's own nonce take the operating
//! system's generator, because *ring* accepts no other.
//!
//! **A certificate identifies nobody by itself.** Showing it proves the possession of a key;
//! whether that key stands for anybody is judged by the caller at every request, by the exact
//! certificate ([`Fingerprint`]).

pub mod authority;
pub mod bundle;
pub mod certificate;
mod error;
mod key;
mod pem;
mod possession;
pub mod request;
pub mod revocation;
mod terms;
pub mod tls;

pub use authority::{Authority, Foundation, Root};
pub use bundle::{Alias, BundlePassword, Encryption, bundle};
pub use certificate::{
    Certificate, ClientSpecification, ServerName, ServerSpecification, Summary, summary,
};
pub use error::{Fault, Refusal};
pub use key::{PrivateKey, PublicKey};
pub use request::Request;
pub use revocation::{Reason, Revocation, RevocationList, SignedRevocationList};
pub use terms::{Fingerprint, RevocationUrl, Serial, Subject, Validity};
