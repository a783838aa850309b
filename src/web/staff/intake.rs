//! The mail room: envelopes are registered, scans are taken in, and each file has its result.

use axum::Form;
use axum::extract::{Multipart, State};
use axum::response::{IntoResponse, Response};
use engine::Moment;
use minijinja::context;
use serde::Serialize;
use workflows::terms::Role;

use super::desk::Typed;
use super::{Shared, Signed};
use crate::backoffice::mailroom::FileResult;
use crate::customer::Declined;
use crate::policy::Room;
use crate::reader::LARGEST_FILE;
use crate::store::submissions::EnvelopeLine;
use crate::text::to_half_width;
use crate::web::customer::{Mistake, given, see};
use crate::web::error::Problem;
use crate::web::face::{self, Face};
use crate::web::{page, when};

/// How envelopes come; stored as these words, which the notices repeat.
const CARRIERS: [&str; 4] = ["普通郵便", "簡易書留", "窓口", "宅配便"];
/// Steps at which the mail room still has something to do, or waits for the reading.
const OPEN: [&str; 4] = ["Received", "Scanned", "Incomplete", "Unidentified"];
/// Files that are taken in at once.
const MOST_FILES: usize = 100;

/// An envelope of the list.
#[derive(Serialize)]
pub(super) struct Line {
    pub(super) case: i64,
    number: String,
    receipt: String,
    carrier: String,
    counted: i64,
    scanned: i64,
    state: String,
    face: Face,
    company: String,
    at: String,
}

impl Line {
    pub(super) fn of(shared: &Shared, signed: &Signed, line: &EnvelopeLine) -> Self {
        let (texts, lang) = (shared.frame.pages.texts(), signed.visit.lang);
        Self {
            case: line.case_id,
            number: crate::intake::number_text(line.number),
            receipt: line.receipt.clone(),
            carrier: line.carrier.clone(),
            counted: line.counted,
            scanned: line.scanned,
            state: page::name(texts, lang, "state", "submission", &line.state_name),
            face: face::of_state(&line.state_name),
            company: line.company.clone(),
            at: when::short(Moment(line.changed_at)),
        }
    }
}

pub(super) async fn show(
    State(shared): State<Shared>,
    signed: Signed,
) -> Result<Response, Problem> {
    signed.enter(Room::Intake)?;
    room(&shared, &signed, &Typed::new(), &[], &[]).await
}

async fn room(
    shared: &Shared,
    signed: &Signed,
    typed: &Typed,
    wrong: &[Mistake],
    results: &[FileResult],
) -> Result<Response, Problem> {
    let found = shared.app.envelopes(&OPEN).await?;
    let lines: Vec<Line> = found.iter().map(|line| Line::of(shared, signed, line)).collect();
    let values = context! {
        lines => given(lines),
        carriers => CARRIERS,
        typed => given(typed.clone()),
        results => given(results.to_vec()),
        registered => signed.visit.asked("registered"),
        works => signed.member.roles.contains(&Role::MailRoom),
    };
    shared.page_with(signed, "staff/intake.html", wrong, values)
}

/// The number on a form: twelve digits, and the check digit where the reader types it too.
fn form_number(text: &str) -> String {
    let digits: String = to_half_width(text).chars().filter(char::is_ascii_digit).collect();
    digits.chars().take(12).collect()
}

/// An envelope has come: its form's number, how it came, how many pages were counted.
pub(super) async fn register(
    State(shared): State<Shared>,
    signed: Signed,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let by = signed.member.acting(Role::MailRoom)?;
    let asked = |name: &str| typed.get(name).map(|text| text.trim().to_owned()).unwrap_or_default();
    let carrier = asked("carrier");
    let pages: u16 = to_half_width(&asked("pages")).parse().unwrap_or(0);
    let mut wrong = Vec::new();
    let mut miss = |field: &'static str, key: &str| {
        let text = shared.text(signed.visit.lang, &format!("intake.{key}"));
        wrong.push(Mistake { field, text });
    };
    let number = form_number(&asked("number")).parse().ok();
    if number.is_none() {
        miss("number", "number_slip");
    }
    if !CARRIERS.contains(&carrier.as_str()) {
        miss("carrier", "carrier_slip");
    }
    if pages == 0 || pages > 50 {
        miss("pages", "pages_slip");
    }
    if let (Some(number), true) = (number, wrong.is_empty()) {
        match shared.app.receive(&by, number, &carrier, pages).await {
            Ok(_) => return Ok(see(&format!("/intake?registered={number}"))),
            Err(Declined::NotFound) => {
                let text = shared.text(signed.visit.lang, "intake.unknown_number");
                wrong.push(Mistake { field: "number", text });
            }
            Err(other) => return Err(other.into()),
        }
    }
    room(&shared, &signed, &typed, &wrong, &[]).await
}

/// Scans, as many as there are: each is read by itself, and one that fails stops no other.
pub(super) async fn upload(
    State(shared): State<Shared>,
    signed: Signed,
    mut multipart: Multipart,
) -> Result<Response, Problem> {
    let by = signed.member.acting(Role::MailRoom)?;
    let mut results = Vec::new();
    loop {
        let field = multipart.next_field().await.map_err(|_| Problem::Unreadable)?;
        let Some(field) = field else { break };
        let name = field.file_name().unwrap_or_default().chars().take(80).collect::<String>();
        let bytes = field.bytes().await.map_err(|_| Problem::TooLarge)?;
        if bytes.is_empty() || results.len() >= MOST_FILES {
            continue;
        }
        if bytes.len() > LARGEST_FILE {
            results.push(FileResult { name, is_broken: true, ..FileResult::default() });
            continue;
        }
        results.push(shared.app.take_in(&by, &name, &bytes).await?);
    }
    let wrong = if results.is_empty() {
        let text = shared.text(signed.visit.lang, "intake.no_file");
        vec![Mistake { field: "files", text }]
    } else {
        Vec::new()
    };
    if signed.visit.wants_json {
        return Ok(axum::Json(serde_json::json!({ "files": results })).into_response());
    }
    room(&shared, &signed, &Typed::new(), &wrong, &results).await
}
