//! Who asks: the cookie of a member of staff and the session behind it.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::Method;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use workflows::terms::Role;

use super::{Shared, Staff, around};
use crate::customer::Declined;
use crate::policy::{Matter, Viewer, may_see};
use crate::secret::Token;
use crate::staffing::Member;
use crate::web::customer::{cookie, place_of, set_cookie, take_back};
use crate::web::error::Problem;
use crate::web::page::Visit;
use crate::web::start::Looker;

/// What the browser of a member of staff holds.
pub(in crate::web) const COOKIE: &str = "__Host-staff";
/// Where staff sign in.
pub(super) const DOOR: &str = "/sign-in";

/// A member of staff who has signed in.
pub(in crate::web) struct Signed {
    pub(in crate::web) visit: Visit,
    pub(in crate::web) member: Member,
}

impl FromRequestParts<Shared> for Signed {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Problem> {
        let visit = Visit::of(parts);
        // A form was sent to an address below its page.
        let page = match parts.method {
            Method::GET => visit.here.as_str(),
            _ => visit.here.rsplit_once('/').map_or("", |(above, _)| above),
        };
        let back = (!matches!(page, "" | "/")).then(|| page.to_owned());
        let over = || Problem::SignedOut { door: DOOR, back: back.clone() };
        let token = cookie(&parts.headers, COOKIE).and_then(Token::parse).ok_or_else(over)?;
        let place = place(shared, parts);
        match shared.app.staff_session(&token, &place).await {
            Ok(member) => Ok(Self { visit, member }),
            Err(Declined::SignedOut) => Err(over()),
            Err(other) => Err(other.into()),
        }
    }
}

/// The network address a request comes from.
pub(super) fn place(staff: &Staff, parts: &Parts) -> String {
    place_of(&staff.app.tools.config.listen.trusted_proxies, parts)
}

/// From where a sign-in comes.
pub(super) struct Arrival(pub(super) String);

impl FromRequestParts<Shared> for Arrival {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        shared: &Shared,
    ) -> Result<Self, Self::Rejection> {
        Ok(Self(place(shared, parts)))
    }
}

/// Lets a signed-in member of staff through to the pages of histories, and says who looks. Of
/// several roles the one counts that sees most.
pub(super) async fn let_in(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let signed = match Signed::from_request_parts(&mut parts, &shared).await {
        Ok(signed) => signed,
        Err(problem) => return problem.into_response(),
    };
    let seen = |role: &Role| {
        Matter::ALL.iter().filter(|matter| may_see(Viewer::Signed(*role), **matter)).count()
    };
    let Some(role) = signed.member.roles.iter().copied().max_by_key(seen) else {
        return Problem::NotFound.into_response();
    };
    let viewer = Viewer::Signed(role);
    if !may_see(viewer, Matter::History) {
        return Problem::NotFound.into_response();
    }
    let around = around(&shared, &signed);
    parts.extensions.insert(Looker { viewer, around, member: Some(Arc::new(signed.member)) });
    next.run(Request::from_parts(parts, body)).await
}

/// Hands the browser its token.
pub(super) fn with_token(mut response: Response, token: &Token) -> Response {
    set_cookie(&mut response, COOKIE, &token.expose());
    response
}

/// Takes it back.
pub(super) fn without_token(mut response: Response) -> Response {
    take_back(&mut response, COOKIE);
    response
}
