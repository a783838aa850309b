//! The file that a scanner makes of what it saw.

use std::io::Cursor;

use image::codecs::jpeg::{JpegEncoder, PixelDensity};
use image::{DynamicImage, Rgb, RgbImage};
use lopdf::{Document, Object, Stream, dictionary};

use super::dots;
use crate::fault::PrintFault;
use crate::scan::png;

/// The file that the scanner makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// One PNG; the first page alone.
    Png,
    /// One JPEG of that quality; the first page alone.
    Jpeg(u8),
    /// A TIFF of all pages.
    Tiff,
    /// A PDF with a JPEG on every page.
    Pdf,
    /// A PDF with plain samples on every page, each row told by its difference, deflated.
    PdfFlate,
    /// A PDF with a group 4 fax on every page.
    PdfFax,
    /// A PDF with JBIG2 on every page.
    PdfJbig2,
    /// A TIFF of all pages in black and white (CCITT group 4).
    Fax,
}

/// Puts scanned pages into a file.
///
/// # Errors
/// When an encoder refuses.
pub fn encode(pages: &[RgbImage], dpi: f32, carrier: Carrier) -> Result<Vec<u8>, PrintFault> {
    let first = pages.first().ok_or(PrintFault::Nothing)?;
    match carrier {
        Carrier::Png => png(&as_deep_as_needed(first)).map_err(|fault| refused(&fault)),
        Carrier::Jpeg(quality) => jpeg(first, dpi, quality),
        Carrier::Tiff => tiff_file(pages, dpi),
        Carrier::Pdf => pdf_file(pages, dpi, |page| Ok(dct(page, jpeg(page, dpi, 88)?))),
        Carrier::PdfFlate => pdf_file(pages, dpi, |page| Ok(flate(page))),
        Carrier::PdfFax => pdf_file(pages, dpi, |page| Ok(ccitt(page))),
        Carrier::PdfJbig2 => pdf_file(pages, dpi, |page| Ok(jbig2(page))),
        Carrier::Fax => fax_file(pages, dpi),
    }
}

fn refused(fault: &dyn std::error::Error) -> PrintFault {
    PrintFault::Incomplete { warning: fault.to_string() }
}

/// Grey pictures are stored as such.
fn as_deep_as_needed(page: &RgbImage) -> DynamicImage {
    let grey = page.pixels().all(|Rgb([r, g, b])| r == g && g == b);
    let picture = DynamicImage::ImageRgb8(page.clone());
    if grey { DynamicImage::ImageLuma8(picture.into_luma8()) } else { picture }
}

fn jpeg(page: &RgbImage, dpi: f32, quality: u8) -> Result<Vec<u8>, PrintFault> {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
    encoder.set_pixel_density(PixelDensity::dpi(dots(dpi)));
    as_deep_as_needed(page).write_with_encoder(encoder).map_err(|error| refused(&error))?;
    Ok(bytes)
}

fn tiff_file(pages: &[RgbImage], dpi: f32) -> Result<Vec<u8>, PrintFault> {
    use ::tiff::encoder::{Compression, Rational, TiffEncoder, colortype};
    use ::tiff::tags::ResolutionUnit;
    let mut bytes = Cursor::new(Vec::new());
    let mut write = || -> Result<(), ::tiff::TiffError> {
        let mut encoder = TiffEncoder::new(&mut bytes)?.with_compression(Compression::Lzw);
        for page in pages {
            let (width, height) = page.dimensions();
            let density = || Rational { n: u32::from(dots(dpi)), d: 1 };
            if let DynamicImage::ImageLuma8(grey) = as_deep_as_needed(page) {
                let mut picture = encoder.new_image::<colortype::Gray8>(width, height)?;
                picture.resolution(ResolutionUnit::Inch, density());
                picture.write_data(grey.as_raw())?;
            } else {
                let mut picture = encoder.new_image::<colortype::RGB8>(width, height)?;
                picture.resolution(ResolutionUnit::Inch, density());
                picture.write_data(page.as_raw())?;
            }
        }
        Ok(())
    };
    write().map_err(|error| refused(&error))?;
    Ok(bytes.into_inner())
}

fn pdf_file(
    pages: &[RgbImage],
    dpi: f32,
    picture: impl Fn(&RgbImage) -> Result<Stream, PrintFault>,
) -> Result<Vec<u8>, PrintFault> {
    let mut pdf = Document::with_version("1.5");
    let tree = pdf.new_object_id();
    let mut kids = Vec::new();
    for page in pages {
        let (width, height) = page.dimensions();
        let points = |pixels: u32| Object::Real(crate::raster::real_u32(pixels) / dpi * 72.0);
        let mut stream = picture(page)?;
        stream.dict.set("Type", "XObject");
        stream.dict.set("Subtype", "Image");
        stream.dict.set("Width", i64::from(width));
        stream.dict.set("Height", i64::from(height));
        let picture = pdf.add_object(stream);
        let (w, h) = (points(width), points(height));
        let size = |object: &Object| object.as_float().unwrap_or(0.0);
        let content = format!("q {} 0 0 {} 0 0 cm /Scan Do Q", size(&w), size(&h));
        let content = pdf.add_object(Stream::new(dictionary! {}, content.into_bytes()));
        kids.push(Object::Reference(pdf.add_object(dictionary! {
            "Type" => "Page", "Parent" => tree, "Contents" => content,
            "MediaBox" => vec![0.into(), 0.into(), w, h],
            "Resources" => dictionary! { "XObject" => dictionary! { "Scan" => picture } },
        })));
    }
    let count = i64::try_from(kids.len()).unwrap_or(i64::MAX);
    pdf.objects
        .insert(tree, dictionary! { "Type" => "Pages", "Kids" => kids, "Count" => count }.into());
    let catalog = pdf.add_object(dictionary! { "Type" => "Catalog", "Pages" => tree });
    pdf.trailer.set("Root", catalog);
    let mut bytes = Vec::new();
    pdf.save_to(&mut bytes).map_err(|error| refused(&error))?;
    Ok(bytes)
}

fn dct(page: &RgbImage, jpeg: Vec<u8>) -> Stream {
    let grey = matches!(as_deep_as_needed(page), DynamicImage::ImageLuma8(_));
    let space = if grey { "DeviceGray" } else { "DeviceRGB" };
    let dictionary = dictionary! {
        "Filter" => "DCTDecode", "ColorSpace" => space, "BitsPerComponent" => 8,
    };
    Stream::new(dictionary, jpeg)
}

/// Every sample as its difference to the one above (PNG's second filter).
fn flate(page: &RgbImage) -> Stream {
    let picture = as_deep_as_needed(page);
    let (space, colors) =
        if picture.color().has_color() { ("DeviceRGB", 3) } else { ("DeviceGray", 1) };
    let stride = page.width() as usize * colors;
    let mut samples = Vec::with_capacity(picture.as_bytes().len() + page.height() as usize);
    let mut above = vec![0; stride];
    for row in picture.as_bytes().chunks_exact(stride.max(1)) {
        samples.push(2);
        samples.extend(row.iter().zip(&above).map(|(value, above)| value.wrapping_sub(*above)));
        above.copy_from_slice(row);
    }
    let mut stream = Stream::new(dictionary! {}, samples);
    // Nothing is lost where the samples cannot be made smaller.
    let _ = stream.compress();
    let colors = i64::try_from(colors).unwrap_or(1);
    stream.dict.set("ColorSpace", space);
    stream.dict.set("BitsPerComponent", 8);
    stream.dict.set(
        "DecodeParms",
        dictionary! { "Predictor" => 15, "Colors" => colors, "Columns" => i64::from(page.width()) },
    );
    stream
}

fn two_colours(filter: &str) -> lopdf::Dictionary {
    dictionary! {
        "Filter" => filter, "ColorSpace" => "DeviceGray", "BitsPerComponent" => 1,
    }
}

fn ccitt(page: &RgbImage) -> Stream {
    let mut dictionary = two_colours("CCITTFaxDecode");
    let (columns, rows) = (i64::from(page.width()), i64::from(page.height()));
    dictionary.set("DecodeParms", dictionary! { "K" => -1, "Columns" => columns, "Rows" => rows });
    Stream::new(dictionary, group4(page))
}

/// JBIG2 as PDF wants it (T.88, annex D.3): what the page is like, and one region that is coded as a
/// fax is.
fn jbig2(page: &RgbImage) -> Stream {
    let (width, height) = (page.width().to_be_bytes(), page.height().to_be_bytes());
    let segment = |number: u32, kind: u8, data: &[&[u8]]| {
        let length: usize = data.iter().map(|part| part.len()).sum();
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        // No other segment is referred to; the page is the first.
        let head = [&number.to_be_bytes()[..], &[kind, 0, 1], &length.to_be_bytes()].concat();
        [head, data.concat()].concat()
    };
    let about = segment(0, 48, &[&width, &height, &[0; 8], &[0, 0, 0]]);
    let region = segment(1, 38, &[&width, &height, &[0; 8], &[0, 1], &group4(page)]);
    Stream::new(two_colours("JBIG2Decode"), [about, region].concat())
}

/// A grey picture through a JPEG of that quality and back.
pub(super) fn recompressed(grey: &image::GrayImage, quality: u8) -> Option<image::GrayImage> {
    let mut bytes = Vec::new();
    grey.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, quality)).ok()?;
    let format = image::ImageFormat::Jpeg;
    Some(image::load_from_memory_with_format(&bytes, format).ok()?.into_luma8())
}

/// Dark pixels of a page in the code of group 4 faxes (ITU-T T.6).
pub(super) fn group4(page: &RgbImage) -> Vec<u8> {
    let width = u16::try_from(page.width()).unwrap_or(u16::MAX);
    let mut encoder = fax::encoder::Encoder::new(fax::VecWriter::new());
    for row in page.rows() {
        let colour = |Rgb([_, green, _]): &Rgb<u8>| {
            if *green < 128 { fax::Color::Black } else { fax::Color::White }
        };
        let Ok(()) = encoder.encode_line(row.map(colour), width);
    }
    let Ok(writer) = encoder.finish();
    writer.finish()
}

/// TIFF 6.0, one strip a page.
fn fax_file(pages: &[RgbImage], dpi: f32) -> Result<Vec<u8>, PrintFault> {
    let refuse = |_| PrintFault::Incomplete { warning: "the fax is too large".to_owned() };
    let mut bytes = b"II*\0".to_vec();
    // Where the place of the next directory is written.
    let mut link = bytes.len();
    bytes.extend([0; 4]);
    for page in pages {
        let strip = group4(page);
        let at = u32::try_from(bytes.len()).map_err(refuse)?;
        let length = u32::try_from(strip.len()).map_err(refuse)?;
        bytes.extend(strip);
        bytes.extend(vec![0; bytes.len() % 2]);
        let density = u32::try_from(bytes.len()).map_err(refuse)?;
        bytes.extend(u32::from(dots(dpi)).to_le_bytes());
        bytes.extend(1_u32.to_le_bytes());
        let directory = u32::try_from(bytes.len()).map_err(refuse)?;
        if let Some(place) = bytes.get_mut(link..link + 4) {
            place.copy_from_slice(&directory.to_le_bytes());
        }
        // Tag, type (3 short, 4 long, 5 rational), value.
        let entries = [
            (256_u16, 4_u16, page.width()),
            (257, 4, page.height()),
            (258, 3, 1),
            (259, 3, 4),
            (262, 3, 0),
            (273, 4, at),
            (277, 3, 1),
            (278, 4, page.height()),
            (279, 4, length),
            (282, 5, density),
            (283, 5, density),
            (296, 3, 2),
        ];
        bytes.extend(u16::try_from(entries.len()).unwrap_or(0).to_le_bytes());
        for (tag, kind, value) in entries {
            bytes.extend(tag.to_le_bytes());
            bytes.extend(kind.to_le_bytes());
            bytes.extend(1_u32.to_le_bytes());
            bytes.extend(value.to_le_bytes());
        }
        link = bytes.len();
        bytes.extend([0; 4]);
    }
    Ok(bytes)
}
