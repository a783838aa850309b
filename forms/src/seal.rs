//! The registered seal: found by its colour, cut out, and compared as advice; drawn for specimens.

mod likeness;
mod specimen;

pub use likeness::likeness;
pub use specimen::Impression;
pub(crate) use specimen::{PER_MM as STAMP_PER_MM, VERMILION, blend};

use image::{DynamicImage, GrayImage, RgbImage};
use serde::Serialize;

use crate::form3::BoxMm;
use crate::raster::{Homography, colour_patch, patch, real};
use crate::scan::{PageImage, png};

/// What stands in a seal box.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SealReading {
    /// Whether there is an impression.
    pub found: bool,
    /// Where it lies on the page in millimetres; the seal may reach beyond its box.
    pub bbox_mm: Option<BoxMm>,
    /// Whether it has the colour of seal ink: without, the page may be a copy.
    #[serde(skip)]
    pub coloured: bool,
    /// The box with the impression as a PNG, empty unless crops were asked for.
    #[serde(skip)]
    pub crop: Vec<u8>,
}

/// A seal set partly beside its box is still seen.
const AROUND_MM: f32 = 4.0;
const PER_MM: f32 = 6.0;
/// Crops for people keep 300 dpi.
const CROP_PER_MM: f32 = 11.8;
/// An impression covers at least so much: a ring of 10 mm has about 12 mm².
const LEAST_MM2: f32 = 7.0;
/// Company seals measure 10 to 30 mm.
const LEAST_SIDE_MM: f32 = 6.0;
/// Connected ink below this is dust, in square millimetres.
const DUST_MM2: f32 = 0.15;

/// Looks for an impression in a box.
pub(crate) fn read_seal(
    page: &PageImage,
    map: &Homography,
    area: BoxMm,
    crops: bool,
) -> SealReading {
    let around = area.grown(AROUND_MM);
    let coloured = page.colour.as_ref().and_then(|colour| {
        let cut = colour_patch(colour, map, around, PER_MM);
        let mask = red_mask(&cut);
        extent(&mask, cut.width() as usize, around)
    });
    // Black on a copy: only well inside, where the printed frame cannot be taken for it.
    let inside = area.grown(-1.5);
    let dark = || {
        let cut = patch(&page.grey, map, inside, PER_MM);
        let limit = cut.percentile(0.8).saturating_sub(60);
        let mask: Vec<bool> = cut.values.iter().map(|value| *value < limit).collect();
        extent(&mask, cut.width, inside)
    };
    let bbox = coloured.or_else(dark);
    SealReading {
        found: bbox.is_some(),
        bbox_mm: bbox.map(tenths),
        coloured: coloured.is_some(),
        crop: if crops { crop(page, map, around) } else { Vec::new() },
    }
}

fn tenths(area: BoxMm) -> BoxMm {
    let round = |value: f32| (value * 10.0).round() / 10.0;
    BoxMm::new(round(area.x), round(area.y), round(area.w), round(area.h))
}

/// The area as a picture for people.
pub(crate) fn crop(page: &PageImage, map: &Homography, area: BoxMm) -> Vec<u8> {
    let picture = if let Some(colour) = &page.colour {
        DynamicImage::ImageRgb8(colour_patch(colour, map, area, CROP_PER_MM))
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

/// Pixels of seal ink: red stands out against green and blue, whatever the paper's tint.
pub(crate) fn red_mask(picture: &RgbImage) -> Vec<bool> {
    let redness = |pixel: &[u8]| match pixel {
        [r, g, b] => i32::from(*r) - i32::from((*g).max(*b)),
        _ => 0,
    };
    let mut sorted: Vec<i32> = picture.as_raw().chunks_exact(3).map(redness).collect();
    let middle = sorted.len() / 2;
    // Yellowed paper and a warm lamp shift everything alike.
    let paper = if sorted.is_empty() { 0 } else { *sorted.select_nth_unstable(middle).1 };
    picture.as_raw().chunks_exact(3).map(|pixel| redness(pixel) - paper.max(0) > 34).collect()
}

/// The bounds of everything that is more than dust, when it is large enough for a seal.
fn extent(mask: &[bool], width: usize, area: BoxMm) -> Option<BoxMm> {
    let height = mask.len() / width.max(1);
    let (mut left, mut top, mut right, mut bottom) = (width, height, 0, 0);
    let mut ink = 0;
    for spot in spots(mask, width) {
        if real(spot.len()) < DUST_MM2 * PER_MM * PER_MM {
            continue;
        }
        ink += spot.len();
        for at in spot {
            left = left.min(at % width);
            right = right.max(at % width + 1);
            top = top.min(at / width);
            bottom = bottom.max(at / width + 1);
        }
    }
    let mm = |pixels: usize| real(pixels) / PER_MM;
    let large = real(ink) >= LEAST_MM2 * PER_MM * PER_MM
        && mm(right.saturating_sub(left)) >= LEAST_SIDE_MM
        && mm(bottom.saturating_sub(top)) >= LEAST_SIDE_MM;
    large.then(|| {
        BoxMm::new(area.x + mm(left), area.y + mm(top), mm(right - left), mm(bottom - top))
    })
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
