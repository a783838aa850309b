//! Shapes of characters of the embedded face as pictures: templates for digits, seals for tests.

use ttf_parser::{Face, OutlineBuilder};

use crate::raster::{real, whole};

/// A character drawn so high, cropped to its ink: darkness 0 to 255, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Glyph {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) values: Vec<u8>,
}

/// Draws a character of a face with an em of so many pixels; none when the face lacks it.
pub(crate) fn draw(face: &Face<'_>, character: char, em: f32) -> Option<Glyph> {
    let glyph = face.glyph_index(character)?;
    let scale = em / f32::from(face.units_per_em());
    let mut outline = Outline { scale, ..Outline::default() };
    face.outline_glyph(glyph, &mut outline)?;
    Some(outline.fill())
}

/// A bare CFF face, as the standard fonts of viewers come.
pub(crate) fn draw_cff(table: &ttf_parser::cff::Table<'_>, name: &str, em: f32) -> Option<Glyph> {
    let glyph = table.glyph_index_by_name(name)?;
    let mut outline = Outline { scale: em / 1000.0, ..Outline::default() };
    table.outline(glyph, &mut outline).ok()?;
    Some(outline.fill())
}

/// An outline as straight pieces, y downwards.
#[derive(Default)]
struct Outline {
    scale: f32,
    at: [f32; 2],
    start: [f32; 2],
    pieces: Vec<[[f32; 2]; 2]>,
}

const CURVE_STEPS: u8 = 8;
/// Sub-rows of a pixel; columns are covered exactly.
const SUBROWS: u8 = 5;

impl Outline {
    fn place(&self, x: f32, y: f32) -> [f32; 2] {
        [x * self.scale, -y * self.scale]
    }

    fn go(&mut self, to: [f32; 2]) {
        self.pieces.push([self.at, to]);
        self.at = to;
    }

    fn fill(&self) -> Glyph {
        let points = || self.pieces.iter().flatten();
        let least = |axis: fn(&[f32; 2]) -> f32| points().map(axis).fold(f32::MAX, f32::min);
        let most = |axis: fn(&[f32; 2]) -> f32| points().map(axis).fold(f32::MIN, f32::max);
        if self.pieces.is_empty() {
            return Glyph { width: 0, height: 0, values: Vec::new() };
        }
        let (left, top) = (least(|p| p[0]), least(|p| p[1]));
        let (width, height) =
            (whole(most(|p| p[0]) - left).max(1), whole(most(|p| p[1]) - top).max(1));
        let mut values = Vec::with_capacity(width * height);
        for y in 0..height {
            let mut row = vec![0.0_f32; width];
            for sub in 0..SUBROWS {
                let line = top + real(y) + (f32::from(sub) + 0.5) / f32::from(SUBROWS);
                self.cover(line, left, &mut row);
            }
            values.extend(row.into_iter().map(|covered| shade(covered / f32::from(SUBROWS))));
        }
        Glyph { width, height, values }
    }

    /// Adds what lies inside on one horizontal line, by the non-zero winding rule.
    fn cover(&self, line: f32, left: f32, row: &mut [f32]) {
        let mut crossings: Vec<(f32, i32)> = self
            .pieces
            .iter()
            .filter_map(|[[x0, y0], [x1, y1]]| {
                let down = *y0 <= line && *y1 > line;
                let up = *y1 <= line && *y0 > line;
                let x = x0 + (line - y0) / (y1 - y0) * (x1 - x0) - left;
                (down || up).then_some((x, if down { 1 } else { -1 }))
            })
            .collect();
        crossings.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (mut winding, mut from) = (0, 0.0);
        for (x, turn) in crossings {
            if winding == 0 {
                from = x;
            }
            winding += turn;
            if winding == 0 {
                span(row, from, x);
            }
        }
    }
}

/// Covers a row from one place to another, in parts of pixels at the ends.
fn span(row: &mut [f32], from: f32, to: f32) {
    for (index, cell) in row.iter_mut().enumerate() {
        let (left, right) = (real(index), real(index) + 1.0);
        *cell += (to.min(right) - from.max(left)).max(0.0);
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a byte")]
fn shade(share: f32) -> u8 {
    (share * 255.0).round().clamp(0.0, 255.0) as u8
}

impl OutlineBuilder for Outline {
    fn move_to(&mut self, x: f32, y: f32) {
        self.at = self.place(x, y);
        self.start = self.at;
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.go(self.place(x, y));
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let (from, control, to) = (self.at, self.place(x1, y1), self.place(x, y));
        for step in 1..=CURVE_STEPS {
            let t = f32::from(step) / f32::from(CURVE_STEPS);
            let mix = |a: f32, b: f32, c: f32| {
                a * (1.0 - t) * (1.0 - t) + 2.0 * b * t * (1.0 - t) + c * t * t
            };
            self.go([mix(from[0], control[0], to[0]), mix(from[1], control[1], to[1])]);
        }
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let (from, first, second, to) =
            (self.at, self.place(x1, y1), self.place(x2, y2), self.place(x, y));
        for step in 1..=CURVE_STEPS {
            let t = f32::from(step) / f32::from(CURVE_STEPS);
            let s = 1.0 - t;
            let mix = |a: f32, b: f32, c: f32, d: f32| {
                a * s * s * s + 3.0 * b * s * s * t + 3.0 * c * s * t * t + d * t * t * t
            };
            self.go([
                mix(from[0], first[0], second[0], to[0]),
                mix(from[1], first[1], second[1], to[1]),
            ]);
        }
    }

    fn close(&mut self) {
        self.go(self.start);
    }
}
