//! Rows of digits, cell by cell: what is written is taken off the paper ([`ink`]), held against the
//! shapes of machine print ([`print`]) and read by networks ([`panel`]).
//!
//! A cell is judged by a [`DigitReader`]; the reader of forms is [`BothHands`].

mod corrections;
mod ink;
mod layer;
mod network;
mod panel;
mod print;

use image::GrayImage;
use serde::Serialize;

use crate::boxes::{Frame, cut, find_frame, ink_limit};
use crate::form3::DigitField;
use crate::glyph::Glyph;
use crate::locate::Registration;
use crate::quality::Quality;
use crate::raster::{Homography as Map, Patch};
pub use corrections::RowFact;
use ink::Ink;
pub(crate) use ink::separate;
pub use layer::{Layer, pooled};
pub use network::{CLASSES, KERNELS, LAYERS, Network, POOLED, Pass, SIDES, Shape, redrawn};
use panel::HANDWRITING;
pub use panel::{Bar, JUNK, Likeliest, Panel, STAGES, probabilities};
pub(crate) use print::MACHINE_PRINT;
pub(crate) use print::viewer_shapes;

/// What a row of cells says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DigitsReading {
    /// The digits without the empty cells at the end; empty when every cell is. A cell that is not
    /// certain is `?`, an empty cell before a digit is a space.
    pub v: String,
    /// The likeliest digit of every cell, empty cells as spaces.
    pub raw: String,
    /// Confidence for every cell, 0 to 1; for an empty cell, that it is empty.
    pub conf: Vec<f32>,
    /// Signs that the row was corrected; none where nobody could look, for its frame was not seen.
    pub facts: Option<Vec<RowFact>>,
}

impl DigitsReading {
    /// Whether nothing is written in the row.
    pub fn is_empty(&self) -> bool {
        self.v.is_empty()
    }

    /// Leaves every cell to a person; what is likeliest stays in `raw`.
    pub(crate) fn doubt(&mut self) {
        self.v = "?".repeat(self.conf.len());
    }

    /// Whether a person has to look at a cell.
    pub fn is_uncertain(&self) -> bool {
        self.v.contains('?')
    }
}

/// What a reader makes of the ink of a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judged {
    /// The likeliest digit.
    pub digit: char,
    /// How likely it is, 0 to 1.
    pub confidence: f32,
    /// Whether no person has to look.
    pub certain: bool,
    /// Who or what decided.
    pub ground: Ground,
}

/// Who answered, or why nobody is certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ground {
    /// The shapes of machine print.
    Print,
    /// The networks, at a stage of theirs.
    Networks(usize),
    /// Machine print says one digit and the networks another.
    Contradiction,
    /// It is more likely no digit than any.
    Junk,
    /// The networks do not know.
    Doubt,
}

/// Reads the ink of one cell.
pub(crate) trait DigitReader {
    /// `ink` is darkness cropped to what is written.
    fn read(&self, ink: &Glyph) -> Option<Judged>;
}

/// From here on a shape is taken for machine print. What printers set fits by more than 0.99, also on
/// photographs; a third of all handwritten digits fit some shape half way, and one in seven of those
/// a wrong one.
const PRINTED: f32 = 0.95;

/// Machine print by its shapes, everything else by the networks; where the two contradict each
/// other a person looks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BothHands {
    /// What an answer of the networks must have at least, beyond their own bars.
    least: f32,
}

/// On soft pictures half of the wrong answers lie below this, and one in a hundred of the right ones.
const ON_SOFT: f32 = 0.985;

impl BothHands {
    /// Who reads a picture: more is asked of an answer where edges are soft.
    pub(crate) fn on(quality: &Quality) -> Self {
        Self { least: if quality.is_soft() { ON_SOFT } else { 0.0 } }
    }
}

impl DigitReader for BothHands {
    fn read(&self, ink: &Glyph) -> Option<Judged> {
        let printed = MACHINE_PRINT.read(ink).filter(|printed| printed.confidence >= PRINTED);
        let mut written = Asking::about(network::input(ink), self.least);
        // Two witnesses who say the same need no third, nor to be certain each.
        let agreed = |written: &Judged| {
            let printed = printed.filter(|printed| printed.digit == written.digit)?;
            Some(Judged { confidence: printed.confidence.max(written.confidence), ..printed })
        };
        let mut judged = written.next()?;
        while !judged.certain && agreed(&judged).is_none() {
            let Some(more) = written.next() else { break };
            judged = more;
        }
        let contradicted = Judged { certain: false, ground: Ground::Contradiction, ..judged };
        Some(match printed {
            Some(_) => agreed(&judged).unwrap_or(contradicted),
            None => judged,
        })
    }
}

/// The networks' judgement of an input, more expensive from stage to stage.
struct Asking {
    input: Vec<u8>,
    said: Vec<[f32; CLASSES]>,
    stage: usize,
    least: f32,
}

impl Asking {
    fn about(input: Vec<u8>, least: f32) -> Self {
        Self { input, said: Vec::new(), stage: 0, least }
    }
}

impl Iterator for Asking {
    type Item = Judged;

    fn next(&mut self) -> Option<Judged> {
        let stage = self.stage;
        if stage >= STAGES {
            return None;
        }
        self.stage += 1;
        HANDWRITING.ask(stage, &self.input, &mut self.said);
        let bar = HANDWRITING.bar(stage);
        let Likeliest { digit, confidence, junk } = Likeliest::of(&self.said, bar.temperature);
        let certain = confidence >= bar.certain.max(self.least);
        let ground = if certain {
            Ground::Networks(stage)
        } else if junk > confidence {
            Ground::Junk
        } else {
            Ground::Doubt
        };
        Some(Judged { digit: char::from(b'0' + digit), confidence, certain, ground })
    }
}

/// The frame's line and what a slightly wrong shift lets in, in millimetres.
const INSET_MM: f32 = 0.4;
/// No pen draws lines wider than twice this, in millimetres.
const STROKE_MM: f32 = 1.0;

/// Reads a row of cells.
pub(crate) fn read_digits(
    grey: &GrayImage,
    place: &Registration,
    field: &DigitField,
    reader: &dyn DigitReader,
) -> (DigitsReading, Frame) {
    let (patch, frame) = find(grey, &place.map, field);
    let (dx, dy) = if frame.seen() { (frame.dx, frame.dy) } else { (0.0, 0.0) };
    let (mut sure, mut raw, mut conf) = (String::new(), String::new(), Vec::new());
    for cell in &field.cells {
        let ink = cell_ink(&patch, cell.moved(dx, dy));
        let (letter, likeliest, confidence) = match ink.glyph().map(|glyph| reader.read(&glyph)) {
            None => (' ', ' ', 1.0 - (ink.dust * 20.0).min(0.5)),
            Some(Some(judged)) => {
                let sure = judged.certain && (frame.seen() || place.is_trusted());
                (if sure { judged.digit } else { '?' }, judged.digit, judged.confidence)
            }
            Some(None) => ('?', '?', 0.0),
        };
        sure.push(letter);
        raw.push(likeliest);
        conf.push((confidence * 100.0).round() / 100.0);
    }
    let facts = frame.seen().then(|| corrections::facts(&patch, field, [dx, dy]));
    (DigitsReading { v: sure.trim_end().to_owned(), raw, conf, facts }, frame)
}

fn find(grey: &GrayImage, map: &Map, field: &DigitField) -> (Patch, Frame) {
    let area = field.area();
    let patch = cut(grey, map, area).flattened(STROKE_MM);
    let columns: Vec<f32> =
        field.cells.iter().map(|cell| cell.x).chain(std::iter::once(area.right())).collect();
    let frame = find_frame(&patch, area, &columns);
    (patch, frame)
}

/// What is written in a cell of a flattened patch.
fn cell_ink(patch: &Patch, cell: crate::form3::BoxMm) -> Ink {
    Ink::of(patch, patch.window(cell.grown(-INSET_MM)), ink_limit(patch))
}

/// What the networks are given for a cell that lies at `cell` in a patch as it was cut out; for
/// training. None when nothing is written.
pub(crate) fn network_input(patch: &Patch, cell: crate::form3::BoxMm) -> Option<Vec<u8>> {
    let glyph = cell_ink(&patch.flattened(STROKE_MM), cell).glyph()?;
    Some(network::input(&glyph))
}

/// What the reader of forms makes of such a cell; for measuring. None when nothing is written.
pub(crate) fn judged(patch: &Patch, cell: crate::form3::BoxMm) -> Option<Judged> {
    BothHands::default().read(&cell_ink(&patch.flattened(STROKE_MM), cell).glyph()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::degrade::{CellWear, Content, read_cell};

    #[test]
    fn what_is_plain_is_answered_at_once_and_what_is_none_is_asked_to_the_end() {
        // A bare stroke in the middle, as one writes a 1.
        let plain: Vec<u8> = (0..784)
            .map(|at| {
                if (12..=14).contains(&(at % 28)) && (4..24).contains(&(at / 28)) { 255 } else { 0 }
            })
            .collect();
        let first = Asking::about(plain, 0.0).next().unwrap();
        assert!(first.digit == '1' && first.certain && first.ground == Ground::Networks(0));
        let grid: Vec<u8> =
            (0..784).map(|at| if at % 28 % 5 == 0 || at / 28 % 5 == 0 { 255 } else { 0 }).collect();
        let asked: Vec<Judged> = Asking::about(grid, 0.0).collect();
        assert_eq!(asked.len(), STAGES);
        assert!(asked.iter().all(|judged| !judged.certain), "{asked:?}");
    }
    /// Neither training nor tuning nor the report has these.
    const SEED: u64 = 5 << 40;

    #[test]
    fn handwriting_that_fits_a_shape_half_way_is_still_handwriting() {
        let read = |content: fn(u8, u64) -> Content<'static>| {
            let cells = (0..240_u64).zip((0..10).cycle());
            let judged = cells.filter_map(|(seed, digit)| {
                let judged = read_cell(content(digit, SEED + seed), CellWear::Gentle, SEED + seed)?;
                Some((judged, char::from(b'0' + digit)))
            });
            judged.collect::<Vec<_>>()
        };
        let certain = |all: &[(Judged, char)]| all.iter().filter(|(of, _)| of.certain).count();
        let by_hand = read(Content::Hand);
        let torn = by_hand.iter().filter(|(of, _)| of.ground == Ground::Contradiction).count();
        assert!(torn <= 1, "{torn} of {} contradicted", by_hand.len());
        assert!(certain(&by_hand) * 100 >= by_hand.len() * 96, "{}", certain(&by_hand));
        let printed = read(|digit, _| Content::Print(digit));
        assert!(certain(&printed) * 100 >= printed.len() * 98, "{}", certain(&printed));
        let wrong = by_hand.iter().chain(&printed).filter(|(of, is)| of.certain && of.digit != *is);
        assert_eq!(wrong.count(), 0);
    }
}
