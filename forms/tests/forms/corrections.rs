//! Second thoughts about digits are told to the clerk: what fluid covered, what was erased and still shows.

use forms::degrade::Carrier;
use forms::degrade::{Chance, PaperSheet, Wear, Writer, encode};
use forms::{
    BoxMm, Copy, FormData, PageReading, ReadOptions, RowFact, Sheets, SubmissionNumber, Variant,
    Version, layout, read_file,
};

use crate::sample::{KEY, PRESS, job};

const DPI: f32 = 240.0;

/// The first page of a form that nobody filled in.
fn blank() -> PaperSheet {
    let submission = SubmissionNumber::from_serial(4_096).ok();
    let copy = Copy { submission, data: FormData::default() };
    let pdf = PRESS.batch(&job(Variant::BizStation), &[copy], Sheets::Pages).unwrap().pdf;
    PaperSheet::print(&pdf, DPI).unwrap().swap_remove(0)
}

fn read(sheet: &PaperSheet, seed: u64) -> PageReading {
    let scan = sheet.scan(&Wear { seed, skew: 0.5, ..Wear::default() });
    let file = encode(&[scan], DPI, Carrier::Jpeg(85)).unwrap();
    read_file(&file, "written", &ReadOptions::new(KEY.clone())).pages.remove(0)
}

/// A blank form in whose rows somebody writes, and does more to one cell of some of them.
fn written(seed: u64, also: impl Fn(&mut PaperSheet, &str, BoxMm, &mut Chance)) -> PageReading {
    let mut sheet = blank();
    let (writer, mut chance) = (Writer::new(seed), Chance::new(seed));
    for field in &layout(Version::One, Variant::BizStation).pages[0].digits {
        for cell in &field.cells {
            let digit = u8::try_from(chance.below(10)).unwrap();
            sheet.write_digit(*cell, digit, &writer, &mut chance);
        }
        also(&mut sheet, &field.id, field.cells[0], &mut chance);
    }
    read(&sheet, seed)
}

fn rows_with(page: &PageReading, fact: RowFact) -> Vec<&str> {
    let rows =
        page.digits.iter().filter(|(_, digits)| digits.facts.as_ref().unwrap().contains(&fact));
    rows.map(|(id, _)| id.as_str()).collect()
}

#[test]
fn fluid_over_a_cell_is_told_of_its_row_alone() {
    let page = written(11, |sheet, id, cell, chance| {
        if matches!(id, "contract_number" | "phone") {
            sheet.brush_fluid(cell, chance);
            sheet.write_digit(cell, 4, &Writer::new(11), chance);
        }
    });
    assert_eq!(rows_with(&page, RowFact::Covered), ["contract_number", "phone"]);
}

#[test]
fn what_was_erased_in_an_empty_cell_is_told_and_plain_rows_are_left_alone() {
    let plain = written(12, |_, _, _, _| ());
    assert_eq!(rows_with(&plain, RowFact::Covered), Vec::<&str>::new());
    assert_eq!(rows_with(&plain, RowFact::Traces), Vec::<&str>::new());
    // The last cell of a telephone number of ten digits is empty. Not all that was erased still shows.
    let page = &layout(Version::One, Variant::BizStation).pages[0];
    let phone = page.digits.iter().find(|field| field.id == "phone").unwrap();
    let mut told = 0;
    for seed in 1..=6 {
        let mut sheet = blank();
        let (writer, mut chance) = (Writer::new(seed), Chance::new(seed));
        for cell in &phone.cells[..10] {
            sheet.write_digit(*cell, 3, &writer, &mut chance);
        }
        sheet.erased_digit(phone.cells[10], 8, &writer, &mut chance);
        let read = read(&sheet, seed);
        let rows = rows_with(&read, RowFact::Traces);
        assert!(rows.is_empty() || rows == ["phone"], "seed {seed}: {rows:?}");
        told += rows.len();
    }
    assert!(told >= 3, "{told} of 6");
}
