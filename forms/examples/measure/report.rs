//! Degraded pages from seeds, read and counted.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use forms::degrade::{Arrived, Copied, Hands, PaperSheet, Severity, Truth, filled};
use forms::seal::Impression;
use forms::{
    CodeKey, Copy, Depth, FontChoice, FormData, House, Job, PageKind, PageLayout, PageReading,
    Press, ReadOptions, Sheets, SubmissionNumber, Variant, Version, layout, read_file,
};

use super::sheets::{LEVELS, as_file};

/// Where the seeds of the two sets begin.
pub(crate) const TUNING: u64 = 1 << 41;
pub(crate) const REPORT: u64 = 1 << 42;

/// So many ways to fill in and to wear are tried with a printed sheet.
const USES: u64 = 12;

pub(crate) fn run(
    seed: u64,
    pages: Range<u64>,
    folder: Option<&str>,
    only: Option<&str>,
) -> Result<(), Box<dyn Error>> {
    let folder = folder.filter(|folder| *folder != "-");
    let set = folder.map(|folder| Copied::load(Path::new(folder))).transpose()?;
    // The last five thousand belong to the report, those before to tuning.
    let part = if seed == REPORT { 55_000..60_000 } else { 50_000..55_000 };
    let copied = set.iter().flat_map(|set| set.part(part.clone()));
    let names = ["株式会社サンプル商事", "見本工業株式会社", "東西物産有限会社"];
    let seals: Result<Vec<_>, _> =
        (seed..).zip(names).map(|(seed, name)| Impression::company(name, seed)).collect();
    let hands = Hands { copied: copied.collect(), seals: seals? };
    for (name, severity) in LEVELS {
        if only.is_some_and(|only| only != name) {
            continue;
        }
        let mut counts = Counts::default();
        level(severity, seed, pages.clone(), &hands, &mut counts)?;
        println!("{name}: {} pages", counts.pages);
        counts.tell();
    }
    Ok(())
}

fn level(
    severity: Severity,
    seed: u64,
    pages: Range<u64>,
    hands: &Hands<'_>,
    counts: &mut Counts,
) -> Result<(), Box<dyn Error>> {
    let press = Press::new(&FontChoice { configured: None, embedded_only: true })?;
    let (house, key) = (House::sample(), CodeKey::sample());
    let mut done = pages.start;
    while done < pages.end {
        let variant = if (done / USES) % 3 == 2 { Variant::Light } else { Variant::BizStation };
        let made_at = SystemTime::UNIX_EPOCH;
        let job = Job { variant, house: &house, key: &key, made_at };
        let copy = copy(seed + done, (done / (2 * USES)) % 8 == 7)?;
        let pdf = press.batch(&job, std::slice::from_ref(&copy), Sheets::Pages)?.pdf;
        let sheets = PaperSheet::print(&pdf, 300.0)?;
        let printed = copy.data.values();
        for (sheet, page) in sheets.iter().zip(&layout(Version::One, variant).pages) {
            for _ in 0..USES {
                if done < pages.end {
                    let own = seed + done;
                    let (sheet, truth) = filled(sheet, page, &printed, severity, hands, own);
                    let arrived = sheet.travelled(severity, own ^ 0x5EED);
                    counts.page(&arrived, page, &truth, &copy, own)?;
                    done += 1;
                }
            }
        }
    }
    Ok(())
}

/// Every eighth form was filled in by a printer.
fn copy(seed: u64, printed: bool) -> Result<Copy, Box<dyn Error>> {
    let mut data = FormData {
        registered_address: "東京都千代田区丸の内二丁目7番1号".into(),
        company_name: "株式会社サンプル商事".into(),
        company_kana: "カブシキガイシャ サンプルショウジ".into(),
        representative_title: "代表取締役".into(),
        representative_name: "見本 一郎".into(),
        contact_name: "山田 太郎".into(),
        ..FormData::default()
    };
    if printed {
        data.contract_number = format!("{:010}", seed.wrapping_mul(7_919_131) % 10_000_000_000);
        data.branch_number = format!("{:03}", seed % 997);
        data.account_number = format!("{:07}", seed.wrapping_mul(104_729) % 10_000_000);
        data.phone = "0312345678".into();
        data.no_authority_online = true;
    }
    let submission = SubmissionNumber::from_serial(seed.wrapping_mul(48_271) % 99_999_999_999)?;
    Ok(Copy { submission: Some(submission), data })
}

/// Right, wrong, and left to a person.
#[derive(Default)]
struct Tally {
    right: u64,
    wrong: u64,
    asked: u64,
}

impl Tally {
    fn all(&self) -> u64 {
        self.right + self.wrong + self.asked
    }

    fn and(&self, other: &Self) -> Self {
        Self {
            right: self.right + other.right,
            wrong: self.wrong + other.wrong,
            asked: self.asked + other.asked,
        }
    }
}

#[derive(Default)]
struct Counts {
    pages: u64,
    identified: u64,
    wrong_case: u64,
    registered: u64,
    notes: BTreeMap<String, u64>,
    ticks: Tally,
    copied: Tally,
    by_hand: Tally,
    by_printer: Tally,
    empty: Tally,
    seals: u64,
    found: u64,
    unsealed: u64,
    imagined: u64,
    coloured: [u64; 2],
    reading: Duration,
}

impl Counts {
    fn page(
        &mut self,
        arrived: &Arrived,
        page: &PageLayout,
        truth: &Truth,
        copy: &Copy,
        seed: u64,
    ) -> Result<(), Box<dyn Error>> {
        let file = as_file(arrived)?;
        let started = Instant::now();
        let mut reading = read_file(&file, "page", &ReadOptions::new(CodeKey::sample()));
        self.reading += started.elapsed();
        self.pages += 1;
        let Some(read) = reading.pages.pop() else { return Ok(()) };
        let right = read.kind == PageKind::Form && read.case_id == copy.submission;
        self.identified += u64::from(right);
        self.wrong_case += u64::from(read.case_id.is_some() && read.case_id != copy.submission);
        if !right || !read.registered {
            let note = read.note.clone().unwrap_or_else(|| "frames not seen".to_owned());
            *self.notes.entry(format!("{:?}: {note}", read.kind)).or_default() += 1;
            self.keep(&file, seed, "page");
        }
        if !right {
            return Ok(());
        }
        self.registered += u64::from(read.registered);
        self.fields(&read, page, truth, &file, seed);
        self.seal(&read, truth, arrived.depth, &file, seed);
        Ok(())
    }

    fn fields(
        &mut self,
        read: &PageReading,
        page: &PageLayout,
        truth: &Truth,
        file: &[u8],
        seed: u64,
    ) {
        for field in &page.checkboxes {
            let ticked = truth.ticks.contains(&field.id);
            match read.checks.get(&field.id).and_then(|check| check.v) {
                None => self.ticks.asked += 1,
                Some(value) if value == ticked => self.ticks.right += 1,
                Some(_) => {
                    self.ticks.wrong += 1;
                    self.keep(file, seed, &field.id);
                }
            }
        }
        for field in &page.digits {
            let wanted = truth.digits.get(&field.id).cloned().unwrap_or_default();
            let printed = truth.printed.contains(&field.id);
            let cells = field.cells.len();
            let seen = read.digits.get(&field.id).map(|digits| digits.v.clone());
            let seen = format!("{:cells$}", seen.unwrap_or_default());
            for (wanted, seen) in wanted.chars().zip(seen.chars()) {
                let tally = match (wanted, printed) {
                    (' ', _) => &mut self.empty,
                    (_, true) => &mut self.by_printer,
                    _ if truth.copied => &mut self.copied,
                    _ => &mut self.by_hand,
                };
                match seen {
                    '?' => tally.asked += 1,
                    seen if seen == wanted => tally.right += 1,
                    _ => {
                        tally.wrong += 1;
                        self.keep(file, seed, &format!("{}-{wanted}as{seen}", field.id));
                    }
                }
            }
        }
    }

    fn seal(&mut self, read: &PageReading, truth: &Truth, depth: Depth, file: &[u8], seed: u64) {
        for seal in read.seals.values() {
            if truth.seal.is_some() {
                self.seals += 1;
                self.found += u64::from(seal.found);
                if depth == Depth::Colour {
                    self.coloured[0] += 1;
                    self.coloured[1] += u64::from(seal.found);
                }
                if !seal.found {
                    self.keep(file, seed, "no-seal");
                }
            } else {
                self.unsealed += 1;
                self.imagined += u64::from(seal.found);
                if seal.found {
                    self.keep(file, seed, "false-seal");
                }
            }
        }
    }

    /// What was read wrong is kept where `MEASURE_KEEP` says, to be looked at.
    #[expect(clippy::unused_self, reason = "called beside the counting")]
    fn keep(&self, file: &[u8], seed: u64, why: &str) {
        let Ok(folder) = std::env::var("MEASURE_KEEP") else { return };
        let ending = if file.starts_with(b"II") { "tif" } else { "jpg" };
        let name = format!("{}-{why}.{ending}", seed % (1 << 40));
        // Measuring goes on where there is no room.
        let _ = fs::write(Path::new(&folder).join(name), file);
    }

    fn tell(&self) {
        line("page identified", self.identified, self.pages);
        line("wrong case", self.wrong_case, self.pages);
        line("frames where they should be", self.registered, self.identified);
        line("tick right", self.ticks.right, self.ticks.all());
        line("tick wrong", self.ticks.wrong, self.ticks.all());
        let both = self.copied.and(&self.by_hand);
        for (name, tally) in [
            ("handwritten", &both),
            ("copied", &self.copied),
            ("own hand's", &self.by_hand),
            ("printed", &self.by_printer),
        ] {
            let accepted = tally.right + tally.wrong;
            line(&format!("{name} digit accepted"), accepted, tally.all());
            line(&format!("{name} digit wrong among accepted"), tally.wrong, accepted);
        }
        line("empty cell taken for a digit", self.empty.wrong, self.empty.all());
        line("empty cell left to a person", self.empty.asked, self.empty.all());
        line("seal found", self.found, self.seals);
        line("seal found in colour scans", self.coloured[1], self.coloured[0]);
        line("seal where none is", self.imagined, self.unsealed);
        println!(
            "  {:.0} ms a page, decoding included",
            1000.0 * self.reading.as_secs_f64() / real(self.pages)
        );
        for (note, count) in &self.notes {
            println!("  {count} × {note}");
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts")]
fn real(count: u64) -> f64 {
    count as f64
}

/// A share with Wilson's interval of 95 %.
pub(crate) fn line(what: &str, part: u64, whole: u64) {
    const Z: f64 = 1.96;
    if whole == 0 {
        println!("  {what}: none");
        return;
    }
    let (n, p) = (real(whole), real(part) / real(whole));
    let middle = (p + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let half = Z / (1.0 + Z * Z / n) * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    println!(
        "  {what}: {:.3} % ({part} of {whole}; {:.3} to {:.3})",
        100.0 * p,
        100.0 * (middle - half).max(0.0),
        100.0 * (middle + half).min(1.0)
    );
}
