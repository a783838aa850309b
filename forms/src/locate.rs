//! Finds out which page a picture shows and how it lies: corner marks first, then the codes in
//! their places; when marks are missing, the code alone.

mod marks;
mod symbols;

use image::GrayImage;

use crate::boxes::{Frame, read_check};
use crate::form3::{CodeKind, PageLayout, Variant, Version, layout};
use crate::payload::{CodeKey, Payload, PayloadFault};
use crate::raster::{Homography, Patch, Place, patch, reduced};
use marks::{FoundMark, find_marks};
use symbols::{Symbol, read_symbol};

/// How a page lies in its picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Registration {
    pub(crate) map: Homography,
}

/// What is known of a page.
#[derive(Clone, Debug)]
pub(crate) enum Located {
    /// Nothing of ours on it.
    Foreign,
    /// Ours by its marks or codes, but it cannot be told which.
    Unclear { registration: Option<Registration>, why: Unclear },
    /// A page of a form.
    Form { registration: Registration, payload: Payload },
}

/// Why a page of ours has no case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unclear {
    /// No code can be read.
    NoCode,
    /// A code is whole but not to be believed.
    Code(PayloadFault),
    /// The two codes say different things.
    Conflict,
    /// The back of a page shows through.
    Mirrored,
}

/// The longer side of the picture in which marks are searched.
const SEARCH_PIXELS: u32 = 1200;

/// Looks for a page of ours.
pub(crate) fn locate(grey: &GrayImage, keys: &[CodeKey]) -> Located {
    let first = layout(Version::default(), Variant::BizStation).pages.first();
    let Some(page) = first else { return Located::Foreign };
    let (small, factor) = reduced(grey, SEARCH_PIXELS);
    let found = find_marks(&small, &page.marks);
    let held = found.and_then(|found| refined(grey, page, &found, f64::from(factor)));
    if let Some(registration) = held {
        if registration.map.mirrored() {
            // Four dark spots may stand like marks on anything: our frames must lie between them.
            return if shows_frames(grey, &registration.map) {
                Located::Unclear { registration: None, why: Unclear::Mirrored }
            } else {
                whole_page(grey, page, keys).unwrap_or(Located::Foreign)
            };
        }
        match payload_at(grey, page, &registration.map, keys) {
            Ok(payload) => return Located::Form { registration, payload },
            Err(Unclear::NoCode) => {}
            Err(why) => return Located::Unclear { registration: Some(registration), why },
        }
        if let Some(located) = whole_page(grey, page, keys) {
            return located;
        }
        if shows_frames(grey, &registration.map) {
            return Located::Unclear { registration: Some(registration), why: Unclear::NoCode };
        }
        return Located::Foreign;
    }
    whole_page(grey, page, keys).unwrap_or(Located::Foreign)
}

/// Whether the printed frames of any page of ours are there.
fn shows_frames(grey: &GrayImage, map: &Homography) -> bool {
    let layout = layout(Version::default(), Variant::BizStation);
    layout.pages.iter().any(|page| {
        let frames = page.checkboxes.iter().map(|field| read_check(grey, map, field.area).1);
        let seen = frames.filter(Frame::seen).count();
        seen * 10 >= page.checkboxes.len() * 7
    })
}

/// Centres of the marks to a fraction of a pixel, and the map through them.
fn refined(
    grey: &GrayImage,
    page: &PageLayout,
    found: &[Option<FoundMark>; 4],
    factor: f64,
) -> Option<Registration> {
    let coarse: Vec<(Place, Place)> = page
        .marks
        .iter()
        .zip(found)
        .filter_map(|([x, y, _], mark)| {
            let [u, v] = mark.as_ref()?.centre;
            Some(([f64::from(*x), f64::from(*y)], [(u + 0.5) * factor, (v + 0.5) * factor]))
        })
        .collect();
    let rough = Homography::fit(&coarse)?;
    let pixels = rough.scale();
    let fine: Vec<(Place, Place)> = coarse
        .iter()
        .map(|(mm, at)| (*mm, marks::centre(grey, *at, pixels).unwrap_or(*at)))
        .collect();
    Some(Registration { map: Homography::fit(&fine).unwrap_or(rough) })
}

/// Quiet zone around a code that is cut out with it, in millimetres.
const QUIET_MM: f32 = 4.0;

/// Reads the codes where they are printed; both must agree when both can be read.
fn payload_at(
    grey: &GrayImage,
    page: &PageLayout,
    map: &Homography,
    keys: &[CodeKey],
) -> Result<Payload, Unclear> {
    let mut believed: Option<Payload> = None;
    let mut fault = None;
    for code in &page.codes {
        let per_mm = match code.kind {
            CodeKind::Qr => 9.0,
            CodeKind::DataMatrix => 11.0,
        };
        let cut = patch(grey, map, code.area.grown(QUIET_MM), per_mm);
        let Some(text) = upright_text(&cut, code.kind) else { continue };
        match decode(&text, keys) {
            Ok(payload) if believed.is_some_and(|other| other != payload) => {
                return Err(Unclear::Conflict);
            }
            Ok(payload) => believed = Some(payload),
            Err(why) => fault = Some(why),
        }
    }
    match (believed, fault) {
        // One code of ours beside one that is not to be believed: a person decides.
        (Some(_), Some(PayloadFault::Check | PayloadFault::Unknown)) => Err(Unclear::Conflict),
        (Some(payload), _) => Ok(payload),
        (None, Some(why)) => Err(Unclear::Code(why)),
        (None, None) => Err(Unclear::NoCode),
    }
}

fn upright_text(cut: &Patch, kind: CodeKind) -> Option<String> {
    let symbol = read_symbol(&cut.values, cut.width, cut.height, kind)?;
    (!symbol.mirrored()).then_some(symbol.text)
}

/// The payload under any of the keys; a wrong check under one key may be right under another.
fn decode(text: &str, keys: &[CodeKey]) -> Result<Payload, PayloadFault> {
    let mut last = Err(PayloadFault::Foreign);
    for key in keys {
        last = Payload::decode(text, key);
        if last.is_ok() {
            break;
        }
    }
    last
}

/// Without marks: the QR code anywhere on the page tells case and position.
fn whole_page(grey: &GrayImage, page: &PageLayout, keys: &[CodeKey]) -> Option<Located> {
    for longest in [1800, 2600, 1200] {
        let (small, factor) = reduced(grey, longest);
        let (width, height) = (small.width() as usize, small.height() as usize);
        let Some(symbol) = read_symbol(small.as_raw(), width, height, CodeKind::Qr) else {
            continue;
        };
        let payload = match decode(&symbol.text, keys) {
            Ok(payload) => payload,
            Err(PayloadFault::Foreign) => return None,
            Err(why) => {
                return Some(Located::Unclear { registration: None, why: Unclear::Code(why) });
            }
        };
        if symbol.mirrored() {
            return Some(Located::Unclear { registration: None, why: Unclear::Mirrored });
        }
        let map = from_symbol(page, &symbol, f64::from(factor))?;
        return Some(Located::Form { registration: with_marks(grey, page, map), payload });
    }
    None
}

/// The map that the three finder patterns of the QR code give.
fn from_symbol(page: &PageLayout, symbol: &Symbol, factor: f64) -> Option<Homography> {
    let code = page.codes.iter().find(|code| code.kind == CodeKind::Qr)?;
    let module = f64::from(code.area.w) / 29.0;
    let (near, far) = (3.5 * module, 25.5 * module);
    let (x, y) = (f64::from(code.area.x), f64::from(code.area.y));
    let on_paper = [[x + near, y + far], [x + near, y + near], [x + far, y + near]];
    let pairs: Vec<(Place, Place)> = on_paper
        .into_iter()
        .zip(symbol.corners)
        .map(|(mm, [u, v])| (mm, [u * factor, v * factor]))
        .collect();
    Homography::affine(&pairs)
}

/// Looks for the marks where the code says they should be, and lets those that are there correct
/// the map: a code of 26 mm alone is off by millimetres at the far corner.
fn with_marks(grey: &GrayImage, page: &PageLayout, rough: Homography) -> Registration {
    let pixels = rough.scale();
    let mut pairs: Vec<(Place, Place)> = Vec::new();
    for [x, y, _] in page.marks {
        let mm = [f64::from(x), f64::from(y)];
        if let Some(at) = marks::search(grey, rough.apply(mm), pixels) {
            pairs.push((mm, at));
        }
    }
    let corrected = if pairs.len() >= 3 { Homography::fit(&pairs) } else { None };
    Registration { map: corrected.unwrap_or(rough) }
}
