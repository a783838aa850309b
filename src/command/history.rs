//! `saihakko history`: verification.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use engine::{CaseId, verify};
use serde_json::json;

use super::{Answer, Place, print_json, say};

#[derive(Subcommand)]
pub enum HistoryCommand {
    /// Check every history, or one, against itself, its case and the checkpoint.
    Verify(VerifyOptions),
    /// Take a checkpoint now.
    Checkpoint(CheckpointOptions),
}

#[derive(Args)]
pub struct VerifyOptions {
    #[command(flatten)]
    place: Place,
    /// Only this case.
    #[arg(long)]
    case: Option<i64>,
    #[command(flatten)]
    answer: Answer,
}

#[derive(Args)]
pub struct CheckpointOptions {
    #[command(flatten)]
    place: Place,
}

/// Runs a history command.
pub async fn run(config: Option<PathBuf>, command: HistoryCommand) -> Result<ExitCode> {
    match command {
        HistoryCommand::Verify(options) => verify_histories(config, options).await,
        HistoryCommand::Checkpoint(options) => {
            options.place.open(config).await?.take_checkpoint().await?;
            say("checkpoint taken");
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn verify_histories(config: Option<PathBuf>, options: VerifyOptions) -> Result<ExitCode> {
    let app = options.place.open(config).await?;
    let checkpoint = app.read_checkpoint()?;
    let only = options.case.map(CaseId);
    let report = verify::verify(&app.tools.db, only, Some(&checkpoint)).await?;
    if options.answer.json {
        print_json(&json!({ "intact": report.is_intact(), "report": report }))?;
    } else {
        for finding in &report.findings {
            say(finding);
        }
        let verdict = if report.is_intact() {
            "intact 改ざんなし"
        } else {
            "NOT INTACT 不一致あり"
        };
        let (cases, entries) = (report.cases, report.entries);
        say(format_args!("{verdict}: {cases} cases, {entries} entries"));
        match report.checkpoint_at {
            Some(at) => say(format_args!(
                "compared with {} heads of the checkpoint, last taken {}",
                report.checkpointed,
                saihakko::dates::iso(at)
            )),
            None => say("there is no checkpoint yet"),
        }
    }
    Ok(if report.is_intact() { ExitCode::SUCCESS } else { ExitCode::from(4) })
}
