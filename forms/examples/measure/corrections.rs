//! Rows of digits corrected with fluid, corrected after erasing, and left as they were: what is said of them.

use std::collections::BTreeMap;
use std::error::Error;

use forms::degrade::{Chance, Hands, PaperSheet, Severity, Writer, filled};
use forms::{
    CodeKey, FieldValues, PageLayout, ReadOptions, RowFact, Variant, Version, layout, read_file,
};

use super::report::line;
use super::sheets::{LEVELS, as_file, blank};

/// What was done to a row.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Done {
    Nothing,
    Fluid,
    Erased,
}

/// How often each fact was told of rows to which that was done, and of how many.
type Counts = BTreeMap<Done, (u64, u64, u64)>;

pub(crate) fn run(seed: u64, pages: u64) -> Result<(), Box<dyn Error>> {
    let sheet = blank(seed)?;
    let page = layout(Version::One, Variant::BizStation).pages.first().ok_or("no page")?;
    for (name, severity) in LEVELS {
        let mut counts = Counts::new();
        for seed in seed..seed + pages {
            one(&sheet, page, severity, seed, &mut counts)?;
        }
        println!("{name}: {pages} pages");
        for (done, what) in [
            (Done::Fluid, "corrected with fluid"),
            (Done::Erased, "erased and written over"),
            (Done::Nothing, "left as they were"),
        ] {
            let (covered, traces, all) = counts.get(&done).copied().unwrap_or_default();
            line(&format!("rows {what}: covered"), covered, all);
            line(&format!("rows {what}: traces"), traces, all);
        }
    }
    Ok(())
}

fn one(
    blank: &PaperSheet,
    page: &PageLayout,
    severity: Severity,
    seed: u64,
    counts: &mut Counts,
) -> Result<(), Box<dyn Error>> {
    let mut chance = Chance::new(seed ^ 0xC0_44EC);
    let nothing = FieldValues::default();
    let (mut sheet, _) = filled(blank, page, &nothing, severity, &Hands::default(), seed);
    let writer = Writer::new(seed);
    let mut done = BTreeMap::new();
    for field in &page.digits {
        let what = chance.pick(&[Done::Nothing, Done::Fluid, Done::Erased]).copied();
        let what = what.unwrap_or(Done::Nothing);
        done.insert(field.id.clone(), what);
        let Some(cell) = chance.pick(&field.cells).copied() else { continue };
        let digit = u8::try_from(chance.below(10))?;
        match what {
            Done::Nothing => {}
            Done::Fluid => {
                sheet.brush_fluid(cell, &mut chance);
                sheet.write_digit(cell, digit, &writer, &mut chance);
            }
            Done::Erased => sheet.erased_digit(cell, digit, &writer, &mut chance),
        }
    }
    let file = as_file(&sheet.travelled(severity, seed ^ 0x5EED))?;
    let read = read_file(&file, "page", &ReadOptions::new(CodeKey::sample()));
    for (id, reading) in read.pages.iter().flat_map(|page| &page.digits) {
        let Some(what) = done.get(id) else { continue };
        let (covered, traces, all) = counts.entry(*what).or_default();
        let is_told = |fact| reading.facts.as_ref().is_some_and(|facts| facts.contains(&fact));
        *covered += u64::from(is_told(RowFact::Covered));
        *traces += u64::from(is_told(RowFact::Traces));
        *all += 1;
    }
    Ok(())
}
