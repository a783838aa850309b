//! Where each page of a file goes. A page is placed in the same transaction in which it comes into its
//! envelope, so that whoever goes on after a crash finds either both or neither.

use std::collections::BTreeSet;

use engine::{CaseId, Submission, Tx};
use forms::SubmissionNumber;
use sha2::{Digest, Sha256};
use workflows::submission as envelope;

use super::arrive::{Work, Worked};
use super::has_failed;
use crate::app::App;
use crate::backoffice::{page_row, stored};
use crate::customer::{Declined, accepted};
use crate::intake::number_text;
use crate::reader::{FileRead, PageRead};
use crate::store::arrivals;
use crate::store::sheets::{self, Sheet};
use crate::store::submissions::{self, PageRow, SubmissionRow};

/// How pages without an envelope come.
const LOOSE: &str = "scan";

/// A page with where it belongs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sorted {
    page: PageRead,
    place: &'static str,
}

/// Pages that go into one envelope.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Group {
    /// The form that their codes name; none for pages that get an envelope of their own.
    number: Option<i64>,
    pages: Vec<Sorted>,
}

/// What stands for the pages behind the last one that was reached.
pub(super) fn rest_of(arrival: i64, page: usize) -> Sheet {
    sheet(arrival, page, "lost", None, "")
}

fn sheet(arrival: i64, page: usize, place: &str, number: Option<i64>, what: &str) -> Sheet {
    let page = i64::try_from(page).unwrap_or(i64::MAX);
    Sheet { arrival, page, place: place.to_owned(), number, what: what.to_owned() }
}

/// Where a page belongs by itself, before it is known which forms are ours.
fn place_of(page: &PageRead) -> &'static str {
    match page.kind.as_str() {
        _ if page.is_lost => "lost",
        "blank" => "blank",
        "cover" => "cover",
        _ if page.case_id.is_some() => "case",
        "other" => "foreign",
        _ => "unidentified",
    }
}

/// The pages of a file by the form that their codes name, in the order in which forms first come.
/// Pages that name none follow each other into one envelope until a first page comes again.
pub(super) fn groups(read: &FileRead) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for page in &read.pages {
        let place = place_of(page);
        if matches!(place, "lost" | "blank" | "cover") {
            continue;
        }
        let number = page.case_id.as_deref().and_then(|text| text.parse().ok());
        let sorted = Sorted { page: page.clone(), place };
        let open = match number {
            Some(_) => groups.iter_mut().find(|group| group.number == number),
            None => groups
                .iter_mut()
                .rev()
                .find(|group| group.number.is_none())
                .filter(|group| !group.holds_as_well(page)),
        };
        match open {
            Some(group) => group.pages.push(sorted),
            None => groups.push(Group { number, pages: vec![sorted] }),
        }
    }
    groups
}

impl Group {
    /// Whether a page of the same form with the same place lies here: then it is another form's.
    fn holds_as_well(&self, page: &PageRead) -> bool {
        page.page_of.is_some() && self.pages.iter().any(|own| own.page.page_of == page.page_of)
    }
}

impl App {
    /// Puts every page of a file where it belongs, and ends the work on it.
    pub(super) async fn place_pages(
        &self,
        work: &Work,
        read: &FileRead,
    ) -> Result<Worked, Declined> {
        let id = work.arrival.id;
        let mut tx = self.tools.db.write().await?;
        sheets::forget_lost(&mut tx, id).await?;
        for page in &read.pages {
            let place = place_of(page);
            if matches!(place, "lost" | "blank" | "cover") {
                sheets::put(&mut tx, &sheet(id, page.page, place, None, "")).await?;
            }
        }
        if read.error.is_some() {
            sheets::put(&mut tx, &rest_of(id, read.pages.len() + 1)).await?;
        }
        tx.commit().await?;
        let mut is_over = true;
        for (index, group) in groups(read).into_iter().enumerate() {
            is_over &= self.place_group(work, index, group).await? == Worked::Done;
        }
        if !is_over {
            return Ok(Worked::Later);
        }
        self.end_of_file(work).await
    }

    async fn end_of_file(&self, work: &Work) -> Result<Worked, Declined> {
        let id = work.arrival.id;
        let mut tx = self.tools.db.write().await?;
        let all = sheets::of_arrival(&mut tx, id).await?;
        let lost = all.iter().filter(|sheet| sheet.place == "lost").count();
        let reason = match lost {
            0 => "",
            _ if lost == all.len() => "unreadable",
            _ => "lost",
        };
        // The file lies in every envelope into which it brought pages; otherwise only here.
        let lies = |sheet: &Sheet| match sheet.place.as_str() {
            "case" | "foreign" | "unidentified" => true,
            "duplicate" => sheet.what == "duplicate",
            _ => false,
        };
        let drops = lost == 0 && all.iter().any(lies) && !all.iter().any(|s| s.what == "twice");
        if !arrivals::finish(&mut tx, id, work.attempt, reason, drops).await? {
            return Ok(Worked::Lost);
        }
        tx.commit().await?;
        Ok(Worked::Done)
    }

    async fn place_group(
        &self,
        work: &Work,
        index: usize,
        group: Group,
    ) -> Result<Worked, Declined> {
        if let Some(number) = group.number {
            let mut tx = self.tools.db.read().await?;
            let row = submissions::find(&mut tx, number).await?;
            drop(tx);
            if let Some(row) = row {
                return self.place_in(work, &row, &group.pages, false).await;
            }
        }
        let mut pages = group.pages;
        for sorted in &mut pages {
            // Its code is genuine, but no form of that number was given out here.
            if sorted.place == "case" {
                sorted.place = "unidentified";
            }
        }
        self.place_loose(work, index, &pages).await
    }

    /// Pages that name no form of ours get an envelope of their own, unless they came before.
    async fn place_loose(
        &self,
        work: &Work,
        index: usize,
        pages: &[Sorted],
    ) -> Result<Worked, Declined> {
        let own = loose_number(work.arrival.loose, index);
        let mut tx = self.tools.db.write().await?;
        let earlier =
            submissions::of_digest(&mut tx, &work.arrival.digest, work.arrival.id).await?;
        if let Some((number, reading)) = earlier {
            if has_failed(&reading) {
                let row = submissions::find(&mut tx, number).await?.ok_or(Declined::NotFound)?;
                tx.roll_back().await?;
                return self.place_in(work, &row, pages, true).await;
            }
            for sorted in pages {
                let id = work.arrival.id;
                let page = sheet(id, sorted.page.page, "duplicate", Some(number), "duplicate");
                sheets::put(&mut tx, &page).await?;
            }
            tx.commit().await?;
            return Ok(Worked::Done);
        }
        tx.roll_back().await?;
        let row = self.open_loose(work, own, pages).await?;
        self.place_in(work, &row, pages, true).await
    }

    /// Opens that envelope; asked again, it is the same one.
    async fn open_loose(
        &self,
        work: &Work,
        number: i64,
        pages: &[Sorted],
    ) -> Result<SubmissionRow, Declined> {
        let text = number_text(number);
        let variant = pages.iter().find_map(|sorted| sorted.page.variant.clone());
        let case = self.engine.next_case().await?;
        let row = SubmissionRow {
            number,
            case_id: case.0,
            variant: variant.unwrap_or_else(|| forms::Variant::BizStation.to_string()),
            contract_id: None,
            receipt: String::new(),
            carrier: String::new(),
            counted: 0,
            prefilled: String::new(),
            reading: String::new(),
        };
        let count = u16::try_from(pages.len()).unwrap_or(u16::MAX);
        let command = envelope::Command::Receive { carrier: LOOSE.to_owned(), pages: count };
        let (subject, id) = (format!("submission-{text}"), format!("receive-{text}"));
        let opening = Submission::opening(case, subject, command, work.by.actor(), id);
        let opening = opening.from(work.by.origin());
        accepted(self.desks.submission.submit(opening, Some(row)).await?)?;
        let mut tx = self.tools.db.read().await?;
        submissions::find(&mut tx, number).await?.ok_or(Declined::NotFound)
    }

    /// Puts pages into an envelope, and lets that go on.
    async fn place_in(
        &self,
        work: &Work,
        row: &SubmissionRow,
        pages: &[Sorted],
        is_loose: bool,
    ) -> Result<Worked, Declined> {
        let case = CaseId(row.case_id);
        let mut tx = self.tools.db.write().await?;
        let state = engine::case::find(&mut tx, case).await?.ok_or(Declined::NotFound)?.state_name;
        if state == "Scanned" && !is_loose {
            // It is just being read without these pages: what is asked for depends on what is found.
            return Ok(Worked::Later);
        }
        self.bring(&mut tx, work, row, pages, &state).await?;
        tx.commit().await?;
        self.go_on(work, row.number, case, is_loose).await
    }

    /// Writes the pages that are not there yet.
    async fn bring(
        &self,
        tx: &mut Tx,
        work: &Work,
        row: &SubmissionRow,
        pages: &[Sorted],
        state: &str,
    ) -> Result<(), Declined> {
        let (id, number) = (work.arrival.id, row.number);
        let placed: BTreeSet<i64> =
            sheets::of_arrival(tx, id).await?.iter().map(|sheet| sheet.page).collect();
        let is_new = |sorted: &&Sorted| {
            !placed.contains(&i64::try_from(sorted.page.page).unwrap_or(i64::MAX))
        };
        let fresh: Vec<Sorted> = pages.iter().filter(is_new).cloned().collect();
        if fresh.is_empty() {
            return Ok(());
        }
        let files = submissions::pages(tx, number).await?;
        let same = files.iter().find(|file| file.digest == work.arrival.digest);
        let is_mine = |file: &PageRow| file.arrival == Some(id);
        if same.is_some_and(|file| !is_mine(file) && !has_failed(&file.reading)) {
            for sorted in &fresh {
                let page = sheet(id, sorted.page.page, "duplicate", Some(number), "duplicate");
                sheets::put(tx, &page).await?;
            }
            return Ok(());
        }
        let awaits = matches!(state, "Received" | "Incomplete");
        let mut seen = if awaits { seen_pages(&files) } else { BTreeSet::new() };
        let what = match state {
            "Received" => "counting",
            "Draft" => "unregistered",
            "Unidentified" => "again",
            "Incomplete" if same.is_some_and(|file| !is_mine(file)) => "again",
            "Incomplete" => "adding",
            _ => "over",
        };
        let mut kept = Vec::new();
        for sorted in fresh {
            let key = sorted.page.page_of.clone().filter(|_| sorted.place == "case" && awaits);
            if key.is_some_and(|key| !seen.insert(key)) {
                let page = sheet(id, sorted.page.page, "duplicate", Some(number), "twice");
                sheets::put(tx, &page).await?;
                continue;
            }
            let page = sheet(id, sorted.page.page, sorted.place, Some(number), what);
            sheets::put(tx, &page).await?;
            kept.push(sorted.page);
        }
        if kept.is_empty() { Ok(()) } else { self.keep_pages(tx, work, number, same, kept).await }
    }

    /// Keeps the file in the envelope with what these pages of it say.
    async fn keep_pages(
        &self,
        tx: &mut Tx,
        work: &Work,
        number: i64,
        same: Option<&PageRow>,
        mut kept: Vec<PageRead>,
    ) -> Result<(), Declined> {
        let Some(same) = same else {
            let read = FileRead { pages: kept, error: None };
            let no = submissions::next_no(tx, number).await?;
            let mut page = page_row(number, no, &work.bytes, &read)?;
            page.arrival = Some(work.arrival.id);
            submissions::add_page(tx, &page, &self.seal_scan(number, &work.bytes)?).await?;
            return Ok(());
        };
        let earlier: FileRead = serde_json::from_str(&same.reading).unwrap_or_default();
        let lies = |page: &PageRead| !page.is_lost && kept.iter().all(|own| own.page != page.page);
        let mut all: Vec<PageRead> = earlier.pages.into_iter().filter(lies).collect();
        all.append(&mut kept);
        all.sort_by_key(|page| page.page);
        let read = FileRead { pages: all, error: None };
        let row = page_row(number, same.no, &work.bytes, &read)?;
        let arrival = Some(work.arrival.id);
        let (no, pages) = (same.no, row.page_count);
        submissions::read_anew(tx, number, no, pages, &row.reading, arrival).await?;
        Ok(())
    }

    /// Lets an envelope go on with the pages that this file brought.
    async fn go_on(
        &self,
        work: &Work,
        number: i64,
        case: CaseId,
        is_loose: bool,
    ) -> Result<Worked, Declined> {
        let mut tx = self.tools.db.read().await?;
        let all = sheets::of_arrival(&mut tx, work.arrival.id).await?;
        drop(tx);
        let own = |sheet: &&Sheet| sheet.number == Some(number) && sheet.place != "duplicate";
        let own: Vec<&Sheet> = all.iter().filter(own).collect();
        let waits = |what: &str| own.iter().filter(|sheet| sheet.what == what).count();
        if waits("counting") > 0 {
            let state = self.scan_when_counted(&work.by, number, case).await?;
            if state == "Received" {
                return Ok(Worked::Done);
            }
        } else if waits("adding") > 0 {
            if !self.add_pages(work, number, case, waits("adding")).await? {
                return Ok(Worked::Later);
            }
        } else if waits("again") > 0 {
            self.read_again(&work.by, number, case).await?;
        } else if !is_loose || waits("read") == 0 {
            return Ok(Worked::Done);
        }
        let mut tx = self.tools.db.write().await?;
        let what = if is_loose { "loose" } else { "read" };
        sheets::tell(&mut tx, work.arrival.id, number, what).await?;
        tx.commit().await?;
        Ok(Worked::Done)
    }

    /// Counts pages that came later; false while the envelope is just being read.
    async fn add_pages(
        &self,
        work: &Work,
        number: i64,
        case: CaseId,
        count: usize,
    ) -> Result<bool, Declined> {
        let pages = u16::try_from(count).unwrap_or(u16::MAX);
        let id = format!("add-{}-{}-{pages}", number_text(number), work.arrival.id);
        let command = envelope::Command::AddPages { pages };
        match self.with_submission(&work.by, case, command, id).await {
            Ok(()) => Ok(true),
            Err(Declined::Refused { .. }) => Ok(self.state_of(case).await? != "Scanned"),
            Err(other) => Err(other),
        }
    }
}

/// Pages of a form that lie in an envelope and could be read in their places.
fn seen_pages(files: &[PageRow]) -> BTreeSet<String> {
    let read = |file: &PageRow| serde_json::from_str::<FileRead>(&file.reading).unwrap_or_default();
    files
        .iter()
        .flat_map(|file| read(file).pages)
        .filter(|page| page.registered)
        .filter_map(|page| page.page_of)
        .collect()
}

/// The numbers of the envelopes that a file opens: the first is drawn, the others follow from it.
fn loose_number(first: i64, index: usize) -> i64 {
    let digest = Sha256::digest(format!("{first}/{index}"));
    let mut bytes = [0; 8];
    for (byte, own) in bytes.iter_mut().zip(digest.iter()) {
        *byte = *own;
    }
    stored(SubmissionNumber::from_random(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(page: usize, case_id: Option<&str>, kind: &str, page_of: &str) -> PageRead {
        PageRead {
            page,
            case_id: case_id.map(ToOwned::to_owned),
            kind: kind.to_owned(),
            page_of: (!page_of.is_empty()).then(|| page_of.to_owned()),
            ..PageRead::default()
        }
    }

    /// Of every group its form's number, and its pages with their places.
    type Sortings = Vec<(Option<i64>, Vec<(usize, &'static str)>)>;

    fn sorted(pages: Vec<PageRead>) -> Sortings {
        let own = |group: &Group| group.pages.iter().map(|s| (s.page.page, s.place)).collect();
        let all = groups(&FileRead { pages, error: None });
        all.iter().map(|group| (group.number, own(group))).collect()
    }

    #[test]
    fn a_mixed_batch_is_sorted_and_no_page_is_lost() {
        let lost = PageRead { is_lost: true, ..page(6, None, "unknown", "") };
        let pages = vec![
            page(1, Some("000000000007"), "form", "1/2"),
            page(2, None, "blank", ""),
            page(3, Some("000000000009"), "form", "1/1"),
            page(4, None, "other", ""),
            page(5, Some("000000000007"), "form", "2/2"),
            lost,
        ];
        let places: Vec<&str> = pages.iter().map(place_of).collect();
        assert_eq!(places, ["case", "blank", "case", "foreign", "case", "lost"]);
        assert_eq!(
            sorted(pages),
            [
                (Some(7), vec![(1, "case"), (5, "case")]),
                (Some(9), vec![(3, "case")]),
                (None, vec![(4, "foreign")]),
            ]
        );
    }

    /// Two downloaded forms that were filled in by hand name nobody: they are never one.
    #[test]
    fn forms_without_a_number_are_kept_apart() {
        let pages = vec![
            page(1, None, "form", "1/2"),
            page(2, None, "form", "2/2"),
            page(3, None, "form", "1/2"),
            page(4, None, "other", ""),
        ];
        assert_eq!(
            sorted(pages),
            [
                (None, vec![(1, "unidentified"), (2, "unidentified")]),
                (None, vec![(3, "unidentified"), (4, "foreign")]),
            ]
        );
        assert_ne!(loose_number(7, 0), loose_number(7, 1));
    }
}
