//! The running server: its sites, the local socket, the engine.

use std::net::SocketAddr;
use std::sync::Arc;

use engine::Fault;
use pki::tls::{self, Identity};
use pki::{Certificate, PrivateKey, Serial, ServerName, ServerSpecification, Subject, Validity};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::app::{App, OpeningFault};
use crate::config::Site;
use crate::socket;
use crate::text::Texts;
use crate::web::certificate_site::{self, CertificateDesk, Visit};
use crate::web::customer::{self, Audience, Customers};
use crate::web::metrics;
use crate::web::page::{Frame, Pages};
use crate::web::serve::{Front, Limits, serve};
use crate::web::staff::{self, Staff};

/// How long the server's own certificate is valid; it is made anew at every start.
const SERVER_YEARS: u16 = 1;

/// Where each site answers; `None` for one that this node does not serve.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Addresses {
    /// The customers' site.
    pub customer: Option<SocketAddr>,
    /// The site that asks for a client certificate.
    pub certificate: Option<SocketAddr>,
    /// The operators' and staff's site.
    pub staff: Option<SocketAddr>,
    /// Figures for a monitoring system.
    pub metrics: Option<SocketAddr>,
    /// The revocation list.
    pub revocation_list: Option<SocketAddr>,
}

/// A server that is up.
pub struct Server {
    /// Where its sites answer.
    pub addresses: Addresses,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

/// A site that is bound and not served yet.
struct Bound {
    listener: TcpListener,
    address: SocketAddr,
    site: Site,
}

impl Bound {
    async fn new(site: &Site, part: &'static str) -> Result<Option<Self>, OpeningFault> {
        if !site.serve {
            return Ok(None);
        }
        let fault = OpeningFault::part::<std::io::Error>;
        let listener = TcpListener::bind(site.address).await.map_err(fault(part))?;
        let address = listener.local_addr().map_err(fault(part))?;
        Ok(Some(Self { listener, address, site: site.clone() }))
    }

    fn limits(&self) -> Limits {
        Limits { connections: self.site.connections, ..Limits::default() }
    }
}

impl Server {
    /// Binds every listener, then serves in the background.
    pub async fn start(app: &App) -> Result<Self, OpeningFault> {
        let (stop, stopped) = watch::channel(false);
        let config = &app.tools.config;
        let customer = Bound::new(&config.customer_site, "customers' site").await?;
        let certificate = Bound::new(&config.certificate_site, "certificate site").await?;
        let staff = Bound::new(&config.staff_site, "staff's site").await?;
        let metrics = Bound::new(&config.metrics_site, "metrics site").await?;
        let list = Bound::new(&config.revocation_list_site, "revocation list").await?;
        let address = |bound: &Option<Bound>| bound.as_ref().map(|bound| bound.address);
        let addresses = Addresses {
            customer: address(&customer),
            certificate: address(&certificate),
            staff: address(&staff),
            metrics: address(&metrics),
            revocation_list: address(&list),
        };
        let mut server = Self { addresses, stop, tasks: JoinSet::new() };
        let shop = Workshop::new(app, addresses).await?;
        let tls = OpeningFault::part::<pki::Fault>;
        if let Some(bound) = customer {
            let front = tls::plain(&shop.identity(&bound.site).await?).map_err(tls("TLS"))?;
            let router = shop.customers(&bound, Audience::Password);
            server.spawn(bound, Front::Tls(Box::new(front)), router, &stopped);
        }
        if let Some(bound) = certificate {
            let identity = shop.identity(&bound.site).await?;
            let chain = app.tools.authority.chain();
            let front = tls::certificate_site(&identity, &chain).map_err(tls("TLS"))?;
            let router = shop.customers(&bound, Audience::Certificate);
            server.spawn(bound, Front::Tls(Box::new(front)), router, &stopped);
        }
        if let Some(bound) = staff {
            let front = tls::plain(&shop.identity(&bound.site).await?).map_err(tls("TLS"))?;
            let router = shop.staff(&bound);
            server.spawn(bound, Front::Tls(Box::new(front)), router, &stopped);
        }
        if let Some(bound) = metrics {
            let front = if bound.site.certificate.as_os_str().is_empty() {
                Front::Plain
            } else {
                let identity = shop.identity(&bound.site).await?;
                Front::Tls(Box::new(tls::plain(&identity).map_err(tls("TLS"))?))
            };
            let router = metrics::router(app.clone(), shop.frame(&bound));
            server.spawn(bound, front, router, &stopped);
        }
        if let Some(bound) = list {
            let desk = Arc::new(app.clone());
            let router = certificate_site::revocation_router(desk, shop.frame(&bound));
            server.spawn(bound, Front::Plain, router, &stopped);
        }
        server.run_behind(app, stopped);
        Ok(server)
    }

    fn spawn(
        &mut self,
        bound: Bound,
        front: Front,
        router: axum::Router,
        stop: &watch::Receiver<bool>,
    ) {
        let stop = stop.clone();
        let limits = bound.limits();
        self.tasks.spawn(async move {
            if let Err(error) = serve(bound.listener, front, router, limits, stop).await {
                tracing::error!(%error, "a listener ended");
            }
        });
    }

    /// The local socket, the mail room's folder and the engine's loops.
    fn run_behind(&mut self, app: &App, stopped: watch::Receiver<bool>) {
        let (running, path) = (app.clone(), app.tools.config.socket_file());
        let until = stopped.clone();
        self.tasks.spawn(async move {
            if let Err(error) = socket::listen(running, &path, until).await {
                tracing::error!(%error, "the local socket ended");
            }
        });
        let (mail_room, until) = (app.clone(), stopped.clone());
        self.tasks.spawn(async move { mail_room.run_mail_room(until).await });
        let engine = app.engine.clone();
        self.tasks.spawn(async move { engine.run(stopped).await });
    }

    /// Lets requests under way finish, then ends.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

/// What the sites are made from.
struct Workshop<'a> {
    app: &'a App,
    addresses: Addresses,
    pages: Arc<Pages>,
    now: i64,
}

impl<'a> Workshop<'a> {
    async fn new(app: &'a App, addresses: Addresses) -> Result<Self, OpeningFault> {
        let texts = Texts::load().map_err(OpeningFault::part("texts"))?;
        let pages = Pages::new(Arc::new(texts), app.tools.config.house.clone());
        let pages = Arc::new(pages.map_err(OpeningFault::part("templates"))?);
        let now = app.tools.db.now().await.map_err(OpeningFault::part("database"))?;
        Ok(Self { app, addresses, pages, now: now.seconds() })
    }

    fn frame(&self, bound: &Bound) -> Frame {
        Frame {
            pages: self.pages.clone(),
            hosts: hosts(&bound.site, bound.address).into(),
            entropy: self.app.tools.entropy.clone(),
            layout: Frame::of_staff(),
        }
    }

    fn customers(&self, bound: &Bound, audience: Audience) -> axum::Router {
        let config = &self.app.tools.config;
        let url = |site: &Site, address: Option<SocketAddr>| {
            address.map(|address| base_url(site, address))
        };
        customer::router(Customers {
            app: self.app.clone(),
            frame: self.frame(bound),
            audience,
            customer_url: url(&config.customer_site, self.addresses.customer),
            certificate_url: url(&config.certificate_site, self.addresses.certificate),
            throttle: Arc::default(),
        })
    }

    fn staff(&self, bound: &Bound) -> axum::Router {
        let reading = self.app.clone();
        staff::router(Staff {
            app: self.app.clone(),
            frame: self.frame(bound),
            throttle: Arc::default(),
            url: base_url(&bound.site, bound.address),
            checkpoint: Arc::new(move || reading.read_checkpoint().ok()),
            compared: staff::Comparisons::default(),
        })
    }

    /// The site's configured certificate, or one for its name and loopback that our own authority
    /// signs.
    async fn identity(&self, site: &Site) -> Result<Identity, OpeningFault> {
        let fault = OpeningFault::part("server certificate");
        if site.certificate.as_os_str().is_empty() {
            return self.own_identity(site).map_err(fault);
        }
        let read = OpeningFault::part::<std::io::Error>("server certificate");
        let chain = tokio::fs::read_to_string(&site.certificate).await.map_err(&read)?;
        let key = tokio::fs::read_to_string(&site.key).await.map_err(&read)?;
        Identity::from_pem(&chain, &key).map_err(OpeningFault::part("server certificate"))
    }

    fn own_identity(
        &self,
        site: &Site,
    ) -> Result<Identity, Box<dyn std::error::Error + Send + Sync>> {
        let authority = &self.app.tools.authority;
        let mut octets = [0; 16];
        (self.app.tools.entropy)(&mut octets);
        let mut names: Vec<ServerName> =
            vec!["localhost".parse()?, "127.0.0.1".parse()?, "::1".parse()?];
        let host = site.host.split(':').next().unwrap_or_default();
        let name = host.parse()?;
        if !names.contains(&name) {
            names.push(name);
        }
        let specification = ServerSpecification {
            subject: Subject::new(host)?,
            // A day earlier, for clients whose clocks are slow.
            validity: Validity::years(self.now - 86_400, SERVER_YEARS)?,
            serial: Serial::from_random(octets),
            names,
            revocation_url: None,
        };
        let key = PrivateKey::generate()?;
        let certificate = authority.issue_server(&specification, key.public_key())?;
        let above: [&Certificate; 1] = [authority.certificate()];
        Ok(Identity::new(&certificate, &above, &key))
    }
}

/// The names under which a listener may be asked for, with its port.
fn hosts(site: &Site, address: SocketAddr) -> Vec<String> {
    let port = address.port();
    let name = &site.host;
    vec![
        format!("127.0.0.1:{port}"),
        format!("localhost:{port}"),
        format!("{name}:{port}"),
        name.clone(),
    ]
}

/// Where people reach a site as it is configured.
pub fn configured_url(site: &Site) -> String {
    base_url(site, site.address)
}

/// Where people reach a site: its host name, and the port unless it is the usual one.
fn base_url(site: &Site, address: SocketAddr) -> String {
    let host = &site.host;
    if host.contains(':') || address.port() == 443 {
        format!("https://{host}")
    } else {
        format!("https://{host}:{}", address.port())
    }
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
