//! `saihakko demo`: the main job on real input, told as a story.

mod browser;
mod keep;
mod limits;
mod online;
mod paper;
mod stage;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use clap::Args;

use self::stage::{Stage, act};
use super::say;

#[derive(Args)]
pub struct DemoOptions {
    /// Where everything lies afterwards; an earlier demonstration there is replaced.
    #[arg(long, value_name = "DIR", default_value = "saihakko-demo")]
    dir: PathBuf,
    /// Play on this empty PostgreSQL database (postgres://…) instead of the embedded one.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// End after the story instead of serving the start page.
    #[arg(long)]
    no_serve: bool,
}

/// Plays the whole story; any step that does not hold ends it with an error.
pub async fn run(options: DemoOptions) -> Result<ExitCode> {
    let begun = Instant::now();
    let database = options.database.unwrap_or_default();
    let mut stage = Stage::set(&options.dir, database, !options.no_serve).await?;
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
        say("");
        super::serve::tell(&stage.server);
        say("(Ctrl+C ends)");
        super::serve::until_told().await?;
    }
    stage.end().await?;
    Ok(ExitCode::SUCCESS)
}
