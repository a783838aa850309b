//! What nobody shall see on a page: laid over the picture, asked for, allowed, looked at.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use engine::{CaseId, Moment};
use minijinja::context;
use serde::Serialize;
use workflows::mask::{Area, State as Standing, WHOLE, Wish};
use workflows::terms::Role;

use super::desk::{Typed, image};
use super::proposals::{names, viewers};
use super::{Shared, Signed};
use crate::backoffice::masks::{MaskedPage, command_named};
use crate::customer::Declined;
use crate::policy::Room;
use crate::store::masks::{MaskLine, MaskRow};
use crate::text::to_half_width;
use crate::web::customer::{Mistake, case_named, given, see};
use crate::web::error::Problem;
use crate::web::face::{self, Face};
use crate::web::{page as pages, when};

/// Roles in which pages are looked at and masks laid.
const ROLES: [Role; 3] = [Role::Clerk, Role::Approver, Role::Supervisor];
/// The sides of an area, in the order of its fields.
const SIDES: [&str; 4] = ["x", "y", "w", "h"];

/// A mask in a list.
#[derive(Serialize)]
struct Line {
    id: i64,
    number: String,
    by: String,
    at: String,
    state: String,
    face: Face,
}

impl Line {
    fn of(shared: &Shared, signed: &Signed, line: &MaskLine, by: Option<&String>) -> Self {
        let (texts, lang) = (shared.frame.pages.texts(), signed.visit.lang);
        Self {
            id: line.case_id,
            number: when::case_number(line.case_id, Moment(line.opened_at)),
            by: by.cloned().unwrap_or_default(),
            at: when::short(Moment(line.opened_at)),
            state: pages::name(texts, lang, "state", "mask", &line.state_name),
            face: face::of_state(&line.state_name),
        }
    }
}

/// Every mask, those that wait for a decision first.
pub(super) async fn list(
    State(shared): State<Shared>,
    signed: Signed,
) -> Result<Response, Problem> {
    signed.enter(Room::Desk)?;
    let found = shared.app.masks().await?;
    let people: Vec<&str> = found.iter().map(|line| line.laid_by.as_str()).collect();
    let names = names(&shared, &people).await?;
    let line = |line: &MaskLine| Line::of(&shared, &signed, line, names.get(&line.laid_by));
    let lines: Vec<Line> = found.iter().map(line).collect();
    shared.page(&signed, "staff/masks.html", context! { lines => given(lines) })
}

/// A side of an area as people write it: percent, with one decimal.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 10,000")]
fn parts(percent: &str) -> Option<u16> {
    let value: f64 = to_half_width(percent.trim()).parse().ok()?;
    (0.0..=100.0).contains(&value).then(|| (value * f64::from(WHOLE) / 100.0).round() as u16)
}

fn percent(parts: i64) -> String {
    format!("{}.{}", parts / 100, parts / 10 % 10)
}

fn area(typed: &Typed) -> Option<Area> {
    let side = |name: &str| typed.get(name).and_then(|text| parts(text));
    Some(Area { x: side("x")?, y: side("y")?, w: side("w")?, h: side("h")? })
}

/// A mask that lies on the page which is looked at.
#[derive(Serialize)]
struct Laid {
    id: i64,
    place: [String; 4],
    state: String,
    face: Face,
}

fn sides(row: &MaskRow) -> [String; 4] {
    [row.x, row.y, row.w, row.h].map(percent)
}

async fn found(
    shared: &Shared,
    signed: &Signed,
    case: CaseId,
    place: &str,
) -> Result<(usize, MaskedPage), Problem> {
    let place: usize = place.parse().map_err(|_| Problem::NotFound)?;
    let by = signed.member.acting_as_one_of(&ROLES)?;
    let page = shared.app.masked_page(&by, case, place).await?;
    signed.enter(if page.is_loose { Room::Matching } else { Room::Desk })?;
    Ok((place, page))
}

/// The picture of the page, to draw on.
pub(super) async fn page(
    State(shared): State<Shared>,
    signed: Signed,
    Path((case, place)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let case = case_named(&case)?;
    let (place, page) = found(&shared, &signed, case, &place).await?;
    drawn(&shared, &signed, case, place, &page, &signed.visit.query, &[])
}

fn drawn(
    shared: &Shared,
    signed: &Signed,
    case: CaseId,
    place: usize,
    page: &MaskedPage,
    typed: &Typed,
    wrong: &[Mistake],
) -> Result<Response, Problem> {
    let (texts, lang) = (shared.frame.pages.texts(), signed.visit.lang);
    let room = if page.is_loose { "matching" } else { "desk" };
    let laid = |(row, state): &(MaskRow, Standing)| {
        let label = engine::label(state);
        Laid {
            id: row.case_id,
            place: sides(row),
            state: pages::name(texts, lang, "state", "mask", &label),
            face: face::of_state(&label),
        }
    };
    let frame = area(typed).map(|area| [area.x, area.y, area.w, area.h]);
    let fields: Vec<(&str, &str)> = SIDES
        .into_iter()
        .zip(["10", "10", "30", "10"])
        .map(|(name, usual)| (name, typed.get(name).map_or(usual, String::as_str)))
        .collect();
    let values = context! {
        case => case.0,
        place,
        room,
        is_loose => page.is_loose,
        picture => format!("/{room}/{case}/page/{place}"),
        fields => given(fields),
        frame => given(frame),
        key => shared.app.nonce(),
        laid => given(page.masks.iter().map(laid).collect::<Vec<_>>()),
        done => signed.visit.asked("done"),
    };
    shared.page_with(signed, "staff/mask_page.html", wrong, values)
}

/// Hides a part of the page.
pub(super) async fn lay(
    State(shared): State<Shared>,
    signed: Signed,
    Path((case, place)): Path<(String, String)>,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let case = case_named(&case)?;
    let (place, page) = found(&shared, &signed, case, &place).await?;
    let slip = |text: String| [Mistake { field: "x", text }];
    let lang = signed.visit.lang;
    let Some(area) = area(&typed) else {
        let wrong = slip(shared.text(lang, "mask.slip"));
        return drawn(&shared, &signed, case, place, &page, &typed, &wrong);
    };
    let by = signed.member.acting_as_one_of(&ROLES)?;
    let key = typed.get("key").map(String::as_str).unwrap_or_default();
    let key: String = key.chars().filter(char::is_ascii_hexdigit).take(32).collect();
    if key.is_empty() {
        return Err(Problem::Unreadable);
    }
    match shared.app.lay_mask(&by, case, place, area, &key).await {
        Ok(mask) => Ok(see(&format!("/masks/{case}/{place}?done={mask}"))),
        Err(Declined::Refused { code }) if code == "mask.NoArea" => {
            let wrong = slip(super::desk::refusal(&shared, &signed, &code));
            drawn(&shared, &signed, case, place, &page, &typed, &wrong)
        }
        Err(other) => Err(other.into()),
    }
}

/// One mask: where it stands, and what a rule would accept.
pub(super) async fn show(
    State(shared): State<Shared>,
    signed: Signed,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    signed.enter(Room::Desk)?;
    let case = case_named(&case)?;
    let mask = shared.app.mask(case, &viewers(&signed)).await?;
    let (asker, wish) = match &mask.state {
        Standing::Asked { wish, by } => (by.0.as_str(), Some(*wish)),
        _ => ("", None),
    };
    let names = names(&shared, &[mask.row.laid_by.as_str(), asker]).await?;
    let (texts, lang) = (shared.frame.pages.texts(), signed.visit.lang);
    let label = engine::label(&mask.state);
    let values = context! {
        case => case.0,
        number => when::case_number(case.0, mask.at),
        place => given(sides(&mask.row)),
        by => names.get(&mask.row.laid_by),
        at => when::long(mask.at, lang),
        state => pages::name(texts, lang, "state", "mask", &label),
        face => given(face::of_state(&label)),
        asker => names.get(asker),
        wish => wish.map(|wish| if wish == Wish::See { "see" } else { "lift" }),
        is_shown => matches!(mask.state, Standing::Shown { .. }),
        minutes => shared.app.tools.rules.mask_shown_minutes,
        buttons => mask.open_to,
        done => signed.visit.asked("done"),
        opens_history => signed.is_in(Room::Audit),
    };
    shared.page(&signed, "staff/mask.html", values)
}

/// Asks, allows, refuses, takes back.
pub(super) async fn act(
    State(shared): State<Shared>,
    signed: Signed,
    Path(case): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    signed.enter(Room::Desk)?;
    let case = case_named(&case)?;
    let name = typed.get("do").map(String::as_str).unwrap_or_default();
    // A look is asked for where the picture is served.
    let command = command_named(name).filter(|_| name != "see").ok_or(Problem::Unreadable)?;
    shared.app.with_mask(case, command, &viewers(&signed)).await?;
    Ok(see(&format!("/mask/{case}?done=1")))
}

/// The page without this mask; each look is an entry of its history.
pub(super) async fn original(
    State(shared): State<Shared>,
    signed: Signed,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    signed.enter(Room::Desk)?;
    let bytes = shared.app.under_mask(case_named(&case)?, &viewers(&signed)).await?;
    Ok(image(bytes, "image/jpeg"))
}

#[cfg(test)]
mod tests {
    use super::{parts, percent};

    #[test]
    fn percent_are_read_as_people_write_them() {
        for (text, read) in [
            ("10", Some(1_000)),
            (" １２．５ ", Some(1_250)),
            ("0", Some(0)),
            ("100", Some(10_000)),
            ("100.1", None),
            ("-1", None),
            ("NaN", None),
            ("", None),
        ] {
            assert_eq!(parts(text), read, "{text}");
        }
        assert_eq!([0, 1_250, 10_000].map(percent), ["0.0", "12.5", "100.0"]);
    }
}
