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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::House;
    use crate::fonts::{FontChoice, Fonts, Typesetter};
    use crate::form3::{CLEAR_MM, MARGIN_MM, PAGE_MM, Version, layout};
    use crate::sheet::Sheet;

    fn fonts() -> Fonts {
        Fonts::load(&FontChoice { configured: None, embedded_only: true }).unwrap()
    }

    /// Draws with the embedded faces alone, so that this also proves that they have every
    /// character of every static text.
    #[test]
    fn what_is_printed_keeps_clear_of_what_is_read() {
        let fonts = fonts();
        let setter = Typesetter::new(&fonts).unwrap();
        let inside = BoxMm::new(0.0, 0.0, PAGE_MM[0], PAGE_MM[1]).grown(-MARGIN_MM);
        for variant in Variant::ALL {
            let layout = layout(Version::One, variant);
            for page in &layout.pages {
                let mut sheet = Sheet::new(&setter);
                draw_page(&mut sheet, &House::sample(), layout, page).unwrap();
                draw_specimen(&mut sheet).unwrap();
                assert!(sheet.extents.len() > 100, "the page was drawn");
                let ticks = page.checkboxes.iter().chain(&page.seals).map(|f| (&f.id, f.area));
                let digits = page.digits.iter().map(|field| (&field.id, field.area()));
                let boxes: Vec<_> = ticks.chain(digits).collect();
                for (extent, what) in &sheet.extents {
                    assert!(inside.contains(*extent), "{variant}: {what} at {extent:?}");
                    for (id, area) in &boxes {
                        // A line has no width: it counts as a tenth of a millimetre.
                        let near = area.grown(CLEAR_MM - 0.05).overlaps(extent.grown(0.04));
                        assert!(
                            !near,
                            "{variant} page {}: {what} at {extent:?} near {id}",
                            page.page
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn the_embedded_face_has_every_static_text() {
        let fonts = fonts();
        let setter = Typesetter::new(&fonts).unwrap();
        for variant in Variant::ALL {
            let mut sheet = Sheet::new(&setter);
            draw_instructions(&mut sheet, &House::sample(), variant).unwrap();
            assert!(!sheet.used.is_empty());
        }
    }

    /// The window shows the address and nothing else, however the sheet slides by a centimetre.
    #[test]
    fn the_window_shows_the_address_alone() {
        let fonts = fonts();
        let setter = Typesetter::new(&fonts).unwrap();
        let mut sheet = Sheet::new(&setter);
        draw_instructions(&mut sheet, &House::sample(), Variant::Light).unwrap();
        let address = House::sample().reply_address;
        for (extent, what) in &sheet.extents {
            if address.contains(what) {
                assert!(WINDOW.contains(*extent), "{what} at {extent:?}");
            } else {
                assert!(!WINDOW.grown(10.0).overlaps(*extent), "{what} at {extent:?}");
            }
        }
    }
}
