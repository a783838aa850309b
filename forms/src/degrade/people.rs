//! What people do to a printed sheet: write digits, tick boxes, spill coffee, put labels on codes.

use image::Rgb;

use super::chance::Chance;
use super::hand::{Line, Pen, Writer, curve};
use super::ink::{Laid, Written, lay, paint};
use super::{PaperSheet, byte, near_pixels};
use crate::form3::BoxMm;
use crate::raster::real_u32;

/// How a box is ticked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tick {
    /// レ or ✓.
    Check,
    /// ✕.
    Cross,
    /// A stroke across.
    Slash,
    /// A circle inside.
    Ring,
    /// Filled.
    Full,
    /// A small check that does not reach the edges.
    Small,
}

impl Tick {
    /// Some way to tick; checks are the most frequent.
    pub fn any(chance: &mut Chance) -> Self {
        match chance.below(20) {
            0..=11 => Self::Check,
            12..=14 => Self::Cross,
            15 => Self::Slash,
            16 => Self::Ring,
            17 => Self::Full,
            _ => Self::Small,
        }
    }
}

impl PaperSheet {
    fn draw(&mut self, lines: &[Line], pen: &Pen, chance: &mut Chance) {
        let per_mm = self.per_mm;
        let pixels = |(point, width): &([f32; 2], f32)| {
            ([point[0] * per_mm, point[1] * per_mm], width * per_mm)
        };
        let lines: Vec<Line> = lines.iter().map(|line| line.iter().map(pixels).collect()).collect();
        paint(&mut self.picture, &lines, pen, chance);
    }

    /// Somebody writes a digit into a cell.
    pub fn write_digit(&mut self, cell: BoxMm, digit: u8, writer: &Writer, chance: &mut Chance) {
        self.write_digit_with(cell, digit, writer, &writer.pen(), chance);
    }

    pub(super) fn write_digit_with(
        &mut self,
        cell: BoxMm,
        digit: u8,
        writer: &Writer,
        pen: &Pen,
        chance: &mut Chance,
    ) {
        let lines = writer.lines(digit, cell.centre(), chance);
        self.draw(&lines, pen, chance);
    }

    /// A digit written elsewhere is copied into a cell, in somebody's pen.
    pub fn copy_digit(
        &mut self,
        cell: BoxMm,
        written: Written<'_>,
        pen: &Pen,
        chance: &mut Chance,
    ) {
        let tall = chance.between(4.2, 7.2);
        let laid = Laid::any(written, cell.centre(), tall, chance);
        let pixels = Laid {
            centre: laid.centre.map(|mm| mm * self.per_mm),
            scale: laid.scale.map(|mm| mm * self.per_mm),
            ..laid
        };
        lay(&mut self.picture, written, &pixels, pen, chance);
    }

    /// Somebody ticks a box.
    pub fn tick_by_hand(&mut self, area: BoxMm, tick: Tick, pen: &Pen, chance: &mut Chance) {
        let wide = pen.width_mm;
        let mut at = |x: f32, y: f32| {
            let (x, y) = (x + chance.gauss() * 0.07, y + chance.gauss() * 0.07);
            ([area.x + area.w * x, area.y + area.h * y], wide)
        };
        let lines: Vec<Line> = match tick {
            Tick::Check => vec![vec![at(0.1, 0.45), at(0.4, 0.88), at(1.05, -0.05)]],
            Tick::Small => vec![vec![at(0.3, 0.5), at(0.45, 0.7), at(0.75, 0.28)]],
            Tick::Cross => {
                vec![vec![at(0.12, 0.12), at(0.88, 0.88)], vec![at(0.88, 0.12), at(0.12, 0.88)]]
            }
            Tick::Slash => vec![vec![at(0.95, 0.05), at(0.05, 0.95)]],
            Tick::Ring => {
                let points =
                    [(0.5, 0.12), (0.12, 0.5), (0.5, 0.88), (0.88, 0.5), (0.5, 0.1), (0.4, 0.15)];
                let points: Vec<[f32; 2]> = points.iter().map(|(x, y)| at(*x, *y).0).collect();
                vec![curve(&points, 0.5).into_iter().map(|point| (point, wide)).collect()]
            }
            Tick::Full => {
                let rows = (0..9_u8).map(|row| 0.14 + f32::from(row) * 0.09);
                vec![rows.flat_map(|y| [at(0.14, y), at(0.86, y + 0.04)]).collect()]
            }
        };
        self.draw(&lines, pen, chance);
    }

    /// A stain: darker at its edge, so wide, anywhere.
    pub fn stain(&mut self, centre: [f32; 2], radius_mm: f32, chance: &mut Chance) {
        let tint = match chance.below(3) {
            0 => [176.0, 140.0, 92.0],
            1 => [196.0, 170.0, 130.0],
            _ => [190.0, 188.0, 180.0],
        };
        let (edge, wobble) = (chance.between(0.15, 0.5), chance.between(0.02, 0.12));
        let (phase, depth) = (chance.between(0.0, 6.3), chance.between(0.2, 0.65));
        let reach = radius_mm * 1.3;
        let near = BoxMm::new(centre[0] - reach, centre[1] - reach, 2.0 * reach, 2.0 * reach);
        let per_mm = self.per_mm;
        for (x, y, pixel) in near_pixels(&mut self.picture, near, per_mm) {
            let dx = (real_u32(x) + 0.5) / per_mm - centre[0];
            let dy = (real_u32(y) + 0.5) / per_mm - centre[1];
            let angle = dy.atan2(dx);
            let radius = radius_mm
                * (1.0
                    + wobble * ((angle * 3.0 + phase).sin() + (angle * 7.0 - phase).sin() * 0.5));
            let along = dx.hypot(dy) / radius.max(0.1);
            let inside = ((1.0 - along) * radius / 0.4).clamp(0.0, 1.0);
            let rim = (1.0 - (along - 0.94).abs() / 0.06).clamp(0.0, 1.0);
            let cover = (inside * depth * edge + rim * depth).clamp(0.0, 0.85);
            for (value, tint) in pixel.0.iter_mut().zip(tint) {
                *value = byte(f32::from(*value) * (1.0 - cover * (1.0 - tint / 255.0)));
            }
        }
    }

    /// Something opaque lies on the sheet: a label, a staple's flag, a torn corner.
    pub fn cover(&mut self, area: BoxMm, colour: [u8; 3]) {
        let per_mm = self.per_mm;
        for (_, _, pixel) in near_pixels(&mut self.picture, area, per_mm) {
            *pixel = Rgb(colour);
        }
    }

    /// A printer that is short of toner, or prints on grey paper: black to `black`, white to
    /// `white`.
    pub fn toned(&mut self, black: u8, white: u8) {
        let (black, white) = (f32::from(black), f32::from(white));
        let table: Vec<u8> =
            (0..=255_u8).map(|v| byte(black + (white - black) * f32::from(v) / 255.0)).collect();
        for value in self.picture.iter_mut() {
            *value = table.get(usize::from(*value)).copied().unwrap_or(*value);
        }
    }
}
