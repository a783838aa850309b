//! The mail room: envelopes are registered, scans are taken in, and each file has its result.

use axum::Form;
use axum::extract::{Multipart, State};
use axum::response::{IntoResponse, Response};
use engine::Moment;
use forms::SubmissionNumber;
use minijinja::context;
use serde::Serialize;
use workflows::terms::Role;

use super::desk::Typed;
use super::{Shared, Signed};
use crate::backoffice::mailroom::{FileResult, Placed, Tally};
use crate::customer::Declined;
use crate::policy::Room;
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

/// A file with where its pages lie.
#[derive(Serialize)]
struct FileLine {
    id: i64,
    name: String,
    device: String,
    at: String,
    pages: usize,
    state: &'static str,
    reason: String,
    is_readable: bool,
    is_aside: bool,
    placed: Vec<PlaceLine>,
}

/// Pages of a file that lie in one place.
#[derive(Serialize)]
struct PlaceLine {
    /// What is said of them: what comes next, else where they lie.
    key: String,
    tint: &'static str,
    icon: &'static str,
    number: String,
    which: String,
    pages: usize,
}

impl From<&FileResult> for FileLine {
    fn from(file: &FileResult) -> Self {
        Self {
            id: file.id,
            name: file.name.clone(),
            device: file.device.clone(),
            at: when::short(Moment(file.came_at)),
            pages: file.pages,
            state: file.state,
            reason: file.reason.clone(),
            is_readable: file.is_readable,
            is_aside: file.is_aside,
            placed: file.placed.iter().map(PlaceLine::from).collect(),
        }
    }
}

impl From<&Placed> for PlaceLine {
    fn from(placed: &Placed) -> Self {
        let key = match (placed.place.as_str(), placed.what.as_str()) {
            ("case" | "duplicate", what) if !what.is_empty() => format!("what_{what}"),
            // Counted and being read with the rest of its envelope.
            (place, _) => format!("place_{place}"),
        };
        let (tint, icon) = match key.as_str() {
            "what_read" => ("ok", "check"),
            "what_counting" | "what_adding" | "what_again" => ("info", "clock"),
            "place_blank" | "place_cover" => ("plain", "doc"),
            "place_lost" => ("err", "alert"),
            _ => ("warn", "alert"),
        };
        Self {
            key,
            tint,
            icon,
            number: placed.number.clone(),
            which: placed.which.clone(),
            pages: placed.pages,
        }
    }
}

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
            // What a scanner brought unannounced.
            carrier: match line.carrier.as_str() {
                "scan" => shared.text(lang, "intake.by_scan"),
                carrier => shared.carrier(lang, carrier),
            },
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

/// The page; `results` are the files that were just chosen.
async fn room(
    shared: &Shared,
    signed: &Signed,
    typed: &Typed,
    wrong: &[Mistake],
    results: &[FileResult],
) -> Result<Response, Problem> {
    let found = shared.app.envelopes(&OPEN).await?;
    let lines: Vec<Line> = found.iter().map(|line| Line::of(shared, signed, line)).collect();
    let shown = |files: &[FileResult]| files.iter().map(FileLine::from).collect::<Vec<_>>();
    let files = shared.app.files().await?;
    let readable = files.iter().filter(|file| file.is_readable).count();
    let values = context! {
        lines => given(lines),
        carriers => CARRIERS.map(|one| (one, shared.carrier(signed.visit.lang, one))).to_vec(),
        typed => given(typed.clone()),
        results => given(shown(results)),
        files => given(shown(&files)),
        tally => given(Tally::of(&files)),
        readable,
        folder => shared.app.tools.config.intake.folder.display().to_string(),
        again => signed.visit.asked("again"),
        aside => signed.visit.asked("aside"),
        registered => signed.visit.asked("registered"),
        mended => signed.visit.asked("mended"),
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
    let written = form_number(&asked("number"));
    let number: Option<SubmissionNumber> = written.parse().ok();
    if number.is_none() {
        miss("number", if written.len() == 12 { "number_misread" } else { "number_slip" });
    }
    if !CARRIERS.contains(&carrier.as_str()) {
        miss("carrier", "carrier_slip");
    }
    if pages == 0 || pages > 50 {
        miss("pages", "pages_slip");
    }
    if let (Some(number), true) = (number, wrong.is_empty()) {
        let stands = shared.app.envelope(number).await?;
        let state = stands.as_ref().map(|line| line.state_name.as_str()).unwrap_or_default();
        // Scanned or further on: what was counted then was right, or the pages tell by themselves.
        if !matches!(state, "" | "Draft" | "Received") {
            let texts = shared.frame.pages.texts();
            let state = page::name(texts, signed.visit.lang, "state", "submission", state);
            let text = shared.text(signed.visit.lang, "intake.already").replace("{state}", &state);
            let wrong = [Mistake { field: "number", text }];
            return room(&shared, &signed, &typed, &wrong, &[]).await;
        }
        let told = if state == "Received" { "mended" } else { "registered" };
        match shared.app.receive(&by, number, &carrier, pages).await {
            Ok(_) => return Ok(see(&format!("/intake?{told}={number}"))),
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
    let (mut results, mut empty) = (Vec::new(), Vec::new());
    loop {
        let field = multipart.next_field().await.map_err(|_| Problem::Unreadable)?;
        let Some(field) = field else { break };
        let name = field.file_name().unwrap_or_default().chars().take(80).collect::<String>();
        let bytes = field.bytes().await.map_err(|_| Problem::TooLarge)?;
        if bytes.is_empty() {
            // A browser sends a nameless one where nothing was chosen.
            empty.extend((!name.is_empty()).then_some(name));
            continue;
        }
        if results.len() >= MOST_FILES {
            continue;
        }
        results.push(shared.app.take_in(&by, &signed.member.account.login, &name, &bytes).await?);
    }
    let wrong = if !empty.is_empty() {
        let text = shared.text(signed.visit.lang, "intake.empty_file");
        vec![Mistake { field: "files", text: text.replace("{names}", &empty.join(", ")) }]
    } else if results.is_empty() {
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

/// Reads what failed once more: one file, or all of them; or gives one up.
pub(super) async fn files(
    State(shared): State<Shared>,
    signed: Signed,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    signed.member.acting(Role::MailRoom)?;
    let (act, id) = typed
        .get("do")
        .map(|asked| asked.split_once('-').unwrap_or((asked, "")))
        .ok_or(Problem::Unreadable)?;
    let only =
        if id.is_empty() { None } else { Some(id.parse().map_err(|_| Problem::Unreadable)?) };
    match (act, only) {
        ("again", only) => {
            let count = shared.app.read_files_again(only).await?;
            Ok(see(&format!("/intake?again={count}#files-title")))
        }
        ("aside", Some(id)) => {
            shared.app.set_file_aside(&signed.member.account.login, id).await?;
            Ok(see("/intake?aside=1#files-title"))
        }
        _ => Err(Problem::Unreadable),
    }
}
