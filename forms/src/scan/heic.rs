//! Pictures of telephones (HEIC: HEVC in an ISO base media file).

use image::{DynamicImage, RgbImage};

use super::{Limits, PageImage, check_pixels};
use crate::fault::ReadFault;

/// The decoder keeps four bytes a sample: larger pictures would not fit into the share of a reader.
const MOST_PIXELS: u64 = 26_000_000;

/// By the brand that the file begins with.
pub(super) fn is_heic(head: &[u8]) -> bool {
    let brands: [&[u8; 4]; 7] = [b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"];
    head.get(4..8) == Some(b"ftyp")
        && head.get(8..12).is_some_and(|brand| brands.iter().any(|own| *own == brand))
}

pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<PageImage, ReadFault> {
    let refused = |error: heic_decoder::HeifError| ReadFault::Picture { reason: error.to_string() };
    let about = heic_decoder::probe(bytes).map_err(refused)?;
    let size = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    let (width, height) = (size(about.width), size(about.height));
    let limits = Limits { pixels: limits.pixels.min(MOST_PIXELS), ..*limits };
    check_pixels(width, height, &limits)?;
    let decoded = heic_decoder::decode(bytes).map_err(refused)?;
    let colours = decoded.to_rgb8().map_err(refused)?;
    drop(decoded);
    let (width, height) = (size(colours.width), size(colours.height));
    let picture = RgbImage::from_raw(width, height, colours.data)
        .ok_or_else(|| ReadFault::Picture { reason: "the picture has a wrong size".to_owned() })?;
    Ok(PageImage::from_dynamic(DynamicImage::ImageRgb8(picture), None))
}
