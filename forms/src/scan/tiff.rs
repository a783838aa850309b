//! Pages of a TIFF: grey, colour or bilevel, any compression including fax.

use std::io::Cursor;

use ::tiff::ColorType;
use ::tiff::decoder::{Decoder, DecodingResult, Limits as TiffLimits};
use ::tiff::tags::Tag;
use image::{DynamicImage, GrayImage, RgbImage, RgbaImage};

use super::{Limits, Page, PageImage, Visitor, check_pixels, guarded};
use crate::fault::ReadFault;

fn refused(error: &::tiff::TiffError) -> ReadFault {
    ReadFault::Picture { reason: error.to_string() }
}

pub(super) fn for_each_page(
    bytes: &[u8],
    limits: &Limits,
    visitor: &mut dyn Visitor,
) -> Result<(), ReadFault> {
    let mut decoder = guarded(|| {
        let mut bounds = TiffLimits::default();
        bounds.decoding_buffer_size =
            usize::try_from(limits.pixels).unwrap_or(usize::MAX).saturating_mul(4);
        Decoder::new(Cursor::new(bytes))
            .map(|decoder| decoder.with_limits(bounds))
            .map_err(|error| refused(&error))
    })?;
    for number in 1.. {
        if number > limits.pages {
            return Err(ReadFault::TooManyPages { limit: limits.pages });
        }
        if visitor.wants(number) {
            let page = guarded(|| decode(&mut decoder, limits));
            visitor.page(number, page.map(|page| Page::Picture(Box::new(page))));
        }
        if !decoder.more_images() {
            return Ok(());
        }
        // The chain of pages is broken: those behind cannot be found.
        guarded(|| decoder.next_image().map_err(|error| refused(&error)))?;
    }
    Ok(())
}

fn decode(decoder: &mut Decoder<Cursor<&[u8]>>, limits: &Limits) -> Result<PageImage, ReadFault> {
    let (width, height) = decoder.dimensions().map_err(|error| refused(&error))?;
    check_pixels(width, height, limits)?;
    let colour = decoder.colortype().map_err(|error| refused(&error))?;
    let dpi = dpi(decoder);
    let squeeze = squeeze(decoder);
    let turn = turn(decoder);
    let values = match decoder.read_image().map_err(|error| refused(&error))? {
        DecodingResult::U8(values) => values,
        DecodingResult::U16(values) => {
            values.into_iter().map(|value| u8::try_from(value >> 8).unwrap_or(u8::MAX)).collect()
        }
        _ => return Err(unsupported(colour)),
    };
    let picture = match colour {
        ColorType::Gray(1) => unpack(width, height, &values).map(DynamicImage::ImageLuma8),
        ColorType::Gray(8 | 16) => {
            GrayImage::from_raw(width, height, values).map(DynamicImage::ImageLuma8)
        }
        ColorType::RGB(8 | 16) => {
            RgbImage::from_raw(width, height, values).map(DynamicImage::ImageRgb8)
        }
        ColorType::RGBA(8 | 16) => {
            RgbaImage::from_raw(width, height, values).map(DynamicImage::ImageRgba8)
        }
        _ => return Err(unsupported(colour)),
    };
    let picture = picture.ok_or_else(|| unsupported(colour))?;
    Ok(PageImage::from_dynamic(squared(picture, squeeze), dpi).turned(turn))
}

fn unsupported(colour: ColorType) -> ReadFault {
    ReadFault::Picture { reason: format!("pixels of the kind {colour:?} are not supported") }
}

/// One bit a pixel, rows padded to bytes, to one byte a pixel.
pub(super) fn unpack(width: u32, height: u32, packed: &[u8]) -> Option<GrayImage> {
    let row_bytes = width.div_ceil(8) as usize;
    let mut values = Vec::with_capacity(width as usize * height as usize);
    for row in packed.chunks(row_bytes).take(height as usize) {
        let bits = row.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1));
        values.extend(bits.take(width as usize).map(|bit| if bit == 1 { 255 } else { 0 }));
    }
    GrayImage::from_raw(width, height, values)
}

fn dpi(decoder: &mut Decoder<Cursor<&[u8]>>) -> Option<f32> {
    let density = decoder.get_tag_f32(Tag::XResolution).ok()?;
    let unit = decoder.get_tag_u32(Tag::ResolutionUnit).unwrap_or(2);
    let dpi = if unit == 3 { density * 2.54 } else { density };
    (50.0..2400.0).contains(&dpi).then_some(dpi)
}

/// How often every row of a fax stands for: its lines lie twice or half as close as its dots.
fn squeeze(decoder: &mut Decoder<Cursor<&[u8]>>) -> f32 {
    let across = decoder.get_tag_f32(Tag::XResolution).unwrap_or(1.0);
    let down = decoder.get_tag_f32(Tag::YResolution).unwrap_or(1.0);
    let ratio = across / down;
    if (1.3..4.5).contains(&ratio) { ratio } else { 1.0 }
}

/// With pixels as high as they are wide.
fn squared(picture: DynamicImage, squeeze: f32) -> DynamicImage {
    if squeeze <= 1.0 {
        return picture;
    }
    let height = crate::raster::whole(crate::raster::real_u32(picture.height()) * squeeze);
    let height = u32::try_from(height).unwrap_or(picture.height());
    let filter = image::imageops::FilterType::Triangle;
    picture.resize_exact(picture.width(), height, filter)
}

/// Quarters clockwise from the Orientation tag; mirrored orientations are read as they lie, so that
/// the corner marks tell.
fn turn(decoder: &mut Decoder<Cursor<&[u8]>>) -> u8 {
    match decoder.get_tag_u32(Tag::Orientation).unwrap_or(1) {
        3 => 2,
        6 => 1,
        8 => 3,
        _ => 0,
    }
}
