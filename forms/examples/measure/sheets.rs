//! What all that is measured begins and ends with: blank forms, levels of wear, files.

use std::error::Error;
use std::time::SystemTime;

use forms::degrade::{Arrived, Carrier, PaperSheet, Severity, encode};
use forms::{
    CodeKey, Copy, Depth, FontChoice, FormData, House, Job, Press, Sheets, SubmissionNumber,
    Variant,
};

/// How badly pages fare.
pub(crate) const LEVELS: [(&str, Severity); 3] =
    [("office", Severity::Office), ("rough", Severity::Rough), ("brutal", Severity::Brutal)];

/// The first page of a form that nobody filled in.
pub(crate) fn blank(seed: u64) -> Result<PaperSheet, Box<dyn Error>> {
    let press = Press::new(&FontChoice { configured: None, embedded_only: true })?;
    let (house, key) = (House::sample(), CodeKey::sample());
    let made_at = SystemTime::UNIX_EPOCH;
    let job = Job { variant: Variant::BizStation, house: &house, key: &key, made_at };
    let submission = SubmissionNumber::from_serial(seed % 99_999_999_999)?;
    let copy = Copy { submission: Some(submission), data: FormData::default() };
    let pdf = press.batch(&job, &[copy], Sheets::Pages)?.pdf;
    PaperSheet::print(&pdf, 300.0)?.into_iter().next().ok_or_else(|| "no page".into())
}

/// A page as its device writes it.
pub(crate) fn as_file(arrived: &Arrived) -> Result<Vec<u8>, Box<dyn Error>> {
    let carrier = match arrived.depth {
        Depth::Bilevel => Carrier::Fax,
        _ => Carrier::Jpeg(arrived.quality),
    };
    Ok(encode(std::slice::from_ref(&arrived.picture), arrived.dpi, carrier)?)
}
