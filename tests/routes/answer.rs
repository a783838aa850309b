//! One request to a router, and what it answers.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use saihakko::web::serve::Peer;
use tower::ServiceExt;

/// Who asks: cookies and certificate.
#[derive(Clone, Default)]
pub(crate) struct Visitor {
    /// As a browser sends them.
    pub(crate) cookies: String,
    /// DER of the certificate whose key was proven.
    pub(crate) certificate: Option<Arc<[u8]>>,
}

/// A request under construction.
pub(crate) struct Ask<'a> {
    router: &'a Router,
    host: &'a str,
    method: Method,
    path: &'a str,
    visitor: Visitor,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

/// What came back.
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: StatusCode,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body, slashes as browsers read them.
    pub(crate) body: String,
    /// The same as it came.
    pub(crate) bytes: Vec<u8>,
}

impl<'a> Ask<'a> {
    pub(crate) fn get(router: &'a Router, host: &'a str, path: &'a str) -> Self {
        let (method, visitor) = (Method::GET, Visitor::default());
        Self { router, host, method, path, visitor, headers: Vec::new(), body: Vec::new() }
    }

    /// A form as our own pages send it.
    pub(crate) fn post(router: &'a Router, host: &'a str, path: &'a str, form: &str) -> Self {
        let mut ask = Self::get(router, host, path);
        ask.method = Method::POST;
        form.as_bytes().clone_into(&mut ask.body);
        ask.with("content-type", "application/x-www-form-urlencoded")
    }

    pub(crate) fn by(mut self, visitor: &Visitor) -> Self {
        self.visitor = visitor.clone();
        self
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        if !value.is_empty() {
            self.headers.push((name, value.to_owned()));
        }
        self
    }

    pub(crate) fn body(mut self, body: Vec<u8>) -> Self {
        self.body = body;
        self
    }

    pub(crate) async fn send(self) -> Answer {
        let mut request = Request::builder().method(self.method).uri(self.path);
        if !self.host.is_empty() {
            request = request.header(header::HOST, self.host);
        }
        if !self.visitor.cookies.is_empty() {
            request = request.header(header::COOKIE, &self.visitor.cookies);
        }
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let mut request = request.body(Body::from(self.body)).unwrap();
        let address = SocketAddr::from(([203, 0, 113, 24], 40_000));
        let certificate = self.visitor.certificate.clone();
        request.extensions_mut().insert(Peer { address, certificate });
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 64 << 20).await.unwrap();
        let text = String::from_utf8_lossy(&body).replace("&#x2f;", "/");
        let bytes = body.to_vec();
        Answer { status: parts.status, headers: parts.headers, body: text, bytes }
    }
}

impl Answer {
    /// One header as text; empty when it is missing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Every cookie that is set.
    pub(crate) fn cookies(&self) -> Vec<&str> {
        self.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect()
    }

    /// What stands between the head and the foot of the page.
    pub(crate) fn main(&self) -> &str {
        let (_, rest) = self.body.split_once("<main").unwrap_or_else(|| panic!("{}", self.body));
        rest.split_once("</main>").map_or(rest, |(main, _)| main)
    }
}
