//! Impressions stamped anew and impressions copied from another form, compared with what came before.

use std::error::Error;
use std::time::{Duration, Instant};

use forms::degrade::{Chance, PaperSheet, Severity};
use forms::seal::{Impression, InkPattern, REUSED, Suspect};
use forms::{BoxMm, CodeKey, Depth, ReadOptions, Variant, Version, layout, read_file};

use super::report::line;
use super::sheets::{LEVELS, as_file, blank};

/// Two forms of a company, and a third with what was cut out of the first.
pub(crate) fn run(seed: u64, count: u64) -> Result<(), Box<dyn Error>> {
    let sheet = blank(seed)?;
    let area = layout(Version::One, Variant::BizStation)
        .pages
        .first()
        .and_then(|page| page.seals.first())
        .ok_or("no seal box")?
        .area;
    for (name, severity) in LEVELS {
        let mut tally = Tally::default();
        for seed in seed..seed + count {
            tally.company(&sheet, area, severity, seed)?;
        }
        println!("{name}: {count} companies");
        tally.tell();
    }
    Ok(())
}

#[derive(Default)]
struct Tally {
    anew: Vec<f32>,
    copied: Vec<f32>,
    unread: u64,
    taken: Duration,
}

impl Tally {
    fn company(
        &mut self,
        blank: &PaperSheet,
        area: BoxMm,
        severity: Severity,
        seed: u64,
    ) -> Result<(), Box<dyn Error>> {
        let mut chance = Chance::new(seed);
        let seal = Impression::company("見本工業株式会社", seed)?;
        let mut stamped = |own: u64| {
            let mut sheet = blank.clone();
            let centre = somewhere(area, &mut chance);
            sheet.stamp(&seal, centre, chance.between(-8.0, 8.0), seed * 4 + own);
            crop(&sheet, severity, seed * 4 + own)
        };
        let (first, second) = (stamped(0)?, stamped(1)?);
        let mut third = blank.clone();
        if let Some(first) = &first {
            let picture = image::load_from_memory(first)?.into_rgb8();
            let turn = chance.between(-3.0, 3.0);
            third.copy_seal(&picture, somewhere(area, &mut chance), turn, seed);
        }
        let third = crop(&third, severity, seed * 4 + 2)?;
        // The specimen was stamped and scanned too, at the bank.
        let mut card = blank.clone();
        card.stamp(&seal, area.centre(), 0.0, seed * 4 + 3);
        let card = crop(&card, Severity::Office, seed * 4 + 3)?;
        let pattern = |crop: &Option<Vec<u8>>| -> Option<InkPattern> {
            InkPattern::of(crop.as_ref()?).ok().flatten()
        };
        let all = [pattern(&first), pattern(&second), pattern(&third), pattern(&card)];
        let [Some(first), Some(second), Some(third), Some(card)] = all else {
            self.unread += 1;
            return Ok(());
        };
        let started = Instant::now();
        let (Some(young), Some(suspect)) =
            (Suspect::new(second, &card), Suspect::new(third, &card))
        else {
            self.unread += 1;
            return Ok(());
        };
        self.anew.extend(young.sameness(&first));
        self.copied.extend(suspect.sameness(&first));
        self.anew.extend(suspect.sameness(young.ink()));
        self.taken += started.elapsed();
        Ok(())
    }

    fn tell(&mut self) {
        for (name, values) in [("stamped anew", &mut self.anew), ("copied", &mut self.copied)] {
            values.sort_by(f32::total_cmp);
            let at = |share: usize| {
                values.get(share * values.len().saturating_sub(1) / 100).copied().unwrap_or(0.0)
            };
            println!(
                "  {name}: sameness {:.2} at least, {:.2} / {:.2} / {:.2} at 5, 50, 95 %, {:.2} at most",
                at(0),
                at(5),
                at(50),
                at(95),
                at(100)
            );
            let flagged = values.iter().filter(|value| **value >= REUSED).count() as u64;
            line(&format!("{name}, flagged"), flagged, values.len() as u64);
        }
        let comparisons = u32::try_from(self.anew.len() + self.copied.len()).unwrap_or(1).max(1);
        println!(
            "  {} without colour or seal; {:.1?} a comparison",
            self.unread,
            self.taken / comparisons
        );
    }
}

fn somewhere(area: BoxMm, chance: &mut Chance) -> [f32; 2] {
    let [x, y] = area.centre();
    [x + chance.between(-3.0, 3.0), y + chance.between(-3.0, 3.0)]
}

/// The seal box of a sheet that has come back, by the first device that kept its colour; none where no seal
/// is read.
fn crop(
    sheet: &PaperSheet,
    severity: Severity,
    seed: u64,
) -> Result<Option<Vec<u8>>, Box<dyn Error>> {
    let arrived = (0..20).map(|device| sheet.travelled(severity, seed ^ device << 48));
    let Some(arrived) = arrived.into_iter().find(|arrived| arrived.depth == Depth::Colour) else {
        return Ok(None);
    };
    let file = as_file(&arrived)?;
    let options = ReadOptions { crops: true, ..ReadOptions::new(CodeKey::sample()) };
    let read = read_file(&file, "page", &options);
    let seals = read.pages.into_iter().flat_map(|page| page.seals.into_values());
    Ok(seals.into_iter().find(|seal| seal.found && seal.coloured).map(|seal| seal.crop))
}
