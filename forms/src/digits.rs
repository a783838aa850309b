//! Rows of digits: every cell against the shapes that printers and viewers set digits in.
//!
//! A cell is judged by a [`DigitReader`]; machine print is read by [`Templates`]. A reader for
//! handwriting takes the same cells.

use std::sync::LazyLock;

use hayro::hayro_interpret::font::StandardFont;
use image::GrayImage;
use serde::Serialize;

use crate::boxes::{Frame, cut, find_frame, ink_limit};
use crate::fonts::Fonts;
use crate::form3::DigitField;
use crate::glyph::{Glyph, draw, draw_cff};
use crate::raster::{Homography, Homography as Map, Patch, real, whole};

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

/// What one cell shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell {
    Empty { confidence: f32 },
    Digit { digit: char, confidence: f32 },
}

/// Reads the ink of one cell; the seam for readers of other hands.
pub(crate) trait DigitReader {
    /// `ink` is darkness cropped to what is written.
    fn read(&self, ink: &Glyph) -> Option<(char, f32)>;
}

/// Below this a digit is not certain.
const CERTAIN: f32 = 0.5;
/// The frame's line and what a slightly wrong shift lets in, in millimetres.
const INSET_MM: f32 = 0.5;
/// Smaller spots are dust, in square millimetres.
const DUST_MM2: f32 = 0.12;
/// The height that printed and written digits have at least, in millimetres.
const LEAST_HEIGHT_MM: f32 = 1.6;

/// Reads a row of cells.
pub(crate) fn read_digits(
    grey: &GrayImage,
    map: &Homography,
    field: &DigitField,
    reader: &dyn DigitReader,
) -> (DigitsReading, Frame) {
    let (patch, frame) = find(grey, map, field);
    let (dx, dy) = if frame.seen() { (frame.dx, frame.dy) } else { (0.0, 0.0) };
    let limit = ink_limit(&patch);
    let (mut sure, mut raw, mut conf) = (String::new(), String::new(), Vec::new());
    for cell in &field.cells {
        let ink = Ink::of(&patch, patch.window(cell.moved(dx, dy).grown(-INSET_MM)), limit);
        let (letter, likeliest, confidence) = match read_cell(&ink, reader) {
            Cell::Empty { confidence } => (' ', ' ', confidence),
            Cell::Digit { digit, confidence } if confidence >= CERTAIN && frame.seen() => {
                (digit, digit, confidence)
            }
            Cell::Digit { digit, confidence } => ('?', digit, confidence),
        };
        sure.push(letter);
        raw.push(likeliest);
        conf.push((confidence * 100.0).round() / 100.0);
    }
    (DigitsReading { v: sure.trim_end().to_owned(), raw, conf }, frame)
}

fn find(grey: &GrayImage, map: &Map, field: &DigitField) -> (Patch, Frame) {
    let area = field.area();
    let patch = cut(grey, map, area);
    let columns: Vec<f32> =
        field.cells.iter().map(|cell| cell.x).chain(std::iter::once(area.right())).collect();
    let frame = find_frame(&patch, area, &columns);
    (patch, frame)
}

fn read_cell(ink: &Ink, reader: &dyn DigitReader) -> Cell {
    let Some(glyph) = ink.glyph() else {
        return Cell::Empty { confidence: 1.0 - (ink.dust * 20.0).min(0.5) };
    };
    match reader.read(&glyph) {
        Some((digit, confidence)) => Cell::Digit { digit, confidence },
        None => Cell::Digit { digit: '?', confidence: 0.0 },
    }
}

/// The ink of a cell: darkness of the connected strokes that are more than dust.
struct Ink {
    width: usize,
    values: Vec<u8>,
    /// The bounds of the strokes: left, top, right, bottom.
    bounds: Option<[usize; 4]>,
    /// The share of the cell that is dust.
    dust: f32,
    per_mm: f32,
}

impl Ink {
    fn of(patch: &Patch, window: crate::raster::Window, limit: u8) -> Self {
        let (width, height) = (window.right - window.left, window.bottom - window.top);
        let values: Vec<u8> = patch.inside(window).collect();
        let dark: Vec<bool> = values.iter().map(|value| *value < limit).collect();
        let strokes = strokes(&dark, width, height, patch.per_mm);
        let dusty = strokes.iter().zip(&dark).filter(|(stroke, dark)| **dark && !**stroke).count();
        let dust = real(dusty) / real(values.len().max(1));
        let bounds = bounds(&strokes, width);
        // The soft edges of strokes belong to them, what lies further off does not.
        let paper = patch.percentile(0.75);
        let near = grown(&strokes, width);
        let values = values
            .iter()
            .zip(near)
            .map(|(value, near)| if near { paper.saturating_sub(*value) } else { 0 })
            .collect();
        Self { width, values, bounds, dust, per_mm: patch.per_mm }
    }

    /// What is written, cropped; none when nothing is.
    fn glyph(&self) -> Option<Glyph> {
        let [left, top, right, bottom] = self.bounds?;
        if real(bottom - top) < LEAST_HEIGHT_MM * self.per_mm {
            return None;
        }
        let rows = self.values.chunks_exact(self.width.max(1)).take(bottom).skip(top);
        let values =
            rows.flat_map(|row| row.get(left..right).unwrap_or_default()).copied().collect();
        Some(Glyph { width: right - left, height: bottom - top, values })
    }
}

/// Connected dark areas, less dust and less slivers along the edge, which are the frame.
fn strokes(dark: &[bool], width: usize, height: usize, per_mm: f32) -> Vec<bool> {
    let mut kept = vec![false; dark.len()];
    let mut seen = vec![false; dark.len()];
    for start in 0..dark.len() {
        if dark.get(start) != Some(&true) || seen.get(start) != Some(&false) {
            continue;
        }
        let spot = flood(start, dark, &mut seen, width);
        let [left, top, right, bottom] = extent(&spot, width);
        let thin = real((right - left).min(bottom - top)) < 0.45 * per_mm;
        let at_edge = left == 0 || top == 0 || right >= width || bottom >= height;
        let dust = real(spot.len()) < DUST_MM2 * per_mm * per_mm;
        if dust || (thin && at_edge) {
            continue;
        }
        for at in spot {
            if let Some(kept) = kept.get_mut(at) {
                *kept = true;
            }
        }
    }
    kept
}

fn flood(start: usize, dark: &[bool], seen: &mut [bool], width: usize) -> Vec<usize> {
    let (mut spot, mut next) = (vec![start], 0);
    if let Some(seen) = seen.get_mut(start) {
        *seen = true;
    }
    while let Some(at) = spot.get(next).copied() {
        next += 1;
        let column = at % width;
        for (dy, dx) in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1), (2, 2)] {
            if column + dx == 0 || column + dx > width {
                continue;
            }
            let Some(to) = (at + dy * width + dx).checked_sub(width + 1) else { continue };
            if dark.get(to) == Some(&true)
                && let Some(fresh) = seen.get_mut(to)
                && !*fresh
            {
                *fresh = true;
                spot.push(to);
            }
        }
    }
    spot
}

fn extent(spot: &[usize], width: usize) -> [usize; 4] {
    let columns = || spot.iter().map(|at| at % width);
    let rows = || spot.iter().map(|at| at / width);
    [
        columns().min().unwrap_or(0),
        rows().min().unwrap_or(0),
        columns().max().unwrap_or(0) + 1,
        rows().max().unwrap_or(0) + 1,
    ]
}

fn bounds(kept: &[bool], width: usize) -> Option<[usize; 4]> {
    let all: Vec<usize> =
        kept.iter().enumerate().filter(|(_, kept)| **kept).map(|(at, _)| at).collect();
    (!all.is_empty()).then(|| extent(&all, width.max(1)))
}

/// One pixel more on every side.
fn grown(kept: &[bool], width: usize) -> Vec<bool> {
    let on = |at: Option<usize>| at.and_then(|at| kept.get(at)).copied().unwrap_or(false);
    (0..kept.len())
        .map(|at| {
            let rows = [at.checked_sub(width), Some(at), at.checked_add(width)];
            rows.into_iter().any(|row| {
                on(row) || on(row.and_then(|at| at.checked_sub(1))) || on(row.map(|at| at + 1))
            })
        })
        .collect()
}

/// Shapes of digits by which machine print is read.
pub(crate) struct Templates {
    shapes: Vec<(char, Shape)>,
}

const NAMES: [&str; 10] =
    ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

/// The embedded face, which prints our forms, and Helvetica and Courier, in which viewers fill
/// fields in.
pub(crate) static MACHINE_PRINT: LazyLock<Templates> = LazyLock::new(Templates::new);

impl Templates {
    fn new() -> Self {
        const EM: f32 = 60.0;
        let mut shapes = Vec::new();
        for source in &Fonts::embedded().faces {
            let Ok(face) = source.parse() else { continue };
            shapes.extend(('0'..='9').filter_map(|c| Some((c, Shape::of(&draw(&face, c, EM)?)))));
        }
        for font in [StandardFont::Helvetica, StandardFont::HelveticaBold] {
            let (data, _) = font.get_font_data();
            let Some(table) = ttf_parser::cff::Table::parse(data.as_ref().as_ref()) else {
                continue;
            };
            let named = ('0'..='9').zip(NAMES);
            shapes.extend(
                named.filter_map(|(c, name)| Some((c, Shape::of(&draw_cff(&table, name, EM)?)))),
            );
        }
        Self { shapes }
    }
}

impl DigitReader for Templates {
    fn read(&self, ink: &Glyph) -> Option<(char, f32)> {
        let shape = Shape::of(ink);
        let mut best: [(char, f32); 2] = [('?', -1.0); 2];
        for (digit, template) in &self.shapes {
            let likeness = template.likeness(&shape);
            let [first, second] = best;
            if likeness > first.1 {
                best = [(*digit, likeness), if first.0 == *digit { second } else { first }];
            } else if *digit != first.0 && likeness > second.1 {
                best = [first, (*digit, likeness)];
            }
        }
        let [(digit, likeness), (_, other)] = best;
        // Half certain at a likeness of 0.75 with a lead of 0.05 over the next digit.
        let fits = ((likeness - 0.55) / 0.4).clamp(0.0, 1.0);
        let leads = ((likeness - other) / 0.1).clamp(0.0, 1.0);
        (digit != '?').then_some((digit, fits.min(leads)))
    }
}

const SIDE: usize = 24;
const BORDER: usize = 3;

/// A digit brought to a common height in a square, softened, and freed of its mean: two shapes are
/// compared by their correlation, which neither brightness nor contrast changes.
struct Shape {
    values: Vec<f32>,
}

impl Shape {
    fn of(glyph: &Glyph) -> Self {
        let side = SIDE + 2 * BORDER;
        let scale = real(SIDE) / real(glyph.height.max(glyph.width).max(1));
        let wide = real(glyph.width) * scale;
        let left = (real(side) - wide) / 2.0;
        let top = (real(side) - real(glyph.height) * scale) / 2.0;
        let mut values = vec![0.0; side * side];
        for (at, value) in values.iter_mut().enumerate() {
            let x = (real(at % side) + 0.5 - left) / scale;
            let y = (real(at / side) + 0.5 - top) / scale;
            *value = glyph.mean(x, y, 0.5 / scale);
        }
        let mut shape = Self { values: softened(&softened(&values, side), side) };
        shape.normalise();
        shape
    }

    fn normalise(&mut self) {
        let count = real(self.values.len());
        let mean = self.values.iter().sum::<f32>() / count;
        self.values.iter_mut().for_each(|value| *value -= mean);
        let length = self.values.iter().map(|value| value * value).sum::<f32>().sqrt().max(1e-6);
        self.values.iter_mut().for_each(|value| *value /= length);
    }

    fn likeness(&self, other: &Self) -> f32 {
        self.values.iter().zip(&other.values).map(|(a, b)| a * b).sum()
    }
}

fn softened(values: &[f32], side: usize) -> Vec<f32> {
    let at = |x: Option<usize>, y: Option<usize>| match (x, y) {
        (Some(x), Some(y)) if x < side && y < side => {
            values.get(y * side + x).copied().unwrap_or(0.0)
        }
        _ => 0.0,
    };
    let weights = [1.0, 2.0, 1.0];
    (0..side * side)
        .map(|index| {
            let (x, y) = (index % side, index / side);
            let xs = [x.checked_sub(1), Some(x), Some(x + 1)];
            let ys = [y.checked_sub(1), Some(y), Some(y + 1)];
            ys.into_iter()
                .zip(weights)
                .map(|(y, a)| {
                    xs.into_iter().zip(weights).map(|(x, b)| at(x, y) * a * b).sum::<f32>()
                })
                .sum::<f32>()
                / 16.0
        })
        .collect()
}

impl Glyph {
    /// Mean darkness in a square around a place; outside is paper.
    fn mean(&self, x: f32, y: f32, half: f32) -> f32 {
        let (left, right) = (x - half, x + half);
        let (top, bottom) = (y - half, y + half);
        if right <= 0.0 || bottom <= 0.0 || left >= real(self.width) || top >= real(self.height) {
            return 0.0;
        }
        let columns = whole_floor(left)..whole(right).min(self.width);
        let rows = whole_floor(top)..whole(bottom).min(self.height);
        let mut sum = 0.0;
        for row in rows {
            let high = (bottom.min(real(row) + 1.0) - top.max(real(row))).max(0.0);
            for column in columns.clone() {
                let wide = (right.min(real(column) + 1.0) - left.max(real(column))).max(0.0);
                let value = self.values.get(row * self.width + column).copied().unwrap_or(0);
                sum += f32::from(value) * wide * high;
            }
        }
        sum / (4.0 * half * half)
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a glyph")]
fn whole_floor(value: f32) -> usize {
    value.max(0.0).floor() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_reads_as_itself_with_a_lead() {
        assert_eq!(MACHINE_PRINT.shapes.len(), 40, "four faces of ten digits");
        for source in &Fonts::embedded().faces {
            let face = source.parse().unwrap();
            for digit in '0'..='9' {
                for em in [24.0, 33.0, 57.0] {
                    let glyph = draw(&face, digit, em).unwrap();
                    let (read, confidence) = MACHINE_PRINT.read(&glyph).unwrap();
                    assert_eq!(read, digit, "{em} in {}", source.name);
                    assert!(confidence > 0.6, "{digit} at {em}: {confidence}");
                }
            }
        }
    }

    #[test]
    fn a_letter_is_not_certain() {
        let fonts = Fonts::embedded();
        let face = fonts.faces[0].parse().unwrap();
        for letter in ['A', 'E', 'K', 'M', 'X', 'あ', '山'] {
            let (digit, confidence) =
                MACHINE_PRINT.read(&draw(&face, letter, 48.0).unwrap()).unwrap();
            assert!(confidence < CERTAIN, "{letter} read as {digit} with {confidence}");
        }
    }
}
