//! Finds out which page a picture shows and how it lies: corner marks first, then the codes in
//! their places; when marks are missing, the QR code alone; when that is gone too, the lines of the
//! printed tables. However a map was found, the printed frames correct it.

mod frames;
mod grid;
mod marks;
mod number;
mod structure;
mod symbols;

use image::GrayImage;

use crate::form3::{CodeBox, CodeKind, PageLayout, Variant, Version, layout};
use crate::payload::{CodeKey, Payload, PayloadFault};
use crate::raster::{Homography, Place, patch, reduced};
use crate::submission::SubmissionNumber;
pub(crate) use frames::Frames;
use frames::{convinces, grown, share, snapped};
use marks::{FoundMark, find_marks};
use number::printed_number;
use symbols::read_symbol;

/// How a page lies in its picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Registration {
    pub(crate) map: Homography,
    /// What its frames say.
    pub(crate) frames: Frames,
    /// The page whose frames were found, where the codes do not say.
    pub(crate) page: Option<&'static PageLayout>,
    /// The number in print, when all of it can be read.
    pub(crate) printed: Option<SubmissionNumber>,
}

impl Registration {
    /// Whether so many frames are where they should be that one may be missing.
    pub(crate) fn is_trusted(&self) -> bool {
        self.frames.share >= 0.8
    }
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

impl Located {
    /// Where the page lies, as far as it is known.
    pub(crate) fn map(&self) -> Option<&Homography> {
        match self {
            Self::Foreign => None,
            Self::Unclear { registration, .. } => registration.as_ref().map(|found| &found.map),
            Self::Form { registration, .. } => Some(&registration.map),
        }
    }
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

/// Looks for a page of ours: by its marks, by its code alone, by its printed lines alone.
pub(crate) fn locate(grey: &GrayImage, keys: &[CodeKey]) -> Located {
    let first = layout(Version::default(), Variant::BizStation).pages.first();
    let Some(page) = first else { return Located::Foreign };
    let mut guesses = Vec::new();
    let known = match by_marks(grey, page, &mut guesses) {
        Marks::Mirrored => return unclear(None, Unclear::Mirrored),
        Marks::Seen(known) => Some(known),
        Marks::None => None,
    };
    if let Some(known) = known.as_ref().filter(|known| convinces(known.frames.share)) {
        return match payload_at(grey, page, &known.map, keys) {
            Ok(payload) => known_by_name(grey, known, payload),
            Err(Unclear::NoCode) => whole_page(grey, page, keys, &guesses)
                .unwrap_or_else(|| unclear(Some(known.registration(grey)), Unclear::NoCode)),
            Err(why) => unclear(Some(known.registration(grey)), why),
        };
    }
    let other = whole_page(grey, page, keys, &guesses).or_else(|| by_lines(grey, keys));
    other.unwrap_or_else(|| match known {
        Some(known) => match payload_at(grey, page, &known.map, keys) {
            Ok(payload) => named(grey, &known.map, payload),
            Err(Unclear::NoCode) => Located::Foreign,
            Err(why) => unclear(None, why),
        },
        None => Located::Foreign,
    })
}

/// Places on paper and in the picture.
type Pairs = Vec<(Place, Place)>;

/// What the corner marks say.
enum Marks {
    None,
    /// Four dark spots may stand like marks on anything: how many frames are between them?
    Seen(Known),
    Mirrored,
}

/// Marks found in a reduced picture. Spots that stand like marks are many on a bad page: those
/// between which the most of our frames lie are the marks.
fn by_marks(grey: &GrayImage, page: &PageLayout, guesses: &mut Vec<Pairs>) -> Marks {
    let (small, factor) = reduced(grey, SEARCH_PIXELS);
    let mut best: Option<Known> = None;
    for found in find_marks(&small, &page.marks) {
        let Some((map, marks)) = refined(grey, page, &found, f64::from(factor)) else { continue };
        let known = ours(grey, &map, &marks);
        if map.mirrored() {
            // Frames look the same from behind; the ring among the marks does not.
            if convinces(known.frames.share) {
                return Marks::Mirrored;
            }
            continue;
        }
        guesses.push(marks);
        if best.as_ref().is_none_or(|other| known.frames.share > other.frames.share) {
            let enough = convinces(known.frames.share);
            best = Some(known);
            if enough {
                break;
            }
        }
    }
    best.map_or(Marks::None, Marks::Seen)
}

/// A page that its codes name, when it is the one whose frames already corrected the map.
fn known_by_name(grey: &GrayImage, known: &Known, payload: Payload) -> Located {
    let own = layout(payload.version, payload.variant).page(payload.page);
    match (known.page, own) {
        (Some(page), Some(own)) if std::ptr::eq(page, own) => {
            checked(grey, known.map, known.frames, page, payload)
        }
        _ => named(grey, &known.map, payload),
    }
}

/// A page that its codes name: the map is corrected by the frames of that page, and the number in
/// print must not say otherwise.
fn named(grey: &GrayImage, map: &Homography, payload: Payload) -> Located {
    let Some(page) = layout(payload.version, payload.variant).page(payload.page) else {
        return unclear(None, Unclear::Code(PayloadFault::Unknown));
    };
    let (map, frames) = snapped(grey, map, page);
    checked(grey, map, frames, page, payload)
}

fn checked(
    grey: &GrayImage,
    map: Homography,
    frames: Frames,
    page: &'static PageLayout,
    payload: Payload,
) -> Located {
    let printed = printed_number(grey, &map, page);
    let registration = Registration { map, frames, page: Some(page), printed };
    if printed.is_some() && printed != payload.submission {
        return unclear(Some(registration), Unclear::Conflict);
    }
    Located::Form { registration, payload }
}

fn unclear(registration: Option<Registration>, why: Unclear) -> Located {
    Located::Unclear { registration, why }
}

/// Which of our pages the frames under a map are of, and how many of them are seen.
struct Known {
    map: Homography,
    page: Option<&'static PageLayout>,
    frames: Frames,
}

impl Known {
    fn registration(&self, grey: &GrayImage) -> Registration {
        let printed = self.page.and_then(|page| printed_number(grey, &self.map, page));
        Registration { map: self.map, frames: self.frames, page: self.page, printed }
    }
}

fn ours(grey: &GrayImage, map: &Homography, marks: &[(Place, Place)]) -> Known {
    let none = Frames { share: 0.0, contrast: 0.0 };
    let mut best = Known { map: *map, page: None, frames: none };
    for page in &layout(Version::default(), Variant::BizStation).pages {
        let (mut map, mut frames) = snapped(grey, map, page);
        if marks.len() < 4 && !convinces(frames.share) {
            // Three marks know nothing of perspective.
            let followed = snapped(grey, &grown(grey, marks, &map, page), page);
            if followed.1.share > frames.share {
                (map, frames) = followed;
            }
        }
        if frames.share > best.frames.share {
            best = Known { map, page: Some(page), frames };
        }
        if convinces(frames.share) {
            break;
        }
    }
    best
}

/// By the printed lines alone: marks and QR code are covered, or the paper was cut.
fn by_lines(grey: &GrayImage, keys: &[CodeKey]) -> Option<Located> {
    let dark = structure::Dark::of(grey)?;
    for page in &layout(Version::default(), Variant::BizStation).pages {
        for map in dark.guesses(page).into_iter().take(2) {
            let (map, frames) = snapped(grey, &map, page);
            if !convinces(frames.share) {
                continue;
            }
            return Some(match payload_at(grey, page, &map, keys) {
                Ok(payload) => named(grey, &map, payload),
                Err(why) => {
                    let known = Known { map, page: Some(page), frames };
                    unclear(Some(known.registration(grey)), why)
                }
            });
        }
    }
    None
}

/// Centres of the marks to a fraction of a pixel, and the map through them.
fn refined(
    grey: &GrayImage,
    page: &PageLayout,
    found: &[Option<FoundMark>; 4],
    factor: f64,
) -> Option<(Homography, Pairs)> {
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
    Some((Homography::fit(&fine).unwrap_or(rough), fine))
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
        let Some(text) = grid::read(grey, map, code).or_else(|| searched(grey, map, code)) else {
            continue;
        };
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

/// A code searched around its place: the map may be off by millimetres there.
fn searched(grey: &GrayImage, map: &Homography, code: &CodeBox) -> Option<String> {
    let per_mm = match code.kind {
        CodeKind::Qr => 9.0,
        CodeKind::DataMatrix => 11.0,
    };
    let cut = patch(grey, map, code.area.grown(QUIET_MM), per_mm);
    let symbol = read_symbol(&cut.values, cut.width, cut.height, code.kind)?;
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
fn whole_page(
    grey: &GrayImage,
    page: &PageLayout,
    keys: &[CodeKey],
    guesses: &[Pairs],
) -> Option<Located> {
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
        let area = page.codes.iter().find(|code| code.kind == CodeKind::Qr)?.area;
        let known = symbol.pairs(area, f64::from(factor));
        let map = Homography::affine(known.get(..3)?)?;
        let code = known.clone();
        let (map, known) = with_marks(grey, page, map, known);
        let layout = layout(payload.version, payload.variant);
        let map = layout.page(payload.page).map_or(map, |own| {
            let followed = outward(grey, &known, map, own);
            with_guesses(grey, &code, followed, guesses, own)
        });
        return Some(agreed(grey, page, &map, payload, keys));
    }
    None
}

/// The other code has its say as well.
fn agreed(
    grey: &GrayImage,
    page: &PageLayout,
    map: &Homography,
    payload: Payload,
    keys: &[CodeKey],
) -> Located {
    match payload_at(grey, page, map, keys) {
        Err(why) if why != Unclear::NoCode => unclear(None, why),
        Ok(other) if other != payload => unclear(None, Unclear::Conflict),
        _ => named(grey, map, payload),
    }
}

/// Three dark spots are perhaps the marks: with the code between them they give the perspective,
/// and the frames tell whether it is right.
fn with_guesses(
    grey: &GrayImage,
    code: &[(Place, Place)],
    map: Homography,
    guesses: &[Pairs],
    page: &PageLayout,
) -> Homography {
    let (mut best, mut most) = (map, share(grey, &map, page));
    for marks in guesses {
        if convinces(most) {
            break;
        }
        let all: Pairs = marks.iter().chain(code).copied().collect();
        let Some(map) = Homography::fit(&all) else { continue };
        let (map, frames) = snapped(grey, &map, page);
        if frames.share > most {
            (best, most) = (map, frames.share);
        }
    }
    best
}

/// A code of 26 mm alone is off by millimetres at the far corner: unless the frames are where the
/// map says, they are followed from the code outwards.
fn outward(
    grey: &GrayImage,
    known: &[(Place, Place)],
    map: Homography,
    page: &PageLayout,
) -> Homography {
    let seen = share(grey, &map, page);
    if convinces(seen) {
        return map;
    }
    let followed = grown(grey, known, &map, page);
    if share(grey, &followed, page) > seen { followed } else { map }
}

/// Looks for the marks where the code says they should be, and lets those that are there correct
/// the map.
fn with_marks(
    grey: &GrayImage,
    page: &PageLayout,
    rough: Homography,
    mut known: Pairs,
) -> (Homography, Pairs) {
    let pixels = rough.scale();
    let alone = known.len();
    for [x, y, _] in page.marks {
        let mm = [f64::from(x), f64::from(y)];
        if let Some(at) = marks::search(grey, rough.apply(mm), pixels) {
            known.push((mm, at));
        }
    }
    let marks = known.get(alone..).unwrap_or_default();
    let corrected = match marks.len() {
        0 => None,
        // Far apart from each other and from the code: enough for perspective.
        1..=3 => Homography::affine(&known)
            .filter(|_| marks.len() < 3)
            .or_else(|| frames::robust(&known)),
        _ => Homography::fit(marks),
    };
    (corrected.unwrap_or(rough), known)
}
