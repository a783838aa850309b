//! An enrolment code for a colleague: for whoever shall choose passwords and card anew.

use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use minijinja::context;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::enrol::refusal;
use super::own::key_of;
use super::{Customers, Mistake, Shared, Signed, see};
use crate::customer::{Colleague, Declined};
use crate::web::error::Problem;
use crate::web::when;

const UNPROCESSABLE: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

async fn colleague(
    shared: &Customers,
    signed: &Signed,
    user_id: &str,
) -> Result<Colleague, Problem> {
    let all = shared.app.colleagues(&signed.session).await?;
    all.into_iter().find(|one| one.user_id == user_id).ok_or(Problem::NotFound)
}

/// The colleagues, each with the way to a code.
pub(super) async fn list(
    State(shared): State<Shared>,
    signed: Signed,
) -> Result<Response, Problem> {
    let lines: Vec<_> = shared
        .app
        .colleagues(&signed.session)
        .await?
        .into_iter()
        .map(|one| {
            context! {
                user_id => one.user_id,
                name => one.name,
                kana => one.kana,
                department => one.department,
                title => one.title,
            }
        })
        .collect();
    shared.page(&signed, "customer/codes.html", context! { lines })
}

pub(super) async fn confirm(
    State(shared): State<Shared>,
    signed: Signed,
    Path(user_id): Path<String>,
) -> Result<Response, Problem> {
    let one = colleague(&shared, &signed, &user_id).await?;
    let mistakes = match shared.app.may_issue_enrolment_code(&signed.session, &user_id).await {
        Ok(()) => Vec::new(),
        Err(Declined::Refused { code }) => {
            vec![Mistake { field: "", text: refusal(&shared, &signed.visit, &code) }]
        }
        Err(other) => return Err(other.into()),
    };
    confirming(&shared, &signed, &one, &mistakes, StatusCode::OK)
}

fn confirming(
    shared: &Customers,
    signed: &Signed,
    one: &Colleague,
    mistakes: &[Mistake],
    status: StatusCode,
) -> Result<Response, Problem> {
    let values = context! {
        user_id => &one.user_id,
        name => &one.name,
        department => &one.department,
        title => &one.title,
        key => shared.app.nonce(),
        mistakes => Customers::mistakes(mistakes),
    };
    Ok((status, shared.page(signed, "customer/code_confirm.html", values)?).into_response())
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Confirmation {
    transaction_password: String,
    key: String,
}

/// Issues: once for each page, however often the button is pressed.
pub(super) async fn issue(
    State(shared): State<Shared>,
    signed: Signed,
    Path(user_id): Path<String>,
    Form(sent): Form<Confirmation>,
) -> Result<Response, Problem> {
    let one = colleague(&shared, &signed, &user_id).await?;
    let typed = Zeroizing::new(sent.transaction_password);
    let key = key_of(&sent.key);
    let issued = shared
        .app
        .issue_enrolment_code(&signed.session, &user_id, &typed, &key, &signed.ticket)
        .await;
    let (field, text) = match issued {
        Ok(_) => return Ok(see(&format!("/settings/users/codes/{user_id}/done"))),
        Err(Declined::Wrong) => {
            ("transaction_password", shared.text(signed.visit.lang, "confirm.wrong"))
        }
        Err(Declined::Refused { code }) if code == "credential.Locked" => {
            return Ok(see("/locked/transaction"));
        }
        Err(Declined::Refused { code }) => ("", refusal(&shared, &signed.visit, &code)),
        Err(other) => return Err(other.into()),
    };
    confirming(&shared, &signed, &one, &[Mistake { field, text }], UNPROCESSABLE)
}

/// The code, in the browser that has issued it, until it is noted.
pub(super) async fn done(
    State(shared): State<Shared>,
    signed: Signed,
    Path(user_id): Path<String>,
) -> Result<Response, Problem> {
    let one = colleague(&shared, &signed, &user_id).await?;
    let code = shared.app.display_enrolment_code(&signed.session, &user_id, &signed.ticket).await?;
    let is_asked = !signed.visit.asked("show").is_empty();
    let now = shared.app.tools.db.now().await?;
    let values = context! {
        user_id => &one.user_id,
        name => &one.name,
        is_here => code.is_some(),
        code => code.as_ref().filter(|_| is_asked).map(|code| code.as_str()),
        printed => when::long(now, signed.visit.lang),
        days => shared.app.tools.rules.enrolment_code_days,
    };
    shared.page(&signed, "customer/code_done.html", values)
}

/// "I have noted it": the copy is destroyed at once.
pub(super) async fn noted(
    State(shared): State<Shared>,
    signed: Signed,
    Path(user_id): Path<String>,
) -> Result<Response, Problem> {
    match shared.app.note_enrolment_code(&signed.session, &user_id).await {
        Ok(()) | Err(Declined::Refused { .. }) => {
            Ok(see(&format!("/settings/users/codes/{user_id}/done")))
        }
        Err(other) => Err(other.into()),
    }
}
