//! Machine print: the ink of a cell against the shapes that printers and viewers set digits in.

use std::sync::LazyLock;

use hayro::hayro_interpret::font::StandardFont;

use super::{DigitReader, Ground, Judged};
use crate::fonts::Fonts;
use crate::glyph::{Glyph, draw, draw_cff};
use crate::raster::{real, whole};

/// Below this a digit is not certain.
const CERTAIN: f32 = 0.5;

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
        shapes.extend(viewer_shapes(EM).into_iter().map(|(c, glyph)| (c, Shape::of(&glyph))));
        Self { shapes }
    }
}

/// Digits of the faces in which viewers fill fields in.
pub(crate) fn viewer_shapes(em: f32) -> Vec<(char, Glyph)> {
    let mut shapes = Vec::new();
    for font in [StandardFont::Helvetica, StandardFont::HelveticaBold] {
        let (data, _) = font.get_font_data();
        let Some(table) = ttf_parser::cff::Table::parse(data.as_ref().as_ref()) else { continue };
        let named = ('0'..='9').zip(NAMES);
        shapes.extend(named.filter_map(|(c, name)| Some((c, draw_cff(&table, name, em)?))));
    }
    shapes
}

impl DigitReader for Templates {
    fn read(&self, ink: &Glyph) -> Option<Judged> {
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
        let confidence = fits.min(leads);
        let (certain, ground) = (confidence >= CERTAIN, Ground::Print);
        (digit != '?').then_some(Judged { digit, confidence, certain, ground })
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
    pub(crate) fn mean(&self, x: f32, y: f32, half: f32) -> f32 {
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
                    let Judged { digit: read, confidence, .. } =
                        MACHINE_PRINT.read(&glyph).unwrap();
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
            let Judged { digit, confidence, .. } =
                MACHINE_PRINT.read(&draw(&face, letter, 48.0).unwrap()).unwrap();
            assert!(confidence < CERTAIN, "{letter} read as {digit} with {confidence}");
        }
    }
}
