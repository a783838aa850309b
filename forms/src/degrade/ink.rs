//! Ink on paper: lines of a pen and raster pictures, blended into a picture.

use image::RgbImage;

use super::byte;
use super::chance::Chance;
use super::hand::{Line, Pen};
use crate::raster::{real, whole};
use crate::seal::blend;

/// Draws lines, given in pixels, without darkening where they cross.
pub(crate) fn paint(picture: &mut RgbImage, lines: &[Line], pen: &Pen, chance: &mut Chance) {
    let Some(mut cover) = Cover::around(picture, lines) else { return };
    for line in lines {
        if let [(point, width)] = line.as_slice() {
            cover.piece(*point, *point, *width);
        }
        for pair in line.windows(2) {
            if let [(from, width), (to, after)] = pair {
                cover.piece(*from, *to, f32::midpoint(*width, *after));
            }
        }
    }
    cover.blend_into(picture, pen, chance);
}

/// How much of every pixel of a rectangle is covered.
struct Cover {
    left: usize,
    top: usize,
    width: usize,
    values: Vec<f32>,
}

impl Cover {
    fn around(picture: &RgbImage, lines: &[Line]) -> Option<Self> {
        let all = || lines.iter().flatten();
        let widest = all().map(|(_, width)| *width).fold(0.0, f32::max) + 2.0;
        let bound = |axis: fn(&[f32; 2]) -> f32, most: u32| {
            let least = all().map(|(point, _)| axis(point)).fold(f32::MAX, f32::min) - widest;
            let largest = all().map(|(point, _)| axis(point)).fold(f32::MIN, f32::max) + widest;
            let most = most as usize;
            (whole(least.max(0.0)).min(most), whole(largest.max(0.0)).min(most))
        };
        let (left, right) = bound(|p| p[0], picture.width());
        let (top, bottom) = bound(|p| p[1], picture.height());
        if right <= left || bottom <= top {
            return None;
        }
        let width = right - left;
        Some(Self { left, top, width, values: vec![0.0; width * (bottom - top)] })
    }

    fn piece(&mut self, from: [f32; 2], to: [f32; 2], width: f32) {
        let height = self.values.len() / self.width.max(1);
        let (left, top) = (real(self.left), real(self.top));
        let (from, to) = ([from[0] - left, from[1] - top], [to[0] - left, to[1] - top]);
        let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
        let length = (dx * dx + dy * dy).max(1e-6);
        let reach = width / 2.0 + 1.0;
        let rows = whole(from[1].min(to[1]) - reach)..whole(from[1].max(to[1]) + reach).min(height);
        let first = whole(from[0].min(to[0]) - reach);
        let last = whole(from[0].max(to[0]) + reach).min(self.width);
        for y in rows {
            let row = self.values.get_mut(y * self.width + first..y * self.width + last);
            for (x, value) in row.into_iter().flatten().enumerate() {
                let place = [real(first + x) + 0.5, real(y) + 0.5];
                let along = ((place[0] - from[0]) * dx + (place[1] - from[1]) * dy) / length;
                let along = along.clamp(0.0, 1.0);
                let (ox, oy) = (place[0] - from[0] - along * dx, place[1] - from[1] - along * dy);
                let off = (ox * ox + oy * oy).sqrt();
                let thin = width.min(1.0);
                *value = value.max((width / 2.0 - off + 0.5).clamp(0.0, thin));
            }
        }
    }

    fn blend_into(&self, picture: &mut RgbImage, pen: &Pen, chance: &mut Chance) {
        let wide = picture.width() as usize;
        let samples: &mut [u8] = picture;
        for (y, row) in self.values.chunks_exact(self.width.max(1)).enumerate() {
            let start = ((self.top + y) * wide + self.left) * 3;
            let pixels = samples.get_mut(start..start + self.width * 3);
            let pixels = pixels.into_iter().flat_map(|row| row.chunks_exact_mut(3));
            for (pixel, cover) in pixels.zip(row) {
                if *cover > 0.0 {
                    let uneven = 1.0 - chance.part() * pen.grain;
                    for (value, ink) in pixel.iter_mut().zip(pen.ink) {
                        *value = blend(*value, ink.min(*value), cover * 0.95 * uneven);
                    }
                }
            }
        }
    }
}

/// A small grey picture, 255 for full ink, as 28 × 28 samples of a written digit.
#[derive(Clone, Copy, Debug)]
pub struct Written<'p> {
    /// 784 samples, row by row.
    pub samples: &'p [u8],
}

/// How a written picture lies on the page: pixels from samples, and how thick its strokes become.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Laid {
    /// The middle in pixels.
    pub(crate) centre: [f32; 2],
    /// Pixels of one sample.
    pub(crate) scale: [f32; 2],
    pub(crate) slant: f32,
    pub(crate) turn: f32,
    /// The sample value that becomes the edge, 0 to 1.
    pub(crate) edge: f32,
    /// From which to which value around it ink begins: little as a pen does it, all of it as a
    /// picture is pasted.
    pub(crate) soft: f32,
}

/// Lays a written picture onto paper in the ink of a pen.
pub(crate) fn lay(
    picture: &mut RgbImage,
    written: Written<'_>,
    laid: &Laid,
    pen: &Pen,
    chance: &mut Chance,
) {
    let reach = 15.0 * laid.scale[0].max(laid.scale[1]) * (1.0 + laid.slant.abs());
    let wide = picture.width() as usize;
    let bound = |value: f32, most: u32| whole(value).min(most as usize);
    let (left, right) = (
        bound(laid.centre[0] - reach, picture.width()),
        bound(laid.centre[0] + reach, picture.width()),
    );
    let (top, bottom) = (
        bound(laid.centre[1] - reach, picture.height()),
        bound(laid.centre[1] + reach, picture.height()),
    );
    let samples: &mut [u8] = picture;
    for y in top..bottom {
        let row = samples.get_mut((y * wide + left) * 3..(y * wide + right) * 3);
        let pixels = row.into_iter().flat_map(|row| row.chunks_exact_mut(3));
        for (x, pixel) in pixels.enumerate() {
            let (dx, dy) = (real(left + x) + 0.5 - laid.centre[0], real(y) + 0.5 - laid.centre[1]);
            let (dx, dy) = (dx + dy * laid.turn, dy - dx * laid.turn);
            let (u, v) = ((dx + dy * laid.slant) / laid.scale[0], dy / laid.scale[1]);
            let value = written.at(u + 13.5, v + 13.5);
            let cover = ((value - laid.edge) / laid.soft + 0.5).clamp(0.0, 1.0);
            if cover > 0.0 {
                let uneven = 1.0 - chance.part() * pen.grain;
                for (value, ink) in pixel.iter_mut().zip(pen.ink) {
                    *value = blend(*value, ink.min(*value), cover * 0.95 * uneven);
                }
            }
        }
    }
}

impl Written<'_> {
    /// The rows and columns that hold ink: left, top, right, bottom.
    pub(crate) fn bounds(self) -> [f32; 4] {
        let ink = self.samples.iter().enumerate().filter(|(_, value)| **value > 100);
        let start = [27.0_f32, 27.0, 0.0, 0.0];
        ink.fold(start, |[l, t, r, b], (at, _)| {
            let (x, y) = (real(at % 28), real(at / 28));
            [l.min(x), t.min(y), r.max(x + 1.0), b.max(y + 1.0)]
        })
    }

    fn at(self, x: f32, y: f32) -> f32 {
        if !(0.0..27.0).contains(&x) || !(0.0..27.0).contains(&y) {
            return 0.0;
        }
        let (fx, fy) = (x.fract(), y.fract());
        let index = floor(y) * 28 + floor(x);
        let get = |at: usize| self.samples.get(at).copied().map_or(0.0, f32::from);
        let upper = get(index) * (1.0 - fx) + get(index + 1) * fx;
        let lower = get(index + 28) * (1.0 - fx) + get(index + 29) * fx;
        (upper * (1.0 - fy) + lower * fy) / 255.0
    }
}

fn floor(value: f32) -> usize {
    usize::from(byte(value.floor()))
}
