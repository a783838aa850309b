//! The sign-ins of staff for auditors: right, wrong, locked, left, by whom, from where, with which
//! means.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use chrono::{Days, NaiveDate, TimeZone};
use engine::Moment;
use minijinja::context;
use serde::Serialize;
use workflows::account;

use super::{Shared, Signed, proposals};
use crate::dates::JAPAN;
use crate::policy::Room;
use crate::store::sign_ins::{self, SignInLine, Wanted};
use crate::store::staff;
use crate::web::customer::given;
use crate::web::error::Problem;
use crate::web::export::defused;
use crate::web::{page, when};

/// Lines on the page, and in a file.
const SHOWN: i64 = 200;
const EXPORTED: i64 = 50_000;

/// A sign-in in words.
#[derive(Serialize)]
struct Line {
    case: i64,
    at: String,
    iso: String,
    login: String,
    name: String,
    what: &'static str,
    text: String,
    tint: &'static str,
    icon: &'static str,
    why: String,
    means: String,
    place: String,
}

/// What an entry means to a reader: a word, its tint and its icon.
fn meaning(line: &SignInLine) -> (&'static str, &'static str, &'static str) {
    match (line.kind.as_str(), line.command.as_str(), line.outcome.as_str()) {
        ("refused", _, "Locked") => ("locked", "err", "lock"),
        ("refused", ..) => ("refused", "err", "cross"),
        (_, "Redeem" | "Enter", _) => ("right", "ok", "check"),
        (_, "Miss" | "Settle", _) => ("wrong", "warn", "alert"),
        (_, "Leave", _) => ("left", "plain", "out"),
        _ => ("kept", "info", "gear"),
    }
}

/// What is wanted, as the address says.
struct Asked {
    login: String,
    day: String,
    wanted: Wanted,
}

fn asked(signed: &Signed) -> Asked {
    let login = signed.visit.asked("login").trim().to_owned();
    let day: Option<NaiveDate> = signed.visit.asked("day").parse().ok();
    let moment = |day: NaiveDate| {
        let start = JAPAN.from_local_datetime(&day.and_time(chrono::NaiveTime::MIN)).single();
        start.map_or(0, |at| at.timestamp_micros())
    };
    let (from, until) = match day {
        None => (0, i64::MAX),
        Some(day) => (moment(day), day.checked_add_days(Days::new(1)).map_or(i64::MAX, moment)),
    };
    let subject = match login.as_str() {
        "" => String::new(),
        "-" => account::subject(""),
        login => account::subject(login),
    };
    Asked {
        login,
        day: day.map(|day| day.to_string()).unwrap_or_default(),
        wanted: Wanted { subject, from, until },
    }
}

async fn lines(
    shared: &Shared,
    signed: &Signed,
    wanted: &Wanted,
    size: i64,
) -> Result<Vec<Line>, Problem> {
    let mut tx = shared.app.tools.db.read().await?;
    let found = sign_ins::list(&mut tx, wanted, size).await?;
    drop(tx);
    let mut people: Vec<&str> = found.iter().map(|line| line.actor.as_str()).collect();
    people.sort_unstable();
    people.dedup();
    let names = proposals::names(shared, &people).await?;
    let (texts, lang) = (shared.frame.pages.texts(), signed.visit.lang);
    Ok(found
        .iter()
        .map(|line| {
            let (what, tint, icon) = meaning(line);
            let is_kept = what == "kept";
            Line {
                case: line.case_id,
                at: when::short(Moment(line.at)),
                iso: when::iso(Moment(line.at)),
                login: line.subject.strip_prefix("account-").unwrap_or_default().to_owned(),
                name: names.get(&line.actor).cloned().unwrap_or_default(),
                what,
                text: if is_kept {
                    page::name(texts, lang, "command", account::NAME, &line.command)
                } else {
                    shared.text(lang, &format!("sign_ins.{what}"))
                },
                tint,
                icon,
                why: if line.kind == "refused" {
                    page::name(texts, lang, "refusal", account::NAME, &line.outcome)
                } else {
                    String::new()
                },
                means: page::proofs(texts, lang, &line.auth),
                place: line.place.clone(),
            }
        })
        .collect())
}

pub(super) async fn show(
    State(shared): State<Shared>,
    signed: Signed,
) -> Result<Response, Problem> {
    signed.enter(Room::SignIns)?;
    let asked = asked(&signed);
    let found = lines(&shared, &signed, &asked.wanted, SHOWN).await?;
    let mut tx = shared.app.tools.db.read().await?;
    let logins: Vec<String> = staff::all(&mut tx).await?.into_iter().map(|row| row.login).collect();
    drop(tx);
    let file = page::address(
        "/sign-ins.csv",
        &[("login", &asked.login), ("day", &asked.day)]
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .collect(),
    );
    let values = context! {
        is_capped => found.len() >= usize::try_from(SHOWN).unwrap_or_default(),
        lines => given(found),
        logins,
        login => asked.login,
        day => asked.day,
        file,
    };
    shared.page(&signed, "staff/sign_ins.html", values)
}

/// The same as a file; whatever a spreadsheet would take for a formula is text.
pub(super) async fn csv(State(shared): State<Shared>, signed: Signed) -> Result<Response, Problem> {
    signed.enter(Room::SignIns)?;
    let asked = asked(&signed);
    let found = lines(&shared, &signed, &asked.wanted, EXPORTED).await?;
    let unwritable = |source: csv::Error| Problem::Unwritable { source: source.into() };
    let mut writer = csv::Writer::from_writer(b"\xEF\xBB\xBF".to_vec());
    writer
        .write_record(["at", "login", "name", "what", "text", "why", "means", "place", "case"])
        .map_err(unwritable)?;
    for line in found {
        let case = line.case.to_string();
        let cells = [
            line.iso.as_str(),
            &line.login,
            &line.name,
            line.what,
            &line.text,
            &line.why,
            &line.means,
            &line.place,
            &case,
        ];
        writer.write_record(cells.map(defused)).map_err(unwritable)?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|error| Problem::Unwritable { source: error.into_error().into() })?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"sign-ins.csv\""),
    ];
    Ok((headers, bytes).into_response())
}
