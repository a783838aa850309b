//! Form 3 on paper: what is the same on every copy, and what is filled in.

mod instructions;
mod page;
mod values;

pub(crate) use instructions::{WINDOW, draw_folds, draw_instructions};
pub(crate) use page::draw_page;
pub(crate) use values::{draw_identity, draw_specimen, draw_values};

use crate::form3::{BoxMm, Variant};
use crate::sheet::Ink;

/// The colours of a variant: never red, which belongs to the seal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Palette {
    /// The band with the title, and headings.
    pub(crate) strong: Ink,
    /// Behind labels.
    pub(crate) tint: Ink,
    /// Thin lines of the tables.
    pub(crate) rule: Ink,
}

pub(crate) fn palette(variant: Variant) -> Palette {
    match variant {
        Variant::BizStation => {
            Palette { strong: Ink(26, 62, 114), tint: Ink(236, 241, 248), rule: Ink(150, 163, 182) }
        }
        Variant::Light => {
            Palette { strong: Ink(18, 92, 78), tint: Ink(233, 244, 240), rule: Ink(146, 172, 164) }
        }
    }
}

/// The weight of frames that the reader looks for, in millimetres.
pub(crate) const FRAME_MM: f32 = 0.3;
/// The colour of those frames: dark enough for a bilevel scan.
pub(crate) const FRAME_INK: Ink = Ink(64, 72, 84);

/// A tick as three points inside its box.
pub(crate) fn tick(area: BoxMm) -> [[f32; 2]; 3] {
    let at = |x: f32, y: f32| [area.x + area.w * x, area.y + area.h * y];
    [at(0.18, 0.52), at(0.42, 0.80), at(0.84, 0.20)]
}

/// The weight of a printed tick in millimetres.
pub(crate) const TICK_MM: f32 = 0.75;
