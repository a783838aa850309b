//! A listener that speaks HTTPS (or HTTP, for revocation lists) to a router, until told to stop.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tower::ServiceExt;

/// Who is at the other end; every handler finds it among the request's extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Where the connection comes from.
    pub address: SocketAddr,
    /// The certificate whose key the peer holds, DER; it identifies nobody by itself.
    pub certificate: Option<Arc<[u8]>>,
}

/// How much a listener bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once; further ones wait in the kernel's queue.
    pub connections: usize,
    /// For the TLS handshake.
    pub handshake: Duration,
    /// For the head of each request, and so for an idle connection.
    pub head: Duration,
    /// For requests under way when the listener is told to stop.
    pub farewell: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(30),
            farewell: Duration::from_secs(10),
        }
    }
}

/// What lies between the socket and HTTP.
#[derive(Debug, Clone)]
pub enum Front {
    /// HTTPS.
    Tls(Box<ServerConfig>),
    /// Plain HTTP: only for what is signed by itself, such as a revocation list.
    Plain,
}

/// Serves until `stop` turns true (or its sender is gone), then lets requests under way finish.
///
/// # Errors
/// When the listener's own address cannot be read; failing connections are logged and dropped.
pub async fn serve(
    listener: TcpListener,
    front: Front,
    router: Router,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    let acceptor = acceptor(front);
    let places = Arc::new(Semaphore::new(limits.connections));
    tracing::info!(%address, tls = acceptor.is_some(), "listening");
    loop {
        let (stream, peer, place) = tokio::select! {
            biased;
            () = stopped(&mut stop) => break,
            next = next(&listener, &places) => match next {
                Ok(next) => next,
                Err(error) => {
                    // Out of descriptors, or the peer was gone already: neither ends the service.
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        let connection = Connection {
            peer,
            acceptor: acceptor.clone(),
            router: router.clone(),
            limits,
            stop: stop.clone(),
        };
        tokio::spawn(connection.run(stream, place));
    }
    drop(listener);
    let all = u32::try_from(limits.connections).unwrap_or(u32::MAX);
    if tokio::time::timeout(limits.farewell, places.acquire_many(all)).await.is_err() {
        tracing::warn!(%address, "connections were cut off");
    }
    tracing::info!(%address, "closed");
    Ok(())
}

fn acceptor(front: Front) -> Option<TlsAcceptor> {
    let Front::Tls(mut config) = front else { return None };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Some(TlsAcceptor::from(Arc::from(config)))
}

/// Ends when the service is to stop.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that nobody is left who could ever say stop: that is a stop as well.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Waits for a free place first, so that a flood stays in the kernel's queue.
async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, place))
}

struct Connection {
    peer: SocketAddr,
    acceptor: Option<TlsAcceptor>,
    router: Router,
    limits: Limits,
    stop: watch::Receiver<bool>,
}

impl Connection {
    async fn run(self, stream: TcpStream, _place: OwnedSemaphorePermit) {
        // Pages are small: waiting for a full segment would only delay them.
        let _ = stream.set_nodelay(true);
        let address = self.peer;
        let Some(acceptor) = self.acceptor.clone() else {
            return self.speak(stream, Peer { address, certificate: None }).await;
        };
        match tokio::time::timeout(self.limits.handshake, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => {
                let shown = stream.get_ref().1.peer_certificates();
                let certificate =
                    shown.and_then(|chain| chain.first()).map(|one| Arc::from(one.as_ref()));
                self.speak(stream, Peer { address, certificate }).await;
            }
            Ok(Err(error)) => tracing::debug!(%address, %error, "handshake failed"),
            Err(_) => tracing::debug!(%address, "handshake took too long"),
        }
    }

    async fn speak<S>(mut self, stream: S, peer: Peer)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let service = self.router.map_request(move |request: hyper::Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(peer.clone());
            request
        });
        let mut http = hyper::server::conn::http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(self.limits.head).max_buf_size(64 * 1024);
        let connection =
            http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = stopped(&mut self.stop) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(address = %self.peer, %error, "connection ended badly");
        }
    }
}
