//! The case page: words, icons and drawings for what [`super::Told`] holds.

use std::collections::BTreeMap;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use engine::Moment;
use engine::history::{Entry, hex};
use minijinja::context;
use minijinja::value::{Serde, Value};
use serde::Serialize;

use super::words::Spoken;
use super::{Parcel, Told, holds, names};
use crate::policy::Matter;
use crate::store::cases::CaseFile;
use crate::text::{Language, Texts};
use crate::web::diagram::{self, Graph, Scope, Trail};
use crate::web::error::Problem;
use crate::web::face::{self, Face};
use crate::web::page::{Visit, name, proofs, told};
use crate::web::start::{Looker, Shared};
use crate::web::when;

/// The widest row of a drawing, in its own units: what a wide screen shows at full size.
const WIDEST: f64 = 1330.0;

pub(super) async fn page(
    shared: &Shared,
    looker: &Looker,
    visit: &Visit,
    file: &CaseFile,
    told: &Told,
) -> Result<Response, Problem> {
    let texts = shared.pages.texts();
    let staff = names(shared, looker, file).await?;
    let teller =
        Teller { texts, visit, file, staff: &staff, shows: looker.may_see(Matter::Person) };
    let view = match visit.asked("view") {
        "all" => "all",
        "table" => "table",
        _ => "main",
    };
    let scope = if visit.asked("diagram") == "all" { Scope::All } else { Scope::Way };
    let (graph, trail) = (graph(file), trail(file));
    let words = Spoken { texts, visit, file, trail: &trail };
    let drawing = diagram::svg(&graph, &trail, &words, scope, WIDEST);
    let events = teller.events(told, view == "main");
    let shown = events.len();
    let values = context! {
        number => &told.number,
        kind => name(texts, visit.lang, "workflow", "", &told.workflow),
        subject => &told.subject,
        state => teller.state(&told.state),
        face => Serde(face::of_state(&told.state)),
        is_open => told.open,
        opened => when::long(Moment(file.row.opened_at), visit.lang),
        changed => when::long(Moment(file.row.ended_at.unwrap_or(file.row.changed_at)), visit.lang),
        version => told.version,
        drawing => Value::from_safe_string(drawing),
        ahead => Serde(teller.ahead(&graph, &trail)),
        is_all => scope == Scope::All,
        toggle => visit.with("diagram", if scope == Scope::All { "" } else { "all" }),
        view,
        views => Serde(["main", "all", "table"].map(|name| {
            (name, visit.with("view", if name == "main" { "" } else { name }))
        })),
        events => Serde(events),
        shown,
        total => told.entries.len(),
        rows => Serde(teller.rows(told)),
        proof => proof(told, texts, visit),
        times => Serde(teller.times(&trail)),
        people => Serde(teller.people()),
        holds => Serde(holds::shown(&told.holds)),
        may_hold => looker.may_hold(),
        deadlines => Serde(teller.deadlines(told)),
        parcels => told.outbox.as_ref().map(|parcels| Serde(
            parcels.iter().map(|parcel| teller.parcel(parcel)).collect::<Vec<_>>()
        )),
        printed => when::long(file.now, visit.lang),
        id => told.id,
    };
    let values = context! { ..values, ..looker.around.clone() };
    shared.pages.show(visit, "story.html", values)
}

/// The diagram as an SVG file.
pub(super) fn drawing(shared: &Shared, visit: &Visit, file: &CaseFile) -> Response {
    let (graph, trail) = (graph(file), trail(file));
    let words = Spoken { texts: shared.pages.texts(), visit, file, trail: &trail };
    let drawing = diagram::standalone(&graph, &trail, &words, scope(visit));
    // The file brings its own style, which the pages' policy would not let in.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox";
    let headers =
        [(header::CONTENT_TYPE, "image/svg+xml"), (header::CONTENT_SECURITY_POLICY, policy)];
    (headers, drawing).into_response()
}

/// The diagram as Mermaid text.
pub(super) fn mermaid(shared: &Shared, visit: &Visit, file: &CaseFile) -> Response {
    let (graph, trail) = (graph(file), trail(file));
    let words = Spoken { texts: shared.pages.texts(), visit, file, trail: &trail };
    let text = diagram::mermaid(&graph, &trail, &words, scope(visit));
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

/// A case's diagram outside any page.
pub struct Drawing {
    /// A file of its own.
    pub svg: String,
    /// Mermaid text.
    pub mermaid: String,
}

/// Draws a case's diagram for a file or a terminal.
pub fn drawn(texts: &Texts, lang: Language, file: &CaseFile, scope: Scope) -> Drawing {
    let visit = Visit::plain(lang);
    let (graph, trail) = (graph(file), trail(file));
    let words = Spoken { texts, visit: &visit, file, trail: &trail };
    Drawing {
        svg: diagram::standalone(&graph, &trail, &words, scope),
        mermaid: diagram::mermaid(&graph, &trail, &words, scope),
    }
}

fn scope(visit: &Visit) -> Scope {
    if visit.asked("diagram") == "all" { Scope::All } else { Scope::Way }
}

/// The workflow's graph; what the history has seen when there is no drawing of it.
fn graph(file: &CaseFile) -> Graph {
    Graph::of(&file.row.workflow).unwrap_or_else(|| {
        let steps = file.entries.iter().filter(|entry| entry.kind == "transition");
        Graph::seen(
            steps.map(|entry| (entry.from.as_str(), entry.to.as_str(), entry.command.as_str())),
        )
    })
}

fn trail(file: &CaseFile) -> Trail {
    Trail::of(&file.entries, &file.row.state_name, file.row.ended_at.is_some())
}

/// One event of the timeline.
#[derive(Serialize)]
struct Event {
    no: i64,
    iso: String,
    time: String,
    day: String,
    icon: &'static str,
    tint: &'static str,
    title: String,
    from: Option<String>,
    to: Option<String>,
    to_face: Option<Face>,
    who: String,
    auth: String,
    outcome: Option<String>,
    is_refused: bool,
    hash: String,
    parcels: Vec<Sent>,
}

/// A message or job, in words.
#[derive(Serialize)]
struct Sent {
    id: i64,
    kind: String,
    icon: &'static str,
    title: String,
    status: String,
    tint: &'static str,
    at: String,
    attempts: i64,
    error: Option<String>,
}

/// One row of the plain table.
#[derive(Serialize)]
struct Row {
    no: i64,
    iso: String,
    at: String,
    kind: String,
    is_refused: bool,
    command: String,
    from: String,
    to: String,
    outcome: String,
    who: String,
    auth: String,
    place: String,
    hash: String,
}

/// Time spent in a state.
#[derive(Serialize)]
struct Stay {
    state: String,
    face: Face,
    visits: usize,
    time: String,
    is_now: bool,
}

/// What may come next.
#[derive(Serialize)]
struct Next {
    command: String,
    state: String,
    face: Face,
}

/// Somebody who took part.
#[derive(Serialize)]
struct Person {
    who: String,
    role: String,
    acts: usize,
    last: String,
}

/// A deadline in words.
#[derive(Serialize)]
struct Due {
    command: String,
    at: String,
    left: String,
    is_past: bool,
}

/// Finds the words for a case.
struct Teller<'a> {
    texts: &'a Texts,
    visit: &'a Visit,
    file: &'a CaseFile,
    staff: &'a BTreeMap<String, String>,
    /// Persons may be named by their number.
    shows: bool,
}

impl Teller<'_> {
    fn word(&self, section: &str, label: &str) -> String {
        name(self.texts, self.visit.lang, section, &self.file.row.workflow, label)
    }

    fn text(&self, key: &str) -> String {
        self.texts.find(self.visit.lang, key).unwrap_or(key).to_owned()
    }

    fn state(&self, state: &str) -> String {
        self.word("state", state)
    }

    /// The role, with name or number where they may be shown; the machinery by its role alone.
    fn who(&self, actor: &str, role: &str) -> String {
        let role = name(self.texts, self.visit.lang, "role", "", role);
        if actor == "engine" || !self.shows {
            return role;
        }
        let person = self.staff.get(actor).map_or(actor, String::as_str);
        match self.visit.lang {
            Language::Japanese => format!("{person}({role})"),
            Language::English => format!("{person} ({role})"),
        }
    }

    fn outcome(&self, entry: &Entry) -> Option<String> {
        if entry.outcome.is_empty() {
            return None;
        }
        let section = if entry.kind == "refused" { "refusal" } else { "reason" };
        Some(self.word(section, &entry.outcome))
    }

    fn events(&self, told: &Told, is_brief: bool) -> Vec<Event> {
        let mut events: Vec<Event> = self
            .file
            .entries
            .iter()
            .filter(|entry| !is_brief || is_notable(entry, self.file))
            .map(|entry| self.event(entry, told))
            .collect();
        events.reverse();
        events
    }

    fn event(&self, entry: &Entry, told: &Told) -> Event {
        let is_refused = entry.kind == "refused";
        let is_last = entry.no == self.file.row.entries;
        let moves = entry.from != entry.to;
        let face = face::of_state(&entry.to);
        let (icon, tint) = match entry.kind.as_str() {
            "refused" => ("cross", "err"),
            "noted" => ("eye", "plain"),
            _ if !moves => ("dot", "plain"),
            _ if is_last => (face.icon, "now"),
            _ => (face.icon, tint_name(face)),
        };
        let queued = told.outbox.iter().flatten().filter(|parcel| parcel.entry == entry.no);
        Event {
            no: entry.no,
            iso: when::iso(entry.at),
            time: when::clock(entry.at),
            day: when::day(entry.at),
            icon,
            tint,
            title: self
                .word(if entry.kind == "noted" { "note" } else { "command" }, &entry.command),
            from: (moves && !entry.from.is_empty() && entry.from != "Start")
                .then(|| self.state(&entry.from)),
            to: moves.then(|| self.state(&entry.to)),
            to_face: moves.then_some(face),
            who: self.who(&entry.actor, &entry.role),
            auth: proofs(self.texts, self.visit.lang, &entry.auth),
            outcome: self.outcome(entry),
            is_refused,
            hash: short_hash(&entry.hash),
            parcels: queued.map(|parcel| self.parcel(parcel)).collect(),
        }
    }

    fn parcel(&self, parcel: &Parcel) -> Sent {
        let (status, tint) = match parcel.status.as_str() {
            "done" => ("done", "ok"),
            "dead" => ("dead", "err"),
            "dropped" => ("dropped", "plain"),
            "leased" => ("leased", "info"),
            _ => ("ready", "info"),
        };
        let is_notice = parcel.kind == "notice";
        let at = parcel.settled.unwrap_or(parcel.due);
        Sent {
            id: parcel.id,
            kind: self.text(if is_notice { "web.story.notice" } else { "web.story.job" }),
            icon: if is_notice { "mail" } else { "gear" },
            title: self.word(if is_notice { "notice" } else { "job" }, &parcel.label),
            status: self.text(&format!("web.story.parcel_{status}")),
            tint,
            at: when::short(at),
            attempts: parcel.attempts,
            error: parcel.last_error.clone().filter(|_| parcel.status != "done"),
        }
    }

    fn rows(&self, told: &Told) -> Vec<Row> {
        let row = |(entry, line): (&Entry, &super::Line)| Row {
            no: entry.no,
            iso: line.at.clone(),
            at: format!("{} {}", when::day(entry.at), when::clock_seconds(entry.at)),
            kind: self.text(&format!("web.story.kind_{}", entry.kind)),
            is_refused: entry.kind == "refused",
            command: self.word("command", &entry.command),
            from: if entry.from == "Start" || entry.from.is_empty() {
                String::new()
            } else {
                self.state(&entry.from)
            },
            to: self.state(&entry.to),
            outcome: self.outcome(entry).unwrap_or_default(),
            who: self.who(&entry.actor, &entry.role),
            auth: proofs(self.texts, self.visit.lang, &entry.auth),
            place: line.place.clone().unwrap_or_default(),
            hash: hex(&entry.hash).get(..16).unwrap_or_default().to_owned(),
        };
        self.file.entries.iter().zip(&told.entries).rev().map(row).collect()
    }

    fn ahead(&self, graph: &Graph, trail: &Trail) -> Vec<Next> {
        let next = |(command, to): (&str, &str)| Next {
            command: self.word("command", command),
            state: self.state(to),
            face: face::of_state(to),
        };
        diagram::ahead(graph, trail).into_iter().map(next).collect()
    }

    fn times(&self, trail: &Trail) -> Vec<Stay> {
        let stays = trail.states().into_iter().filter(|state| *state != "Start");
        let stay = |state: &str| {
            let is_now = trail.current.as_deref() == Some(state);
            let time = trail.spent(state, self.file.now);
            Stay {
                state: self.state(state),
                face: face::of_state(state),
                visits: trail.visits(state),
                // An end is no stay: it has no length.
                time: if is_now && trail.is_ended {
                    "—".to_owned()
                } else {
                    when::span(time, self.visit.lang)
                },
                is_now,
            }
        };
        stays.map(stay).collect()
    }

    fn people(&self) -> Vec<Person> {
        let mut people: Vec<((&str, &str), Person)> = Vec::new();
        for entry in &self.file.entries {
            if entry.actor == "engine" || entry.actor.starts_with("case-") {
                continue;
            }
            let key = (entry.actor.as_str(), entry.role.as_str());
            let last = when::short(entry.at);
            if let Some((_, person)) = people.iter_mut().find(|(known, _)| *known == key) {
                person.acts += 1;
                person.last = last;
                continue;
            }
            let role = name(self.texts, self.visit.lang, "role", "", &entry.role);
            let who = if self.shows {
                self.staff.get(&entry.actor).unwrap_or(&entry.actor).clone()
            } else {
                role.clone()
            };
            people.push((key, Person { who, role, acts: 1, last }));
        }
        people.into_iter().map(|(_, person)| person).collect()
    }

    fn deadlines(&self, told: &Told) -> Vec<Due> {
        let due = |deadline: &super::Deadline| Due {
            command: self.word("command", &deadline.command),
            at: when::short(deadline.due),
            left: when::span(deadline.due.since(self.file.now), self.visit.lang),
            is_past: deadline.due <= self.file.now,
        };
        told.deadlines.iter().map(due).collect()
    }
}

fn tint_name(face: Face) -> &'static str {
    match face.tint {
        face::Tint::Err => "err",
        face::Tint::Warn => "warn",
        face::Tint::Plain => "plain",
        face::Tint::Ok | face::Tint::Info | face::Tint::Work => "ok",
    }
}

/// What a reader in a hurry wants: moves, refusals, and whatever told somebody something.
fn is_notable(entry: &Entry, file: &CaseFile) -> bool {
    entry.from != entry.to
        || entry.kind == "refused"
        || holds::NOTES.contains(&entry.command.as_str())
        || file.outbox.iter().any(|row| row.entry == entry.no && row.kind == "notice")
}

fn short_hash(hash: &engine::history::Hash) -> String {
    let text = hex(hash);
    let (head, tail) = (text.get(..4).unwrap_or_default(), text.get(60..).unwrap_or_default());
    format!("{head}…{tail}")
}

/// What was found wrong, in words.
fn found(texts: &Texts, language: Language, finding: &engine::verify::Finding) -> String {
    let name = serde_json::to_value(finding.what).ok();
    let name = name.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default();
    let entry = finding.entry.map(|no| format!("#{no} ")).unwrap_or_default();
    let text = told(texts, language, &format!("web.finding.{name}"), &[]);
    format!("{entry}{}", text.unwrap_or_else(|| finding.to_string()))
}

/// The verification card.
fn proof(told: &Told, texts: &Texts, visit: &Visit) -> Option<Value> {
    let report = told.verification.as_ref()?;
    let last = told.entries.last();
    let findings: Vec<String> =
        report.findings.iter().map(|finding| found(texts, visit.lang, finding)).collect();
    let grouped = |hash: &str| {
        let letters: Vec<char> = hash.chars().collect();
        let groups = letters.chunks(4).map(|group| group.iter().collect::<String>());
        groups.collect::<Vec<_>>().join(" ")
    };
    Some(context! {
        is_intact => report.is_intact(),
        entries => report.entries,
        checkpointed => report.checkpointed,
        checkpoint => report.checkpoint_at.map(when::short),
        findings,
        last => last.map(|line| line.no),
        hash => last.map(|line| grouped(&line.hash)),
    })
}
