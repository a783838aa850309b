//! Geometry between millimetres on paper and pixels in a picture, and small pictures cut out by it.

mod paper;
pub(crate) mod spots;

use image::{GrayImage, Luma, RgbImage};

use crate::form3::BoxMm;
use crate::scan::Colours;

/// A point in millimetres or pixels.
pub(crate) type Place = [f64; 2];

/// A projective map from millimetres on the page to pixels in the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Homography([f64; 9]);

impl Homography {
    /// The map that takes each first point nearest to its second: affine from three pairs on,
    /// projective from four on.
    pub(crate) fn fit(pairs: &[(Place, Place)]) -> Option<Self> {
        if pairs.len() >= 4 { Self::projective(pairs) } else { Self::affine(pairs) }
    }

    /// The map that changes nothing.
    pub(crate) fn identity() -> Self {
        Self([1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0])
    }

    pub(crate) fn affine(pairs: &[(Place, Place)]) -> Option<Self> {
        if pairs.len() < 3 {
            return None;
        }
        let mut x_rows = Vec::new();
        let mut y_rows = Vec::new();
        for ([x, y], [u, v]) in pairs {
            x_rows.push((vec![*x, *y, 1.0], *u));
            y_rows.push((vec![*x, *y, 1.0], *v));
        }
        let (first, second) = (least_squares(&x_rows)?, least_squares(&y_rows)?);
        let all: Vec<f64> = first.into_iter().chain(second).chain([0.0, 0.0, 1.0]).collect();
        Some(Self(all.try_into().ok()?))
    }

    #[expect(clippy::many_single_char_names, reason = "the customary letters of a homography")]
    fn projective(pairs: &[(Place, Place)]) -> Option<Self> {
        // Scaled to a unit page: the equations mix pixels and products of pixels and millimetres.
        let (page, pixels) = (300.0, 3000.0);
        let mut rows = Vec::new();
        for ([x, y], [u, v]) in pairs {
            let (x, y, u, v) = (x / page, y / page, u / pixels, v / pixels);
            rows.push((vec![x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y], u));
            rows.push((vec![0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y], v));
        }
        let solution = least_squares(&rows)?;
        let [a, b, c, d, e, f, g, h]: [f64; 8] = solution.try_into().ok()?;
        Some(Self([
            a * pixels / page,
            b * pixels / page,
            c * pixels,
            d * pixels / page,
            e * pixels / page,
            f * pixels,
            g / page,
            h / page,
            1.0,
        ]))
    }

    #[expect(clippy::many_single_char_names, reason = "the customary letters of a homography")]
    pub(crate) fn apply(&self, [x, y]: Place) -> Place {
        let [a, b, c, d, e, f, g, h, i] = self.0;
        let w = g * x + h * y + i;
        [(a * x + b * y + c) / w, (d * x + e * y + f) / w]
    }

    /// Pixels of one millimetre around the middle of the page.
    pub(crate) fn scale(&self) -> f64 {
        let [x0, y0] = self.apply([105.0, 148.0]);
        let [x1, y1] = self.apply([106.0, 148.0]);
        let [x2, y2] = self.apply([105.0, 149.0]);
        f64::midpoint((x1 - x0).hypot(y1 - y0), (x2 - x0).hypot(y2 - y0))
    }

    /// Degrees clockwise by which the page lies turned in the picture, in −180..=180.
    pub(crate) fn angle(&self) -> f64 {
        let [x0, y0] = self.apply([12.0, 148.0]);
        let [x1, y1] = self.apply([198.0, 148.0]);
        (y1 - y0).atan2(x1 - x0).to_degrees()
    }

    /// Whether the page shows its back through the paper.
    pub(crate) fn mirrored(&self) -> bool {
        let [x0, y0] = self.apply([105.0, 148.0]);
        let [x1, y1] = self.apply([106.0, 148.0]);
        let [x2, y2] = self.apply([105.0, 149.0]);
        (x1 - x0) * (y2 - y0) - (y1 - y0) * (x2 - x0) < 0.0
    }
}

/// Solves by the normal equations with Gaussian elimination; none when they are singular.
fn least_squares(rows: &[(Vec<f64>, f64)]) -> Option<Vec<f64>> {
    let n = rows.first()?.0.len();
    let mut table = vec![vec![0.0; n + 1]; n];
    for (row, value) in rows {
        for (line, left) in table.iter_mut().zip(row) {
            for (cell, right) in line.iter_mut().zip(row.iter().chain(std::iter::once(value))) {
                *cell += left * right;
            }
        }
    }
    eliminate(&mut table)?;
    Some(table.iter().filter_map(|line| line.last().copied()).collect())
}

fn eliminate(table: &mut [Vec<f64>]) -> Option<()> {
    for column in 0..table.len() {
        let magnitude = |line: &[f64]| line.get(column).copied().unwrap_or(0.0).abs();
        let (best, _) = table
            .iter()
            .enumerate()
            .skip(column)
            .max_by(|(_, a), (_, b)| magnitude(a).total_cmp(&magnitude(b)))?;
        table.swap(column, best);
        let pivot = table.get(column)?.clone();
        let head = *pivot.get(column)?;
        if head.abs() < 1e-12 {
            return None;
        }
        let pivot: Vec<f64> = pivot.iter().map(|value| value / head).collect();
        for (index, line) in table.iter_mut().enumerate() {
            let factor = if index == column { 0.0 } else { *line.get(column)? };
            line.iter_mut().zip(&pivot).for_each(|(cell, p)| *cell -= factor * p);
        }
        *table.get_mut(column)? = pivot;
    }
    Some(())
}

/// A small upright grey picture of a part of the page, with its resolution.
#[derive(Clone, Debug)]
pub(crate) struct Patch {
    pub(crate) area: BoxMm,
    pub(crate) per_mm: f32,
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) values: Vec<u8>,
}

impl Patch {
    pub(crate) fn row(&self, y: usize) -> &[u8] {
        self.values.get(y * self.width..(y + 1) * self.width).unwrap_or_default()
    }

    /// The value below which the given share of the pixels lies.
    pub(crate) fn percentile(&self, share: f32) -> u8 {
        let mut counts = [0_u32; 256];
        for value in &self.values {
            if let Some(count) = counts.get_mut(usize::from(*value)) {
                *count += 1;
            }
        }
        let wanted = real(self.values.len()) * share;
        let mut seen = 0.0;
        for (value, count) in (0_u8..=255).zip(counts) {
            seen += real_u32(count);
            if seen >= wanted {
                return value;
            }
        }
        255
    }

    /// The part of the patch inside an area of the page, as pixel bounds.
    pub(crate) fn window(&self, area: BoxMm) -> Window {
        let x = |mm: f32| clamp((mm - self.area.x) * self.per_mm, self.width);
        let y = |mm: f32| clamp((mm - self.area.y) * self.per_mm, self.height);
        Window { left: x(area.x), top: y(area.y), right: x(area.right()), bottom: y(area.bottom()) }
    }

    /// The values inside a window, row by row.
    pub(crate) fn inside(&self, window: Window) -> impl Iterator<Item = u8> + '_ {
        (window.top..window.bottom)
            .flat_map(move |y| self.row(y).get(window.left..window.right).unwrap_or_default())
            .copied()
    }
}

/// A rectangle of pixels, right and bottom excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) left: usize,
    pub(crate) top: usize,
    pub(crate) right: usize,
    pub(crate) bottom: usize,
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the size")]
fn clamp(position: f32, size: usize) -> usize {
    (position.round().max(0.0) as usize).min(size)
}

/// Counts of pixels fit a float closely enough.
#[expect(clippy::cast_precision_loss, reason = "shares of pixels need no more than 24 bits")]
pub(crate) fn real(count: usize) -> f32 {
    count as f32
}

#[expect(clippy::cast_precision_loss, reason = "shares of pixels need no more than 24 bits")]
pub(crate) fn real_u32(count: u32) -> f32 {
    count as f32
}

/// Sizes of patches are bounded by the page, so that rounding up stays small.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a few thousand at most"
)]
pub(crate) fn whole(value: f32) -> usize {
    value.max(0.0).ceil() as usize
}

/// Cuts an area out of the picture, upright, at so many pixels a millimetre.
pub(crate) fn patch(picture: &GrayImage, map: &Homography, area: BoxMm, per_mm: f32) -> Patch {
    let (width, height) = (whole(area.w * per_mm).max(1), whole(area.h * per_mm).max(1));
    let mut values = Vec::with_capacity(width * height);
    let sampler = Sampler::new(picture);
    each_row(map, area, per_mm, width, height, |begin, step| {
        values.extend(sampler.row(begin, step, width));
    });
    Patch { area, per_mm, width, height, values }
}

/// The same in colour.
pub(crate) fn colour_patch(
    colours: Colours<'_>,
    map: &Homography,
    area: BoxMm,
    per_mm: f32,
) -> RgbImage {
    let (width, height) = (whole(area.w * per_mm).max(1), whole(area.h * per_mm).max(1));
    let mut values = Vec::with_capacity(width * height * 3);
    each_row(map, area, per_mm, width, height, |mut at, step| {
        for _ in 0..width {
            values.extend(nearest(colours, at));
            at = [at[0] + step[0], at[1] + step[1]];
        }
    });
    let (width, height) = (u32::try_from(width).unwrap_or(1), u32::try_from(height).unwrap_or(1));
    RgbImage::from_raw(width, height, values).unwrap_or_default()
}

/// Where every row of a patch begins in the picture, and how far it is from pixel to pixel: projected once
/// a row, for over a few centimetres the perspective of a scan is a straight line.
fn each_row(
    map: &Homography,
    area: BoxMm,
    per_mm: f32,
    width: usize,
    height: usize,
    mut each: impl FnMut(Place, Place),
) {
    let step = 1.0 / f64::from(per_mm);
    for row in 0..height {
        let y = f64::from(area.y) + (f64::from(real(row)) + 0.5) * step;
        let left = map.apply([f64::from(area.x) + 0.5 * step, y]);
        let span = f64::from(real(width.max(2) - 1));
        let right = map.apply([f64::from(area.x) + (0.5 + span) * step, y]);
        each(left, [(right[0] - left[0]) / span, (right[1] - left[1]) / span]);
    }
}

/// Bilinear sampling; outside is paper.
struct Sampler<'p> {
    values: &'p [u8],
    width: usize,
    height: usize,
}

/// Parts of a pixel in which places are counted along a row.
const PARTS: u32 = 16;

impl<'p> Sampler<'p> {
    fn new(picture: &'p GrayImage) -> Self {
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        Self { values: picture.as_raw(), width, height }
    }

    /// So many pixels from a place on; in whole numbers, for that is where most of the time goes.
    fn row(&self, [x, y]: Place, [dx, dy]: Place, count: usize) -> impl Iterator<Item = u8> {
        // Pixel centres lie at halves.
        let (mut x, mut y) = (parts(x - 0.5), parts(y - 0.5));
        let (dx, dy) = (parts(dx), parts(dy));
        (0..count).map(move |_| {
            let value = self.at(x, y);
            (x, y) = (x.wrapping_add(dx), y.wrapping_add(dy));
            value
        })
    }

    #[inline]
    fn at(&self, x: i64, y: i64) -> u8 {
        let (Ok(left), Ok(top)) = (usize::try_from(x >> PARTS), usize::try_from(y >> PARTS)) else {
            return 255;
        };
        if left + 1 >= self.width || top + 1 >= self.height {
            return 255;
        }
        let (fx, fy) = (share(x), share(y));
        let first = top * self.width + left;
        let pair = |at: usize| match self.values.get(at..at + 2) {
            Some([a, b]) => u32::from(*a) * (256 - fx) + u32::from(*b) * fx,
            _ => 255 * 256,
        };
        let value = pair(first) * (256 - fy) + pair(first + self.width) * fy;
        u8::try_from(value >> 16).unwrap_or(u8::MAX)
    }
}

/// A place, or none: saturated, which lies outside of every picture.
#[expect(clippy::cast_possible_truncation, reason = "casts of floats saturate")]
fn parts(pixels: f64) -> i64 {
    (pixels * f64::from(1_u32 << PARTS)).clamp(-1e15, 1e15) as i64
}

/// How far it is to the next pixel, in parts of 256.
fn share(at: i64) -> u32 {
    u32::try_from(at >> (PARTS - 8) & 255).unwrap_or(0)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "range checked first")]
fn nearest(colours: Colours<'_>, [x, y]: Place) -> [u8; 3] {
    let inside = x >= 0.0 && y >= 0.0;
    inside.then(|| colours.at(x as u32, y as u32)).flatten().unwrap_or([255; 3])
}

/// Reduced by whole pixels, each the mean of a square; answers the factor too.
pub(crate) fn reduced(picture: &GrayImage, longest: u32) -> (GrayImage, u32) {
    let side = picture.width().max(picture.height());
    let factor = side.div_ceil(longest).max(1);
    if factor == 1 {
        return (picture.clone(), 1);
    }
    let (width, height) = (picture.width() / factor, picture.height() / factor);
    let stride = picture.width() as usize;
    let (wide, step) = (width as usize, factor as usize);
    let mut values = Vec::with_capacity(wide * height as usize);
    // Columns first: whole rows are added at once. No picture is wide enough for sums of more bits.
    let mut columns = vec![0_u16; wide * step];
    let area = factor * factor;
    for rows in picture.as_raw().chunks_exact(stride * step).take(height as usize) {
        columns.fill(0);
        for row in rows.chunks_exact(stride) {
            columns.iter_mut().zip(row).for_each(|(sum, value)| *sum += u16::from(*value));
        }
        let squares = columns.chunks_exact(step);
        values.extend(squares.map(|square| {
            let sum: u32 = square.iter().map(|sum| u32::from(*sum)).sum();
            u8::try_from(sum / area).unwrap_or(u8::MAX)
        }));
    }
    let small = GrayImage::from_raw(width, height, values);
    (small.unwrap_or_else(|| GrayImage::from_pixel(1, 1, Luma([255]))), factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fit_takes_the_points_to_their_places() {
        let pairs = [
            ([12.0, 12.0], [100.0, 120.0]),
            ([198.0, 12.0], [2300.0, 160.0]),
            ([198.0, 285.0], [2260.0, 3390.0]),
            ([12.0, 285.0], [60.0, 3340.0]),
        ];
        for count in [3, 4] {
            let map = Homography::fit(&pairs[..count]).unwrap();
            for (from, to) in &pairs[..count] {
                let [x, y] = map.apply(*from);
                assert!((x - to[0]).hypot(y - to[1]) < 0.01, "{count}: {from:?} {x} {y}");
            }
            assert!(!map.mirrored());
        }
        assert!(Homography::fit(&pairs[..2]).is_none());
    }

    #[test]
    fn reducing_takes_means() {
        let picture = GrayImage::from_fn(4, 4, |x, _| Luma([if x < 2 { 0 } else { 200 }]));
        let (small, factor) = reduced(&picture, 2);
        assert_eq!((small.as_raw().as_slice(), factor), ([0, 200, 0, 200].as_slice(), 2));
    }
}
