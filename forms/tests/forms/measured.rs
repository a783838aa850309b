//! A small seeded set of degraded pages, read and counted: a change that makes reading worse turns
//! red here, long before the report of `examples/measure` says by how much.

use forms::degrade::{Carrier, Hands, PaperSheet, Severity, encode, filled};
use forms::seal::Impression;
use forms::{
    Copy, Depth, FormData, PageKind, ReadOptions, Sheets, SubmissionNumber, Variant, Version,
    layout, read_file,
};

use crate::sample::{KEY, PRESS, job};

/// Neither training nor tuning nor the report has these.
const SEED: u64 = 1 << 43;

#[derive(Debug, Default)]
struct Counts {
    pages: usize,
    identified: usize,
    registered: usize,
    ticks: usize,
    ticks_right: usize,
    ticks_wrong: usize,
    digits: usize,
    accepted: usize,
    wrong: usize,
    imagined: usize,
    seals: usize,
    found: usize,
    false_seals: usize,
}

/// Prints one form, lets people and the post have it so many times a page, and reads it back.
fn counted(severity: Severity, uses: u64) -> Counts {
    let seals = vec![
        Impression::company("株式会社サンプル商事", SEED).unwrap(),
        Impression::company("見本工業株式会社", SEED + 1).unwrap(),
    ];
    let hands = Hands { copied: Vec::new(), seals };
    let submission = SubmissionNumber::from_serial(31_415_926).ok();
    let copy = Copy { submission, data: FormData::default() };
    let variant = Variant::BizStation;
    let pdf = PRESS.batch(&job(variant), std::slice::from_ref(&copy), Sheets::Pages).unwrap().pdf;
    let sheets = PaperSheet::print(&pdf, 240.0).unwrap();
    let printed = copy.data.values();
    let mut counts = Counts::default();
    for (sheet, page) in sheets.iter().zip(&layout(Version::One, variant).pages) {
        for turn in 0..uses {
            let seed = SEED + u64::from(page.page) * 1000 + turn;
            let (sheet, truth) = filled(sheet, page, &printed, severity, &hands, seed);
            let arrived = sheet.travelled(severity, seed);
            let carrier = match arrived.depth {
                Depth::Bilevel => Carrier::Fax,
                _ => Carrier::Jpeg(arrived.quality),
            };
            let file = encode(&[arrived.picture], arrived.dpi, carrier).unwrap();
            let read = read_file(&file, "page", &ReadOptions::new(KEY.clone())).pages.remove(0);
            counts.pages += 1;
            assert!(read.case_id.is_none() || read.case_id == submission, "a wrong case: {seed}");
            if read.kind != PageKind::Form {
                continue;
            }
            counts.identified += 1;
            counts.registered += usize::from(read.registered);
            for field in &page.checkboxes {
                let wanted = truth.ticks.contains(&field.id);
                counts.ticks += 1;
                counts.ticks_right += usize::from(read.checks[&field.id].v == Some(wanted));
                counts.ticks_wrong += usize::from(read.checks[&field.id].v == Some(!wanted));
            }
            for field in &page.digits {
                let cells = field.cells.len();
                let seen = format!("{:cells$}", read.digits[&field.id].v);
                for (wanted, seen) in truth.digits[&field.id].chars().zip(seen.chars()) {
                    if wanted == ' ' {
                        counts.imagined += usize::from(seen.is_ascii_digit());
                        continue;
                    }
                    counts.digits += 1;
                    counts.accepted += usize::from(seen != '?');
                    counts.wrong += usize::from(seen != '?' && seen != wanted);
                }
            }
            for seal in read.seals.values() {
                counts.seals += usize::from(truth.seal.is_some());
                counts.found += usize::from(truth.seal.is_some() && seal.found);
                counts.false_seals += usize::from(truth.seal.is_none() && seal.found);
            }
        }
    }
    println!("{severity:?}: {counts:?}");
    counts
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

#[test]
fn office_scans_are_read() {
    let counts = counted(Severity::Office, 5);
    assert_eq!((counts.identified, counts.registered), (counts.pages, counts.pages));
    assert_eq!((counts.ticks_wrong, counts.imagined, counts.false_seals), (0, 0, 0));
    assert_eq!(counts.found, counts.seals);
    assert!(share(counts.ticks_right, counts.ticks) >= 0.99, "{counts:?}");
    assert!(share(counts.accepted, counts.digits) >= 0.95, "{counts:?}");
    assert!(counts.wrong <= 1, "{counts:?}");
}

#[test]
fn rough_scans_and_faxes_are_read() {
    let counts = counted(Severity::Rough, 5);
    assert_eq!((counts.identified, counts.registered), (counts.pages, counts.pages));
    assert_eq!((counts.imagined, counts.false_seals), (0, 0));
    assert!(share(counts.ticks_wrong, counts.ticks) <= 0.006, "{counts:?}");
    assert!(share(counts.ticks_right, counts.ticks) >= 0.97, "{counts:?}");
    assert!(share(counts.accepted, counts.digits) >= 0.94, "{counts:?}");
    assert!(counts.wrong <= 1, "{counts:?}");
}

#[test]
fn photographs_with_one_code_are_read() {
    let counts = counted(Severity::Brutal, 5);
    assert!(counts.identified + 1 >= counts.pages, "{counts:?}");
    assert!(counts.registered + 1 >= counts.identified, "{counts:?}");
    assert!(share(counts.ticks_wrong, counts.ticks) <= 0.02, "{counts:?}");
    assert!(share(counts.ticks_right, counts.ticks) >= 0.94, "{counts:?}");
    assert!(share(counts.accepted, counts.digits) >= 0.93, "{counts:?}");
    assert!(counts.wrong <= 1, "{counts:?}");
    assert!(counts.false_seals == 0 && counts.found + 1 >= counts.seals, "{counts:?}");
}
