//! How alike two impressions are: a figure for advice, never a decision.

use std::io::Cursor;

use image::{ImageFormat, ImageReader, RgbImage};

use super::red_mask;
use crate::fault::ReadFault;
use crate::raster::real;

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
    let (first, second) = (Disc::of(&decode(crop)?), Disc::of(&decode(specimen)?));
    let (Some(first), Some(second)) = (first, second) else { return Ok(0.0) };
    let straight = second.turned(0.0);
    let best = (-15..=15_i8)
        .map(|degrees| correlation(&first.turned(f32::from(degrees).to_radians()), &straight))
        .fold(0.0, f32::max);
    Ok((best * 1000.0).round() / 1000.0)
}

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
    let (first, second) = (Disc::of(&decode(crop)?), Disc::of(&decode(specimen)?));
    let (Some(first), Some(second)) = (first, second) else { return Ok(None) };
    let straight = second.turned(0.0);
    let tried = (-15..=15_i8).map(|degrees| {
        (correlation(&first.turned(f32::from(degrees).to_radians()), &straight), degrees)
    });
    let (best, degrees) = tried.fold((0.0, 0), |best, one| if one.0 > best.0 { one } else { best });
    let (form, other) = (first.drawn(f32::from(degrees).to_radians()), second.drawn(0.0));
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
        likeness: (best * 1000.0).round() / 1000.0,
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

fn decode(bytes: &[u8]) -> Result<RgbImage, ReadFault> {
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
struct Disc {
    mask: Vec<bool>,
    width: usize,
    middle: [f32; 2],
    /// The half of the longer side of the ink.
    reach: f32,
}

impl Disc {
    fn of(picture: &RgbImage) -> Option<Self> {
        let width = picture.width() as usize;
        let mask = red_mask(picture);
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
        Some(Self { mask, width, middle, reach: (right - left).max(bottom - top) / 2.0 })
    }

    /// Cover of the cells of a disc, turned.
    fn turned(&self, angle: f32) -> Vec<f32> {
        let (sin, cos) = angle.sin_cos();
        let step = self.reach / 36.0;
        let mut cells = Vec::new();
        for row in -RADIUS..=RADIUS {
            for column in -RADIUS..=RADIUS {
                let (x, y) = (f64_to_f32(column), f64_to_f32(row));
                let (x, y) = (x * cos - y * sin, x * sin + y * cos);
                cells.push(self.cover(self.middle[0] + x * step, self.middle[1] + y * step, step));
            }
        }
        cells
    }

    /// Cover of the pixels of an aligned picture, turned.
    fn drawn(&self, angle: f32) -> Vec<f32> {
        let (sin, cos) = angle.sin_cos();
        let step = self.reach / (f64_to_f32(HALF) * 0.92);
        let mut pixels = Vec::new();
        for row in -HALF..HALF {
            for column in -HALF..HALF {
                let (x, y) = (f64_to_f32(column), f64_to_f32(row));
                let (x, y) = (x * cos - y * sin, x * sin + y * cos);
                pixels.push(self.cover(self.middle[0] + x * step, self.middle[1] + y * step, step));
            }
        }
        pixels
    }

    /// The share of ink in a square of one cell and its half around.
    fn cover(&self, x: f32, y: f32, step: f32) -> f32 {
        let offsets = [-0.6, -0.2, 0.2, 0.6];
        let mut ink = 0_u8;
        for dy in offsets {
            for dx in offsets {
                ink += u8::from(self.on(x + dx * step, y + dy * step));
            }
        }
        f32::from(ink) / 16.0
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be inside"
    )]
    fn on(&self, x: f32, y: f32) -> bool {
        let inside = x >= 0.0 && y >= 0.0 && x < real(self.width);
        inside && self.mask.get(y as usize * self.width + x as usize) == Some(&true)
    }
}

/// Cells of a disc are counted in dozens.
fn f64_to_f32(cell: i32) -> f32 {
    i16::try_from(cell).map_or(0.0, f32::from)
}

/// Correlation after the mean of every circle was taken away: rings are on all seals, the
/// characters tell them apart.
fn correlation(first: &[f32], second: &[f32]) -> f32 {
    let (a, b) = (without_rings(first), without_rings(second));
    let (mut both, mut one, mut other) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(&b) {
        both += x * y;
        one += x * x;
        other += y * y;
    }
    both / (one * other).sqrt().max(1e-6)
}

fn without_rings(cells: &[f32]) -> Vec<f32> {
    let side = usize::try_from(2 * RADIUS + 1).unwrap_or(1);
    let middle = real(side / 2);
    let circle = |index: usize| {
        let (x, y) = (real(index % side) - middle, real(index / side) - middle);
        crate::raster::whole(x.hypot(y))
    };
    let mut sums = vec![(0.0, 0.0); side * 2];
    for (index, cell) in cells.iter().enumerate() {
        if let Some((sum, count)) = sums.get_mut(circle(index)) {
            *sum += cell;
            *count += 1.0;
        }
    }
    let mean =
        |index| sums.get(circle(index)).map_or(0.0, |(sum, count)| sum / f32::max(*count, 1.0));
    cells.iter().enumerate().map(|(index, cell)| cell - mean(index)).collect()
}
