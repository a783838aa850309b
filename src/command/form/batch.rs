//! Reads many files on all cores, in children that may not take more than their share: answers in the
//! order of files and pages, as they come, while no more is held than what is being read.

mod bar;
mod crew;
mod json;

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use bar::Bar;
use crew::{Frontier, Heard, Part};
pub use json::JsonStream;

/// A file to be read.
#[derive(Debug)]
pub enum File {
    /// What comes in on standard input.
    Standard,
    /// By its path.
    Path(PathBuf),
}

impl File {
    /// `-` stands for standard input.
    pub fn of(path: &Path) -> Self {
        if path.as_os_str() == "-" { Self::Standard } else { Self::Path(path.to_owned()) }
    }

    fn name(&self) -> String {
        match self {
            Self::Standard => "-".to_owned(),
            Self::Path(path) => path.display().to_string(),
        }
    }
}

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

#[derive(Deserialize)]
struct Kind {
    kind: String,
}

impl Counts {
    fn add(&mut self, page: &RawValue) -> Result<()> {
        let page: Kind = serde_json::from_str(page.get()).context("a reading has no kind")?;
        self.pages += 1;
        match page.kind.as_str() {
            "form" => self.form += 1,
            "blank" => self.blank += 1,
            "other" => self.other += 1,
            _ => self.unknown += 1,
        }
        Ok(())
    }
}

/// Who is told what is read, in order.
pub trait Listener {
    /// The next file.
    fn file(&mut self, name: &str) -> Result<()>;
    /// A page of it, as JSON.
    fn page(&mut self, page: &RawValue) -> Result<()>;
    /// The file is done; or why it could not be read to its end.
    fn end(&mut self, error: Option<&str>) -> Result<()>;
    /// The batch is done.
    fn counts(&mut self, counts: &Counts) -> Result<()>;
}

/// Larger files are shared by all children, every one of which reads every so manyth page.
const SHARED_BYTES: u64 = 2 << 20;

/// Reads the files and tells the listener.
pub fn read(files: Vec<File>, listener: &mut dyn Listener) -> Result<Counts> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let names: Vec<String> = files.iter().map(File::name).collect();
    let parts = parts(files, cores)?;
    let workers = cores.min(parts.len()).max(1);
    let frontier = Frontier::new(parts);
    // Who is far ahead of the slowest waits.
    let (sender, receiver) = mpsc::sync_channel(64);
    thread::scope(|scope| {
        for _ in 0..workers {
            let (sender, frontier) = (sender.clone(), &frontier);
            scope.spawn(move || crew::work(frontier, &sender));
        }
        drop(sender);
        let told = tell(&names, receiver, &frontier, listener);
        // When telling ended early nobody goes on for it.
        frontier.clear();
        told
    })
}

fn parts(files: Vec<File>, cores: usize) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    for (file, from) in files.into_iter().enumerate() {
        let size = match &from {
            File::Standard => 0,
            File::Path(path) => std::fs::metadata(path).map_or(0, |about| about.len()),
        };
        let of = if size > SHARED_BYTES { cores } else { 1 };
        parts.extend(Part::all(file, from, of)?);
    }
    Ok(parts)
}

/// What was heard of a file and not told yet.
#[derive(Default)]
struct Pending {
    /// Pages of each part, by the number of the page.
    pages: BTreeMap<usize, Box<RawValue>>,
    /// How far each part is; none when it is done.
    parts: BTreeMap<usize, Option<usize>>,
    error: Option<String>,
}

impl Pending {
    fn hear(&mut self, part: usize, of: usize, heard: Heard) {
        // Nothing of a part is told before it has begun.
        for part in 0..of {
            self.parts.entry(part).or_insert(Some(part + 1));
        }
        match heard {
            Heard::Page(number, page) => {
                self.parts.insert(part, Some(number + of));
                self.pages.insert(number, page);
            }
            Heard::End(error) => {
                self.parts.insert(part, None);
                self.error = self.error.take().or(error);
            }
        }
    }

    /// The next page before which none can come any more.
    fn next(&mut self) -> Option<Box<RawValue>> {
        let first = self.pages.first_entry()?;
        let number = *first.key();
        let earlier = self.parts.values().flatten().any(|next| *next < number);
        (!earlier).then(|| first.remove())
    }

    fn is_done(&self) -> bool {
        !self.parts.is_empty() && self.pages.is_empty() && self.parts.values().all(Option::is_none)
    }
}

fn tell(
    names: &[String],
    receiver: mpsc::Receiver<crew::Message>,
    frontier: &Frontier,
    listener: &mut dyn Listener,
) -> Result<Counts> {
    let (mut counts, mut pending) = (Counts::default(), BTreeMap::<usize, Pending>::new());
    let (mut current, mut begun) = (0, false);
    let mut bar = Bar::new(names.len());
    for message in receiver {
        pending.entry(message.file).or_default().hear(message.part, message.of, message.heard);
        while let Some(name) = names.get(current) {
            if !begun {
                listener.file(name)?;
                begun = true;
            }
            let Some(file) = pending.get_mut(&current) else { break };
            while let Some(page) = file.next() {
                counts.add(&page)?;
                listener.page(&page)?;
            }
            bar.show(current, counts.pages);
            if !file.is_done() {
                break;
            }
            listener.end(file.error.as_deref())?;
            counts.files += 1;
            counts.errors += usize::from(file.error.is_some());
            pending.remove(&current);
            (current, begun) = (current + 1, false);
            frontier.told(current);
        }
    }
    bar.end(counts.files, counts.pages);
    listener.counts(&counts)?;
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(number: usize) -> Heard {
        Heard::Page(number, RawValue::from_string(number.to_string()).unwrap())
    }

    #[test]
    fn pages_of_several_children_are_told_in_order() {
        let mut file = Pending::default();
        let mut told = Vec::new();
        let heard = [
            (1, page(2)),
            (1, page(4)),
            (0, page(1)),
            (1, Heard::End(None)),
            (0, page(3)),
            (0, page(5)),
            (0, Heard::End(Some("broken".to_owned()))),
        ];
        for (part, heard) in heard {
            file.hear(part, 2, heard);
            while let Some(page) = file.next() {
                told.push(page.get().to_owned());
            }
        }
        assert_eq!(told.join(" "), "1 2 3 4 5");
        assert!(file.is_done());
        assert_eq!(file.error.as_deref(), Some("broken"));
    }

    #[test]
    fn a_part_that_was_given_up_holds_nothing_back() {
        let mut file = Pending::default();
        file.hear(0, 2, Heard::End(Some("lost".to_owned())));
        assert!(!file.is_done() && file.next().is_none());
        file.hear(1, 2, page(2));
        assert_eq!(file.next().unwrap().get(), "2");
        file.hear(1, 2, Heard::End(None));
        assert!(file.is_done());
    }
}
