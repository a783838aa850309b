//! The printed frames of fields as marks: a rough map is corrected by where they really lie, and a
//! map under which they are not there is none.

use image::GrayImage;

use crate::boxes::find_frame_within;
use crate::form3::{BoxMm, PageLayout};
use crate::raster::{Homography, Place, patch, real};

/// A tick box, or a few cells of a row.
pub(super) struct Anchor {
    area: BoxMm,
    columns: Vec<f32>,
}

/// Cells that are searched together: many enough to be told from letters, few enough to bend.
const CELLS: usize = 4;

pub(super) fn anchors(page: &PageLayout) -> Vec<Anchor> {
    let ticks = page
        .checkboxes
        .iter()
        .map(|field| Anchor { area: field.area, columns: vec![field.area.x, field.area.right()] });
    ticks.chain(rows(page)).collect()
}

fn rows(page: &PageLayout) -> impl Iterator<Item = Anchor> + '_ {
    page.digits.iter().flat_map(|field| field.cells.chunks(CELLS)).filter_map(|cells| {
        let (first, last) = (cells.first()?, cells.last()?);
        let columns = cells.iter().map(|cell| cell.x).chain([last.right()]).collect();
        let area = BoxMm::new(first.x, first.y, last.right() - first.x, first.h);
        Some(Anchor { area, columns })
    })
}

/// The usual reach of a search in millimetres.
const NEAR_MM: f32 = 1.6;
/// The reach while only a code is known: less than half a cell, so that rows are not confused.
const FAR_MM: f32 = 3.2;
/// Resolution of the search in pixels a millimetre.
const PER_MM: f32 = 8.0;

fn look(
    grey: &GrayImage,
    map: &Homography,
    anchor: &Anchor,
    reach: f32,
) -> Option<((Place, Place), f32)> {
    let cut = patch(grey, map, anchor.area.grown(reach + 0.8), PER_MM);
    let frame = find_frame_within(&cut, anchor.area, &anchor.columns, reach);
    frame.seen().then(|| {
        let [x, y] = anchor.area.centre();
        let found = map.apply([f64::from(x + frame.dx), f64::from(y + frame.dy)]);
        (([f64::from(x), f64::from(y)], found), frame.contrast)
    })
}

/// What the frames of a page say of a map.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frames {
    /// The share of them that is seen.
    pub(crate) share: f32,
    /// How dark the lines of half of them are at least, 0 to 255.
    pub(crate) contrast: f32,
}

/// The map corrected by all frames that are seen, and what they say.
pub(super) fn snapped(
    grey: &GrayImage,
    map: &Homography,
    page: &PageLayout,
) -> (Homography, Frames) {
    let all = anchors(page);
    let (mut best, mut frames) = (*map, Frames { share: 0.0, contrast: 0.0 });
    if is_hopeless(grey, map, all.iter().step_by(all.len() / PROBES + 1)) {
        return (best, frames);
    }
    for _ in 0..2 {
        let mut contrasts = Vec::new();
        let mut pairs = Vec::new();
        for anchor in &all {
            if let Some((pair, contrast)) = look(grey, &best, anchor, NEAR_MM) {
                pairs.push(pair);
                contrasts.push(contrast);
            }
        }
        contrasts.sort_by(f32::total_cmp);
        let contrast = contrasts.get(contrasts.len() / 2).copied().unwrap_or(0.0);
        frames = Frames { share: real(pairs.len()) / real(all.len().max(1)), contrast };
        // Too few frames may be letters that happen to stand like frames.
        if frames.share < 0.4 {
            return (best, frames);
        }
        pairs.extend(marks_near(grey, &best, page));
        let Some(fitted) = robust(&pairs) else { return (best, frames) };
        let moved = furthest(&best, &fitted);
        best = fitted;
        if moved < 0.5 * best.scale() {
            break;
        }
    }
    (best, frames)
}

/// At most so many frames are looked at before all of them are, and so many of these must be there: on a bad page
/// most guesses are wrong, and print looks like a frame now and then.
const PROBES: usize = 12;
const PROBED: usize = 3;

/// Whether next to none of some frames is where a map says.
fn is_hopeless<'a>(
    grey: &GrayImage,
    map: &Homography,
    some: impl Iterator<Item = &'a Anchor>,
) -> bool {
    some.filter(|anchor| look(grey, map, anchor, NEAR_MM).is_some()).take(PROBED).count() < PROBED
}

/// How far a mark may lie from where the frames put it, in millimetres.
const MARK_MM: f64 = 2.5;

/// The marks that lie about where they should; fields keep away from corners.
fn marks_near(grey: &GrayImage, map: &Homography, page: &PageLayout) -> Vec<(Place, Place)> {
    let scale = map.scale();
    let near = |[x, y, _]: &[f32; 3]| {
        let mm = [f64::from(*x), f64::from(*y)];
        let expected = map.apply(mm);
        let at = super::marks::search(grey, expected, scale)?;
        let off = (at[0] - expected[0]).hypot(at[1] - expected[1]);
        (off < MARK_MM * scale).then_some((mm, at))
    };
    page.marks.iter().filter_map(near).collect()
}

/// The share of frames that lie where the map says.
pub(super) fn share(grey: &GrayImage, map: &Homography, page: &PageLayout) -> f32 {
    let all = anchors(page);
    let seen = all.iter().filter(|anchor| look(grey, map, anchor, NEAR_MM).is_some()).count();
    real(seen) / real(all.len().max(1))
}

/// How far the two maps are apart at the corners of the page, in pixels.
fn furthest(one: &Homography, other: &Homography) -> f64 {
    let corners = [[12.0, 12.0], [198.0, 12.0], [198.0, 285.0], [12.0, 285.0]];
    let apart = |corner| {
        let ([x0, y0], [x1, y1]) = (one.apply(corner), other.apply(corner));
        (x1 - x0).hypot(y1 - y0)
    };
    corners.into_iter().map(apart).fold(0.0, f64::max)
}

/// The map through pairs of which some are wrong: those far from it are left out once.
pub(super) fn robust(pairs: &[(Place, Place)]) -> Option<Homography> {
    let rough = Homography::fit(pairs)?;
    let off = |map: &Homography, (mm, at): &(Place, Place)| {
        let [x, y] = map.apply(*mm);
        (x - at[0]).hypot(y - at[1]) / map.scale()
    };
    let mut offs: Vec<f64> = pairs.iter().map(|pair| off(&rough, pair)).collect();
    offs.sort_by(f64::total_cmp);
    let middle = offs.get(offs.len() / 2).copied().unwrap_or(0.0);
    let limit = (middle * 2.5).max(0.2);
    let good: Vec<_> = pairs.iter().filter(|pair| off(&rough, pair) <= limit).copied().collect();
    if good.len() < 4 { Some(rough) } else { Homography::fit(&good) }
}

/// After so many frames that are not there, the rest is looked for only when one of so many was.
const LOST: usize = 12;
const FOUND: usize = 3;

/// From a map that is good only around some places to the whole page: the frames next to what is
/// known correct the map, and so reach the next ones.
pub(super) fn grown(
    grey: &GrayImage,
    known: &[(Place, Place)],
    rough: &Homography,
    page: &PageLayout,
) -> Homography {
    let distance = |anchor: &Anchor| {
        let [x, y] = anchor.area.centre();
        let to = |([u, v], _): &(Place, Place)| (f64::from(x) - u).hypot(f64::from(y) - v);
        known.iter().map(to).fold(f64::MAX, f64::min)
    };
    // Known places that span the page bear a projective map from the first frames on.
    let spread = known.iter().map(|(mm, _)| mm[1]).fold(0.0, f64::max) > 200.0;
    let enough = known.len() + if spread { 2 } else { 6 };
    let mut left = anchors(page);
    left.sort_by(|a, b| distance(a).total_cmp(&distance(b)));
    let (mut map, mut pairs) = (*rough, known.to_vec());
    for _ in 0..3 {
        let before = pairs.len();
        let mut missed = Vec::new();
        for anchor in left {
            // Not even next to what is known: it is nothing of ours.
            let found = pairs.len() - known.len();
            if missed.len() >= LOST && found * FOUND < missed.len() {
                return *rough;
            }
            let Some((pair, _)) = look(grey, &map, &anchor, FAR_MM) else {
                missed.push(anchor);
                continue;
            };
            pairs.push(pair);
            let fitted =
                if pairs.len() >= enough { robust(&pairs) } else { Homography::affine(&pairs) };
            map = fitted.unwrap_or(map);
        }
        left = missed;
        if pairs.len() == before {
            break;
        }
    }
    map
}

/// Whether so large a share of frames can only be a page of ours.
pub(super) fn convinces(share: f32) -> bool {
    share >= 0.7
}
