//! `saihakko form`: prints, lays out and reads Form 3 with no database and no configuration.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use forms::{
    CodeKey, Copy, FontChoice, FormData, House, Job, Press, Sheets, SubmissionNumber, Variant,
    Version, layout,
};
use saihakko::reader::{Check, Digits, Seal, draw_pictures, obey};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::{Answer, Declined, print_json, say};

mod batch;

#[derive(Subcommand)]
pub enum FormCommand {
    /// Print the form: blank, filled in from JSON, fillable, or a batch of prefilled first pages.
    Print(PrintOptions),
    /// Say where the boxes lie, in millimetres from the top left corner of the page.
    #[command(disable_version_flag = true)]
    Layout(LayoutOptions),
    /// Read scans and filled forms: PDF, TIFF, JPEG, PNG, HEIC.
    Read(ReadFormOptions),
}

#[derive(Args)]
pub struct PrintOptions {
    /// Which form: bizstation or light.
    #[arg(long, default_value = "bizstation")]
    variant: Variant,
    /// Page 1 of so many prefilled forms, each with a fresh submission number.
    #[arg(long, value_name = "N", conflicts_with_all = ["fillable", "data"])]
    case_ids: Option<usize>,
    /// A form that can be filled in in a PDF viewer.
    #[arg(long)]
    fillable: bool,
    /// Fill in these values (JSON).
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Where the PDF goes.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    answer: Answer,
}

#[derive(Args)]
pub struct LayoutOptions {
    /// Which form: bizstation or light.
    #[arg(long, default_value = "bizstation")]
    variant: Variant,
    /// Which version of the layout; every version that was ever printed is known.
    #[arg(long = "version", alias = "layout-version", default_value_t = 1, value_name = "N")]
    layout_version: u8,
    #[command(flatten)]
    answer: Answer,
}

#[derive(Args)]
pub struct ReadFormOptions {
    /// The files; - or none reads standard input.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Carry out orders from standard input.
    #[arg(long, hide = true, conflicts_with = "files")]
    worker: bool,
    /// Draw the pages of this submission; key and file come on standard input.
    #[arg(long, hide = true, value_name = "NUMBER", conflicts_with_all = ["files", "worker"])]
    pictures_of: Option<String>,
    #[command(flatten)]
    answer: Answer,
}

/// Runs a form command.
pub fn run(command: &FormCommand) -> Result<ExitCode> {
    match command {
        FormCommand::Print(options) => print(options),
        FormCommand::Layout(options) => show_layout(options),
        FormCommand::Read(options) => read(options),
    }
}

fn print(options: &PrintOptions) -> Result<ExitCode> {
    let press = Press::new(&FontChoice::default())?;
    let (house, key) = (House::sample(), CodeKey::sample());
    let job =
        Job { variant: options.variant, house: &house, key: &key, made_at: SystemTime::now() };
    let data = match &options.data {
        None => FormData::default(),
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("{} cannot be read", path.display()))?;
            serde_json::from_str(&text)
                .with_context(|| format!("{} holds no form data", path.display()))?
        }
    };
    let (pdf, pages) = match options.case_ids {
        Some(count) => {
            let copies: Result<Vec<Copy>> =
                (0..count).map(|_| Ok(Copy { submission: Some(fresh()?), ..sample() })).collect();
            let batch = press.batch(&job, &copies?, Sheets::First)?;
            (batch.pdf, batch.pages)
        }
        None if options.fillable => {
            (press.fillable(&job, &Copy { submission: None, data })?, Vec::new())
        }
        None => (press.form3(&job, &Copy { submission: None, data })?, Vec::new()),
    };
    std::fs::write(&options.out, &pdf)
        .with_context(|| format!("{} cannot be written", options.out.display()))?;
    if options.answer.json {
        print_json(&json!({ "pages": pages }))?;
    } else {
        say(format_args!("{}: {} bytes", options.out.display(), pdf.len()));
    }
    Ok(ExitCode::SUCCESS)
}

/// A prefilled form as a customer would order it.
fn sample() -> Copy {
    Copy { submission: None, data: saihakko::prefill::sample() }
}

fn fresh() -> Result<SubmissionNumber> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).context("no random bytes")?;
    Ok(SubmissionNumber::from_random(bytes))
}

fn show_layout(options: &LayoutOptions) -> Result<ExitCode> {
    let version = Version::from_number(options.layout_version).ok_or_else(|| {
        Declined::new(format!("there never was a layout version {}", options.layout_version))
    })?;
    let layout = layout(version, options.variant);
    if options.answer.json {
        print_json(&layout.to_json())?;
        return Ok(ExitCode::SUCCESS);
    }
    for page in &layout.pages {
        let boxes = page.checkboxes.len() + page.digits.len() + page.texts.len();
        say(format_args!("page {}: {boxes} fields, {} seal boxes", page.page, page.seals.len()));
    }
    say("the boxes themselves: --json");
    Ok(ExitCode::SUCCESS)
}

/// Files by name, or standard input: one that cannot be read is told beside the others, and at the end by
/// the exit code.
fn read(options: &ReadFormOptions) -> Result<ExitCode> {
    if options.worker {
        let (input, output) = (std::io::stdin().lock(), std::io::stdout().lock());
        obey(input, output).context("the orders cannot be carried out")?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(number) = &options.pictures_of {
        let (input, output) = (std::io::stdin().lock(), std::io::stdout().lock());
        draw_pictures(number, input, output).context("the pages cannot be drawn")?;
        return Ok(ExitCode::SUCCESS);
    }
    let files: Vec<batch::File> = if options.files.is_empty() {
        vec![batch::File::Standard]
    } else {
        options.files.iter().map(|path| batch::File::of(path)).collect()
    };
    let counts = if options.answer.json {
        batch::read(files, &mut batch::JsonStream::new(std::io::stdout().lock()))?
    } else {
        batch::read(files, &mut Lines)?
    };
    Ok(if counts.errors > 0 { ExitCode::from(UNREAD) } else { ExitCode::SUCCESS })
}

/// The exit code when a file was not found or not read to its end.
const UNREAD: u8 = 3;

/// Readings for people.
struct Lines;

/// What of a page is told in lines.
#[derive(Deserialize)]
struct Told {
    page: usize,
    kind: String,
    case_id: Option<String>,
    page_of: Option<String>,
    digits: BTreeMap<String, Digits>,
    checks: BTreeMap<String, Check>,
    seals: BTreeMap<String, Seal>,
    defects: Vec<String>,
    note: Option<String>,
}

impl batch::Listener for Lines {
    fn file(&mut self, name: &str) -> Result<()> {
        say(name);
        Ok(())
    }

    fn page(&mut self, page: &RawValue) -> Result<()> {
        let page: Told = serde_json::from_str(page.get()).context("a reading is no page")?;
        let number = page.case_id.as_deref().unwrap_or("-");
        let of = page.page_of.unwrap_or_default();
        say(format_args!("  page {}: {} {number} {of}", page.page, page.kind));
        for (name, digits) in page.digits.iter().filter(|(_, digits)| !digits.v.is_empty()) {
            say(format_args!("    {name}: {}", digits.v));
        }
        for (name, _) in page.checks.iter().filter(|(_, check)| check.v == Some(true)) {
            say(format_args!("    {name}: ✓"));
        }
        for (name, seal) in &page.seals {
            say(format_args!("    {name}: {}", if seal.found { "found" } else { "none" }));
        }
        if !page.defects.is_empty() {
            say(format_args!("    defects: {}", page.defects.join(", ")));
        }
        if let Some(note) = page.note {
            say(format_args!("    {note}"));
        }
        Ok(())
    }

    fn end(&mut self, error: Option<&str>) -> Result<()> {
        if let Some(error) = error {
            say(format_args!("  not read to the end: {error}"));
        }
        Ok(())
    }

    fn counts(&mut self, _: &batch::Counts) -> Result<()> {
        Ok(())
    }
}
