//! `saihakko import`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use saihakko::import::{self, Report};
use saihakko::socket::{self, Call, Reply, SocketFault};
use saihakko::text::Language;

use super::{Answer, Declined, Place, print_json, say};

#[derive(Args)]
pub struct ImportOptions {
    #[command(flatten)]
    place: Place,
    /// CSV or JSON lines; the file's name says what it holds: contracts, addresses, users,
    /// specimens, staff, holidays, credentials, cards.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Report bad rows in English.
    #[arg(long)]
    english: bool,
    #[command(flatten)]
    answer: Answer,
}

/// Imports through a running server; without one, into the database itself.
pub async fn run(config: Option<PathBuf>, options: ImportOptions) -> Result<ExitCode> {
    let path = options.place.config(config.as_deref())?.socket_file();
    let files: Vec<PathBuf> =
        options.files.iter().map(std::path::absolute).collect::<std::io::Result<_>>()?;
    let call = Call::Import { files: files.clone() };
    let report: Report = match socket::call(&path, &call).await {
        Ok(Reply::Done(value)) => return finish(&options, &value, None),
        Ok(Reply::Declined(why)) => return Err(Declined::new(why).into()),
        Ok(Reply::Broken(reference)) => {
            anyhow::bail!("something broke, see the log: {reference}")
        }
        Err(SocketFault::Unreachable { .. }) => {
            let (app, _lock) = options.place.open_alone(config).await?;
            let report =
                import::import(&app.engine, &app.tools.keys, app.tools.hash_cost(), &files).await?;
            app.open_missing_credentials().await?;
            report
        }
        Err(other) => return Err(other.into()),
    };
    let value = serde_json::to_value(&report)?;
    finish(&options, &value, Some(&report))
}

fn finish(
    options: &ImportOptions,
    value: &serde_json::Value,
    report: Option<&Report>,
) -> Result<ExitCode> {
    if options.answer.json {
        print_json(value)?;
    } else if let Some(report) = report {
        tell(report, options.english);
    } else {
        say(serde_json::to_string_pretty(value)?);
    }
    let is_bad = value.get("problems").and_then(|p| p.as_array()).is_some_and(|p| !p.is_empty());
    Ok(if is_bad { ExitCode::from(3) } else { ExitCode::SUCCESS })
}

fn tell(report: &Report, english: bool) {
    let language = if english { Language::English } else { Language::Japanese };
    for problem in &report.problems {
        say(problem.text(language));
    }
    if !report.problems.is_empty() {
        say(if english { "nothing was written" } else { "何も取り込んでいません。" });
    }
    for (kind, counts) in &report.counts {
        let (new, changed, same) = (counts.new, counts.changed, counts.same);
        say(format_args!("{kind:<12} new {new}, changed {changed}, same {same}"));
    }
}
