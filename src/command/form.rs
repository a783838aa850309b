//! `saihakko form`: prints, lays out and reads Form 3 with no database and no configuration.

use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use forms::{
    CodeKey, Copy, FontChoice, FormData, House, Job, Limits, Press, ReadOptions, Sheets,
    SubmissionNumber, Variant, Version, layout, page_pictures, read_file,
};
use saihakko::reader::{PictureOf, Pictures};
use serde_json::json;

use super::{Answer, Declined, print_json, say};

mod batch;

#[derive(Subcommand)]
pub enum FormCommand {
    /// Print the form: blank, filled in from JSON, fillable, or a batch of prefilled first pages.
    Print(PrintOptions),
    /// Say where the boxes lie, in millimetres from the top left corner of the page.
    #[command(disable_version_flag = true)]
    Layout(LayoutOptions),
    /// Read scans and filled forms: PDF, PNG, JPEG, TIFF.
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
    /// Standard input begins with the 32 bytes of the code key.
    #[arg(long, hide = true, conflicts_with = "files")]
    keyed_input: bool,
    /// Answer with pictures of the pages of this submission, seals covered.
    #[arg(long, hide = true, value_name = "NUMBER", requires = "keyed_input")]
    pictures_of: Option<String>,
    /// Take at most so many bytes of memory.
    #[arg(long, hide = true)]
    limit_memory: Option<u64>,
    /// Take at most so many seconds of processor time.
    #[arg(long, hide = true)]
    limit_seconds: Option<u64>,
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

fn read(options: &ReadFormOptions) -> Result<ExitCode> {
    limit(options)?;
    if !options.files.is_empty() && options.files != [PathBuf::from("-")] {
        return read_batch(options);
    }
    let mut key = CodeKey::sample();
    let mut input = std::io::stdin().lock();
    if options.keyed_input {
        let mut bytes = [0; 32];
        input.read_exact(&mut bytes).context("no code key on standard input")?;
        key = CodeKey::new(bytes);
    }
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes).context("standard input cannot be read")?;
    if let Some(number) = &options.pictures_of {
        let pictures = page_pictures(&bytes, &key, number, &Limits::default())?;
        let pictures = pictures.into_iter().map(PictureOf::from).collect();
        print_json(&Pictures { pictures })?;
        return Ok(ExitCode::SUCCESS);
    }
    let reading = read_file(&bytes, "-", &ReadOptions::new(key));
    if options.answer.json {
        print_json(&json!({ "files": [reading] }))?;
    } else {
        tell(&reading);
    }
    Ok(ExitCode::SUCCESS)
}

/// Files by name: one that cannot be read is told beside the others, and at the end by the exit
/// code.
fn read_batch(options: &ReadFormOptions) -> Result<ExitCode> {
    let read_options = ReadOptions::new(CodeKey::sample());
    let counts = if options.answer.json {
        let mut stream = batch::JsonStream::new(std::io::stdout().lock());
        let counts = batch::read(&options.files, &read_options, |file| stream.file(file))?;
        stream.end(&counts)?;
        counts
    } else {
        batch::read(&options.files, &read_options, |file| {
            tell(file);
            Ok(())
        })?
    };
    Ok(if counts.errors > 0 { ExitCode::from(UNREAD) } else { ExitCode::SUCCESS })
}

/// The exit code when a file was not found or not read to its end.
const UNREAD: u8 = 3;

/// A child that reads a stranger's file may not take more than its share.
fn limit(options: &ReadFormOptions) -> Result<()> {
    if let Some(bytes) = options.limit_memory {
        rlimit::setrlimit(rlimit::Resource::AS, bytes, bytes).context("no memory limit")?;
    }
    if let Some(seconds) = options.limit_seconds {
        rlimit::setrlimit(rlimit::Resource::CPU, seconds, seconds).context("no time limit")?;
    }
    Ok(())
}

fn tell(file: &forms::FileReading) {
    say(&file.file);
    for page in &file.pages {
        let number = page.case_id.map_or_else(|| "-".to_owned(), forms::SubmissionNumber::grouped);
        let of = page.page_of.clone().unwrap_or_default();
        say(format_args!("  page {}: {:?} {number} {of}", page.page, page.kind));
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
            say(format_args!("    defects: {:?}", page.defects));
        }
    }
    if let Some(error) = &file.error {
        say(format_args!("  not read to the end: {error}"));
    }
}
