//! Form 3 and the password letter: printed from, and read back by, one table of boxes.
//!
//! Bytes and values in, bytes and values out: no database, no network, no clock, no randomness.
//!
//! - [`Press`] loads the fonts once and prints forms (blank, filled in, fillable, in batches) and
//!   sealed letters.
//! - [`letters`] are ordinary ones: a returned form, an inquiry, an end, a lock.
//! - [`layout`] is the table of boxes; a released version lives for ever.
//! - [`read_file`] reads scans and filled forms back: who they belong to, ticks, digits, seals.
//! - [`degrade`] makes paper look as it comes back in the post; for tests and demonstrations.
//! - [`learning`] shows the networks that read digits to whoever trains and measures them.

mod barcode;
mod bends;
mod boxes;
mod codes;
mod data;
pub mod degrade;
mod digits;
mod document;
mod envelope;
mod fault;
mod fields;
mod fillable;
mod flow;
pub mod fonts;
mod form3;
mod glyph;
pub mod json;
pub mod learning;
mod letter;
pub mod letters;
mod locate;
mod mask;
mod payload;
mod picture;
mod press;
mod print;
mod quality;
mod raster;
mod reading;
mod scan;
pub mod seal;
mod sheet;
mod submission;

pub use barcode::{CustomerBarcode, address_number};
pub use boxes::CheckReading;
pub use data::{AccountType, FieldValues, FormData, House, Reason, ReiwaDate, Request, UserRow};
pub use digits::{DigitsReading, RowFact};
pub use envelope::Addressee;
pub use fault::{PrintFault, ReadFault};
pub use fonts::FontChoice;
pub use form3::{
    BoxMm, CLEAR_MM, CodeBox, CodeKind, DigitField, FieldBox, Layout, MARGIN_MM, PAGE_MM,
    PageLayout, RING_MARK, UnknownVariant, Variant, Version, layout,
};
pub use json::PrintedPage;
pub use letter::{CodeLetter, PasswordLetter};
pub use mask::{Part, masked};
pub use payload::{CodeKey, Payload, PayloadFault};
pub use picture::{PagePicture, letter_picture, page_pictures};
pub use press::{Batch, Copy, Job, Press, Sheets};
pub use quality::{Quality, QualityFact};
pub use reading::{
    Defect, FileReading, PageKind, PageReading, ReadOptions, Reader, read_file, read_pages,
    read_picture,
};
pub use scan::{Depth, Limits, PageImage, page_images};
pub use seal::{SealFact, SealReading};
pub use submission::{SubmissionNumber, SubmissionNumberFault};
