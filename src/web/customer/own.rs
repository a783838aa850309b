//! Path 1: why, the one-time password, and the password in a window of its own.
//!
//! The same pages show a password that a colleague has granted under target-only reveal.

use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use engine::{CaseId, Moment};
use minijinja::context;
use serde::Deserialize;
use workflows::credential::Kind;
use workflows::router::Advice;
use workflows::tail;
use workflows::terms::{Channel, Reason};
use zeroize::Zeroizing;

use super::replies::case_named;
use super::sign_in::digits;
use super::visitor::with_token;
use super::{Customers, Mistake, Shared, Signed, see};
use crate::customer::{Declined, Display, Tracked};
use crate::web::error::Problem;
use crate::web::when;

/// The stored name of a reason, as forms send it.
pub(super) fn reason_named(name: &str) -> Option<Reason> {
    serde_json::from_value(serde_json::Value::String(name.to_owned())).ok()
}

fn name_of(reason: Reason) -> String {
    let value = serde_json::to_value(reason).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

/// Whatever is asked before a password is reissued.
pub(super) async fn ask_reason(
    State(shared): State<Shared>,
    signed: Signed,
) -> Result<Response, Problem> {
    // Who has begun already goes on where they were.
    if let Some(case) = shared.app.open_case(&signed.session, Channel::SelfService).await? {
        return Ok(see(&format!("/reissue/{case}")));
    }
    reasons(&shared, &signed, &[], StatusCode::OK).await
}

async fn reasons(
    shared: &Customers,
    signed: &Signed,
    mistakes: &[Mistake],
    status: StatusCode,
) -> Result<Response, Problem> {
    let names: Vec<(String, bool)> =
        Reason::ALL.into_iter().map(|reason| (name_of(reason), reason.is_dangerous())).collect();
    // Who will be sent elsewhere anyway is told before a reason is asked for.
    let advice = shared.app.overview(&signed.session, Some(Reason::NewPc)).await?.advice;
    let values = context! {
        reasons => names,
        elsewhere => (advice != Advice::OwnReissue).then(|| advice.code()),
        key => shared.app.nonce(),
        mistakes => Customers::mistakes(mistakes),
    };
    Ok((status, shared.page(signed, "customer/reason.html", values)?).into_response())
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Beginning {
    reason: String,
    key: String,
}

/// Opens the case: once for each page that asked, however often its form is sent.
pub(super) async fn begin(
    State(shared): State<Shared>,
    signed: Signed,
    Form(sent): Form<Beginning>,
) -> Result<Response, Problem> {
    let Some(reason) = reason_named(&sent.reason) else {
        let text = shared.text(signed.visit.lang, "reason.slip");
        let mistakes = [Mistake { field: "reason", text }];
        return reasons(&shared, &signed, &mistakes, StatusCode::UNPROCESSABLE_ENTITY).await;
    };
    let key = key_of(&sent.key);
    match shared.app.begin_own_reissue(&signed.session, reason, &key).await {
        Ok(case) => Ok(see(&format!("/reissue/{case}"))),
        Err(Declined::Refused { code }) if code == "self_service.AlreadyOpen" => {
            go_on(&shared, &signed, &sent, reason, code).await
        }
        Err(Declined::Refused { code }) => declined(&shared, &signed, &code),
        Err(other) => Err(other.into()),
    }
}

/// Who has begun already goes on. A reason that was corrected counts: before the issue the request
/// begins anew with it, afterwards a dangerous one leads to where everything is stopped.
async fn go_on(
    shared: &Customers,
    signed: &Signed,
    sent: &Beginning,
    reason: Reason,
    code: String,
) -> Result<Response, Problem> {
    let open = shared.app.open_case(&signed.session, Channel::SelfService).await?;
    let Some(case) = open else { return Err(Problem::Refused { code }) };
    let tracked = shared.app.case_for(&signed.session, case).await?;
    if tracked.row.reason == sent.reason {
        return Ok(see(&format!("/reissue/{case}")));
    }
    if matches!(tracked.row.state_name.as_str(), "Authenticating" | "Ready") {
        shared.app.cancel_own_reissue(&signed.session, case).await?;
        let key = shared.app.nonce();
        let begun = shared.app.begin_own_reissue(&signed.session, reason, &key).await?;
        return Ok(see(&format!("/reissue/{begun}")));
    }
    let to = if reason.is_dangerous() {
        format!("/cases/{case}/not-me")
    } else {
        format!("/reissue/{case}")
    };
    Ok(see(&to))
}

/// Keys come from our own pages; whatever else is sent makes a key of its own.
pub(super) fn key_of(sent: &str) -> String {
    sent.chars().filter(char::is_ascii_alphanumeric).take(64).collect()
}

/// The router speaks: why self-service is not open to this user, and which way is.
fn declined(shared: &Customers, signed: &Signed, code: &str) -> Result<Response, Problem> {
    let (workflow, refusal) = code.split_once('.').unwrap_or(("self_service", code));
    let lang = signed.visit.lang;
    let why = crate::web::page::name(shared.texts(), lang, "refusal", workflow, refusal);
    let values = context! { why, refusal };
    let page = shared.page(signed, "customer/declined.html", values)?;
    Ok((StatusCode::CONFLICT, page).into_response())
}

/// The case as a page that shows passwords may speak of it.
async fn own_case(shared: &Customers, signed: &Signed, case: &str) -> Result<Tracked, Problem> {
    let tracked = shared.app.case_for(&signed.session, case_named(case)?).await?;
    if tracked.is_own { Ok(tracked) } else { Err(Problem::NotFound) }
}

/// What is to be done next.
enum Step {
    /// The one-time password is awaited.
    Card,
    /// The password can be shown.
    Ready,
    /// It exists.
    Issued,
    /// Nothing on these pages.
    Elsewhere,
}

fn step(tracked: &Tracked, signed: &Signed) -> Step {
    let fresh = signed.session.otp_fresh;
    match (tracked.channel, tracked.row.state_name.as_str()) {
        (Channel::SelfService, "Authenticating") => Step::Card,
        (Channel::SelfService, "Ready") | (Channel::Delegated, "Granted") if !fresh => Step::Card,
        (Channel::SelfService, "Ready") | (Channel::Delegated, "Granted") => Step::Ready,
        _ => match tracked.tail {
            Some(tail::State::Waiting { .. }) if tracked.channel != Channel::Paper => Step::Issued,
            _ => Step::Elsewhere,
        },
    }
}

pub(super) async fn show(
    State(shared): State<Shared>,
    signed: Signed,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    let tracked = own_case(&shared, &signed, &case).await?;
    let mut mistakes = Vec::new();
    if signed.visit.has_missed() && matches!(step(&tracked, &signed), Step::Card) {
        let text = shared.text(signed.visit.lang, "own.card_wrong");
        mistakes.push(Mistake { field: "one_time_password", text });
    }
    page_of(&shared, &signed, &tracked, &mistakes, StatusCode::OK).await
}

async fn page_of(
    shared: &Customers,
    signed: &Signed,
    tracked: &Tracked,
    mistakes: &[Mistake],
    status: StatusCode,
) -> Result<Response, Problem> {
    let lang = signed.visit.lang;
    let step = match step(tracked, signed) {
        Step::Card => "card",
        Step::Ready => "ready",
        Step::Issued => "issued",
        Step::Elsewhere => return Ok(see(&format!("/cases/{}", tracked.case))),
    };
    let left = match step {
        "card" => shared.app.attempts_left(signed.session.user, Kind::OneTimePassword).await?,
        _ => None,
    };
    if step == "card" && left.is_none() {
        return Ok(see("/locked/one_time_password"));
    }
    let values = context! {
        step,
        case => tracked.case.0,
        number => when::case_number(tracked.case.0, Moment(tracked.row.opened_at)),
        is_granted => tracked.channel == Channel::Delegated,
        left,
        until => tracked.valid_until.map(|at| when::long(at, lang)),
        wrong_allowed => shared.app.tools.rules.retrieval_max_wrong,
        mistakes => Customers::mistakes(mistakes),
    };
    Ok((status, shared.page(signed, "customer/own.html", values)?).into_response())
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Entered {
    one_time_password: String,
}

/// Proves the card, then lets the case go on. The session gets a new token.
pub(super) async fn one_time_password(
    State(shared): State<Shared>,
    signed: Signed,
    Path(case): Path<String>,
    Form(sent): Form<Entered>,
) -> Result<Response, Problem> {
    let tracked = own_case(&shared, &signed, &case).await?;
    let lang = signed.visit.lang;
    if !matches!(step(&tracked, &signed), Step::Card) {
        return Ok(see(&format!("/reissue/{}", tracked.case)));
    }
    let typed = Zeroizing::new(digits(&sent.one_time_password));
    let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
    if typed.len() != 6 || !typed.bytes().all(|byte| byte.is_ascii_digit()) {
        let text = shared.text(lang, "own.card_slip");
        let mistakes = [Mistake { field: "one_time_password", text }];
        return page_of(&shared, &signed, &tracked, &mistakes, unprocessable).await;
    }
    let token = match shared.app.enter_one_time_password(&signed.session, &typed).await {
        Ok(token) => token,
        Err(Declined::Wrong) => {
            let path = format!("/reissue/{}", tracked.case);
            return shared.missed(&signed, Kind::OneTimePassword, &path).await;
        }
        Err(Declined::Refused { code }) if code == "credential.Locked" => {
            return Ok(see("/locked/one_time_password"));
        }
        Err(other) => return Err(other.into()),
    };
    let next = see(&format!("/reissue/{}", tracked.case));
    let next = with_token(next, shared.audience, &token);
    if tracked.row.state_name != "Authenticating" {
        return Ok(next);
    }
    match shared.app.pass_one_time_password(&signed.session, tracked.case).await {
        // Declined or not, the page shows where the case stands; the new token must not be lost.
        Ok(()) | Err(Declined::Refused { .. }) => Ok(next),
        Err(other) => Err(other.into()),
    }
}

/// Makes the password for this browser, once per case, and shows it.
pub(super) async fn issue(
    State(shared): State<Shared>,
    signed: Signed,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    let tracked = own_case(&shared, &signed, &case).await?;
    let case = tracked.case;
    let issued = match tracked.channel {
        Channel::SelfService => {
            shared.app.show_own_password(&signed.session, case, &signed.ticket).await
        }
        Channel::Delegated => {
            shared.app.reveal_granted_password(&signed.session, case, &signed.ticket).await
        }
        Channel::Paper => return Err(Problem::NotFound),
    };
    match issued {
        Ok(()) => Ok(see(&format!("/reissue/{case}/password?show=1"))),
        Err(Declined::Refused { code }) if code.ends_with(".OtpMissing") => {
            Ok(see(&format!("/reissue/{case}")))
        }
        Err(Declined::Refused { code }) => declined(&shared, &signed, &code),
        Err(other) => Err(other.into()),
    }
}

/// The window with the digits. They are in the page only when they were asked for.
pub(super) async fn password(
    State(shared): State<Shared>,
    signed: Signed,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    let tracked = own_case(&shared, &signed, &case).await?;
    let values = display(&shared, &signed, &tracked).await?;
    shared.page(&signed, "customer/password.html", values)
}

/// What a page with digits shows, of path 1 and of path 2.
pub(super) async fn display(
    shared: &Customers,
    signed: &Signed,
    tracked: &Tracked,
) -> Result<minijinja::Value, Problem> {
    let lang = signed.visit.lang;
    let rules = &shared.app.tools.rules;
    let shown = match shared.app.display(&signed.session, tracked.case, &signed.ticket).await? {
        Display::Digits(shown) => Some(shown),
        Display::Gone => None,
    };
    let is_asked = !signed.visit.asked("show").is_empty();
    let window = std::time::Duration::from_secs(60 * u64::from(rules.reveal_window_minutes));
    let now = shared.app.tools.db.now().await?;
    let groups = shown.as_ref().filter(|_| is_asked).map(|shown| {
        let digits = shown.digits.expose_ascii();
        let groups = digits.chunks(4).map(|four| four.iter().copied().map(char::from).collect());
        groups.collect::<Vec<String>>()
    });
    let closes = shown.as_ref().map(|shown| shown.issued_at.plus(window));
    Ok(context! {
        case => tracked.case.0,
        number => when::case_number(tracked.case.0, Moment(tracked.row.opened_at)),
        is_here => shown.is_some(),
        groups,
        closes => closes.map(Moment::seconds),
        closes_at => closes.map(when::clock),
        window => rules.reveal_window_minutes * 60,
        now => now.seconds(),
        printed => when::long(now, lang),
        until => tracked.valid_until.map(|at| when::long(at, lang)),
        issued => shown.as_ref().map(|shown| when::long(shown.issued_at, lang)),
        is_live => matches!(tracked.tail, Some(tail::State::Waiting { .. })),
        state => crate::web::page::name(
            shared.texts(), lang, "state", &tracked.row.channel, &tracked.row.state_name,
        ),
        wrong_allowed => rules.retrieval_max_wrong,
        holder => context! {
            user_id => &tracked.row.user_id,
            name => &tracked.row.name,
            department => &tracked.row.department,
            title => &tracked.row.title,
        },
    })
}

/// "I have noted it": the copy is destroyed at once.
pub(super) async fn noted(
    State(shared): State<Shared>,
    signed: Signed,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    let tracked = own_case(&shared, &signed, &case).await?;
    note(&shared, &signed, tracked.case).await?;
    Ok(see(&format!("/reissue/{}/password", tracked.case)))
}

/// Destroys the display copy; when it is gone already, nothing is left to do.
pub(super) async fn note(shared: &Customers, signed: &Signed, case: CaseId) -> Result<(), Problem> {
    let (command, id) = (tail::Command::Noted, format!("noted-{case}"));
    match shared.app.in_tail(&signed.session, case, command, id).await {
        Ok(()) | Err(Declined::Refused { .. }) => Ok(()),
        Err(other) => Err(other.into()),
    }
}

/// Stops before anything was issued.
pub(super) async fn cancel(
    State(shared): State<Shared>,
    signed: Signed,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    let tracked = own_case(&shared, &signed, &case).await?;
    match shared.app.cancel_own_reissue(&signed.session, tracked.case).await {
        Ok(()) | Err(Declined::Refused { .. }) => Ok(see(&format!("/cases/{}", tracked.case))),
        Err(other) => Err(other.into()),
    }
}
