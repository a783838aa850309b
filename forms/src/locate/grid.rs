//! A code whose place is known is not searched: its modules are looked at one by one. So a code
//! under a stain, a fold or half a label is read as long as its own correction carries it.

use datamatrix::DataMatrix;
use image::GrayImage;
use rxing::qrcode::decoder::qrcode_decoder::decode_bool_array;

use crate::codes::{self, Modules};
use crate::form3::{CodeBox, CodeKind};
use crate::raster::{Homography, Patch, patch, real, whole};

/// Pixels of a module in the patch.
const PER_MODULE: usize = 5;
/// How many modules the code may lie beside its place, at first and where nothing was found.
const REACHES: [f32; 2] = [1.0, 4.0];
/// Modules of a block that share what is bright and what is dark.
const BLOCK: usize = 4;
/// How many of the fixed modules must be as they always are.
const FIXED: f32 = 0.72;
/// How many modules must be as they are when the text is printed anew: a code seen from behind has
/// no more than half of them right.
const PRINTED_ALIKE: f32 = 0.68;

/// The text of a code in its place; none when it cannot be read.
pub(super) fn read(grey: &GrayImage, map: &Homography, code: &CodeBox) -> Option<String> {
    REACHES.iter().find_map(|reach| within(grey, map, code, *reach))
}

fn within(grey: &GrayImage, map: &Homography, code: &CodeBox, reach: f32) -> Option<String> {
    let side = side(code.kind);
    let module = code.area.w / real(side);
    let area = code.area.grown(module * (reach + 1.0));
    let cut = Middles::of(&patch(grey, map, area, real(PER_MODULE) / module));
    let mut tries: Vec<(f32, Vec<bool>)> = Vec::new();
    let steps = whole(reach * 3.0);
    let off = |step: usize| reach + 1.0 + (real(step) - real(steps)) / 3.0;
    for dy in 0..=2 * steps {
        for dx in 0..=2 * steps {
            let dark = sampled(&cut, side, [off(dx), off(dy)]);
            let share = fixed_share(&dark, side, code.kind);
            if share >= FIXED {
                tries.push((share, dark));
            }
        }
    }
    tries.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    tries.iter().take(4).find_map(|(_, dark)| decoded(dark, side, code.kind))
}

fn side(kind: CodeKind) -> usize {
    match kind {
        CodeKind::Qr => 29,
        CodeKind::DataMatrix => 22,
    }
}

/// The sum of every three by three pixels of a patch: the middle of a module, of five by five.
struct Middles {
    sums: Vec<u16>,
    width: usize,
}

impl Middles {
    fn of(cut: &Patch) -> Self {
        let mut sums = Vec::with_capacity(cut.values.len());
        let rows =
            (0..cut.height.saturating_sub(2)).map(|y| [cut.row(y), cut.row(y + 1), cut.row(y + 2)]);
        let mut columns = vec![0_u16; cut.width];
        for [upper, middle, lower] in rows {
            for (sum, ((a, b), c)) in columns.iter_mut().zip(upper.iter().zip(middle).zip(lower)) {
                *sum = u16::from(*a) + u16::from(*b) + u16::from(*c);
            }
            sums.extend(columns.windows(3).map(|three| three.iter().sum::<u16>()));
        }
        Self { sums, width: cut.width.saturating_sub(2) }
    }

    fn at(&self, x: usize, y: usize) -> u16 {
        self.sums.get(y * self.width + x).copied().unwrap_or(0)
    }
}

/// Whether each module is dark, against what is bright and dark around it; the code begins so many
/// modules from the corner of the patch.
fn sampled(cut: &Middles, side: usize, begin: [f32; 2]) -> Vec<bool> {
    let [left, top] = begin.map(|modules| modules * real(PER_MODULE));
    let place = |from: f32, module: usize| whole(from + real(module * PER_MODULE) + 0.5);
    let columns: Vec<usize> = (0..side).map(|column| place(left, column)).collect();
    let rows: Vec<usize> = (0..side).map(|row| place(top, row)).collect();
    let sums: Vec<u16> =
        rows.iter().flat_map(|y| columns.iter().map(move |x| cut.at(*x, *y))).collect();
    // Shadows differ across a code, neighbours do not: blocks of four by four modules, and those
    // around, tell bright from dark.
    let blocks = side.div_ceil(BLOCK);
    let mut own = vec![(u16::MAX, 0_u16); blocks * blocks];
    for (row, line) in sums.chunks_exact(side).enumerate() {
        for (column, part) in line.chunks(BLOCK).enumerate() {
            if let Some((low, high)) = own.get_mut(row / BLOCK * blocks + column) {
                for value in part {
                    (*low, *high) = ((*low).min(*value), (*high).max(*value));
                }
            }
        }
    }
    let ranges: Vec<(u16, u16)> = (0..blocks * blocks).map(|at| around(&own, blocks, at)).collect();
    let is_dark = |(index, value): (usize, &u16)| {
        let block = index / side / BLOCK * blocks + index % side / BLOCK;
        ranges.get(block).is_some_and(|(low, high)| value * 2 < low + high)
    };
    sums.iter().enumerate().map(is_dark).collect()
}

/// The darkest and the brightest of a block and those beside it.
fn around(own: &[(u16, u16)], blocks: usize, at: usize) -> (u16, u16) {
    let (row, column) = (at / blocks, at % blocks);
    let rows = row.saturating_sub(1)..(row + 2).min(blocks);
    let near = rows.flat_map(|r| {
        let columns = column.saturating_sub(1)..(column + 2).min(blocks);
        columns.filter_map(move |c| own.get(r * blocks + c))
    });
    near.fold((u16::MAX, 0), |(low, high), (l, h)| (low.min(*l), high.max(*h)))
}

/// The share of modules right among those that are the same in every code.
fn fixed_share(dark: &[bool], side: usize, kind: CodeKind) -> f32 {
    let (mut right, mut all) = (0, 0);
    for (index, dark) in dark.iter().enumerate() {
        if let Some(fixed) = fixed(index / side, index % side, side, kind) {
            all += 1;
            right += usize::from(fixed == *dark);
        }
    }
    let share = real(right) / real(all.max(1));
    // A label over a corner of the code hides one of three patterns and more.
    if kind == CodeKind::Qr { share + 0.08 } else { share }
}

/// A module that is the same in every code of a kind.
fn fixed(row: usize, column: usize, side: usize, kind: CodeKind) -> Option<bool> {
    match kind {
        CodeKind::Qr => finder(row, column, side),
        CodeKind::DataMatrix => border(row, column, side),
    }
}

/// The three patterns of a QR code and the stripes between them.
fn finder(row: usize, column: usize, side: usize) -> Option<bool> {
    let far = side - 7;
    let local = match (row, column) {
        (0..7, 0..7) => Some((row, column)),
        (0..7, c) if c >= far => Some((row, c - far)),
        (r, 0..7) if r >= far => Some((r - far, column)),
        _ => None,
    };
    if let Some((r, c)) = local {
        let ring = r.min(c).min(6 - r).min(6 - c);
        return Some(ring != 1);
    }
    match (row, column) {
        (6, c) if c > 7 && c < far - 1 => Some(c.is_multiple_of(2)),
        (r, 6) if r > 7 && r < far - 1 => Some(r.is_multiple_of(2)),
        _ => None,
    }
}

/// The solid and the striped edges of a Data Matrix.
fn border(row: usize, column: usize, side: usize) -> Option<bool> {
    if column == 0 || row == side - 1 {
        return Some(true);
    }
    if row == 0 {
        return Some(column.is_multiple_of(2));
    }
    (column == side - 1).then_some(!row.is_multiple_of(2))
}

fn decoded(dark: &[bool], side: usize, kind: CodeKind) -> Option<String> {
    let seen = dark;
    // The decoders are strict about what is always the same and so tells nothing.
    let dark: Vec<bool> = seen
        .iter()
        .enumerate()
        .map(|(index, dark)| fixed(index / side, index % side, side, kind).unwrap_or(*dark))
        .collect();
    let text = crate::scan::guarded(|| {
        Ok(match kind {
            CodeKind::Qr => {
                let rows: Vec<Vec<bool>> = dark.chunks(side).map(<[bool]>::to_vec).collect();
                decode_bool_array(&rows).ok().map(|result| result.getText().to_owned())
            }
            CodeKind::DataMatrix => {
                let bytes = DataMatrix::decode(&dark, side).ok();
                bytes.and_then(|bytes| String::from_utf8(bytes).ok())
            }
        })
    });
    let text = text.ok().flatten()?;
    let anew = match kind {
        CodeKind::Qr => codes::qr(&text),
        CodeKind::DataMatrix => codes::data_matrix(&text),
    };
    anew.ok().is_some_and(|anew| alike(&anew, seen) >= PRINTED_ALIKE).then_some(text)
}

fn alike(printed: &Modules, dark: &[bool]) -> f32 {
    let same = printed.dark().iter().zip(dark).filter(|(a, b)| a == b).count();
    real(same) / real(dark.len().max(1))
}

#[cfg(test)]
mod tests {
    use image::Luma;

    use super::*;
    use crate::form3::BoxMm;

    const TEXT: &str = "F3:1:B:000000000019:1/2:PVITBOYHY3JQZLUI";

    /// A picture of ten pixels a millimetre with one code at twenty millimetres, seen as it is or
    /// from behind, of which a part is covered.
    fn picture(kind: CodeKind, mirrored: bool, covered: f32) -> (GrayImage, CodeBox) {
        let modules = match kind {
            CodeKind::Qr => codes::qr(TEXT),
            CodeKind::DataMatrix => codes::data_matrix(TEXT),
        };
        let modules = modules.unwrap();
        let side = modules.side;
        let wide = if kind == CodeKind::Qr { 26.0 } else { 16.0 };
        let area = BoxMm::new(20.0, 20.0, wide, wide);
        let picture = GrayImage::from_fn(700, 700, |x, y| {
            let at = |pixel: u32| {
                (crate::raster::real_u32(pixel) + 0.5 - 200.0) / (wide * 10.0) * real(side)
            };
            let (u, v) = (at(x), at(y));
            let inside = u >= 0.0 && v >= 0.0 && u < real(side) && v < real(side);
            if !inside || u + v < covered * real(side) {
                return Luma([240]);
            }
            let (row, column) = (whole(v).max(1) - 1, whole(u).max(1) - 1);
            let column = if mirrored { side - 1 - column } else { column };
            Luma([if modules.dark()[row * side + column] { 30 } else { 235 }])
        });
        (picture, CodeBox { id: "code", kind, area })
    }

    fn map(off: f64) -> Homography {
        let pixel = |mm: [f64; 2]| (mm, [mm[0] * 10.0 + off, mm[1] * 10.0 - off]);
        Homography::fit(&[[0.0, 0.0], [60.0, 0.0], [0.0, 60.0]].map(pixel)).unwrap()
    }

    #[test]
    fn a_code_is_read_beside_its_place_and_under_a_label() {
        for kind in [CodeKind::Qr, CodeKind::DataMatrix] {
            for off in [0.0, 5.0, -22.0] {
                let (picture, code) = picture(kind, false, 0.0);
                assert_eq!(read(&picture, &map(off), &code).as_deref(), Some(TEXT), "{off}");
            }
            let (picture, code) = picture(kind, false, 0.3);
            assert_eq!(read(&picture, &map(2.0), &code).as_deref(), Some(TEXT), "{kind:?}");
        }
    }

    #[test]
    fn a_code_from_behind_is_not_read() {
        for kind in [CodeKind::Qr, CodeKind::DataMatrix] {
            let (picture, code) = picture(kind, true, 0.0);
            assert_eq!(read(&picture, &map(0.0), &code), None, "{kind:?}");
        }
    }
}
