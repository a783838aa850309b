//! Legal holds: which cases are held and for what, and what a supervisor proposes about them.

use axum::Form;
use axum::extract::State;
use axum::response::Response;
use engine::Moment;
use minijinja::context;
use serde::Serialize;
use workflows::proposal::Change;
use workflows::terms::Role;

use super::accounts::key_of;
use super::desk::Typed;
use super::{Shared, Signed, proposals};
use crate::policy::Room;
use crate::store::holds::{self, HoldLine};
use crate::text::to_half_width;
use crate::web::customer::{Mistake, given, see};
use crate::web::error::Problem;
use crate::web::{page, when};

/// Holds on the page.
const SHOWN: i64 = 200;

/// A hold in words.
#[derive(Serialize)]
struct Line {
    case: i64,
    number: String,
    kind: String,
    reference: String,
    reason: String,
    since: String,
    by: String,
    approved_by: String,
    proposal: i64,
    lifted: Option<String>,
    lift_proposal: Option<i64>,
}

/// The number of a case as people write it: `R8-000123`, or the digits alone.
fn number_of(text: &str) -> Option<i64> {
    let text = to_half_width(text);
    let digits = text.trim().rsplit(['-', 'ー', '−']).next().unwrap_or_default();
    let is_number = (1..=18).contains(&digits.len());
    if is_number { digits.parse().ok().filter(|number| *number > 0) } else { None }
}

pub(super) async fn show(
    State(shared): State<Shared>,
    signed: Signed,
) -> Result<Response, Problem> {
    signed.enter(Room::Holds)?;
    room(&shared, &signed, &Typed::new(), &[]).await
}

async fn room(
    shared: &Shared,
    signed: &Signed,
    typed: &Typed,
    wrong: &[Mistake],
) -> Result<Response, Problem> {
    let mut tx = shared.app.tools.db.read().await?;
    let all = holds::all(&mut tx, SHOWN).await?;
    drop(tx);
    let people: Vec<&str> = all
        .iter()
        .flat_map(|line| [line.hold.placed_by.as_str(), line.hold.approved_by.as_str()])
        .collect();
    let names = proposals::names(shared, &people).await?;
    let (texts, lang) = (shared.frame.pages.texts(), signed.visit.lang);
    let named = |person: &str| names.get(person).cloned().unwrap_or_default();
    let line = |line: &HoldLine| Line {
        case: line.hold.case_id,
        number: when::case_number(line.hold.case_id, Moment(line.opened_at)),
        kind: page::name(texts, lang, "workflow", "", &line.workflow),
        reference: line.hold.reference.clone(),
        reason: line.hold.reason.clone(),
        since: when::short(Moment(line.hold.placed_at)),
        by: named(&line.hold.placed_by),
        approved_by: named(&line.hold.approved_by),
        proposal: line.hold.proposal,
        lifted: line.hold.lifted_at.map(|at| when::short(Moment(at))),
        lift_proposal: line.hold.lift_proposal,
    };
    let lines: Vec<Line> = all.iter().map(line).collect();
    let case = typed.get("case").map_or_else(|| signed.visit.asked("case"), String::as_str);
    let values = context! {
        is_capped => lines.len() >= usize::try_from(SHOWN).unwrap_or_default(),
        lines => given(lines),
        proposals => given(proposals::lines(shared, signed, Room::Holds).await?),
        case,
        typed => given(typed.clone()),
        key => shared.app.nonce(),
        works => signed.member.roles.contains(&Role::Supervisor),
    };
    shared.page_with(signed, "staff/holds.html", wrong, values)
}

/// Proposes a hold, or the end of one.
pub(super) async fn propose(
    State(shared): State<Shared>,
    signed: Signed,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let by = signed.member.acting(Role::Supervisor)?;
    let key = key_of(&typed)?;
    let asked = |name: &str| typed.get(name).map(|text| text.trim().to_owned()).unwrap_or_default();
    let (reference, reason) = (asked("reference"), asked("reason"));
    let case = number_of(&asked("case"));
    let mut wrong = Vec::new();
    let mut demand = |holds: bool, field: &'static str, key: &str| {
        if !holds {
            let text = shared.text(signed.visit.lang, &format!("holds.{key}"));
            wrong.push(Mistake { field, text });
        }
    };
    let within = |text: &str, most: usize| {
        (1..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control)
    };
    demand(case.is_some(), "case", "case_slip");
    demand(within(&reference, 60), "reference", "reference_slip");
    demand(within(&reason, 200), "reason", "reason_slip");
    let Some(case) = case.filter(|_| wrong.is_empty()) else {
        return room(&shared, &signed, &typed, &wrong).await;
    };
    let change = match asked("matter").as_str() {
        "place_hold" => Change::PlaceHold { case, reference, reason },
        "lift_hold" => Change::LiftHold { case, reference, reason },
        _ => return Err(Problem::Unreadable),
    };
    match shared.app.propose(&by, change, None, &key).await {
        Ok(case) => Ok(see(&format!("/proposals/{case}"))),
        Err(why) => {
            let wrong = [proposals::declined(&shared, &signed, why, "hold")?];
            room(&shared, &signed, &typed, &wrong).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::number_of;

    #[test]
    fn a_case_is_named_as_people_write_it() {
        assert_eq!(number_of("R8-000123"), Some(123));
        assert_eq!(number_of(" Ｒ８－００００１２ "), Some(12));
        assert_eq!(number_of("7"), Some(7));
        for none in ["", "R8-", "R8-0", "x", "-1x", "9999999999999999999"] {
            assert_eq!(number_of(none), None, "{none}");
        }
    }
}
