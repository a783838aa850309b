//! `saihakko case`: what there is, where it stands, how it came there.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use engine::{CaseId, Moment, history, outbox, timers};
use saihakko::dates;
use saihakko::store::cases::{self, CaseLine, Filter};
use saihakko::store::letters;
use saihakko::text::{Language, Texts};
use saihakko::web::diagram::Scope;
use saihakko::web::story;
use serde_json::{Value, json};

use super::{Answer, Declined, Place, print_json, say};

#[derive(Subcommand)]
pub enum CaseCommand {
    /// The newest cases.
    List(ListOptions),
    /// One case: state, deadlines, what it has queued.
    Show(OneOptions),
    /// Every entry of its history, with hashes.
    History(OneOptions),
    /// Its state diagram with the way it took.
    Diagram(DiagramOptions),
}

#[derive(Args)]
pub struct ListOptions {
    #[command(flatten)]
    place: Place,
    /// Only cases of this workflow.
    #[arg(long)]
    workflow: Option<String>,
    /// Only cases that are still open.
    #[arg(long)]
    open: bool,
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
    /// The case's number.
    case: i64,
    #[command(flatten)]
    answer: Answer,
}

#[derive(Args)]
pub struct DiagramOptions {
    #[command(flatten)]
    place: Place,
    /// The case's number.
    case: i64,
    /// Every state, not only those on the way and beside it.
    #[arg(long)]
    all: bool,
    /// Mermaid text instead of an SVG picture.
    #[arg(long)]
    mermaid: bool,
    /// In English.
    #[arg(long)]
    english: bool,
}

/// Runs a case command.
pub async fn run(config: Option<PathBuf>, command: CaseCommand) -> Result<ExitCode> {
    match command {
        CaseCommand::List(options) => list(config, options).await,
        CaseCommand::Show(options) => show(config, options).await,
        CaseCommand::History(options) => show_history(config, options).await,
        CaseCommand::Diagram(options) => diagram(config, options).await,
    }
}

async fn list(config: Option<PathBuf>, options: ListOptions) -> Result<ExitCode> {
    let app = options.place.open(config).await?;
    let mut tx = app.tools.db.read().await?;
    let filter = Filter {
        workflow: options.workflow.unwrap_or_default(),
        without: workflows::credential::NAME.to_owned(),
        open: options.open.then_some(true),
        ..Filter::default()
    };
    let rows = cases::list(&mut tx, &filter, options.limit).await?.lines;
    if options.answer.json {
        let cases: Vec<Value> = rows.iter().map(line_json).collect();
        print_json(&json!({ "cases": cases }))?;
    } else if rows.is_empty() {
        say("no cases");
    } else {
        for row in &rows {
            let number = dates::numbered(Moment(row.opened_at), row.id);
            let changed = dates::dense(Moment(row.changed_at));
            say(format_args!("{number}  {:<13} {:<26} {changed}", row.workflow, row.state_name));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn line_json(line: &CaseLine) -> Value {
    json!({
        "case": line.id,
        "number": dates::numbered(Moment(line.opened_at), line.id),
        "workflow": line.workflow,
        "subject": line.subject,
        "state": line.state_name,
        "version": line.version,
        "entries": line.entries,
        "opened_at": Moment(line.opened_at).to_string(),
        "changed_at": Moment(line.changed_at).to_string(),
        "ended_at": line.ended_at.map(|at| Moment(at).to_string()),
    })
}

fn row_json(row: &engine::case::CaseRow) -> Value {
    json!({
        "case": row.id,
        "number": dates::numbered(Moment(row.opened_at), row.id),
        "workflow": row.workflow,
        "subject": row.subject,
        "state": row.state_name,
        "version": row.version,
        "entries": row.entries,
        "head": history::hex(&row.head),
        "opened_at": Moment(row.opened_at).to_string(),
        "changed_at": Moment(row.changed_at).to_string(),
        "ended_at": row.ended_at.map(|at| Moment(at).to_string()),
    })
}

fn unknown(case: i64) -> anyhow::Error {
    Declined::new(format!("there is no case {case}")).into()
}

async fn show(config: Option<PathBuf>, options: OneOptions) -> Result<ExitCode> {
    let app = options.place.open(config).await?;
    let mut tx = app.tools.db.read().await?;
    let case = CaseId(options.case);
    let row = engine::case::find(&mut tx, case).await?.ok_or_else(|| unknown(options.case))?;
    let armed = timers::armed(&mut tx, case).await?;
    let queued = outbox::of_case(&mut tx, case).await?;
    let letters = letters::due_of_case(&mut tx, case).await?;
    if options.answer.json {
        let deadlines: Vec<Value> = armed
            .iter()
            .map(|(due, command)| json!({ "due_at": due.to_string(), "command": command }))
            .collect();
        let mut value = row_json(&row);
        if let Value::Object(fields) = &mut value {
            fields.insert("deadlines".into(), Value::Array(deadlines));
            fields.insert("outbox".into(), serde_json::to_value(&queued)?);
            fields.insert("letters_due".into(), serde_json::to_value(&letters)?);
        }
        print_json(&value)?;
        return Ok(ExitCode::SUCCESS);
    }
    let number = dates::numbered(Moment(row.opened_at), row.id);
    say(format_args!("{number}  {}  {}", row.workflow, row.state_name));
    say(format_args!("opened {}, {} entries", dates::iso(Moment(row.opened_at)), row.entries));
    for (due, command) in armed {
        say(format_args!("  due {}  {command}", dates::iso(due)));
    }
    for letter in letters {
        say(format_args!("  letter to be printed: {} ({})", letter.about, letter.due_on));
    }
    for parcel in queued {
        say(format_args!("  outbox {}  {} {}", parcel.id, parcel.label, parcel.status));
    }
    Ok(ExitCode::SUCCESS)
}

async fn show_history(config: Option<PathBuf>, options: OneOptions) -> Result<ExitCode> {
    let app = options.place.open(config).await?;
    let mut tx = app.tools.db.read().await?;
    let case = CaseId(options.case);
    engine::case::find(&mut tx, case).await?.ok_or_else(|| unknown(options.case))?;
    let entries = history::entries(&mut tx, case).await?;
    if options.answer.json {
        print_json(&json!({ "case": case, "entries": entries }))?;
        return Ok(ExitCode::SUCCESS);
    }
    for entry in entries {
        let hash: String = history::hex(&entry.hash).chars().take(12).collect();
        say(format_args!(
            "#{:<3} {}  {:<10} {:<18} {} → {}  {} {}  {hash}",
            entry.no,
            dates::iso(entry.at),
            entry.kind,
            entry.command,
            entry.from,
            entry.to,
            entry.actor,
            entry.outcome,
        ));
    }
    Ok(ExitCode::SUCCESS)
}

async fn diagram(config: Option<PathBuf>, options: DiagramOptions) -> Result<ExitCode> {
    let app = options.place.open(config).await?;
    let file = cases::find(&app.tools.db, CaseId(options.case)).await?;
    let file = file.ok_or_else(|| unknown(options.case))?;
    let language = if options.english { Language::English } else { Language::Japanese };
    let scope = if options.all { Scope::All } else { Scope::Way };
    let drawn = story::drawn(&Texts::load()?, language, &file, scope);
    say(if options.mermaid { drawn.mermaid } else { drawn.svg });
    Ok(ExitCode::SUCCESS)
}
