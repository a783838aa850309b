//! Signing in and out, and going on before the session ends by itself.

use std::time::Instant;

use axum::Form;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use minijinja::context;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::visitor::{self, with_sign_in, without_cookies};
use super::{Audience, Customers, Mistake, Shared, Signed, see};
use crate::customer::{Declined, SignIn};
use crate::text::to_half_width;
use crate::web::certificate_site::{self, CertificateDesk, Visit as Standing};
use crate::web::error::Problem;
use crate::web::page::Visit;

/// From where a request comes, and which certificate it presents.
pub(super) struct Arrival {
    place: String,
    fingerprint: Option<[u8; 32]>,
}

impl FromRequestParts<Shared> for Arrival {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        shared: &Shared,
    ) -> Result<Self, Self::Rejection> {
        Ok(Self { place: visitor::place(shared, parts), fingerprint: visitor::fingerprint(parts) })
    }
}

impl Arrival {
    /// The network address.
    pub(super) fn place(&self) -> &str {
        &self.place
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    contract: String,
    user_id: String,
    password: String,
    back: String,
}

/// Only our own pages: an address that begins with one slash.
pub(in crate::web) fn back_or<'a>(back: &'a str, otherwise: &'a str) -> &'a str {
    let is_own = back.starts_with('/')
        && !back.starts_with("//")
        && back.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_own { back } else { otherwise }
}

pub(super) async fn show(
    State(shared): State<Shared>,
    arrival: Arrival,
    visit: Visit,
) -> Result<Response, Problem> {
    match shared.audience {
        Audience::Password => form(&shared, &visit, &Typed::default(), &[], StatusCode::OK),
        Audience::Certificate => certificate(State(shared), arrival, visit).await,
    }
}

fn form(
    shared: &Customers,
    visit: &Visit,
    typed: &Typed,
    mistakes: &[Mistake],
    status: StatusCode,
) -> Result<Response, Problem> {
    let back = if typed.back.is_empty() { visit.asked("back") } else { &typed.back };
    let values = context! {
        mistakes => Customers::mistakes(mistakes),
        contract => &typed.contract,
        user_id => &typed.user_id,
        back => back_or(back, ""),
        is_over => !visit.asked("over").is_empty(),
        has_left => !visit.asked("left").is_empty(),
        has_enrolled => !visit.asked("enrolled").is_empty(),
    };
    Ok((status, shared.open_page(visit, "customer/sign_in.html", values)?).into_response())
}

/// Contract, user and password; or the password alone, where a certificate tells the rest.
pub(super) async fn enter(
    State(shared): State<Shared>,
    arrival: Arrival,
    visit: Visit,
    Form(mut typed): Form<Typed>,
) -> Result<Response, Problem> {
    let most = shared.app.tools.config.security.sign_ins_per_minute;
    if !shared.throttle.allows(&arrival.place, most, Instant::now()) {
        return Err(Problem::TooMany);
    }
    let password = Zeroizing::new(std::mem::take(&mut typed.password));
    if shared.audience == Audience::Certificate {
        return enter_with_certificate(&shared, &arrival, &visit, &typed, password).await;
    }
    typed.contract = digits(&typed.contract);
    typed.user_id = digits(&typed.user_id);
    let mistakes = slips(&shared, &visit, &typed, &password);
    if !mistakes.is_empty() {
        return form(&shared, &visit, &typed, &mistakes, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let entry = SignIn {
        contract: typed.contract.clone(),
        user_id: typed.user_id.clone(),
        password,
        place: arrival.place,
        certificate: None,
    };
    match shared.app.sign_in(&entry).await {
        Ok(signed_in) => {
            let to = see(back_or(&typed.back, "/certificate"));
            Ok(with_sign_in(to, shared.audience, &signed_in))
        }
        Err(Declined::NotAccepted) => {
            let text = shared.text(visit.lang, "sign_in.not_accepted");
            let mistakes = [Mistake { field: "", text }];
            form(&shared, &visit, &typed, &mistakes, StatusCode::UNPROCESSABLE_ENTITY)
        }
        Err(other) => Err(other.into()),
    }
}

/// Half-width digits without spaces and hyphens; other letters stay, to be complained about.
pub(super) fn digits(typed: &str) -> String {
    let kept = |letter: &char| !letter.is_whitespace() && !matches!(letter, '-' | 'ー' | '−' | '‐');
    to_half_width(typed.get(..200).unwrap_or(typed)).chars().filter(kept).collect()
}

fn slips(shared: &Customers, visit: &Visit, typed: &Typed, password: &str) -> Vec<Mistake> {
    let are_digits =
        |text: &str, count: usize| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    let checks = [
        ("contract", are_digits(&typed.contract, 10)),
        ("user_id", are_digits(&typed.user_id, 9)),
        ("password", !password.is_empty() && password.len() <= 256),
    ];
    let wrong = checks.into_iter().filter(|(_, is_good)| !is_good);
    wrong
        .map(|(field, _)| {
            let text = shared.text(visit.lang, &format!("sign_in.{field}_slip"));
            Mistake { field, text }
        })
        .collect()
}

async fn enter_with_certificate(
    shared: &Shared,
    arrival: &Arrival,
    visit: &Visit,
    typed: &Typed,
    password: Zeroizing<String>,
) -> Result<Response, Problem> {
    let holder = match &arrival.fingerprint {
        Some(print) => shared.app.holder(print).await?,
        None => None,
    };
    let Some(holder) = holder else { return Ok(see("/")) };
    let place = arrival.place.clone();
    match shared.app.sign_in_with_certificate(&holder, password, place).await {
        Ok(signed_in) => {
            let to = see(back_or(&typed.back, "/menu"));
            Ok(with_sign_in(to, shared.audience, &signed_in))
        }
        Err(Declined::NotAccepted) => {
            let text = shared.text(visit.lang, "sign_in.password_not_accepted");
            let mistakes = [Mistake { field: "password", text }];
            let page = verdict(shared, arrival, visit, &mistakes).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        Err(other) => Err(other.into()),
    }
}

/// What the certificate site says of whoever comes, and the password field for whom it welcomes.
pub(super) async fn certificate(
    State(shared): State<Shared>,
    arrival: Arrival,
    visit: Visit,
) -> Result<Response, Problem> {
    verdict(&shared, &arrival, &visit, &[]).await
}

async fn verdict(
    shared: &Shared,
    arrival: &Arrival,
    visit: &Visit,
    mistakes: &[Mistake],
) -> Result<Response, Problem> {
    let standing = match &arrival.fingerprint {
        None => Standing::NoCertificate,
        Some(print) => shared.app.visit(print, &arrival.place).await?,
    };
    let more = context! {
        is_over => !visit.asked("over").is_empty(),
        has_left => !visit.asked("left").is_empty(),
        back => back_or(visit.asked("back"), ""),
        mistakes => Customers::mistakes(mistakes),
    };
    // Whoever only shows a certificate has not signed in yet.
    let more = context! { ..more, ..shared.surroundings(), ..context! { me => () } };
    certificate_site::show(&shared.frame.pages, visit, &standing, more)
}

/// The revocation list, beside the site that judges by it.
pub(super) async fn revocation_list(State(shared): State<Shared>) -> Result<Response, Problem> {
    let bytes = CertificateDesk::revocations(&shared.app).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/pkix-crl"),
        (header::CACHE_CONTROL, "public, max-age=300"),
    ];
    Ok((headers, bytes).into_response())
}

/// Ends the session and takes the cookies back.
pub(super) async fn leave(
    State(shared): State<Shared>,
    signed: Signed,
) -> Result<Response, Problem> {
    shared.app.sign_out(&signed.session).await?;
    let door = shared.audience.door();
    Ok(without_cookies(see(&format!("{door}?left=1")), shared.audience))
}

/// Whoever reads for long says here that they are still there.
pub(super) async fn go_on(_: Signed) -> StatusCode {
    StatusCode::NO_CONTENT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_comes_back_to_our_own_pages_only() {
        assert_eq!(back_or("/cases/7", "/x"), "/cases/7");
        for foreign in ["", "https://evil.example", "//evil.example", "/\\evil.example", "/a b"] {
            assert_eq!(back_or(foreign, "/x"), "/x", "{foreign}");
        }
    }

    #[test]
    fn numbers_may_be_typed_in_full_width_and_groups() {
        assert_eq!(digits("０１０４-２１２ ３４５"), "0104212345");
        assert_eq!(digits("12a"), "12a");
    }
}
