//! Single cells as training sees them: a digit written, printed or copied from a raster into a
//! printed cell, scanned badly, and taken off the paper by the code that reads forms.

use std::sync::LazyLock;

use image::{GrayImage, Rgb, RgbImage};

use super::byte;
use super::chance::Chance;
use super::hand::{Line, Pen, Writer, curve};
use super::ink::{Laid, Written, lay, paint};
use crate::digits::{Judged, judged, network_input};
use crate::fonts::Fonts;
use crate::form3::BoxMm;
use crate::glyph::{Glyph, draw};
use crate::raster::{Homography, Patch, patch, real, real_u32, whole};

/// What is put into a cell.
#[derive(Clone, Copy, Debug)]
pub enum Content<'p> {
    /// The digit by the writer of that seed.
    Hand(u8, u64),
    /// A digit that somebody wrote elsewhere.
    Copied(Written<'p>),
    /// The digit in machine print.
    Print(u8),
    /// Something that is no digit: a letter, a scribble, a digit struck out, two in one cell.
    Junk(Option<Written<'p>>),
}

/// How badly a cell is scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellWear {
    /// As by a scanner in an office.
    Gentle,
    /// As by anything, faxes and telephones among them.
    Hard,
}

/// The size of a cell and what is seen around it, in millimetres.
const CELL: BoxMm = BoxMm::new(1.8, 1.8, 7.0, 9.0);
const SHEET: [f32; 2] = [10.6, 12.6];

/// The networks' input for a cell with that content, worn as the seed says; none when the reader
/// would take the cell for empty.
pub fn worn_cell(content: Content<'_>, wear: CellWear, seed: u64) -> Option<Vec<u8>> {
    let (patch, cell) = scanned_cell(content, wear, seed)?;
    network_input(&patch, cell)
}

/// What the reader of forms makes of that cell.
pub fn read_cell(content: Content<'_>, wear: CellWear, seed: u64) -> Option<Judged> {
    let (patch, cell) = scanned_cell(content, wear, seed)?;
    judged(&patch, cell)
}

/// The cell as it is cut out of a page, and where it was found.
fn scanned_cell(content: Content<'_>, wear: CellWear, seed: u64) -> Option<(Patch, BoxMm)> {
    let mut chance = Chance::new(seed);
    let mut desk = Desk::new(&mut chance, wear)?;
    desk.frame();
    desk.fill(content, CELL.centre());
    if desk.chance.happens(0.15) {
        desk.neighbour();
    }
    let seen = desk.scanned(wear);
    // The frame was found to a fraction of a millimetre.
    let off = [desk.chance.gauss() * 0.07, desk.chance.gauss() * 0.07];
    let area = BoxMm::new(0.0, 0.0, SHEET[0], SHEET[1]);
    Some((patch(&seen, &desk.map, area, 10.0), CELL.moved(off[0], off[1])))
}

/// The little sheet being drawn on.
struct Desk<'c> {
    chance: &'c mut Chance,
    picture: RgbImage,
    map: Homography,
    per_mm: f32,
}

#[expect(clippy::cast_possible_truncation, reason = "places on a small picture")]
fn narrow([x, y]: [f64; 2]) -> [f32; 2] {
    [x as f32, y as f32]
}

impl<'c> Desk<'c> {
    fn new(chance: &'c mut Chance, wear: CellWear) -> Option<Self> {
        // 150 to 300 dots an inch, most often the least.
        let per_mm = match wear {
            CellWear::Gentle => chance.between(7.5, 12.5),
            CellWear::Hard if chance.happens(0.35) => 5.9,
            CellWear::Hard => chance.between(5.7, 12.5),
        };
        let (sin, cos) = (chance.gauss() * 0.02).sin_cos();
        let at = [3.0 + chance.part(), 3.0 + chance.part()];
        let corners = [[0.0, 0.0], [SHEET[0], 0.0], [0.0, SHEET[1]]];
        let pairs = corners.map(|[x, y]| {
            let to = [at[0] + (x * cos - y * sin) * per_mm, at[1] + (x * sin + y * cos) * per_mm];
            ([f64::from(x), f64::from(y)], [f64::from(to[0]), f64::from(to[1])])
        });
        let map = Homography::affine(&pairs)?;
        let side = |mm: f32| u32::try_from(whole((mm + 1.0) * per_mm) + 7).unwrap_or(1);
        let paper = byte(chance.between(205.0, 255.0));
        let warm = byte(f32::from(paper) - chance.between(0.0, 14.0));
        let picture =
            RgbImage::from_pixel(side(SHEET[0]), side(SHEET[1]), Rgb([paper, paper, warm]));
        Some(Self { chance, picture, map, per_mm })
    }

    fn paint(&mut self, lines: &[Line], pen: &Pen) {
        let lines: Vec<Line> = lines
            .iter()
            .map(|line| {
                let pixels = |(point, width): &([f32; 2], f32)| {
                    let [x, y] = *point;
                    (narrow(self.map.apply([f64::from(x), f64::from(y)])), width * self.per_mm)
                };
                line.iter().map(pixels).collect()
            })
            .collect();
        paint(&mut self.picture, &lines, pen, self.chance);
    }

    /// The printed lines of the cell, the row going on to either side or not.
    fn frame(&mut self) {
        let pen = Pen { ink: [64, 72, 84], width_mm: 0.3, swell: 0.0, grain: 0.0 };
        let (left, right) = (
            if self.chance.happens(0.8) { 0.0 } else { CELL.x },
            if self.chance.happens(0.8) { SHEET[0] } else { CELL.right() },
        );
        let line = |from: [f32; 2], to: [f32; 2]| vec![(from, 0.3), (to, 0.3)];
        let lines = [
            line([left, CELL.y], [right, CELL.y]),
            line([left, CELL.bottom()], [right, CELL.bottom()]),
            line([CELL.x, CELL.y], [CELL.x, CELL.bottom()]),
            line([CELL.right(), CELL.y], [CELL.right(), CELL.bottom()]),
        ];
        self.paint(&lines, &pen);
    }

    fn fill(&mut self, content: Content<'_>, centre: [f32; 2]) {
        match content {
            Content::Hand(digit, writer) => self.write(digit, writer, centre),
            Content::Copied(written) => self.copy(written, centre),
            Content::Print(digit) => self.print(char::from(b'0' + digit % 10), centre),
            Content::Junk(written) => self.junk(written, centre),
        }
    }

    fn write(&mut self, digit: u8, writer: u64, centre: [f32; 2]) {
        let writer = Writer::new(writer);
        let lines = writer.lines(digit, centre, self.chance);
        self.paint(&lines, &writer.pen());
    }

    fn copy(&mut self, written: Written<'_>, centre: [f32; 2]) {
        let pen = Pen::any(self.chance);
        let tall = self.chance.between(3.2, 7.6);
        let mut laid = Laid::any(written, centre, tall, self.chance);
        if self.chance.happens(0.4) {
            laid.soft = self.chance.between(0.3, 1.0);
        }
        let at = narrow(self.map.apply([f64::from(laid.centre[0]), f64::from(laid.centre[1])]));
        let scale = laid.scale.map(|mm| mm * self.per_mm);
        lay(&mut self.picture, written, &Laid { centre: at, scale, ..laid }, &pen, self.chance);
    }

    fn print(&mut self, letter: char, centre: [f32; 2]) {
        let faces = &*FACES;
        let glyphs: Vec<&Glyph> =
            faces.iter().filter(|(of, _)| *of == letter).map(|(_, glyph)| glyph).collect();
        let Some(glyph) = self.chance.pick(&glyphs).copied() else { return };
        let mm = self.chance.between(0.85, 1.15) * 16.0 * 0.3528 / EM;
        let ink = [byte(self.chance.between(10.0, 70.0)); 3];
        let at = narrow(self.map.apply([f64::from(centre[0]), f64::from(centre[1])]));
        let step = mm * self.per_mm;
        let off = [real(glyph.width) / 2.0, real(glyph.height) / 2.0];
        for (x, y, pixel) in self.picture.enumerate_pixels_mut() {
            let u = (real_u32(x) + 0.5 - at[0]) / step + off[0];
            let v = (real_u32(y) + 0.5 - at[1]) / step + off[1];
            let cover = glyph.mean(u, v, 0.5 / step) / 255.0;
            if cover > 0.0 {
                for (value, ink) in pixel.0.iter_mut().zip(ink) {
                    *value = crate::seal::blend(*value, ink, cover);
                }
            }
        }
    }

    fn junk(&mut self, written: Option<Written<'_>>, centre: [f32; 2]) {
        let (digit, writer) = (byte(self.chance.between(0.0, 9.99).floor()), self.chance.next());
        let beside = |dx: f32| [centre[0] + dx, centre[1]];
        match self.chance.below(6) {
            0 => {
                let letters: Vec<char> = LETTERS.chars().collect();
                let letter = self.chance.pick(&letters).copied().unwrap_or('あ');
                self.print(letter, centre);
            }
            1 | 2 => {
                match written {
                    Some(written) => self.copy(written, centre),
                    None => self.write(digit, writer, centre),
                }
                self.strike(centre);
            }
            3 => {
                let apart = self.chance.between(1.0, 1.9);
                self.write(digit, writer, beside(-apart));
                let other = byte(self.chance.between(0.0, 9.99).floor());
                self.write(other, writer, beside(apart));
            }
            _ => self.scribble(centre),
        }
    }

    /// Two lines through what was written, as corrections are made.
    fn strike(&mut self, [x, y]: [f32; 2]) {
        let pen = Pen::any(self.chance);
        let slope = self.chance.gauss() * 0.5;
        let lines = [-0.5_f32, 0.5].map(|dy| {
            let y = y + dy + self.chance.gauss() * 0.15;
            vec![([x - 3.4, y + slope], pen.width_mm), ([x + 3.4, y - slope], pen.width_mm)]
        });
        self.paint(&lines, &pen);
    }

    fn scribble(&mut self, [x, y]: [f32; 2]) {
        let pen = Pen::any(self.chance);
        let count = 5 + self.chance.below(6);
        let points: Vec<[f32; 2]> = (0..count)
            .map(|_| [x + self.chance.gauss() * 1.6, y + self.chance.gauss() * 2.0])
            .collect();
        let line = curve(&points, 0.5).into_iter().map(|point| (point, pen.width_mm)).collect();
        self.paint(&[line], &pen);
    }

    /// A stroke that reaches over from the next cell.
    fn neighbour(&mut self) {
        let pen = Pen::any(self.chance);
        let side = if self.chance.happens(0.5) { CELL.x } else { CELL.right() };
        let inward = if side > CELL.centre()[0] { -1.0 } else { 1.0 };
        let deep = self.chance.between(0.0, 1.2) * inward;
        let y = self.chance.between(CELL.y + 1.0, CELL.bottom() - 1.0);
        let from = [side - inward, y + self.chance.gauss()];
        let line = vec![(from, pen.width_mm), ([side + deep, y], pen.width_mm)];
        self.paint(&[line], &pen);
    }

    /// What a scanner, a fax or a camera makes of the sheet.
    fn scanned(&mut self, wear: CellWear) -> GrayImage {
        let hard = wear == CellWear::Hard;
        let (blur, noise) = if hard { (0.14, 11.0) } else { (0.08, 5.0) };
        let mut seen = super::blurred(&self.picture, self.chance.between(0.0, blur) * self.per_mm);
        if hard && self.chance.happens(0.4) {
            shade(&mut seen, self.chance);
        }
        let noise = self.chance.between(0.0, noise);
        let mut grey = GrayImage::new(seen.width(), seen.height());
        for (to, from) in grey.pixels_mut().zip(seen.pixels()) {
            let [r, g, b] = from.0.map(f32::from);
            to.0 = [byte(r * 0.3 + g * 0.59 + b * 0.11 + self.chance.gauss() * noise)];
        }
        if hard && self.chance.happens(0.2) {
            let limit = byte(self.chance.between(125.0, 185.0));
            grey.pixels_mut()
                .for_each(|pixel| pixel.0 = [if pixel.0[0] < limit { 0 } else { 255 }]);
            let specks = self.chance.below(25);
            for _ in 0..specks {
                let (width, height) = (grey.width() as usize, grey.height() as usize);
                let (x, y) = (self.chance.below(width), self.chance.below(height));
                let value = if self.chance.happens(0.5) { 0 } else { 255 };
                if let Some(sample) = grey.get_mut(y * width + x) {
                    *sample = value;
                }
            }
            return grey;
        }
        if self.chance.happens(0.4) {
            let quality = byte(self.chance.between(25.0, 90.0));
            return super::file::recompressed(&grey, quality).unwrap_or(grey);
        }
        grey
    }
}

/// A stain's edge or a shadow across the sheet.
fn shade(picture: &mut RgbImage, chance: &mut Chance) {
    let (width, height) = (real_u32(picture.width()), real_u32(picture.height()));
    let (x, y) = (chance.between(0.0, width), chance.between(0.0, height));
    let (sin, cos) = chance.between(0.0, 6.3).sin_cos();
    let soft = chance.between(0.5, 25.0);
    let dark = chance.between(0.55, 0.95);
    let brown = if chance.happens(0.5) { [1.0, 0.95, 0.85] } else { [1.0; 3] };
    for (px, py, pixel) in picture.enumerate_pixels_mut() {
        let along = (real_u32(px) - x) * cos + (real_u32(py) - y) * sin;
        let inside = (along / soft + 0.5).clamp(0.0, 1.0);
        for (value, tint) in pixel.0.iter_mut().zip(brown) {
            *value = byte(f32::from(*value) * (1.0 - inside * (1.0 - dark * tint)));
        }
    }
}

impl Laid {
    /// Somewhere in a cell, so tall in millimetres, with a slant and a weight of its own.
    pub(crate) fn any(
        written: Written<'_>,
        centre: [f32; 2],
        tall: f32,
        chance: &mut Chance,
    ) -> Self {
        let [left, top, right, bottom] = written.bounds();
        let mm = tall / (bottom - top).max(right - left).max(1.0);
        let wide = mm * chance.between(0.8, 1.1);
        let wide = wide.min(6.0 / (right - left).max(1.0));
        let (dx, dy) = (f32::midpoint(left, right) - 14.0, f32::midpoint(top, bottom) - 14.0);
        let shift = [chance.gauss() * 0.3, chance.gauss() * 0.35];
        Self {
            centre: [centre[0] + shift[0] - dx * wide, centre[1] + shift[1] - dy * mm],
            scale: [wide, mm],
            slant: chance.gauss() * 0.1,
            turn: chance.gauss() * 0.05,
            edge: chance.between(0.25, 0.6),
            soft: 0.3,
        }
    }
}

/// Pixels of an em of the printed shapes.
const EM: f32 = 60.0;

/// Letters that stray into cells, none of which looks like a digit.
const LETTERS: &str = "AEFHKMNPRTWXYあいえおかきくけさしせたちなぬねはひふへまみやゆらるれわカキケサシセタテナネハヒホマムメヤラルレワ-年月日";

static FACES: LazyLock<Vec<(char, Glyph)>> = LazyLock::new(|| {
    let mut shapes = Vec::new();
    for source in &Fonts::embedded().faces {
        let Ok(face) = source.parse() else { continue };
        let letters = LETTERS.chars().chain('0'..='9');
        shapes.extend(letters.filter_map(|c| Some((c, draw(&face, c, EM)?))));
    }
    shapes.extend(crate::digits::viewer_shapes(EM));
    shapes
});
