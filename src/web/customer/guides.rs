//! How a certificate file gets into a browser, with pictures of our own.

use axum::extract::{FromRequestParts, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::Response;
use minijinja::context;

use super::Shared;
use crate::web::error::Problem;
use crate::web::page::Visit;

/// Where a certificate can be kept.
const GUIDES: [&str; 4] = ["windows", "firefox", "macos", "linux"];

/// The guide that fits the browser, as far as it tells.
pub(super) struct Fitting(&'static str);

impl FromRequestParts<Shared> for Fitting {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, Self::Rejection> {
        let agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        Ok(Self(fitting(agent.unwrap_or_default())))
    }
}

/// Firefox keeps certificates itself; every other browser leaves them to the system.
fn fitting(agent: &str) -> &'static str {
    if agent.contains("Firefox/") {
        "firefox"
    } else if agent.contains("Macintosh") || agent.contains("iPhone") {
        "macos"
    } else if agent.contains("Linux") && !agent.contains("Android") {
        "linux"
    } else {
        "windows"
    }
}

pub(super) async fn show(
    State(shared): State<Shared>,
    visit: Visit,
    Fitting(fitting): Fitting,
) -> Result<Response, Problem> {
    let asked = GUIDES.into_iter().find(|guide| *guide == visit.asked("for"));
    let guide = asked.unwrap_or(fitting);
    let values = context! { guide, guides => GUIDES };
    shared.open_page(&visit, "customer/guides.html", values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guide_fits_the_browser() {
        assert_eq!(fitting("Mozilla/5.0 (Windows NT 10.0) Gecko Firefox/140.0"), "firefox");
        assert_eq!(fitting("Mozilla/5.0 (Macintosh) Version/18 Safari/605"), "macos");
        assert_eq!(fitting("Mozilla/5.0 (X11; Linux x86_64) Chrome/146"), "linux");
        assert_eq!(fitting("Mozilla/5.0 (Windows NT 10.0) Chrome/146 Edg/146"), "windows");
    }
}
