//! Cases by a name, its reading, or any number.

use axum::extract::State;
use axum::response::Response;
use engine::Moment;
use minijinja::context;
use serde::Serialize;

use super::{Named, Shared, Signed, intake};
use crate::policy::Room;
use crate::store::search::{Found, SHOWN};
use crate::web::customer::given;
use crate::web::error::Problem;
use crate::web::when;

/// More than anybody types of a name.
const LONGEST: usize = 100;

#[derive(Serialize)]
struct Line {
    #[serde(flatten)]
    case: Named,
    changed: String,
}

pub(super) async fn show(
    State(shared): State<Shared>,
    signed: Signed,
) -> Result<Response, Problem> {
    signed.enter(Room::Search)?;
    let asked: String = signed.visit.asked("q").chars().take(LONGEST).collect();
    let found = shared.app.search(&asked).await?;
    let (texts, lang) = (shared.frame.pages.texts(), signed.visit.lang);
    let line = |found: &Found| Line {
        case: Named::of(&found.head, texts, lang),
        changed: when::short(Moment(found.changed_at)),
    };
    let lines: Vec<Line> = found.iter().map(line).collect();
    let envelope = shared.app.envelope_asked(&asked).await?;
    let leads = envelope.as_ref().map(|found| match found.state_name.as_str() {
        "Unidentified" | "Incomplete" | "Escalated" if signed.is_in(Room::Matching) => {
            format!("/matching/{}", found.case_id)
        }
        _ if signed.is_in(Room::Intake) => "/intake".to_owned(),
        _ => String::new(),
    });
    let envelope = envelope.map(|found| intake::Line::of(&shared, &signed, &found));
    let values = context! {
        asked,
        is_capped => lines.len() >= usize::try_from(SHOWN).unwrap_or(usize::MAX),
        lines => given(lines),
        envelope => given(envelope),
        leads,
        opens_histories => signed.is_in(Room::Audit),
    };
    shared.page(&signed, "staff/search.html", values)
}
