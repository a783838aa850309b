//! The number in print under the QR code: a third witness of whose page it is.

use image::GrayImage;

use crate::digits::{BothHands, DigitReader, separate};
use crate::form3::{BoxMm, CodeKind, PageLayout};
use crate::raster::{Homography, patch, real};
use crate::submission::SubmissionNumber;

const PER_MM: f32 = 18.0;
/// Digits of the number are so high at least; hyphens are not.
const LEAST_MM: f32 = 1.6;
const MOST_MM: f32 = 3.4;

/// The check digit catches every single wrong digit, so that each need only be likely.
const LIKELY: f32 = 0.5;

/// The number, when all twelve digits are likely and the check digit agrees.
pub(super) fn printed_number(
    grey: &GrayImage,
    map: &Homography,
    page: &PageLayout,
) -> Option<SubmissionNumber> {
    let code = page.codes.iter().find(|code| code.kind == CodeKind::Qr)?;
    let [x, _] = code.area.centre();
    let line = BoxMm::new(x - 17.0, code.area.bottom() + 2.2, 34.0, 3.6);
    let cut = patch(grey, map, line, PER_MM).flattened(0.7);
    let mut digits = String::new();
    for glyph in separate(&cut) {
        let tall = real(glyph.height) / PER_MM;
        if !(LEAST_MM..MOST_MM).contains(&tall) || glyph.width > glyph.height {
            continue;
        }
        let judged = BothHands.read(&glyph).filter(|judged| judged.confidence >= LIKELY)?;
        digits.push(judged.digit);
    }
    digits.parse().ok()
}
