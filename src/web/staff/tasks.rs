//! What people do by phone or by hand: who has it, what came of it, and whether a second person has
//! said the same.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use engine::Moment;
use minijinja::context;
use serde::Serialize;
use workflows::task::{Command, Outcome, State as Standing};
use workflows::terms::Role;

use super::desk::Typed;
use super::{Shared, Signed};
use crate::backoffice::errands::Errand;
use crate::policy::Room;
use crate::web::customer::{case_named, given, see};
use crate::web::error::Problem;
use crate::web::{page, when};

/// Roles in which tasks are done; the first one that the account holds acts.
const ROLES: [Role; 4] = [Role::Supervisor, Role::Clerk, Role::Approver, Role::HelpDesk];
const OUTCOMES: [(&str, Outcome); 3] =
    [("settled", Outcome::Settled), ("denied", Outcome::Denied), ("unreached", Outcome::Unreached)];

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
    /// The first of two records; empty before.
    first: &'static str,
    /// Somebody else has recorded first, so this person may be the second.
    is_second: bool,
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
        let (is_mine, is_second) = match &errand.state {
            Standing::Owned { owner, .. } => (owner.0 == own, false),
            Standing::Recorded { first, .. } => (false, first.0 != own),
            _ => (false, false),
        };
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
            request: if line.request.is_empty() {
                String::new()
            } else {
                let key = format!("customer.request.{}", line.request);
                texts.find(lang, &key).unwrap_or(&line.request).to_owned()
            },
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
            first,
            is_second,
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
        done => signed.visit.asked("done"),
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
    let by = signed.member.acting_as_one_of(&ROLES)?;
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
    let state = shared.app.with_task(&by, case_named(&case)?, command).await?;
    let done = if matches!(state, Standing::Done { .. }) { "?done=1" } else { "" };
    Ok(see(&format!("/tasks{done}")))
}
