//! Paper as it comes back in the post: printed pages stamped, ticked, skewed, blurred, made noisy
//! and scanned. Everything follows from a seed; for tests and demonstrations.

mod cells;
mod chance;
mod copied;
mod corrections;
mod file;
mod hand;
mod ink;
mod journey;
mod people;
mod set;
mod stamp;

pub use cells::{CellWear, Content, read_cell, worn_cell};
pub use chance::Chance;
pub use copied::Copied;
pub use file::{Carrier, encode};
pub use hand::{Pen, Writer};
pub use ink::Written;
pub use journey::{Arrived, Severity};
pub use people::Tick;
pub use set::{Hands, Truth, filled};

use image::{Rgb, RgbImage};

use crate::fault::ReadFault;
use crate::form3::BoxMm;
use crate::raster::Place;
use crate::scan::{Depth, Limits, render_pages};
use crate::seal::blend;

/// A printed page on which people write and stamp.
#[derive(Clone, Debug)]
pub struct PaperSheet {
    picture: RgbImage,
    per_mm: f32,
}

/// How a sheet lies in the scanner and what the scanner does to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wear {
    /// Quarter turns clockwise.
    pub quarter_turns: u8,
    /// Degrees clockwise on top.
    pub skew: f32,
    /// Radius of the blur in millimetres.
    pub blur_mm: f32,
    /// Standard deviation of the noise, of 255.
    pub noise: f32,
    /// What the scanner keeps of colour.
    pub depth: Depth,
    /// Where the noise comes from.
    pub seed: u64,
}

impl Default for Wear {
    fn default() -> Self {
        Self {
            quarter_turns: 0,
            skew: 0.0,
            blur_mm: 0.05,
            noise: 4.0,
            depth: Depth::Colour,
            seed: 1,
        }
    }
}

impl PaperSheet {
    /// Prints a PDF at that resolution.
    ///
    /// # Errors
    /// When the PDF cannot be rendered.
    pub fn print(pdf: &[u8], dpi: f32) -> Result<Vec<Self>, ReadFault> {
        let pages = render_pages(pdf, dpi, &Limits::default())?;
        Ok(pages.into_iter().map(|picture| Self { picture, per_mm: dpi / 25.4 }).collect())
    }

    /// The resolution in dots an inch.
    pub fn dpi(&self) -> f32 {
        self.per_mm * 25.4
    }

    /// A tick by ball pen: two strokes that are never quite the same.
    pub fn tick(&mut self, area: BoxMm, seed: u64) {
        let mut chance = Chance::new(seed);
        let mut at = |x: f32, y: f32| {
            [
                area.x + area.w * (x + chance.gauss() * 0.05),
                area.y + area.h * (y + chance.gauss() * 0.05),
            ]
        };
        let (start, turn, end) = (at(0.15, 0.5), at(0.42, 0.85), at(0.95, 0.05));
        self.stroke(start, turn, 0.45);
        self.stroke(turn, end, 0.45);
    }

    /// A straight stroke of dark blue ink.
    pub fn stroke(&mut self, from: [f32; 2], to: [f32; 2], width_mm: f32) {
        const BALL_PEN: [u8; 3] = [28, 36, 96];
        let per_mm = self.per_mm;
        let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
        let length = (dx * dx + dy * dy).max(1e-6);
        let corner = [from[0].min(to[0]), from[1].min(to[1])];
        let near = BoxMm::new(corner[0], corner[1], dx.abs(), dy.abs()).grown(width_mm + 1.0);
        for (x, y, pixel) in near_pixels(&mut self.picture, near, per_mm) {
            let place = [narrow(f64::from(x) + 0.5) / per_mm, narrow(f64::from(y) + 0.5) / per_mm];
            let along = ((place[0] - from[0]) * dx + (place[1] - from[1]) * dy) / length;
            let along = along.clamp(0.0, 1.0);
            let off = (place[0] - from[0] - along * dx).hypot(place[1] - from[1] - along * dy);
            let cover = ((width_mm / 2.0 - off) * per_mm + 0.5).clamp(0.0, 0.95);
            if cover > 0.0 {
                for (value, ink) in pixel.0.iter_mut().zip(BALL_PEN) {
                    *value = blend(*value, ink, cover);
                }
            }
        }
    }

    /// The picture that the scanner sees.
    pub fn scan(&self, wear: &Wear) -> RgbImage {
        let blurred = blurred(&self.picture, wear.blur_mm * self.per_mm);
        let skewed = skewed(&blurred, wear.skew);
        let mut turned = match wear.quarter_turns % 4 {
            1 => image::imageops::rotate90(&skewed),
            2 => image::imageops::rotate180(&skewed),
            3 => image::imageops::rotate270(&skewed),
            _ => skewed,
        };
        let mut chance = Chance::new(wear.seed);
        for pixel in turned.pixels_mut() {
            let common = chance.gauss() * wear.noise;
            for value in &mut pixel.0 {
                *value = byte(
                    f32::from(*value) * 0.97 + 4.0 + common + chance.gauss() * wear.noise * 0.4,
                );
            }
            if wear.depth != Depth::Colour {
                let [r, g, b] = pixel.0.map(f32::from);
                let grey = r * 0.3 + g * 0.59 + b * 0.11;
                let two = if grey < 150.0 { 0.0 } else { 255.0 };
                *pixel = Rgb([byte(if wear.depth == Depth::Bilevel { two } else { grey }); 3]);
            }
        }
        turned
    }
}

/// The pixels of an area given in millimetres, with their coordinates.
fn near_pixels(
    picture: &mut RgbImage,
    area: BoxMm,
    per_mm: f32,
) -> impl Iterator<Item = (u32, u32, &mut Rgb<u8>)> {
    let bound = |mm: f32| u32::from(dots((mm * per_mm).max(0.0)));
    let (columns, rows) = (bound(area.x)..bound(area.right()), bound(area.y)..bound(area.bottom()));
    let wide = picture.width();
    let (left, right) = (columns.start.min(wide), columns.end.min(wide));
    picture
        .enumerate_rows_mut()
        .skip(rows.start as usize)
        .take(rows.len())
        .flat_map(move |(_, row)| row.skip(left as usize).take((right - left) as usize))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few hundred dots")]
fn dots(dpi: f32) -> u16 {
    dpi.round() as u16
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a byte")]
fn byte(value: f32) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

#[expect(clippy::cast_possible_truncation, reason = "positions on a page")]
fn narrow(value: f64) -> f32 {
    value as f32
}

/// Two passes of a box filter each way come close enough to a lens.
fn blurred(picture: &RgbImage, radius: f32) -> RgbImage {
    let share = radius.clamp(0.0, 3.0);
    if share < 0.1 {
        return picture.clone();
    }
    let once = smeared(&smeared(picture, share, [1, 0]), share, [0, 1]);
    smeared(&smeared(&once, share, [1, 0]), share, [0, 1])
}

/// A filter of three taps whose outer weights grow with the radius; edges stay as they are.
fn smeared(picture: &RgbImage, radius: f32, [dx, dy]: [usize; 2]) -> RgbImage {
    let outer = (radius / (1.0 + 2.0 * radius)).min(1.0 / 3.0);
    // In 256ths, so that no pixel costs a rounding.
    let outer = u32::from(byte(outer * 256.0));
    let reach = usize::from(dots(radius.max(1.0)));
    let values = picture.as_raw();
    let step = reach * (dx * 3 + dy * picture.width() as usize * 3);
    let mut mixed = values.clone();
    let after = values.iter().skip(2 * step);
    for (value, (a, b)) in mixed.iter_mut().skip(step).zip(values.iter().zip(after)) {
        let sum = u32::from(*value) * (256 - 2 * outer) + (u32::from(*a) + u32::from(*b)) * outer;
        *value = u8::try_from((sum + 128) >> 8).unwrap_or(u8::MAX);
    }
    RgbImage::from_raw(picture.width(), picture.height(), mixed).unwrap_or_else(|| picture.clone())
}

/// Turned around the middle by a few degrees, on a scanner bed that holds all of it.
fn skewed(picture: &RgbImage, degrees: f32) -> RgbImage {
    if degrees.abs() < 0.01 {
        return picture.clone();
    }
    let (sin, cos) = f64::from(degrees.to_radians()).sin_cos();
    let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
    let wide = pixels(width * cos + height * sin.abs());
    let high = pixels(height * cos + width * sin.abs());
    RgbImage::from_fn(wide, high, |x, y| {
        let dx = f64::from(x) + 0.5 - f64::from(wide) / 2.0;
        let dy = f64::from(y) + 0.5 - f64::from(high) / 2.0;
        let (u, v) = (dx * cos + dy * sin + width / 2.0, dy * cos - dx * sin + height / 2.0);
        bilinear(picture, [u, v])
    })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a size in pixels")]
fn pixels(size: f64) -> u32 {
    size.ceil() as u32
}

#[expect(clippy::many_single_char_names, reason = "the four neighbours of a place")]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be inside")]
fn bilinear(picture: &RgbImage, [x, y]: Place) -> Rgb<u8> {
    let (x, y) = (x - 0.5, y - 0.5);
    if x < 0.0 || y < 0.0 {
        return Rgb([255; 3]);
    }
    let (left, top) = (x as u32, y as u32);
    let (fx, fy) = (narrow(x.fract()), narrow(y.fract()));
    let at =
        |x: u32, y: u32| picture.get_pixel_checked(x, y).map_or([255.0; 3], |p| p.0.map(f32::from));
    let (a, b) = (at(left, top), at(left + 1, top));
    let (c, d) = (at(left, top + 1), at(left + 1, top + 1));
    let mut mixed = [0; 3];
    for (index, value) in mixed.iter_mut().enumerate() {
        let of = |values: &[f32; 3]| values.get(index).copied().unwrap_or(255.0);
        let upper = of(&a) * (1.0 - fx) + of(&b) * fx;
        let lower = of(&c) * (1.0 - fx) + of(&d) * fx;
        *value = byte(upper * (1.0 - fy) + lower * fy);
    }
    Rgb(mixed)
}
