//! What one person has proposed, before another one: what is now, what shall be, and the buttons
//! that a rule would accept.

use std::collections::BTreeMap;

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use engine::{CaseId, Moment};
use minijinja::context;
use serde::Serialize;
use workflows::proposal::{Change, State as Standing};
use workflows::terms::Role;

use super::desk::{Typed, image};
use super::{Shared, Signed, ledger};
use crate::backoffice::AtWork;
use crate::customer::Declined;
use crate::policy::Room;
use crate::staffing::proposing::{Decided, Proposed, command_named};
use crate::staffing::roles_of;
use crate::store::cases::{opened_at, staff_names};
use crate::store::proposals::{List, ProposalLine};
use crate::web::customer::{Mistake, case_named, given, see};
use crate::web::error::Problem;
use crate::web::face::{self, Face};
use crate::web::{page, when};

/// One line of a table: what is now and what shall be.
#[derive(Serialize)]
pub(super) struct Row {
    pub(super) key: &'static str,
    pub(super) was: String,
    pub(super) shall: String,
    pub(super) is_other: bool,
}

/// A proposal in a list.
#[derive(Serialize)]
pub(super) struct Line {
    id: i64,
    number: String,
    matter: String,
    about: String,
    by: String,
    at: String,
    state: String,
    face: Face,
}

/// The room in which a change is proposed and decided.
fn room_of(change: &Change) -> Room {
    let matter = change.matter();
    if matter.is_account() {
        Room::Accounts
    } else if matter.is_hold() {
        Room::Holds
    } else {
        Room::Upkeep
    }
}

/// The account, contract or day, or the number of the case.
async fn about(shared: &Shared, change: &Change) -> Result<String, Problem> {
    if let Change::PlaceHold { case, .. } | Change::LiftHold { case, .. } = change {
        return number_of(shared, *case).await;
    }
    let subject = change.subject();
    Ok(subject.split_once('-').map_or(subject.clone(), |(_, about)| about.to_owned()))
}

/// The number of a case as people write it; the bare one where there is no such case.
async fn number_of(shared: &Shared, case: i64) -> Result<String, Problem> {
    let mut tx = shared.app.tools.db.read().await?;
    let opened = opened_at(&mut tx, case).await?;
    Ok(opened.map_or_else(|| case.to_string(), |at| when::case_number(case, at)))
}

/// The names of people, by what histories call them.
pub(super) async fn names(
    shared: &Shared,
    people: &[&str],
) -> Result<BTreeMap<String, String>, Problem> {
    let mut tx = shared.app.tools.db.read().await?;
    Ok(staff_names(&mut tx, people).await?.into_iter().collect())
}

/// The proposals of a room, as its page lists them.
pub(super) async fn lines(
    shared: &Shared,
    signed: &Signed,
    room: Room,
) -> Result<Vec<Line>, Problem> {
    let list = match room {
        Room::Accounts => List::Accounts,
        Room::Holds => List::Holds,
        _ => List::Ledger,
    };
    let found = shared.app.proposals(list).await?;
    let people: Vec<&str> = found.iter().map(|line| line.proposed_by.as_str()).collect();
    let names = names(shared, &people).await?;
    let mut lines = Vec::new();
    for line in &found {
        lines.push(listed(shared, signed, line, &names).await?);
    }
    Ok(lines)
}

async fn listed(
    shared: &Shared,
    signed: &Signed,
    line: &ProposalLine,
    names: &BTreeMap<String, String>,
) -> Result<Line, Problem> {
    let (texts, lang) = (shared.frame.pages.texts(), signed.visit.lang);
    let about = match serde_json::from_str::<Change>(&line.change) {
        Ok(change) => about(shared, &change).await?,
        Err(_) => String::new(),
    };
    Ok(Line {
        id: line.case_id,
        number: when::case_number(line.case_id, Moment(line.opened_at)),
        matter: shared.text(lang, &format!("proposal.{}", line.matter)),
        about,
        by: names.get(&line.proposed_by).cloned().unwrap_or_default(),
        at: when::short(Moment(line.opened_at)),
        state: page::name(texts, lang, "state", "proposal", &line.state_name),
        face: face::of_state(&line.state_name),
    })
}

/// Every role of the account in which somebody may have to do with proposals.
pub(super) fn viewers(signed: &Signed) -> Vec<AtWork> {
    let roles = signed.member.roles.iter();
    roles.filter_map(|role| signed.member.acting(*role).ok()).collect()
}

async fn found(shared: &Shared, signed: &Signed, case: CaseId) -> Result<Proposed, Problem> {
    let proposed = shared.app.proposal(case, &viewers(signed)).await?;
    signed.enter(room_of(&proposed.change))?;
    Ok(proposed)
}

/// Why a proposal was declined, for the form that comes back with what was typed; `nothing` is said where
/// there is nothing to change, or it is there already.
pub(super) fn declined(
    shared: &Shared,
    signed: &Signed,
    why: Declined,
    nothing: &str,
) -> Result<Mistake, Problem> {
    match why {
        Declined::Refused { code } if code == "proposal.NoTarget" => {
            let text = shared.text(signed.visit.lang, &format!("proposal.nothing_{nothing}"));
            Ok(Mistake { field: "", text })
        }
        Declined::Refused { code } => {
            Ok(Mistake { field: "", text: super::desk::refusal(shared, signed, &code) })
        }
        other => Err(other.into()),
    }
}

pub(super) async fn show(
    State(shared): State<Shared>,
    signed: Signed,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    let case = case_named(&case)?;
    let proposed = found(&shared, &signed, case).await?;
    drawn(&shared, &signed, case, &proposed, None).await
}

/// A half of fresh secrets, on the one page that shows it.
struct Half {
    is_seed: bool,
    text: zeroize::Zeroizing<String>,
}

async fn drawn(
    shared: &Shared,
    signed: &Signed,
    case: CaseId,
    proposed: &Proposed,
    half: Option<Half>,
) -> Result<Response, Problem> {
    let (texts, lang) = (shared.frame.pages.texts(), signed.visit.lang);
    let label = engine::label(&proposed.state);
    let names = names(shared, &[proposed.by.as_str()]).await?;
    let is_waiting = matches!(proposed.state, Standing::Proposed { .. });
    let own = format!("staff-{}", signed.member.account.person);
    let effects = if is_waiting { ledger::effects(shared, &proposed.change).await? } else { None };
    let about = about(shared, &proposed.change).await?;
    let values = context! {
        case => case.0,
        number => when::case_number(case.0, proposed.at),
        matter => shared.text(lang, &format!("proposal.{}", crate::host::matter_name(proposed.change.matter()))),
        about => &about,
        back => match room_of(&proposed.change) {
            Room::Accounts => "/accounts",
            Room::Holds => "/holds",
            _ => "/upkeep",
        },
        rows => given(rows(shared, signed, proposed, &about)),
        by => names.get(&proposed.by),
        at => when::long(proposed.at, lang),
        state => page::name(texts, lang, "state", "proposal", &label),
        face => given(face::of_state(&label)),
        buttons => &proposed.open_to,
        is_own => is_waiting && proposed.by == own,
        is_waiting,
        has_picture => proposed.has_picture,
        effects => given(effects),
        half => half.as_ref().map(|half| half.text.as_str()),
        is_seed => half.as_ref().is_some_and(|half| half.is_seed),
        done => signed.visit.asked("done"),
        opens_history => signed.is_in(Room::Audit),
    };
    shared.page(signed, "staff/proposal.html", values)
}

/// What is now beside what shall be.
fn rows(shared: &Shared, signed: &Signed, proposed: &Proposed, about: &str) -> Vec<Row> {
    let lang = signed.visit.lang;
    let roles = |list: &str| -> String {
        let named = roles_of(list).into_iter().map(|role| {
            let key = format!("role.{}", engine::Role::name(role));
            shared.frame.pages.texts().find(lang, &key).unwrap_or(&key).to_owned()
        });
        named.collect::<Vec<_>>().join("・")
    };
    let was = |key: &str| {
        let found = proposed.was.get(key).and_then(|value| value.as_str());
        found.unwrap_or_default().to_owned()
    };
    let row = |key: &'static str, was: String, shall: &str| Row {
        key,
        is_other: was != shall,
        was,
        shall: shall.to_owned(),
    };
    let open = |is_open: bool| {
        shared.text(lang, if is_open { "proposal.is_open" } else { "proposal.is_closed" })
    };
    let fresh = || shared.text(lang, "proposal.fresh");
    match &proposed.change {
        Change::OpenAccount { login, person, name, roles: list } => vec![
            row("login", String::new(), login),
            row("name", String::new(), name),
            row("person", String::new(), person),
            row("roles", String::new(), &roles(list)),
        ],
        Change::ChangeRoles { roles: list, .. } => vec![
            row("name", was("name"), &was("name")),
            row("roles", roles(&was("roles")), &roles(list)),
        ],
        Change::CloseAccount { .. } => vec![
            row("name", was("name"), &was("name")),
            row("roles", roles(&was("roles")), &roles(&was("roles"))),
            row("account", open(true), &open(false)),
        ],
        Change::RenewSecrets { .. } => vec![
            row("name", was("name"), &was("name")),
            row("secrets", shared.text(lang, "proposal.present"), &fresh()),
        ],
        Change::OpenLinkedAccount { login, person, name, roles: list, issuer, subject } => vec![
            row("login", String::new(), login),
            row("name", String::new(), name),
            row("person", String::new(), person),
            row("roles", String::new(), &roles(list)),
            row("issuer", String::new(), issuer),
            row("subject", String::new(), subject),
        ],
        Change::LinkSubject { issuer, subject, .. } => vec![
            row("name", was("name"), &was("name")),
            row("issuer", was("issuer"), if subject.is_empty() { "" } else { issuer }),
            row("subject", was("subject"), subject),
        ],
        Change::Address { postal_code, address, .. } => vec![
            row("postal_code", was("postal_code"), postal_code),
            row("address", was("address"), address),
        ],
        Change::Specimen { valid_from, digest, .. } => {
            let latest = proposed.was.get(0);
            let text = |key: &str| {
                let found = latest.and_then(|one| one.get(key)).and_then(|value| value.as_str());
                found.unwrap_or_default().to_owned()
            };
            let short = |digest: &str| digest.chars().take(16).collect::<String>();
            vec![
                row("valid_from", text("from"), valid_from),
                row("digest", short(&text("digest")), &short(digest)),
            ]
        }
        Change::AddHoliday { day, name, source } => vec![
            row("day", String::new(), day),
            row("holiday", String::new(), name),
            row("source", String::new(), source),
        ],
        Change::AddContract { columns, .. }
        | Change::ChangeContract { columns, .. }
        | Change::AddUser { columns, .. }
        | Change::ChangeUser { columns, .. } => ledger::rows(shared, lang, &proposed.was, columns),
        Change::CloseContract { .. } | Change::CloseUser { .. } => {
            ledger::closing(shared, lang, &proposed.was)
        }
        Change::PlaceHold { reference, reason, .. } => vec![
            row("case", about.to_owned(), about),
            row("reference", String::new(), reference),
            row("reason", String::new(), reason),
        ],
        Change::LiftHold { reference, reason, .. } => vec![
            row("case", about.to_owned(), about),
            row("reference", reference.clone(), ""),
            row("reason", was("reason"), ""),
            row("lift_reason", String::new(), reason),
        ],
        Change::RemoveHoliday { day } => vec![
            row("day", day.clone(), ""),
            row("holiday", was("name"), ""),
            row("source", was("source"), ""),
        ],
    }
}

/// Approves, rejects, takes back, or hands a half out.
pub(super) async fn act(
    State(shared): State<Shared>,
    signed: Signed,
    Path(case): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let case = case_named(&case)?;
    found(&shared, &signed, case).await?;
    let name = typed.get("do").map(String::as_str).unwrap_or_default();
    let command = command_named(name).ok_or(Problem::Unreadable)?;
    match shared.app.decide_proposal(case, command, &viewers(&signed)).await? {
        Decided::Standing(_) => Ok(see(&format!("/proposals/{case}?done=1"))),
        Decided::Half(text) => {
            let proposed = found(&shared, &signed, case).await?;
            let half = Half { is_seed: name == "take_seed", text };
            drawn(&shared, &signed, case, &proposed, Some(half)).await
        }
    }
}

/// The specimen that is proposed; the look is an entry.
pub(super) async fn picture(
    State(shared): State<Shared>,
    signed: Signed,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    let case = case_named(&case)?;
    found(&shared, &signed, case).await?;
    let roles = [Role::Approver, Role::Supervisor, Role::Clerk, Role::Auditor];
    let by = signed.member.acting_as_one_of(&roles)?;
    let bytes = shared.app.proposed_specimen(&by, case).await?;
    Ok(image(bytes, "image/png"))
}
