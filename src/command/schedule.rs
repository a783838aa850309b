//! `saihakko schedule`: the recurring work.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use engine::schedule::last_tick;
use saihakko::dates;
use serde_json::json;

use super::{Answer, Place, print_json, say};

#[derive(Subcommand)]
pub enum ScheduleCommand {
    /// Every schedule with its last and next tick.
    List(ListOptions),
}

#[derive(Args)]
pub struct ListOptions {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    answer: Answer,
}

/// Runs a schedule command.
pub async fn run(config: Option<PathBuf>, command: ScheduleCommand) -> Result<ExitCode> {
    let ScheduleCommand::List(options) = command;
    let app = options.place.open(config).await?;
    let mut tx = app.tools.db.read().await?;
    let now = tx.now();
    let mut all = Vec::new();
    for schedule in app.engine.schedules() {
        let last = last_tick(&mut tx, &schedule.name).await?;
        let next = schedule.next_after(now);
        if !options.answer.json {
            let at = |moment: Option<_>| moment.map_or_else(|| "-".to_owned(), dates::iso);
            say(format_args!(
                "{:<16} {:<18} last {:<25} next {}",
                schedule.name,
                schedule.expression,
                at(last),
                at(next)
            ));
        }
        all.push(json!({
            "name": schedule.name,
            "expression": schedule.expression,
            "last_tick": last.map(|at| at.to_string()),
            "next_tick": next.map(|at| at.to_string()),
        }));
    }
    if options.answer.json {
        print_json(&json!({ "schedules": all }))?;
    }
    Ok(ExitCode::SUCCESS)
}
