//! Processor time of a page, by kind of file.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Duration;

use forms::{CodeKey, PageKind, ReadOptions, read_file};

#[derive(Default)]
struct Kind {
    pages: u32,
    named: u32,
    least: Duration,
}

/// Reads every file of the folders below so many times; the fastest counts, so that neighbours of this
/// process do not.
pub(crate) fn run(folder: &Path, rounds: u32) -> Result<(), Box<dyn Error>> {
    let options = ReadOptions::new(CodeKey::sample());
    let mut folders: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    folders.sort_by_key(fs::DirEntry::file_name);
    for level in folders {
        let mut kinds: BTreeMap<String, Kind> = BTreeMap::new();
        for file in fs::read_dir(level.path())? {
            let file = file?;
            let name = file.file_name().to_string_lossy().into_owned();
            let Some((kind, _)) = name.split_once('.') else { continue };
            let bytes = fs::read(file.path())?;
            let kind = kinds.entry(kind.to_owned()).or_default();
            let mut least = Duration::MAX;
            for round in 0..rounds {
                let before = on_processor()?;
                let reading = read_file(&bytes, &name, &options);
                least = least.min(on_processor()?.saturating_sub(before));
                if round == 0 {
                    kind.pages += u32::try_from(reading.pages.len())?;
                    let named = reading.pages.iter().filter(|page| page.kind == PageKind::Form);
                    kind.named += u32::try_from(named.count())?;
                }
            }
            kind.least += least;
        }
        for (name, kind) in kinds {
            let each = kind.least / kind.pages.max(1);
            println!(
                "{} {name}: {:.1} ms a page, {:.1} pages/s, {} of {} named",
                level.file_name().to_string_lossy(),
                each.as_secs_f64() * 1000.0,
                1.0 / each.as_secs_f64(),
                kind.named,
                kind.pages
            );
        }
    }
    Ok(())
}

/// What this thread has had of a processor.
fn on_processor() -> Result<Duration, Box<dyn Error>> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = text.split_whitespace().next().ok_or("no time")?;
    Ok(Duration::from_nanos(nanoseconds.parse()?))
}
