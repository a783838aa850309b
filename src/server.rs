//! The running server: pages, certificate site, revocation list, local socket, engine.

use std::net::SocketAddr;
use std::sync::Arc;

use engine::Fault;
use pki::tls::{self, Identity};
use pki::{Certificate, PrivateKey, Serial, ServerName, ServerSpecification, Subject, Validity};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::app::{App, OpeningFault};
use crate::policy::Viewer;
use crate::socket;
use crate::text::Texts;
use crate::web::certificate_site::{self, CertificateDesk, Visit};
use crate::web::page::{Frame, Pages};
use crate::web::serve::{Front, Limits, serve};
use crate::web::start::{self, Site};

/// How long the server's own certificate is valid; it is made anew at every start.
const SERVER_YEARS: u16 = 1;

/// A server that is up.
pub struct Server {
    /// Where the start page answers.
    pub start: SocketAddr,
    /// Where the certificate site answers.
    pub certificate_site: SocketAddr,
    /// Where the revocation list is fetched.
    pub revocation_list: SocketAddr,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Server {
    /// Binds every listener, then serves in the background.
    pub async fn start(app: &App) -> Result<Self, OpeningFault> {
        let (stop, stopped) = watch::channel(false);
        let listen = &app.tools.config.listen;
        let bind = OpeningFault::part::<std::io::Error>;
        let pages = TcpListener::bind(listen.address).await.map_err(bind("start page"))?;
        let site = TcpListener::bind(listen.certificate_address)
            .await
            .map_err(bind("certificate site"))?;
        let list = TcpListener::bind(listen.revocation_list_address)
            .await
            .map_err(bind("revocation list"))?;
        let address =
            |listener: &TcpListener| listener.local_addr().map_err(OpeningFault::part("listeners"));
        let mut server = Self {
            start: address(&pages)?,
            certificate_site: address(&site)?,
            revocation_list: address(&list)?,
            stop,
            tasks: JoinSet::new(),
        };
        let identity = identity(app).await.map_err(OpeningFault::part("server certificate"))?;
        let front = tls::plain(&identity).map_err(OpeningFault::part("TLS"))?;
        let router = server.start_router(app)?;
        server.spawn(pages, Front::Tls(Box::new(front)), router, &stopped);
        let chain = app.tools.authority.chain();
        let front = tls::certificate_site(&identity, &chain).map_err(OpeningFault::part("TLS"))?;
        let (site_router, list_router) = server.certificate_routers(app)?;
        server.spawn(site, Front::Tls(Box::new(front)), site_router, &stopped);
        server.spawn(list, Front::Plain, list_router, &stopped);
        let (running, path) = (app.clone(), app.tools.config.socket_file());
        let until = stopped.clone();
        server.tasks.spawn(async move {
            if let Err(error) = socket::listen(running, &path, until).await {
                tracing::error!(%error, "the local socket ended");
            }
        });
        let engine = app.engine.clone();
        server.tasks.spawn(async move { engine.run(stopped).await });
        Ok(server)
    }

    fn spawn(
        &mut self,
        listener: TcpListener,
        front: Front,
        router: axum::Router,
        stop: &watch::Receiver<bool>,
    ) {
        let stop = stop.clone();
        self.tasks.spawn(async move {
            if let Err(error) = serve(listener, front, router, Limits::default(), stop).await {
                tracing::error!(%error, "a listener ended");
            }
        });
    }

    fn start_router(&self, app: &App) -> Result<axum::Router, OpeningFault> {
        let reading = app.clone();
        let site = Site {
            db: app.tools.db.clone(),
            texts: Arc::new(texts()?),
            house: app.tools.config.house.clone(),
            hosts: hosts(app, self.start),
            entropy: app.tools.entropy.clone(),
            viewer: Viewer::Operator,
            checkpoint: Arc::new(move || reading.read_checkpoint().ok()),
        };
        start::router(site).map_err(OpeningFault::part("templates"))
    }

    fn certificate_routers(&self, app: &App) -> Result<(axum::Router, axum::Router), OpeningFault> {
        let pages = Pages::new(Arc::new(texts()?), app.tools.config.house.clone());
        let pages = Arc::new(pages.map_err(OpeningFault::part("templates"))?);
        let desk = Arc::new(app.clone());
        let frame = |address| Frame {
            pages: pages.clone(),
            hosts: hosts(app, address).into(),
            entropy: app.tools.entropy.clone(),
        };
        Ok((
            certificate_site::router(desk.clone(), frame(self.certificate_site)),
            certificate_site::revocation_router(desk, frame(self.revocation_list)),
        ))
    }

    /// Lets requests under way finish, then ends.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

/// The names under which a listener may be asked for, with its port.
fn hosts(app: &App, address: SocketAddr) -> Vec<String> {
    let listen = &app.tools.config.listen;
    let port = address.port();
    let mut hosts = vec![format!("127.0.0.1:{port}"), format!("localhost:{port}")];
    for name in [&listen.host, &listen.certificate_host] {
        hosts.extend([format!("{name}:{port}"), name.clone()]);
    }
    hosts
}

fn texts() -> Result<Texts, OpeningFault> {
    Texts::load().map_err(OpeningFault::part("texts"))
}

/// A certificate for the configured host names and loopback, signed by our own authority.
async fn identity(app: &App) -> Result<Identity, Box<dyn std::error::Error + Send + Sync>> {
    let now = app.tools.db.now().await?.seconds();
    let listen = &app.tools.config.listen;
    let mut octets = [0; 16];
    (app.tools.entropy)(&mut octets);
    let mut names: Vec<ServerName> =
        vec!["localhost".parse()?, "127.0.0.1".parse()?, "::1".parse()?];
    for host in [&listen.host, &listen.certificate_host] {
        let name = host.parse()?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let specification = ServerSpecification {
        subject: Subject::new(&listen.host)?,
        // A day earlier, for clients whose clocks are slow.
        validity: Validity::years(now - 86_400, SERVER_YEARS)?,
        serial: Serial::from_random(octets),
        names,
        revocation_url: None,
    };
    let key = PrivateKey::generate()?;
    let certificate = app.tools.authority.issue_server(&specification, key.public_key())?;
    let above: [&Certificate; 1] = [app.tools.authority.certificate()];
    Ok(Identity::new(&certificate, &above, &key))
}

impl CertificateDesk for App {
    async fn visit(&self, fingerprint: [u8; 32], _der: &[u8], place: &str) -> Result<Visit, Fault> {
        App::visit(self, &fingerprint, place).await
    }

    async fn revocations(&self) -> Result<Vec<u8>, Fault> {
        let path = self.revocation_list_path();
        if !path.exists() {
            self.publish_revocation_list().await?;
        }
        std::fs::read(path).map_err(Fault::host("read the revocation list"))
    }
}
