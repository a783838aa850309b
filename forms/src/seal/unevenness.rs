//! How unevenly ink lies: what is left of its darkness when the shape of the seal is taken away.

use crate::raster::real;

/// Below so many pixels of common ink nothing is said.
const LEAST_COMMON: usize = 1_500;
/// Unevenness is what is left when the mean of so many pixels around is taken away: a bit more than a millimetre.
const AROUND: usize = 16;

/// An impression on some paper: how dark it is, and the share of seal ink around every pixel, 0 to 1.
pub(super) struct Inked {
    pub(super) dark: Vec<f32>,
    pub(super) cover: Vec<f32>,
}

/// The lines of a seal as its specimen shows them: how dark it is within ever larger squares.
pub(super) struct Lines(Vec<Vec<f32>>);

impl Lines {
    pub(super) fn of(dark: &[f32], width: usize) -> Self {
        let lines = Means::of(dark, width);
        Self([0, 1, 2, 4, 8].iter().map(|reach| lines.around(*reach)).collect())
    }
}

/// What two impressions laid on each other have in common beyond the shape of their seal.
pub(super) fn common(one: &Inked, other: &Inked, lines: &Lines, width: usize) -> Option<f32> {
    let is_common = |(a, b): (&f32, &f32)| f32::from(u8::from(*a > 0.6 && *b > 0.6));
    let both: Vec<f32> = one.cover.iter().zip(&other.cover).map(is_common).collect();
    let inside: Vec<usize> = (0..both.len()).filter(|at| is_set(&both, *at)).collect();
    if inside.len() < LEAST_COMMON {
        return None;
    }
    let pick = |values: &[f32]| -> Vec<f32> {
        inside.iter().map(|at| values.get(*at).copied().unwrap_or(0.0)).collect()
    };
    let ink = Means::of(&both, width);
    let near: Vec<Vec<f32>> = lines.0.iter().map(|values| pick(values)).collect();
    let within = [1, 2, 4].map(|reach| pick(&ink.around(reach)));
    let bases = orthogonal(within.into_iter().chain(shape(near)));
    let share = ink.around(AROUND);
    let rest = |dark: &[f32]| freed(pick(&uneven(dark, &both, &share, width)), &bases);
    Some(correlation(rest(&one.dark).into_iter().zip(rest(&other.dark))).max(0.0))
}

/// What the shape of a seal alone says of darkness: lines are darker in their middle and where they are
/// broad or meet, on every impression; how much so depends on the ink and on the scanner's blur.
fn shape(near: Vec<Vec<f32>>) -> Vec<Vec<f32>> {
    let mut all: Vec<Vec<f32>> = Vec::new();
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
fn uneven(dark: &[f32], both: &[f32], share: &[f32], width: usize) -> Vec<f32> {
    let inked: Vec<f32> = dark.iter().zip(both).map(|(dark, on)| dark * on).collect();
    let sum = Means::of(&inked, width).around(AROUND);
    let around = sum.iter().zip(share).map(|(sum, share)| sum / share.max(1e-3));
    dark.iter().zip(around).map(|(dark, around)| dark - around).collect()
}

/// The same space of values, each less what those before tell of it.
fn orthogonal(all: impl IntoIterator<Item = Vec<f32>>) -> Vec<Vec<f32>> {
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

pub(super) fn correlation(pairs: impl Iterator<Item = (f32, f32)>) -> f32 {
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
pub(super) struct Means {
    sums: Vec<f64>,
    width: usize,
}

impl Means {
    pub(super) fn of(values: &[f32], width: usize) -> Self {
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
    pub(super) fn around(&self, reach: usize) -> Vec<f32> {
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
