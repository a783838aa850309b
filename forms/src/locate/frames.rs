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

fn look(grey: &GrayImage, map: &Homography, anchor: &Anchor, reach: f32) -> Option<(Place, Place)> {
    let cut = patch(grey, map, anchor.area.grown(reach + 0.8), PER_MM);
    let frame = find_frame_within(&cut, anchor.area, &anchor.columns, reach);
    frame.seen().then(|| {
        let [x, y] = anchor.area.centre();
        let found = map.apply([f64::from(x + frame.dx), f64::from(y + frame.dy)]);
        ([f64::from(x), f64::from(y)], found)
    })
}

/// The map corrected by all frames that are seen, and the share of them.
pub(super) fn snapped(grey: &GrayImage, map: &Homography, page: &PageLayout) -> (Homography, f32) {
    let all = anchors(page);
    let (mut best, mut share) = (*map, 0.0);
    for _ in 0..2 {
        let pairs: Vec<_> =
            all.iter().filter_map(|anchor| look(grey, &best, anchor, NEAR_MM)).collect();
        share = real(pairs.len()) / real(all.len().max(1));
        // Too few frames may be letters that happen to stand like frames.
        if share < 0.4 {
            return (best, share);
        }
        let Some(fitted) = robust(&pairs) else { return (best, share) };
        let moved = furthest(&best, &fitted);
        best = fitted;
        if moved < 0.5 * best.scale() {
            break;
        }
    }
    (best, share)
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

/// From a map that is good only around one place to the whole page: the rows of cells next to what
/// is known correct the map, and so reach the next ones.
pub(super) fn grown(
    grey: &GrayImage,
    known: &[(Place, Place)],
    rough: &Homography,
    page: &PageLayout,
) -> Homography {
    let from = known.first().map_or([105.0, 148.0], |(mm, _)| *mm);
    let mut left: Vec<Anchor> = rows(page).collect();
    let distance = |anchor: &Anchor| {
        let [x, y] = anchor.area.centre();
        (f64::from(x) - from[0]).hypot(f64::from(y) - from[1])
    };
    left.sort_by(|a, b| distance(a).total_cmp(&distance(b)));
    let (mut map, mut pairs) = (*rough, known.to_vec());
    for anchor in &left {
        let Some(pair) = look(grey, &map, anchor, FAR_MM) else { continue };
        pairs.push(pair);
        // Perspective shows only once the pairs are spread.
        let fitted = if pairs.len() >= known.len() + 6 {
            robust(&pairs)
        } else {
            Homography::affine(&pairs)
        };
        map = fitted.unwrap_or(map);
    }
    map
}

/// Whether so large a share of frames can only be a page of ours.
pub(super) fn convinces(share: f32) -> bool {
    share >= 0.7
}
