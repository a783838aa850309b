//! Where a visitor of the certificate site stands, and the revocation list.
//!
//! The handshake proves possession of a key and nothing else. Who the visitor is, is asked of the
//! desk at every request, so that a certificate revoked a second ago opens nothing.

use std::future::Future;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use engine::{CaseId, Fault, Moment};
use minijinja::context;
use minijinja::value::{Serde, Value};
use serde::Serialize;

use super::error::Problem;
use super::page::{Frame, Pages, Visit as Reader, framed};
use super::when;

/// Judges certificates; implemented by the application.
pub trait CertificateDesk: Send + Sync + 'static {
    /// Who holds the certificate whose key was proven, and whether it counts now. A first visit
    /// may complete the case that made the certificate.
    fn visit(
        &self,
        fingerprint: [u8; 32],
        der: &[u8],
        place: &str,
    ) -> impl Future<Output = Result<Visit, Fault>> + Send;

    /// The list of revoked certificates in force, DER.
    fn revocations(&self) -> impl Future<Output = Result<Vec<u8>, Fault>> + Send;
}

/// What the desk says of a visitor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "visit", rename_all = "snake_case")]
pub enum Visit {
    /// An active certificate of ours.
    Welcome {
        /// The user's name.
        user: String,
        /// The company's name.
        company: String,
        /// Hexadecimal.
        serial: String,
        /// End of validity.
        #[serde(serialize_with = "as_iso")]
        not_after: Moment,
        /// The case that this first visit completed.
        case_completed: Option<CaseId>,
    },
    /// Nothing was presented.
    NoCertificate,
    /// Not one of ours.
    Foreign,
    /// Ours once.
    Revoked {
        /// The reason's name, for the texts.
        reason: String,
    },
    /// Held while a case runs or a suspicion stands.
    Held,
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYetValid,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn as_iso<S: serde::Serializer>(moment: &Moment, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&when::iso(*moment))
}

impl Visit {
    /// The name under which its texts stand.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Welcome { .. } => "welcome",
            Self::NoCertificate => "no_certificate",
            Self::Foreign => "foreign",
            Self::Revoked { .. } => "revoked",
            Self::Held => "held",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
        }
    }

    /// Icon and tint.
    pub fn face(&self) -> (&'static str, &'static str) {
        match self {
            Self::Welcome { .. } => ("check", "ok"),
            Self::NoCertificate => ("badge", "info"),
            Self::Foreign | Self::Revoked { .. } => ("cross", "err"),
            Self::Held => ("hand", "warn"),
            Self::Expired | Self::NotYetValid => ("clock", "warn"),
        }
    }

    fn is_welcome(&self) -> bool {
        matches!(self, Self::Welcome { .. })
    }
}

/// The revocation list alone: for a plain HTTP listener, which clients need in order to check a
/// certificate before they trust any HTTPS.
pub fn revocation_router<D: CertificateDesk>(desk: Arc<D>, frame: Frame) -> Router {
    let router = Router::new().route("/crl/issuing.crl", get(list::<D>)).with_state(desk);
    framed(router, frame)
}

/// The page that tells a visitor where they stand; `more` is what the site adds, such as its
/// sign-in.
///
/// # Errors
/// [`Problem::Template`].
pub fn show(
    pages: &Pages,
    reader: &Reader,
    visit: &Visit,
    more: Value,
) -> Result<Response, Problem> {
    let status = if visit.is_welcome() { StatusCode::OK } else { StatusCode::FORBIDDEN };
    if reader.wants_json {
        return Ok((status, Json(visit)).into_response());
    }
    let reason = match visit {
        Visit::Revoked { reason } => {
            Some(super::page::name(pages.texts(), reader.lang, "revocation", "", reason))
        }
        _ => None,
    };
    let until = match visit {
        Visit::Welcome { not_after, .. } => Some(when::long(*not_after, reader.lang)),
        _ => None,
    };
    let (icon, tint) = visit.face();
    let values = context! {
        name => visit.name(),
        icon_name => icon,
        tint,
        reason,
        until,
        visit => Serde(visit),
        ..more
    };
    let page = pages.show(reader, "certificate.html", values)?;
    Ok((status, page).into_response())
}

async fn list<D: CertificateDesk>(State(desk): State<Arc<D>>) -> Result<Response, Problem> {
    let bytes = desk.revocations().await?;
    let headers = [
        (header::CONTENT_TYPE, "application/pkix-crl"),
        (header::CACHE_CONTROL, "public, max-age=300"),
    ];
    Ok((headers, bytes).into_response())
}
