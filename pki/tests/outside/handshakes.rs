//! Real handshakes over loopback, with curl and OpenSSL on the other side.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pki::tls::{self, Identity};
use pki::{
    Alias, BundlePassword, Certificate, ClientSpecification, Encryption, PrivateKey, Validity,
    bundle,
};
use rustls::client::ResolvesClientCert;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, RootCertStore, ServerConfig, ServerConnection,
    SignatureScheme, Stream, SupportedProtocolVersion,
};

use crate::workbench::{DAY, Outcome, Workbench, client, fresh_key, installed, server};

/// The outside programs look at the real clock, so the certificates must suit it.
fn today() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(elapsed.as_secs()).unwrap()
}

/// What the server saw of one connection: the fingerprint, `anonymous`, or why it ended.
type Seen = Result<String, String>;

/// A server that answers each connection with what it sees, for a given number of connections.
struct Site {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    thread: JoinHandle<()>,
}

impl Site {
    fn serve(config: ServerConfig, connections: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (config, writing) = (Arc::new(config), Arc::clone(&seen));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().take(connections) {
                let outcome = answer(&config, stream.unwrap());
                writing.lock().unwrap().push(outcome);
            }
        });
        Self { address, seen, thread }
    }

    fn url(&self) -> String {
        format!("https://localhost:{}/", self.address.port())
    }

    /// Waits for the last connection; what each one saw.
    fn end(self) -> Vec<Seen> {
        self.thread.join().unwrap();
        self.seen.lock().unwrap().clone()
    }
}

fn answer(config: &Arc<ServerConfig>, mut socket: TcpStream) -> Seen {
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut connection = ServerConnection::new(Arc::clone(config)).unwrap();
    assert!(tls::presented(&connection).is_none(), "nothing is presented before the handshake");
    let mut stream = Stream::new(&mut connection, &mut socket);
    let mut request = [0; 4096];
    stream.read(&mut request).map_err(|error| error.to_string())?;
    let who = tls::presented(stream.conn)
        .map_or("anonymous".to_owned(), |presented| presented.fingerprint.to_string());
    let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length";
    write!(stream, "{head}: {}\r\n\r\n{who}", who.len()).map_err(|error| error.to_string())?;
    stream.conn.send_close_notify();
    let _ = stream.flush();
    Ok(who)
}

fn identity(bench: &Workbench) -> Identity {
    let (key, public) = fresh_key();
    let specification = server(200, bench.now, &["localhost", "127.0.0.1"]);
    let certificate = bench.authority.issue_server(&specification, &public).unwrap();
    Identity::new(&certificate, &[bench.authority.certificate()], &key)
}

fn certificate_site(bench: &Workbench) -> ServerConfig {
    tls::certificate_site(&identity(bench), &[bench.authority.certificate()]).unwrap()
}

fn curl(bench: &Workbench, site: &Site, more: &[&str]) -> Outcome {
    let url = site.url();
    let mut arguments = vec!["-sS", "--noproxy", "*", "--cacert", "root.pem", "--max-time", "20"];
    arguments.extend(more);
    arguments.push(&url);
    bench.run("curl", &arguments)
}

const VERSIONS: [[&str; 3]; 2] =
    [["--tlsv1.2", "--tls-max", "1.2"], ["--tlsv1.3", "--tls-max", "1.3"]];

/// Shows one certificate to the site in both versions; the server must see exactly it.
fn passes(bench: &Workbench, certificate: &str, key: &str) {
    let shown = bench
        .openssl(&["x509", "-in", certificate, "-noout", "-fingerprint", "-sha256"])
        .accepted();
    let fingerprint = shown.trim().rsplit('=').next().unwrap().replace(':', "").to_lowercase();
    let site = Site::serve(certificate_site(bench), VERSIONS.len());
    for version in VERSIONS {
        let arguments = [&version[..], &["--cert", certificate, "--key", key]].concat();
        assert_eq!(curl(bench, &site, &arguments).accepted(), fingerprint, "{version:?}");
    }
    assert_eq!(site.end(), vec![Ok(fingerprint.clone()), Ok(fingerprint)]);
}

fn store(bench: &Workbench, certificate: &Certificate, key: &PrivateKey) {
    bench.write("client.pem", certificate.to_pem());
    bench.write("client.key", key.to_pem().as_bytes());
}

#[test]
fn a_certificate_of_ours_is_seen_exactly() {
    let bench = Workbench::at(today());
    let (key, public) = fresh_key();
    store(&bench, &bench.client(1, &public), &key);
    passes(&bench, "client.pem", "client.key");
}

#[test]
fn an_expired_certificate_reaches_the_page_that_explains() {
    let bench = Workbench::at(today());
    let (key, public) = fresh_key();
    let validity = Validity::new(bench.now - 30 * DAY, bench.now - DAY).unwrap();
    let expired = ClientSpecification { validity, ..client(1, bench.now) };
    store(&bench, &bench.authority.issue_client(&expired, &public).unwrap(), &key);
    passes(&bench, "client.pem", "client.key");
}

#[test]
fn an_absent_certificate_is_anonymous() {
    let bench = Workbench::at(today());
    let site = Site::serve(certificate_site(&bench), VERSIONS.len());
    for version in VERSIONS {
        assert_eq!(curl(&bench, &site, &version).accepted(), "anonymous");
    }
    assert_eq!(site.end(), vec![Ok("anonymous".into()), Ok("anonymous".into())]);
}

#[test]
fn foreign_certificates_of_many_kinds_are_seen_and_not_cut_off() {
    let bench = Workbench::at(today());
    let kinds: [&[&str]; 4] = [
        &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
        &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
        &["-newkey", "rsa:2048"],
        &["-newkey", "ed25519"],
    ];
    for kind in kinds {
        let own = ["req", "-x509", "-nodes", "-keyout", "own.key", "-out", "own.pem"];
        let more = ["-subj", "/CN=TARO0001", "-days", "30"];
        bench.openssl(&[&own[..], &more[..], kind].concat()).accepted();
        passes(&bench, "own.pem", "own.key");
    }
}

#[test]
fn a_certificate_of_version_1_is_seen_too() {
    let bench = Workbench::at(today());
    let kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    let request =
        ["req", "-new", "-nodes", "-keyout", "own.key", "-out", "own.csr", "-subj", "/CN=x"];
    bench.openssl(&[&request[..], &kind[..]].concat()).accepted();
    let sign = ["x509", "-req", "-in", "own.csr", "-key", "own.key", "-out", "own.pem"];
    bench.openssl(&sign).accepted();
    let shown = bench.openssl(&["x509", "-in", "own.pem", "-noout", "-text"]).accepted();
    assert!(shown.contains("Version: 1"), "{shown}");
    passes(&bench, "own.pem", "own.key");
}

#[test]
fn a_bundle_logs_in() {
    let bench = Workbench::at(today());
    let (key, public) = fresh_key();
    let certificate = bench.client(1, &public);
    let password = BundlePassword::new("secret 7").unwrap();
    let alias = Alias::new("TARO0001").unwrap();
    let chain = bench.authority.chain();
    let written =
        bundle(&key, &certificate, &chain, &alias, &password, Encryption::default()).unwrap();
    bench.write("user.p12", written.as_slice());
    let site = Site::serve(certificate_site(&bench), 1);
    let arguments = ["--cert-type", "P12", "--cert", "user.p12:secret 7"];
    let seen = curl(&bench, &site, &arguments).accepted();
    assert_eq!(seen, certificate.summary().fingerprint.to_string());
    site.end();
}

#[test]
fn the_site_names_our_authority_and_the_plain_site_asks_for_nothing() {
    let bench = Workbench::at(today());
    let asked = |config: ServerConfig, version: &str| {
        let site = Site::serve(config, 1);
        let shown = s_client(&bench, &site, &[version]).accepted();
        site.end();
        shown
    };
    for version in ["-tls1_2", "-tls1_3"] {
        let shown = asked(certificate_site(&bench), version);
        assert!(shown.contains("Acceptable client certificate CA names"), "{shown}");
        assert!(shown.contains("CN=サンプル銀行 発行認証局"), "{shown}");
        let shown = asked(tls::plain(&identity(&bench)).unwrap(), version);
        assert!(shown.contains("No client certificate CA names sent"), "{shown}");
    }
}

/// A connection by `openssl s_client` that sends one line and reads the answer.
fn s_client(bench: &Workbench, site: &Site, more: &[&str]) -> Outcome {
    let script = format!(
        "printf 'GET / HTTP/1.1\\r\\n\\r\\n' | openssl s_client -connect {} -CAfile root.pem \
         -nameopt utf8,sep_comma_plus -ign_eof \"$@\"",
        site.address
    );
    let mut arguments = vec!["-c", script.as_str(), "sh"];
    arguments.extend(more);
    bench.run("sh", &arguments)
}

#[test]
fn openssl_never_resumes_on_the_certificate_site() {
    let bench = Workbench::at(today());
    let (key, public) = fresh_key();
    store(&bench, &bench.client(1, &public), &key);
    for version in ["-tls1_2", "-tls1_3"] {
        // The plain site resumes: so the probe can tell the difference.
        for (site, resumes) in [
            (Site::serve(tls::plain(&identity(&bench)).unwrap(), 2), true),
            (Site::serve(certificate_site(&bench), 2), false),
        ] {
            let own = ["-cert", "client.pem", "-key", "client.key", version];
            let _ = std::fs::remove_file(bench.path("session"));
            let keep = [&own[..], &["-sess_out", "session"]].concat();
            let first = s_client(&bench, &site, &keep).accepted();
            assert!(first.contains("New, TLSv1"), "{first}");
            // Without a session identifier or a ticket there is nothing that could be kept.
            let kept = bench.path("session").exists();
            assert!(kept || !resumes, "{version}: the probe keeps nothing");
            let again = [&own[..], &["-sess_in", "session"]].concat();
            let again = if kept { again } else { own.to_vec() };
            let second = s_client(&bench, &site, &again).accepted();
            assert_eq!(second.contains("Reused, TLSv1"), resumes, "{version}\n{second}");
            assert_eq!(second.contains("New, TLSv1"), !resumes, "{version}\n{second}");
            site.end();
        }
    }
}

/// A client of our own, which can do what honest programs refuse to do.
fn own_client(
    bench: &Workbench,
    certificate: &Certificate,
    key: &PrivateKey,
    version: &'static SupportedProtocolVersion,
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(bench.root.certificate().der())).unwrap();
    let key = PrivatePkcs8KeyDer::from(key.pkcs8().to_vec());
    let key = ring::sign::any_supported_type(&key.into()).unwrap();
    let shown = vec![CertificateDer::from(certificate.der().to_vec())];
    let resolver = Shown(Arc::new(CertifiedKey::new(shown, key)));
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_client_cert_resolver(Arc::new(resolver));
    Arc::new(config)
}

/// Shows a certificate without asking whether the key is its own.
#[derive(Debug)]
struct Shown(Arc<CertifiedKey>);

impl ResolvesClientCert for Shown {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// Asks once; the answer's body and how the handshake went.
fn ask(site: &Site, config: &Arc<ClientConfig>) -> std::io::Result<(String, HandshakeKind)> {
    let mut connection =
        ClientConnection::new(Arc::clone(config), "localhost".try_into().unwrap()).unwrap();
    let mut socket = TcpStream::connect(site.address)?;
    let mut stream = Stream::new(&mut connection, &mut socket);
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let body = answer.rsplit("\r\n\r\n").next().unwrap().to_owned();
    Ok((body, connection.handshake_kind().unwrap()))
}

#[test]
fn a_stolen_certificate_without_its_key_is_turned_away() {
    let bench = Workbench::at(today());
    let (key, public) = fresh_key();
    let certificate = bench.client(1, &public);
    let thief = fresh_key().0;
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let site = Site::serve(certificate_site(&bench), 2);
        let honest = own_client(&bench, &certificate, &key, version);
        let stolen = own_client(&bench, &certificate, &thief, version);
        let (seen, _) = ask(&site, &honest).unwrap();
        assert_eq!(seen, certificate.summary().fingerprint.to_string());
        ask(&site, &stolen).unwrap_err();
        let reason = site.end().pop().unwrap().unwrap_err();
        assert!(reason.contains("BadSignature"), "{reason}");
    }
}

#[test]
fn a_client_that_keeps_sessions_never_resumes_on_the_certificate_site() {
    let bench = Workbench::at(today());
    let (key, public) = fresh_key();
    let certificate = bench.client(1, &public);
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let kinds = |config: ServerConfig| {
            let site = Site::serve(config, 3);
            let client = own_client(&bench, &certificate, &key, version);
            let kinds = [(); 3].map(|()| ask(&site, &client).unwrap().1);
            site.end();
            kinds
        };
        let plain = kinds(tls::plain(&identity(&bench)).unwrap());
        assert_eq!(plain[1], HandshakeKind::Resumed, "the probe cannot tell");
        assert_eq!(kinds(certificate_site(&bench)), [HandshakeKind::Full; 3]);
    }
}

#[test]
fn two_locks_each_forbid_resumption() {
    let bench = Workbench::at(today());
    let config = certificate_site(&bench);
    assert!(!config.session_storage.can_cache());
    assert!(!config.ticketer.enabled());
    assert_eq!((config.send_tls13_tickets, config.max_early_data_size), (0, 0));
}

#[test]
fn a_server_of_another_authority_is_taken_from_pem() {
    let bench = Workbench::at(today());
    let own =
        ["req", "-x509", "-newkey", "rsa:3072", "-nodes", "-keyout", "s.key", "-out", "root.pem"];
    let more = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"];
    bench.openssl(&[&own[..], &more[..]].concat()).accepted();
    let text = |name: &str| String::from_utf8(bench.read(name)).unwrap();
    let identity = Identity::from_pem(&text("root.pem"), &text("s.key")).unwrap();
    assert_eq!(format!("{identity:?}"), "Identity(1 certificates, key not shown)");
    let site = Site::serve(tls::plain(&identity).unwrap(), 1);
    assert_eq!(curl(&bench, &site, &[]).accepted(), "anonymous");
    site.end();

    Identity::from_pem("", &text("s.key"))
        .map(|identity| tls::plain(&identity).unwrap_err())
        .unwrap();
    Identity::from_pem(&text("root.pem"), "").unwrap_err();
    let strange = Identity::from_pem(&text("root.pem"), &fresh_key().0.to_pem()).unwrap();
    tls::plain(&strange).unwrap_err();
}

#[test]
fn the_outside_programs_are_there() {
    assert!(installed("curl") && installed("openssl"), "these tests need curl and openssl");
}
