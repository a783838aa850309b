//! JPEG 2000 (T.800). Its levels of detail let a very fine scan be decoded at half its size, which is as
//! much as reading needs and takes a quarter of time and memory.

use hayro_jpeg2000::{ColorSpace, DecodeSettings, DecoderContext, Image};
use image::{DynamicImage, GrayImage, RgbImage};

use crate::fault::ReadFault;
use crate::scan::{Limits, PageImage, check_pixels};

/// A4 at 300 dpi has 8.7 million pixels.
const ENOUGH_PIXELS: u64 = 12_000_000;

/// None for colours that only the renderer understands.
pub(super) fn decode(data: &[u8], limits: &Limits) -> Result<Option<PageImage>, ReadFault> {
    let refused =
        |error: hayro_jpeg2000::DecodeError| ReadFault::Picture { reason: error.to_string() };
    let whole = Image::new(data, &DecodeSettings::default()).map_err(refused)?;
    let (width, height) = (whole.width(), whole.height());
    check_pixels(width, height, limits)?;
    let mut settings = DecodeSettings::default();
    if u64::from(width) * u64::from(height) > ENOUGH_PIXELS {
        settings.target_resolution = Some((width / 2, height / 2));
    }
    let picture = Image::new(data, &settings).map_err(refused)?;
    let channels = match (picture.color_space(), picture.has_alpha()) {
        (ColorSpace::Gray | ColorSpace::Icc { num_channels: 1, .. }, false) => 1,
        (ColorSpace::RGB | ColorSpace::Icc { num_channels: 3, .. }, false) => 3,
        _ => return Ok(None),
    };
    let (width, height) = (picture.width(), picture.height());
    let mut context = DecoderContext::default();
    let values = {
        let decoded = picture.decode(&mut context).map_err(refused)?;
        // Components may be fewer than the colours promise, or of different sizes.
        let pixels = width as usize * height as usize;
        let all = decoded.components().iter().all(|part| part.samples().len() == pixels);
        if !all || decoded.components().len() != channels {
            return Ok(None);
        }
        decoded.data_u8()
    };
    drop(context);
    let picture = match channels {
        1 => GrayImage::from_raw(width, height, values).map(DynamicImage::ImageLuma8),
        _ => RgbImage::from_raw(width, height, values).map(DynamicImage::ImageRgb8),
    };
    Ok(picture.map(|picture| PageImage::from_dynamic(picture, None)))
}
