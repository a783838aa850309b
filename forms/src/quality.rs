//! How good the picture of a page is: what a clerk should know before trusting or refusing it.

use serde::Serialize;

use crate::form3::{BoxMm, PAGE_MM, PageLayout, RING_MARK};
use crate::raster::{Homography, patch, real};
use crate::scan::{Depth, PageImage};

/// How good a picture is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Quality {
    /// What the scan keeps of colour.
    pub depth: Depth,
    /// How many millimetres an edge of a corner mark takes from dark to bright.
    pub blur_mm: Option<f32>,
    /// What is to be said of it.
    pub facts: Vec<QualityFact>,
}

/// What is to be said of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum QualityFact {
    /// Without colour a seal cannot be judged, and a copy not be told: a colour scan is wanted.
    AskForColour,
    /// Less than 150 dots an inch.
    LowResolution,
    /// Edges are so soft that thin strokes are lost.
    Blurred,
    /// A corner of the page lies beyond the picture.
    Cut,
}

/// Thin strokes are lost beyond this.
const BLURRED_MM: f32 = 0.55;
/// What is printed keeps so far from the edge of the paper: less than that may be cut off.
const MARGIN_MM: f32 = 7.0;

/// Beyond this digits are easier taken for others: scanners of offices stay below.
const SOFT_MM: f32 = 0.19;

impl Quality {
    /// Whether edges are soft, though nothing is lost.
    pub(crate) fn is_soft(&self) -> bool {
        self.blur_mm.is_some_and(|blur| blur > SOFT_MM)
    }

    pub(crate) fn of(picture: &PageImage, map: &Homography, page: &PageLayout) -> Self {
        let blur_mm = blur(picture, map, page);
        let mut facts = Vec::new();
        if picture.depth != Depth::Colour {
            facts.push(QualityFact::AskForColour);
        }
        if map.scale() * 25.4 < 145.0 {
            facts.push(QualityFact::LowResolution);
        }
        if blur_mm.is_some_and(|blur| blur > BLURRED_MM) {
            facts.push(QualityFact::Blurred);
        }
        if is_cut(picture, map) {
            facts.push(QualityFact::Cut);
        }
        Self { depth: picture.depth, blur_mm, facts }
    }
}

fn is_cut(picture: &PageImage, map: &Homography) -> bool {
    let (wide, high) = picture.size();
    let inside = BoxMm::new(0.0, 0.0, PAGE_MM[0], PAGE_MM[1]).grown(-MARGIN_MM);
    let corners = [
        [inside.x, inside.y],
        [inside.right(), inside.y],
        [inside.right(), inside.bottom()],
        [inside.x, inside.bottom()],
    ];
    corners.into_iter().any(|[x, y]| {
        let [u, v] = map.apply([f64::from(x), f64::from(y)]);
        !(0.0..f64::from(wide)).contains(&u) || !(0.0..f64::from(high)).contains(&v)
    })
}

/// The middle of what the edges of the filled marks take.
fn blur(picture: &PageImage, map: &Homography, page: &PageLayout) -> Option<f32> {
    let marks = page.marks.iter().enumerate().filter(|(index, _)| *index != RING_MARK);
    let mut widths: Vec<f32> = marks.filter_map(|(_, mark)| edge(picture, map, *mark)).collect();
    widths.sort_by(f32::total_cmp);
    let middle = widths.get(widths.len() / 2).copied();
    middle.map(|width| (width * 100.0).round() / 100.0)
}

/// From four fifths to one fifth of the way between paper and ink, across the left edge of a mark.
fn edge(picture: &PageImage, map: &Homography, [x, y, size]: [f32; 3]) -> Option<f32> {
    const PER_MM: f32 = 24.0;
    let area = BoxMm::new(x - size / 2.0 - 1.5, y - 0.8, size / 2.0 + 1.5, 1.6);
    let cut = patch(&picture.grey, map, area, PER_MM);
    let mut sums = vec![0.0_f32; cut.width];
    for row in 0..cut.height {
        for (sum, value) in sums.iter_mut().zip(cut.row(row)) {
            *sum += f32::from(*value);
        }
    }
    let (paper, ink) = (*sums.first()?, *sums.last()?);
    let span = paper - ink;
    if span < 60.0 * real(cut.height) {
        return None;
    }
    let crossed = |share: f32| sums.iter().position(|sum| *sum < ink + span * share);
    let (from, to) = (crossed(0.8)?, crossed(0.2)?);
    Some(real(to.saturating_sub(from)) / PER_MM)
}
