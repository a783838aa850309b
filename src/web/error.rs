//! What goes wrong while answering a request: the only place that chooses status and page.
//!
//! A fault is logged once, here, with everything that caused it; the page shows a reference number
//! to find it by, and nothing of the inside.

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use minijinja::context;

use super::page::{Frame, Visit};

/// Why a request is not answered with what it asked for.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// There is nothing here, or nothing that this visitor may see: both look the same.
    #[error("nothing is found there")]
    NotFound,
    /// The address exists, but not for this method.
    #[error("the method is not allowed there")]
    MethodNotAllowed,
    /// More was sent than is accepted.
    #[error("the request is too large")]
    TooLarge,
    /// What was sent is not what the page's own form sends.
    #[error("the request cannot be read")]
    Unreadable,
    /// The request names a host that is not ours.
    #[error("the request names another host")]
    Misdirected,
    /// Nobody is signed in, or not any more.
    #[error("nobody is signed in")]
    SignedOut {
        /// Where one signs in.
        door: &'static str,
        /// The page to come back to.
        back: Option<String>,
    },
    /// A workflow declined; the page says why, and the way out.
    #[error("declined: {code}")]
    Refused {
        /// `workflow.Refusal`, the key of the text.
        code: String,
    },
    /// Another site has sent a form in the visitor's name.
    #[error("the request comes from another site")]
    FromElsewhere,
    /// Too many tries from one place.
    #[error("too many tries from one place")]
    TooMany,
    /// The engine or the database failed.
    #[error("a page could not be made")]
    Fault {
        /// What failed.
        source: engine::Fault,
    },
    /// A page could not be drawn.
    #[error("template {template} could not be filled")]
    Template {
        /// Its name.
        template: String,
        /// What is wrong with it.
        source: minijinja::Error,
    },
    /// An answer could not be written as JSON or CSV.
    #[error("an answer could not be written")]
    Unwritable {
        /// The writer's word.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl From<engine::Fault> for Problem {
    fn from(source: engine::Fault) -> Self {
        Self::Fault { source }
    }
}

impl Problem {
    /// The status, and the name under which its texts stand.
    fn face(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Self::Unreadable => (StatusCode::BAD_REQUEST, "unreadable"),
            Self::Misdirected => (StatusCode::MISDIRECTED_REQUEST, "misdirected"),
            Self::SignedOut { .. } => (StatusCode::UNAUTHORIZED, "signed_out"),
            Self::Refused { .. } => (StatusCode::CONFLICT, "refused"),
            Self::FromElsewhere => (StatusCode::FORBIDDEN, "elsewhere"),
            Self::TooMany => (StatusCode::TOO_MANY_REQUESTS, "too_many"),
            Self::Fault { source } if source.is_transient() => {
                (StatusCode::SERVICE_UNAVAILABLE, "busy")
            }
            Self::Fault { .. } | Self::Template { .. } | Self::Unwritable { .. } => {
                (StatusCode::INTERNAL_SERVER_ERROR, "fault")
            }
        }
    }
}

/// Carries a problem from a handler to where the page is drawn.
#[derive(Clone)]
struct Carried(std::sync::Arc<Problem>);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.face().0.into_response();
        response.extensions_mut().insert(Carried(std::sync::Arc::new(self)));
        response
    }
}

/// Draws a page for whatever a handler, or the router itself, could not answer.
pub(super) async fn shown(State(frame): State<Frame>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let mut visit = Visit::of(&parts);
    // A page that says what went wrong repeats nothing of what was asked.
    visit.query.clear();
    let mut response = next.run(Request::from_parts(parts, body)).await;
    if let Some(Carried(problem)) = response.extensions_mut().remove::<Carried>() {
        return drawn(&frame, &visit, &problem);
    }
    if response.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return drawn(&frame, &visit, &Problem::TooLarge);
    }
    if is_bare(&response) {
        return drawn(&frame, &visit, &Problem::Unreadable);
    }
    response
}

/// What the framework says of a request that it cannot read is for programmers.
fn is_bare(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_plain = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    let status = response.status();
    is_plain
        && [
            StatusCode::BAD_REQUEST,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            StatusCode::UNPROCESSABLE_ENTITY,
        ]
        .contains(&status)
}

/// The page of a problem.
pub(super) fn page(frame: &Frame, visit: &Visit, problem: &Problem) -> Response {
    drawn(frame, visit, problem)
}

fn drawn(frame: &Frame, visit: &Visit, problem: &Problem) -> Response {
    if let (Problem::SignedOut { door, back }, false) = (problem, visit.wants_json) {
        return to_the_door(door, back.as_deref());
    }
    let (status, name) = problem.face();
    let is_ours = status.is_server_error();
    let reference = if is_ours { reference(frame) } else { String::new() };
    if is_ours {
        tracing::error!(reference, error = %engine::chain(problem), "a request failed");
    }
    let why = why(frame, visit, problem);
    if visit.wants_json {
        let title = format!("web.error.{name}_title");
        let words = why.or_else(|| frame.pages.texts().find(visit.lang, &title).map(Into::into));
        let next = match problem {
            Problem::SignedOut { door, .. } => Some(format!("{door}?over=1")),
            _ => None,
        };
        let body = serde_json::json!({
            "code": name, "reference": reference, "error": words, "next": next,
        });
        return (status, axum::Json(body)).into_response();
    }
    let values =
        context! { name, status => status.as_u16(), reference => &reference, is_ours, why };
    let values = context! { ..values, ..frame.layout.clone() };
    match frame.pages.render(visit, "error.html", values) {
        Ok(page) => (status, axum::response::Html(page)).into_response(),
        // The page of last resort: when even the error page cannot be drawn.
        Err(broken) => {
            tracing::error!(reference, error = %engine::chain(&broken), "the error page failed");
            (status, format!("{}\n{reference}\n", status.as_u16())).into_response()
        }
    }
}

/// Whoever is not signed in is sent to where one signs in, and from there back again.
fn to_the_door(door: &str, back: Option<&str>) -> Response {
    let mut query = std::collections::BTreeMap::from([("over".to_owned(), "1".to_owned())]);
    if let Some(back) = back {
        query.insert("back".to_owned(), back.to_owned());
    }
    axum::response::Redirect::to(&super::page::address(door, &query)).into_response()
}

/// Why a workflow declined, in the reader's words.
fn why(frame: &Frame, visit: &Visit, problem: &Problem) -> Option<String> {
    let Problem::Refused { code } = problem else { return None };
    let (workflow, refusal) = code.split_once('.')?;
    Some(super::page::name(frame.pages.texts(), visit.lang, "refusal", workflow, refusal))
}

/// Eight letters that are not mistaken for one another on the telephone.
fn reference(frame: &Frame) -> String {
    const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut bytes = [0_u8; 8];
    (frame.entropy)(&mut bytes);
    let letter = |byte: &u8| LETTERS.get(usize::from(byte % 32)).copied().map_or('0', char::from);
    bytes.iter().map(letter).collect()
}
