//! A browser as far as the pages need one: cookies, forms, redirections, a client certificate.
//!
//! Every request has a connection of its own, so that a kill cuts off what is under way and
//! nothing else.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use hyper::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName,
};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use super::driver::{Driver, PATIENCE};

/// Redirections that are followed at most.
const HOPS: usize = 6;
/// No page is larger.
const LARGEST: usize = 4 << 20;
/// People press reload no faster than that.
const RELOAD: Duration = Duration::from_millis(15);

/// Which of the customers' two sites.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Site {
    /// A password signs in.
    Customers,
    /// A certificate is asked for.
    Certificate,
}

/// Where the sites answer, before and after every kill.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    /// The customers' site.
    pub(crate) customers: u16,
    /// The certificate site.
    pub(crate) certificate: u16,
}

/// Why nothing came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// Nobody answered: nothing was sent.
    Down,
    /// The request was sent, and nobody knows what became of it.
    Lost,
}

/// What came back in the end, all redirections followed.
pub(crate) struct Page {
    /// The status.
    pub(crate) status: StatusCode,
    /// The path and query that were shown.
    pub(crate) here: String,
    /// The body.
    pub(crate) bytes: Vec<u8>,
}

/// A browser of one person; its clones are tabs that share the cookies.
#[derive(Clone)]
pub(crate) struct Browser {
    tls: TlsConnector,
    ports: Ports,
    /// Cookies do not tell ports apart: both sites see all of them.
    cookies: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Browser {
    /// A browser without a certificate, which trusts the bank's root.
    pub(crate) fn new(ports: Ports, root: &pki::Certificate) -> Self {
        let config = trusting(root).with_no_client_auth();
        Self { tls: TlsConnector::from(Arc::new(config)), ports, cookies: Arc::default() }
    }

    /// Another browser, into which a .p12 without a password was imported.
    pub(crate) fn with_p12(ports: Ports, root: &pki::Certificate, bundle: &[u8]) -> Self {
        let store = KeyStore::from_pkcs12(bundle, "", Pkcs12ImportPolicy::Strict).unwrap();
        let (_, held) = store.private_key_chain().unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(held.key().as_der().to_vec()));
        let chain: Vec<CertificateDer<'static>> =
            held.certs().iter().map(|one| one.as_der().to_vec().into()).collect();
        let config = trusting(root).with_client_auth_cert(chain, key).unwrap();
        Self { tls: TlsConnector::from(Arc::new(config)), ports, cookies: Arc::default() }
    }

    fn port(&self, site: Site) -> u16 {
        match site {
            Site::Customers => self.ports.customers,
            Site::Certificate => self.ports.certificate,
        }
    }

    /// Sends once and follows where it leads; `None` when a reply was lost on the way.
    async fn send(
        &self,
        driver: &Driver,
        site: Site,
        path: &str,
        form: Option<String>,
    ) -> Option<Page> {
        let (mut path, mut form) = (path.to_owned(), form);
        for _ in 0..HOPS {
            let exchange = self.exchange(site, &path, form.take());
            let reply = timeout(PATIENCE, exchange).await.expect("a request hangs");
            let (status, headers, bytes) = match reply {
                Ok(reply) => reply,
                Err(cut) => {
                    driver.note_lost(cut == Cut::Lost);
                    return None;
                }
            };
            self.remember(&headers);
            match headers.get(LOCATION).filter(|_| status.is_redirection()) {
                Some(next) => next.to_str().unwrap().clone_into(&mut path),
                None => return Some(Page { status, here: path, bytes }),
            }
        }
        panic!("redirected in a circle, at last to {path}");
    }

    /// One request on a connection of its own.
    async fn exchange(
        &self,
        site: Site,
        path: &str,
        form: Option<String>,
    ) -> Result<(StatusCode, HeaderMap, Vec<u8>), Cut> {
        let host = format!("localhost:{}", self.port(site));
        let stream = TcpStream::connect(("127.0.0.1", self.port(site))).await;
        let stream = stream.map_err(|_| Cut::Down)?;
        let name = ServerName::try_from("localhost").unwrap();
        let stream = self.tls.connect(name, stream).await.map_err(|_| Cut::Down)?;
        let spoken = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = spoken.map_err(|_| Cut::Down)?;
        let connection = tokio::spawn(connection);
        let reply = sender.send_request(self.request(&host, path, form)).await;
        let reply = reply.map_err(|_| Cut::Lost)?;
        let (parts, body) = reply.into_parts();
        // A body that ends before its announced length is an error: the reply was cut off.
        let bytes = to_bytes(Body::new(body), LARGEST).await.map_err(|_| Cut::Lost)?;
        connection.abort();
        Ok((parts.status, parts.headers, bytes.to_vec()))
    }

    fn request(&self, host: &str, path: &str, form: Option<String>) -> Request<Body> {
        let method = if form.is_some() { Method::POST } else { Method::GET };
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", host)
            .header("accept", "text/html")
            .header("accept-language", "ja")
            .header("sec-fetch-site", "same-origin");
        let cookies = self.cookies.lock().unwrap();
        if !cookies.is_empty() {
            let all: Vec<String> =
                cookies.iter().map(|(n, value)| format!("{n}={value}")).collect();
            request = request.header(COOKIE, all.join("; "));
        }
        match form {
            None => request.body(Body::empty()).unwrap(),
            Some(form) => request
                .header("origin", format!("https://{host}"))
                .header("content-type", "application/x-www-form-urlencoded")
                .body(Body::from(form))
                .unwrap(),
        }
    }

    fn remember(&self, headers: &HeaderMap) {
        let mut cookies = self.cookies.lock().unwrap();
        for set in headers.get_all(SET_COOKIE) {
            let set = set.to_str().unwrap();
            let (name, rest) = set.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if set.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// Opens a page, and reloads it until there is a reply.
    pub(crate) async fn open(&self, driver: &Driver, site: Site, path: &str) -> Page {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(page) = self.send(driver, site, path, None).await {
                return page;
            }
            assert!(Instant::now() < deadline, "no reply from {path} in two minutes");
            sleep(RELOAD).await;
        }
    }

    /// Sends a form once. When the reply is lost, nobody knows what became of it: `None`.
    pub(crate) async fn post(
        &self,
        driver: &Driver,
        site: Site,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Option<Page> {
        self.send(driver, site, path, Some(encoded(fields))).await
    }

    /// Presses a button twice before the first press was answered; gives one of the answers.
    pub(crate) async fn double_click(
        &self,
        driver: &Driver,
        site: Site,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Option<Page> {
        driver.counts.double_clicks.fetch_add(1, Ordering::Relaxed);
        let press = || self.post(driver, site, path, fields);
        let (first, second) = tokio::join!(press(), press());
        second.or(first)
    }
}

/// What browsers trust here: the bank's root alone.
fn trusting(
    root: &pki::Certificate,
) -> tokio_rustls::rustls::ConfigBuilder<ClientConfig, tokio_rustls::rustls::client::WantsClientCert>
{
    let mut roots = RootCertStore::empty();
    roots.add(root.der().to_vec().into()).unwrap();
    ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
}

fn encoded(fields: &[(&str, &str)]) -> String {
    let pairs = fields.iter().map(|(name, value)| {
        let kept: String = value
            .bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                    char::from(byte).to_string()
                }
                byte => format!("%{byte:02X}"),
            })
            .collect();
        format!("{name}={kept}")
    });
    pairs.collect::<Vec<_>>().join("&")
}

impl Page {
    /// The page as text; templates escape slashes as well, and browsers read them back.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).replace("&#x2f;", "/").replace("&amp;", "&")
    }

    /// The path without its query.
    pub(crate) fn path(&self) -> &str {
        self.here.split('?').next().unwrap()
    }

    /// True when the page has a form that is sent to this address.
    pub(crate) fn has_form(&self, action: &str) -> bool {
        self.text().contains(&format!("action=\"{action}\""))
    }

    /// The first link to an address that begins so.
    pub(crate) fn link(&self, beginning: &str) -> Option<String> {
        let text = self.text();
        let found = text.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
        found.filter(|href| href.starts_with(beginning)).map(ToOwned::to_owned).next()
    }

    /// The value of a hidden field.
    pub(crate) fn hidden(&self, name: &str) -> String {
        let text = self.text();
        let field = format!("name=\"{name}\" value=\"");
        let found = text.split(&field).nth(1).and_then(|rest| rest.split('"').next());
        found.unwrap_or_else(|| panic!("no {name} in {}", self.here)).to_owned()
    }

    /// The sixteen digits that the page shows.
    pub(crate) fn digits(&self) -> Option<String> {
        let text = self.text();
        let (_, shown) = text.split_once("id=\"digits-shown\"")?;
        let groups = shown.split("</p>").next()?.split("<span>").skip(1);
        let digits: String = groups.map(|rest| rest.split('<').next().unwrap()).collect();
        assert!(digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_digit()));
        Some(digits)
    }

    /// What the page complains about.
    pub(crate) fn complaint(&self) -> Option<String> {
        let text = self.text();
        let (_, list) = text.split_once("id=\"errors\"")?;
        let list = list.split("</section>").next()?;
        let words = list.split('>').filter_map(|rest| rest.split('<').next());
        Some(words.collect::<Vec<_>>().concat())
    }

    /// Fails with the whole page when it is not what was expected.
    pub(crate) fn stray(&self, expected: &str) -> ! {
        panic!("expected {expected}, not {} ({}):\n{}", self.here, self.status, self.text())
    }
}
