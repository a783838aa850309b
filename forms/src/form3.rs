//! The layout of Form 3: one table of boxes in millimetres, used to print and to read.
//!
//! Origin is the top left corner of the page, x grows to the right and y downwards. A released
//! version lives for ever: a form printed years ago is read by its own layout.

mod version1;

use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// Width and height of a page (A4 portrait) in millimetres.
pub const PAGE_MM: [f32; 2] = [210.0, 297.0];

/// Nothing is printed nearer than this to an edge of the page.
pub const MARGIN_MM: f32 = 8.0;

/// Nothing else is printed nearer than this to a box that is read.
pub const CLEAR_MM: f32 = 2.0;

/// The index in [`PageLayout::marks`] of the one corner mark that is a ring.
pub const RING_MARK: usize = 2;

/// A released version of the layout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// The first layout.
    #[default]
    One,
}

impl Version {
    /// The number in the codes and on the paper.
    pub fn number(self) -> u8 {
        match self {
            Self::One => 1,
        }
    }

    /// The version of that number, if there ever was one.
    pub fn from_number(number: u8) -> Option<Self> {
        (number == 1).then_some(Self::One)
    }
}

impl Serialize for Version {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.number())
    }
}

/// The two services whose customers send the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Variant {
    /// The full service: five user rows on two pages.
    BizStation,
    /// The small service: two user rows on one page.
    Light,
}

impl Variant {
    /// Both variants.
    pub const ALL: [Self; 2] = [Self::BizStation, Self::Light];

    /// The name on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::BizStation => "bizstation",
            Self::Light => "light",
        }
    }

    /// How many users fit on the form.
    pub fn user_rows(self) -> usize {
        match self {
            Self::BizStation => 5,
            Self::Light => 2,
        }
    }

    pub(crate) fn letter(self) -> &'static str {
        match self {
            Self::BizStation => "B",
            Self::Light => "L",
        }
    }

    pub(crate) fn from_letter(letter: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|variant| variant.letter() == letter)
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl std::str::FromStr for Variant {
    type Err = UnknownVariant;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|variant| variant.name() == text);
        known.ok_or_else(|| UnknownVariant { given: text.to_owned() })
    }
}

/// Neither `bizstation` nor `light`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no variant is called {given:?}: bizstation or light")]
pub struct UnknownVariant {
    /// What was asked for.
    pub given: String,
}

/// A rectangle in millimetres; `[x, y, w, h]` in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "[f32; 4]", into = "[f32; 4]")]
pub struct BoxMm {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Width.
    pub w: f32,
    /// Height.
    pub h: f32,
}

impl BoxMm {
    /// The rectangle from its top left corner, width and height.
    pub const fn new(x: f32, y: f32, w: f32, h: f32) -> Self {
        Self { x, y, w, h }
    }

    /// The right edge.
    pub fn right(self) -> f32 {
        self.x + self.w
    }

    /// The bottom edge.
    pub fn bottom(self) -> f32 {
        self.y + self.h
    }

    /// The middle.
    pub fn centre(self) -> [f32; 2] {
        [self.x + self.w / 2.0, self.y + self.h / 2.0]
    }

    /// The smallest rectangle around this one and another.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let (right, bottom) = (self.right().max(other.right()), self.bottom().max(other.bottom()));
        Self::new(x, y, right - x, bottom - y)
    }

    /// Larger by `by` on every side; smaller when `by` is negative.
    #[must_use]
    pub fn grown(self, by: f32) -> Self {
        Self::new(self.x - by, self.y - by, self.w + 2.0 * by, self.h + 2.0 * by)
    }

    /// Moved by so much.
    #[must_use]
    pub fn moved(self, dx: f32, dy: f32) -> Self {
        Self::new(self.x + dx, self.y + dy, self.w, self.h)
    }

    /// Whether the two rectangles have more than an edge in common.
    pub fn overlaps(self, other: Self) -> bool {
        self.x < other.right()
            && other.x < self.right()
            && self.y < other.bottom()
            && other.y < self.bottom()
    }

    /// Whether `other` lies inside.
    pub fn contains(self, other: Self) -> bool {
        self.x <= other.x
            && self.y <= other.y
            && self.right() >= other.right()
            && self.bottom() >= other.bottom()
    }
}

impl From<[f32; 4]> for BoxMm {
    fn from([x, y, w, h]: [f32; 4]) -> Self {
        Self::new(x, y, w, h)
    }
}

impl From<BoxMm> for [f32; 4] {
    fn from(area: BoxMm) -> Self {
        [area.x, area.y, area.w, area.h]
    }
}

/// The symbology of a printed code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum CodeKind {
    /// A QR code, version 3, level Q.
    #[serde(rename = "QR")]
    Qr,
    /// A Data Matrix code of 22 × 22 modules (ECC 200).
    DataMatrix,
}

/// Where a code is printed, without its quiet zone.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CodeBox {
    /// The name of the code on the page.
    pub id: &'static str,
    /// Its symbology.
    pub kind: CodeKind,
    /// Its place.
    #[serde(rename = "box")]
    pub area: BoxMm,
}

/// A named rectangle: a tick box, a seal box or a line of writing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FieldBox {
    /// The name of the field, unique on the form (fields repeated on page 2 keep their name).
    pub id: String,
    /// Its place.
    #[serde(rename = "box")]
    pub area: BoxMm,
}

/// A row of cells, one digit in each.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DigitField {
    /// The name of the field.
    pub id: String,
    /// Its cells from left to right; neighbours share an edge.
    pub cells: Vec<BoxMm>,
}

impl DigitField {
    /// All cells together.
    pub fn area(&self) -> BoxMm {
        let first = self.cells.first().copied().unwrap_or(BoxMm::new(0.0, 0.0, 0.0, 0.0));
        let right = self.cells.last().map_or(first.right(), |cell| cell.right());
        BoxMm::new(first.x, first.y, right - first.x, first.h)
    }

    /// The same row elsewhere.
    #[must_use]
    pub fn moved(&self, dx: f32, dy: f32) -> Self {
        let cells = self.cells.iter().map(|cell| cell.moved(dx, dy)).collect();
        Self { id: self.id.clone(), cells }
    }
}

/// One page of the form.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PageLayout {
    /// Its number, from 1.
    pub page: u8,
    /// Centre and size of the corner marks, clockwise from top left: filled squares, but for the
    /// one at [`RING_MARK`], which is a ring.
    pub marks: [[f32; 3]; 4],
    /// The codes; both say the same.
    pub codes: Vec<CodeBox>,
    /// The tick boxes.
    pub checkboxes: Vec<FieldBox>,
    /// The rows of digits.
    pub digits: Vec<DigitField>,
    /// The boxes for registered seals.
    pub seals: Vec<FieldBox>,
    /// The lines of writing and the stamps of the bank, cropped for people.
    pub texts: Vec<FieldBox>,
}

/// All pages of one version and variant.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// The version.
    pub version: Version,
    /// The variant.
    pub variant: Variant,
    /// The pages in order; at least one.
    pub pages: Vec<PageLayout>,
}

impl Layout {
    /// The page of that number, from 1.
    pub fn page(&self, number: u8) -> Option<&PageLayout> {
        self.pages.iter().find(|page| page.page == number)
    }

    /// How many pages are read, the sheet of instructions not counted.
    pub fn page_count(&self) -> u8 {
        u8::try_from(self.pages.len()).unwrap_or(u8::MAX)
    }
}

/// The layout of that version and variant.
pub fn layout(version: Version, variant: Variant) -> &'static Layout {
    static BIZSTATION_1: LazyLock<Layout> = LazyLock::new(|| version1::layout(Variant::BizStation));
    static LIGHT_1: LazyLock<Layout> = LazyLock::new(|| version1::layout(Variant::Light));
    match (version, variant) {
        (Version::One, Variant::BizStation) => &BIZSTATION_1,
        (Version::One, Variant::Light) => &LIGHT_1,
    }
}

pub(crate) use version1::{FIRST_USERS_Y, SECOND_USERS_Y, USER_PITCH, USERS_ON_FIRST_PAGE};

#[cfg(test)]
mod tests {
    use super::*;

    /// Every box that is read, with its name; rows of digits as one.
    fn read_boxes(page: &PageLayout) -> Vec<(String, BoxMm)> {
        let ticks = page.checkboxes.iter().chain(&page.seals).map(|f| (f.id.clone(), f.area));
        let digits = page.digits.iter().map(|field| (field.id.clone(), field.area()));
        let codes = page.codes.iter().map(|code| (code.id.to_owned(), code.area));
        let marks = page.marks.iter().map(|[x, y, size]| {
            ("mark".to_owned(), BoxMm::new(x - size / 2.0, y - size / 2.0, *size, *size))
        });
        ticks.chain(digits).chain(codes).chain(marks).collect()
    }

    fn pages() -> impl Iterator<Item = (Variant, &'static PageLayout)> {
        Variant::ALL.into_iter().flat_map(|variant| {
            layout(Version::One, variant).pages.iter().map(move |page| (variant, page))
        })
    }

    #[test]
    fn boxes_keep_clear_of_each_other_and_of_the_edge() {
        let inside = BoxMm::new(0.0, 0.0, PAGE_MM[0], PAGE_MM[1]).grown(-MARGIN_MM);
        for (variant, page) in pages() {
            let boxes = read_boxes(page);
            for (index, (name, area)) in boxes.iter().enumerate() {
                assert!(inside.contains(*area), "{variant} {name}: {area:?}");
                for (other, place) in &boxes[index + 1..] {
                    let near = area.grown(CLEAR_MM - 0.001).overlaps(*place);
                    assert!(!near, "{variant} page {}: {name} and {other}", page.page);
                }
            }
            for text in &page.texts {
                assert!(inside.contains(text.area), "{}", text.id);
                for (name, area) in &boxes {
                    assert!(!text.area.overlaps(*area), "{variant}: {} and {name}", text.id);
                }
                for other in page.texts.iter().filter(|other| other.id != text.id) {
                    assert!(!text.area.overlaps(other.area), "{} and {}", text.id, other.id);
                }
            }
        }
    }

    #[test]
    fn names_are_unique_on_a_page_and_sizes_as_agreed() {
        for (variant, page) in pages() {
            let names: Vec<String> = read_boxes(page)
                .into_iter()
                .map(|(name, _)| name)
                .filter(|name| name != "mark")
                .chain(page.texts.iter().map(|text| text.id.clone()))
                .collect();
            let distinct: std::collections::BTreeSet<&String> = names.iter().collect();
            assert_eq!(distinct.len(), names.len(), "{variant} page {}", page.page);
            assert!(page.checkboxes.iter().all(|field| (field.area.w, field.area.h) == (5.0, 5.0)));
            assert!(page.digits.iter().flat_map(|f| &f.cells).all(|c| (c.w, c.h) == (7.0, 9.0)));
            assert!(page.seals.iter().all(|field| (field.area.w, field.area.h) == (40.0, 40.0)));
            let cells = |id: &str| page.digits.iter().find(|f| f.id == id).map(|f| f.cells.len());
            assert_eq!(cells("contract_number"), Some(10));
            let users = page.digits.iter().filter(|f| f.id.ends_with("_user_id")).count();
            assert_eq!(users, if page.page == 1 { 2 } else { 3 });
        }
        assert_eq!(layout(Version::One, Variant::BizStation).pages.len(), 2);
        assert_eq!(layout(Version::One, Variant::Light).pages.len(), 1);
    }

    #[test]
    fn codes_stay_off_the_folds() {
        for (_, page) in pages() {
            for code in &page.codes {
                let fold =
                    [99.0, 198.0].into_iter().any(|y| code.area.y < y && y < code.area.bottom());
                assert!(!fold, "{}", code.id);
            }
        }
    }
}
