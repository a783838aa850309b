//! Pages of a PDF: fields of a filled form, the one picture that covers the page, or a rendering.

use std::sync::Arc;

use hayro::hayro_interpret::InterpreterSettings;
use hayro::hayro_syntax::object::Dict;
use hayro::hayro_syntax::page::Page as PdfPage;
use hayro::hayro_syntax::{DecryptionError, LoadPdfError, Pdf};
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{PixmapSettings, RenderCache, RenderSettings, render};
use image::RgbImage;
use lopdf::{Document, LoadOptions};

use super::{Limits, Page, PageImage, Visitor, check_pixels, guarded};
use crate::fault::ReadFault;
use crate::fillable::{FilledForm, read_fields};

mod lone;
mod picture;

/// What a page without a picture of its own is rendered at.
const RENDER_DPI: f32 = 200.0;

/// What any single stream of a filled form's structure may unpack to.
const STRUCTURE_BYTES: usize = 32 << 20;

/// A form of ours that was filled in in a viewer is smaller.
const FORM_BYTES: usize = 16 << 20;

fn refused(reason: impl std::fmt::Display) -> ReadFault {
    ReadFault::Pdf { reason: reason.to_string() }
}

fn open(bytes: &Arc<Vec<u8>>) -> Result<Pdf, ReadFault> {
    // Objects are parsed where they lie, when they are asked for.
    let unread = |error| match error {
        LoadPdfError::Decryption(DecryptionError::PasswordProtected) => ReadFault::Protected,
        other => refused(format!("{other:?}")),
    };
    guarded(|| Pdf::new(Arc::clone(bytes)).map_err(unread))
}

/// A form filled in in a viewer is read from its fields; everything else by its looks.
pub(super) fn for_each_page(
    bytes: &Arc<Vec<u8>>,
    limits: &Limits,
    visitor: &mut dyn Visitor,
) -> Result<(), ReadFault> {
    let pdf = open(bytes)?;
    if bytes.len() <= FORM_BYTES && has_fields(&pdf) {
        let form = guarded(|| objects(bytes, limits)).ok();
        if let Some(form) = form.as_ref().and_then(read_fields).map(Arc::new) {
            return fields(&form, limits, visitor);
        }
    }
    pictures(&pdf, limits, visitor)
}

pub(super) fn for_each_picture(
    bytes: &Arc<Vec<u8>>,
    limits: &Limits,
    visitor: &mut dyn Visitor,
) -> Result<(), ReadFault> {
    pictures(&open(bytes)?, limits, visitor)
}

fn has_fields(pdf: &Pdf) -> bool {
    let has = || {
        let catalog = pdf.xref().get::<Dict<'_>>(pdf.xref().root_id());
        Ok(catalog.is_some_and(|catalog| catalog.contains_key("AcroForm")))
    };
    guarded(has).unwrap_or(false)
}

fn objects(bytes: &[u8], limits: &Limits) -> Result<Document, ReadFault> {
    let options =
        LoadOptions { max_decompressed_size: Some(STRUCTURE_BYTES), ..LoadOptions::default() };
    let document = Document::load_mem_with_options(bytes, options).map_err(refused)?;
    if document.is_encrypted() {
        return Err(ReadFault::Protected);
    }
    if document.page_iter().take(limits.pages + 1).count() > limits.pages {
        return Err(ReadFault::TooManyPages { limit: limits.pages });
    }
    Ok(document)
}

fn fields(
    form: &Arc<FilledForm>,
    limits: &Limits,
    visitor: &mut dyn Visitor,
) -> Result<(), ReadFault> {
    if form.codes.len() > limits.pages {
        return Err(ReadFault::TooManyPages { limit: limits.pages });
    }
    for (number, code) in (1..).zip(form.codes.values()) {
        if visitor.wants(number) {
            let page = Page::Fields { form: Arc::clone(form), code: code.clone() };
            visitor.page(number, Ok(page));
        }
    }
    Ok(())
}

fn pictures(pdf: &Pdf, limits: &Limits, visitor: &mut dyn Visitor) -> Result<(), ReadFault> {
    let pages = guarded(|| Ok(pdf.pages()))?;
    if pages.len() > limits.pages {
        return Err(ReadFault::TooManyPages { limit: limits.pages });
    }
    if pages.is_empty() {
        return Err(refused("the file has no pages"));
    }
    for (number, page) in (1..).zip(pages.iter()) {
        if !visitor.wants(number) {
            continue;
        }
        let picture = guarded(|| picture::extract(page, limits))
            .and_then(|extracted| extracted.map_or_else(|| guarded(|| seen(page, limits)), Ok));
        visitor.page(number, picture.map(|picture| Page::Picture(Box::new(picture))));
    }
    Ok(())
}

fn seen<'p>(page: &'p PdfPage<'p>, limits: &Limits) -> Result<PageImage, ReadFault> {
    let colour = rendered(page, RENDER_DPI, limits)?;
    Ok(PageImage::from_dynamic(colour.into(), Some(RENDER_DPI)))
}

/// All pages at that resolution.
pub(super) fn render_pages(
    bytes: &[u8],
    dpi: f32,
    limits: &Limits,
) -> Result<Vec<RgbImage>, ReadFault> {
    let pdf = open(&Arc::new(bytes.to_vec()))?;
    pdf.pages().iter().map(|page| guarded(|| rendered(page, dpi, limits))).collect()
}

fn rendered<'p>(page: &'p PdfPage<'p>, dpi: f32, limits: &Limits) -> Result<RgbImage, ReadFault> {
    let scale = dpi / 72.0;
    let (width, height) = page.render_dimensions();
    let (pixels_wide, pixels_high) = (whole(width * scale)?, whole(height * scale)?);
    check_pixels(pixels_wide, pixels_high, limits)?;
    let cache = RenderCache::new();
    let settings = PixmapSettings { x_scale: scale, y_scale: scale, bg_color: WHITE };
    let pixmap = render(
        page,
        &cache,
        &InterpreterSettings::default(),
        &RenderSettings::default(),
        &settings,
    );
    let (width, height) = (u32::from(pixmap.width()), u32::from(pixmap.height()));
    let values = pixmap.data_as_u8_slice().chunks_exact(4);
    let values = values.flat_map(|pixel| pixel.iter().take(3).copied()).collect();
    RgbImage::from_raw(width, height, values)
        .ok_or_else(|| refused("the rendering has a wrong size"))
}

/// The renderer counts pixels in sixteen bits.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "range checked before")]
fn whole(pixels: f32) -> Result<u32, ReadFault> {
    if (1.0..30_000.0).contains(&pixels) {
        Ok(pixels as u32)
    } else {
        Err(refused("the page has an impossible size"))
    }
}
