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
        Carrier::Pdf => pdf_file(pages, dpi),
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

fn pdf_file(pages: &[RgbImage], dpi: f32) -> Result<Vec<u8>, PrintFault> {
    let mut pdf = Document::with_version("1.4");
    let tree = pdf.new_object_id();
    let mut kids = Vec::new();
    for page in pages {
        let (width, height) = page.dimensions();
        let points = |pixels: u32| Object::Real(crate::raster::real_u32(pixels) / dpi * 72.0);
        let space = if matches!(as_deep_as_needed(page), DynamicImage::ImageLuma8(_)) {
            "DeviceGray"
        } else {
            "DeviceRGB"
        };
        let picture = pdf.add_object(Stream::new(
            dictionary! {
                "Type" => "XObject", "Subtype" => "Image", "Filter" => "DCTDecode",
                "Width" => i64::from(width), "Height" => i64::from(height),
                "ColorSpace" => space, "BitsPerComponent" => 8,
            },
            jpeg(page, dpi, 88)?,
        ));
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
