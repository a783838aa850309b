//! Impressions of invented company seals, for specimens, demonstrations and tests.

use image::{DynamicImage, Rgb, RgbImage};
use ttf_parser::Face;

use crate::fault::PrintFault;
use crate::fonts::Fonts;
use crate::glyph::{Glyph, draw};
use crate::raster::real;
use crate::scan::png;

/// A seal as a stamp: how much ink it leaves where.
#[derive(Clone, Debug, PartialEq)]
pub struct Impression {
    side: usize,
    /// Cover 0 to 1, row by row.
    cover: Vec<f32>,
}

/// Pixels of one millimetre of a stamp.
pub(crate) const PER_MM: f32 = 12.0;

/// Seal ink (朱肉).
pub(crate) const VERMILION: [u8; 3] = [206, 38, 32];

/// The proportions that differ from one seal to the next.
struct Cut {
    radius: f32,
    inner: f32,
    line: f32,
    outer_text: f32,
}

impl Impression {
    /// A round company seal: the company's name between two rings, 代表者印 within. The seed varies
    /// size and proportions, so that two companies never have the same seal.
    ///
    /// # Errors
    /// Names the character that the embedded face lacks.
    pub fn company(name: &str, seed: u64) -> Result<Self, PrintFault> {
        let fonts = Fonts::embedded();
        let missing = |character| PrintFault::MissingGlyph { character, text: name.to_owned() };
        let source = fonts.faces.last().ok_or(PrintFault::Nothing)?;
        let face = source.parse()?;
        let cut = Cut {
            radius: 8.4 + part(seed, 0) * 1.2,
            inner: 0.56 + part(seed, 8) * 0.08,
            line: 0.42 + part(seed, 16) * 0.25,
            outer_text: 0.82 + part(seed, 24) * 0.16,
        };
        let side = crate::raster::whole((cut.radius * 2.0 + 1.0) * PER_MM);
        let mut seal = Self { side, cover: vec![0.0; side * side] };
        seal.ring(cut.radius, cut.line * 1.5);
        seal.ring(cut.radius * cut.inner, cut.line);
        seal.around(&face, name, &cut).map_err(missing)?;
        seal.within(&face, "代表者印", &cut).map_err(missing)?;
        Ok(seal)
    }

    /// The seal of a registered specimen (PNG) that is so many millimetres wide.
    ///
    /// # Errors
    /// When the picture cannot be decoded.
    pub fn of_specimen(picture: &[u8], side_mm: f32) -> Result<Self, crate::ReadFault> {
        let picture = super::likeness::decode(picture)?;
        let side = crate::raster::whole(side_mm * PER_MM).max(1);
        let u32_side = u32::try_from(side).unwrap_or(1);
        let small = image::imageops::thumbnail(&picture, u32_side, u32_side);
        // Green tells ink from paper best.
        let cover = small.pixels().map(|pixel| 1.0 - f32::from(pixel.0[1]) / 255.0).collect();
        Ok(Self { side, cover })
    }

    /// The impression as a PNG: vermilion on white at 300 dpi, as in a ledger of specimens.
    ///
    /// # Errors
    /// When the encoder refuses.
    pub fn to_png(&self) -> Result<Vec<u8>, crate::ReadFault> {
        let side = u32::try_from(self.side).unwrap_or(1);
        let picture = RgbImage::from_fn(side, side, |x, y| {
            let cover = self.at(f64::from(x) + 0.5, f64::from(y) + 0.5);
            let ink = |ink: u8| blend(255, ink, cover);
            Rgb(VERMILION.map(ink))
        });
        png(&DynamicImage::ImageRgb8(picture))
    }

    /// The diameter in millimetres.
    pub fn side_mm(&self) -> f32 {
        real(self.side) / PER_MM
    }

    /// The cover at a place in pixels of the stamp.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be inside"
    )]
    pub(crate) fn at(&self, x: f64, y: f64) -> f32 {
        let most = f64::from(real(self.side));
        if !(0.0..most).contains(&x) || !(0.0..most).contains(&y) {
            return 0.0;
        }
        self.cover.get(y as usize * self.side + x as usize).copied().unwrap_or(0.0)
    }

    fn middle(&self) -> f32 {
        real(self.side) / 2.0
    }

    fn ring(&mut self, radius: f32, line: f32) {
        let (side, middle) = (self.side, self.middle());
        for (index, cover) in self.cover.iter_mut().enumerate() {
            let (x, y) = (real(index % side) + 0.5 - middle, real(index / side) + 0.5 - middle);
            let off = (x.hypot(y) / PER_MM - (radius - line / 2.0)).abs();
            let share = ((line / 2.0 - off) * PER_MM + 0.5).clamp(0.0, 1.0);
            *cover = cover.max(share);
        }
    }

    /// Characters around the circle, their feet towards the middle.
    fn around(&mut self, face: &Face<'_>, text: &str, cut: &Cut) -> Result<(), char> {
        let band = cut.radius * (1.0 - cut.inner) - cut.line * 2.0;
        let size = band * cut.outer_text;
        let distance = cut.radius * f32::midpoint(1.0, cut.inner) - cut.line / 4.0;
        let count = text.chars().count().max(1);
        for (index, character) in text.chars().enumerate() {
            let turn = std::f32::consts::TAU * (real(index) + 0.5) / real(count);
            let glyph = draw(face, character, size * PER_MM).ok_or(character)?;
            let (sin, cos) = turn.sin_cos();
            self.set(&glyph, [sin * distance, -cos * distance], turn);
        }
        Ok(())
    }

    /// Two columns, read from the right.
    fn within(&mut self, face: &Face<'_>, text: &str, cut: &Cut) -> Result<(), char> {
        let room = cut.radius * cut.inner - cut.line;
        let size = room * 0.72;
        for (index, character) in text.chars().enumerate().take(4) {
            let glyph = draw(face, character, size * PER_MM).ok_or(character)?;
            let column = if index < 2 { 0.5 } else { -0.5 };
            let row = if index % 2 == 0 { -0.5 } else { 0.5 };
            self.set(&glyph, [column * size * 1.02, row * size * 1.02], 0.0);
        }
        Ok(())
    }

    /// Sets a character around a place in millimetres from the middle.
    fn set(&mut self, glyph: &Glyph, place: [f32; 2], turn: f32) {
        let (side, middle) = (self.side, self.middle());
        let (sin, cos) = turn.sin_cos();
        for (index, cover) in self.cover.iter_mut().enumerate() {
            let x = real(index % side) + 0.5 - middle - place[0] * PER_MM;
            let y = real(index / side) + 0.5 - middle - place[1] * PER_MM;
            let column = x * cos + y * sin + real(glyph.width) / 2.0;
            let row = y * cos - x * sin + real(glyph.height) / 2.0;
            *cover = cover.max(glyph.cover(column, row));
        }
    }
}

impl Glyph {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be inside"
    )]
    fn cover(&self, x: f32, y: f32) -> f32 {
        if x < 0.0 || y < 0.0 || x >= real(self.width) || y >= real(self.height) {
            return 0.0;
        }
        let value = self.values.get(y as usize * self.width + x as usize).copied().unwrap_or(0);
        f32::from(value) / 255.0
    }
}

/// A number between 0 and 1 from eight bits of the seed, spread by a multiplication.
fn part(seed: u64, shift: u32) -> f32 {
    let mixed = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_right(shift);
    f32::from((mixed >> 56) as u8) / 255.0
}

/// Mixes ink into a value.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between two bytes")]
pub(crate) fn blend(paper: u8, ink: u8, cover: f32) -> u8 {
    (f32::from(paper) * (1.0 - cover) + f32::from(ink) * cover).round() as u8
}
