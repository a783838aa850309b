//! Paper as it comes back in the post: printed pages stamped, ticked, skewed, blurred, made noisy
//! and scanned. Everything follows from a seed; for tests and demonstrations.

use std::io::Cursor;

use image::codecs::jpeg::{JpegEncoder, PixelDensity};
use image::{DynamicImage, Rgb, RgbImage};
use lopdf::{Document, Object, Stream, dictionary};

use crate::fault::{PrintFault, ReadFault};
use crate::form3::BoxMm;
use crate::raster::{Place, real};
use crate::scan::{Depth, Limits, png, render_pages};
use crate::seal::{Impression, STAMP_PER_MM, VERMILION, blend};

/// A printed page on which people write and stamp.
#[derive(Clone, Debug)]
pub struct PaperSheet {
    picture: RgbImage,
    per_mm: f32,
}

/// How a sheet lies in the scanner and what the scanner does to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wear {
    /// Quarter turns clockwise.
    pub quarter_turns: u8,
    /// Degrees clockwise on top.
    pub skew: f32,
    /// Radius of the blur in millimetres.
    pub blur_mm: f32,
    /// Standard deviation of the noise, of 255.
    pub noise: f32,
    /// What the scanner keeps of colour.
    pub depth: Depth,
    /// Where the noise comes from.
    pub seed: u64,
}

impl Default for Wear {
    fn default() -> Self {
        Self {
            quarter_turns: 0,
            skew: 0.0,
            blur_mm: 0.05,
            noise: 4.0,
            depth: Depth::Colour,
            seed: 1,
        }
    }
}

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
}

impl PaperSheet {
    /// Prints a PDF at that resolution.
    ///
    /// # Errors
    /// When the PDF cannot be rendered.
    pub fn print(pdf: &[u8], dpi: f32) -> Result<Vec<Self>, ReadFault> {
        let pages = render_pages(pdf, dpi, &Limits::default())?;
        Ok(pages.into_iter().map(|picture| Self { picture, per_mm: dpi / 25.4 }).collect())
    }

    /// The resolution in dots an inch.
    pub fn dpi(&self) -> f32 {
        self.per_mm * 25.4
    }

    /// Presses a seal onto the sheet: the ink lets print shine through and lies unevenly.
    pub fn stamp(&mut self, seal: &Impression, centre: [f32; 2], degrees: f32, seed: u64) {
        let mut chance = Chance::new(seed);
        let (sin, cos) = f64::from(degrees.to_radians()).sin_cos();
        let half = f64::from(seal.side_mm()) / 2.0;
        let tilt = (chance.gauss() * 0.08, chance.gauss() * 0.08);
        let per_mm = f64::from(self.per_mm);
        let reach = narrow(half * 1.5);
        let near = BoxMm::new(centre[0] - reach, centre[1] - reach, 2.0 * reach, 2.0 * reach);
        for (x, y, pixel) in near_pixels(&mut self.picture, near, self.per_mm) {
            let dx = (f64::from(x) + 0.5) / per_mm - f64::from(centre[0]);
            let dy = (f64::from(y) + 0.5) / per_mm - f64::from(centre[1]);
            let (u, v) = (dx * cos + dy * sin + half, dy * cos - dx * sin + half);
            let cover = seal.at(u * f64::from(STAMP_PER_MM), v * f64::from(STAMP_PER_MM));
            let pressed = 0.88 + tilt.0 * narrow(dx / half) + tilt.1 * narrow(dy / half);
            let cover = (cover * (pressed + chance.gauss() * 0.05)).clamp(0.0, 0.97);
            for (value, ink) in pixel.0.iter_mut().zip(VERMILION) {
                *value = blend(*value, ink.min(*value), cover);
            }
        }
    }

    /// A tick by ball pen: two strokes that are never quite the same.
    pub fn tick(&mut self, area: BoxMm, seed: u64) {
        let mut chance = Chance::new(seed);
        let mut at = |x: f32, y: f32| {
            [
                area.x + area.w * (x + chance.gauss() * 0.05),
                area.y + area.h * (y + chance.gauss() * 0.05),
            ]
        };
        let (start, turn, end) = (at(0.15, 0.5), at(0.42, 0.85), at(0.95, 0.05));
        self.stroke(start, turn, 0.45);
        self.stroke(turn, end, 0.45);
    }

    /// A straight stroke of dark blue ink.
    pub fn stroke(&mut self, from: [f32; 2], to: [f32; 2], width_mm: f32) {
        const BALL_PEN: [u8; 3] = [28, 36, 96];
        let per_mm = self.per_mm;
        let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
        let length = (dx * dx + dy * dy).max(1e-6);
        let corner = [from[0].min(to[0]), from[1].min(to[1])];
        let near = BoxMm::new(corner[0], corner[1], dx.abs(), dy.abs()).grown(width_mm + 1.0);
        for (x, y, pixel) in near_pixels(&mut self.picture, near, per_mm) {
            let place = [narrow(f64::from(x) + 0.5) / per_mm, narrow(f64::from(y) + 0.5) / per_mm];
            let along = ((place[0] - from[0]) * dx + (place[1] - from[1]) * dy) / length;
            let along = along.clamp(0.0, 1.0);
            let off = (place[0] - from[0] - along * dx).hypot(place[1] - from[1] - along * dy);
            let cover = ((width_mm / 2.0 - off) * per_mm + 0.5).clamp(0.0, 0.95);
            if cover > 0.0 {
                for (value, ink) in pixel.0.iter_mut().zip(BALL_PEN) {
                    *value = blend(*value, ink, cover);
                }
            }
        }
    }

    /// The picture that the scanner sees.
    pub fn scan(&self, wear: &Wear) -> RgbImage {
        let blurred = blurred(&self.picture, wear.blur_mm * self.per_mm);
        let skewed = skewed(&blurred, wear.skew);
        let mut turned = match wear.quarter_turns % 4 {
            1 => image::imageops::rotate90(&skewed),
            2 => image::imageops::rotate180(&skewed),
            3 => image::imageops::rotate270(&skewed),
            _ => skewed,
        };
        let mut chance = Chance::new(wear.seed);
        for pixel in turned.pixels_mut() {
            let common = chance.gauss() * wear.noise;
            for value in &mut pixel.0 {
                *value = byte(
                    f32::from(*value) * 0.97 + 4.0 + common + chance.gauss() * wear.noise * 0.4,
                );
            }
            if wear.depth != Depth::Colour {
                let [r, g, b] = pixel.0.map(f32::from);
                let grey = r * 0.3 + g * 0.59 + b * 0.11;
                let two = if grey < 150.0 { 0.0 } else { 255.0 };
                *pixel = Rgb([byte(if wear.depth == Depth::Bilevel { two } else { grey }); 3]);
            }
        }
        turned
    }
}

/// The pixels of an area given in millimetres, with their coordinates.
fn near_pixels(
    picture: &mut RgbImage,
    area: BoxMm,
    per_mm: f32,
) -> impl Iterator<Item = (u32, u32, &mut Rgb<u8>)> {
    let bound = |mm: f32| u32::from(dots((mm * per_mm).max(0.0)));
    let (columns, rows) = (bound(area.x)..bound(area.right()), bound(area.y)..bound(area.bottom()));
    picture
        .enumerate_rows_mut()
        .filter(move |(y, _)| rows.contains(y))
        .flat_map(|(_, row)| row)
        .filter(move |(x, _, _)| columns.contains(x))
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

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few hundred dots")]
fn dots(dpi: f32) -> u16 {
    dpi.round() as u16
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a byte")]
fn byte(value: f32) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

#[expect(clippy::cast_possible_truncation, reason = "positions on a page")]
fn narrow(value: f64) -> f32 {
    value as f32
}

/// Two passes of a box filter each way come close enough to a lens.
fn blurred(picture: &RgbImage, radius: f32) -> RgbImage {
    let share = radius.clamp(0.0, 3.0);
    if share < 0.1 {
        return picture.clone();
    }
    let once = smeared(&smeared(picture, share, [1, 0]), share, [0, 1]);
    smeared(&smeared(&once, share, [1, 0]), share, [0, 1])
}

/// A filter of three taps whose outer weights grow with the radius; edges stay as they are.
fn smeared(picture: &RgbImage, radius: f32, [dx, dy]: [usize; 2]) -> RgbImage {
    let outer = (radius / (1.0 + 2.0 * radius)).min(1.0 / 3.0);
    // In 256ths, so that no pixel costs a rounding.
    let outer = u32::from(byte(outer * 256.0));
    let reach = usize::from(dots(radius.max(1.0)));
    let values = picture.as_raw();
    let step = reach * (dx * 3 + dy * picture.width() as usize * 3);
    let mut mixed = values.clone();
    let after = values.iter().skip(2 * step);
    for (value, (a, b)) in mixed.iter_mut().skip(step).zip(values.iter().zip(after)) {
        let sum = u32::from(*value) * (256 - 2 * outer) + (u32::from(*a) + u32::from(*b)) * outer;
        *value = u8::try_from((sum + 128) >> 8).unwrap_or(u8::MAX);
    }
    RgbImage::from_raw(picture.width(), picture.height(), mixed).unwrap_or_else(|| picture.clone())
}

/// Turned around the middle by a few degrees, on a scanner bed that holds all of it.
fn skewed(picture: &RgbImage, degrees: f32) -> RgbImage {
    if degrees.abs() < 0.01 {
        return picture.clone();
    }
    let (sin, cos) = f64::from(degrees.to_radians()).sin_cos();
    let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
    let wide = pixels(width * cos + height * sin.abs());
    let high = pixels(height * cos + width * sin.abs());
    RgbImage::from_fn(wide, high, |x, y| {
        let dx = f64::from(x) + 0.5 - f64::from(wide) / 2.0;
        let dy = f64::from(y) + 0.5 - f64::from(high) / 2.0;
        let (u, v) = (dx * cos + dy * sin + width / 2.0, dy * cos - dx * sin + height / 2.0);
        bilinear(picture, [u, v])
    })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a size in pixels")]
fn pixels(size: f64) -> u32 {
    size.ceil() as u32
}

#[expect(clippy::many_single_char_names, reason = "the four neighbours of a place")]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be inside")]
fn bilinear(picture: &RgbImage, [x, y]: Place) -> Rgb<u8> {
    let (x, y) = (x - 0.5, y - 0.5);
    if x < 0.0 || y < 0.0 {
        return Rgb([255; 3]);
    }
    let (left, top) = (x as u32, y as u32);
    let (fx, fy) = (narrow(x.fract()), narrow(y.fract()));
    let at =
        |x: u32, y: u32| picture.get_pixel_checked(x, y).map_or([255.0; 3], |p| p.0.map(f32::from));
    let (a, b) = (at(left, top), at(left + 1, top));
    let (c, d) = (at(left, top + 1), at(left + 1, top + 1));
    let mut mixed = [0; 3];
    for (index, value) in mixed.iter_mut().enumerate() {
        let of = |values: &[f32; 3]| values.get(index).copied().unwrap_or(255.0);
        let upper = of(&a) * (1.0 - fx) + of(&b) * fx;
        let lower = of(&c) * (1.0 - fx) + of(&d) * fx;
        *value = byte(upper * (1.0 - fy) + lower * fy);
    }
    Rgb(mixed)
}

/// A small generator (xorshift64*) whose numbers are the same on every machine.
struct Chance(u64);

impl Chance {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Near enough a normal distribution: the sum of four bytes, freed of its mean.
    fn gauss(&mut self) -> f32 {
        let bytes = self.next().to_be_bytes();
        let sum: f32 = bytes.iter().take(4).map(|byte| f32::from(*byte)).sum();
        (sum - 510.0) / (real(2) * 73.9)
    }
}
