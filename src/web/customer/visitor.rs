//! Who asks: the cookies, the session behind them, and the certificate it is bound to.

use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::Method;
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::request::Parts;
use axum::response::Response;
use sha2::{Digest, Sha256};

use super::{Audience, Customers, Shared};
use crate::customer::{Declined, Session, SignedIn, Site};
use crate::secret::{Ticket, Token};
use crate::store::tracking::Visitor;
use crate::web::error::Problem;
use crate::web::page::Visit;
use crate::web::serve::Peer;

/// What a browser holds that has entered an enrolment code.
pub(in crate::web) const ENROLMENT_COOKIE: &str = "__Host-enrolment";

impl Audience {
    /// Cookies do not tell ports apart, so each audience has names of its own.
    const fn session_cookie(self) -> &'static str {
        match self {
            Self::Password => "__Host-session",
            Self::Certificate => "__Host-member",
        }
    }

    const fn ticket_cookie(self) -> &'static str {
        match self {
            Self::Password => "__Host-ticket",
            Self::Certificate => "__Host-member-ticket",
        }
    }

    /// Where somebody who is not signed in is sent.
    pub(in crate::web) const fn door(self) -> &'static str {
        match self {
            Self::Password => "/sign-in",
            Self::Certificate => "/",
        }
    }
}

/// Somebody who has signed in.
pub(in crate::web) struct Signed {
    pub(in crate::web) visit: Visit,
    pub(in crate::web) session: Session,
    /// Opens the display copies made for this browser.
    pub(in crate::web) ticket: Ticket,
    pub(in crate::web) head: Visitor,
}

impl FromRequestParts<Shared> for Signed {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Problem> {
        let visit = Visit::of(parts);
        let back = (parts.method == Method::GET).then(|| visit.here.clone());
        let door = shared.audience.door();
        let over = || Problem::SignedOut { door, back: back.clone() };
        let cookie = |name| cookie(&parts.headers, name).and_then(Token::parse);
        let token = cookie(shared.audience.session_cookie()).ok_or_else(over)?;
        // A browser that lost its ticket may go on; it only sees no digits that were sealed to it.
        let ticket = cookie(shared.audience.ticket_cookie())
            .unwrap_or_else(|| Token::generate(&shared.app.tools.entropy));
        let place = place(shared, parts);
        let site = match shared.audience {
            Audience::Password => Site::Customers,
            Audience::Certificate => Site::Certificate { fingerprint: fingerprint(parts) },
        };
        let (session, head) = match shared.app.signed_in(&token, &place, site).await {
            Ok(found) => found,
            Err(Declined::SignedOut) => return Err(over()),
            Err(other) => return Err(other.into()),
        };
        Ok(Self { visit, session, ticket, head })
    }
}

/// SHA-256 of the certificate whose key the peer has proven to hold.
pub(in crate::web) fn fingerprint(parts: &Parts) -> Option<[u8; 32]> {
    let peer = parts.extensions.get::<Peer>()?;
    Some(Sha256::digest(peer.certificate.as_ref()?).into())
}

/// The network address a request comes from; a proxy is believed only when it is configured.
pub(in crate::web) fn place(shared: &Customers, parts: &Parts) -> String {
    place_of(&shared.app.tools.config.listen.trusted_proxies, parts)
}

/// The same on any site.
pub(in crate::web) fn place_of(trusted: &[IpAddr], parts: &Parts) -> String {
    let Some(peer) = parts.extensions.get::<Peer>() else { return String::new() };
    let direct = peer.address.ip();
    let forwarded = forwarded(&parts.headers).filter(|_| trusted.contains(&direct));
    forwarded.unwrap_or(direct).to_string()
}

/// The last address is the one that our own proxy has seen.
fn forwarded(headers: &HeaderMap) -> Option<IpAddr> {
    let value = headers.get("x-forwarded-for")?.to_str().ok()?;
    value.rsplit(',').next()?.trim().parse().ok()
}

/// The value of a cookie.
pub(in crate::web) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).iter();
    let texts = cookies.filter_map(|value| value.to_str().ok());
    let mut pairs = texts.flat_map(|text| text.split(';'));
    pairs.find_map(|pair| {
        let (found, value) = pair.trim().split_once('=')?;
        (found == name).then_some(value)
    })
}

/// Hands the browser its new token, as at every rise of privilege.
pub(in crate::web) fn with_token(
    mut response: Response,
    audience: Audience,
    token: &Token,
) -> Response {
    set(&mut response, audience.session_cookie(), &token.expose());
    response
}

/// Hands the browser what a sign-in gives.
pub(in crate::web) fn with_sign_in(
    response: Response,
    audience: Audience,
    signed_in: &SignedIn,
) -> Response {
    let mut response = with_token(response, audience, &signed_in.token);
    set(&mut response, audience.ticket_cookie(), &signed_in.ticket.expose());
    response
}

/// Takes both cookies back.
pub(in crate::web) fn without_cookies(mut response: Response, audience: Audience) -> Response {
    for name in [audience.session_cookie(), audience.ticket_cookie()] {
        take_back(&mut response, name);
    }
    response
}

/// Hands the browser what entering an enrolment code gives.
pub(in crate::web) fn with_enrolment(mut response: Response, token: &Token) -> Response {
    set(&mut response, ENROLMENT_COOKIE, &token.expose());
    response
}

/// Takes it back.
pub(in crate::web) fn without_enrolment(mut response: Response) -> Response {
    take_back(&mut response, ENROLMENT_COOKIE);
    response
}

/// Takes a cookie back.
pub(in crate::web) fn take_back(response: &mut Response, name: &str) {
    append(response, &format!("{name}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict"));
}

/// Hands the browser a cookie that only we see, for this browser's session.
pub(in crate::web) fn set(response: &mut Response, name: &str, value: &str) {
    append(response, &format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Strict"));
}

fn append(response: &mut Response, cookie: &str) {
    if let Ok(mut value) = HeaderValue::from_str(cookie) {
        value.set_sensitive(true);
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; __Host-session=abc; b=2"));
        headers.append(header::COOKIE, HeaderValue::from_static("c=3"));
        assert_eq!(cookie(&headers, "__Host-session"), Some("abc"));
        assert_eq!(cookie(&headers, "c"), Some("3"));
        assert_eq!(cookie(&headers, "session"), None);
    }

    #[test]
    fn the_last_forwarded_address_counts() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_static("203.0.113.9, 198.51.100.7"));
        assert_eq!(forwarded(&headers), "198.51.100.7".parse().ok());
        headers.insert("x-forwarded-for", HeaderValue::from_static("nonsense"));
        assert_eq!(forwarded(&headers), None);
    }
}
