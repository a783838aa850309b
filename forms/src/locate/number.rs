//! The number in print under the QR code: a third witness of whose page it is.

use image::GrayImage;

use crate::digits::{BothHands, DigitReader, MACHINE_PRINT, separate};
use crate::form3::{BoxMm, CodeKind, PageLayout};
use crate::glyph::Glyph;
use crate::raster::{Homography, patch, real};
use crate::submission::SubmissionNumber;

const PER_MM: f32 = 18.0;
/// Digits of the number are so high at least; hyphens are not.
const LEAST_MM: f32 = 1.6;
const MOST_MM: f32 = 3.4;

/// What the shapes leave open counts when handwriting would read it alike.
const LIKELY: f32 = 0.5;

/// The number, when all twelve digits are read and the check digit agrees. That alone would not do:
/// it catches one wrong digit, but of the numbers in which every 6 was taken for a 0 it lets a tenth
/// pass, and a number that is not the code's keeps a good form from its case.
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
        digits.push(printed_digit(&glyph)?);
    }
    digits.parse().ok()
}

/// A digit that is known to be printed, so that its shape has the first word.
fn printed_digit(glyph: &Glyph) -> Option<char> {
    let shape = MACHINE_PRINT.read(glyph)?;
    if shape.certain {
        return Some(shape.digit);
    }
    let written = BothHands::default().read(glyph)?;
    (written.digit == shape.digit && written.confidence >= LIKELY).then_some(shape.digit)
}
