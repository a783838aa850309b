//! What is written in a cell: the strokes, freed of dust and of what is left of the frame.

use crate::glyph::Glyph;
use crate::raster::spots::{extent, flood};
use crate::raster::{Patch, Window, real, whole};

/// Smaller spots are dust, in square millimetres.
const DUST_MM2: f32 = 0.12;
/// What touches the edge of a cell and is smaller than this against the largest stroke, and reaches
/// in no further than that, belongs to the next cell.
const STRAY: f32 = 0.3;
const STRAY_MM: f32 = 1.4;
/// A spot smaller than this against the largest stroke, and further from it than that, is a speck.
const SPECK: f32 = 0.07;
const APART_MM: f32 = 0.4;
/// A frame comes in no further than this, and is dark over so much of a side.
const FRAME_MM: f32 = 0.5;
const FRAMED: f32 = 0.92;
/// The height that printed and written digits have at least, in millimetres.
const LEAST_HEIGHT_MM: f32 = 1.6;

/// The ink of a cell: darkness of the connected strokes that are more than dust.
pub(super) struct Ink {
    width: usize,
    values: Vec<u8>,
    /// The bounds of the strokes: left, top, right, bottom.
    bounds: Option<[usize; 4]>,
    /// The share of the cell that is dust.
    pub(super) dust: f32,
    per_mm: f32,
}

impl Ink {
    pub(super) fn of(patch: &Patch, window: Window, limit: u8) -> Self {
        let window = unframed(patch, window, limit);
        let (width, height) = (window.right - window.left, window.bottom - window.top);
        let values: Vec<u8> = patch.inside(window).collect();
        let dark: Vec<bool> = values.iter().map(|value| *value < limit).collect();
        let strokes = strokes(&dark, width, height, patch.per_mm);
        let dusty = strokes.iter().zip(&dark).filter(|(stroke, dark)| **dark && !**stroke).count();
        let dust = real(dusty) / real(values.len().max(1));
        let bounds = bounds(&strokes, width);
        // The soft edges of strokes belong to them, what lies further off does not.
        let paper = patch.percentile(0.75);
        let near = grown(&grown(&strokes, width), width);
        let values = values
            .iter()
            .zip(near)
            .map(|(value, near)| if near { paper.saturating_sub(*value) } else { 0 })
            .collect();
        Self { width, values, bounds, dust, per_mm: patch.per_mm }
    }

    /// What is written, cropped; none when nothing is.
    pub(super) fn glyph(&self) -> Option<Glyph> {
        let [left, top, right, bottom] = self.bounds?;
        if real(bottom - top) < LEAST_HEIGHT_MM * self.per_mm {
            return None;
        }
        let rows = self.values.chunks_exact(self.width.max(1)).take(bottom).skip(top);
        let values =
            rows.flat_map(|row| row.get(left..right).unwrap_or_default()).copied().collect();
        Some(Glyph { width: right - left, height: bottom - top, values })
    }
}

/// A connected dark area.
struct Spot {
    places: Vec<usize>,
    /// Left, top, right, bottom.
    extent: [usize; 4],
}

impl Spot {
    /// How far it reaches from the edge of the cell that it touches; none when it touches none.
    fn reach(&self, width: usize, height: usize) -> Option<usize> {
        let [left, top, right, bottom] = self.extent;
        let sideways = (left == 0).then_some(right).or((right >= width).then(|| width - left));
        let upright = (top == 0).then_some(bottom).or((bottom >= height).then(|| height - top));
        sideways.into_iter().chain(upright).min()
    }

    /// How far apart two areas lie, the larger of both directions.
    fn gap(&self, other: &Self) -> usize {
        let ([left, top, right, bottom], [l, t, r, b]) = (self.extent, other.extent);
        let across = l.saturating_sub(right).max(left.saturating_sub(r));
        across.max(t.saturating_sub(bottom)).max(top.saturating_sub(b))
    }
}

/// Connected dark areas, less dust, less slivers along the edge, which are the frame, and less what
/// reaches over from the next cell.
fn strokes(dark: &[bool], width: usize, height: usize, per_mm: f32) -> Vec<bool> {
    let mut seen = vec![false; dark.len()];
    let mut spots: Vec<Spot> = Vec::new();
    for start in 0..dark.len() {
        if dark.get(start) != Some(&true) || seen.get(start) != Some(&false) {
            continue;
        }
        let places = flood(start, dark, &mut seen, width);
        let spot = Spot { extent: extent(&places, width), places };
        let [left, top, right, bottom] = spot.extent;
        let thin = real((right - left).min(bottom - top)) < 0.45 * per_mm;
        let dust = real(spot.places.len()) < DUST_MM2 * per_mm * per_mm;
        if dust || (thin && spot.reach(width, height).is_some()) {
            continue;
        }
        spots.push(spot);
    }
    let mut kept = vec![false; dark.len()];
    let Some(main) = spots.iter().max_by_key(|spot| spot.places.len()) else { return kept };
    let belongs = |spot: &&Spot| {
        let share = real(spot.places.len()) / real(main.places.len().max(1));
        match spot.reach(width, height) {
            Some(reach) if share < STRAY => real(reach) > STRAY_MM * per_mm,
            _ => share >= SPECK || real(spot.gap(main)) < APART_MM * per_mm,
        }
    };
    for at in spots.iter().filter(belongs).flat_map(|spot| &spot.places) {
        if let Some(kept) = kept.get_mut(*at) {
            *kept = true;
        }
    }
    kept
}

/// The window less the frame where it came in: rows and columns at its edges that are dark for the
/// most part.
fn unframed(patch: &Patch, window: Window, limit: u8) -> Window {
    let deep = whole(FRAME_MM * patch.per_mm);
    let dark = |x: usize, y: usize| patch.row(y).get(x).is_some_and(|value| *value < limit);
    let line = |fixed: usize, from: usize, to: usize, upright: bool| {
        let count =
            (from..to).filter(|at| if upright { dark(fixed, *at) } else { dark(*at, fixed) });
        real(count.count()) > FRAMED * real(to - from)
    };
    let Window { left, top, right, bottom } = window;
    // The innermost line that is dark, and one more for its soft edge.
    let inner = |found: Option<usize>| found.map_or(0, |at| at + 2);
    let near = deep.min((right - left) / 4).min((bottom - top) / 4);
    let cut = [
        inner((0..near).rev().find(|at| line(left + at, top, bottom, true))),
        inner((0..near).rev().find(|at| line(top + at, left, right, false))),
        inner((0..near).rev().find(|at| line(right - 1 - at, top, bottom, true))),
        inner((0..near).rev().find(|at| line(bottom - 1 - at, left, right, false))),
    ];
    Window {
        left: left + cut[0],
        top: top + cut[1],
        right: right - cut[2],
        bottom: bottom - cut[3],
    }
}

fn bounds(kept: &[bool], width: usize) -> Option<[usize; 4]> {
    let all: Vec<usize> =
        kept.iter().enumerate().filter(|(_, kept)| **kept).map(|(at, _)| at).collect();
    (!all.is_empty()).then(|| extent(&all, width.max(1)))
}

/// One pixel more on every side.
fn grown(kept: &[bool], width: usize) -> Vec<bool> {
    let on = |at: Option<usize>| at.and_then(|at| kept.get(at)).copied().unwrap_or(false);
    (0..kept.len())
        .map(|at| {
            let rows = [at.checked_sub(width), Some(at), at.checked_add(width)];
            rows.into_iter().any(|row| {
                on(row) || on(row.and_then(|at| at.checked_sub(1))) || on(row.map(|at| at + 1))
            })
        })
        .collect()
}

/// All that is written on a line, piece by piece from left to right.
pub(crate) fn separate(patch: &Patch) -> Vec<Glyph> {
    // Half way to the ink: small type stands so close that its soft edges touch.
    let limit = 255 - (255 - patch.percentile(0.02)) / 2;
    let dark: Vec<bool> = patch.values.iter().map(|value| *value < limit).collect();
    let mut seen = vec![false; dark.len()];
    let mut pieces: Vec<[usize; 4]> = Vec::new();
    for start in 0..dark.len() {
        if dark.get(start) != Some(&true) || seen.get(start) != Some(&false) {
            continue;
        }
        let spot = flood(start, &dark, &mut seen, patch.width);
        if real(spot.len()) >= DUST_MM2 / 2.0 * patch.per_mm * patch.per_mm {
            pieces.push(extent(&spot, patch.width));
        }
    }
    pieces.sort_unstable();
    let darkness = |[left, top, right, bottom]: [usize; 4]| {
        let values = (top..bottom)
            .flat_map(|y| patch.row(y).get(left..right).unwrap_or_default())
            .map(|value| 255 - value)
            .collect();
        Glyph { width: right - left, height: bottom - top, values }
    };
    pieces.into_iter().map(darkness).collect()
}
