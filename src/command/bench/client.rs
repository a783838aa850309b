//! A connection that is kept alive and counts its time, as a browser or a load generator has one.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use axum::body::{Body, to_bytes};
use flate2::read::GzDecoder;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{ACCEPT_ENCODING, COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use pki::{Certificate, PrivateKey};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

/// No page is larger.
const LARGEST: usize = 16 << 20;

/// A site and how it is entered.
#[derive(Clone)]
pub struct Door {
    address: SocketAddr,
    tls: TlsConnector,
}

impl Door {
    /// A site on this machine; `holds` is the client certificate with its key.
    pub fn new(
        port: u16,
        root: &Certificate,
        holds: Option<(&Certificate, &PrivateKey)>,
    ) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(root.der().to_vec().into())?;
        let provider = Arc::new(crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots);
        let config = match holds {
            None => config.with_no_client_auth(),
            Some((certificate, key)) => {
                let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.pkcs8().to_vec()));
                config.with_client_auth_cert(vec![certificate.der().to_vec().into()], key)?
            }
        };
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        Ok(Self { address, tls: TlsConnector::from(Arc::new(config)) })
    }
}

/// What came back.
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// Where a redirection leads.
    pub location: String,
    /// The body as it came over the wire.
    pub body: Vec<u8>,
    /// From the first byte sent to the last one received.
    pub took: Duration,
}

impl Reply {
    /// The body, unpacked.
    pub fn plain(&self) -> Vec<u8> {
        let mut plain = Vec::new();
        let is_packed = self.body.starts_with(&[0x1f, 0x8b]);
        if is_packed && GzDecoder::new(self.body.as_slice()).read_to_end(&mut plain).is_ok() {
            return plain;
        }
        self.body.clone()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.plain()).replace("&#x2f;", "/")
    }

    /// The value of a hidden field.
    pub fn hidden(&self, name: &str) -> Result<String> {
        let text = self.text();
        let field = format!("name=\"{name}\" value=\"");
        let (_, rest) = text.split_once(&field).with_context(|| format!("no field {name}"))?;
        Ok(rest.split('"').next().unwrap_or_default().to_owned())
    }
}

/// As many connections to one site as browsers keep, but for the one of the page.
const CONNECTIONS: usize = 5;

/// The connections of one browser, with the cookies of one person.
pub struct Client {
    door: Door,
    cookies: BTreeMap<String, String>,
    sender: Option<SendRequest<Body>>,
    /// The connections for pictures, each made when it is first needed.
    beside: Vec<Self>,
}

impl Client {
    /// Somebody who has not connected yet.
    pub fn new(door: Door) -> Self {
        Self { door, cookies: BTreeMap::new(), sender: None, beside: Vec::new() }
    }

    async fn connected(&mut self) -> Result<SendRequest<Body>> {
        if let Some(sender) = self.sender.take().filter(|sender| !sender.is_closed()) {
            return Ok(sender);
        }
        let stream = TcpStream::connect(self.door.address).await?;
        stream.set_nodelay(true)?;
        let stream = self.door.tls.connect(ServerName::try_from("localhost")?, stream).await?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // A connection that ends badly fails the request that is under way, and is told there.
        tokio::spawn(async move {
            let _ = connection.await;
        });
        Ok(sender)
    }

    /// Loads a page.
    pub async fn get(&mut self, path: &str) -> Result<Reply> {
        self.send(Method::GET, path, String::new()).await
    }

    /// Loads what a page consists of, over several connections at once.
    pub async fn get_all(&mut self, paths: &[&str]) -> Result<Vec<(String, Reply)>> {
        let left: Vec<String> = paths.iter().rev().map(|path| (*path).to_owned()).collect();
        let left = Arc::new(Mutex::new(left));
        let mut loads = JoinSet::new();
        for _ in 0..CONNECTIONS.min(paths.len()) {
            let mut one = self.beside.pop().unwrap_or_else(|| Self::new(self.door.clone()));
            one.cookies.clone_from(&self.cookies);
            let left = left.clone();
            loads.spawn(async move {
                let mut loaded = Vec::new();
                let next = || left.lock().unwrap_or_else(PoisonError::into_inner).pop();
                while let Some(path) = next() {
                    let reply = one.get(&path).await?;
                    loaded.push((path, reply));
                }
                anyhow::Ok((one, loaded))
            });
        }
        let mut all = Vec::new();
        while let Some(done) = loads.join_next().await {
            let (one, loaded) = done??;
            self.beside.push(one);
            all.extend(loaded);
        }
        Ok(all)
    }

    /// Sends a form.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Result<Reply> {
        let pairs: Vec<String> =
            fields.iter().map(|(name, text)| format!("{name}={text}")).collect();
        self.send(Method::POST, path, pairs.join("&")).await
    }

    async fn send(&mut self, method: Method, path: &str, form: String) -> Result<Reply> {
        let mut sender = self.connected().await?;
        let mut request = Request::builder()
            .method(&method)
            .uri(path)
            .header("host", format!("localhost:{}", self.door.address.port()))
            .header("accept", "text/html")
            .header(ACCEPT_ENCODING, "gzip")
            .header("sec-fetch-site", "same-origin");
        if !self.cookies.is_empty() {
            let all: Vec<String> =
                self.cookies.iter().map(|(n, value)| format!("{n}={value}")).collect();
            request = request.header(COOKIE, all.join("; "));
        }
        if method == Method::POST {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        let begun = Instant::now();
        sender.ready().await?;
        let reply = sender.send_request(request.body(Body::from(form))?).await?;
        let (parts, body) = reply.into_parts();
        let body = to_bytes(Body::new(body), LARGEST).await?.to_vec();
        let took = begun.elapsed();
        self.remember(&parts.headers);
        self.sender = Some(sender);
        let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
        Ok(Reply {
            status: parts.status,
            location: header(LOCATION).unwrap_or_default().to_owned(),
            body,
            took,
        })
    }

    fn remember(&mut self, headers: &HeaderMap) {
        for set in headers.get_all(SET_COOKIE) {
            let text = set.to_str().unwrap_or_default();
            let pair = text.split(';').next().and_then(|pair| pair.split_once('='));
            if let Some((name, value)) = pair {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// Sends a form that leads elsewhere, and tells where.
    pub async fn act(&mut self, path: &str, fields: &[(&str, &str)]) -> Result<String> {
        let reply = self.post(path, fields).await?;
        ensure!(reply.status == StatusCode::SEE_OTHER, "{path}: {} {}", reply.status, reply.text());
        Ok(reply.location)
    }
}
