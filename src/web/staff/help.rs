//! The help desk's pages: a customer is found by what they say on the phone; status in plain words, what
//! to do next, and three acts. No secret and no detail of a form is on them.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use engine::Moment;
use minijinja::context;
use serde::Serialize;
use workflows::terms::Role;

use super::desk::Typed;
use super::{Named, Shared, Signed};
use crate::notify::masked;
use crate::policy::Room;
use crate::store::search::{Customer, Found, SHOWN};
use crate::web::customer::{given, see};
use crate::web::error::Problem;
use crate::web::when;

/// More than anybody types of a name.
const LONGEST: usize = 100;

/// A customer of the list.
#[derive(Serialize)]
struct Line {
    id: i64,
    name: String,
    user_id: String,
    company: String,
    is_active: bool,
}

impl From<&Customer> for Line {
    fn from(found: &Customer) -> Self {
        Self {
            id: found.id,
            name: found.name.clone(),
            user_id: found.user_id.clone(),
            company: found.company.clone(),
            is_active: found.status == "active",
        }
    }
}

/// Finds customers.
pub(super) async fn find(
    State(shared): State<Shared>,
    signed: Signed,
) -> Result<Response, Problem> {
    signed.enter(Room::Help)?;
    let asked: String = signed.visit.asked("q").chars().take(LONGEST).collect();
    let found = shared.app.find_customers(&asked).await?;
    let lines: Vec<Line> = found.iter().map(Line::from).collect();
    let values = context! {
        asked,
        is_capped => lines.len() >= usize::try_from(SHOWN).unwrap_or(usize::MAX),
        lines => given(lines),
    };
    shared.page(&signed, "staff/help.html", values)
}

/// A case with what its customer should do.
#[derive(Serialize)]
struct CaseLine {
    #[serde(flatten)]
    case: Named,
    changed: String,
    /// The key of the words that say what comes next.
    next: &'static str,
}

/// What a customer should do next, by the state of a case.
fn next(state: &str) -> &'static str {
    match state.rsplit('.').next().unwrap_or(state) {
        "Authenticating" | "Ready" | "Confirming" | "Granted" => "go_on",
        "Start" | "Received" | "Identified" | "Checked" | "SealOk" | "Approved" | "Printed"
        | "CarryingOut" | "ByHand" | "Ordered" => "wait",
        "Defect" | "Returned" => "correct",
        "AddressHold" | "DangerHold" | "Frozen" | "Escalated" => "await_call",
        "Undelivered" => "await_letter",
        "Dispatched" | "Waiting" => "enter",
        "Redeemed" | "Claimed" => "fetch",
        "CertificateIssued" => "log_in",
        "Locked" | "ClosedLocked" => "ask_anew",
        "Active" | "Enrolling" => "enrol",
        "Completed" | "Done" | "Used" => "nothing",
        _ => "over",
    }
}

pub(super) async fn show(
    State(shared): State<Shared>,
    signed: Signed,
    Path(user): Path<String>,
) -> Result<Response, Problem> {
    signed.enter(Room::Help)?;
    let user: i64 = user.parse().map_err(|_| Problem::NotFound)?;
    let by = signed.member.acting(Role::HelpDesk)?;
    let caller = shared.app.caller(&by, user).await?;
    let (texts, lang) = (shared.frame.pages.texts(), signed.visit.lang);
    let line = |found: &Found| CaseLine {
        case: Named::of(&found.head, texts, lang),
        changed: when::short(Moment(found.changed_at)),
        next: next(&found.head.state_name),
    };
    let lines: Vec<CaseLine> = caller.cases.iter().map(line).collect();
    let values = context! {
        user,
        name => &caller.user.name,
        user_id => &caller.user.user_id,
        company => &caller.contract.company,
        contract => masked(&caller.contract.number),
        is_active => caller.user.status == "active" && caller.contract.status == "active",
        has_mail => caller.has_mail(),
        lines => given(lines),
        locked => &caller.locked,
        done => signed.visit.asked("done"),
        opens_histories => signed.is_in(Room::Audit),
    };
    shared.page(&signed, "staff/help_user.html", values)
}

/// Guidance by mail, a call back, or the stop.
pub(super) async fn act(
    State(shared): State<Shared>,
    signed: Signed,
    Path(user): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let by = signed.member.acting(Role::HelpDesk)?;
    let user: i64 = user.parse().map_err(|_| Problem::NotFound)?;
    let done = match typed.get("do").map(String::as_str) {
        Some("guide") => {
            shared.app.guide(&by, user).await?;
            "guided"
        }
        Some("call") => {
            if shared.app.have_called_back(&by, user).await? {
                "called"
            } else {
                "called_before"
            }
        }
        Some("stop") => {
            shared.app.halt(&by, user).await?;
            "stopped"
        }
        _ => return Err(Problem::Unreadable),
    };
    Ok(see(&format!("/help/{user}?done={done}")))
}

#[cfg(test)]
mod tests {
    use super::next;

    #[test]
    fn what_comes_next_is_said_by_the_state() {
        for (state, said) in [
            ("SealOk", "wait"),
            ("Tail.Waiting", "enter"),
            ("Tail.Frozen", "await_call"),
            ("Tail.Locked", "ask_anew"),
            ("Returned", "correct"),
            ("Tail.Completed", "nothing"),
            ("Lapsed", "over"),
        ] {
            assert_eq!(next(state), said, "{state}");
        }
    }
}
