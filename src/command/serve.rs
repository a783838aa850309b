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
    say(format_args!("https://{}/", server.start));
    say(format_args!("https://{}/  (certificate site)", server.certificate_site));
    say(format_args!("http://{}/crl/issuing.crl", server.revocation_list));
    until_told().await?;
    server.stop().await;
    app.take_checkpoint().await?;
    app.tools.db.close().await;
    Ok(ExitCode::SUCCESS)
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
