//! Rows of digits, cell by cell: what is written is taken off the paper ([`ink`]), held against the
//! shapes of machine print ([`print`]) and read by a network ([`network`]).
//!
//! A cell is judged by a [`DigitReader`]; the reader of forms is [`BothHands`].

mod ink;
mod network;
mod print;

use image::GrayImage;
use serde::Serialize;

use crate::boxes::{Frame, cut, find_frame, ink_limit};
use crate::form3::DigitField;
use crate::glyph::Glyph;
use crate::locate::Registration;
use crate::raster::{Homography as Map, Patch};
use ink::Ink;
pub(crate) use ink::separate;
use network::HANDWRITING;
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
}

impl DigitsReading {
    /// Whether nothing is written in the row.
    pub fn is_empty(&self) -> bool {
        self.v.is_empty()
    }

    /// Whether a person has to look at a cell.
    pub fn is_uncertain(&self) -> bool {
        self.v.contains('?')
    }
}

/// What a reader makes of the ink of a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Judged {
    pub(crate) digit: char,
    /// How likely it is, 0 to 1.
    pub(crate) confidence: f32,
    /// Whether no person has to look.
    pub(crate) certain: bool,
}

/// Reads the ink of one cell.
pub(crate) trait DigitReader {
    /// `ink` is darkness cropped to what is written.
    fn read(&self, ink: &Glyph) -> Option<Judged>;
}

/// Machine print by its shapes, everything else by the network; where the two contradict each
/// other a person looks.
pub(crate) struct BothHands;

impl DigitReader for BothHands {
    fn read(&self, ink: &Glyph) -> Option<Judged> {
        let written = HANDWRITING.read(ink)?;
        match MACHINE_PRINT.read(ink) {
            Some(printed) if printed.certain && printed.digit == written.digit => {
                let confidence = printed.confidence.max(written.confidence);
                Some(Judged { confidence, certain: true, ..printed })
            }
            Some(printed) if printed.certain => Some(Judged { certain: false, ..written }),
            _ => Some(written),
        }
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
    (DigitsReading { v: sure.trim_end().to_owned(), raw, conf }, frame)
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

/// What the network is given for a cell that lies at `cell` in a patch as it was cut out; for
/// training. None when nothing is written.
pub(crate) fn network_input(patch: &Patch, cell: crate::form3::BoxMm) -> Option<Vec<u8>> {
    let glyph = cell_ink(&patch.flattened(STROKE_MM), cell).glyph()?;
    Some(network::input(&glyph))
}
