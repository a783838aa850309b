//! Enrolment: with a code from the bank or a colleague, users set their passwords and register a
//! one-time-password card themselves.

use std::time::Instant;

use axum::Form;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use minijinja::{Value, context};
use serde::Deserialize;
use workflows::credential::Kind;
use zeroize::Zeroizing;

use super::sign_in::{Arrival, digits};
use super::visitor::{self, ENROLMENT_COOKIE, with_enrolment, without_enrolment};
use super::{Customers, Mistake, Shared, see};
use crate::customer::{CodeEntry, Declined, Enrolling, SecretState};
use crate::secret::{CodeFault, Token, Unfit};
use crate::web::error::Problem;
use crate::web::page::{self, Visit};
use crate::web::when;

const UNPROCESSABLE: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

/// A browser that has entered a code.
pub(super) struct AtEnrolment {
    visit: Visit,
    at: Enrolling,
}

impl FromRequestParts<Shared> for AtEnrolment {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Problem> {
        let over = || Problem::SignedOut { door: "/enrol", back: None };
        let token = visitor::cookie(&parts.headers, ENROLMENT_COOKIE).and_then(Token::parse);
        let place = visitor::place(shared, parts);
        match shared.app.enrolment(&token.ok_or_else(over)?, &place).await {
            Ok(at) => Ok(Self { visit: Visit::of(parts), at }),
            Err(Declined::SignedOut) => Err(over()),
            Err(other) => Err(other.into()),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    contract: String,
    user_id: String,
    code: String,
}

pub(super) async fn ask(State(shared): State<Shared>, visit: Visit) -> Result<Response, Problem> {
    asking(&shared, &visit, &Typed::default(), &[], StatusCode::OK)
}

fn asking(
    shared: &Customers,
    visit: &Visit,
    typed: &Typed,
    mistakes: &[Mistake],
    status: StatusCode,
) -> Result<Response, Problem> {
    let values = context! {
        contract => &typed.contract,
        user_id => &typed.user_id,
        is_over => !visit.asked("over").is_empty(),
        mistakes => Customers::mistakes(mistakes),
    };
    Ok((status, shared.open_page(visit, "customer/enrol.html", values)?).into_response())
}

/// Enters the code. Whatever is wrong besides a slip, the answer is the same.
pub(super) async fn enter(
    State(shared): State<Shared>,
    arrival: Arrival,
    visit: Visit,
    Form(mut typed): Form<Typed>,
) -> Result<Response, Problem> {
    let most = shared.app.tools.config.security.sign_ins_per_minute;
    if !shared.throttle.allows(arrival.place(), most, Instant::now()) {
        return Err(Problem::TooMany);
    }
    typed.contract = digits(&typed.contract);
    typed.user_id = digits(&typed.user_id);
    let entry = CodeEntry {
        contract: typed.contract.clone(),
        user_id: typed.user_id.clone(),
        code: Zeroizing::new(std::mem::take(&mut typed.code)),
        place: arrival.place().to_owned(),
    };
    let key = match shared.app.begin_enrolment(&entry).await {
        Ok(token) => return Ok(with_enrolment(see("/enrol/secrets"), &token)),
        Err(Declined::NotAccepted) => ("", "enrol.not_accepted"),
        Err(Declined::MistypedCode(CodeFault::Length)) => ("code", "enrol.length_slip"),
        Err(Declined::MistypedCode(CodeFault::Character)) => ("code", "enrol.character_slip"),
        Err(Declined::MistypedCode(CodeFault::Check)) => ("code", "enrol.check_slip"),
        Err(other) => return Err(other.into()),
    };
    let mistakes = [Mistake { field: key.0, text: shared.text(visit.lang, key.1) }];
    asking(&shared, &visit, &typed, &mistakes, UNPROCESSABLE)
}

/// What is to be set, and what is done.
pub(super) async fn secrets(
    State(shared): State<Shared>,
    enrolment: AtEnrolment,
) -> Result<Response, Problem> {
    listed(&shared, &enrolment, &[], StatusCode::OK).await
}

async fn listed(
    shared: &Customers,
    enrolment: &AtEnrolment,
    mistakes: &[Mistake],
    status: StatusCode,
) -> Result<Response, Problem> {
    let AtEnrolment { visit, at } = enrolment;
    let standing = shared.app.enrolment_status(at).await?;
    let items: Vec<Value> = standing
        .items
        .iter()
        .map(|item| {
            context! {
                kind => name_of(item.kind),
                state => super::given(item.state),
                is_active => item.state == SecretState::Active,
                is_done => item.is_done,
                may_be_set => item.may_be_set,
            }
        })
        .collect();
    let is_ready = standing.items.iter().all(|item| item.state == SecretState::Active);
    // The seed is in the page only when it was asked for.
    let authenticator = match visit.asked("authenticator") {
        "" => None,
        _ => {
            let secret = shared.app.begin_card_secret(at).await?;
            Some(context! { base32 => secret.base32.as_str(), picture => qr_path(&secret.uri) })
        }
    };
    let values = context! {
        name => standing.name,
        user_id => standing.user_id,
        company => standing.company,
        until => when::clock(standing.until),
        items,
        is_ready,
        authenticator,
        mistakes => Customers::mistakes(mistakes),
    };
    Ok((status, shared.open_page(visit, "customer/enrol_secrets.html", values)?).into_response())
}

/// The name of a kind in addresses and texts.
pub(super) const fn name_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Login => "login",
        Kind::Transaction => "transaction",
        Kind::OneTimePassword => "one_time_password",
        Kind::Retrieval => "retrieval",
    }
}

/// A QR code as the data of one path, in modules, with its quiet zone left to the page.
pub(super) fn qr_path(text: &str) -> Option<Value> {
    use std::fmt::Write;
    let code = qrcodegen::QrCode::encode_text(text, qrcodegen::QrCodeEcc::Medium).ok()?;
    let mut path = String::new();
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
            let _ = write!(path, "M{x} {y}h1v1h-1z");
        }
    }
    Some(context! { size => code.size(), path })
}

/// The key of the words for a password that may not be used.
pub(super) const fn unfit(unfit: Unfit) -> &'static str {
    match unfit {
        Unfit::TooShort => "enrol.too_short",
        Unfit::TooLong => "enrol.too_long",
        Unfit::Character => "enrol.unusable",
        Unfit::Identifier => "enrol.identifier",
        Unfit::Common => "enrol.common",
        Unfit::Unchanged => "enrol.unchanged",
        Unfit::SameAsOther => "enrol.same_as_other",
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Chosen {
    new: String,
    again: String,
}

/// Sets the login or the transaction password.
pub(super) async fn set_password(
    State(shared): State<Shared>,
    enrolment: AtEnrolment,
    Path(kind): Path<String>,
    Form(sent): Form<Chosen>,
) -> Result<Response, Problem> {
    let (kind, field) = match kind.as_str() {
        "login" => (Kind::Login, "login"),
        "transaction" => (Kind::Transaction, "transaction"),
        _ => return Err(Problem::NotFound),
    };
    let (new, again) = (Zeroizing::new(sent.new), Zeroizing::new(sent.again));
    let lang = enrolment.visit.lang;
    let text = if *new == *again {
        match shared.app.set_password(&enrolment.at, kind, &new).await {
            Ok(()) => return Ok(see("/enrol/secrets")),
            Err(Declined::Unfit(why)) => shared.text(lang, unfit(why)),
            Err(Declined::Refused { code }) => refusal(&shared, &enrolment.visit, &code),
            Err(other) => return Err(other.into()),
        }
    } else {
        shared.text(lang, "enrol.unequal")
    };
    listed(&shared, &enrolment, &[Mistake { field, text }], UNPROCESSABLE).await
}

/// Why a workflow declined, in the reader's words.
pub(super) fn refusal(shared: &Customers, visit: &Visit, code: &str) -> String {
    let (workflow, label) = code.split_once('.').unwrap_or(("credential", code));
    page::name(shared.texts(), visit.lang, "refusal", workflow, label)
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Card {
    serial: String,
    first: String,
    second: String,
    code: String,
}

/// Registers a card of the bank's stock, or the authenticator that was just shown its seed.
pub(super) async fn register_card(
    State(shared): State<Shared>,
    enrolment: AtEnrolment,
    Form(sent): Form<Card>,
) -> Result<Response, Problem> {
    let at = &enrolment.at;
    let by_serial = sent.code.is_empty();
    let registered = if by_serial {
        let serial = crate::text::to_half_width(sent.serial.trim());
        let (first, second) = (digits(&sent.first), digits(&sent.second));
        shared.app.register_card_by_serial(at, &serial, &first, &second).await
    } else {
        shared.app.confirm_card_secret(at, &digits(&sent.code)).await
    };
    let text = match registered {
        Ok(()) => return Ok(see("/enrol/secrets")),
        Err(Declined::Wrong) => shared.text(enrolment.visit.lang, "enrol.card_wrong"),
        Err(Declined::Refused { code }) => refusal(&shared, &enrolment.visit, &code),
        Err(other) => return Err(other.into()),
    };
    let field = if by_serial { "serial" } else { "code" };
    listed(&shared, &enrolment, &[Mistake { field, text }], UNPROCESSABLE).await
}

/// The code is used up, and one signs in.
pub(super) async fn finish(
    State(shared): State<Shared>,
    enrolment: AtEnrolment,
) -> Result<Response, Problem> {
    match shared.app.finish_enrolment(&enrolment.at).await {
        Ok(()) | Err(Declined::Refused { .. }) => Ok(without_enrolment(see("/sign-in?enrolled=1"))),
        Err(other) => Err(other.into()),
    }
}
