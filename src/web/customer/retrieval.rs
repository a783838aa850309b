//! The retrieval of the certificate (電子証明書取得): type the digits, fetch the file.
//!
//! With JavaScript the key is made in the browser and never leaves it; without, it is made here and
//! kept sealed for the refetch window. The same addresses serve both: a script asks for JSON.

use std::collections::BTreeMap;

use axum::Form;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine::{CaseId, Moment};
use minijinja::context;
use pki::BundlePassword;
use serde::Deserialize;
use serde_json::json;
use workflows::credential::Kind;
use zeroize::Zeroizing;

use super::replies::case_named;
use super::{Customers, Mistake, Shared, Signed, see};
use crate::customer::{Declined, Fetched, Progress, Tracked};
use crate::secret::DigitsFault;
use crate::web::error::Problem;
use crate::web::page;
use crate::web::when;

/// PKCS#10 in PEM for a P-256 key is about 500 bytes, for RSA about 1,500.
const LONGEST_REQUEST: usize = 8 * 1024;

pub(super) async fn show(
    State(shared): State<Shared>,
    signed: Signed,
) -> Result<Response, Problem> {
    let mut mistakes = Vec::new();
    if signed.visit.has_missed() {
        let left = shared.app.attempts_left(signed.session.user, Kind::Retrieval).await?;
        let text = left.map(|left| shared.counted(signed.visit.lang, "retrieval.wrong", &left));
        mistakes.extend(text.map(|text| Mistake { field: "digits", text }));
    }
    entry(&shared, &signed, &mistakes, StatusCode::OK).await
}

async fn entry(
    shared: &Customers,
    signed: &Signed,
    mistakes: &[Mistake],
    status: StatusCode,
) -> Result<Response, Problem> {
    let user = signed.session.user;
    let (state, left) = shared.app.credential_standing(user, Kind::Retrieval).await?;
    let own = shared.app.own_cases(&signed.session).await?;
    let going_on = going_on(shared, signed, &own).await?;
    let granted = own.iter().find(|tracked| tracked.row.state_name == "Granted");
    let until = own.iter().find_map(|tracked| tracked.valid_until);
    let values = context! {
        state,
        left,
        going_on => going_on.map(|case| case.0),
        granted => granted.map(|tracked| tracked.case.0),
        until => until.map(|at| when::long(at, signed.visit.lang)),
        wrong_allowed => shared.app.tools.rules.retrieval_max_wrong,
        mistakes => Customers::mistakes(mistakes),
        subject => &signed.head.user_id,
        filename => filename(&signed.head.user_id),
        words => words(shared, signed),
    };
    Ok((status, shared.page(signed, "customer/retrieval.html", values)?).into_response())
}

/// The customer's case whose digits were taken and whose certificate is still to be fetched.
async fn going_on(
    shared: &Customers,
    signed: &Signed,
    own: &[Tracked],
) -> Result<Option<CaseId>, Problem> {
    for tracked in own.iter().filter(|tracked| !tracked.is_over()) {
        match shared.app.progress(&signed.session, tracked.case).await? {
            Progress::Making | Progress::File { .. } | Progress::Browser { .. } => {
                return Ok(Some(tracked.case));
            }
            Progress::Closed | Progress::None => {}
        }
    }
    Ok(None)
}

/// What the script says while it works, in the reader's language.
fn words(shared: &Customers, signed: &Signed) -> minijinja::Value {
    let names = [
        "making",
        "asking",
        "waiting",
        "packing",
        "ready",
        "save",
        "failed",
        "lost",
        "again_text",
        "slip",
        "mismatch",
        "weak",
        "plain",
    ];
    let text = |name: &str| shared.text(signed.visit.lang, &format!("retrieval.{name}"));
    let words: BTreeMap<&str, String> = names.into_iter().map(|name| (name, text(name))).collect();
    super::given(words)
}

fn filename(user_id: &str) -> String {
    format!("certificate-{user_id}.p12")
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Entered {
    digits: String,
    csr: String,
}

/// A request is looked at before the password is used up for it.
fn read_request(csr: &str) -> Result<Option<String>, ()> {
    if csr.is_empty() {
        return Ok(None);
    }
    if csr.len() > LONGEST_REQUEST || pki::Request::from_pem(csr).is_err() {
        return Err(());
    }
    Ok(Some(csr.to_owned()))
}

/// Enters the digits. A right entry uses the password and has the certificate made.
pub(super) async fn claim(
    State(shared): State<Shared>,
    signed: Signed,
    Form(sent): Form<Entered>,
) -> Result<Response, Problem> {
    let typed = Zeroizing::new(sent.digits);
    let lang = signed.visit.lang;
    let Ok(csr) = read_request(&sent.csr) else {
        return mistaken(&shared, &signed, shared.text(lang, "retrieval.request_slip"), None).await;
    };
    match shared.app.claim(&signed.session, &typed, csr).await {
        Ok(case) if signed.visit.wants_json => {
            let chain = format!("/certificate/{case}/chain");
            Ok(axum::Json(json!({ "case": case.0, "chain": chain })).into_response())
        }
        Ok(case) => Ok(see(&format!("/certificate/{case}"))),
        Err(Declined::Mistyped(fault)) => {
            let key = match fault {
                DigitsFault::Length => "retrieval.length_slip",
                DigitsFault::Character => "retrieval.character_slip",
                DigitsFault::Check => "retrieval.check_slip",
            };
            mistaken(&shared, &signed, shared.text(lang, key), None).await
        }
        Err(Declined::Wrong) if !signed.visit.wants_json => {
            shared.missed(&signed, Kind::Retrieval, "/certificate").await
        }
        Err(Declined::Wrong) => {
            let left = shared.app.attempts_left(signed.session.user, Kind::Retrieval).await?;
            match left {
                Some(left) => {
                    let text = shared.counted(lang, "retrieval.wrong", &left);
                    mistaken(&shared, &signed, text, None).await
                }
                None => locked(&shared, &signed).await,
            }
        }
        Err(Declined::Refused { code }) if code == "credential.Locked" => {
            locked(&shared, &signed).await
        }
        Err(Declined::Refused { code }) => refused(&shared, &signed, &code).await,
        Err(other) => Err(other.into()),
    }
}

/// The digits were taken before, and only the answer was lost: it goes on where the file is.
async fn refused(shared: &Customers, signed: &Signed, code: &str) -> Result<Response, Problem> {
    if code == "credential.Used" && !signed.visit.wants_json {
        let own = shared.app.own_cases(&signed.session).await?;
        if let Some(case) = going_on(shared, signed, &own).await? {
            return Ok(see(&format!("/certificate/{case}")));
        }
    }
    let (workflow, refusal) = code.split_once('.').unwrap_or(("credential", code));
    let text = page::name(shared.texts(), signed.visit.lang, "refusal", workflow, refusal);
    mistaken(shared, signed, text, None).await
}

async fn locked(shared: &Customers, signed: &Signed) -> Result<Response, Problem> {
    if signed.visit.wants_json {
        let text = shared.text(signed.visit.lang, "locked.retrieval_title");
        return mistaken(shared, signed, text, Some("/locked/retrieval")).await;
    }
    Ok(see("/locked/retrieval"))
}

/// The same page with what is wrong; to a script, the words alone.
async fn mistaken(
    shared: &Customers,
    signed: &Signed,
    text: String,
    next: Option<&str>,
) -> Result<Response, Problem> {
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    if signed.visit.wants_json {
        return Ok((status, axum::Json(json!({ "error": text, "next": next }))).into_response());
    }
    entry(shared, signed, &[Mistake { field: "digits", text }], status).await
}

/// Where the certificate of a claimed case is fetched.
pub(super) async fn fetch_page(
    State(shared): State<Shared>,
    signed: Signed,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    fetching(&shared, &signed, &case, &[], StatusCode::OK).await
}

async fn fetching(
    shared: &Customers,
    signed: &Signed,
    case: &str,
    mistakes: &[Mistake],
    status: StatusCode,
) -> Result<Response, Problem> {
    let case = case_named(case)?;
    let progress = shared.app.progress(&signed.session, case).await?;
    let (name, until) = match progress {
        Progress::Making => ("making", None),
        Progress::File { until } => ("file", Some(until)),
        Progress::Browser { until } => ("browser", Some(until)),
        Progress::Closed => ("closed", None),
        Progress::None => return Ok(see(&format!("/cases/{case}"))),
    };
    let tracked = shared.app.case_for(&signed.session, case).await?;
    let values = context! {
        progress => name,
        case => case.0,
        number => when::case_number(case.0, Moment(tracked.row.opened_at)),
        is_over => tracked.is_over(),
        until => until.map(|at| when::long(at, signed.visit.lang)),
        mistakes => Customers::mistakes(mistakes),
        subject => &signed.head.user_id,
        filename => filename(&signed.head.user_id),
        words => words(shared, signed),
    };
    Ok((status, shared.page(signed, "customer/fetch.html", values)?).into_response())
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Wrapping {
    p12_password: String,
    p12_password_again: String,
}

/// The file whose key was made here, under a password of the customer's choosing or none.
pub(super) async fn file(
    State(shared): State<Shared>,
    signed: Signed,
    Path(case): Path<String>,
    Form(sent): Form<Wrapping>,
) -> Result<Response, Problem> {
    let number = case_named(&case)?;
    let chosen = Zeroizing::new(sent.p12_password);
    let again = Zeroizing::new(sent.p12_password_again);
    let slip = |key: &str| {
        let text = shared.text(signed.visit.lang, key);
        [Mistake { field: "p12_password", text }]
    };
    let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
    if *chosen != *again {
        let mistakes = slip("fetch.unequal");
        return fetching(&shared, &signed, &case, &mistakes, unprocessable).await;
    }
    let password = if chosen.is_empty() {
        BundlePassword::empty()
    } else {
        match BundlePassword::new(&chosen).ok().filter(|_| is_usable(&chosen)) {
            Some(password) => password,
            None => {
                let mistakes = slip("fetch.unusable");
                return fetching(&shared, &signed, &case, &mistakes, unprocessable).await;
            }
        }
    };
    match shared.app.progress(&signed.session, number).await? {
        Progress::Making | Progress::File { .. } => {}
        _ => return Ok(see(&format!("/certificate/{number}"))),
    }
    match shared.app.fetch(&signed.session, number, &password).await {
        Ok(Fetched::Bundle(bundle)) => Ok(attachment(&signed, bundle.to_vec())),
        // The window closed while the page was read, or the key was made in the browser.
        Ok(Fetched::Chain(_)) | Err(Declined::Refused { .. } | Declined::NotFound) => {
            Ok(see(&format!("/certificate/{number}")))
        }
        Err(other) => Err(other.into()),
    }
}

/// What every reader of such files encodes alike, and long enough to be worth it.
fn is_usable(password: &str) -> bool {
    (8..=64).contains(&password.len())
        && password.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
}

fn attachment(signed: &Signed, bundle: Vec<u8>) -> Response {
    let name = filename(&signed.head.user_id);
    let mut response = bundle.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-pkcs12"));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

/// The certificate and its chain for a key in the browser; 202 while it is being made.
pub(super) async fn chain(
    State(shared): State<Shared>,
    signed: Signed,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    let case = case_named(&case)?;
    match shared.app.chain(&signed.session, case).await? {
        Some(pem) => Ok(([(header::CONTENT_TYPE, "application/x-pem-file")], pem).into_response()),
        None => Ok(StatusCode::ACCEPTED.into_response()),
    }
}

/// Another certificate for another key in the browser, within the window.
pub(super) async fn refetch(
    State(shared): State<Shared>,
    signed: Signed,
    Path(case): Path<String>,
    Form(sent): Form<Entered>,
) -> Result<Response, Problem> {
    let case = case_named(&case)?;
    // Answers a case of somebody else like none.
    shared.app.progress(&signed.session, case).await?;
    let lang = signed.visit.lang;
    let Ok(Some(csr)) = read_request(&sent.csr) else {
        let text = shared.text(lang, "retrieval.request_slip");
        let body = json!({ "error": text, "next": null });
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, axum::Json(body)).into_response());
    };
    shared.app.refetch(&signed.session, case, csr).await?;
    let chain = format!("/certificate/{case}/chain");
    Ok(axum::Json(json!({ "case": case.0, "chain": chain })).into_response())
}
