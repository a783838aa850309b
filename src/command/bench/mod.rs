//! `saihakko bench`.

mod client;
mod ground;
mod office;
mod pages;
mod pile;
mod seed;
mod server;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use engine::bench::{self, Load};
use engine::{Clock, Db};

use super::{Answer, print_json, say};

#[derive(Subcommand)]
pub enum BenchCommand {
    /// Transitions a second: five steps as jobs, an approval, a timer set and cancelled.
    Engine(EngineOptions),
    /// The customers' pages under load, among very many finished cases in a throw-away folder.
    Pages(pages::PagesOptions),
    /// Clerks and approvers at work on a pile of forms, among very many finished cases.
    Office(office::OfficeOptions),
}

#[derive(Args)]
pub struct EngineOptions {
    /// How many cases.
    #[arg(long, default_value_t = 2_000)]
    cases: usize,
    /// How many at once.
    #[arg(long, default_value_t = 64)]
    concurrency: usize,
    /// A PostgreSQL database of its own; a fresh SQLite file without it.
    #[arg(long, value_name = "URL")]
    postgres: Option<String>,
    /// Where the SQLite file is made.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    #[command(flatten)]
    answer: Answer,
}

/// Measures.
pub async fn run(command: BenchCommand) -> Result<ExitCode> {
    match command {
        BenchCommand::Engine(options) => transitions(options).await,
        BenchCommand::Pages(options) => pages::run(options).await,
        BenchCommand::Office(options) => office::run(options).await,
    }
}

async fn transitions(options: EngineOptions) -> Result<ExitCode> {
    let load = Load { cases: options.cases, concurrency: options.concurrency };
    let file = options
        .dir
        .unwrap_or_else(std::env::temp_dir)
        .join(format!("saihakko-bench-{}.db", std::process::id()));
    let db = match &options.postgres {
        Some(url) => Db::postgres(url, 16, Clock::Database).await?,
        None => Db::sqlite(&file, true, Clock::Database).await?,
    };
    saihakko::store::migrate(&db).await?;
    let figures = bench::run(&db, load).await;
    db.close().await;
    if options.postgres.is_none() {
        for ending in ["", "-wal", "-shm"] {
            let mut name = file.clone().into_os_string();
            name.push(ending);
            // Whatever is left of a file that is not needed any more is no reason to fail.
            let _ = std::fs::remove_file(name);
        }
    }
    let figures = figures?;
    if options.answer.json {
        print_json(&figures)?;
    } else {
        say(format_args!(
            "{}: {:.0} transitions/s, {:.0} cases/s, step p50 {:.1} ms, p99 {:.1} ms",
            figures.database,
            figures.transitions_per_s,
            figures.cases_per_s,
            figures.step_p50_ms,
            figures.step_p99_ms
        ));
    }
    Ok(ExitCode::SUCCESS)
}
