//! Impressions on paper: pressed by hand, never twice alike, or copied from another paper.

use image::RgbImage;

use super::chance::Chance;
use super::{PaperSheet, bilinear, narrow, near_pixels};
use crate::form3::BoxMm;
use crate::seal::{CROP_PER_MM, Impression, STAMP_PER_MM, VERMILION, blend};

impl PaperSheet {
    /// Presses a seal onto the sheet: the ink lets print shine through and lies unevenly.
    pub fn stamp(&mut self, seal: &Impression, centre: [f32; 2], degrees: f32, seed: u64) {
        let mut chance = Chance::new(seed);
        let (sin, cos) = f64::from(degrees.to_radians()).sin_cos();
        let half = f64::from(seal.side_mm()) / 2.0;
        let tilt = (chance.gauss() * 0.08, chance.gauss() * 0.08);
        let ink = Ink::any(seed);
        let per_mm = f64::from(self.per_mm);
        let near = around(centre, narrow(half * 1.5));
        for (x, y, pixel) in near_pixels(&mut self.picture, near, self.per_mm) {
            let dx = (f64::from(x) + 0.5) / per_mm - f64::from(centre[0]);
            let dy = (f64::from(y) + 0.5) / per_mm - f64::from(centre[1]);
            let [ex, ey] = ink.creeps([narrow(dx), narrow(dy)]);
            let (mx, my) = (dx + f64::from(ex), dy + f64::from(ey));
            let (u, v) = (mx * cos + my * sin + half, my * cos - mx * sin + half);
            let cover = seal.at(u * f64::from(STAMP_PER_MM), v * f64::from(STAMP_PER_MM));
            let pressed = 0.88 + tilt.0 * narrow(dx / half) + tilt.1 * narrow(dy / half);
            let lies = ink.lies([narrow(dx), narrow(dy)]);
            let cover = (cover * (pressed * lies + chance.gauss() * 0.05)).clamp(0.0, 0.97);
            for (value, ink) in pixel.0.iter_mut().zip(VERMILION) {
                *value = blend(*value, ink.min(*value), cover);
            }
        }
    }

    /// Prints the crop of a seal box, as a reading gives it, onto the sheet: what somebody does who has a
    /// scan of an older form and no seal. A printer's screen lies over it.
    pub fn copy_seal(&mut self, crop: &RgbImage, centre: [f32; 2], degrees: f32, seed: u64) {
        let mut chance = Chance::new(seed);
        let (sin, cos) = degrees.to_radians().sin_cos();
        let stretch = 1.0 + chance.gauss() * 0.004;
        let screen = Screen { pitch: chance.between(0.17, 0.25), deep: chance.between(0.1, 0.5) };
        let toner = chance.between(0.85, 1.1);
        let per_mm = self.per_mm;
        let (wide, high) = (f64::from(crop.width()), f64::from(crop.height()));
        let half = narrow(wide.max(high)) / CROP_PER_MM / 2.0;
        for (x, y, pixel) in near_pixels(&mut self.picture, around(centre, half * 1.2), per_mm) {
            let dx = (narrow(f64::from(x)) + 0.5) / per_mm - centre[0];
            let dy = (narrow(f64::from(y)) + 0.5) / per_mm - centre[1];
            let (u, v) = ((dx * cos + dy * sin) / stretch, (dy * cos - dx * sin) / stretch);
            let place = [u, v].map(|mm| f64::from(mm * CROP_PER_MM));
            let seen = bilinear(crop, [place[0] + wide / 2.0, place[1] + high / 2.0]);
            // Only what is red is copied: the box around it is on the form already.
            let parts = seen.0.map(|value| f32::from(value) / 255.0);
            let red = ((parts[0] - parts[1].max(parts[2])) * 6.0 - 0.3).clamp(0.0, 1.0);
            let dot = screen.at([dx, dy]);
            for (value, part) in pixel.0.iter_mut().zip(parts) {
                let cover = ((1.0 - part) * toner).clamp(0.0, 1.0);
                let cover = (cover + dot * cover * (1.0 - cover)).clamp(0.0, 1.0) * red;
                *value = blend(*value, 0, cover);
            }
        }
    }
}

fn around(centre: [f32; 2], reach: f32) -> BoxMm {
    BoxMm::new(centre[0] - reach, centre[1] - reach, 2.0 * reach, 2.0 * reach)
}

/// How the ink of one impression lies: in grains and in blotches, dry here and there, squeezed out a
/// little beyond its lines.
struct Ink {
    seed: u64,
    grain: f32,
    blotch: f32,
    dry: f32,
    creep: f32,
}

impl Ink {
    fn any(seed: u64) -> Self {
        let mut chance = Chance::new(seed ^ 0x1A_C0_FF_EE);
        Self {
            seed: chance.next(),
            grain: chance.between(0.04, 0.22),
            blotch: chance.between(0.04, 0.22),
            dry: chance.between(0.0, 0.25),
            creep: chance.between(0.01, 0.06),
        }
    }

    fn lies(&self, place: [f32; 2]) -> f32 {
        let (grain, blotch) = (self.wave(1, place, 0.32), self.wave(2, place, 1.3));
        let dry = if grain * 0.6 + blotch * 0.4 > 0.62 - self.dry { 0.45 } else { 1.0 };
        (1.0 - self.grain * (grain + 0.3) - self.blotch * (blotch + 0.2)) * dry
    }

    fn creeps(&self, place: [f32; 2]) -> [f32; 2] {
        [3, 4].map(|which| self.wave(which, place, 0.5) * self.creep * 2.0)
    }

    /// Noise from -1 to 1 that changes over so many millimetres.
    fn wave(&self, which: u64, [x, y]: [f32; 2], over: f32) -> f32 {
        let (x, y) = (x / over + 1000.0, y / over + 1000.0);
        let (left, top) = (crate::raster::whole(x.floor()), crate::raster::whole(y.floor()));
        let smooth = |part: f32| part * part * (3.0 - 2.0 * part);
        let (fx, fy) = (smooth(x.fract()), smooth(y.fract()));
        let at = |x: usize, y: usize| {
            let place = (x as u64) << 32 | y as u64;
            let mixed = (self.seed ^ place.wrapping_mul(0x9E37_79B9_7F4A_7C15))
                .wrapping_add(which)
                .wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let mixed = (mixed ^ mixed >> 29).wrapping_mul(0x94D0_49BB_1331_11EB);
            f32::from((mixed >> 48) as u16) / 32_768.0 - 1.0
        };
        let upper = at(left, top) * (1.0 - fx) + at(left + 1, top) * fx;
        let lower = at(left, top + 1) * (1.0 - fx) + at(left + 1, top + 1) * fx;
        upper * (1.0 - fy) + lower * fy
    }
}

/// Dots of a printer, lighter and darker by turns.
struct Screen {
    pitch: f32,
    deep: f32,
}

impl Screen {
    fn at(&self, [x, y]: [f32; 2]) -> f32 {
        let turn = std::f32::consts::TAU / self.pitch;
        let (u, v) = ((x + y) * 0.707, (x - y) * 0.707);
        (u * turn).cos() * (v * turn).cos() * self.deep * 2.0
    }
}
