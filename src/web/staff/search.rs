//! Cases by a name, its reading, or any number.

use axum::extract::State;
use axum::response::Response;
use engine::Moment;
use minijinja::context;
use serde::Serialize;

use super::{Shared, Signed};
use crate::policy::Room;
use crate::store::search::{Found, SHOWN};
use crate::text::{Language, Texts};
use crate::web::customer::given;
use crate::web::error::Problem;
use crate::web::face::{self, Face};
use crate::web::{page, when};

/// More than anybody types of a name.
const LONGEST: usize = 100;

#[derive(Serialize)]
struct Line {
    id: i64,
    number: String,
    company: String,
    name: String,
    user_id: String,
    kind: String,
    state: String,
    face: Face,
    changed: String,
}

impl Line {
    fn of(found: &Found, texts: &Texts, lang: Language) -> Self {
        Self {
            id: found.id,
            number: when::case_number(found.id, Moment(found.opened_at)),
            company: found.company.clone(),
            name: found.name.clone(),
            user_id: found.user_id.clone(),
            kind: page::name(texts, lang, "workflow", "", &found.workflow),
            state: page::name(texts, lang, "state", &found.workflow, &found.state_name),
            face: face::of_state(&found.state_name),
            changed: when::short(Moment(found.changed_at)),
        }
    }
}

pub(super) async fn show(
    State(shared): State<Shared>,
    signed: Signed,
) -> Result<Response, Problem> {
    signed.enter(Room::Search)?;
    let asked: String = signed.visit.asked("q").chars().take(LONGEST).collect();
    let found = shared.app.search(&asked).await?;
    let (texts, lang) = (shared.frame.pages.texts(), signed.visit.lang);
    let lines: Vec<Line> = found.iter().map(|found| Line::of(found, texts, lang)).collect();
    let values = context! {
        asked,
        is_capped => lines.len() >= usize::try_from(SHOWN).unwrap_or(usize::MAX),
        lines => given(lines),
        opens_histories => signed.is_in(Room::Audit),
    };
    shared.page(&signed, "staff/search.html", values)
}
