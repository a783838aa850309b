//! The words that the workflows share: roles, rules, facts, consequences and refusals.

mod consequence;
mod facts;
mod refusal;
mod role;
mod rules;
mod signal;
mod value;

pub use consequence::{Effect, Job, Notice, Revocation, TaskKind, VoidReason};
pub use facts::Facts;
pub use refusal::Refusal;
pub use role::Role;
pub use rules::Rules;
pub(crate) use rules::{days, minutes};
pub use signal::{Addressed, Signal};
pub use value::{Channel, DefectCode, KeyOrigin, Neighbour, Reason, SubmissionRef, UserRef};

use engine::Anchor;

/// The password became live; its validity and the display window count from here.
pub const ISSUED: Anchor = Anchor("issued");
/// The letter left the house.
pub const DISPATCHED: Anchor = Anchor("dispatched");
/// The certificate was made; refetch window and first login count from here.
pub const CERTIFIED: Anchor = Anchor("certified");
/// The first of a row of wrong login entries.
pub const FIRST_WRONG: Anchor = Anchor("first_wrong");
/// The latest attempt was charged and is not settled yet.
pub const CHARGED: Anchor = Anchor("charged");
/// The holder was told that the certificate expires.
pub const TOLD: Anchor = Anchor("told");

/// Every anchor besides the engine's own, for the host's table of names.
pub const ANCHORS: [Anchor; 6] = [ISSUED, DISPATCHED, CERTIFIED, FIRST_WRONG, CHARGED, TOLD];
