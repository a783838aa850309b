//! `saihakko serve`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use saihakko::server::Server;
use tokio::signal::unix::{SignalKind, signal};

use super::{Place, say};

#[derive(Args)]
pub struct ServeOptions {
    #[command(flatten)]
    place: Place,
}

/// Serves until it is told to stop.
pub async fn run(config: Option<PathBuf>, options: ServeOptions) -> Result<ExitCode> {
    let (app, _lock) = options.place.open_alone(config).await?;
    let server = Server::start(&app).await?;
    tell(&server);
    until_told().await?;
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

/// Ends on Ctrl+C, and when the service manager asks.
pub async fn until_told() -> Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
