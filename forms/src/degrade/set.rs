//! Pages filled in by invented people, with the truth beside them: what measuring and its guards
//! read.

use std::collections::{BTreeMap, BTreeSet};

use super::chance::Chance;
use super::hand::Writer;
use super::ink::Written;
use super::journey::Severity;
use super::people::Tick;
use super::{PaperSheet, byte};
use crate::data::FieldValues;
use crate::form3::{BoxMm, DigitField, PageLayout};
use crate::seal::Impression;

/// Whose hands fill pages in.
#[derive(Clone, Debug, Default)]
pub struct Hands<'h> {
    /// Digits that people wrote elsewhere, with their labels.
    pub copied: Vec<(Written<'h>, u8)>,
    /// The seals that companies have.
    pub seals: Vec<Impression>,
}

/// What a page really says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Truth {
    /// The boxes that are ticked.
    pub ticks: BTreeSet<String>,
    /// The digits in every row, empty cells as spaces, in full length.
    pub digits: BTreeMap<String, String>,
    /// The rows that a printer filled in.
    pub printed: BTreeSet<String>,
    /// Whether the digits are copied from elsewhere, not written by a hand of ours.
    pub copied: bool,
    /// The middle of the seal, where there is one.
    pub seal: Option<[f32; 2]>,
    /// Whether a code is covered.
    pub code_covered: bool,
}

/// Somebody fills in what was not printed, stamps, and has accidents of that severity.
pub fn filled(
    base: &PaperSheet,
    page: &PageLayout,
    printed: &FieldValues,
    severity: Severity,
    hands: &Hands<'_>,
    seed: u64,
) -> (PaperSheet, Truth) {
    let mut chance = Chance::new(seed);
    let mut desk = Desk {
        sheet: base.clone(),
        truth: Truth::default(),
        writer: Writer::new(chance.next()),
        copies: chance.happens(0.5) && !hands.copied.is_empty(),
        chance,
    };
    desk.truth.copied = desk.copies;
    desk.toner(severity);
    for field in &page.digits {
        desk.row(field, printed, hands);
    }
    desk.ticks(page, printed);
    for field in &page.seals {
        desk.seal(field.area, hands);
    }
    desk.accidents(page, severity);
    (desk.sheet, desk.truth)
}

struct Desk {
    sheet: PaperSheet,
    truth: Truth,
    writer: Writer,
    /// Whether the digits of this page are copied from elsewhere.
    copies: bool,
    chance: Chance,
}

impl Desk {
    fn toner(&mut self, severity: Severity) {
        let share = if severity == Severity::Office { 0.2 } else { 0.5 };
        if self.chance.happens(share) {
            let most = if severity == Severity::Office { 30.0 } else { 70.0 };
            let black = byte(self.chance.between(0.0, most));
            self.sheet.toned(black, byte(self.chance.between(228.0, 255.0)));
        }
    }

    fn row(&mut self, field: &DigitField, printed: &FieldValues, hands: &Hands<'_>) {
        let cells = field.cells.len();
        if let Some(digits) = printed.digits.get(&field.id) {
            self.truth.digits.insert(field.id.clone(), format!("{digits:cells$}"));
            self.truth.printed.insert(field.id.clone());
            return;
        }
        let mut row = String::new();
        if self.chance.happens(0.8) {
            let count = if field.id == "phone" { 10 + self.chance.below(2) } else { cells };
            for cell in field.cells.iter().take(count) {
                let digit = self.digit(*cell, hands);
                row.push(char::from(b'0' + digit % 10));
            }
        }
        self.truth.digits.insert(field.id.clone(), format!("{row:cells$}"));
    }

    fn digit(&mut self, cell: BoxMm, hands: &Hands<'_>) -> u8 {
        let chance = &mut self.chance;
        if let Some((written, label)) = chance.pick(&hands.copied).filter(|_| self.copies) {
            self.sheet.copy_digit(cell, *written, &self.writer.pen(), chance);
            return *label;
        }
        let digit = u8::try_from(chance.below(10)).unwrap_or(0);
        self.sheet.write_digit(cell, digit, &self.writer, chance);
        digit
    }

    fn ticks(&mut self, page: &PageLayout, printed: &FieldValues) {
        let own = Tick::any(&mut self.chance);
        for field in &page.checkboxes {
            if printed.checks.contains(&field.id) {
                self.truth.ticks.insert(field.id.clone());
            } else if self.chance.happens(0.3) {
                let tick = if self.chance.happens(0.9) { own } else { Tick::any(&mut self.chance) };
                let pen = self.writer.pen();
                self.sheet.tick_by_hand(field.area, tick, &pen, &mut self.chance);
                self.truth.ticks.insert(field.id.clone());
            }
        }
    }

    fn seal(&mut self, area: BoxMm, hands: &Hands<'_>) {
        let Some(seal) =
            self.chance.pick(&hands.seals).filter(|_| self.chance.clone().happens(0.85))
        else {
            return;
        };
        let [x, y] = area.centre();
        let centre = [x + self.chance.gauss() * 3.0, y + self.chance.gauss() * 3.0];
        let degrees = self.chance.gauss() * 8.0;
        self.sheet.stamp(seal, centre, degrees, self.chance.next());
        self.truth.seal = Some(centre);
    }

    fn accidents(&mut self, page: &PageLayout, severity: Severity) {
        let (stained, covered, unmarked) = match severity {
            Severity::Office => (0.03, 0.0, 0.0),
            Severity::Rough => (0.6, 0.35, 0.15),
            Severity::Brutal => (0.5, 1.0, 0.2),
        };
        if self.chance.happens(stained) {
            let centre = [self.chance.between(10.0, 200.0), self.chance.between(20.0, 280.0)];
            let radius = self.chance.between(6.0, 32.0);
            self.sheet.stain(centre, radius, &mut self.chance);
        }
        let labels = [[250, 250, 246], [250, 230, 120], [120, 116, 110]];
        if self.chance.happens(covered)
            && let Some(code) = self.chance.pick(&page.codes)
        {
            let colour = self.chance.pick(&labels).copied().unwrap_or([255; 3]);
            let off = [self.chance.gauss() * 3.0, self.chance.gauss() * 3.0];
            self.sheet.cover(code.area.grown(-2.0).moved(off[0], off[1]), colour);
            self.truth.code_covered = true;
        }
        if self.chance.happens(unmarked)
            && let Some([x, y, size]) = self.chance.pick(&page.marks)
        {
            let colour = self.chance.pick(&labels).copied().unwrap_or([255; 3]);
            let area = BoxMm::new(x - size / 2.0, y - size / 2.0, *size, *size);
            self.sheet.cover(area.grown(2.0), colour);
        }
    }
}
