//! Secrets: keys, sealing, the retrieval password and the other credentials.
//!
//! Nothing in here can be displayed or serialized, and everything is wiped when dropped.

mod argon;
mod code;
mod credential;
mod digits;
mod keys;
mod password;
mod station;
mod ticket;

pub use code::{CodeFault, EnrolmentCode};
pub use credential::{HashCost, OneTimeCard, hash_password, verify_password};
pub use digits::{DigitsFault, RetrievalPassword};
pub(crate) use keys::private_text;
pub use keys::{Keys, SecretFault};
pub use password::{ChosenPassword, Unfit, one_form};
pub use station::{StationKey, StationPublicKey};
pub use ticket::{Ticket, Token};
