//! The start page of the operator: what this is, how it stands, and every case.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use engine::verify::Checkpoint;
use engine::{CaseId, Clock, Db, Kind, Moment};
use minijinja::context;
use minijinja::value::{Serde, Value};
use serde::Serialize;

use super::error::Problem;
use super::face::{self, Face};
use super::page::{self, Frame, Pages, Visit, framed};
use super::{story, when};
use crate::app::App;
use crate::policy::{self, Matter, Viewer};
use crate::staffing::Member;
use crate::store::cases::{self, CaseLine, Filter, Tally};
use crate::text::Texts;
use workflows::account;
use workflows::terms::Role;

/// Reads the checkpoint kept outside the database; `None` when there is none yet.
pub type CheckpointSource = Arc<dyn Fn() -> Option<Checkpoint> + Send + Sync>;

/// What the operator's pages are made from.
pub struct Site {
    /// The database.
    pub db: Db,
    /// The texts in both languages.
    pub texts: Arc<Texts>,
    /// The bank's names.
    pub house: forms::House,
    /// Host names (with port) under which the pages are reached: others are turned away.
    pub hosts: Vec<String>,
    /// For reference numbers.
    pub entropy: engine::Entropy,
    /// Who looks: the operator on loopback, until there are logins.
    pub viewer: Viewer,
    /// For verification against the outside.
    pub checkpoint: CheckpointSource,
}

/// What the handlers share.
pub(super) struct Shared {
    pub(super) db: Db,
    pub(super) pages: Arc<Pages>,
    pub(super) checkpoint: CheckpointSource,
    /// Writes down who has looked; `None` where nobody needs to sign in.
    pub(super) notes: Option<App>,
}

/// Who looks at one request, and what surrounds the page for them.
#[derive(Clone)]
pub(super) struct Looker {
    pub(super) viewer: Viewer,
    /// Who is signed in, and the menu.
    pub(super) around: Value,
    /// Whose look is written into the history; `None` where nobody needs to sign in.
    pub(super) member: Option<Arc<Member>>,
}

impl Looker {
    /// Answers as if there were nothing when the viewer may not see it.
    pub(super) fn demand(&self, matter: Matter) -> Result<(), Problem> {
        if self.may_see(matter) { Ok(()) } else { Err(Problem::NotFound) }
    }

    /// A supervisor who looks may propose a legal hold.
    pub(super) fn may_hold(&self) -> bool {
        self.member.as_ref().is_some_and(|member| member.roles.contains(&Role::Supervisor))
    }

    /// Whether cases of a kind are shown at all.
    pub(super) fn may_open(&self, workflow: &str) -> bool {
        workflow != account::NAME || self.may_see(Matter::SignIns)
    }

    pub(super) fn may_see(&self, matter: Matter) -> bool {
        policy::may_see(self.viewer, matter)
    }
}

impl Shared {
    /// Reads the checkpoint without holding up other requests.
    pub(super) async fn read_checkpoint(&self) -> Option<Checkpoint> {
        let source = self.checkpoint.clone();
        tokio::task::spawn_blocking(move || source()).await.ok().flatten()
    }
}

/// The operator's pages for one viewer, who needs not sign in: what tests look at.
///
/// # Errors
/// When an embedded template cannot be parsed.
pub fn router(site: Site) -> Result<Router, minijinja::Error> {
    let pages = Arc::new(Pages::new(site.texts, site.house)?);
    let frame = Frame {
        pages: pages.clone(),
        hosts: site.hosts.into(),
        entropy: site.entropy,
        layout: Frame::of_staff(),
    };
    let looker = Looker { viewer: site.viewer, around: Frame::of_staff(), member: None };
    let shared = Shared { db: site.db, pages, checkpoint: site.checkpoint, notes: None };
    let router = routes(shared).layer(axum::Extension(looker));
    Ok(framed(router, frame))
}

/// The same behind a door: whoever lets a request through says who looks, as a [`Looker`].
pub(super) fn routes(shared: Shared) -> Router {
    Router::new()
        .route("/audit", get(show))
        .route("/cases.json", get(list))
        .route("/cases/{name}", get(story::show))
        .with_state(Arc::new(shared))
}

/// Cases on a page.
const SIZE: i64 = 25;
/// Long-lived cases, one a user and kind, that are shown only when asked for.
const CREDENTIAL: &str = workflows::credential::NAME;

fn filter(visit: &Visit) -> Filter {
    let kind = visit.asked("kind");
    let is_known = workflows::WORKFLOWS.contains(&kind);
    Filter {
        workflow: if is_known { kind.to_owned() } else { String::new() },
        without: if kind == "all" { String::new() } else { CREDENTIAL.to_owned() },
        state: visit.asked("state").to_owned(),
        open: match visit.asked("open") {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        },
        before: visit.asked("before").parse().ok().map(CaseId),
    }
}

/// A line of the list, with its words.
#[derive(Serialize)]
struct Line {
    id: i64,
    number: String,
    workflow: String,
    state: String,
    face: Face,
    is_open: bool,
    opened: String,
    changed: String,
    changed_iso: String,
    entries: i64,
    version: i64,
}

impl Line {
    fn new(line: &CaseLine, texts: &Texts, visit: &Visit) -> Self {
        let lang = visit.lang;
        Self {
            id: line.id,
            number: when::case_number(line.id, Moment(line.opened_at)),
            workflow: page::name(texts, lang, "workflow", "", &line.workflow),
            state: page::name(texts, lang, "state", &line.workflow, &line.state_name),
            face: face::of_state(&line.state_name),
            is_open: line.ended_at.is_none(),
            opened: when::short(Moment(line.opened_at)),
            changed: when::short(Moment(line.changed_at)),
            changed_iso: when::iso(Moment(line.changed_at)),
            entries: line.entries,
            version: line.version,
        }
    }
}

/// One choice of a filter.
#[derive(Serialize)]
struct Choice {
    value: String,
    text: String,
    is_chosen: bool,
    count: i64,
}

fn kinds(looker: &Looker, tallies: &[Tally], texts: &Texts, visit: &Visit) -> Vec<Choice> {
    let asked = visit.asked("kind");
    let count = |wanted: &dyn Fn(&str) -> bool| {
        tallies.iter().filter(|tally| wanted(&tally.workflow)).map(|tally| tally.count).sum()
    };
    let text = |key: &str| texts.find(visit.lang, key).unwrap_or(key).to_owned();
    let mut choices = vec![Choice {
        value: String::new(),
        text: text("web.start.kind_usual"),
        is_chosen: asked.is_empty(),
        count: count(&|name| name != CREDENTIAL),
    }];
    let open = workflows::WORKFLOWS.iter().filter(|name| looker.may_open(name));
    choices.extend(open.map(|name| Choice {
        value: (*name).to_owned(),
        text: page::name(texts, visit.lang, "workflow", "", name),
        is_chosen: asked == *name,
        count: count(&|other| other == *name),
    }));
    choices.push(Choice {
        value: "all".to_owned(),
        text: text("web.start.kind_all"),
        is_chosen: asked == "all",
        count: count(&|_| true),
    });
    choices
}

/// The states that occur, for the kind chosen.
fn states(tallies: &[Tally], wanted: &Filter, texts: &Texts, visit: &Visit) -> Vec<Choice> {
    let mut choices: Vec<Choice> = Vec::new();
    for tally in tallies.iter().filter(|tally| {
        if wanted.workflow.is_empty() {
            tally.workflow != wanted.without
        } else {
            tally.workflow == wanted.workflow
        }
    }) {
        match choices.iter_mut().find(|choice| choice.value == tally.state_name) {
            Some(choice) => choice.count += tally.count,
            None => choices.push(Choice {
                value: tally.state_name.clone(),
                text: page::name(texts, visit.lang, "state", &tally.workflow, &tally.state_name),
                is_chosen: wanted.state == tally.state_name,
                count: tally.count,
            }),
        }
    }
    choices.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
    choices
}

/// The figures above the list; each leads to its part of it.
#[derive(Serialize)]
struct Figures {
    open: i64,
    done: i64,
    stopped: i64,
    waiting: i64,
    dead: i64,
    is_capped: bool,
}

fn figures(tallies: &[Tally], waiting: i64, dead: i64) -> Figures {
    let usual = || tallies.iter().filter(|tally| tally.workflow != CREDENTIAL);
    let last = |tally: &&Tally, names: &[&str]| {
        names.contains(&tally.state_name.rsplit('.').next().unwrap_or_default())
    };
    Figures {
        open: usual().map(|tally| tally.open).sum(),
        done: usual().filter(|tally| last(tally, &["Completed"])).map(|tally| tally.count).sum(),
        stopped: usual()
            .filter(|tally| last(tally, &["Locked", "Frozen", "DangerHold"]))
            .map(|tally| tally.open)
            .sum(),
        waiting,
        dead,
        is_capped: tallies.iter().map(|tally| tally.count).sum::<i64>() >= cases::COUNTED,
    }
}

async fn show(
    State(shared): State<Arc<Shared>>,
    Extension(looker): Extension<Looker>,
    visit: Visit,
) -> Result<Response, Problem> {
    looker.demand(Matter::Standing)?;
    let wanted = filter(&visit);
    let mut tx = shared.db.read().await?;
    let mut list = cases::list(&mut tx, &wanted, SIZE).await?;
    let mut tallies = cases::tallies(&mut tx).await?;
    list.lines.retain(|line| looker.may_open(&line.workflow));
    tallies.retain(|tally| looker.may_open(&tally.workflow));
    let (waiting, dead) = cases::outbox_counts(&mut tx).await?;
    let now = tx.now();
    drop(tx);
    let checked = proven(&shared, &looker, &list.lines).await?;
    let texts = shared.pages.texts();
    let lines: Vec<Line> = list.lines.iter().map(|line| Line::new(line, texts, &visit)).collect();
    let is_filtered =
        ["kind", "state", "open", "before"].iter().any(|name| !visit.asked(name).is_empty());
    let clock = match shared.db.clock() {
        Clock::Manual(_) => "manual",
        Clock::Database => "database",
    };
    let database = match shared.db.kind() {
        Kind::Sqlite => "SQLite",
        Kind::Postgres => "PostgreSQL",
    };
    let values = context! {
        lines => Serde(lines),
        figures => Serde(figures(&tallies, waiting, dead)),
        kinds => Serde(kinds(&looker, &tallies, texts, &visit)),
        states => Serde(states(&tallies, &wanted, texts, &visit)),
        open => visit.asked("open"),
        next => list.next.map(|next| visit.with("before", &next.to_string())),
        first => (!visit.asked("before").is_empty()).then(|| visit.with("before", "")),
        is_filtered,
        json => page::address("/cases.json", &visit.query),
        now => when::long(now, visit.lang),
        now_iso => when::iso(now),
        clock,
        database,
        proof => checked.map(Proof::value),
    };
    let values = context! { ..values, ..looker.around.clone() };
    shared.pages.show(&visit, "start.html", values)
}

/// What was verified for the cases on this page.
struct Proof {
    cases: usize,
    entries: usize,
    broken: Vec<i64>,
    checkpoint_at: Option<Moment>,
}

impl Proof {
    fn value(self) -> Value {
        context! {
            cases => self.cases,
            entries => self.entries,
            broken => self.broken,
            checkpoint => self.checkpoint_at.map(when::short),
        }
    }
}

/// Verifies what the page shows, not every case there is: the effort stays bounded.
async fn proven(
    shared: &Shared,
    looker: &Looker,
    lines: &[CaseLine],
) -> Result<Option<Proof>, Problem> {
    if !looker.may_see(Matter::Proof) {
        return Ok(None);
    }
    let checkpoint = shared.read_checkpoint().await;
    let mut proof = Proof {
        cases: 0,
        entries: 0,
        broken: Vec::new(),
        checkpoint_at: checkpoint.as_ref().and_then(|checkpoint| checkpoint.at),
    };
    for line in lines {
        let case = Some(CaseId(line.id));
        let report = engine::verify::verify(&shared.db, case, checkpoint.as_ref()).await?;
        proof.cases += report.cases;
        proof.entries += report.entries;
        if !report.is_intact() {
            proof.broken.push(line.id);
        }
    }
    Ok(Some(proof))
}

/// The same list for machines; times are ISO 8601.
#[derive(Serialize)]
struct Listed {
    id: i64,
    number: String,
    workflow: String,
    state: String,
    open: bool,
    version: i64,
    entries: i64,
    opened_at: String,
    changed_at: String,
}

async fn list(
    State(shared): State<Arc<Shared>>,
    Extension(looker): Extension<Looker>,
    visit: Visit,
) -> Result<Response, Problem> {
    looker.demand(Matter::Standing)?;
    let mut tx = shared.db.read().await?;
    let mut page = cases::list(&mut tx, &filter(&visit), SIZE).await?;
    page.lines.retain(|line| looker.may_open(&line.workflow));
    let listed = |line: CaseLine| Listed {
        id: line.id,
        number: when::case_number(line.id, Moment(line.opened_at)),
        workflow: line.workflow,
        state: line.state_name,
        open: line.ended_at.is_none(),
        version: line.version,
        entries: line.entries,
        opened_at: when::iso(Moment(line.opened_at)),
        changed_at: when::iso(Moment(line.changed_at)),
    };
    let cases: Vec<Listed> = page.lines.into_iter().map(listed).collect();
    let next = page.next.map(|next| next.0);
    Ok(axum::Json(serde_json::json!({ "cases": cases, "next": next })).into_response())
}
