//! Forms of which nobody knows yet whose they are: a clerk finds the contract, and the users whose
//! numbers could not be read.

use std::collections::BTreeMap;

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use minijinja::context;
use serde::Serialize;
use workflows::terms::Role;

use super::desk::Typed;
use super::intake::Line;
use super::{Shared, Signed};
use crate::customer::Declined;
use crate::intake::Contents;
use crate::policy::Room;
use crate::text::to_half_width;
use crate::web::customer::{Mistake, case_named, given, see};
use crate::web::error::Problem;

/// Where forms wait for a person to find out.
const WAITING: [&str; 3] = ["Unidentified", "Incomplete", "Escalated"];

pub(super) async fn list(
    State(shared): State<Shared>,
    signed: Signed,
) -> Result<Response, Problem> {
    signed.enter(Room::Matching)?;
    let found = shared.app.envelopes(&WAITING).await?;
    let lines: Vec<Line> = found.iter().map(|line| Line::of(&shared, &signed, line)).collect();
    let asked = |name| signed.visit.asked(name);
    let told = ["matched", "incomplete", "aside"].into_iter().find(|name| !asked(name).is_empty());
    let values = context! { lines => given(lines), told };
    shared.page(&signed, "staff/matching.html", values)
}

/// A user's row of the form.
#[derive(Serialize)]
struct Row {
    no: u8,
    user_id: String,
    is_known: bool,
}

pub(super) async fn show(
    State(shared): State<Shared>,
    signed: Signed,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    signed.enter(Room::Matching)?;
    page(&shared, &signed, &case, &Typed::new(), &[]).await
}

async fn page(
    shared: &Shared,
    signed: &Signed,
    case: &str,
    typed: &Typed,
    wrong: &[Mistake],
) -> Result<Response, Problem> {
    let case = case_named(case)?;
    let by = signed.member.acting_as_one_of(&[Role::Clerk, Role::Supervisor])?;
    let form = shared.app.loose_form(&by, case).await?;
    let contents = Contents::read(&form.row.reading).unwrap_or_default();
    let rows: Vec<Row> = contents
        .users
        .iter()
        .map(|user| Row {
            no: user.row,
            user_id: typed
                .get(&format!("user_{}", user.row))
                .cloned()
                .unwrap_or_else(|| user.user_id.clone()),
            is_known: user.user.is_some(),
        })
        .collect();
    let is_opened = form.state_name == "Opened";
    let unknown: Vec<&Row> = rows.iter().filter(|row| is_opened && !row.is_known).collect();
    let unknown = given(unknown);
    let values = context! {
        case => case.0,
        number => crate::intake::number_text(form.row.number),
        receipt => &form.row.receipt,
        state => &form.state_name,
        pages => form.pages,
        contract => typed.get("contract").unwrap_or(&contents.contract_number),
        seen => contents.pages_seen.len(),
        expected => contents.pages_expected,
        rows => given(rows),
        works => signed.member.roles.contains(&Role::Clerk),
        is_over => !WAITING.contains(&form.state_name.as_str()),
        unknown,
        is_no_form => form.state_name == "Unidentified" && contents.pages_seen.is_empty(),
    };
    shared.page_with(signed, "staff/match.html", wrong, values)
}

/// A page of such a form.
pub(super) async fn picture(
    State(shared): State<Shared>,
    signed: Signed,
    Path((case, place)): Path<(String, String)>,
) -> Result<Response, Problem> {
    signed.enter(Room::Matching)?;
    let by = signed.member.acting_as_one_of(&[Role::Clerk, Role::Supervisor])?;
    let place: usize = place.parse().map_err(|_| Problem::NotFound)?;
    let bytes = shared.app.loose_picture(&by, case_named(&case)?, place).await?;
    Ok(super::desk::image(bytes, "image/jpeg"))
}

/// Ten digits of the contract, nine of each user.
pub(super) async fn matched(
    State(shared): State<Shared>,
    signed: Signed,
    Path(case): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let by = signed.member.acting(Role::Clerk)?;
    if typed.get("do").is_some_and(|asked| asked == "aside") {
        shared.app.put_aside(&by, case_named(&case)?).await?;
        return Ok(see("/matching?aside=1"));
    }
    let digits = |text: &String| -> String {
        to_half_width(text).chars().filter(char::is_ascii_digit).collect()
    };
    let contract = typed.get("contract").map(digits).unwrap_or_default();
    let users: BTreeMap<u8, String> = typed
        .iter()
        .filter_map(|(name, text)| Some((name.strip_prefix("user_")?.parse().ok()?, digits(text))))
        .collect();
    let slip = |key: &str| {
        let text = shared.text(signed.visit.lang, &format!("matching.{key}"));
        [Mistake { field: "contract", text }]
    };
    if contract.len() != 10 {
        return page(&shared, &signed, &case, &typed, &slip("contract_slip")).await;
    }
    match shared.app.match_form(&by, case_named(&case)?, &contract, &users).await {
        Ok(true) => Ok(see("/matching?matched=1")),
        Ok(false) => Ok(see("/matching?incomplete=1")),
        Err(Declined::NotFound) => {
            page(&shared, &signed, &case, &typed, &slip("contract_unknown")).await
        }
        Err(Declined::Refused { code }) if code == "submission.PagesIncomplete" => {
            page(&shared, &signed, &case, &typed, &slip("no_form")).await
        }
        Err(Declined::Refused { code }) if code == "submission.NotNow" => {
            page(&shared, &signed, &case, &typed, &slip("pages_missing")).await
        }
        Err(other) => Err(other.into()),
    }
}
