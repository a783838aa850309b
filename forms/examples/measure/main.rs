//! Measures printing and reading on one core.
//!
//! ```sh
//! cargo run --release -p forms --example measure            # speed
//! cargo run --release -p forms --example measure -- report 3000 FOLDER-OF-MNIST [LEVEL [FIRST]]
//! cargo run --release -p forms --example measure -- tune 60 FOLDER-OF-MNIST [LEVEL [FIRST]]
//! cargo run --release -p forms --example measure -- cells 20000 FOLDER-OF-MNIST
//! cargo run --release -p forms --example measure -- corrections report 100
//! cargo run --release -p forms --example measure -- reuse report 200
//! ```
//!
//! The report draws degraded pages from the report's seeds, reads them and counts. The folder is that
//! of `train_digits`; only the last 5,000 pictures of the training part are used, which training and
//! tuning never saw. Without it all digits come from our own writers. `tune` does the same with the
//! seeds and pictures of tuning; `cells` reads single cells of those and says why digits are left to
//! a person. `corrections` counts the signs of fluid and of erased ink; `reuse` compares impressions
//! that were stamped anew and that were copied. A level is drawn from its FIRST page on, so that parts of
//! a set can be measured apart.

#![expect(clippy::print_stdout, reason = "a program that measures says what it measured")]

mod cells;
mod corrections;
mod report;
mod reuse;
mod sheets;

use std::error::Error;
use std::time::{Duration, Instant, SystemTime};

use forms::degrade::{Carrier, PaperSheet, Wear, encode};
use forms::{
    AccountType, CodeKey, Copy, Depth, FontChoice, FormData, House, Job, Press, ReadOptions,
    ReiwaDate, Request, Sheets, SubmissionNumber, UserRow, Variant, read_file,
};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [] => speed(),
        [set @ ("report" | "tune"), pages, rest @ ..] => {
            let first = rest.get(2).map_or(Ok(0), |first| first.parse())?;
            let pages = first..first + pages.parse::<u64>()?;
            report::run(seed_of(set), pages, rest.first().copied(), rest.get(1).copied())
        }
        ["corrections", set @ ("report" | "tune"), pages] => {
            corrections::run(seed_of(set), pages.parse()?)
        }
        ["reuse", set @ ("report" | "tune"), companies] => {
            reuse::run(seed_of(set), companies.parse()?)
        }
        ["cells", count, folder] => cells::run(count.parse()?, folder),
        _ => Err("usage: measure [report|tune PAGES [FOLDER-OF-MNIST [LEVEL [FIRST]]] | \
                  cells COUNT FOLDER-OF-MNIST | corrections report|tune PAGES | \
                  reuse report|tune COMPANIES]"
            .into()),
    }
}

/// Where the seeds of a set begin.
fn seed_of(set: &str) -> u64 {
    if set == "tune" { report::TUNING } else { report::REPORT }
}

fn speed() -> Result<(), Box<dyn Error>> {
    let (house, key) = (House::sample(), CodeKey::sample());
    let made_at = SystemTime::UNIX_EPOCH;
    let job = Job { variant: Variant::BizStation, house: &house, key: &key, made_at };
    for (name, embedded_only) in [("embedded face", true), ("system faces", false)] {
        let started = Instant::now();
        let press = Press::new(&FontChoice { configured: None, embedded_only })?;
        println!("{name}: fonts loaded in {:.1?}", started.elapsed());
        print_batches(&press, &job)?;
    }
    let press = Press::new(&FontChoice { configured: None, embedded_only: true })?;
    read_scans(&press, &job)
}

fn print_batches(press: &Press, job: &Job<'_>) -> Result<(), Box<dyn Error>> {
    for count in [1_u64, 400] {
        let copies = (0..count).map(copy).collect::<Result<Vec<_>, _>>()?;
        let started = Instant::now();
        let batch = press.batch(job, &copies, Sheets::First)?;
        let took = started.elapsed();
        let each = took / u32::try_from(count)?;
        println!(
            "  {count} forms: {took:.1?}, {each:.2?} each, {:.0} forms/s, {} bytes each",
            1.0 / each.as_secs_f64(),
            batch.pdf.len() / usize::try_from(count)?,
        );
    }
    Ok(())
}

fn read_scans(press: &Press, job: &Job<'_>) -> Result<(), Box<dyn Error>> {
    let pdf = press.batch(job, &[copy(7)?], Sheets::First)?.pdf;
    let sheets = PaperSheet::print(&pdf, 300.0)?;
    let sheet = sheets.first().ok_or("no page")?;
    let options = ReadOptions::new(CodeKey::sample());
    for (name, carrier, depth) in [
        ("JPEG colour", Carrier::Jpeg(85), Depth::Colour),
        ("PDF with JPEG", Carrier::Pdf, Depth::Colour),
        ("TIFF group 4", Carrier::Fax, Depth::Bilevel),
        ("TIFF grey", Carrier::Tiff, Depth::Grey),
        ("PNG colour", Carrier::Png, Depth::Colour),
    ] {
        let scan = sheet.scan(&Wear { skew: 1.0, depth, ..Wear::default() });
        let file = encode(&[scan], 300.0, carrier)?;
        let rounds = 5;
        let (mut all, mut reading) = (Duration::ZERO, 0);
        for _ in 0..rounds {
            let started = Instant::now();
            let read = read_file(&file, name, &options);
            all += started.elapsed();
            reading += read.pages.first().map_or(0, |page| page.ms);
        }
        println!(
            "{name} at 300 dpi: {:.0?} a page, {:.1} pages/s, {} ms of it reading",
            all / rounds,
            f64::from(rounds) / all.as_secs_f64(),
            reading / u64::from(rounds)
        );
    }
    let started = Instant::now();
    let read = read_file(&pdf, "vector", &options);
    println!("vector PDF: {:.0?} for {} pages", started.elapsed(), read.pages.len());
    Ok(())
}

fn copy(serial: u64) -> Result<Copy, Box<dyn Error>> {
    let user = UserRow {
        user_id: "010429003".into(),
        kana: "ヤマダ タロウ".into(),
        name: "山田 太郎".into(),
        department: "経理部".into(),
        requests: [Request::RetrievalReissue].into(),
        ..UserRow::default()
    };
    let data = FormData {
        date: Some(ReiwaDate { year: 8, month: 11, day: 22 }),
        registered_address: "東京都千代田区丸の内二丁目7番1号".into(),
        company_name: format!("株式会社サンプル商事{serial}"),
        company_kana: "カブシキガイシャ サンプルショウジ".into(),
        representative_title: "代表取締役".into(),
        representative_name: "見本 一郎".into(),
        contract_number: format!("{:010}", serial * 7_919),
        branch_number: "001".into(),
        account_type: Some(AccountType::Ordinary),
        account_number: format!("{:07}", serial * 131),
        contact_name: "山田 太郎".into(),
        phone: "0312345678".into(),
        no_authority_online: true,
        users: vec![user.clone(), user],
    };
    Ok(Copy { submission: Some(SubmissionNumber::from_serial(serial)?), data })
}
