//! Pictures of pages from a file: the type is told by content, limits hold before decoding, and a
//! page that cannot be read takes nothing else with it.

mod colour;
mod heic;
mod jpeg;
mod pdf;
mod tiff;

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use image::{DynamicImage, GrayImage, ImageDecoder, ImageFormat, ImageReader, RgbImage};

use crate::fault::ReadFault;
use crate::fillable::FilledForm;
use crate::form3::{BoxMm, PAGE_MM};
use crate::raster::spots::{extent, spots};
use crate::raster::{Homography, colour_patch, patch, real, reduced, whole};
pub(crate) use colour::Colours;
use colour::{Tint, turned};

/// What a file may cost before it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a file.
    pub file_bytes: usize,
    /// Pages of a file.
    pub pages: usize,
    /// Pixels of one picture: A4 at 600 dpi has 35 million, the finest telephones take 50.
    pub pixels: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { file_bytes: 1 << 30, pages: 10_000, pixels: 52_000_000 }
    }
}

/// How much a scan tells about colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Depth {
    /// Full colour.
    Colour,
    /// Shades of grey.
    Grey,
    /// Black and white, as from a fax.
    Bilevel,
}

/// The picture of one page as it came, before it is turned or straightened.
#[derive(Clone, Debug)]
pub struct PageImage {
    /// Brightness.
    pub(crate) grey: GrayImage,
    /// Colour, when there is any.
    tint: Option<Tint>,
    pub(crate) depth: Depth,
    /// What the file says of its resolution.
    pub(crate) dpi: Option<f32>,
}

impl PageImage {
    /// The page as a PNG, for people to look at.
    ///
    /// # Errors
    /// When the encoder refuses, which it does for empty pictures only.
    pub fn to_png(&self) -> Result<Vec<u8>, ReadFault> {
        match self.colours() {
            Some(colours) => png(&DynamicImage::ImageRgb8(colours.picture())),
            None => png(&DynamicImage::ImageLuma8(self.grey.clone())),
        }
    }

    /// Its colours, when it has any.
    pub(crate) fn colours(&self) -> Option<Colours<'_>> {
        self.tint.as_ref().map(|tint| Colours::new(&self.grey, tint))
    }

    /// A page on which less than a thousandth is darker than its paper, and hardly anything is as large
    /// as a letter: holes, a staple and dust leave it blank, a line of writing does not.
    pub(crate) fn is_blank(&self) -> bool {
        let (small, _) = reduced(&self.grey, BLANK_PIXELS);
        let width = small.width() as usize;
        let values = small.into_raw();
        let mut sorted = values.clone();
        sorted.sort_unstable();
        let paper = sorted.get(sorted.len() / 2).copied().unwrap_or(255);
        let dark: Vec<bool> = values.iter().map(|v| *v < paper.saturating_sub(50)).collect();
        // Edges of scans are often dark; a thousandth allows for a few of them and for dust.
        dark.iter().filter(|dark| **dark).count() * 1000 < dark.len()
            && letters(&dark, width) < LEAST_LETTERS
    }

    /// Width and height in pixels.
    pub fn size(&self) -> (u32, u32) {
        self.grey.dimensions()
    }

    /// How much the scan tells about colour.
    pub fn depth(&self) -> Depth {
        self.depth
    }

    fn from_dynamic(picture: DynamicImage, dpi: Option<f32>) -> Self {
        if picture.color().has_color() {
            let colour = picture.into_rgb8();
            let grey = brightness(&colour);
            return Self { grey, tint: Some(Tint::Full(colour)), depth: Depth::Colour, dpi };
        }
        Self::from_grey(picture.into_luma8(), dpi)
    }

    fn from_planes(planes: jpeg::Planes, dpi: Option<f32>) -> Self {
        match planes.chroma.map(Tint::Chroma) {
            Some(tint) => Self { grey: planes.grey, tint: Some(tint), depth: Depth::Colour, dpi },
            None => Self::from_grey(planes.grey, dpi),
        }
    }

    fn from_grey(grey: GrayImage, dpi: Option<f32>) -> Self {
        let two = grey.as_raw().iter().all(|value| *value == 0 || *value == 255);
        let depth = if two { Depth::Bilevel } else { Depth::Grey };
        Self { grey, tint: None, depth, dpi }
    }

    /// Turned clockwise by so many quarters.
    fn turned(self, quarters: u8) -> Self {
        let tint = self.tint.map(|tint| tint.turned(quarters));
        Self { grey: turned(self.grey, quarters), tint, ..self }
    }
}

/// Integer luma weights: the decoder's own conversion takes four times as long.
pub(crate) fn brightness(colour: &RgbImage) -> GrayImage {
    let luma = |pixel: &[u8]| {
        let weighted: u32 = pixel
            .iter()
            .zip([77_u32, 150, 29])
            .map(|(value, weight)| u32::from(*value) * weight)
            .sum();
        u8::try_from(weighted >> 8).unwrap_or(u8::MAX)
    };
    let values = colour.as_raw().chunks_exact(3).map(luma).collect();
    GrayImage::from_raw(colour.width(), colour.height(), values).unwrap_or_default()
}

pub(crate) fn png(picture: &DynamicImage) -> Result<Vec<u8>, ReadFault> {
    let mut bytes = Cursor::new(Vec::new());
    picture
        .write_to(&mut bytes, ImageFormat::Png)
        .map_err(|error| ReadFault::Picture { reason: error.to_string() })?;
    Ok(bytes.into_inner())
}

/// The longer side of the picture in which a page is looked over for anything written.
const BLANK_PIXELS: u32 = 1_400;
/// So many marks as large as a letter are writing.
const LEAST_LETTERS: usize = 4;
/// The height or width of a small letter, and the margin in which scanners leave their own shadows, as
/// parts of the longer side: 1.3 and 5 millimetres of A4.
const LETTER: f32 = 1.3 / 297.0;
const MARGIN: f32 = 5.0 / 297.0;

/// How many marks inside the margins are as large as a letter.
fn letters(dark: &[bool], width: usize) -> usize {
    let height = dark.len() / width.max(1);
    let part = |part: f32| whole(real(width.max(height)) * part);
    let (least, margin) = (part(LETTER), part(MARGIN));
    let is_letter = |spot: &Vec<usize>| {
        let [left, top, right, bottom] = extent(spot, width);
        let is_inside =
            left >= margin && top >= margin && right + margin <= width && bottom + margin <= height;
        is_inside && (right - left).max(bottom - top) >= least
    };
    spots(dark, width).filter(is_letter).count()
}

const WHOLE_PAGE: BoxMm = BoxMm::new(0.0, 0.0, PAGE_MM[0], PAGE_MM[1]);
/// Pixels of a millimetre in a page that people look at: enough for a stroke of a pen.
const PORTRAIT_PER_MM: f32 = 7.0;
/// The longer side of a page that is none of ours.
const PORTRAIT_PIXELS: u32 = 2_079;
const PORTRAIT_QUALITY: u8 = 82;

/// A page as a JPEG for people: as it lies on the form's own map, or else as it was scanned.
pub(crate) fn portrait(picture: &PageImage, map: Option<&Homography>) -> Vec<u8> {
    let whole = match (picture.colours(), map) {
        (Some(colour), Some(map)) => {
            DynamicImage::ImageRgb8(colour_patch(colour, map, WHOLE_PAGE, PORTRAIT_PER_MM))
        }
        (None, Some(map)) => {
            let cut = patch(&picture.grey, map, WHOLE_PAGE, PORTRAIT_PER_MM);
            let size = (u32::try_from(cut.width), u32::try_from(cut.height));
            let grey = match size {
                (Ok(width), Ok(height)) => GrayImage::from_raw(width, height, cut.values),
                _ => None,
            };
            DynamicImage::ImageLuma8(grey.unwrap_or_default())
        }
        (Some(colour), None) => DynamicImage::ImageRgb8(colour.picture()),
        (None, None) => DynamicImage::ImageLuma8(picture.grey.clone()),
    };
    let (width, height) = (whole.width(), whole.height());
    let whole = if width.max(height) > PORTRAIT_PIXELS {
        whole.resize(PORTRAIT_PIXELS, PORTRAIT_PIXELS, image::imageops::FilterType::Triangle)
    } else {
        whole
    };
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder =
        image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, PORTRAIT_QUALITY);
    // An encoder refuses empty pictures only: then there is nothing to look at.
    if encoder.encode_image(&whole).is_err() {
        return Vec::new();
    }
    bytes.into_inner()
}

/// One page of a file.
pub(crate) enum Page {
    /// A picture to look at.
    Picture(Box<PageImage>),
    /// A page of a filled AcroForm, with the text of its code.
    Fields { form: Arc<FilledForm>, code: String },
}

/// Who is shown the pages of a file, in order, one picture at a time.
pub(crate) trait Visitor {
    /// Whether the page of that number, from 1, is to be decoded; said right before it is.
    fn wants(&mut self, number: usize) -> bool;
    /// The page, or why it could not be decoded.
    fn page(&mut self, number: usize, page: Result<Page, ReadFault>);
}

/// Shows the pages of a file.
///
/// # Errors
/// When the file as a whole cannot be read; a fault of one page goes to the visitor.
pub(crate) fn for_each_page(
    bytes: &Arc<Vec<u8>>,
    limits: &Limits,
    visitor: &mut dyn Visitor,
) -> Result<(), ReadFault> {
    if bytes.len() > limits.file_bytes {
        return Err(ReadFault::TooLarge { size: bytes.len(), limit: limits.file_bytes });
    }
    match kind(bytes).ok_or(ReadFault::UnknownType)? {
        Kind::Pdf => pdf::for_each_page(bytes, limits, visitor),
        Kind::Tiff => tiff::for_each_page(bytes, limits, visitor),
        kind => {
            if visitor.wants(1) {
                let picture = guarded(|| decode(bytes, &kind, limits))?;
                visitor.page(1, Ok(Page::Picture(Box::new(picture))));
            }
            Ok(())
        }
    }
}

/// The pictures of all pages of a file, for people to look at; faults in their places.
///
/// # Errors
/// When the file as a whole cannot be read.
pub fn page_images(
    bytes: &[u8],
    limits: &Limits,
) -> Result<Vec<Result<PageImage, ReadFault>>, ReadFault> {
    let mut pictures = Pictures(Vec::new());
    let bytes = Arc::new(bytes.to_vec());
    match kind(&bytes) {
        Some(Kind::Pdf) if bytes.len() <= limits.file_bytes => {
            pdf::for_each_picture(&bytes, limits, &mut pictures)?;
        }
        _ => for_each_page(&bytes, limits, &mut pictures)?,
    }
    Ok(pictures.0)
}

struct Pictures(Vec<Result<PageImage, ReadFault>>);

impl Visitor for Pictures {
    fn wants(&mut self, _: usize) -> bool {
        true
    }

    fn page(&mut self, _: usize, page: Result<Page, ReadFault>) {
        match page {
            Ok(Page::Picture(picture)) => self.0.push(Ok(*picture)),
            Ok(Page::Fields { .. }) => {}
            Err(fault) => self.0.push(Err(fault)),
        }
    }
}

/// The pages of a PDF rendered at that resolution, all at once.
pub(crate) fn render_pages(
    bytes: &[u8],
    dpi: f32,
    limits: &Limits,
) -> Result<Vec<RgbImage>, ReadFault> {
    pdf::render_pages(bytes, dpi, limits)
}

enum Kind {
    Pdf,
    Tiff,
    Jpeg,
    Png,
    Heic,
}

/// By content alone: names and declared types lie.
fn kind(bytes: &[u8]) -> Option<Kind> {
    let head = bytes.get(..bytes.len().min(1024))?;
    let starts = |magic: &[u8]| head.starts_with(magic);
    if starts(b"\x89PNG\r\n\x1a\n") {
        return Some(Kind::Png);
    }
    if starts(b"\xFF\xD8\xFF") {
        return Some(Kind::Jpeg);
    }
    if [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"].iter().any(|magic| starts(*magic)) {
        return Some(Kind::Tiff);
    }
    if heic::is_heic(head) {
        return Some(Kind::Heic);
    }
    // ISO 32000-1, H.3.4.1: readers accept the header within the first kilobyte.
    head.windows(5).any(|window| window == b"%PDF-").then_some(Kind::Pdf)
}

pub(super) fn check_pixels(width: u32, height: u32, limits: &Limits) -> Result<(), ReadFault> {
    let too_many = u64::from(width) * u64::from(height) > limits.pixels;
    // A sliver would pass by its area and still cost a row buffer of its length.
    if too_many || width > 30_000 || height > 30_000 || width == 0 || height == 0 {
        return Err(ReadFault::TooManyPixels { width, height });
    }
    Ok(())
}

/// A file that is one picture.
fn decode(bytes: &[u8], kind: &Kind, limits: &Limits) -> Result<PageImage, ReadFault> {
    let format = match kind {
        Kind::Heic => return heic::decode(bytes, limits),
        Kind::Jpeg => ImageFormat::Jpeg,
        _ => ImageFormat::Png,
    };
    let dpi = declared_dpi(bytes, format);
    if format == ImageFormat::Jpeg
        && let Some(planes) = jpeg::decode(bytes, limits)?
    {
        return Ok(PageImage::from_planes(planes, dpi));
    }
    let refused = |error: image::ImageError| ReadFault::Picture { reason: error.to_string() };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut bounds = image::Limits::default();
    bounds.max_alloc = Some(limits.pixels.saturating_mul(4));
    reader.limits(bounds);
    let decoder = reader.into_decoder().map_err(refused)?;
    let (width, height) = decoder.dimensions();
    check_pixels(width, height, limits)?;
    let picture = DynamicImage::from_decoder(decoder).map_err(refused)?;
    Ok(PageImage::from_dynamic(picture, dpi))
}

/// The resolution of a JFIF header or a PNG's pHYs chunk.
fn declared_dpi(bytes: &[u8], format: ImageFormat) -> Option<f32> {
    let number = |at: usize, length: usize| {
        let bytes = bytes.get(at..at + length)?;
        Some(bytes.iter().fold(0_u32, |value, byte| value << 8 | u32::from(*byte)))
    };
    let (density, per_inch) = if format == ImageFormat::Jpeg {
        let unit = number(13, 1).filter(|_| bytes.get(6..11) == Some(b"JFIF\0".as_slice()))?;
        let per_inch = match unit {
            1 => 1.0,
            2 => 2.54,
            _ => return None,
        };
        (number(14, 2)?, per_inch)
    } else {
        let head = bytes.get(..bytes.len().min(512))?;
        let at = head.windows(4).position(|window| window == b"pHYs")?;
        (number(at + 4, 4).filter(|_| number(at + 12, 1) == Some(1))?, 0.0254)
    };
    let density = u16::try_from(density).ok()?;
    let dpi = f32::from(density) * per_inch;
    (50.0..2400.0).contains(&dpi).then_some(dpi)
}

/// Decoders are other people's code on hostile input: a panic of theirs costs one page.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, ReadFault>) -> Result<T, ReadFault> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(ReadFault::DecoderBroke))
}
