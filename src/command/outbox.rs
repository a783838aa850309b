//! `saihakko outbox`: what waits to leave the house, and its dead letters.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use engine::outbox;
use saihakko::socket::{self, Call, Reply, SocketFault};
use serde_json::json;

use super::{Answer, Declined, Place, print_json, say};

#[derive(Subcommand)]
pub enum OutboxCommand {
    /// The newest rows.
    List(ListOptions),
    /// Try a dead letter again.
    Retry(OneOptions),
    /// Give a dead letter up.
    Drop(OneOptions),
}

#[derive(Args)]
pub struct ListOptions {
    #[command(flatten)]
    place: Place,
    /// Only dead letters.
    #[arg(long)]
    dead: bool,
    /// So many at most.
    #[arg(long, default_value_t = 50)]
    limit: i64,
    #[command(flatten)]
    answer: Answer,
}

#[derive(Args)]
pub struct OneOptions {
    #[command(flatten)]
    place: Place,
    /// The row's number.
    id: i64,
    /// Your name, for the history.
    #[arg(long, env = "USER", default_value = "unknown")]
    by: String,
}

/// Runs an outbox command.
pub async fn run(config: Option<PathBuf>, command: OutboxCommand) -> Result<ExitCode> {
    match command {
        OutboxCommand::List(options) => list(config, options).await,
        OutboxCommand::Retry(options) => {
            let OneOptions { place, id, by } = options;
            act(config, &place, Call::RetryOutbox { id, by }).await
        }
        OutboxCommand::Drop(options) => {
            let OneOptions { place, id, by } = options;
            act(config, &place, Call::DropOutbox { id, by }).await
        }
    }
}

async fn list(config: Option<PathBuf>, options: ListOptions) -> Result<ExitCode> {
    let app = options.place.open(config).await?;
    let mut tx = app.tools.db.read().await?;
    let status = options.dead.then_some("dead");
    let rows = outbox::list(&mut tx, status, options.limit).await?;
    if options.answer.json {
        print_json(&json!({ "outbox": rows }))?;
        return Ok(ExitCode::SUCCESS);
    }
    if rows.is_empty() {
        say(if options.dead { "no dead letters" } else { "the outbox is empty" });
    }
    for row in rows {
        let why = row.last_error.unwrap_or_default();
        let case = row.case_id.map_or_else(String::new, |case| format!("case {case}"));
        say(format_args!(
            "{:<6} {:<7} {:<22} {:<10} {:<8} attempts {} {why}",
            row.id, row.kind, row.label, case, row.status, row.attempts
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// Acts through a running server; without one, on the database itself.
async fn act(config: Option<PathBuf>, place: &Place, call: Call) -> Result<ExitCode> {
    let path = place.config(config.as_deref())?.socket_file();
    let reply = match socket::call(&path, &call).await {
        Err(SocketFault::Unreachable { .. }) => {
            let (app, _lock) = place.open_alone(config).await?;
            socket::carry_out(&app, call).await
        }
        other => other?,
    };
    match reply {
        Reply::Done(_) => {
            say("done");
            Ok(ExitCode::SUCCESS)
        }
        Reply::Declined(_) => Err(Declined::new("there is no such dead letter").into()),
        Reply::Broken(reference) => anyhow::bail!("something broke, see the log: {reference}"),
    }
}
