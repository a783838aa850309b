//! The registered seal: found by its colour, cut out, and compared as advice; drawn for specimens.

mod likeness;
mod reuse;
mod shape;
mod specimen;
mod unevenness;

pub use likeness::{Alignment, aligned, is_specimen, likeness};
pub use reuse::{InkPattern, REUSED, Suspect};
pub use specimen::Impression;
pub(crate) use specimen::{PER_MM as STAMP_PER_MM, VERMILION, blend};

use image::{DynamicImage, GrayImage, RgbImage};
use serde::Serialize;

use crate::form3::BoxMm;
use crate::raster::{Homography, colour_patch, patch};
use crate::scan::{PageImage, png};

/// What stands in a seal box.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SealReading {
    /// Whether there is an impression.
    pub found: bool,
    /// Where it lies on the page in millimetres; the seal may reach beyond its box.
    pub bbox_mm: Option<BoxMm>,
    /// Whether it has the colour of seal ink: without, the page may be a copy.
    pub coloured: bool,
    /// What a clerk should look at.
    pub facts: Vec<SealFact>,
    /// The box with the impression as a PNG, empty unless crops or pictures were asked for.
    #[serde(skip)]
    pub crop: Vec<u8>,
}

impl SealReading {
    /// No impression.
    pub(crate) fn none() -> Self {
        Self { found: false, bbox_mm: None, coloured: false, facts: Vec::new(), crop: Vec::new() }
    }
}

/// What is to be said of an impression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SealFact {
    /// It reaches to the edge of what was looked at, or of the picture.
    Cut,
    /// Its lines have run together.
    Smudged,
    /// A part of its outline is missing.
    Partial,
    /// It is too large or too long for one impression: stamped twice, or two seals.
    Double,
    /// The scan has no colour, or the impression has none.
    Colourless,
}

/// A seal set partly beside its box is still seen.
pub const AROUND_MM: f32 = 4.0;
const PER_MM: f32 = 6.0;
/// An impression without colour is looked for so far inside its box at least, where the printed frame
/// cannot be taken for it.
const INSIDE_MM: f32 = -1.5;
/// Crops for people keep 300 dpi.
pub(crate) const CROP_PER_MM: f32 = 11.8;

/// Looks for an impression in a box.
pub(crate) fn read_seal(
    page: &PageImage,
    map: &Homography,
    area: BoxMm,
    crops: bool,
) -> SealReading {
    let around = area.grown(AROUND_MM);
    let coloured = page.colours().and_then(|colours| {
        let cut = colour_patch(colours, map, around, PER_MM);
        let mask = red_mask(&cut);
        shape::find(&mask, cut.width() as usize, around)
    });
    let inside = area.grown(INSIDE_MM);
    let dark = || {
        let cut = patch(&page.grey, map, inside, PER_MM);
        let limit = cut.percentile(0.8).saturating_sub(60);
        let mask: Vec<bool> = cut.values.iter().map(|value| *value < limit).collect();
        shape::find(&mask, cut.width, inside)
    };
    let is_coloured = coloured.is_some();
    let found = coloured.or_else(dark);
    let mut facts = found.as_ref().map(|found| found.facts.clone()).unwrap_or_default();
    if found.is_some() && !is_coloured {
        facts.push(SealFact::Colourless);
    }
    SealReading {
        found: found.is_some(),
        bbox_mm: found.map(|found| tenths(found.bounds)),
        coloured: is_coloured,
        facts,
        crop: if crops { crop(page, map, around) } else { Vec::new() },
    }
}

fn tenths(area: BoxMm) -> BoxMm {
    let round = |value: f32| (value * 10.0).round() / 10.0;
    BoxMm::new(round(area.x), round(area.y), round(area.w), round(area.h))
}

/// The area as a picture for people.
pub(crate) fn crop(page: &PageImage, map: &Homography, area: BoxMm) -> Vec<u8> {
    let picture = if let Some(colours) = page.colours() {
        DynamicImage::ImageRgb8(colour_patch(colours, map, area, CROP_PER_MM))
    } else {
        let cut = patch(&page.grey, map, area, CROP_PER_MM);
        let size = (u32::try_from(cut.width), u32::try_from(cut.height));
        let grey = match size {
            (Ok(width), Ok(height)) => GrayImage::from_raw(width, height, cut.values),
            _ => None,
        };
        DynamicImage::ImageLuma8(grey.unwrap_or_default())
    };
    png(&picture).unwrap_or_default()
}

/// Pixels of seal ink: red stands out against green and blue, whatever the paper's tint; coffee is
/// red too, but its blue is far below its green.
pub(crate) fn red_mask(picture: &RgbImage) -> Vec<bool> {
    let redness = |pixel: &[u8]| match pixel {
        [r, g, b] => i32::from(*r) - i32::from((*g).max(*b)),
        _ => 0,
    };
    let yellow = |pixel: &[u8]| match pixel {
        [_, g, b] => i32::from(*g) - i32::from(*b),
        _ => 0,
    };
    let mut sorted: Vec<i32> = picture.as_raw().chunks_exact(3).map(redness).collect();
    let at = |sorted: &mut Vec<i32>, part: usize| {
        let index = (sorted.len() * part / 1000).min(sorted.len().saturating_sub(1));
        if sorted.is_empty() { 0 } else { *sorted.select_nth_unstable(index).1 }
    };
    // Yellowed paper and a warm lamp shift everything alike; a dim lamp makes all ink weaker.
    let paper = at(&mut sorted, 500).max(0);
    let strongest = at(&mut sorted, 990) - paper;
    let limit = (strongest * 2 / 5).clamp(22, 34);
    let is_ink = |pixel: &[u8]| {
        let red = redness(pixel) - paper;
        red > limit && yellow(pixel) * 2 < red + 16
    };
    picture.as_raw().chunks_exact(3).map(is_ink).collect()
}
