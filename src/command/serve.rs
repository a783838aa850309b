//! `saihakko serve`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use saihakko::server::Server;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Place, say};

#[derive(Args)]
pub struct ServeOptions {
    #[command(flatten)]
    place: Place,
}

/// Serves until it is told to stop.
pub async fn run(config: Option<PathBuf>, options: ServeOptions) -> Result<ExitCode> {
    let mut stop = Stop::listen()?;
    let (app, _lock) = options.place.open_alone(config).await?;
    let server = Server::start(&app).await?;
    tell(&server);
    stop.told().await;
    server.stop().await;
    app.take_checkpoint().await?;
    app.tools.db.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Says where each site answers, one line each: what it is, then its address.
pub fn tell(server: &Server) {
    let at = &server.addresses;
    let sites = [
        ("customers", "https", at.customer, ""),
        ("certificate", "https", at.certificate, ""),
        ("staff", "https", at.staff, ""),
        ("metrics", "http", at.metrics, "metrics"),
        ("revocations", "http", at.revocation_list, "crl/issuing.crl"),
    ];
    for (name, scheme, address, path) in sites {
        if let Some(address) = address {
            say(format_args!("{name:<12} {scheme}://localhost:{}/{path}", address.port()));
        }
    }
}

/// What tells the program to stop: Ctrl+C, and the service manager.
pub struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    /// Listens from now on: a signal that comes while the program starts is not lost, and does
    /// not end it half-way.
    pub fn listen() -> Result<Self> {
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
    }

    /// Ends when it is told.
    pub async fn told(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
