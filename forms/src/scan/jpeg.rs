//! Baseline JPEG as scanners and telephones write it (ITU-T T.81), decoded to its own planes: brightness
//! in full, colour as coarse as it is stored.
//!
//! Reading a page needs brightness everywhere and colour in two small boxes. A general decoder enlarges
//! colour, converts it for every pixel, and brightness is then computed back from the result: half of the
//! time a page takes. Whatever is unusual (progressive, twelve bits, CMYK, planes one after the other)
//! answers none and is left to the general decoder.

mod bits;
mod header;
mod transform;

use image::GrayImage;

use super::colour::Chroma;
use super::{Limits, check_pixels};
use crate::fault::ReadFault;
use bits::{Bits, Huffman};
use header::{Component, Header};
use transform::{Block, Reach, halved, inverse};

/// Brightness, and colour where the picture has any.
pub(super) struct Planes {
    pub(super) grey: GrayImage,
    pub(super) chroma: Option<Chroma>,
}

/// Decodes a picture of the usual kind; none for all others. One that is cut short is white below.
pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Option<Planes>, ReadFault> {
    let Some(header) = Header::read(bytes) else { return Ok(None) };
    let (width, height) = (u32::from(header.width), u32::from(header.height));
    check_pixels(width, height, limits)?;
    let mut planes: Vec<Plane> =
        header.components.iter().map(|component| Plane::of(&header, component)).collect();
    scan(&header, &mut planes);
    Ok(finished(&header, planes))
}

/// The samples of a component, whole blocks to the right and below.
struct Plane {
    values: Vec<u8>,
    stride: usize,
}

/// Samples along the side of a block.
const SIDE: usize = 8;

impl Plane {
    fn of(header: &Header, component: &Component) -> Self {
        let (across, down) = header.units();
        let side = component.reach.side();
        let stride = across * usize::from(component.wide) * side;
        let rows = down * usize::from(component.high) * side;
        let paper = if component.is_luma { 255 } else { 128 };
        Self { values: vec![paper; stride * rows], stride }
    }

    /// Puts a block down whose place counts in blocks.
    fn put<const N: usize>(&mut self, column: usize, row: usize, block: &[[u8; N]; N]) {
        let begin = row * N * self.stride + column * N;
        let rows = self.values.get_mut(begin..).unwrap_or_default().chunks_mut(self.stride);
        for (to, from) in rows.zip(block) {
            if let Some(to) = to.first_chunk_mut::<N>() {
                *to = *from;
            }
        }
    }

    fn cropped(self, width: usize, height: usize) -> Vec<u8> {
        let mut values = self.values;
        if width == self.stride {
            values.truncate(width * height);
            return values;
        }
        for row in 1..height {
            values.copy_within(row * self.stride..row * self.stride + width, row * width);
        }
        values.truncate(width * height);
        values
    }
}

/// What a component needs while it is decoded.
struct Channel<'h> {
    dc: &'h Huffman,
    ac: &'h Huffman,
    scales: &'h [f32; 64],
    before: i32,
}

/// All units of the scan; ends early, without a word, where the data do.
fn scan(header: &Header, planes: &mut [Plane]) -> Option<()> {
    let mut bits = Bits::new(header.data);
    let mut channels = header
        .components
        .iter()
        .map(|component| header.channel(component))
        .collect::<Option<Vec<_>>>()?;
    let (across, down) = header.units();
    let mut left = header.restart;
    for row in 0..down {
        for column in 0..across {
            if header.restart > 0 && left == 0 {
                bits.restart()?;
                for channel in &mut channels {
                    channel.before = 0;
                }
                left = header.restart;
            }
            left = left.wrapping_sub(1);
            let parts = header.components.iter().zip(&mut channels).zip(planes.iter_mut());
            for ((component, channel), plane) in parts {
                let (wide, high) = (usize::from(component.wide), usize::from(component.high));
                for y in 0..high {
                    for x in 0..wide {
                        let block = block(&mut bits, channel)?;
                        let (column, row) = (column * wide + x, row * high + y);
                        match component.reach {
                            Reach::Whole => plane.put(column, row, &inverse(&block)),
                            Reach::Half => plane.put(column, row, &halved(&block)),
                        }
                    }
                }
            }
        }
    }
    Some(())
}

/// The coefficients of one block.
fn block(bits: &mut Bits<'_>, channel: &mut Channel<'_>) -> Option<Block> {
    bits.fill();
    let size = channel.dc.symbol(bits)?;
    channel.before = channel.before.wrapping_add(bits.signed(size & 15)).clamp(-32768, 32767);
    let mut coefficients = Block::new(channel.before, channel.scales);
    let mut at = 1;
    while at < 64 {
        bits.fill();
        let (run, value) = channel.ac.coefficient(bits)?;
        if value == 0 {
            if run < 15 {
                break;
            }
            at += 16;
            continue;
        }
        at += run;
        coefficients.set(at, value, channel.scales);
        at += 1;
    }
    Some(coefficients)
}

fn finished(header: &Header, planes: Vec<Plane>) -> Option<Planes> {
    let (width, height) = (usize::from(header.width), usize::from(header.height));
    let mut planes = planes.into_iter();
    let luma = planes.next()?.cropped(width, height);
    let grey = GrayImage::from_raw(header.width.into(), header.height.into(), luma)?;
    let chroma = match (planes.next(), planes.next()) {
        (Some(blue), Some(red)) => {
            let (across, down) = header.coarseness();
            let size = [width.div_ceil(across), height.div_ceil(down)];
            let cropped = |plane: Plane| plane.cropped(size[0], size[1]);
            Some(Chroma::new([cropped(blue), cropped(red)], size, [across, down])?)
        }
        _ => None,
    };
    Some(Planes { grey, chroma })
}

#[cfg(test)]
mod tests {
    use image::codecs::jpeg::JpegEncoder;
    use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

    use super::*;

    /// Colours that change slowly, and a sharp black edge.
    fn picture(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| {
            let ramp = |value: u32, most: u32| u8::try_from(value * 200 / most + 30).unwrap_or(0);
            if (x / 9 + y / 7) % 5 == 0 {
                Rgb([0; 3])
            } else {
                Rgb([ramp(x, width), ramp(y, height), 120])
            }
        })
    }

    fn encoded(picture: &DynamicImage, quality: u8) -> Vec<u8> {
        let mut bytes = Vec::new();
        picture.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, quality)).unwrap();
        bytes
    }

    #[test]
    fn planes_are_as_another_decoder_makes_them() {
        for (width, height) in [(64, 64), (61, 43), (8, 8), (1, 1), (300, 17)] {
            for quality in [30, 75, 98] {
                let colour = DynamicImage::ImageRgb8(picture(width, height));
                for picture in [DynamicImage::ImageLuma8(colour.to_luma8()), colour] {
                    let bytes = encoded(&picture, quality);
                    let other =
                        image::load_from_memory_with_format(&bytes, ImageFormat::Jpeg).unwrap();
                    let planes = decode(&bytes, &Limits::default()).unwrap().unwrap();
                    let grey = other.to_rgb8();
                    for (x, y, Rgb([r, g, b])) in grey.enumerate_pixels() {
                        let [r, g, b] = [r, g, b].map(|value| f32::from(*value));
                        let ours = f32::from(planes.grey.get_pixel(x, y).0[0]);
                        // Colours beyond what a screen shows are cut off by the other decoder.
                        let theirs = 0.299 * r + 0.587 * g + 0.114 * b;
                        let cut = [r, g, b].iter().any(|value| *value <= 0.0 || *value >= 255.0);
                        let apart = if cut { 30.0 } else { 3.0 };
                        assert!(
                            (ours - theirs).abs() < apart,
                            "{width} {quality} {x} {y}: {ours} {theirs}"
                        );
                    }
                    assert_eq!(planes.chroma.is_some(), other.color().has_color());
                }
            }
        }
    }

    /// In a fine picture colour is kept at half its size.
    #[test]
    fn colours_are_as_another_decoder_makes_them() {
        let smooth = |x: u32, y: u32| {
            let part = |value: u32| u8::try_from(value).unwrap_or(255);
            Rgb([part(60 + x / 16), part(200 - x / 16), part(40 + y * 3)])
        };
        for width in [700, 2047] {
            let picture = RgbImage::from_fn(width, 41, smooth);
            let bytes = encoded(&DynamicImage::ImageRgb8(picture.clone()), 95);
            let planes = decode(&bytes, &Limits::default()).unwrap().unwrap();
            let tint = super::super::colour::Tint::Chroma(planes.chroma.unwrap());
            let ours = super::super::Colours::new(&planes.grey, &tint).picture();
            for (ours, wanted) in ours.pixels().zip(picture.pixels()) {
                let near = ours.0.iter().zip(wanted.0).all(|(a, b)| a.abs_diff(b) < 9);
                assert!(near, "{width}: {ours:?} {wanted:?}");
            }
        }
    }

    #[test]
    fn a_picture_cut_short_is_white_below() {
        let bytes = encoded(&DynamicImage::ImageRgb8(picture(200, 200)), 80);
        let planes = decode(&bytes[..bytes.len() * 2 / 3], &Limits::default()).unwrap().unwrap();
        assert!(planes.grey.rows().take(8).flatten().any(|pixel| pixel.0[0] < 50));
        assert!(planes.grey.rows().skip(196).flatten().all(|pixel| pixel.0[0] == 255));
    }

    #[test]
    fn damage_never_panics() {
        let good = encoded(&DynamicImage::ImageRgb8(picture(90, 70)), 80);
        let mut state = 1_u64;
        let mut next = |below: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % below
        };
        for _ in 0..3000 {
            let mut bytes = good.clone();
            for _ in 0..=next(6) {
                let at = next(bytes.len());
                bytes[at] = u8::try_from(next(256)).unwrap();
            }
            let few = Limits { pixels: 1_000_000, ..Limits::default() };
            let _ = decode(&bytes, &few);
        }
    }
}
