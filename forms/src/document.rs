//! From drawn sheets to a PDF file: fonts subset, what pages share written once, dates set.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use allsorts::binary::read::ReadScope;
use allsorts::font_data::FontData;
use allsorts::subset::{CmapTarget, SubsetProfile, subset};
use lopdf::{Dictionary, Object, ObjectId, Stream, StringFormat, dictionary, text_string};
use printpdf::{Mm, Op, ParsedFont, PdfDocument, PdfFont, PdfPage, PdfSaveOptions};
use sha2::{Digest, Sha256};

use crate::fault::PrintFault;
use crate::fonts::Typesetter;
use crate::form3::{BoxMm, PAGE_MM};
use crate::picture::PagePicture;
use crate::sheet::{MM_PER_POINT, Sheet, Used, font_id, merge};

/// The resource name of the part that many pages share.
const SHARED: &str = "Shared";

/// A document being put together.
pub(crate) struct Paper<'a> {
    setter: &'a Typesetter<'a>,
    shared: Vec<Vec<Op>>,
    pages: Vec<(Overlay, Vec<Op>)>,
    used: Used,
}

/// What a page has besides its own drawing.
struct Overlay {
    shared: Option<usize>,
    appended: String,
    pictures: Vec<(BoxMm, PagePicture)>,
}

/// A document on its way to a file, for those who add to it before it is written.
pub(crate) struct Draft {
    pub(crate) pdf: lopdf::Document,
    pub(crate) pages: Vec<ObjectId>,
}

/// What the file says of itself.
pub(crate) struct Imprint<'a> {
    pub(crate) title: &'a str,
    pub(crate) author: &'a str,
    pub(crate) made_at: SystemTime,
}

impl<'a> Paper<'a> {
    pub(crate) fn new(setter: &'a Typesetter<'a>) -> Self {
        Self { setter, shared: Vec::new(), pages: Vec::new(), used: Used::new() }
    }

    pub(crate) fn sheet(&self) -> Sheet<'a> {
        Sheet::new(self.setter)
    }

    /// Keeps what several pages have in common; the answer names it for [`Self::page`].
    pub(crate) fn share(&mut self, sheet: Sheet<'_>) -> usize {
        merge(&mut self.used, &sheet.used);
        self.shared.push(sheet.ops);
        self.shared.len() - 1
    }

    pub(crate) fn page(&mut self, shared: Option<usize>, sheet: Sheet<'_>) {
        merge(&mut self.used, &sheet.used);
        let overlay = Overlay { shared, appended: sheet.appended, pictures: sheet.pictures };
        self.pages.push((overlay, sheet.ops));
    }

    pub(crate) fn draft(self, imprint: &Imprint<'_>) -> Result<Draft, PrintFault> {
        let mut document = PdfDocument::new(imprint.title);
        for (face, characters) in &self.used {
            let font = reduced(self.setter, *face, characters)?;
            document.resources.fonts.map.insert(font_id(*face), PdfFont::new(font));
        }
        let shared_count = self.shared.len();
        let (uses, drawn): (Vec<_>, Vec<_>) = self.pages.into_iter().unzip();
        let all = self.shared.into_iter().chain(drawn);
        let (width, height) = (Mm(PAGE_MM[0]), Mm(PAGE_MM[1]));
        document.with_pages(all.map(|ops| PdfPage::new(width, height, ops)).collect());
        let mut warnings = Vec::new();
        let mut pdf = document.to_lopdf_document(&PdfSaveOptions::default(), &mut warnings);
        if let Some(warning) = warnings.first() {
            return Err(PrintFault::Incomplete { warning: warning.msg.clone() });
        }
        let pages = join(&mut pdf, shared_count, &uses)?;
        stamp(&mut pdf, imprint);
        Ok(Draft { pdf, pages })
    }
}

impl Draft {
    pub(crate) fn finish(mut self) -> Result<Vec<u8>, PrintFault> {
        self.tidy();
        self.write(0)
    }

    /// Drops what nothing refers to, compresses, and names the file after its content.
    pub(crate) fn tidy(&mut self) {
        self.pdf.prune_objects();
        self.pdf.compress();
        identify(&mut self.pdf);
    }

    /// The file; `more` bytes were added since it was tidied.
    pub(crate) fn write(&mut self, more: usize) -> Result<Vec<u8>, PrintFault> {
        let streams = self.pdf.objects.values().map(|object| match object {
            Object::Stream(stream) => stream.content.len() + 512,
            _ => 4096,
        });
        let mut bytes = Vec::with_capacity(streams.sum::<usize>() + more + 65_536);
        self.pdf
            .save_to(&mut bytes)
            .map_err(|source| failed("writing the file")(lopdf::Error::IO(source)))?;
        Ok(bytes)
    }
}

pub(crate) fn failed(step: &'static str) -> impl FnOnce(lopdf::Error) -> PrintFault {
    move |source| PrintFault::Document { step, source }
}

/// The face with only the glyphs of those characters, under a name that says so.
fn reduced(
    setter: &Typesetter<'_>,
    index: usize,
    characters: &std::collections::BTreeSet<char>,
) -> Result<ParsedFont, PrintFault> {
    let (Some(source), Some(face)) = (setter.source(index), setter.face(index)) else {
        return Err(PrintFault::Subset { name: index.to_string(), reason: "no such face".into() });
    };
    let refused = |reason: String| PrintFault::Subset { name: source.name.clone(), reason };
    // Glyph 0 comes first and every glyph once; the subsetter renumbers by position.
    let mut glyphs: BTreeMap<u16, u16> = BTreeMap::from([(0, 0)]);
    for character in characters {
        glyphs.insert(face.glyph_index(*character).map_or(0, |glyph| glyph.0), 0);
    }
    let order: Vec<u16> = glyphs.keys().copied().collect();
    for (new, old) in (0..).zip(&order) {
        glyphs.insert(*old, new);
    }
    let data = ReadScope::new(source.bytes())
        .read::<FontData<'_>>()
        .map_err(|error| refused(error.to_string()))?;
    let tables =
        data.table_provider(source.index as usize).map_err(|error| refused(error.to_string()))?;
    let bytes = subset(&tables, &order, &SubsetProfile::Pdf, CmapTarget::Unicode)
        .map_err(|error| refused(error.to_string()))?;
    let tag = tag(&bytes);
    let mut font = ParsedFont::from_bytes(&bytes, 0, &mut Vec::new())
        .ok_or_else(|| refused("the subset cannot be parsed".to_owned()))?;
    font.font_name = Some(format!("{tag}+{}", source.name));
    font.codepoint_to_glyph = characters
        .iter()
        .filter_map(|c| Some((u32::from(*c), *glyphs.get(&face.glyph_index(*c)?.0)?)))
        .collect();
    Ok(font)
}

/// The six letters that mark a subset (ISO 32000-1, 9.6.4), from its content.
fn tag(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().take(6).map(|byte| char::from(b'A' + byte % 26)).collect()
}

/// Turns the shared sheets into form objects, draws them on their pages, and removes them from the
/// page tree. Answers the pages that are left.
fn join(
    pdf: &mut lopdf::Document,
    shared_count: usize,
    uses: &[Overlay],
) -> Result<Vec<ObjectId>, PrintFault> {
    let all: Vec<ObjectId> = pdf.get_pages().into_values().collect();
    let (shared, pages) = all.split_at(shared_count.min(all.len()));
    let mut resources = Vec::new();
    for page in shared {
        resources.push(shared_resources(pdf, *page)?);
    }
    for (page, overlay) in pages.iter().zip(uses) {
        let shared = overlay.shared.and_then(|index| resources.get(index)).copied();
        lay_over(pdf, *page, shared, &overlay.appended)?;
        if !overlay.pictures.is_empty() {
            lay_under(pdf, *page, &overlay.pictures)?;
        }
    }
    let kids: Vec<Object> = pages.iter().map(|page| Object::Reference(*page)).collect();
    let tree = pdf
        .catalog()
        .and_then(|catalog| catalog.get(b"Pages"))
        .and_then(Object::as_reference)
        .map_err(failed("finding the page tree"))?;
    let tree = pdf.get_dictionary_mut(tree).map_err(failed("opening the page tree"))?;
    tree.set("Count", i64::try_from(kids.len()).unwrap_or(i64::MAX));
    tree.set("Kids", kids);
    Ok(pages.to_vec())
}

/// The content stream of a page that was just made by us, so that its size needs no bound.
fn content_of(pdf: &lopdf::Document, page: ObjectId) -> Result<ObjectId, PrintFault> {
    pdf.get_dictionary(page)
        .and_then(|page| page.get(b"Contents"))
        .and_then(Object::as_reference)
        .map_err(failed("finding a content stream"))
}

/// One set of resources for all pages over the same shared part.
fn shared_resources(pdf: &mut lopdf::Document, page: ObjectId) -> Result<ObjectId, PrintFault> {
    let content = content_of(pdf, page)?;
    let page = pdf.get_dictionary(page).map_err(failed("opening a page"))?;
    let mut resources = page
        .get(b"Resources")
        .and_then(Object::as_reference)
        .and_then(|id| pdf.get_dictionary(id))
        .map_err(failed("finding the resources"))?
        .clone();
    let media_box = page.get(b"MediaBox").map_err(failed("finding the page size"))?.clone();
    let own = Dictionary::from_iter([(
        "Font",
        resources.get(b"Font").map_err(failed("finding the fonts"))?.clone(),
    )]);
    let stream = pdf
        .get_object(content)
        .and_then(Object::as_stream)
        .map_err(failed("opening a content stream"))?;
    let mut form = dictionary! {
        "Type" => "XObject", "Subtype" => "Form", "BBox" => media_box,
    };
    form.set("Resources", own);
    let form = Stream::new(form, stream.content.clone());
    let form = pdf.add_object(form);
    resources.set("XObject", dictionary! { SHARED => form });
    Ok(pdf.add_object(resources))
}

/// Puts the shared part under what a page draws itself, and finished operators on top.
fn lay_over(
    pdf: &mut lopdf::Document,
    page: ObjectId,
    shared: Option<ObjectId>,
    appended: &str,
) -> Result<(), PrintFault> {
    let content = content_of(pdf, page)?;
    let mut joined = Vec::new();
    if let Some(resources) = shared {
        let page = pdf.get_dictionary_mut(page).map_err(failed("opening a page"))?;
        page.set("Resources", resources);
        joined.extend_from_slice(format!("q /{SHARED} Do Q\n").as_bytes());
    }
    let stream = pdf
        .get_object_mut(content)
        .and_then(Object::as_stream_mut)
        .map_err(failed("opening a content stream"))?;
    joined.append(&mut stream.content);
    joined.push(b'\n');
    joined.extend_from_slice(appended.as_bytes());
    stream.set_content(joined);
    Ok(())
}

/// Puts pictures under everything that a page draws.
fn lay_under(
    pdf: &mut lopdf::Document,
    page: ObjectId,
    pictures: &[(BoxMm, PagePicture)],
) -> Result<(), PrintFault> {
    let mut named = Dictionary::new();
    let mut drawn = String::new();
    for (index, (area, picture)) in pictures.iter().enumerate() {
        let name = format!("Picture{index}");
        let [x, y, w, h] = [area.x, PAGE_MM[1] - area.bottom(), area.w, area.h]
            .map(|millimetres| millimetres / MM_PER_POINT);
        // Writing into a string cannot fail.
        let _ = writeln!(drawn, "q {w:.2} 0 0 {h:.2} {x:.2} {y:.2} cm /{name} Do Q");
        let about = dictionary! {
            "Type" => "XObject", "Subtype" => "Image",
            "Width" => i64::from(picture.size.0), "Height" => i64::from(picture.size.1),
            "ColorSpace" => "DeviceRGB", "BitsPerComponent" => 8, "Filter" => "DCTDecode",
        };
        let stream = Stream::new(about, picture.jpeg.clone()).with_compression(false);
        named.set(name, pdf.add_object(stream));
    }
    let content = content_of(pdf, page)?;
    let stream = pdf
        .get_object_mut(content)
        .and_then(Object::as_stream_mut)
        .map_err(failed("opening a content stream"))?;
    let mut joined = drawn.into_bytes();
    joined.append(&mut stream.content);
    stream.set_content(joined);
    let mut resources = pdf
        .get_dictionary(page)
        .and_then(|page| page.get(b"Resources"))
        .and_then(Object::as_reference)
        .and_then(|id| pdf.get_dictionary(id))
        .map_err(failed("finding the resources"))?
        .clone();
    resources.set("XObject", named);
    let resources = pdf.add_object(resources);
    let page = pdf.get_dictionary_mut(page).map_err(failed("opening a page"))?;
    page.set("Resources", resources);
    Ok(())
}

/// Title, author and dates; the PDF library would date everything 1970.
fn stamp(pdf: &mut lopdf::Document, imprint: &Imprint<'_>) {
    "1.7".clone_into(&mut pdf.version);
    let date = Object::String(pdf_date(imprint.made_at).into_bytes(), StringFormat::Literal);
    let about = dictionary! {
        "Title" => text_string(imprint.title),
        "Author" => text_string(imprint.author),
        "Creator" => text_string("saihakko"),
        "Producer" => text_string("saihakko"),
        "CreationDate" => date.clone(),
        "ModDate" => date,
    };
    let about = pdf.add_object(about);
    pdf.trailer.set("Info", about);
    if let Ok(catalog) = pdf.catalog_mut() {
        catalog.set("Lang", Object::string_literal("ja-JP"));
        catalog.set("ViewerPreferences", dictionary! { "DisplayDocTitle" => true });
    }
}

/// A file identifier that follows from the content, so that the same input gives the same file.
fn identify(pdf: &mut lopdf::Document) {
    let mut digest = Sha256::new();
    for object in pdf.objects.values() {
        match object {
            Object::Stream(stream) => digest.update(&stream.content),
            other => digest.update(format!("{other:?}")),
        }
    }
    let id: Vec<u8> = digest.finalize().iter().take(16).copied().collect();
    let id = Object::String(id, StringFormat::Hexadecimal);
    pdf.trailer.set("ID", vec![id.clone(), id]);
}

/// A day in Japan as an ISO date; a moment before 1970 counts as 1970.
pub(crate) fn iso_day(moment: SystemTime) -> String {
    let since = moment.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let (year, month, day) = civil(since.as_secs().saturating_add(JAPAN) / 86_400);
    format!("{year:04}-{month:02}-{day:02}")
}

/// How far Japan is ahead of UTC, in seconds.
const JAPAN: u64 = 9 * 3600;

/// A moment as PDF writes it, in Japanese time; a moment before 1970 counts as 1970.
fn pdf_date(moment: SystemTime) -> String {
    let since = moment.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let seconds = since.as_secs().saturating_add(JAPAN);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("D:{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}+09'00'")
}

/// Year, month and day of a count of days since 1970 in the Gregorian calendar, by counting years
/// from 1 March in eras of 400.
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let leaps = day_of_era / 1460 + day_of_era / 146_096;
    let year_of_era = (day_of_era + day_of_era / 36_524 - leaps) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_in_japanese_time() {
        for (seconds, expected) in [
            (0, "D:19700101090000+09'00'"),
            (1_709_132_399, "D:20240228235959+09'00'"),
            (1_709_132_400, "D:20240229000000+09'00'"),
            (1_735_657_200, "D:20250101000000+09'00'"),
            (4_107_510_000, "D:21000301000000+09'00'"),
        ] {
            let moment = UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(pdf_date(moment), expected, "{seconds}");
        }
        assert_eq!(pdf_date(UNIX_EPOCH - Duration::from_secs(5)), "D:19700101090000+09'00'");
    }
}
