//! The one picture that covers a page, taken out of the file as the scanner put it there.
//!
//! The usual kinds are decoded here; whatever else a picture may be (other colours, several filters) is
//! decoded by the renderer's own means, still at its full size. A page that is more than one picture
//! answers none, and is rendered.

mod fax;
mod jbig2;
mod jpx;
mod samples;

use hayro::hayro_syntax::object::{Array, Dict, Name, Number, Object, Stream};
use hayro::hayro_syntax::page::{Page, Rotation};
use image::GrayImage;

use super::lone::{Placed, decoded, lone_picture};
use crate::fault::ReadFault;
use crate::scan::{Limits, PageImage, check_pixels, jpeg};

pub(super) fn extract(page: &Page<'_>, limits: &Limits) -> Result<Option<PageImage>, ReadFault> {
    let Some(placed) = lone_picture(page) else { return Ok(None) };
    check_pixels(placed.width, placed.height, limits)?;
    let stream = page.xref().get::<Stream<'_>>(placed.id);
    let picture = match stream.as_ref().filter(|stream| is_plain(stream)) {
        Some(stream) => usual(stream, placed, limits)?,
        None => None,
    };
    let picture =
        picture.or_else(|| decoded(page).map(|picture| PageImage::from_dynamic(picture, None)));
    let turn = placed.turn + quarters(page.rotation());
    Ok(picture.map(|picture| PageImage { dpi: Some(placed.dpi), ..picture }.turned(turn)))
}

fn quarters(rotation: Rotation) -> u8 {
    match rotation {
        Rotation::None => 0,
        Rotation::Horizontal => 1,
        Rotation::Flipped => 2,
        Rotation::FlippedHorizontal => 3,
    }
}

fn is_plain(stream: &Stream<'_>) -> bool {
    let masks = ["SMask", "Mask", "ImageMask"];
    !masks.iter().any(|key| stream.dict().contains_key(key))
}

/// What scanners write; none for what only the renderer understands.
fn usual(
    stream: &Stream<'_>,
    placed: Placed,
    limits: &Limits,
) -> Result<Option<PageImage>, ReadFault> {
    let data = stream.raw_data();
    let size = [placed.width, placed.height];
    let filters = filters(stream);
    let filters: Vec<&[u8]> = filters.iter().map(Name::as_ref).collect();
    match filters.as_slice() {
        [b"DCTDecode"] if !stream.dict().contains_key("Decode") => {
            let planes = jpeg::decode(&data, limits)?;
            Ok(planes.map(|planes| PageImage::from_planes(planes, None)))
        }
        [b"CCITTFaxDecode"] => Ok(fax::decode(stream, &data, size)),
        [b"JBIG2Decode"] => jbig2::decode(stream, &data, limits),
        [b"JPXDecode"] => jpx::decode(&data, limits),
        [] => Ok(samples::plain(stream, &data, size)),
        [b"FlateDecode"] => Ok(samples::deflated(stream, &data, size)),
        _ => Ok(None),
    }
}

fn filters<'s>(stream: &Stream<'s>) -> Vec<Name<'s>> {
    match stream.dict().get::<Object<'_>>("Filter") {
        Some(Object::Name(name)) => vec![name],
        Some(Object::Array(names)) => names.iter::<Name<'_>>().collect(),
        _ => Vec::new(),
    }
}

/// The parameters of the only filter.
fn parameters<'s>(stream: &Stream<'s>) -> Dict<'s> {
    let dictionary = stream.dict();
    let first =
        || dictionary.get::<Array<'_>>("DecodeParms")?.iter::<Object<'_>>().next()?.into_dict();
    dictionary.get::<Dict<'_>>("DecodeParms").or_else(first).unwrap_or_else(Dict::empty)
}

/// Whether the Decode array turns black and white round; none when it does something else.
fn inverted(stream: &Stream<'_>) -> Option<bool> {
    let Some(decode) = stream.dict().get::<Array<'_>>("Decode") else { return Some(false) };
    let values: Vec<f64> = decode.iter::<Number>().map(|number| number.as_f64()).collect();
    let all = |low: f64, high: f64| {
        values
            .chunks(2)
            .all(|pair| matches!(pair, [a, b] if (a - low).abs() < 0.01 && (b - high).abs() < 0.01))
    };
    if all(0.0, 1.0) {
        Some(false)
    } else if all(1.0, 0.0) {
        Some(true)
    } else {
        None
    }
}

/// One for grey, three for RGB; none for colours that need a renderer.
fn components(stream: &Stream<'_>) -> Option<usize> {
    let space = stream.dict().get::<Object<'_>>("ColorSpace")?;
    let named = |name: &Name<'_>| match name.as_ref() {
        b"DeviceGray" | b"CalGray" | b"G" => Some(1),
        b"DeviceRGB" | b"CalRGB" | b"RGB" => Some(3),
        _ => None,
    };
    let parts = match space {
        Object::Name(name) => return named(&name),
        Object::Array(parts) => parts,
        _ => return None,
    };
    let mut parts = parts.iter::<Object<'_>>();
    let family = parts.next()?.into_name()?;
    if family.as_ref() != b"ICCBased" {
        return named(&family);
    }
    let count = parts.next()?.into_stream()?.dict().get::<i32>("N")?;
    usize::try_from(count).ok().filter(|count| matches!(count, 1 | 3))
}

fn invert(values: &mut [u8]) {
    for value in values {
        *value = !*value;
    }
}

/// Bytes of two values or more, as a picture.
fn grey(width: u32, height: u32, values: Vec<u8>) -> Option<PageImage> {
    Some(PageImage::from_grey(GrayImage::from_raw(width, height, values)?, None))
}
