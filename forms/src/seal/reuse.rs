//! Whether two impressions are one: no hand stamps twice with the same ink in the same places, so that a
//! seal which lies on two forms with one unevenness was copied from one of them, or from a third.

use image::RgbImage;

use super::likeness::{Disc, dark_mask, decode};
use super::red_mask;
use crate::fault::ReadFault;
use crate::raster::{real, whole};

/// From here on two impressions are shown as the same one (docs/reading.md tells how it was chosen).
pub const REUSED: f32 = 0.6;
/// Seals whose characters correlate less are not the same one.
const LEAST_ALIKE: f32 = 0.42;
/// Below so many pixels of common ink nothing is said.
const LEAST_COMMON: usize = 1_500;
/// Unevenness is what is left when the mean of so many pixels around is taken away: a bit more than a millimetre.
const AROUND: usize = 16;

/// An impression that others are compared with, and beside it the specimen of its seal, which tells what of
/// two impressions is the seal's own shape.
pub struct Suspect {
    ink: InkPattern,
    specimen: Seen,
}

impl Suspect {
    /// `None` where the specimen is another seal's.
    pub fn new(ink: InkPattern, specimen: &InkPattern) -> Option<Self> {
        let specimen = ink.seen_in(specimen)?;
        Some(Self { ink, specimen })
    }

    /// The impression itself.
    pub fn ink(&self) -> &InkPattern {
        &self.ink
    }

    /// How much of the unevenness of two impressions is the same: about 0.2 for two that were stamped, up to
    /// 1 for one that is on both papers. `None` where they are of two seals, or have too little in common.
    pub fn sameness(&self, other: &InkPattern) -> Option<f32> {
        common_unevenness(&self.ink, &self.ink.seen_in(other)?, &self.specimen)
    }
}

/// An impression as it lies on its paper.
pub struct InkPattern {
    width: usize,
    height: usize,
    /// How dark the paper is, row by row, 0 to 1.
    dark: Vec<f32>,
    /// The share of seal ink around every pixel, 0 to 1.
    cover: Vec<f32>,
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
        Some(Self { width, height, dark, cover, disc })
    }

    /// Another impression of the same seal as it would lie on the paper of this one; `None` where it is of
    /// another seal, or little is left of it.
    fn seen_in(&self, other: &Self) -> Option<Seen> {
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
            let there = InkPattern::at(&other.dark, other.size(), self.apply(*place));
            (*dark, there.unwrap_or(0.0))
        });
        correlation(seen)
    }

    /// The other impression as it would lie on the paper of the first: darkness and cover.
    fn seen(&self, one: &InkPattern, other: &InkPattern) -> Seen {
        let [dark, cover] = [&other.dark, &other.cover].map(|values| {
            let pixels = (0..one.height).flat_map(|y| (0..one.width).map(move |x| (x, y)));
            let there = |(x, y)| {
                let place = self.apply([real(x) + 0.5, real(y) + 0.5]);
                InkPattern::at(values, other.size(), place).unwrap_or(0.0)
            };
            pixels.map(there).collect()
        });
        Seen { dark, cover }
    }
}

/// An impression on the paper of another one.
struct Seen {
    dark: Vec<f32>,
    cover: Vec<f32>,
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
        let value = one.dark.get(y * one.width + x).copied().unwrap_or(0.0);
        ([real(x) + 0.5, real(y) + 0.5], value)
    };
    all.map(dark).collect()
}

/// What two impressions laid on each other have in common beyond the shape of their seal.
fn common_unevenness(one: &InkPattern, other: &Seen, specimen: &Seen) -> Option<f32> {
    let width = one.width;
    let is_common = |(a, b): (&f32, &f32)| f32::from(u8::from(*a > 0.6 && *b > 0.6));
    let both: Vec<f32> = one.cover.iter().zip(&other.cover).map(is_common).collect();
    let ink = Means::of(&both, width);
    let inside: Vec<usize> = (0..both.len()).filter(|at| is_set(&both, *at)).collect();
    if inside.len() < LEAST_COMMON {
        return None;
    }
    let pick = |values: Vec<f32>| -> Vec<f32> {
        inside.iter().map(|at| values.get(*at).copied().unwrap_or(0.0)).collect()
    };
    let shape = shape(&ink, specimen, width).into_iter().map(pick).collect::<Vec<_>>();
    let bases = orthogonal(shape);
    let rest = |dark: &[f32]| freed(pick(uneven(dark, &both, &ink, width)), &bases);
    Some(correlation(rest(&one.dark).into_iter().zip(rest(&other.dark))).max(0.0))
}

/// What the shape of a seal alone says of darkness: lines are darker in their middle and where they are
/// broad or meet, on every impression; how much so depends on the ink and on the scanner's blur.
fn shape(ink: &Means, specimen: &Seen, width: usize) -> Vec<Vec<f32>> {
    let lines = Means::of(&specimen.dark, width);
    let mut all: Vec<Vec<f32>> = [1, 2, 4].iter().map(|reach| ink.around(*reach)).collect();
    let near: Vec<Vec<f32>> = [0, 1, 2, 4, 8].iter().map(|reach| lines.around(*reach)).collect();
    for (at, one) in near.iter().enumerate() {
        for other in near.iter().skip(at) {
            all.push(one.iter().zip(other).map(|(a, b)| a * b).collect());
        }
    }
    all.extend(near);
    all
}

fn is_set(mask: &[f32], at: usize) -> bool {
    mask.get(at).is_some_and(|value| *value > 0.5)
}

/// Darkness less its mean around, within the common ink.
fn uneven(dark: &[f32], both: &[f32], ink: &Means, width: usize) -> Vec<f32> {
    let inked: Vec<f32> = dark.iter().zip(both).map(|(dark, on)| dark * on).collect();
    let (sum, share) = (Means::of(&inked, width).around(AROUND), ink.around(AROUND));
    let around = sum.iter().zip(&share).map(|(sum, share)| sum / share.max(1e-3));
    dark.iter().zip(around).map(|(dark, around)| dark - around).collect()
}

/// The same space of values, each less what those before tell of it.
fn orthogonal(all: Vec<Vec<f32>>) -> Vec<Vec<f32>> {
    let mut bases: Vec<Vec<f32>> = Vec::new();
    for one in all {
        let whole = centred(one);
        let before = square(&whole);
        let left = bases.iter().fold(whole, |left, base| without(left, base));
        // What is left of a value that the others tell is rounding.
        if square(&left) > before * 1e-4 {
            bases.push(left);
        }
    }
    bases
}

/// Values less what orthogonal ones tell of them.
fn freed(values: Vec<f32>, bases: &[Vec<f32>]) -> Vec<f32> {
    bases.iter().fold(centred(values), |left, base| without(left, base))
}

fn square(values: &[f32]) -> f32 {
    values.iter().map(|value| value * value).sum()
}

fn centred(mut values: Vec<f32>) -> Vec<f32> {
    let mean = values.iter().sum::<f32>() / real(values.len().max(1));
    for value in &mut values {
        *value -= mean;
    }
    values
}

fn without(mut values: Vec<f32>, base: &[f32]) -> Vec<f32> {
    let length = square(base);
    let along: f32 = values.iter().zip(base).map(|(a, b)| a * b).sum();
    let share = along / length.max(1e-6);
    for (value, base) in values.iter_mut().zip(base) {
        *value -= share * base;
    }
    values
}

fn correlation(pairs: impl Iterator<Item = (f32, f32)>) -> f32 {
    let (mut count, mut sums, mut squares, mut both) = (0.0, [0.0; 2], [0.0; 2], 0.0);
    for (one, other) in pairs {
        let pair = [f64::from(one), f64::from(other)];
        count += 1.0;
        both += pair[0] * pair[1];
        for ((sum, square), value) in sums.iter_mut().zip(&mut squares).zip(pair) {
            *sum += value;
            *square += value * value;
        }
    }
    let spreads: f64 =
        sums.iter().zip(&squares).map(|(sum, all)| count * all - sum * sum).product();
    if spreads <= 0.0 {
        return 0.0;
    }
    narrow((count * both - sums[0] * sums[1]) / spreads.sqrt())
}

#[expect(clippy::cast_possible_truncation, reason = "between -1 and 1")]
fn narrow(value: f64) -> f32 {
    value as f32
}

/// Sums above and left of every corner of a pixel, for means of squares.
struct Means {
    sums: Vec<f64>,
    width: usize,
}

impl Means {
    fn of(values: &[f32], width: usize) -> Self {
        let mut sums = vec![0.0; width + 1];
        for line in values.chunks_exact(width.max(1)) {
            let above = sums.len() - width - 1;
            let mut row = 0.0;
            sums.push(0.0);
            for (column, value) in line.iter().enumerate() {
                row += f64::from(*value);
                sums.push(row + sums.get(above + column + 1).copied().unwrap_or(0.0));
            }
        }
        Self { sums, width: width + 1 }
    }

    /// The mean around every pixel, so many pixels to each side.
    fn around(&self, reach: usize) -> Vec<f32> {
        let (width, height) = (self.width - 1, self.sums.len() / self.width - 1);
        let at = |x: usize, y: usize| self.sums.get(y * self.width + x).copied().unwrap_or(0.0);
        let mut means = Vec::with_capacity(width * height);
        for y in 0..height {
            let (top, bottom) = (y.saturating_sub(reach), (y + reach + 1).min(height));
            for x in 0..width {
                let (left, right) = (x.saturating_sub(reach), (x + reach + 1).min(width));
                let sum = at(right, bottom) + at(left, top) - at(left, bottom) - at(right, top);
                let count = real((right - left) * (bottom - top));
                means.push(narrow(sum) / count);
            }
        }
        means
    }
}
