//! What is locked, why, and the way out: one page a secret.
//!
//! The pages are the same for everybody and look nothing up: before login they must not tell
//! whether anything is locked.

use axum::extract::{Path, State};
use axum::response::Response;
use minijinja::context;

use super::Shared;
use crate::web::error::Problem;
use crate::web::page::Visit;

const KINDS: [&str; 4] = ["login", "one_time_password", "transaction", "retrieval"];

pub(super) async fn show(
    State(shared): State<Shared>,
    visit: Visit,
    Path(kind): Path<String>,
) -> Result<Response, Problem> {
    let kind = KINDS.into_iter().find(|known| *known == kind).ok_or(Problem::NotFound)?;
    let rules = &shared.app.tools.rules;
    let most = match kind {
        "login" => rules.login_max_wrong,
        "one_time_password" => rules.otp_max_wrong,
        "transaction" => rules.transaction_max_wrong,
        _ => rules.retrieval_max_wrong,
    };
    shared.open_page(&visit, "customer/locked.html", context! { kind, most })
}
