//! Whether two impressions are one: no hand stamps twice with the same ink in the same places, so that a
//! seal which lies on two forms with one unevenness was copied from one of them, or from a third.

use image::RgbImage;

use super::likeness::{Disc, dark_mask, decode};
use super::red_mask;
use super::unevenness::{self, Inked, Lines, Means, correlation};
use crate::fault::ReadFault;
use crate::raster::{real, whole};

/// From here on two impressions are shown as the same one (docs/reading.md tells how it was chosen).
pub const REUSED: f32 = 0.6;
/// Seals whose characters correlate less are not the same one.
const LEAST_ALIKE: f32 = 0.42;
/// An impression that others are compared with, and beside it the specimen of its seal, which tells what of
/// two impressions is the seal's own shape.
pub struct Suspect {
    ink: InkPattern,
    lines: Lines,
}

impl Suspect {
    /// `None` where the specimen is another seal's.
    pub fn new(ink: InkPattern, specimen: &InkPattern) -> Option<Self> {
        let lines = Lines::of(&ink.seen_in(specimen)?.dark, ink.width);
        Some(Self { ink, lines })
    }

    /// The impression itself.
    pub fn ink(&self) -> &InkPattern {
        &self.ink
    }

    /// How much of the unevenness of two impressions is the same: about 0.2 for two that were stamped, up to
    /// 1 for one that is on both papers. `None` where they are of two seals, or have too little in common.
    pub fn sameness(&self, other: &InkPattern) -> Option<f32> {
        let other = self.ink.seen_in(other)?;
        unevenness::common(&self.ink.inked, &other, &self.lines, self.ink.width)
    }
}

/// An impression as it lies on its paper.
pub struct InkPattern {
    width: usize,
    height: usize,
    inked: Inked,
    disc: Disc,
}

impl InkPattern {
    /// Takes the ink out of the crop of a seal box (PNG); `None` where there is none of its colour: what a
    /// scanner without colour keeps of the ink says too little.
    ///
    /// # Errors
    /// When the picture cannot be decoded.
    pub fn of(crop: &[u8]) -> Result<Option<Self>, ReadFault> {
        let picture = decode(crop)?;
        Ok(Self::under(&picture, &red_mask(&picture)))
    }

    /// The same of a registered specimen, which may have no colour: only its shape counts.
    ///
    /// # Errors
    /// When the picture cannot be decoded.
    pub fn registered(picture: &[u8]) -> Result<Option<Self>, ReadFault> {
        let picture = decode(picture)?;
        let coloured = Self::under(&picture, &red_mask(&picture));
        Ok(coloured.or_else(|| Self::under(&picture, &dark_mask(&picture, 0))))
    }

    fn under(picture: &RgbImage, mask: &[bool]) -> Option<Self> {
        let disc = Disc::of(picture, mask)?;
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let ink: Vec<f32> = mask.iter().map(|on| f32::from(u8::from(*on))).collect();
        let cover = Means::of(&ink, width).around(1);
        // A scanner's noise is finer than ink.
        let dark = Means::of(&darkness(picture), width).around(1);
        Some(Self { width, height, inked: Inked { dark, cover }, disc })
    }

    /// Another impression of the same seal as it would lie on the paper of this one; `None` where it is of
    /// another seal, or little is left of it.
    fn seen_in(&self, other: &Self) -> Option<Inked> {
        let (alike, degrees) = other.disc.fitted(&self.disc);
        if alike < LEAST_ALIKE {
            return None;
        }
        Some(Laid::start(self, other, f32::from(degrees)).refined(self, other).seen(self, other))
    }

    fn at(values: &[f32], [width, height]: [usize; 2], [x, y]: [f32; 2]) -> Option<f32> {
        let (x, y) = (x - 0.5, y - 0.5);
        if !(x >= 0.0 && y >= 0.0 && x + 1.0 < real(width) && y + 1.0 < real(height)) {
            return None;
        }
        let (left, top) = (floor(x), floor(y));
        let (fx, fy) = (x.fract(), y.fract());
        let row = |row: usize| {
            let pair = values.get(row * width + left..)?.first_chunk::<2>()?;
            Some(pair[0] * (1.0 - fx) + pair[1] * fx)
        };
        Some(row(top)? * (1.0 - fy) + row(top + 1)? * fy)
    }

    fn size(&self) -> [usize; 2] {
        [self.width, self.height]
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "inside a picture")]
fn floor(value: f32) -> usize {
    value as usize
}

/// Green tells seal ink from paper best, and JPEG keeps it finer than colour.
fn darkness(picture: &RgbImage) -> Vec<f32> {
    let green = picture.as_raw().chunks_exact(3).map(|pixel| match pixel {
        [_, green, _] => 1.0 - f32::from(*green) / 255.0,
        _ => 0.0,
    });
    green.collect()
}

/// Where each pixel of one impression lies on the other: the two middles, and an affine map between.
#[derive(Clone, Copy)]
struct Laid {
    from: [f32; 2],
    to: [f32; 2],
    map: [f32; 4],
}

impl Laid {
    fn start(one: &InkPattern, other: &InkPattern, degrees: f32) -> Self {
        let (sin, cos) = degrees.to_radians().sin_cos();
        let scale = other.disc.reach() / one.disc.reach();
        let map = [cos * scale, -sin * scale, sin * scale, cos * scale];
        Self { from: one.disc.middle(), to: other.disc.middle(), map }
    }

    fn apply(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        let (x, y) = (x - self.from[0], y - self.from[1]);
        let map = self.map;
        [self.to[0] + map[0] * x + map[1] * y, self.to[1] + map[2] * x + map[3] * y]
    }

    /// Moved, turned, stretched in ever smaller steps as long as the ink lies better on the ink.
    fn refined(mut self, one: &InkPattern, other: &InkPattern) -> Self {
        let places = places(one);
        let reach = one.disc.reach();
        let mut best = self.fit(other, &places);
        for step in [3.0, 1.5, 0.7, 0.35, 0.15] {
            for _ in 0..3 {
                let before = best;
                for change in CHANGES {
                    for way in [step, -step] {
                        let tried = self.changed(&change, way, reach);
                        let fit = tried.fit(other, &places);
                        if fit > best {
                            (self, best) = (tried, fit);
                        }
                    }
                }
                if best <= before {
                    break;
                }
            }
        }
        self
    }

    /// One change by so many pixels at the edge of the impression.
    fn changed(mut self, [x, y, map @ ..]: &[f32; 6], way: f32, reach: f32) -> Self {
        self.to = [self.to[0] + x * way, self.to[1] + y * way];
        for (value, change) in self.map.iter_mut().zip(map) {
            *value += change * way / reach;
        }
        self
    }

    /// Correlation of darkness at those places.
    fn fit(&self, other: &InkPattern, places: &[([f32; 2], f32)]) -> f32 {
        let seen = places.iter().map(|(place, dark)| {
            let there = InkPattern::at(&other.inked.dark, other.size(), self.apply(*place));
            (*dark, there.unwrap_or(0.0))
        });
        correlation(seen)
    }

    /// The other impression as it would lie on the paper of the first: darkness and cover.
    fn seen(&self, one: &InkPattern, other: &InkPattern) -> Inked {
        let [dark, cover] = [&other.inked.dark, &other.inked.cover].map(|values| {
            let pixels = (0..one.height).flat_map(|y| (0..one.width).map(move |x| (x, y)));
            let there = |(x, y)| {
                let place = self.apply([real(x) + 0.5, real(y) + 0.5]);
                InkPattern::at(values, other.size(), place).unwrap_or(0.0)
            };
            pixels.map(there).collect()
        });
        Inked { dark, cover }
    }
}

/// Across, down, turned, larger, wider, sheared.
const CHANGES: [[f32; 6]; 6] = [
    [1.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [0.0, 1.0, 0.0, 0.0, 0.0, 0.0],
    [0.0, 0.0, 0.0, -1.0, 1.0, 0.0],
    [0.0, 0.0, 1.0, 0.0, 0.0, 1.0],
    [0.0, 0.0, 1.0, 0.0, 0.0, -1.0],
    [0.0, 0.0, 0.0, 1.0, 1.0, 0.0],
];

/// Every second pixel of every second row within the impression, with its darkness.
fn places(one: &InkPattern) -> Vec<([f32; 2], f32)> {
    let [x, y] = one.disc.middle();
    let reach = one.disc.reach() * 1.05;
    let range = |middle: f32, most: usize| {
        whole((middle - reach).max(0.0))..whole(middle + reach).min(most)
    };
    let (columns, rows) = (range(x, one.width), range(y, one.height));
    let all = rows.step_by(2).flat_map(|y| columns.clone().step_by(2).map(move |x| (x, y)));
    let dark = |(x, y): (usize, usize)| {
        let value = one.inked.dark.get(y * one.width + x).copied().unwrap_or(0.0);
        ([real(x) + 0.5, real(y) + 0.5], value)
    };
    all.map(dark).collect()
}
