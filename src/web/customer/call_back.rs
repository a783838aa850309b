//! A danger sign before login: the bank calls back, at the registered number only.

use std::time::Instant;

use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use minijinja::context;
use serde::Deserialize;

use super::sign_in::{Arrival, digits};
use super::{Customers, Mistake, Shared, see};
use crate::web::error::Problem;
use crate::web::page::Visit;

pub(super) async fn ask(State(shared): State<Shared>, visit: Visit) -> Result<Response, Problem> {
    asking(&shared, &visit, &Sent::default(), &[], StatusCode::OK)
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Sent {
    contract: String,
    user_id: String,
}

fn asking(
    shared: &Customers,
    visit: &Visit,
    sent: &Sent,
    mistakes: &[Mistake],
    status: StatusCode,
) -> Result<Response, Problem> {
    let values = context! {
        contract => &sent.contract,
        user_id => &sent.user_id,
        mistakes => Customers::mistakes(mistakes),
    };
    Ok((status, shared.open_page(visit, "customer/call_back.html", values)?).into_response())
}

/// The answer is the same whether or not anybody is known under these numbers.
pub(super) async fn request(
    State(shared): State<Shared>,
    arrival: Arrival,
    visit: Visit,
    Form(mut sent): Form<Sent>,
) -> Result<Response, Problem> {
    let most = shared.app.tools.config.security.sign_ins_per_minute;
    // Counted apart from sign-ins: whoever is flooded must still be able to ask for help.
    let place = format!("call {}", arrival.place());
    if !shared.throttle.allows(&place, most, Instant::now()) {
        return Err(Problem::TooMany);
    }
    sent.contract = digits(&sent.contract);
    sent.user_id = digits(&sent.user_id);
    let are_digits =
        |text: &str, count: usize| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    let slips =
        [("contract", are_digits(&sent.contract, 10)), ("user_id", are_digits(&sent.user_id, 9))];
    let mistakes: Vec<Mistake> = slips
        .into_iter()
        .filter(|(_, is_good)| !is_good)
        .map(|(field, _)| {
            let text = shared.text(visit.lang, &format!("sign_in.{field}_slip"));
            Mistake { field, text }
        })
        .collect();
    if !mistakes.is_empty() {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return asking(&shared, &visit, &sent, &mistakes, status);
    }
    shared.app.request_call_back(&sent.contract, &sent.user_id, arrival.place()).await?;
    Ok(see("/call-back/done"))
}

pub(super) async fn done(State(shared): State<Shared>, visit: Visit) -> Result<Response, Problem> {
    shared.open_page(&visit, "customer/call_back_done.html", context! {})
}
