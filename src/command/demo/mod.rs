//! `saihakko demo`: the main job on real input, told as a story.

mod after;
mod browser;
mod keep;
mod limits;
mod online;
mod paper;
mod stage;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Instant;

use anyhow::Result;
use clap::Args;
use saihakko::app::Surroundings;

use self::stage::{Stage, act};
use super::{Place, say};

#[derive(Args)]
pub struct DemoOptions {
    /// Where everything lies afterwards; an earlier demonstration there is replaced.
    #[arg(long, value_name = "DIR", default_value = "saihakko-demo")]
    dir: PathBuf,
    /// Play on this empty PostgreSQL database (postgres://…) instead of the embedded one.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Send the story's mails to this SMTP server, which must offer STARTTLS, instead of writing
    /// them into a folder.
    #[arg(long, value_name = "HOST:PORT")]
    smtp: Option<SmtpServer>,
    /// End after the story instead of serving the pages.
    #[arg(long)]
    no_serve: bool,
    /// Only write the sample ledger into this folder, ready for `saihakko import`, and end. The
    /// passwords are hashed at the configured cost.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["database", "smtp", "no_serve"])]
    ledger_only: Option<PathBuf>,
}

/// A mail server as the command line names it.
#[derive(Debug, Clone)]
pub struct SmtpServer {
    host: String,
    port: u16,
}

impl FromStr for SmtpServer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
        let (host, port) = parts.ok_or_else(|| format!("{text} is not HOST:PORT"))?;
        Ok(Self { host: host.to_owned(), port })
    }
}

/// Plays the whole story; any step that does not hold ends it with an error.
pub async fn run(config: Option<PathBuf>, options: DemoOptions) -> Result<ExitCode> {
    if let Some(dir) = &options.ledger_only {
        return ledger_only(config.as_deref(), dir);
    }
    let begun = Instant::now();
    let database = options.database.unwrap_or_default();
    let mut stage =
        Stage::set(&options.dir, database, options.smtp.as_ref(), !options.no_serve).await?;
    act("1", "ご本人による再発行 / self-service");
    let serial = online::own_reissue(&mut stage).await?;
    act("2", "社内の権限者による再発行 / delegated");
    online::colleague_reissue(&mut stage, &serial).await?;
    act("3", "書面による再発行 / on paper");
    paper::by_mail(&mut stage).await?;
    act("4", "入力誤りによるロック / wrong entries lock");
    limits::wrong_entries(&mut stage).await?;
    act("5", "期限切れ / expiry by the clock");
    limits::expiry(&mut stage, &serial).await?;
    act("6", "証跡 / proof");
    keep::proof(&mut stage).await?;
    keep::tell_where(&stage);
    say(format_args!("\n{:.1} s", begun.elapsed().as_secs_f64()));
    if !options.no_serve {
        after::let_people_try(&stage).await?;
    }
    stage.end().await?;
    Ok(ExitCode::SUCCESS)
}

fn ledger_only(config: Option<&Path>, dir: &Path) -> Result<ExitCode> {
    let config = Place::default().config(config)?;
    let entropy = Surroundings::of_this_machine()?.entropy;
    for list in stage::write_ledger(dir, &entropy, config.security.hash_cost())? {
        say(list.display());
    }
    Ok(ExitCode::SUCCESS)
}
