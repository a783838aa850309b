//! Signs that a row of digits was corrected: printed lines that something covers (correction fluid, tape, a
//! hard eraser), and faint traces of writing beside what is written now (ink that was erased or faded).
//! They are hints for a person; nothing is decided by them.

use serde::Serialize;

use crate::form3::{BoxMm, DigitField};
use crate::raster::spots::{extent, spots};
use crate::raster::{Patch, real, whole};

/// What a person should look at on the paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RowFact {
    /// A piece of the printed frame is covered or gone.
    Covered,
    /// Something faint lies beside the digits, shaped like writing.
    Traces,
}

/// Lines are looked at in pieces of so many millimetres.
const PIECE_MM: f32 = 0.5;
/// A frame has at least this darkness in half of its pieces, 0 to 255; paler ones come and go.
const LEAST_LINE: f32 = 36.0;
/// A piece below this share of the usual one is missing.
const MISSING: f32 = 0.25;
/// So many pieces in a row that are missing are a gap.
const GAP_PIECES: usize = 5;
/// Where more than this share of all pieces is missing, the frame was found in the wrong place.
const MOST_MISSING: f32 = 0.35;

/// The signs on a flattened patch with its frame at that shift.
pub(super) fn facts(patch: &Patch, field: &DigitField, [dx, dy]: [f32; 2]) -> Vec<RowFact> {
    let cells: Vec<BoxMm> = field.cells.iter().map(|cell| cell.moved(dx, dy)).collect();
    let mut facts = Vec::new();
    if is_covered(patch, &cells) {
        facts.push(RowFact::Covered);
    }
    if has_traces(patch, &cells) {
        facts.push(RowFact::Traces);
    }
    facts
}

/// Whether a longer piece of the upper or lower line is missing while the rest of the frame is there.
fn is_covered(patch: &Patch, cells: &[BoxMm]) -> bool {
    let (Some(first), Some(last)) = (cells.first(), cells.last()) else { return false };
    let lines = [first.y, first.bottom()].map(|y| pieces(patch, first.x, last.right(), y));
    let mut all: Vec<f32> = lines.iter().flatten().copied().collect();
    all.sort_by(f32::total_cmp);
    let usual = all.get(all.len() / 2).copied().unwrap_or(0.0);
    if usual < LEAST_LINE {
        return false;
    }
    let is_missing = |piece: &f32| *piece < usual * MISSING;
    let missing = all.iter().filter(|piece| is_missing(piece)).count();
    if real(missing) > real(all.len()) * MOST_MISSING {
        return false;
    }
    lines.iter().any(|line| line.windows(GAP_PIECES).any(|pieces| pieces.iter().all(is_missing)))
}

/// How dark a level line is, piece by piece: its darkest row within a fifth of a millimetre.
fn pieces(patch: &Patch, left: f32, right: f32, y: f32) -> Vec<f32> {
    let count = whole((right - left) / PIECE_MM);
    let piece = |index: usize| {
        let x = left + real(index) * PIECE_MM;
        let window = patch.window(BoxMm::new(x, y - 0.2, PIECE_MM, 0.4));
        let rows = window.top..window.bottom;
        let row = |row: usize| {
            let values = patch.row(row).get(window.left..window.right).unwrap_or_default();
            let sum: f32 = values.iter().map(|value| f32::from(255 - value)).sum();
            sum / real(values.len().max(1))
        };
        rows.map(row).fold(0.0, f32::max)
    };
    (0..count).map(piece).collect()
}

/// What is fainter than ink, but clearly darker than the paper's own unevenness: than three quarters of the
/// paper, twice and a little.
const FAINT: [u8; 2] = [14, 70];
const PAPER: f32 = 0.75;
/// Traces keep so far from ink, whose edges are soft.
const APART_MM: f32 = 0.35;
/// One is at least so large, and as long as a stroke.
const LEAST_MM2: f32 = 0.5;
const LONG_MM: f32 = 2.0;
/// What is broader than this on average, and fills more than this of what it takes, is a stain.
const BROAD_MM: f32 = 0.9;
const FILLED: f32 = 0.35;

/// Whether a faint stroke lies in a cell.
fn has_traces(patch: &Patch, cells: &[BoxMm]) -> bool {
    let smooth = smoothed(patch);
    let least = unevenness(&smooth).saturating_mul(2).saturating_add(4).max(FAINT[0]);
    cells.iter().any(|cell| {
        let window = patch.window(cell.grown(-0.6));
        let (width, height) =
            (window.right.saturating_sub(window.left), window.bottom.saturating_sub(window.top));
        let values: Vec<u8> = smooth.inside(window).map(|value| 255 - value).collect();
        let inked: Vec<bool> = values.iter().map(|dark| *dark > FAINT[1]).collect();
        let near = near(&inked, width, height, whole(APART_MM * patch.per_mm).max(1));
        let faint: Vec<bool> =
            values.iter().zip(near).map(|(dark, near)| *dark >= least && !near).collect();
        let scale = patch.per_mm;
        spots(&faint, width).any(|spot| {
            let [left, top, right, bottom] = extent(&spot, width);
            let long = real((right - left).max(bottom - top)) / scale;
            let area = real(spot.len()) / (scale * scale);
            // A stain fills what it takes, a digit does not.
            let filled = real(spot.len()) / real((right - left) * (bottom - top)).max(1.0);
            area >= LEAST_MM2 && long >= LONG_MM && (area / long <= BROAD_MM || filled <= FILLED)
        })
    })
}

/// How dark most of the paper is, ink aside.
fn unevenness(patch: &Patch) -> u8 {
    let mut paper: Vec<u8> =
        patch.values.iter().map(|value| 255 - value).filter(|dark| *dark <= FAINT[1]).collect();
    let at = whole(real(paper.len()) * PAPER).min(paper.len().saturating_sub(1));
    if paper.is_empty() { 0 } else { *paper.select_nth_unstable(at).1 }
}

/// Means of three by three pixels: noise is finer than writing.
fn smoothed(patch: &Patch) -> Patch {
    let mut values = patch.values.clone();
    let width = patch.width;
    for y in 1..patch.height.saturating_sub(1) {
        for x in 1..width.saturating_sub(1) {
            let rows = (y - 1..=y + 1).map(|row| patch.row(row).get(x - 1..x + 2));
            let sum: u32 = rows.flatten().flatten().map(|value| u32::from(*value)).sum();
            if let Some(value) = values.get_mut(y * width + x) {
                *value = u8::try_from(sum / 9).unwrap_or(u8::MAX);
            }
        }
    }
    Patch { values, ..patch.clone() }
}

/// Places within so many pixels of a place that is set.
fn near(set: &[bool], width: usize, height: usize, reach: usize) -> Vec<bool> {
    let mut near = vec![false; set.len()];
    for at in (0..set.len()).filter(|at| set.get(*at) == Some(&true)) {
        let (x, y) = (at % width.max(1), at / width.max(1));
        for row in y.saturating_sub(reach)..(y + reach + 1).min(height) {
            let columns = x.saturating_sub(reach)..(x + reach + 1).min(width);
            let row = near.get_mut(row * width + columns.start..row * width + columns.end);
            row.into_iter().flatten().for_each(|near| *near = true);
        }
    }
    near
}
