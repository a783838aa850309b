//! The customer's cases, followed like parcels, and the two acts that stop one.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use engine::Moment;
use minijinja::{Value, context};
use serde::Deserialize;
use workflows::tail;
use workflows::terms::Channel;

use super::own::key_of;
use super::replies::case_named;
use super::{Customers, Shared, Signed, see};
use crate::customer::{Declined, Progress, Tracked};
use crate::store::tracking::FormRow;
use crate::text::Language;
use crate::web::error::Problem;
use crate::web::{face, page, when};

/// One line of a list.
fn line(shared: &Customers, lang: Language, tracked: &Tracked) -> Value {
    let row = &tracked.row;
    context! {
        case => tracked.case.0,
        number => when::case_number(tracked.case.0, Moment(row.opened_at)),
        kind => page::name(shared.texts(), lang, "workflow", "", &row.channel),
        state => page::name(shared.texts(), lang, "state", &row.channel, &row.state_name),
        face => super::given(face::of_state(&row.state_name)),
        name => &row.name,
        opened => when::short(Moment(row.opened_at)),
        changed => when::short(Moment(row.changed_at)),
        is_over => tracked.is_over(),
    }
}

/// One form of the list.
fn form_line(shared: &Customers, lang: Language, form: &FormRow) -> Value {
    context! {
        number => format!("{:012}", form.number),
        receipt => &form.receipt,
        state => page::name(shared.texts(), lang, "state", "submission", &form.state_name),
        face => super::given(face::of_state(&form.state_name)),
        opened => when::short(Moment(form.opened_at)),
        changed => when::short(Moment(form.changed_at)),
    }
}

pub(super) async fn list(
    State(shared): State<Shared>,
    signed: Signed,
) -> Result<Response, Problem> {
    let own = shared.app.own_cases(&signed.session).await?;
    let others = shared.app.cases_of_colleagues(&signed.session).await?;
    let lines = |all: &[Tracked]| {
        all.iter().map(|one| line(&shared, signed.visit.lang, one)).collect::<Vec<_>>()
    };
    let forms: Vec<Value> = shared
        .app
        .forms_for(&signed.session)
        .await?
        .iter()
        .map(|form| form_line(&shared, signed.visit.lang, form))
        .collect();
    let values = context! { own => lines(&own), others => lines(&others), forms };
    shared.page(&signed, "customer/cases.html", values)
}

pub(super) async fn show(
    State(shared): State<Shared>,
    signed: Signed,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    let tracked = shared.app.case_for(&signed.session, case_named(&case)?).await?;
    let lang = signed.visit.lang;
    let (steps, tracking) = shared.app.steps_of(&tracked).await?;
    let reached = steps.iter().rposition(|step| step.at.is_some());
    let shown: Vec<Value> = steps
        .iter()
        .enumerate()
        .map(|(index, step)| {
            context! {
                name => step.name,
                at => step.at.map(|at| when::long(at, lang)),
                // A later step that was reached means that this one is behind as well.
                is_done => step.at.is_some() || reached.is_some_and(|last| index < last),
                is_now => !tracked.is_over() && reached == Some(index),
            }
        })
        .collect();
    let row = &tracked.row;
    let values = context! {
        line => line(&shared, lang, &tracked),
        case => tracked.case.0,
        number => when::case_number(tracked.case.0, Moment(row.opened_at)),
        user_id => &row.user_id,
        name => &row.name,
        department => &row.department,
        reason => &row.reason,
        steps => shown,
        tracking,
        opened => when::long(Moment(row.opened_at), lang),
        changed => when::long(Moment(row.changed_at), lang),
        until => tracked.valid_until.map(|at| when::long(at, lang)),
        state_name => row.state_name.rsplit('.').next().unwrap_or_default(),
        is_own => tracked.is_own,
        is_over => tracked.is_over(),
        next => next(&shared, &signed, &tracked).await?,
        can_withdraw => can_withdraw(&tracked),
        can_disown => can_disown(&tracked),
        has_stopped => !signed.visit.asked("stopped").is_empty(),
        has_withdrawn => !signed.visit.asked("withdrawn").is_empty(),
    };
    shared.page(&signed, "customer/case.html", values)
}

/// Where the customer goes on, if anywhere: an address and the key of its words.
async fn next(
    shared: &Customers,
    signed: &Signed,
    tracked: &Tracked,
) -> Result<Option<(String, &'static str)>, Problem> {
    let case = tracked.case;
    let on_password_site = shared.audience == super::Audience::Password;
    if tracked.is_own && on_password_site {
        return Ok(match tracked.row.state_name.as_str() {
            "Authenticating" | "Ready" | "Granted" => Some((format!("/reissue/{case}"), "go_on")),
            "Tail.Locked" => Some(("/locked/retrieval".to_owned(), "why_locked")),
            _ => match shared.app.progress(&signed.session, case).await? {
                Progress::Making | Progress::File { .. } | Progress::Browser { .. } => {
                    Some((format!("/certificate/{case}"), "fetch"))
                }
                _ if matches!(tracked.tail, Some(tail::State::Waiting { .. })) => {
                    Some(("/certificate".to_owned(), "enter"))
                }
                _ => None,
            },
        });
    }
    if tracked.is_opener && tracked.channel == Channel::Delegated && !on_password_site {
        return Ok(match tracked.row.state_name.as_str() {
            "Confirming" => Some((format!("/settings/users/reissue/{case}"), "go_on")),
            "Tail.Waiting" | "Granted" => {
                Some((format!("/settings/users/reissue/{case}/done"), "completion"))
            }
            _ => None,
        });
    }
    Ok(None)
}

/// Which buttons a page shows; whether the act is allowed, the workflow decides when it is asked.
fn can_withdraw(tracked: &Tracked) -> bool {
    let state = tracked.row.state_name.as_str();
    !tracked.is_over() && !matches!(state, "Tail.Frozen" | "Tail.CertificateIssued" | "DangerHold")
}

fn can_disown(tracked: &Tracked) -> bool {
    let state = tracked.row.state_name.as_str();
    (!tracked.is_over() && state != "Tail.Frozen")
        || matches!(state, "Tail.Completed" | "Tail.ClosedUnused" | "Tail.Failed")
}

async fn ask(
    shared: &Customers,
    signed: &Signed,
    case: &str,
    act: &'static str,
) -> Result<Response, Problem> {
    let tracked = shared.app.case_for(&signed.session, case_named(case)?).await?;
    let allowed = if act == "withdraw" { can_withdraw(&tracked) } else { can_disown(&tracked) };
    if !allowed {
        return Ok(see(&format!("/cases/{}", tracked.case)));
    }
    let values = context! {
        act,
        case => tracked.case.0,
        line => line(shared, signed.visit.lang, &tracked),
        name => &tracked.row.name,
        key => shared.app.nonce(),
    };
    shared.page(signed, "customer/act.html", values)
}

pub(super) async fn ask_withdraw(
    State(shared): State<Shared>,
    signed: Signed,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    ask(&shared, &signed, &case, "withdraw").await
}

pub(super) async fn ask_disown(
    State(shared): State<Shared>,
    signed: Signed,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    ask(&shared, &signed, &case, "disown").await
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Key {
    key: String,
}

async fn act(
    shared: &Customers,
    signed: &Signed,
    case: &str,
    command: tail::Command,
    key: &Key,
) -> Result<Tracked, Problem> {
    let tracked = shared.app.case_for(&signed.session, case_named(case)?).await?;
    let id = format!("{}-{}-{}", engine::label(&command), tracked.case, key_of(&key.key));
    match shared.app.in_tail(&signed.session, tracked.case, command, id).await {
        Ok(()) => Ok(tracked),
        Err(Declined::Refused { code }) => Err(Problem::Refused { code }),
        Err(other) => Err(other.into()),
    }
}

/// The customer no longer wants it.
pub(super) async fn withdraw(
    State(shared): State<Shared>,
    signed: Signed,
    Path(case): Path<String>,
    Form(key): Form<Key>,
) -> Result<Response, Problem> {
    let tracked = act(&shared, &signed, &case, tail::Command::Withdraw, &key).await?;
    Ok(see(&format!("/cases/{}?withdrawn=1", tracked.case)))
}

/// "This was not me": everything stops, and somebody looks into it.
pub(super) async fn disown(
    State(shared): State<Shared>,
    signed: Signed,
    Path(case): Path<String>,
    Form(key): Form<Key>,
) -> Result<Response, Problem> {
    let tracked = act(&shared, &signed, &case, tail::Command::Disown, &key).await?;
    Ok(see(&format!("/cases/{}?stopped=1", tracked.case)))
}
