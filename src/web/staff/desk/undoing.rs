//! An approver sends a form back to the check, and says why.

use axum::extract::{Path, State};
use axum::response::Response;
use minijinja::context;

use super::{Mode, Typed, entered, view};
use crate::backoffice::OnDesk;
use crate::text::longest_number;
use crate::web::customer::Mistake;
use crate::web::error::Problem;
use crate::web::staff::filter::Filter;
use crate::web::staff::{Shared, Signed};

/// Characters of a reason: a few sentences.
const LONGEST: usize = 200;
/// So many digits in a row may be a password, which stands in no database.
const DIGITS: usize = 12;

/// The page on which the reason is written.
pub(in super::super) async fn ask_why(
    State(shared): State<Shared>,
    signed: Signed,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    let (case, mode, _) = entered(&shared, &signed, &case).await?;
    if mode != Mode::Approve {
        return Err(Problem::NotFound);
    }
    let desk = shared.app.read_desk(case).await?;
    page(&shared, &signed, &desk, &Typed::new(), &[])
}

pub(super) fn page(
    shared: &Shared,
    signed: &Signed,
    desk: &OnDesk,
    typed: &Typed,
    wrong: &[Mistake],
) -> Result<Response, Problem> {
    let values = context! {
        why => typed.get("why").map_or("", String::as_str),
        longest => LONGEST,
        within => Filter::asked(signed).within("approve"),
        ..view::values(shared, signed, desk, typed, Mode::Approve)?
    };
    // What was seen is what is sent back: a form that has moved on since is not.
    let values = match typed.get("version") {
        Some(version) => context! { version, ..values },
        None => values,
    };
    shared.page_with(signed, "staff/back.html", wrong, values)
}

/// The reason as it was typed, if it can be kept.
pub(super) fn remark(shared: &Shared, signed: &Signed, typed: &Typed) -> Result<String, Mistake> {
    // Browsers send two characters for the end of a line, and count one.
    let why = typed.get("why").map(|text| text.replace("\r\n", "\n")).unwrap_or_default();
    let why = why.trim();
    let key = if why.is_empty() {
        "missing"
    } else if why.chars().count() > LONGEST {
        "long"
    } else if longest_number(why) >= DIGITS {
        "digits"
    } else {
        return Ok(why.to_owned());
    };
    Err(Mistake { field: "why", text: shared.text(signed.visit.lang, &format!("back.{key}")) })
}
