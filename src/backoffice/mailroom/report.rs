//! What the mail room sees of the files that came: where each page lies, in counts that add up.

use std::collections::BTreeMap;
use std::time::Duration;

use engine::Fault;
use serde::Serialize;

use crate::app::App;
use crate::customer::Declined;
use crate::intake::number_text;
use crate::store::arrivals::{self, Arrival};
use crate::store::sheets::{self, PLACES, Sheet};

/// How long a file that is done is shown.
const SHOWN: Duration = Duration::from_hours(24);

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileResult {
    /// Its number.
    pub id: i64,
    /// As it came.
    pub name: String,
    /// The folder or device that it came from; empty for one that a person has chosen.
    pub device: String,
    /// Somebody gave up reading it.
    pub is_aside: bool,
    /// `waiting`, `reading`, `done`, `failed`.
    pub state: &'static str,
    /// Why it failed: `too_large`, `empty`, `unreadable`, `lost`; else empty.
    pub reason: String,
    /// It can be read again.
    pub is_readable: bool,
    /// When it came, in microseconds.
    pub came_at: i64,
    /// Its pages.
    pub pages: usize,
    /// Where they lie.
    pub placed: Vec<Placed>,
}

/// Pages that lie in one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Placed {
    /// `case`, `unidentified`, `foreign`, `cover`, `blank`, `duplicate`, `lost`.
    pub place: String,
    /// The form's number; empty where there is none.
    pub number: String,
    /// Their places in the file: `1`, `1–3`, `1, 4`.
    pub which: String,
    /// How many.
    pub pages: usize,
    /// What comes next: `read`, `counting`, `unregistered`, `loose`, `duplicate`, `twice`, `over`.
    pub what: String,
}

/// All files together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// How many files.
    pub files: usize,
    /// Of these, how many nobody has begun or finished yet.
    pub open: usize,
    /// Of these, how many failed.
    pub failed: usize,
    /// Their pages.
    pub pages: usize,
    /// Of these, how many lie in each place; every place is named, and the sum is `pages`.
    pub places: Vec<(&'static str, usize)>,
}

impl Tally {
    /// Counts files.
    pub fn of(files: &[FileResult]) -> Self {
        let placed = || files.iter().flat_map(|file| &file.placed);
        let count = |place: &str| {
            placed().filter(|one| one.place == place).map(|one| one.pages).sum::<usize>()
        };
        let open = |file: &&FileResult| matches!(file.state, "waiting" | "reading");
        Self {
            files: files.len(),
            open: files.iter().filter(open).count(),
            failed: files.iter().filter(|file| file.state == "failed").count(),
            pages: files.iter().map(|file| file.pages).sum(),
            places: PLACES.map(|place| (place, count(place))).to_vec(),
        }
    }
}

impl FileResult {
    fn of(arrival: Arrival, sheets: &[Sheet], now: i64) -> Self {
        let state = match arrival.state.as_str() {
            "failed" => "failed",
            "done" => "done",
            _ if arrival.leased_until > now => "reading",
            _ => "waiting",
        };
        let device = arrival.source.strip_prefix("folder").unwrap_or_default();
        let is_readable =
            state == "failed" && !matches!(arrival.reason.as_str(), "too_large" | "empty");
        Self {
            id: arrival.id,
            name: arrival.name,
            device: match (arrival.source.as_str(), device.trim_start_matches('/')) {
                ("upload", _) => String::new(),
                (whole, "") => whole.to_owned(),
                (_, device) => device.to_owned(),
            },
            is_aside: !arrival.aside_by.is_empty(),
            state,
            reason: arrival.reason,
            is_readable,
            came_at: arrival.came_at,
            pages: sheets.len(),
            placed: placed(sheets),
        }
    }
}

/// The pages of a file by place, envelope and what comes next, in the order of the file.
fn placed(sheets: &[Sheet]) -> Vec<Placed> {
    let mut all: Vec<(&Sheet, Vec<i64>)> = Vec::new();
    for sheet in sheets {
        let same = |other: &Sheet| {
            (&other.place, other.number, &other.what) == (&sheet.place, sheet.number, &sheet.what)
        };
        match all.iter_mut().find(|(other, _)| same(other)) {
            Some((_, pages)) => pages.push(sheet.page),
            None => all.push((sheet, vec![sheet.page])),
        }
    }
    let shown = |(sheet, pages): (&Sheet, Vec<i64>)| Placed {
        place: sheet.place.clone(),
        number: sheet.number.map(number_text).unwrap_or_default(),
        which: ranges(&pages),
        pages: pages.len(),
        what: sheet.what.clone(),
    };
    all.into_iter().map(shown).collect()
}

/// `1–3, 5`.
fn ranges(pages: &[i64]) -> String {
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for page in pages {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *page => *last = *page,
            _ => runs.push((*page, *page)),
        }
    }
    let run = |(first, last): &(i64, i64)| {
        if first == last { first.to_string() } else { format!("{first}–{last}") }
    };
    runs.iter().map(run).collect::<Vec<_>>().join(", ")
}

impl App {
    /// What became of one file.
    pub async fn file_result(&self, id: i64) -> Result<FileResult, Declined> {
        let mut tx = self.tools.db.read().await?;
        let now = tx.now().0;
        let arrival = arrivals::find(&mut tx, id).await?.ok_or(Declined::NotFound)?;
        let sheets = sheets::of_arrival(&mut tx, id).await?;
        Ok(FileResult::of(arrival, &sheets, now))
    }

    /// The files that are not done, and those of the last day; the newest first.
    pub async fn files(&self) -> Result<Vec<FileResult>, Fault> {
        let mut tx = self.tools.db.read().await?;
        let now = tx.now();
        let since = now.minus(SHOWN);
        let mut pages: BTreeMap<i64, Vec<Sheet>> = BTreeMap::new();
        for sheet in sheets::recent(&mut tx, since).await? {
            pages.entry(sheet.arrival).or_default().push(sheet);
        }
        let found = arrivals::recent(&mut tx, since).await?;
        let result = |arrival: Arrival| {
            let own = pages.remove(&arrival.id).unwrap_or_default();
            FileResult::of(arrival, &own, now.0)
        };
        Ok(found.into_iter().map(result).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(page: i64, place: &str, number: Option<i64>, what: &str) -> Sheet {
        Sheet { arrival: 1, page, place: place.into(), number, what: what.into() }
    }

    #[test]
    fn every_page_is_counted_once() {
        let sheets = [
            sheet(1, "case", Some(19), "read"),
            sheet(2, "case", Some(19), "read"),
            sheet(3, "blank", None, ""),
            sheet(4, "case", Some(19), "read"),
            sheet(5, "lost", None, ""),
        ];
        let shown: Vec<(String, String, usize)> =
            placed(&sheets).into_iter().map(|one| (one.place, one.which, one.pages)).collect();
        let line = |place: &str, which: &str, pages| (place.to_owned(), which.to_owned(), pages);
        assert_eq!(shown, [line("case", "1–2, 4", 3), line("blank", "3", 1), line("lost", "5", 1)]);
    }
}
