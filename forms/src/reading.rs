//! Reads files of pages: value, confidence and crop of every field, and all defects together.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;

use crate::boxes::CheckReading;
use crate::data::ReiwaDate;
use crate::digits::{BothHands, DigitsReading};
use crate::fault::ReadFault;
use crate::fields::read_boxes;
use crate::fillable::FilledForm;
use crate::form3::{Layout, PageLayout, Variant, layout};
use crate::json::FORM_NAME;
use crate::locate::{Located, Registration, Unclear, locate};
use crate::payload::{CodeKey, Payload, PayloadFault};
use crate::quality::Quality;
use crate::raster::real;
use crate::scan::{Depth, Limits, Page, PageImage, Visitor, for_each_page, guarded};
use crate::seal::{SealReading, crop, read_seal};
use crate::submission::SubmissionNumber;

/// How files are read.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// The keys that codes may be checked under; the current one first.
    pub keys: Vec<CodeKey>,
    /// What a file may cost.
    pub limits: Limits,
    /// Whether every field is cut out as a picture.
    pub crops: bool,
    /// Whether every page is kept as a picture for people: straightened where it is a form.
    pub pictures: bool,
}

impl ReadOptions {
    /// One key, the usual limits, no crops.
    pub fn new(key: CodeKey) -> Self {
        Self { keys: vec![key], limits: Limits::default(), crops: false, pictures: false }
    }
}

/// What a file says.
#[derive(Debug, Serialize)]
pub struct FileReading {
    /// The name it was given under.
    pub file: String,
    /// Its pages in order.
    pub pages: Vec<PageReading>,
    /// Why it could not be read to the end; the pages before are here.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_text")]
    pub error: Option<ReadFault>,
}

#[expect(clippy::ref_option, reason = "serde calls it with the field as it is")]
fn as_text<S: serde::Serializer>(fault: &Option<ReadFault>, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_some(&fault.as_ref().map(ToString::to_string))
}

/// What a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PageKind {
    /// A page of a form whose code is to be believed.
    Form,
    /// Nothing on it.
    Blank,
    /// Something else.
    Other,
    /// A page of ours, or one that could not be decoded: a person has to look.
    Unknown,
}

/// What is wrong with a page, as far as the page alone can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Defect {
    /// No impression in the seal box.
    SealMissing,
    /// The impression has no colour though the scan has: perhaps a copy; or the scan has none.
    Copy,
    /// No user has a request.
    NoRequest,
    /// The date is missing or no such day.
    Date,
    /// The contract or account number is missing.
    Account,
    /// A request without the user's ID.
    User,
    /// A digit or tick is not certain.
    Illegible,
    /// The page cannot be assigned to a case: its code is missing, forged, foreign or mirrored.
    Page,
}

/// What one page says.
#[derive(Clone, Debug, Serialize)]
pub struct PageReading {
    /// Its place in the file, from 1.
    pub page: usize,
    /// What it is.
    pub kind: PageKind,
    /// The number of the submission that its code names.
    pub case_id: Option<SubmissionNumber>,
    /// The number in print beside the codes, when all of it can be read: a hint for whoever assigns
    /// a page whose codes are gone, for nothing guards it but its check digit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub printed_number: Option<SubmissionNumber>,
    /// Which form.
    pub form: Option<&'static str>,
    /// Which layout version.
    pub version: Option<u8>,
    /// Which of the two services.
    pub variant: Option<Variant>,
    /// Which page of the form, as in `1/2`.
    pub page_of: Option<String>,
    /// Whether the printed frames lie where they should, so that fields are read in the right place.
    pub registered: bool,
    /// Degrees clockwise by which the page lay turned: 0, 90, 180 or 270.
    pub rotation: u16,
    /// The remaining skew in degrees, clockwise.
    pub skew: f32,
    /// The resolution as measured on the page, or as the file says.
    pub dpi: Option<u32>,
    /// How good the picture is.
    pub quality: Option<Quality>,
    /// How long reading took, decoding excluded, in milliseconds.
    pub ms: u64,
    /// Tick boxes by name.
    pub checks: BTreeMap<String, CheckReading>,
    /// Rows of digits by name.
    pub digits: BTreeMap<String, DigitsReading>,
    /// Seal boxes by name.
    pub seals: BTreeMap<String, SealReading>,
    /// All defects together.
    pub defects: Vec<Defect>,
    /// Why the page could not be read or assigned, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Every field as a PNG, by name; empty unless asked for.
    #[serde(skip)]
    pub crops: BTreeMap<String, Vec<u8>>,
    /// The page as a JPEG for people; empty unless asked for.
    #[serde(skip)]
    pub picture: Vec<u8>,
}

impl PageReading {
    fn new(page: usize, kind: PageKind) -> Self {
        Self {
            page,
            kind,
            case_id: None,
            printed_number: None,
            form: None,
            version: None,
            variant: None,
            page_of: None,
            registered: false,
            rotation: 0,
            skew: 0.0,
            dpi: None,
            quality: None,
            ms: 0,
            checks: BTreeMap::new(),
            digits: BTreeMap::new(),
            seals: BTreeMap::new(),
            defects: Vec::new(),
            note: None,
            crops: BTreeMap::new(),
            picture: Vec::new(),
        }
    }

    /// A page that took more than its share, and the process that read it with it.
    pub fn lost(page: usize) -> Self {
        Self::unreadable(page, &ReadFault::Exhausted)
    }

    fn unreadable(page: usize, fault: &ReadFault) -> Self {
        let note = Some(fault.to_string());
        Self { note, defects: vec![Defect::Page], ..Self::new(page, PageKind::Unknown) }
    }

    fn name(&mut self, payload: &Payload) {
        self.kind = PageKind::Form;
        self.case_id = payload.submission;
        self.form = Some(FORM_NAME);
        self.version = Some(payload.version.number());
        self.variant = Some(payload.variant);
        self.page_of = Some(format!("{}/{}", payload.page, payload.pages));
    }
}

/// Reads a file whatever it is; a fault of the file or of a page is part of the answer.
pub fn read_file(bytes: &[u8], name: &str, options: &ReadOptions) -> FileReading {
    let mut pages = Vec::new();
    let bytes = Arc::new(bytes.to_vec());
    let outcome = read_pages(&bytes, options, &mut pages);
    FileReading { file: name.to_owned(), pages, error: outcome.err() }
}

/// Who takes readings as they come.
pub trait Reader {
    /// Whether the page of that number, from 1, is to be read; said right before it is decoded.
    fn wants(&mut self, number: usize) -> bool;
    /// What it says.
    fn page(&mut self, reading: PageReading);
}

/// All pages, kept.
impl Reader for Vec<PageReading> {
    fn wants(&mut self, _: usize) -> bool {
        true
    }

    fn page(&mut self, reading: PageReading) {
        self.push(reading);
    }
}

/// Reads the pages that are wanted, one at a time.
///
/// # Errors
/// When the file as a whole cannot be read, or not to its end.
pub fn read_pages(
    bytes: &Arc<Vec<u8>>,
    options: &ReadOptions,
    reader: &mut dyn Reader,
) -> Result<(), ReadFault> {
    for_each_page(bytes, &options.limits, &mut Each { options, reader })
}

struct Each<'r> {
    options: &'r ReadOptions,
    reader: &'r mut dyn Reader,
}

impl Visitor for Each<'_> {
    fn wants(&mut self, number: usize) -> bool {
        self.reader.wants(number)
    }

    fn page(&mut self, number: usize, page: Result<Page, ReadFault>) {
        self.reader.page(read_one(number, page, self.options));
    }
}

fn read_one(number: usize, page: Result<Page, ReadFault>, options: &ReadOptions) -> PageReading {
    let started = Instant::now();
    let mut reading = match page {
        Ok(page) => read_guarded(number, &page, options),
        Err(fault) => PageReading::unreadable(number, &fault),
    };
    reading.ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    reading
}

fn read_guarded(number: usize, page: &Page, options: &ReadOptions) -> PageReading {
    let read = guarded(|| {
        Ok(match page {
            Page::Picture(picture) => read_picture(number, picture, options),
            Page::Fields { form, code } => read_form_fields(number, form, code, options),
        })
    });
    read.unwrap_or_else(|fault| PageReading::unreadable(number, &fault))
}

/// Reads one picture of a page.
pub fn read_picture(number: usize, picture: &PageImage, options: &ReadOptions) -> PageReading {
    let mut reading = PageReading::new(number, PageKind::Other);
    reading.dpi = picture.dpi.map(rounded);
    let located = locate(&picture.grey, &options.keys);
    if options.pictures {
        reading.picture = crate::scan::portrait(picture, located.map());
    }
    match located {
        Located::Foreign => {
            if picture.is_blank() {
                reading.kind = PageKind::Blank;
            }
        }
        Located::Unclear { registration, why } => {
            reading.kind = PageKind::Unknown;
            reading.note = Some(why.text());
            if let Some(registration) = registration {
                place(&mut reading, &registration);
                // What stands on the page is shown to whoever finds out whose it is.
                if let Some(page) = registration.page {
                    read_fields(&mut reading, picture, &registration, page, options);
                }
            }
            reading.defects.push(Defect::Page);
        }
        Located::Form { registration, payload } => {
            reading.name(&payload);
            place(&mut reading, &registration);
            let layout = layout(payload.version, payload.variant);
            match layout.page(payload.page) {
                Some(page) => {
                    read_fields(&mut reading, picture, &registration, page, options);
                    reading.defects = defects(&reading, layout, page, picture.depth);
                }
                None => reading.defects.push(Defect::Page),
            }
        }
    }
    reading
}

impl Unclear {
    fn text(self) -> String {
        match self {
            Self::NoCode => "the corner marks are ours but no code can be read".to_owned(),
            Self::Code(fault) => fault.to_string(),
            Self::Conflict => {
                "the two codes and the printed number of the page contradict each other".to_owned()
            }
            Self::Mirrored => "the page is mirrored: its back shows through".to_owned(),
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few hundred dots")]
fn rounded(value: f32) -> u32 {
    value.round().max(0.0) as u32
}

#[expect(clippy::cast_possible_truncation, reason = "angles and scales are small numbers")]
fn place(reading: &mut PageReading, registration: &Registration) {
    let angle = registration.map.angle();
    let quarters = (angle / 90.0).round();
    let turn = ((quarters as i32).rem_euclid(4)) * 90;
    reading.rotation = u16::try_from(turn).unwrap_or(0);
    reading.skew = ((angle - quarters * 90.0) * 100.0).round() as f32 / 100.0;
    reading.printed_number = registration.printed;
    reading.dpi = Some(rounded((registration.map.scale() * 25.4) as f32));
}

/// The share of frames that must be seen where they are expected.
const FRAMES_SEEN: f32 = 0.8;

fn read_fields(
    reading: &mut PageReading,
    picture: &PageImage,
    registration: &Registration,
    page: &PageLayout,
    options: &ReadOptions,
) {
    let (crops, pictures) = (options.crops, options.pictures);
    let map = &registration.map;
    let quality = Quality::of(picture, map, page);
    let reader = BothHands::on(&quality);
    let (seen, all) = read_boxes(reading, &picture.grey, registration, page, reader);
    for field in &page.seals {
        let seal = read_seal(picture, map, field.area, crops || pictures);
        reading.seals.insert(field.id.clone(), seal);
    }
    reading.registered = real(seen) >= FRAMES_SEEN * real(all);
    if !reading.registered {
        // Beside its place a box is easily taken for another one.
        reading.checks.values_mut().for_each(|check| check.v = None);
        reading.digits.values_mut().for_each(DigitsReading::doubt);
    }
    reading.quality = Some(quality);
    if crops {
        let boxes = page.checkboxes.iter().chain(&page.texts).chain(&page.seals);
        let boxes = boxes.map(|field| (&field.id, field.area));
        let rows = page.digits.iter().map(|field| (&field.id, field.area()));
        for (id, area) in boxes.chain(rows) {
            reading.crops.insert(id.clone(), crop(picture, map, area.grown(1.5)));
        }
    }
}

/// A page of a form that was filled in a viewer: exact values, and of course no seal.
fn read_form_fields(
    number: usize,
    form: &Arc<FilledForm>,
    code: &str,
    options: &ReadOptions,
) -> PageReading {
    let mut reading = PageReading::new(number, PageKind::Unknown);
    let mut outcome = Err(PayloadFault::Foreign);
    for key in &options.keys {
        outcome = outcome.or_else(|_| Payload::decode(code, key));
    }
    let payload = match outcome {
        Ok(payload) => payload,
        Err(fault) => {
            reading.note = Some(fault.to_string());
            reading.defects.push(Defect::Page);
            return reading;
        }
    };
    reading.name(&payload);
    let layout = layout(payload.version, payload.variant);
    let Some(page) = layout.page(payload.page) else { return reading };
    reading.registered = true;
    for field in &page.checkboxes {
        let ticked = form.ticked.contains(&field.id);
        let score = if ticked { 1.0 } else { 0.0 };
        reading
            .checks
            .insert(field.id.clone(), CheckReading { v: Some(ticked), score, ink: score });
    }
    for field in &page.digits {
        let text = form.texts.get(&field.id).map_or("", String::as_str);
        reading.digits.insert(field.id.clone(), typed(text, field.cells.len()));
    }
    for field in &page.seals {
        reading.seals.insert(field.id.clone(), SealReading::none());
    }
    reading.defects = defects(&reading, layout, page, Depth::Colour);
    reading
}

/// What was typed into a row: anything but a digit has to be looked at.
fn typed(text: &str, cells: usize) -> DigitsReading {
    let cell = |letter: char| match letter {
        '0'..='9' | ' ' => (letter, 1.0),
        _ => ('?', 0.0),
    };
    let (mut v, mut conf): (String, Vec<f32>) =
        text.trim_end().chars().take(cells).map(cell).unzip();
    conf.resize(cells, 1.0);
    let raw = format!("{v:<cells$}");
    if text.trim_end().chars().count() > cells {
        v.push('?');
    }
    DigitsReading { v, raw, conf, facts: Some(Vec::new()) }
}

/// All defects of a page, in the order of the list.
fn defects(reading: &PageReading, layout: &Layout, page: &PageLayout, depth: Depth) -> Vec<Defect> {
    let mut found = Vec::new();
    if page.page == 1 {
        let missing = reading.seals.values().any(|seal| !seal.found);
        let pale = reading.seals.values().any(|seal| seal.found && !seal.coloured);
        found.extend(missing.then_some(Defect::SealMissing));
        found.extend((pale || depth != Depth::Colour).then_some(Defect::Copy));
        found.extend((!any_request(reading)).then_some(Defect::NoRequest));
        found.extend((!date_is_sound(reading)).then_some(Defect::Date));
        let needed = ["contract_number", "branch_number", "account_number"];
        let lacking =
            needed.iter().any(|id| reading.digits.get(*id).is_none_or(DigitsReading::is_empty));
        found.extend(lacking.then_some(Defect::Account));
    }
    let numbers = 1..=layout.variant.user_rows();
    let nameless = numbers.clone().any(|number| {
        let id = reading.digits.get(&format!("u{number}_user_id"));
        let asks_for_id = ticked(reading, &format!("u{number}_id_inquiry"));
        user_asks(reading, number) && !asks_for_id && id.is_some_and(DigitsReading::is_empty)
    });
    found.extend(nameless.then_some(Defect::User));
    let unclear = reading.checks.values().any(|check| check.v.is_none())
        || reading.digits.values().any(DigitsReading::is_uncertain);
    found.extend(unclear.then_some(Defect::Illegible));
    found.extend((!reading.registered).then_some(Defect::Page));
    found
}

fn ticked(reading: &PageReading, id: &str) -> bool {
    reading.checks.get(id).is_some_and(|check| check.v != Some(false))
}

/// Whether a user has a request; a tick that is not certain counts, a person will look at it.
fn user_asks(reading: &PageReading, number: usize) -> bool {
    let requests = crate::data::Request::ALL;
    requests.iter().any(|request| ticked(reading, &format!("u{number}_{}", request.field())))
}

fn any_request(reading: &PageReading) -> bool {
    (1..=5).any(|number| user_asks(reading, number))
}

fn date_is_sound(reading: &PageReading) -> bool {
    let part = |id: &str| reading.digits.get(id).map_or("", |digits| digits.v.as_str());
    let parts = [part("date_year"), part("date_month"), part("date_day")];
    // A digit that is not certain is reported as illegible, not as a wrong date.
    let uncertain = parts.iter().any(|part| part.contains('?'));
    uncertain || ReiwaDate::from_digits(parts[0], parts[1], parts[2]).is_some()
}
