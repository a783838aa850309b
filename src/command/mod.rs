//! The commands, their options and exit codes.

mod bench;
mod case;
mod demo;
mod doctor;
mod form;
mod history;
mod import;
mod outbox;
mod schedule;
mod serve;
mod staff;
mod station;

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use saihakko::app::{App, Surroundings};
use saihakko::config::{Config, LogFormat};

/// Reissues certificate retrieval passwords: for oneself, for a colleague, or on paper.
///
/// 証明書取得用パスワードの再発行を、ご本人・社内の権限者・書面の3つの方法で承ります。
#[derive(Parser)]
#[command(version, propagate_version = true, after_help = EXIT_CODES)]
pub struct Options {
    /// The configuration file; saihakko.toml in the working directory when there is one.
    #[arg(long, global = true, env = "SAIHAKKO_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done; 1 something broke; 2 wrong usage; 3 declined or not \
     found; 4 histories are not intact; 5 the configuration or a check is not in order.";

#[derive(Subcommand)]
enum Command {
    /// Run the main job on real input and tell it, then serve the start page.
    #[command(after_help = "Example: saihakko demo --dir /tmp/demo --no-serve")]
    Demo(demo::DemoOptions),
    /// Serve the pages, the certificate site and the local socket, and keep cases moving.
    #[command(after_help = "Example: saihakko --config saihakko.toml serve")]
    Serve(serve::ServeOptions),
    /// Bring contracts, users, credentials, addresses, seals, staff and holidays into the ledger.
    #[command(after_help = "Example: saihakko import contracts.csv users.csv")]
    Import(import::ImportOptions),
    /// List cases, show one, its history or its diagram.
    #[command(subcommand, after_help = "Example: saihakko case history 12 --json")]
    Case(case::CaseCommand),
    /// Print Form 3, say where its boxes lie, read it back. Needs no database.
    #[command(subcommand, after_help = "Example: saihakko form print --out form3.pdf")]
    Form(form::FormCommand),
    /// See what waits to leave the house; retry or drop dead letters.
    #[command(subcommand, after_help = "Example: saihakko outbox list --dead")]
    Outbox(outbox::OutboxCommand),
    /// Verify histories against themselves and against the checkpoint.
    #[command(subcommand, after_help = "Example: saihakko history verify --dir saihakko-demo")]
    History(history::HistoryCommand),
    /// List the recurring work.
    #[command(subcommand, after_help = "Example: saihakko schedule list")]
    Schedule(schedule::ScheduleCommand),
    /// Make accounts for staff, change their roles, give them new secrets.
    #[command(
        subcommand,
        after_help = "Example: saihakko staff add hara --name '原 大輔' --roles system_administrator"
    )]
    Staff(staff::StaffCommand),
    /// Print the letters of a running server: sealed ones are opened here, in memory alone.
    #[command(
        after_help = "Example: saihakko print-station --login hassou --printer 'lp -d mailer'"
    )]
    PrintStation(station::StationOptions),
    /// Check configuration, keys, database, fonts and mail.
    Doctor(doctor::DoctorOptions),
    /// Measure.
    #[command(subcommand, after_help = "Example: saihakko bench engine --cases 2000 --json")]
    Bench(bench::BenchCommand),
}

/// Where the installation lies.
#[derive(Args, Clone, Default)]
pub struct Place {
    /// The data folder, such as a demonstration's, instead of the configured one.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// How a reading command answers.
#[derive(Args, Clone, Copy, Default)]
pub struct Answer {
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// A command that came to nothing without anything having broken.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct Declined {
    reason: String,
    code: u8,
}

impl Declined {
    /// Declined by rule, or nothing like that exists.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), code: 3 }
    }

    /// With an exit code of its own.
    pub fn with_code(reason: impl Into<String>, code: u8) -> Self {
        Self { reason: reason.into(), code }
    }
}

/// The exit code of an error.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    error.downcast_ref::<Declined>().map_or(1, |declined| declined.code)
}

/// Sets up logging to standard error; never a secret, never a name.
pub fn log(options: &Options) {
    let config = Config::load(options.config.as_deref()).unwrap_or_default();
    let is_server = matches!(options.command, Command::Serve(_));
    // Commands say what they have to say themselves; a level in the environment asks for more.
    let is_asked = std::env::var_os("SAIHAKKO__LOG__LEVEL").is_some();
    let level = if is_server || is_asked { config.log.level.as_str() } else { "warn" };
    let filter = tracing_subscriber::EnvFilter::try_new(level)
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if is_server && config.log.format == LogFormat::Json {
        builder.json().init();
    } else {
        builder.init();
    }
}

/// Runs the command.
pub fn run(options: Options) -> Result<ExitCode> {
    let Options { config, command } = options;
    if let Command::Form(command) = command {
        return form::run(&command);
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no runtime")?;
    runtime.block_on(async {
        match command {
            Command::Demo(options) => demo::run(config, options).await,
            Command::Serve(options) => serve::run(config, options).await,
            Command::Import(options) => import::run(config, options).await,
            Command::Case(command) => case::run(config, command).await,
            Command::Form(command) => form::run(&command),
            Command::Outbox(command) => outbox::run(config, command).await,
            Command::History(command) => history::run(config, command).await,
            Command::Schedule(command) => schedule::run(config, command).await,
            Command::Staff(command) => staff::run(config, command).await,
            Command::PrintStation(options) => station::run(config, options).await,
            Command::Doctor(options) => doctor::run(config, options).await,
            Command::Bench(command) => bench::run(command).await,
        }
    })
}

impl Place {
    /// The configuration for this place.
    pub fn config(&self, file: Option<&Path>) -> Result<Config> {
        let loaded =
            Config::load(file).map_err(|fault| Declined::with_code(engine::chain(&fault), 5))?;
        Ok(match &self.dir {
            None => loaded,
            Some(dir) => {
                anyhow::ensure!(
                    dir.is_dir(),
                    Declined::new(format!("{} is no folder", dir.display()))
                );
                let mut config = loaded;
                config.data.dir.clone_from(dir);
                config
            }
        })
    }

    /// Opens the application at this place while nobody else acts on it.
    pub async fn open_alone(&self, file: Option<PathBuf>) -> Result<(App, File)> {
        let config = self.config(file.as_deref())?;
        std::fs::create_dir_all(&config.data.dir)
            .with_context(|| format!("{} cannot be made", config.data.dir.display()))?;
        let path = config.data.dir.join("saihakko.lock");
        let lock =
            File::create(&path).with_context(|| format!("{} cannot be made", path.display()))?;
        if lock.try_lock().is_err() {
            return Err(Declined::new("another saihakko is at work on this data folder").into());
        }
        let app = App::open(config, Surroundings::of_this_machine()?).await?;
        if app.tools.db.kind() == engine::Kind::Sqlite {
            // Nobody else can be at work on this file: what a killed process left goes on at once.
            app.engine.release_leases().await?;
        }
        Ok((app, lock))
    }

    /// Opens the application at this place, to read.
    pub async fn open(&self, file: Option<PathBuf>) -> Result<App> {
        let config = self.config(file.as_deref())?;
        Ok(App::open(config, Surroundings::of_this_machine()?).await?)
    }
}

/// Prints a value as JSON.
pub fn print_json(value: &impl serde::Serialize) -> Result<()> {
    say(serde_json::to_string_pretty(value).context("the answer is no JSON")?);
    Ok(())
}

/// Prints a line for people; when whoever reads has gone, as `head` does, there is nobody to tell.
pub fn say(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
