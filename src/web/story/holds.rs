//! The legal holds of a case, for machines and for readers.

use engine::Moment;
use serde::Serialize;

use crate::policy::Matter;
use crate::store::cases::CaseFile;
use crate::store::holds::HoldRow;
use crate::web::start::Looker;
use crate::web::{export, when};

/// The names under which a history tells of holds.
pub(super) const NOTES: [&str; 2] = ["PlaceHold", "LiftHold"];

/// A legal hold on the case.
#[derive(Debug, Serialize)]
pub(super) struct Hold {
    reference: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    placed_at: String,
    lifted_at: Option<String>,
    /// The cases of the proposals by which it was placed and lifted.
    proposal: i64,
    lift_proposal: Option<i64>,
    /// For readers.
    #[serde(skip)]
    placed: String,
}

/// The holds of a case, as far as somebody may see them.
pub(super) fn of(looker: &Looker, file: &CaseFile) -> Vec<Hold> {
    let shows_reason = looker.may_see(Matter::Details);
    let hold = |row: &HoldRow| Hold {
        reference: row.reference.clone(),
        reason: shows_reason.then(|| row.reason.clone()),
        placed_at: export::moment(Moment(row.placed_at)),
        lifted_at: row.lifted_at.map(|at| export::moment(Moment(at))),
        proposal: row.proposal,
        lift_proposal: row.lift_proposal,
        placed: when::short(Moment(row.placed_at)),
    };
    file.holds.iter().map(hold).collect()
}

/// What a case is held for now.
pub(super) fn in_force(holds: &[Hold]) -> String {
    let live = holds.iter().filter(|hold| hold.lifted_at.is_none());
    live.map(|hold| hold.reference.as_str()).collect::<Vec<_>>().join("; ")
}

/// A hold on the page.
#[derive(Serialize)]
pub(super) struct Shown {
    reference: String,
    since: String,
    is_lifted: bool,
}

/// The same for the page.
pub(super) fn shown(holds: &[Hold]) -> Vec<Shown> {
    let one = |hold: &Hold| Shown {
        reference: hold.reference.clone(),
        since: hold.placed.clone(),
        is_lifted: hold.lifted_at.is_some(),
    };
    holds.iter().map(one).collect()
}
