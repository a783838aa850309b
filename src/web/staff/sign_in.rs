//! Signing in and out, and going on before the session ends by itself.

use std::time::Instant;

use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use minijinja::context;
use minijinja::value::Value;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::visitor::{Arrival, DOOR, Signed, with_token, without_token};
use super::{Shared, Staff, mistakes, provider};
use crate::customer::Declined;
use crate::staffing::StaffSignIn;
use crate::web::customer::{Mistake, back_or, see};
use crate::web::error::Problem;
use crate::web::page::{self, Visit};

/// Whoever leaves came from the identity provider.
const PROVIDER: &str = "provider";

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    login: String,
    password: String,
    code: String,
    back: String,
}

impl Typed {
    /// Nothing but where one goes on.
    pub(super) fn returning_to(back: &str) -> Self {
        Self { back: back.to_owned(), ..Self::default() }
    }
}

pub(super) async fn show(State(shared): State<Shared>, visit: Visit) -> Result<Response, Problem> {
    form(&shared, &visit, &Typed::default(), &[], StatusCode::OK).await
}

/// The door, with what is wrong when anything is.
pub(super) async fn form(
    staff: &Staff,
    visit: &Visit,
    typed: &Typed,
    wrong: &[Mistake],
    status: StatusCode,
) -> Result<Response, Problem> {
    let back = if typed.back.is_empty() { visit.asked("back") } else { &typed.back };
    let back = back_or(back, "");
    let leaving = match visit.asked("left") {
        PROVIDER => provider::leaving(staff).await,
        _ => None,
    };
    let values = context! {
        mistakes => mistakes(wrong),
        login => &typed.login,
        back,
        provider => provider_button(staff, visit, back),
        is_local => staff.app.tools.config.staff_identity.local_sign_in,
        leaving,
        is_over => !visit.asked("over").is_empty(),
        has_left => !visit.asked("left").is_empty(),
    };
    Ok((status, staff.open_page(visit, "staff/sign_in.html", values)?).into_response())
}

/// What leads to the identity provider, where there is one.
fn provider_button(staff: &Staff, visit: &Visit, back: &str) -> Option<Value> {
    let provider = staff.app.tools.provider.as_ref()?;
    let back = (!back.is_empty()).then(|| ("back".to_owned(), back.to_owned()));
    let href = page::address("/sign-in/provider", &back.into_iter().collect());
    Some(context! { href, button => provider.button(visit.lang) })
}

/// Account, password and card, judged together.
pub(super) async fn enter(
    State(shared): State<Shared>,
    Arrival(place): Arrival,
    visit: Visit,
    Form(mut typed): Form<Typed>,
) -> Result<Response, Problem> {
    let most = shared.app.tools.config.security.sign_ins_per_minute;
    if !shared.throttle.allows(&place, most, Instant::now()) {
        return Err(Problem::TooMany);
    }
    let password = Zeroizing::new(std::mem::take(&mut typed.password));
    let code = Zeroizing::new(std::mem::take(&mut typed.code));
    let is_long = password.len() > 256 || code.len() > 32 || typed.login.len() > 64;
    let login = typed.login.trim().to_owned();
    let answer = if is_long {
        Err(Declined::NotAccepted)
    } else {
        shared.app.staff_sign_in(&StaffSignIn { login, password, code, place }).await
    };
    match answer {
        Ok(token) => Ok(with_token(see(back_or(&typed.back, "/")), &token)),
        Err(Declined::NotAccepted) => {
            let text = shared.text(visit.lang, "sign_in.not_accepted");
            let wrong = [Mistake { field: "", text }];
            form(&shared, &visit, &typed, &wrong, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(other) => Err(other.into()),
    }
}

/// Ends the session and takes the cookie back.
pub(super) async fn leave(
    State(shared): State<Shared>,
    signed: Signed,
) -> Result<Response, Problem> {
    shared.app.staff_sign_out(&signed.member).await?;
    // Whoever is still signed in at the provider is told so.
    let left = if signed.member.came_by_provider() { PROVIDER } else { "1" };
    Ok(without_token(see(&format!("{DOOR}?left={left}"))))
}

/// Whoever reads for long says here that they are still there.
pub(super) async fn go_on(_: Signed) -> StatusCode {
    StatusCode::NO_CONTENT
}
