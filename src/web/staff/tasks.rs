//! What people do by phone or by hand: who has it, what came of it, and whether a second person has
//! said the same.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use engine::Moment;
use minijinja::context;
use serde::Serialize;
use workflows::task::{Command, Outcome, State as Standing, seconds, workers};
use workflows::terms::{Role, TaskKind};

use super::desk::Typed;
use super::{Shared, Signed};
use crate::backoffice::AtWork;
use crate::backoffice::errands::Errand;
use crate::policy::Room;
use crate::web::customer::{case_named, given, see};
use crate::web::error::Problem;
use crate::web::{page, when};

/// Roles in which tasks are done; of those that the account holds the first acts that may.
const ROLES: [Role; 4] = [Role::Supervisor, Role::Clerk, Role::Approver, Role::HelpDesk];
/// What is told after a task was worked on.
const TOLD: [&str; 3] = ["done", "recorded", "again"];
const OUTCOMES: [(&str, Outcome); 3] =
    [("settled", Outcome::Settled), ("denied", Outcome::Denied), ("unreached", Outcome::Unreached)];

/// What can be recorded of a kind of task, and in whose words.
const fn outcomes(kind: TaskKind) -> &'static [(&'static str, &'static str)] {
    match kind {
        TaskKind::BankSystem => {
            &[("settled", "carried"), ("denied", "not_carried"), ("unreached", "not_now")]
        }
        TaskKind::Incident => &[("settled", "settled"), ("denied", "denied")],
        _ => &[("settled", "settled"), ("denied", "denied"), ("unreached", "unreached")],
    }
}

#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent answer")]
struct Line {
    id: i64,
    number: String,
    kind: String,
    about: String,
    about_state: String,
    company: String,
    name: String,
    phone: String,
    /// Where the paper can be looked at; empty where there is none, or not for this reader.
    paper: String,
    /// What was asked for on it.
    request: String,
    /// What is wrong with it.
    defects: Vec<String>,
    /// It is about rows of a form whose users nobody knows.
    is_of_rows: bool,
    opened: String,
    is_late: bool,
    is_open: bool,
    is_mine: bool,
    /// What can be recorded: the outcome and its text.
    outcomes: &'static [(&'static str, &'static str)],
    /// Such tasks are done by a role of this account.
    works: bool,
    /// The first of two records; empty before.
    first: &'static str,
    /// Somebody else has recorded first, so this person may be the second.
    is_second: bool,
    /// The second has to be a supervisor.
    awaits_supervisor: bool,
}

impl Line {
    fn of(shared: &Shared, signed: &Signed, errand: &Errand) -> Self {
        let (texts, lang) = (shared.frame.pages.texts(), signed.visit.lang);
        let line = &errand.line;
        let own = format!("staff-{}", signed.member.account.person);
        let first = match &errand.state {
            Standing::Recorded { outcome, .. } => {
                OUTCOMES.iter().find(|(_, one)| one == outcome).map_or("", |(name, _)| *name)
            }
            _ => "",
        };
        let holds = |role: &Role| signed.member.roles.contains(role);
        let (is_mine, is_second) = match &errand.state {
            Standing::Owned { owner, .. } => (owner.0 == own, false),
            Standing::Recorded { first, .. } => (false, first.0 != own),
            _ => (false, false),
        };
        let kind = match &errand.state {
            Standing::Open { kind, .. }
            | Standing::Owned { kind, .. }
            | Standing::Recorded { kind, .. } => Some(*kind),
            _ => None,
        };
        let outcomes = kind.map_or(&[][..], outcomes);
        let first = outcomes.iter().find(|(name, _)| *name == first).map_or("", |(_, text)| *text);
        let seconds = kind.map_or(&[][..], seconds);
        let awaits_supervisor = !first.is_empty() && seconds == [Role::Supervisor];
        let is_second = is_second && seconds.iter().any(holds);
        Self {
            id: line.case_id,
            number: when::case_number(line.about_case, Moment(line.about_opened_at)),
            kind: page::name(texts, lang, "task", "", &snake(&line.kind)),
            about: page::name(texts, lang, "workflow", "", &line.about_workflow),
            about_state: page::name(texts, lang, "state", &line.about_workflow, &line.about_state),
            company: line.company.clone(),
            name: line.name.clone(),
            phone: line.phone.clone(),
            paper: match line.about_workflow.as_str() {
                "submission" if signed.is_in(Room::Matching) => {
                    format!("/matching/{}", line.about_case)
                }
                "paper" | "clerical" if signed.is_in(Room::Desk) => {
                    format!("/desk/{}", line.about_case)
                }
                _ => String::new(),
            },
            request: shared.request(lang, &line.request),
            defects: line
                .defects
                .split(',')
                .filter(|code| !code.is_empty())
                .map(|code| page::name(texts, lang, "defect", "", code))
                .collect(),
            is_of_rows: line.about_workflow == "submission" && line.kind == "CureByPhone",
            opened: when::short(Moment(line.opened_at)),
            is_late: !line.escalated.is_empty(),
            is_open: matches!(errand.state, Standing::Open { .. }),
            is_mine,
            outcomes,
            works: kind.is_some_and(|kind| workers(kind).iter().any(holds)),
            first,
            is_second,
            awaits_supervisor,
        }
    }
}

/// The name of a kind as its text has it: `CallBack` gives `call_back`.
fn snake(label: &str) -> String {
    let mut name = String::new();
    for letter in label.chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

pub(super) async fn show(
    State(shared): State<Shared>,
    signed: Signed,
) -> Result<Response, Problem> {
    signed.enter(Room::Tasks)?;
    let errands = shared.app.errands().await?;
    let lines: Vec<Line> = errands.iter().map(|one| Line::of(&shared, &signed, one)).collect();
    // Whoever may see pages decides what is seen of them again.
    let masks = if signed.is_in(Room::Desk) { shared.app.masks_asked().await? } else { 0 };
    let values = context! {
        lines => given(lines),
        done => TOLD.iter().copied().find(|told| *told == signed.visit.asked("done")),
        masks,
        opens_masks => signed.is_in(Room::Desk),
    };
    shared.page(&signed, "staff/tasks.html", values)
}

/// Takes a task, puts it back, records what came of it, or disputes the first record.
pub(super) async fn act(
    State(shared): State<Shared>,
    signed: Signed,
    Path(case): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let viewers: Vec<AtWork> =
        ROLES.iter().filter_map(|role| signed.member.acting(*role).ok()).collect();
    if viewers.is_empty() {
        return Err(Problem::NotFound);
    }
    let command = match typed.get("do").map(String::as_str) {
        Some("take") => Command::Take,
        Some("release") => Command::Release,
        Some("dispute") => Command::Dispute,
        Some(name) => {
            let found = OUTCOMES.iter().find(|(known, _)| *known == name);
            Command::Record { outcome: found.ok_or(Problem::Unreadable)?.1 }
        }
        None => return Err(Problem::Unreadable),
    };
    let recorded = matches!(command, Command::Record { .. });
    let state = shared.app.with_task(&viewers, case_named(&case)?, command).await?;
    let told = match state {
        Standing::Done { .. } => "?done=done",
        Standing::Recorded { .. } => "?done=recorded",
        Standing::Open { .. } if recorded => "?done=again",
        _ => "",
    };
    Ok(see(&format!("/tasks{told}")))
}
