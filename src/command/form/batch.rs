//! Reads many files on all cores: answers in the order of the files, as they come, while no more is
//! held than what is being read.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use anyhow::{Context, Result};
use forms::{FileReading, PageKind, ReadFault, ReadOptions, read_file};
use serde::Serialize;

/// What a batch came to.
#[derive(Debug, Default, Serialize)]
pub struct Counts {
    files: usize,
    /// Files that could not be read to their end.
    pub errors: usize,
    pages: usize,
    form: usize,
    blank: usize,
    other: usize,
    unknown: usize,
}

impl Counts {
    fn add(&mut self, file: &FileReading) {
        self.files += 1;
        self.errors += usize::from(file.error.is_some());
        self.pages += file.pages.len();
        for page in &file.pages {
            match page.kind {
                PageKind::Form => self.form += 1,
                PageKind::Blank => self.blank += 1,
                PageKind::Other => self.other += 1,
                PageKind::Unknown => self.unknown += 1,
            }
        }
    }
}

/// Reads the files and hands each reading over in their order.
pub fn read(
    paths: &[PathBuf],
    options: &ReadOptions,
    mut each: impl FnMut(&FileReading) -> Result<()>,
) -> Result<Counts> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    // Few files: the cores share the pages of each. Many files: each core has its own.
    let workers = cores.min(paths.len()).max(1);
    let options = ReadOptions { threads: cores / workers, ..options.clone() };
    let next = AtomicUsize::new(0);
    // A worker that is far ahead of the slowest file waits.
    let (sender, receiver) = mpsc::sync_channel(workers);
    thread::scope(|scope| {
        for _ in 0..workers {
            let (sender, next, options) = (sender.clone(), &next, &options);
            scope.spawn(move || {
                while let Some((index, path)) = take(next, paths) {
                    // Nobody listens any more: the answer could not be written.
                    if sender.send((index, one(path, options))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let (mut counts, mut early, mut wanted) = (Counts::default(), BTreeMap::new(), 0);
        let mut bar = Bar::new(paths.len());
        for (index, reading) in receiver {
            bar.step();
            early.insert(index, reading);
            while let Some(reading) = early.remove(&wanted) {
                counts.add(&reading);
                each(&reading)?;
                wanted += 1;
            }
        }
        bar.end();
        Ok(counts)
    })
}

fn take<'p>(next: &AtomicUsize, paths: &'p [PathBuf]) -> Option<(usize, &'p Path)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    paths.get(index).map(|path| (index, path.as_path()))
}

/// A file that cannot be opened is an answer like any other.
fn one(path: &Path, options: &ReadOptions) -> FileReading {
    let name = path.display().to_string();
    match bytes(path, options) {
        Ok(bytes) => read_file(&bytes, &name, options),
        Err(error) => FileReading { file: name, pages: Vec::new(), error: Some(error) },
    }
}

/// Too large a file is not even loaded.
fn bytes(path: &Path, options: &ReadOptions) -> Result<Vec<u8>, ReadFault> {
    let refused = |error: std::io::Error| ReadFault::Unopened { reason: error.to_string() };
    let limit = options.limits.file_bytes;
    let size = usize::try_from(std::fs::metadata(path).map_err(refused)?.len());
    match size {
        Ok(size) if size <= limit => std::fs::read(path).map_err(refused),
        size => Err(ReadFault::TooLarge { size: size.unwrap_or(usize::MAX), limit }),
    }
}

/// Progress for people; nothing where nobody watches.
struct Bar {
    done: usize,
    all: usize,
    shown: bool,
}

const WIDTH: usize = 30;

impl Bar {
    fn new(all: usize) -> Self {
        Self { done: 0, all, shown: all > 1 && std::io::stderr().is_terminal() }
    }

    fn step(&mut self) {
        self.done += 1;
        if self.shown {
            let full = self.done * WIDTH / self.all.max(1);
            let (full, rest) = ("#".repeat(full), "-".repeat(WIDTH - full.min(WIDTH)));
            // Reading does not depend on whether its progress can be shown.
            let _ = write!(std::io::stderr(), "\r[{full}{rest}] {}/{}", self.done, self.all);
        }
    }

    fn end(&self) {
        if self.shown {
            let _ = writeln!(std::io::stderr());
        }
    }
}

/// The readings as they come in the one object that `--json` promises.
pub struct JsonStream<W: Write> {
    out: W,
    begun: bool,
}

impl<W: Write> JsonStream<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out, begun: false }
    }

    /// The next file.
    pub fn file(&mut self, reading: &FileReading) -> Result<()> {
        let lead = if self.begun { ",\n" } else { "{\"files\": [\n" };
        self.begun = true;
        let text = serde_json::to_string(reading).context("the answer is no JSON")?;
        write!(self.out, "{lead}{text}").context("the answer cannot be written")
    }

    /// The counts, and the end.
    pub fn end(mut self, counts: &Counts) -> Result<()> {
        let lead = if self.begun { "" } else { "{\"files\": [" };
        let text = serde_json::to_string(counts).context("the answer is no JSON")?;
        writeln!(self.out, "{lead}\n], \"counts\": {text}}}")
            .context("the answer cannot be written")
    }
}
