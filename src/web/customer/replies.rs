//! What the operations decline, as the pages answer it.

use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use engine::CaseId;
use tower_http::csrf::ProtectionError;

use crate::customer::Declined;
use crate::web::error::Problem;

impl From<Declined> for Problem {
    fn from(declined: Declined) -> Self {
        match declined {
            Declined::SignedOut => Self::SignedOut { door: "/sign-in", back: None },
            Declined::NotFound => Self::NotFound,
            Declined::Refused { code } => Self::Refused { code },
            // Pages with a field to mend answer these themselves.
            Declined::NotAccepted
            | Declined::Wrong
            | Declined::Mistyped(_)
            | Declined::MistypedCode(_)
            | Declined::Unfit(_) => Self::Refused { code: "credential.NotNow".to_owned() },
            Declined::Fault(source) => Self::Fault { source },
        }
    }
}

/// Answers a form that another site has sent in the visitor's name.
pub(in crate::web) fn from_elsewhere(_: ProtectionError) -> Response {
    Problem::FromElsewhere.into_response()
}

/// Some addresses only take forms. Who comes to one by a link, such as the one to the other
/// language, is led to the page whose form it is: the address above.
pub(super) async fn above(uri: Uri) -> Response {
    let path = uri.path().rsplit_once('/').map_or("/", |(above, _)| above);
    match uri.query() {
        Some(query) => super::see(&format!("{path}?{query}")),
        None => super::see(path),
    }
}

/// The case that an address names; nonsense names none.
pub(in crate::web) fn case_named(text: &str) -> Result<CaseId, Problem> {
    text.parse().map(CaseId).map_err(|_| Problem::NotFound)
}
