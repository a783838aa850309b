//! Samples without a picture format, plain or deflated, freed of their predictor row by row: one or eight
//! bits, grey or RGB.

mod inflate;

use hayro::hayro_syntax::object::Stream;
use image::{DynamicImage, RgbImage};

use super::{components, grey, invert, inverted, parameters};
use crate::scan::PageImage;
use crate::scan::tiff::unpack;
use inflate::Inflater;

/// How samples lie in their rows.
struct Kind {
    components: usize,
    bits: usize,
    inverted: bool,
    row_bytes: usize,
}

impl Kind {
    fn of(stream: &Stream<'_>, width: u32) -> Option<Self> {
        let (components, inverted) = (components(stream)?, inverted(stream)?);
        let bits = stream.dict().get::<u8>("BitsPerComponent").map(usize::from)?;
        let usual = matches!((bits, components), (1, 1) | (8, 1 | 3));
        let row_bytes = (width as usize * components * bits).div_ceil(8);
        usual.then_some(Self { components, bits, inverted, row_bytes })
    }

    fn picture(&self, mut samples: Vec<u8>, [width, height]: [u32; 2]) -> Option<PageImage> {
        // What is missing is paper.
        let paper = if self.inverted { 0 } else { 255 };
        samples.resize(self.row_bytes * height as usize, paper);
        if self.inverted {
            invert(&mut samples);
        }
        match (self.bits, self.components) {
            (1, 1) => Some(PageImage::from_grey(unpack(width, height, &samples)?, None)),
            (_, 1) => grey(width, height, samples),
            _ => {
                let picture = RgbImage::from_raw(width, height, samples)?;
                Some(PageImage::from_dynamic(DynamicImage::ImageRgb8(picture), None))
            }
        }
    }
}

pub(super) fn plain(stream: &Stream<'_>, data: &[u8], size: [u32; 2]) -> Option<PageImage> {
    let kind = Kind::of(stream, size[0])?;
    let enough = data.get(..kind.row_bytes * size[1] as usize).unwrap_or(data);
    kind.picture(enough.to_vec(), size)
}

pub(super) fn deflated(stream: &Stream<'_>, data: &[u8], size: [u32; 2]) -> Option<PageImage> {
    let kind = Kind::of(stream, size[0])?;
    let parameters = parameters(stream);
    let number = |key: &str, default: usize| {
        parameters.get::<u32>(key).map_or(default, |value| value as usize)
    };
    let predictor = number("Predictor", 1);
    let pixel_bits = number("Colors", 1) * number("BitsPerComponent", 8);
    let as_declared =
        pixel_bits == kind.components * kind.bits && number("Columns", 1) == size[0] as usize;
    let mut source = Inflater::new(data);
    let rows = size[1] as usize;
    let samples = match predictor {
        1 => unpacked(&mut source, kind.row_bytes * rows),
        2 if as_declared && kind.bits == 8 => {
            let mut samples = unpacked(&mut source, kind.row_bytes * rows);
            samples.chunks_mut(kind.row_bytes).for_each(|row| add_left(row, kind.components));
            samples
        }
        10.. if as_declared => filtered(&mut source, &kind, rows),
        _ => return None,
    };
    // Nothing at all came out: perhaps the renderer knows better.
    (!samples.is_empty()).then(|| kind.picture(samples, size)).flatten()
}

/// So many bytes, or as many as can be unpacked.
fn unpacked(source: &mut Inflater<'_>, most: usize) -> Vec<u8> {
    let mut samples = vec![0; most];
    let got = source.fill(&mut samples);
    samples.truncate(got);
    samples
}

/// Each row begins with the number of its filter (PNG, 9.2).
fn filtered(source: &mut Inflater<'_>, kind: &Kind, rows: usize) -> Vec<u8> {
    let pixel = (kind.components * kind.bits).div_ceil(8);
    let mut samples = Vec::with_capacity(kind.row_bytes * rows);
    let mut above = vec![0; kind.row_bytes];
    let mut row = vec![0; kind.row_bytes + 1];
    for _ in 0..rows {
        if source.fill(&mut row) < row.len() {
            break;
        }
        let Some((filter, row)) = row.split_first_mut() else { break };
        match filter {
            1 => add_left(row, pixel),
            2 => row.iter_mut().zip(&above).for_each(|(to, up)| *to = to.wrapping_add(*up)),
            3 => add_predicted(row, &above, pixel, |left, up, _| {
                u8::try_from(u16::midpoint(left.into(), up.into())).unwrap_or(0)
            }),
            4 => add_predicted(row, &above, pixel, nearest),
            _ => {}
        }
        samples.extend_from_slice(row);
        above.copy_from_slice(row);
    }
    samples
}

/// Every byte as its difference to the one a pixel before.
fn add_left(row: &mut [u8], pixel: usize) {
    for at in pixel..row.len() {
        let left = row.get(at - pixel).copied().unwrap_or(0);
        if let Some(to) = row.get_mut(at) {
            *to = to.wrapping_add(left);
        }
    }
}

fn add_predicted(row: &mut [u8], above: &[u8], pixel: usize, predict: fn(u8, u8, u8) -> u8) {
    let before = |bytes: &[u8], at: usize| {
        at.checked_sub(pixel).and_then(|at| bytes.get(at)).copied().unwrap_or(0)
    };
    for (at, up) in above.iter().enumerate() {
        let (left, corner) = (before(row, at), before(above, at));
        if let Some(to) = row.get_mut(at) {
            *to = to.wrapping_add(predict(left, *up, corner));
        }
    }
}

/// Paeth's predictor: whichever of the three is nearest to their plane.
fn nearest(left: u8, up: u8, corner: u8) -> u8 {
    let [a, b, c] = [left, up, corner].map(i16::from);
    let off = |value: i16| (a + b - c - value).abs();
    if off(a) <= off(b) && off(a) <= off(c) {
        left
    } else if off(b) <= off(c) {
        up
    } else {
        corner
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_filter_of_png_is_undone() {
        use image::codecs::png::{CompressionType, FilterType, PngEncoder};
        use image::{ExtendedColorType, ImageEncoder};
        let (width, height) = (37, 23);
        let values: Vec<u8> =
            (0..width * height * 3).map(|at| u8::try_from(at * at / 7 % 251).unwrap()).collect();
        let kind = Kind { components: 3, bits: 8, inverted: false, row_bytes: 37 * 3 };
        for filter in [
            FilterType::NoFilter,
            FilterType::Sub,
            FilterType::Up,
            FilterType::Avg,
            FilterType::Paeth,
        ] {
            let mut png = Vec::new();
            PngEncoder::new_with_quality(&mut png, CompressionType::Fast, filter)
                .write_image(&values, width, height, ExtendedColorType::Rgb8)
                .unwrap();
            // The deflated samples stand in the chunks named IDAT.
            let mut data = Vec::new();
            let mut at = 8;
            while at < png.len() {
                let length = u32::from_be_bytes(png[at..at + 4].try_into().unwrap()) as usize;
                if &png[at + 4..at + 8] == b"IDAT" {
                    data.extend_from_slice(&png[at + 8..at + 8 + length]);
                }
                at += length + 12;
            }
            let rows = filtered(&mut Inflater::new(&data), &kind, 23);
            assert_eq!(rows, values, "{filter:?}");
            let cut = &data[..data.len() / 2];
            let half = filtered(&mut Inflater::new(cut), &kind, 23);
            assert!(!half.is_empty() && half == values[..half.len()]);
        }
    }
}
