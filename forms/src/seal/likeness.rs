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
