//! The listener and the certificate site, with a client of another make.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::routing::get;
use axum::{Extension, Router};
use engine::{CaseId, Fault, Moment};
use saihakko::text::Texts;
use saihakko::web::certificate_site::{self, CertificateDesk, Visit};
use saihakko::web::page::{Frame, Pages, Visit as Reader};
use saihakko::web::serve::{Front, Limits, Peer, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use crate::tls::{Bench, authority};
use crate::world::entropy;

/// Knows one certificate, and says of any other what it was told to say.
struct Desk {
    known: [u8; 32],
    otherwise: Visit,
}

impl CertificateDesk for Desk {
    async fn visit(&self, print: [u8; 32], _: &[u8], place: &str) -> Result<Visit, Fault> {
        assert_eq!(place, "127.0.0.1");
        if print != self.known {
            return Ok(self.otherwise.clone());
        }
        Ok(Visit::Welcome {
            user: "山田 太郎".into(),
            company: "株式会社 <青葉>".into(),
            serial: "0102".into(),
            not_after: Moment::from_seconds(1_826_000_000),
            case_completed: Some(CaseId(7)),
        })
    }

    async fn revocations(&self) -> Result<Vec<u8>, Fault> {
        Ok(b"list".to_vec())
    }
}

struct Running {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<std::io::Result<()>>,
}

async fn running(front: Front, desk: Desk, limits: Limits) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let pages = Pages::new(Arc::new(Texts::load().unwrap()), forms::House::sample()).unwrap();
    let hosts = Arc::from([format!("localhost:{}", address.port())]);
    let layout = Frame::of_staff();
    let frame = Frame { pages: Arc::new(pages), hosts, entropy: entropy(), layout };
    let router = site(Arc::new(desk), frame);
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(serve(listener, front, router, limits, stopped));
    Running { address, stop, task }
}

/// The verdict of a desk, as the certificate site shows it, beside its revocation list.
fn site(desk: Arc<Desk>, frame: Frame) -> Router {
    let show = async |State((desk, frame)): State<(Arc<Desk>, Frame)>,
                      Extension(peer): Extension<Peer>,
                      reader: Reader| {
        let visit = match &peer.certificate {
            None => Visit::NoCertificate,
            Some(der) => {
                let place = peer.address.ip().to_string();
                desk.visit(engine::history::digest(der), der, &place).await.unwrap()
            }
        };
        let none = || minijinja::Value::from(Vec::<String>::new());
        let more = minijinja::context! {
            on_certificate_site => true, customer_url => (), certificate_url => (),
            service => "BizSTATION", me => (), mistakes => none(),
            is_over => false, has_left => false, back => "",
        };
        certificate_site::show(&frame.pages, &reader, &visit, more)
    };
    let shown = Router::new().route("/", get(show)).with_state((desk.clone(), frame.clone()));
    shown.merge(certificate_site::revocation_router(desk, frame))
}

fn client(bench: &Bench, with: Option<(pki::Certificate, pki::PrivateKey)>) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(bench.root().der().to_vec().into()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match with {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.pkcs8().to_vec()));
            builder.with_client_auth_cert(vec![certificate.der().to_vec().into()], key).unwrap()
        }
    };
    TlsConnector::from(Arc::new(config))
}

async fn fetch(running: &Running, connector: &TlsConnector, path: &str, accept: &str) -> String {
    let stream = TcpStream::connect(running.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = connector.connect(name, stream).await.unwrap();
    let port = running.address.port();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nAccept: {accept}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // Some clients' close is not announced: what came until then is the answer.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

fn print(certificate: &pki::Certificate) -> [u8; 32] {
    engine::history::digest(certificate.der())
}

#[tokio::test]
async fn an_active_certificate_is_welcome_and_no_other() {
    let bench = authority();
    let (certificate, key) = bench.client();
    let other = bench.client();
    let desk = Desk {
        known: print(&certificate),
        otherwise: Visit::Revoked { reason: "superseded".into() },
    };
    let front = Front::Tls(Box::new(bench.asking()));
    let running = running(front, desk, Limits::default()).await;
    let holder = client(&bench, Some((certificate, key)));
    let page = fetch(&running, &holder, "/", "text/html").await;
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    assert!(page.contains("電子証明書を確認しました") && page.contains("山田 太郎"));
    assert!(page.contains("株式会社 &lt;青葉&gt;"), "whatever the ledger holds is escaped");
    let json = fetch(&running, &holder, "/", "application/json").await;
    assert!(json.contains("\"visit\":\"welcome\"") && json.contains("\"case_completed\":7"));

    let page = fetch(&running, &client(&bench, Some(other)), "/", "text/html").await;
    assert!(page.starts_with("HTTP/1.1 403"), "{page}");
    assert!(page.contains("この電子証明書は失効しています"));
    assert!(page.contains("新しい電子証明書に置き換わりました"));

    let nobody = client(&bench, None);
    let page = fetch(&running, &nobody, "/?lang=en", "text/html").await;
    assert!(page.starts_with("HTTP/1.1 403") && page.contains("No client certificate was chosen"));
    let list = fetch(&running, &nobody, "/crl/issuing.crl", "*/*").await;
    assert!(list.contains("application/pkix-crl") && list.ends_with("list"));
}

#[tokio::test]
async fn every_verdict_has_a_page_in_both_languages() {
    let bench = authority();
    let verdicts = [
        Visit::NoCertificate,
        Visit::Foreign,
        Visit::Revoked { reason: "key_compromise".into() },
        Visit::Held,
        Visit::Expired,
        Visit::NotYetValid,
    ];
    for verdict in verdicts {
        let desk = Desk { known: [0; 32], otherwise: verdict.clone() };
        let front = Front::Tls(Box::new(bench.asking()));
        let running = running(front, desk, Limits::default()).await;
        let visitor = client(&bench, Some(bench.client()));
        for lang in ["ja", "en"] {
            let page = fetch(&running, &visitor, &format!("/?lang={lang}"), "text/html").await;
            assert!(page.starts_with("HTTP/1.1 403"), "{verdict:?} {lang}: {page}");
        }
    }
}

#[tokio::test]
async fn told_to_stop_it_finishes_and_ends() {
    let bench = authority();
    let desk = Desk { known: [0; 32], otherwise: Visit::Foreign };
    let front = Front::Tls(Box::new(bench.plain()));
    let running = running(front, desk, Limits::default()).await;
    // An idle connection does not keep the server up.
    let idle = TcpStream::connect(running.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let idle = client(&bench, None).connect(name, idle).await.unwrap();
    running.stop.send(true).unwrap();
    tokio::time::timeout(Duration::from_secs(5), running.task).await.unwrap().unwrap().unwrap();
    assert!(TcpStream::connect(running.address).await.is_err());
    drop(idle);
}

#[tokio::test]
async fn whoever_says_nothing_is_not_waited_for() {
    let bench = authority();
    let limits =
        Limits { connections: 1, handshake: Duration::from_millis(200), ..Limits::default() };
    let desk = Desk { known: [0; 32], otherwise: Visit::Foreign };
    let running = running(Front::Tls(Box::new(bench.plain())), desk, limits).await;
    let silent = TcpStream::connect(running.address).await.unwrap();
    // The only place is taken until the silent one is sent away.
    let page = fetch(&running, &client(&bench, None), "/", "text/html").await;
    assert!(page.starts_with("HTTP/1.1 403"));
    drop(silent);
}
