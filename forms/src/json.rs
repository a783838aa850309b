//! The JSON shapes of the command line (`form layout`, `form print`); `form read` answers with
//! [`crate::FileReading`], which serialises itself.

use serde::Serialize;

use crate::form3::{CodeBox, DigitField, FieldBox, Layout, PAGE_MM, PageLayout, Variant};

/// `form layout --json`: page 1 in the agreed shape, all pages under `pages`.
#[derive(Clone, Debug, Serialize)]
pub struct LayoutJson<'a> {
    form: &'static str,
    version: u8,
    variant: Variant,
    page_mm: [f32; 2],
    marks: &'a [[f32; 3]],
    codes: &'a [CodeBox],
    checkboxes: &'a [FieldBox],
    digits: &'a [DigitField],
    seals: &'a [FieldBox],
    texts: &'a [FieldBox],
    pages: &'a [PageLayout],
}

/// The name of the form in JSON.
pub const FORM_NAME: &str = "form3";

impl Layout {
    /// The shape for `form layout --json`.
    pub fn to_json(&self) -> LayoutJson<'_> {
        let first = self.pages.first();
        LayoutJson {
            form: FORM_NAME,
            version: self.version.number(),
            variant: self.variant,
            page_mm: PAGE_MM,
            marks: first.map_or(&[], |page| &page.marks),
            codes: first.map_or(&[], |page| &page.codes),
            checkboxes: first.map_or(&[], |page| &page.checkboxes),
            digits: first.map_or(&[], |page| &page.digits),
            seals: first.map_or(&[], |page| &page.seals),
            texts: first.map_or(&[], |page| &page.texts),
            pages: &self.pages,
        }
    }
}

/// One page of a batch: `form print --case-ids N --json` answers `{"pages": [these]}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PrintedPage {
    /// The number of the submission.
    pub case_id: String,
    /// The text in both codes of the page.
    pub payload: String,
}
