//! Dispatch: a batch is counted and numbered, then posted; letters are delivered or come back.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use engine::{CaseId, Moment};
use minijinja::context;
use serde::Serialize;
use workflows::terms::Role;

use super::desk::Typed;
use super::{Shared, Signed};
use crate::backoffice::dispatch::Mismatch;
use crate::customer::Declined;
use crate::policy::Room;
use crate::store::cases;
use crate::store::letters::LetterLine;
use crate::text::to_half_width;
use crate::web::customer::{Mistake, case_named, given, see};
use crate::web::error::Problem;
use crate::web::when;

/// What is told of a letter that was dealt with.
const TOLD: [&str; 3] = ["delivered", "back", "spoiled"];

#[derive(Serialize)]
struct Line {
    id: i64,
    number: String,
    company: String,
    name: String,
    postal_code: String,
    address: String,
    made: String,
    posted: String,
    tracking: String,
    is_printed: bool,
}

impl Line {
    fn of(line: &LetterLine, typed: &Typed) -> Self {
        let postal: String = line.postal_code.chars().take(3).collect();
        let rest: String = line.postal_code.chars().skip(3).collect();
        Self {
            id: line.case_id,
            number: when::case_number(line.case_id, Moment(line.opened_at)),
            company: line.company.clone(),
            name: line.name.clone(),
            postal_code: format!("{postal}-{rest}"),
            address: line.address.clone(),
            made: when::short(Moment(line.made_at)),
            is_printed: line.handed_at.is_some(),
            posted: line.posted_at.map(|at| when::short(Moment(at))).unwrap_or_default(),
            tracking: typed
                .get(&format!("tracking_{}", line.case_id))
                .cloned()
                .unwrap_or_else(|| line.tracking.clone()),
        }
    }
}

pub(super) async fn show(
    State(shared): State<Shared>,
    signed: Signed,
) -> Result<Response, Problem> {
    signed.enter(Room::Dispatch)?;
    page(&shared, &signed, &Typed::new(), &[]).await
}

async fn page(
    shared: &Shared,
    signed: &Signed,
    typed: &Typed,
    wrong: &[Mistake],
) -> Result<Response, Problem> {
    let (waiting, underway) = shared.app.letters().await?;
    let lines = |all: &[LetterLine]| -> Vec<Line> {
        all.iter().map(|line| Line::of(line, typed)).collect()
    };
    let values = context! {
        waiting => given(lines(&waiting)),
        underway => given(lines(&underway)),
        counted => typed.get("counted"),
        tracking => typed.get("tracking"),
        asks => typed.get("asks"),
        posted => signed.visit.asked("posted"),
        held => signed.visit.asked("held"),
        settled => TOLD.iter().copied().find(|told| *told == signed.visit.asked("as")),
        of => number_of(shared, signed.visit.asked("settled")).await?,
    };
    shared.page_with(signed, "staff/dispatch.html", wrong, values)
}

/// The number of a case as people know it.
async fn number_of(shared: &Shared, case: &str) -> Result<String, Problem> {
    let Ok(case) = case.parse::<i64>() else { return Ok(String::new()) };
    let mut tx = shared.app.tools.db.read().await?;
    let opened = cases::opened_at(&mut tx, case).await?;
    Ok(opened.map(|at| when::case_number(case, at)).unwrap_or_default())
}

/// A number without spaces and hyphens.
fn number(text: &str) -> String {
    to_half_width(text).chars().filter(|c| !c.is_whitespace() && *c != '-').collect()
}

/// The batch that was counted.
pub(super) async fn post(
    State(shared): State<Shared>,
    signed: Signed,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let by = signed.member.acting(Role::Dispatch)?;
    let numbers: Vec<(CaseId, String)> = typed
        .iter()
        .filter_map(|(name, value)| {
            let case = name.strip_prefix("tracking_")?.parse().ok()?;
            Some((CaseId(case), number(value)))
        })
        .filter(|(_, value)| !value.is_empty())
        .collect();
    let counted = typed.get("counted").map(|text| to_half_width(text));
    let counted: usize = counted.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    let mismatch = match shared.app.post_batch(&by, counted, &numbers).await? {
        Ok(done) => {
            let held = done.held.len();
            return Ok(see(&format!("/dispatch?posted={}&held={held}", done.posted)));
        }
        Err(mismatch) => mismatch,
    };
    let lang = signed.visit.lang;
    let number = match mismatch {
        Mismatch::Count { .. } => String::new(),
        Mismatch::Unprinted { case } | Mismatch::Number { case } | Mismatch::Twice { case } => {
            number_of(&shared, &case.to_string()).await?
        }
    };
    let named = |key: &str| shared.filled(lang, key, "n", &number);
    let (field, text) = match mismatch {
        Mismatch::Count { listed } => {
            ("counted", shared.filled(lang, "dispatch.count_differs", "n", &listed))
        }
        Mismatch::Unprinted { .. } => ("waiting", named("dispatch.unprinted_one")),
        Mismatch::Number { .. } => ("waiting", named("dispatch.number_wrong")),
        Mismatch::Twice { .. } => ("waiting", named("dispatch.number_twice")),
    };
    page(&shared, &signed, &typed, &[Mistake { field, text }]).await
}

/// A letter was delivered or came back, by its number.
pub(super) async fn settle(
    State(shared): State<Shared>,
    signed: Signed,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let by = signed.member.acting(Role::Dispatch)?;
    let tracking = number(typed.get("tracking").map_or("", String::as_str));
    let asked = typed.get("do").map_or("", String::as_str);
    let is_back = asked.starts_with("back");
    // What came back voids a password: whose it is, is looked at first.
    if asked == "back"
        && let Some(case) = shared.app.letter_numbered(&tracking).await?
    {
        let of = number_of(&shared, &case.to_string()).await?;
        let typed = Typed::from([("tracking".to_owned(), tracking), ("asks".to_owned(), of)]);
        return page(&shared, &signed, &typed, &[]).await;
    }
    match shared.app.settle_letter(&by, &tracking, is_back).await {
        Ok(case) => {
            let told = if is_back { "back" } else { "delivered" };
            Ok(see(&format!("/dispatch?settled={case}&as={told}")))
        }
        Err(Declined::NotFound) => {
            let text = shared.text(signed.visit.lang, "dispatch.unknown_number");
            page(&shared, &signed, &typed, &[Mistake { field: "tracking", text }]).await
        }
        Err(other) => Err(other.into()),
    }
}

/// A letter was spoiled before it was posted.
pub(super) async fn spoil(
    State(shared): State<Shared>,
    signed: Signed,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    let by = signed.member.acting(Role::Dispatch)?;
    let case = case_named(&case)?;
    shared.app.spoil_letter(&by, case).await?;
    Ok(see(&format!("/dispatch?settled={case}&as=spoiled")))
}
