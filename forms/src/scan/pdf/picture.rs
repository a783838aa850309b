//! The one picture that covers a page, taken out of the file as the scanner put it there.
//!
//! Anything unusual (masks, several pictures, drawn content, rare encodings) answers none, and the
//! page is rendered instead.

use hayro_ccitt::{DecodeSettings, Decoder, DecoderContext, EncodingMode};
use image::{DynamicImage, GrayImage, ImageFormat, RgbImage};
use lopdf::content::Content;
use lopdf::{Dictionary, Document, Object, ObjectId, Stream};

use crate::fault::ReadFault;
use crate::scan::tiff::unpack;
use crate::scan::{Limits, PageImage, check_pixels, decode};

/// The content stream of a scanned page is a handful of operators.
const CONTENT_BYTES: usize = 4096;

/// The picture must fill that share of the page in both directions.
const COVERS: f32 = 0.95;

pub(super) fn extract(
    pdf: &Document,
    page: ObjectId,
    limits: &Limits,
) -> Result<Option<PageImage>, ReadFault> {
    let Some((stream, name_dpi)) = only_picture(pdf, page) else { return Ok(None) };
    let turn = rotation(pdf, page);
    let picture = decoded(pdf, stream, limits)?;
    Ok(picture.map(|picture| PageImage { dpi: Some(name_dpi), ..picture }.turned(turn)))
}

/// The stream of the picture, and its resolution on the page.
fn only_picture(pdf: &Document, page: ObjectId) -> Option<(&Stream, f32)> {
    let content = pdf.get_page_content_with_limit(page, CONTENT_BYTES).ok()?;
    let content = Content::decode(&content).ok()?;
    let (mut matrix, mut drawn) = ([1.0, 0.0, 0.0, 1.0, 0.0, 0.0], None);
    for operation in &content.operations {
        match operation.operator.as_str() {
            "q" | "Q" | "gs" => {}
            "cm" => matrix = numbers(&operation.operands)?,
            "Do" if drawn.is_none() => drawn = operation.operands.first()?.as_name().ok(),
            _ => return None,
        }
    }
    let size = page_size(pdf, page)?;
    let [a, b, c, d, ..] = matrix;
    let upright = b.abs() < 0.01 && c.abs() < 0.01 && a > 0.0 && d > 0.0;
    if !upright || a < size[0] * COVERS || d < size[1] * COVERS {
        return None;
    }
    let stream = named_picture(pdf, page, drawn?)?;
    let width: f32 = number(stream.dict.get(b"Width").ok()?)?;
    Some((stream, width / a * 72.0))
}

fn numbers(operands: &[Object]) -> Option<[f32; 6]> {
    let values: Vec<f32> = operands.iter().map(number).collect::<Option<_>>()?;
    values.try_into().ok()
}

fn number(object: &Object) -> Option<f32> {
    object.as_float().ok()
}

/// Looks an entry of a page up, through the page tree where it may be inherited.
fn inherited<'d>(pdf: &'d Document, page: ObjectId, key: &[u8]) -> Option<&'d Object> {
    let mut id = page;
    for _ in 0..16 {
        let dictionary = pdf.get_dictionary(id).ok()?;
        if let Ok(object) = dictionary.get(key) {
            return pdf.dereference(object).ok().map(|(_, object)| object);
        }
        id = dictionary.get(b"Parent").ok()?.as_reference().ok()?;
    }
    None
}

fn page_size(pdf: &Document, page: ObjectId) -> Option<[f32; 2]> {
    let area = inherited(pdf, page, b"CropBox").or_else(|| inherited(pdf, page, b"MediaBox"))?;
    let corners: Vec<f32> = area.as_array().ok()?.iter().filter_map(number).collect();
    match corners.as_slice() {
        [x0, y0, x1, y1] => Some([(x1 - x0).abs(), (y1 - y0).abs()]),
        _ => None,
    }
}

fn rotation(pdf: &Document, page: ObjectId) -> u8 {
    let degrees = inherited(pdf, page, b"Rotate").and_then(|object| object.as_i64().ok());
    u8::try_from(degrees.unwrap_or(0).rem_euclid(360) / 90).unwrap_or(0)
}

fn named_picture<'d>(pdf: &'d Document, page: ObjectId, name: &[u8]) -> Option<&'d Stream> {
    let resources = inherited(pdf, page, b"Resources")?.as_dict().ok()?;
    let objects = entry(pdf, resources, b"XObject")?.as_dict().ok()?;
    let stream = entry(pdf, objects, name)?.as_stream().ok()?;
    let plain = stream.dict.get(b"Subtype").ok()?.as_name().ok()? == b"Image"
        && !stream.dict.has(b"SMask")
        && !stream.dict.has(b"Mask")
        && !stream.dict.has(b"ImageMask");
    plain.then_some(stream)
}

fn entry<'d>(pdf: &'d Document, dictionary: &'d Dictionary, key: &[u8]) -> Option<&'d Object> {
    pdf.dereference(dictionary.get(key).ok()?).ok().map(|(_, object)| object)
}

fn decoded(
    pdf: &Document,
    stream: &Stream,
    limits: &Limits,
) -> Result<Option<PageImage>, ReadFault> {
    let size = |key: &[u8]| {
        entry(pdf, &stream.dict, key)
            .and_then(|o| o.as_i64().ok())
            .and_then(|n| u32::try_from(n).ok())
    };
    let (Some(width), Some(height)) = (size(b"Width"), size(b"Height")) else { return Ok(None) };
    check_pixels(width, height, limits)?;
    let filters = stream.filters().unwrap_or_default();
    match filters.as_slice() {
        [b"DCTDecode"] if !stream.dict.has(b"Decode") => {
            decode(&stream.content, ImageFormat::Jpeg, limits).map(Some)
        }
        [b"CCITTFaxDecode"] => Ok(fax(pdf, stream, width, height)),
        [] | [b"FlateDecode" | b"LZWDecode"] => plain(pdf, stream, [width, height], limits),
        _ => Ok(None),
    }
}

/// Whether the Decode array turns black and white round; none when it does something else.
fn inverted(pdf: &Document, stream: &Stream) -> Option<bool> {
    let Some(decode) = entry(pdf, &stream.dict, b"Decode") else { return Some(false) };
    let values: Vec<f32> = decode.as_array().ok()?.iter().filter_map(number).collect();
    let all = |low: f32, high: f32| {
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

/// Samples without a picture format: one or eight bits, grey or RGB.
fn plain(
    pdf: &Document,
    stream: &Stream,
    [width, height]: [u32; 2],
    limits: &Limits,
) -> Result<Option<PageImage>, ReadFault> {
    let (Some(components), Some(inverted)) = (components(pdf, stream), inverted(pdf, stream))
    else {
        return Ok(None);
    };
    let bits = entry(pdf, &stream.dict, b"BitsPerComponent").and_then(|o| o.as_i64().ok());
    let most = usize::try_from(limits.pixels).unwrap_or(usize::MAX).saturating_mul(4);
    let mut samples = if stream.dict.has(b"Filter") {
        stream
            .decompressed_content_with_limit(most)
            .map_err(|error| ReadFault::Picture { reason: error.to_string() })?
    } else {
        stream.content.clone()
    };
    if inverted {
        for sample in &mut samples {
            *sample = !*sample;
        }
    }
    let pixels = width as usize * height as usize;
    samples.truncate(pixels * components);
    let picture = match (bits, components) {
        (Some(1), 1) => unpack(width, height, &samples).map(DynamicImage::ImageLuma8),
        (Some(8), 1) => GrayImage::from_raw(width, height, samples).map(DynamicImage::ImageLuma8),
        (Some(8), 3) => RgbImage::from_raw(width, height, samples).map(DynamicImage::ImageRgb8),
        _ => None,
    };
    Ok(picture.map(|picture| PageImage::from_dynamic(picture, None)))
}

/// One for grey, three for RGB; none for colour spaces that need a renderer.
fn components(pdf: &Document, stream: &Stream) -> Option<usize> {
    let space = entry(pdf, &stream.dict, b"ColorSpace")?;
    let name = |object: &Object| match object.as_name().ok()? {
        b"DeviceGray" | b"CalGray" | b"G" => Some(1),
        b"DeviceRGB" | b"CalRGB" | b"RGB" => Some(3),
        _ => None,
    };
    if let Some(count) = name(space) {
        return Some(count);
    }
    let parts = space.as_array().ok()?;
    if let Some(count) = parts.first().and_then(name) {
        return Some(count);
    }
    if parts.first()?.as_name().ok()? != b"ICCBased" {
        return None;
    }
    let (_, profile) = pdf.dereference(parts.get(1)?).ok()?;
    let count = profile.as_stream().ok()?.dict.get(b"N").ok()?.as_i64().ok()?;
    usize::try_from(count).ok().filter(|count| matches!(count, 1 | 3))
}

/// Fax data, groups 3 and 4 (ISO 32000-1, table 11).
fn fax(pdf: &Document, stream: &Stream, width: u32, height: u32) -> Option<PageImage> {
    let parameters = entry(pdf, &stream.dict, b"DecodeParms");
    let parameters = match parameters {
        Some(Object::Array(all)) => {
            all.first().and_then(|o| pdf.dereference(o).ok()).map(|(_, o)| o)
        }
        other => other,
    };
    let parameters = parameters.and_then(|object| object.as_dict().ok());
    let get = |key: &[u8]| parameters.and_then(|dictionary| entry(pdf, dictionary, key));
    let flag = |key: &[u8], default| get(key).and_then(|o| o.as_bool().ok()).unwrap_or(default);
    let k = get(b"K").and_then(|o| o.as_i64().ok()).unwrap_or(0);
    let columns = get(b"Columns").and_then(|o| o.as_i64().ok()).unwrap_or(1728);
    if u32::try_from(columns).ok()? != width {
        return None;
    }
    let settings = DecodeSettings {
        columns: width,
        rows: height,
        end_of_block: flag(b"EndOfBlock", true),
        end_of_line: flag(b"EndOfLine", false),
        rows_are_byte_aligned: flag(b"EncodedByteAlign", false),
        encoding: match k {
            ..0 => EncodingMode::Group4,
            0 => EncodingMode::Group3_1D,
            1.. => EncodingMode::Group3_2D,
        },
        strict: false,
    };
    let mut rows = Rows { values: Vec::with_capacity((width * height) as usize), width };
    // A fax cut short still shows its upper part: what was decoded is kept, the rest is white.
    let decoded =
        hayro_ccitt::decode(&stream.content, &mut rows, &mut DecoderContext::new(settings));
    if decoded.is_err() && rows.values.is_empty() {
        return None;
    }
    rows.values.resize((width * height) as usize, 255);
    if inverted(pdf, stream)? != flag(b"BlackIs1", false) {
        for value in &mut rows.values {
            *value = !*value;
        }
    }
    let picture = GrayImage::from_raw(width, height, rows.values)?;
    Some(PageImage::from_dynamic(DynamicImage::ImageLuma8(picture), None))
}

/// Rows of fax pixels as bytes.
struct Rows {
    values: Vec<u8>,
    width: u32,
}

impl Decoder for Rows {
    fn push_row(&mut self, changes: &[u32]) {
        let (mut at, mut white) = (0, true);
        for change in changes.iter().copied().chain(std::iter::once(self.width)) {
            let change = change.clamp(at, self.width);
            let value = if white { 255 } else { 0 };
            self.values.extend(std::iter::repeat_n(value, (change - at) as usize));
            (at, white) = (change, !white);
        }
    }
}
