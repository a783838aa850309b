//! Form 3 and the password letter: printed from, and read back by, one table of boxes.
//!
//! Bytes and values in, bytes and values out: no database, no network, no clock, no randomness.
//!
//! - [`Press`] loads the fonts once and prints forms (blank, filled in, fillable, in batches) and
//!   sealed letters.
//! - [`layout`] is the table of boxes; a released version lives for ever.
//! - [`read_file`] reads scans and filled forms back: who they belong to, ticks, digits, seals.
//! - [`degrade`] makes paper look as it comes back in the post; for tests and demonstrations.

mod codes;
mod data;
mod document;
mod fault;
mod fillable;
pub mod fonts;
mod form3;
pub mod json;
mod payload;
mod press;
mod print;
mod sheet;
mod submission;

pub use data::{AccountType, FieldValues, FormData, House, Reason, ReiwaDate, Request, UserRow};
pub use fault::{PrintFault, ReadFault};
pub use fonts::FontChoice;
pub use form3::{
    BoxMm, CLEAR_MM, CodeBox, CodeKind, DigitField, FieldBox, Layout, MARGIN_MM, PAGE_MM,
    PageLayout, RING_MARK, UnknownVariant, Variant, Version, layout,
};
pub use json::PrintedPage;
pub use payload::{CodeKey, Payload, PayloadFault};
pub use press::{Batch, Copy, Job, Press, Sheets};
pub use submission::{SubmissionNumber, SubmissionNumberFault};
