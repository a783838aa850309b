//! What a signed-in user changes for themselves: passwords and the one-time-password card; and how
//! everything of theirs stands.

use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use minijinja::{Value, context};
use serde::Deserialize;
use workflows::credential::Kind;
use zeroize::Zeroizing;

use super::enrol::{qr_path, refusal, unfit};
use super::sign_in::digits;
use super::start::reason;
use super::{Customers, Mistake, Shared, Signed, see};
use crate::customer::{Declined, LockState, NewCard};
use crate::web::error::Problem;
use crate::web::when;

const UNPROCESSABLE: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

/// How everything of the user's stands, and which way is open.
pub(super) async fn show(
    State(shared): State<Shared>,
    signed: Signed,
) -> Result<Response, Problem> {
    accounted(&shared, &signed, &[], StatusCode::OK).await
}

fn lock(kind: &str, state: LockState) -> Value {
    let (name, left) = match state {
        LockState::Unset => ("unset", None),
        LockState::Open { left } => ("open", Some(left)),
        LockState::Locked => ("locked", None),
        LockState::Used => ("used", None),
    };
    context! { kind, state => name, left }
}

async fn accounted(
    shared: &Customers,
    signed: &Signed,
    mistakes: &[Mistake],
    status: StatusCode,
) -> Result<Response, Problem> {
    let lang = signed.visit.lang;
    let own = shared.app.overview(&signed.session, None).await?;
    let certificate = own.certificate.map(|one| {
        context! {
            state => one.state,
            days_left => one.days_left,
            until => when::long(one.expires_at, lang),
        }
    });
    let authenticator = match signed.visit.asked("authenticator") {
        "" => None,
        _ => {
            let secret =
                shared.app.begin_replacement_secret(&signed.session, &signed.ticket).await?;
            Some(context! { base32 => secret.base32.as_str(), picture => qr_path(&secret.uri) })
        }
    };
    let values = context! {
        locks => [
            lock("login", own.login),
            lock("one_time_password", own.one_time_password),
            lock("transaction", own.transaction),
            lock("retrieval", own.retrieval),
        ],
        certificate,
        advice => own.advice.code(),
        reason => reason(own.advice),
        authenticator,
        changed => signed.visit.asked("changed"),
        mistakes => Customers::mistakes(mistakes),
    };
    Ok((status, shared.page(signed, "customer/account.html", values)?).into_response())
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Change {
    present: String,
    new: String,
    again: String,
}

/// Changes the login or the transaction password.
pub(super) async fn change_password(
    State(shared): State<Shared>,
    signed: Signed,
    Path(kind): Path<String>,
    Form(sent): Form<Change>,
) -> Result<Response, Problem> {
    let (kind, field) = match kind.as_str() {
        "login" => (Kind::Login, "login"),
        "transaction" => (Kind::Transaction, "transaction"),
        _ => return Err(Problem::NotFound),
    };
    let present = Zeroizing::new(sent.present);
    let (new, again) = (Zeroizing::new(sent.new), Zeroizing::new(sent.again));
    let lang = signed.visit.lang;
    let text = if *new == *again {
        match shared.app.change_password(&signed.session, kind, &present, &new).await {
            Ok(()) => return Ok(see(&format!("/account?changed={field}"))),
            Err(Declined::Unfit(why)) => shared.text(lang, unfit(why)),
            Err(Declined::Wrong) => shared.text(lang, "account.present_wrong"),
            Err(Declined::Refused { code }) => refusal(&shared, &signed.visit, &code),
            Err(other) => return Err(other.into()),
        }
    } else {
        shared.text(lang, "enrol.unequal")
    };
    accounted(&shared, &signed, &[Mistake { field, text }], UNPROCESSABLE).await
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Card {
    present: String,
    serial: String,
    first: String,
    second: String,
    code: String,
}

/// Replaces the card by another one, both of them at hand.
pub(super) async fn replace_card(
    State(shared): State<Shared>,
    signed: Signed,
    Form(sent): Form<Card>,
) -> Result<Response, Problem> {
    let present = Zeroizing::new(digits(&sent.present));
    let (first, second) = (digits(&sent.first), digits(&sent.second));
    let (serial, code) = (crate::text::to_half_width(sent.serial.trim()), digits(&sent.code));
    let card = if code.is_empty() {
        NewCard::Serial { serial: &serial, first: &first, second: &second }
    } else {
        NewCard::Secret { code: &code }
    };
    let replaced = shared.app.replace_card(&signed.session, &signed.ticket, &present, &card).await;
    let text = match replaced {
        Ok(()) => return Ok(see("/account?changed=one_time_password")),
        Err(Declined::Wrong) => shared.text(signed.visit.lang, "account.card_wrong"),
        Err(Declined::Refused { code }) => refusal(&shared, &signed.visit, &code),
        Err(other) => return Err(other.into()),
    };
    accounted(&shared, &signed, &[Mistake { field: "card", text }], UNPROCESSABLE).await
}

/// Stops everything of the user's at once.
pub(super) async fn stop(
    State(shared): State<Shared>,
    signed: Signed,
) -> Result<Response, Problem> {
    let stopped = shared.app.emergency_stop(&signed.session).await?;
    let case = stopped.cases.last().map(|case| format!("/cases/{case}?stopped=1"));
    Ok(see(&case.unwrap_or_else(|| "/cases".to_owned())))
}

/// Asks once more before everything is stopped.
pub(super) async fn ask_stop(
    State(shared): State<Shared>,
    signed: Signed,
) -> Result<Response, Problem> {
    shared.page(&signed, "customer/stop.html", context! {})
}
