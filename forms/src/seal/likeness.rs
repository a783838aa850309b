//! How alike two impressions are: a figure for advice, never a decision.

use std::io::Cursor;
use std::ops::Range;

use image::{ImageFormat, ImageReader, RgbImage};

use super::{AROUND_MM, CROP_PER_MM, INSIDE_MM, red_mask};
use crate::fault::ReadFault;
use crate::raster::{real, whole};
use crate::scan::brightness;

/// Radius of the compared disc in cells.
const RADIUS: i32 = 40;
/// A crop of a seal box has a few hundred pixels a side.
const MOST_PIXELS: u64 = 4_000_000;

/// Compares the crop of a seal with a specimen, both as PNG: 1 when the ink lies on the same
/// places, about 0 when unrelated. Position, size and a turn of up to fifteen degrees are
/// evened out. The person who compares decides.
///
/// # Errors
/// When a picture cannot be decoded.
pub fn likeness(crop: &[u8], specimen: &[u8]) -> Result<f32, ReadFault> {
    let (first, second) = (Disc::stamped(&decode(crop)?), Disc::registered(&decode(specimen)?));
    let (Some(first), Some(second)) = (first, second) else { return Ok(0.0) };
    Ok(rounded(first.fitted(&second).0))
}

fn rounded(likeness: f32) -> f32 {
    (likeness * 1000.0).round() / 1000.0
}

/// Whether a picture (PNG) shows an impression that others can be compared with.
///
/// # Errors
/// When the picture cannot be decoded.
pub fn is_specimen(picture: &[u8]) -> Result<bool, ReadFault> {
    let disc = Disc::registered(&decode(picture)?);
    Ok(disc.is_some_and(|disc| disc.reach >= LEAST_REACH))
}

/// Half a side of the smallest impression in pixels: 6 mm at 200 dpi.
const LEAST_REACH: f32 = 24.0;

/// Two impressions laid on each other: pictures of one size, the ink's middle in the middle, the
/// first one turned as it fits best.
pub struct Alignment {
    /// As [`likeness`] tells it.
    pub likeness: f32,
    /// By how many degrees the first was turned, clockwise.
    pub degrees: i8,
    /// The form's impression, red on nothing (PNG).
    pub form: Vec<u8>,
    /// The specimen, blue on nothing (PNG).
    pub specimen: Vec<u8>,
    /// Both: red where only the form has ink, blue where only the specimen has, dark where both
    /// have (PNG).
    pub overlay: Vec<u8>,
    /// Only what one of the two lacks (PNG).
    pub difference: Vec<u8>,
}

/// Half a side of an aligned picture in pixels.
const HALF: i32 = 180;
/// A whole side.
const SIDE: u32 = 360;
/// The form's ink, the specimen's, and where both lie: the three differ in brightness too.
const FORM_INK: [u8; 3] = [0xd6, 0x1f, 0x2c];
const SPECIMEN_INK: [u8; 3] = [0x1f, 0x5f, 0xe0];
const BOTH_INK: [u8; 3] = [0x24, 0x0a, 0x2e];

/// Lays the crop of a seal on a specimen, both as PNG; `None` where one of them has no ink.
///
/// # Errors
/// When a picture cannot be decoded or encoded.
pub fn aligned(crop: &[u8], specimen: &[u8]) -> Result<Option<Alignment>, ReadFault> {
    let (first, second) = (Disc::stamped(&decode(crop)?), Disc::registered(&decode(specimen)?));
    let (Some(first), Some(second)) = (first, second) else { return Ok(None) };
    let (best, degrees) = first.fitted(&second);
    let (form, other) = (first.drawn(f32::from(degrees)), second.drawn(0.0));
    let paint = |choose: &dyn Fn(f32, f32) -> ([u8; 3], f32)| {
        let mut picture = image::RgbaImage::new(SIDE, SIDE);
        for ((pixel, a), b) in picture.pixels_mut().zip(&form).zip(&other) {
            let ([red, green, blue], cover) = choose(*a, *b);
            *pixel = image::Rgba([red, green, blue, opacity(cover)]);
        }
        crate::scan::png(&image::DynamicImage::ImageRgba8(picture))
    };
    let apart = |a: f32, b: f32| if a > b { (FORM_INK, a - b) } else { (SPECIMEN_INK, b - a) };
    Ok(Some(Alignment {
        likeness: rounded(best),
        degrees,
        form: paint(&|a, _| (FORM_INK, a))?,
        specimen: paint(&|_, b| (SPECIMEN_INK, b))?,
        overlay: paint(&|a, b| {
            if a.min(b) > 0.5 {
                (BOTH_INK, a.max(b))
            } else if a > b {
                (FORM_INK, a)
            } else {
                (SPECIMEN_INK, b)
            }
        })?,
        difference: paint(&|a, b| {
            let (ink, cover) = apart(a, b);
            (ink, if cover > 0.5 { cover } else { 0.0 })
        })?,
    }))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 255")]
fn opacity(cover: f32) -> u8 {
    (cover.clamp(0.0, 1.0) * 255.0) as u8
}

pub(super) fn decode(bytes: &[u8]) -> Result<RgbImage, ReadFault> {
    let refused = |error: image::ImageError| ReadFault::Picture { reason: error.to_string() };
    let (width, height) = ImageReader::with_format(Cursor::new(bytes), ImageFormat::Png)
        .into_dimensions()
        .map_err(refused)?;
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(ReadFault::TooManyPixels { width, height });
    }
    let picture = image::load_from_memory_with_format(bytes, ImageFormat::Png).map_err(refused)?;
    Ok(picture.into_rgb8())
}

/// The ink of an impression around its own middle.
pub(super) struct Disc {
    /// How much ink lies above and left of each corner of a pixel, so that the ink of any rectangle
    /// is four looks away.
    sums: Vec<u32>,
    /// Corners in a row: one more than pixels.
    width: usize,
    middle: [f32; 2],
    /// The half of the longer side of the ink.
    reach: f32,
}

impl Disc {
    /// The impression on a form. One without colour is looked for well inside its box, where nothing is
    /// printed.
    fn stamped(crop: &RgbImage) -> Option<Self> {
        let margin = whole((AROUND_MM - INSIDE_MM) * CROP_PER_MM);
        Self::of(crop, &red_mask(crop)).or_else(|| Self::of(crop, &dark_mask(crop, margin)))
    }

    /// A registered impression, in colour or without.
    fn registered(picture: &RgbImage) -> Option<Self> {
        Self::of(picture, &red_mask(picture)).or_else(|| Self::of(picture, &dark_mask(picture, 0)))
    }

    pub(super) fn of(picture: &RgbImage, mask: &[bool]) -> Option<Self> {
        let width = picture.width() as usize;
        let ink: Vec<usize> =
            mask.iter().enumerate().filter(|(_, on)| **on).map(|(at, _)| at).collect();
        if ink.len() < 50 {
            return None;
        }
        // The outermost hundredth on each side is smear and dust.
        let bound = |axis: &dyn Fn(usize) -> usize| {
            let mut places: Vec<usize> = ink.iter().map(|at| axis(*at)).collect();
            places.sort_unstable();
            let cut = places.len() / 100;
            let first = places.get(cut).copied().unwrap_or(0);
            let last = places.get(places.len() - 1 - cut).copied().unwrap_or(0);
            (real(first), real(last) + 1.0)
        };
        let (left, right) = bound(&|at| at % width);
        let (top, bottom) = bound(&|at| at / width);
        let middle = [f32::midpoint(left, right), f32::midpoint(top, bottom)];
        let reach = (right - left).max(bottom - top) / 2.0;
        Some(Self { sums: sums(mask, width), width: width + 1, middle, reach })
    }

    pub(super) fn middle(&self) -> [f32; 2] {
        self.middle
    }

    pub(super) fn reach(&self) -> f32 {
        self.reach
    }

    /// How alike two are when this one is turned as it fits best, and by how many degrees that is.
    pub(super) fn fitted(&self, specimen: &Self) -> (f32, i8) {
        let circles = circles();
        let cells = |disc: &Self, degrees: i8| {
            let step = disc.reach / 36.0;
            let mut cells = disc.turned(f32::from(degrees), step, -RADIUS..RADIUS + 1);
            take_rings_away(&mut cells, &circles);
            cells
        };
        let straight = cells(specimen, 0);
        let tried =
            (-15..=15_i8).map(|degrees| (correlation(&cells(self, degrees), &straight), degrees));
        tried.fold((0.0, 0), |best, one| if one.0 > best.0 { one } else { best })
    }

    /// Cover of the pixels of an aligned picture, turned.
    fn drawn(&self, degrees: f32) -> Vec<f32> {
        self.turned(degrees, self.reach / (small(HALF) * 0.92), -HALF..HALF)
    }

    /// Cover of the cells around the middle, each a step wide, turned.
    fn turned(&self, degrees: f32, step: f32, cells: Range<i32>) -> Vec<f32> {
        let (sin, cos) = degrees.to_radians().sin_cos();
        let mut covers = Vec::with_capacity(cells.len() * cells.len());
        for row in cells.clone() {
            for column in cells.clone() {
                let (x, y) = (small(column) * step, small(row) * step);
                let (x, y) = (x * cos - y * sin, x * sin + y * cos);
                covers.push(self.cover(self.middle[0] + x, self.middle[1] + y, step));
            }
        }
        covers
    }

    /// The share of ink in a square of one cell and its half around.
    fn cover(&self, x: f32, y: f32, step: f32) -> f32 {
        let half = step * 0.8;
        let ([left, top], [right, bottom]) = ([x - half, y - half], [x + half, y + half]);
        let ink = self.ink_before(right, bottom) + self.ink_before(left, top)
            - self.ink_before(left, bottom)
            - self.ink_before(right, top);
        (ink / (4.0 * half * half)).clamp(0.0, 1.0)
    }

    /// How much ink lies above and left of a place between the corners.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "kept inside the picture"
    )]
    fn ink_before(&self, x: f32, y: f32) -> f32 {
        let height = self.sums.len() / self.width;
        let (x, y) = (x.clamp(0.0, real(self.width - 1)), y.clamp(0.0, real(height - 1)));
        let (column, row) = (x as usize, y as usize);
        let (right, down) = (x - real(column), y - real(row));
        let at = |column: usize, row: usize| {
            let inside = row.min(height - 1) * self.width + column.min(self.width - 1);
            real(self.sums.get(inside).copied().unwrap_or(0) as usize)
        };
        let above = at(column, row) * (1.0 - right) + at(column + 1, row) * right;
        let below = at(column, row + 1) * (1.0 - right) + at(column + 1, row + 1) * right;
        above * (1.0 - down) + below * down
    }
}

/// Pixels clearly darker than the paper, but for a margin.
pub(super) fn dark_mask(picture: &RgbImage, margin: usize) -> Vec<bool> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let values = brightness(picture).into_raw();
    let mut sorted = values.clone();
    sorted.sort_unstable();
    let paper = sorted.get(sorted.len() * 4 / 5).copied().unwrap_or(0);
    let limit = paper.saturating_sub(60);
    let is_inside = |index: usize| {
        let (x, y) = (index % width.max(1), index / width.max(1));
        x >= margin && y >= margin && x + margin < width && y + margin < height
    };
    let is_ink = |(index, value): (usize, &u8)| *value < limit && is_inside(index);
    values.iter().enumerate().map(is_ink).collect()
}

/// How much ink lies above and left of each corner of a pixel.
fn sums(mask: &[bool], width: usize) -> Vec<u32> {
    let mut sums = vec![0; width + 1];
    for line in mask.chunks_exact(width) {
        let above = sums.len() - width - 1;
        let mut ink = 0;
        sums.push(0);
        for (column, on) in line.iter().enumerate() {
            ink += u32::from(*on);
            sums.push(ink + sums.get(above + column + 1).copied().unwrap_or(0));
        }
    }
    sums
}

/// Cells and pixels of a picture are counted in hundreds.
fn small(cell: i32) -> f32 {
    i16::try_from(cell).map_or(0.0, f32::from)
}

/// Correlation of what is left of two discs.
fn correlation(first: &[f32], second: &[f32]) -> f32 {
    let (mut both, mut one, mut other) = (0.0, 0.0, 0.0);
    for (x, y) in first.iter().zip(second) {
        both += x * y;
        one += x * x;
        other += y * y;
    }
    both / (one * other).sqrt().max(1e-6)
}

/// The circle of every cell of a disc.
fn circles() -> Vec<usize> {
    let cells = -RADIUS..=RADIUS;
    let places = cells.clone().flat_map(|row| cells.clone().map(move |column| (column, row)));
    places.map(|(x, y)| whole(small(x).hypot(small(y)))).collect()
}

/// Takes away the mean of every circle: rings are on all seals, the characters tell them apart.
fn take_rings_away(cells: &mut [f32], circles: &[usize]) {
    let most = circles.iter().max().map_or(0, |circle| circle + 1);
    let mut means = vec![(0.0, 0.0_f32); most];
    for (cell, circle) in cells.iter().zip(circles) {
        if let Some((sum, count)) = means.get_mut(*circle) {
            *sum += cell;
            *count += 1.0;
        }
    }
    for (cell, circle) in cells.iter_mut().zip(circles) {
        let (sum, count) = means.get(*circle).copied().unwrap_or((0.0, 1.0));
        *cell -= sum / count.max(1.0);
    }
}
