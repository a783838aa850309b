//! Second thoughts on paper: correction fluid, and ink that was erased and still shows a little.

use image::Rgb;

use super::chance::Chance;
use super::hand::{Pen, Writer};
use super::{PaperSheet, near_pixels};
use crate::form3::BoxMm;
use crate::raster::real_u32;

impl PaperSheet {
    /// Brushes correction fluid over a cell: over most of it, and over a part of its frame.
    pub fn brush_fluid(&mut self, cell: BoxMm, chance: &mut Chance) {
        let (wide, high) =
            (cell.w * chance.between(0.42, 0.6), cell.h * chance.between(0.48, 0.62));
        let [x, y] = cell.centre();
        let centre = [x + chance.gauss() * 0.3, y + chance.gauss() * 0.5];
        let (phase, wobble) = (chance.between(0.0, 6.3), chance.between(0.03, 0.1));
        let white = Rgb([252, 252, 249]);
        let per_mm = self.per_mm;
        for (x, y, pixel) in near_pixels(&mut self.picture, cell.grown(2.0), per_mm) {
            let dx = ((real_u32(x) + 0.5) / per_mm - centre[0]) / wide;
            let dy = ((real_u32(y) + 0.5) / per_mm - centre[1]) / high;
            let edge = 1.0 + wobble * (dy.atan2(dx) * 5.0 + phase).sin();
            // Rounder than a box, boxier than a circle: a brush.
            if dx.powi(4) + dy.powi(4) < edge {
                *pixel = white;
            }
        }
    }

    /// A digit that was written into a cell and erased: what is left of its ink.
    pub fn erased_digit(&mut self, cell: BoxMm, digit: u8, writer: &Writer, chance: &mut Chance) {
        let grey = super::byte(chance.between(196.0, 228.0));
        let pen = Pen { ink: [grey; 3], ..writer.pen() };
        self.write_digit_with(cell, digit, writer, &pen, chance);
    }
}
