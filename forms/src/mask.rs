//! Parts of a picture that nobody shall see, painted over in its pixels.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageFormat, Rgb, RgbImage};

use crate::fault::ReadFault;
use crate::form3::BoxMm;

/// A rectangle in parts of the picture's width and height, each from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// From the left edge.
    pub x: f32,
    /// From the upper edge.
    pub y: f32,
    /// To the right.
    pub w: f32,
    /// Down.
    pub h: f32,
}

/// What is painted.
const INK: Rgb<u8> = Rgb([18, 20, 26]);
const QUALITY: u8 = 85;
/// Ink is blurred into the pixels beside it.
const MORE: f32 = 1.5;

impl Part {
    /// The same rectangle in parts of a cut-out of the page; `None` where they do not meet.
    pub fn within(self, cut: BoxMm, page: [f32; 2]) -> Option<Self> {
        let [width, height] = page;
        let left = (self.x * width).max(cut.x);
        let top = (self.y * height).max(cut.y);
        let right = ((self.x + self.w) * width).min(cut.right());
        let bottom = ((self.y + self.h) * height).min(cut.bottom());
        let meets = right > left && bottom > top && cut.w > 0.0 && cut.h > 0.0;
        meets.then(|| Self {
            x: (left - cut.x) / cut.w,
            y: (top - cut.y) / cut.h,
            w: (right - left) / cut.w,
            h: (bottom - top) / cut.h,
        })
    }
}

/// The picture, JPEG or PNG, with the parts painted over; of the same kind and size.
///
/// # Errors
/// When it is no picture, or cannot be written again.
pub fn masked(picture: &[u8], parts: &[Part]) -> Result<Vec<u8>, ReadFault> {
    let broken = |fault: image::ImageError| ReadFault::Picture { reason: fault.to_string() };
    let format = image::guess_format(picture).map_err(broken)?;
    let mut pixels =
        image::load_from_memory_with_format(picture, format).map_err(broken)?.to_rgb8();
    for part in parts {
        paint(&mut pixels, *part);
    }
    let mut bytes = Cursor::new(Vec::new());
    let (width, height) = pixels.dimensions();
    if format == ImageFormat::Png {
        pixels.write_to(&mut bytes, ImageFormat::Png).map_err(broken)?;
    } else {
        JpegEncoder::new_with_quality(&mut bytes, QUALITY)
            .encode(pixels.as_raw(), width, height, ExtendedColorType::Rgb8)
            .map_err(broken)?;
    }
    Ok(bytes.into_inner())
}

fn paint(pixels: &mut RgbImage, part: Part) {
    let (width, height) = pixels.dimensions();
    let dots = |from: f32, size: f32, all: u32| {
        #[expect(clippy::cast_precision_loss, reason = "no picture is that large")]
        let whole = all as f32;
        let first = (from * whole - MORE).floor().clamp(0.0, whole);
        let last = ((from + size) * whole + MORE).ceil().clamp(0.0, whole);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to the picture just before"
        )]
        let both = (first as u32, last as u32);
        both.0..both.1
    };
    for y in dots(part.y, part.h, height) {
        for x in dots(part.x, part.w, width) {
            pixels.put_pixel(x, y, INK);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PART: Part = Part { x: 0.25, y: 0.5, w: 0.5, h: 0.25 };

    fn white(format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        RgbImage::from_pixel(40, 80, Rgb([255; 3])).write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn the_part_is_painted_and_nothing_else() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg] {
            let painted = masked(&white(format), &[PART]).unwrap();
            assert_eq!(image::guess_format(&painted).unwrap(), format);
            let pixels = image::load_from_memory(&painted).unwrap().to_rgb8();
            assert_eq!(pixels.dimensions(), (40, 80));
            for (x, y) in [(10, 40), (29, 59), (20, 50)] {
                assert!(pixels.get_pixel(x, y).0.iter().all(|value| *value < 60), "{x} {y}");
            }
            for (x, y) in [(2, 50), (37, 50), (20, 30), (20, 70)] {
                assert!(pixels.get_pixel(x, y).0.iter().all(|value| *value > 200), "{x} {y}");
            }
        }
        assert!(masked(b"no picture", &[PART]).is_err());
    }

    #[test]
    fn a_part_of_the_page_is_found_in_a_cut_out_of_it() {
        let cut = BoxMm::new(100.0, 100.0, 50.0, 50.0);
        let page = [200.0, 200.0];
        let part = Part { x: 0.25, y: 0.25, w: 0.5, h: 0.35 }.within(cut, page).unwrap();
        let near = |a: f32, b: f32| (a - b).abs() < 1e-4;
        assert!(near(part.x, 0.0) && near(part.y, 0.0) && near(part.w, 1.0) && near(part.h, 0.4));
        assert_eq!(Part { x: 0.0, y: 0.0, w: 0.2, h: 0.2 }.within(cut, page), None);
    }
}
