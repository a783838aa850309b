//! The shape of an impression: how large its ink is, whether it goes around, and what looks wrong.

use super::{PER_MM, SealFact};
use crate::form3::BoxMm;
use crate::raster::real;

/// An impression covers at least so much: a ring of 10 mm has about 12 mm².
const LEAST_MM2: f32 = 7.0;
/// Company seals measure 10 to 30 mm.
const LEAST_SIDE_MM: f32 = 6.0;
/// One impression of a company's seal is no larger.
const MOST_SIDE_MM: f32 = 25.0;
/// Connected ink below this is dust, in square millimetres.
const DUST_MM2: f32 = 0.15;
/// Directions from the middle in which ink is looked for.
const SECTORS: usize = 16;
/// A seal has ink in so many of them at least: a stroke of a red pen has it in few.
const LEAST_SECTORS: usize = 8;
/// A whole outline has it in so many.
const WHOLE_SECTORS: usize = 13;

/// An impression in a mask.
pub(super) struct Found {
    pub(super) bounds: BoxMm,
    pub(super) facts: Vec<SealFact>,
}

/// Everything that is more than dust, when it is large enough for a seal and goes around.
pub(super) fn find(mask: &[bool], width: usize, area: BoxMm) -> Option<Found> {
    let height = mask.len() / width.max(1);
    let (mut left, mut top, mut right, mut bottom) = (width, height, 0, 0);
    let mut ink: Vec<usize> = Vec::new();
    for spot in spots(mask, width) {
        if real(spot.len()) < DUST_MM2 * PER_MM * PER_MM {
            continue;
        }
        for at in &spot {
            left = left.min(at % width);
            right = right.max(at % width + 1);
            top = top.min(at / width);
            bottom = bottom.max(at / width + 1);
        }
        ink.extend(spot);
    }
    let mm = |pixels: usize| real(pixels) / PER_MM;
    let (wide, high) = (mm(right.saturating_sub(left)), mm(bottom.saturating_sub(top)));
    let inked = real(ink.len()) / (PER_MM * PER_MM);
    if inked < LEAST_MM2 || wide < LEAST_SIDE_MM || high < LEAST_SIDE_MM {
        return None;
    }
    let around = sectors(&ink, width, [real(left + right) / 2.0, real(top + bottom) / 2.0]);
    if around < LEAST_SECTORS {
        return None;
    }
    let mut facts = Vec::new();
    if left == 0 || top == 0 || right == width || bottom == height {
        facts.push(SealFact::Cut);
    }
    // The lines of a seal cover about half of its disc.
    if inked > 0.8 * wide * high * std::f32::consts::FRAC_PI_4 {
        facts.push(SealFact::Smudged);
    }
    if around < WHOLE_SECTORS {
        facts.push(SealFact::Partial);
    }
    if wide.max(high) > MOST_SIDE_MM || wide.max(high) > 1.4 * wide.min(high) {
        facts.push(SealFact::Double);
    }
    let bounds = BoxMm::new(area.x + mm(left), area.y + mm(top), wide, high);
    Some(Found { bounds, facts })
}

/// In how many directions there is ink well away from the middle.
fn sectors(ink: &[usize], width: usize, [x, y]: [f32; 2]) -> usize {
    let reach = ink.iter().map(|at| (real(at % width) - x).hypot(real(at / width) - y));
    let most = reach.fold(0.0, f32::max);
    let mut counts = [0_usize; SECTORS];
    for at in ink {
        let (dx, dy) = (real(at % width) + 0.5 - x, real(at / width) + 0.5 - y);
        if dx.hypot(dy) > most * 0.45 {
            let turn = dy.atan2(dx) / std::f32::consts::TAU + 0.5;
            let sector = crate::raster::whole(turn * real(SECTORS)).saturating_sub(1);
            if let Some(count) = counts.get_mut(sector) {
                *count += 1;
            }
        }
    }
    // A few pixels are no line.
    let least = crate::raster::whole(PER_MM);
    counts.iter().filter(|count| **count >= least).count()
}

/// Connected areas of a mask.
fn spots(mask: &[bool], width: usize) -> Vec<Vec<usize>> {
    let mut seen = vec![false; mask.len()];
    let mut found = Vec::new();
    for start in 0..mask.len() {
        let mut spot = Vec::new();
        let mut stack = vec![start];
        while let Some(at) = stack.pop() {
            let fresh = mask.get(at) == Some(&true) && seen.get(at) == Some(&false);
            let Some(mark) = seen.get_mut(at).filter(|_| fresh) else { continue };
            *mark = true;
            spot.push(at);
            let column = at % width.max(1);
            stack.extend([at.checked_sub(width), Some(at + width)].into_iter().flatten());
            stack.extend(column.checked_sub(1).map(|_| at - 1));
            if column + 1 < width {
                stack.push(at + 1);
            }
        }
        if !spot.is_empty() {
            found.push(spot);
        }
    }
    found
}
