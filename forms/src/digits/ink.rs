//! What is written in a cell: the strokes, freed of dust and of what is left of the frame.

use crate::glyph::Glyph;
use crate::raster::{Patch, Window, real};

/// Smaller spots are dust, in square millimetres.
const DUST_MM2: f32 = 0.12;
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
        let (width, height) = (window.right - window.left, window.bottom - window.top);
        let values: Vec<u8> = patch.inside(window).collect();
        let dark: Vec<bool> = values.iter().map(|value| *value < limit).collect();
        let strokes = strokes(&dark, width, height, patch.per_mm);
        let dusty = strokes.iter().zip(&dark).filter(|(stroke, dark)| **dark && !**stroke).count();
        let dust = real(dusty) / real(values.len().max(1));
        let bounds = bounds(&strokes, width);
        // The soft edges of strokes belong to them, what lies further off does not.
        let paper = patch.percentile(0.75);
        let near = grown(&strokes, width);
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

/// Connected dark areas, less dust and less slivers along the edge, which are the frame.
fn strokes(dark: &[bool], width: usize, height: usize, per_mm: f32) -> Vec<bool> {
    let mut kept = vec![false; dark.len()];
    let mut seen = vec![false; dark.len()];
    for start in 0..dark.len() {
        if dark.get(start) != Some(&true) || seen.get(start) != Some(&false) {
            continue;
        }
        let spot = flood(start, dark, &mut seen, width);
        let [left, top, right, bottom] = extent(&spot, width);
        let thin = real((right - left).min(bottom - top)) < 0.45 * per_mm;
        let at_edge = left == 0 || top == 0 || right >= width || bottom >= height;
        let dust = real(spot.len()) < DUST_MM2 * per_mm * per_mm;
        if dust || (thin && at_edge) {
            continue;
        }
        for at in spot {
            if let Some(kept) = kept.get_mut(at) {
                *kept = true;
            }
        }
    }
    kept
}

fn flood(start: usize, dark: &[bool], seen: &mut [bool], width: usize) -> Vec<usize> {
    let (mut spot, mut next) = (vec![start], 0);
    if let Some(seen) = seen.get_mut(start) {
        *seen = true;
    }
    while let Some(at) = spot.get(next).copied() {
        next += 1;
        let column = at % width;
        for (dy, dx) in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1), (2, 2)] {
            if column + dx == 0 || column + dx > width {
                continue;
            }
            let Some(to) = (at + dy * width + dx).checked_sub(width + 1) else { continue };
            if dark.get(to) == Some(&true)
                && let Some(fresh) = seen.get_mut(to)
                && !*fresh
            {
                *fresh = true;
                spot.push(to);
            }
        }
    }
    spot
}

fn extent(spot: &[usize], width: usize) -> [usize; 4] {
    let columns = || spot.iter().map(|at| at % width);
    let rows = || spot.iter().map(|at| at / width);
    [
        columns().min().unwrap_or(0),
        rows().min().unwrap_or(0),
        columns().max().unwrap_or(0) + 1,
        rows().max().unwrap_or(0) + 1,
    ]
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
