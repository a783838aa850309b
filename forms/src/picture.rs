//! A page as it came, upright and straight, for people to look at: its seals covered, so that a
//! picture in a letter teaches nobody what a seal looks like.

use std::io::Cursor;
use std::sync::Arc;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::{FilterType, resize};
use image::{ExtendedColorType, Rgb, RgbImage};

use crate::fault::ReadFault;
use crate::form3::{BoxMm, PAGE_MM, PageLayout, Variant, Version, layout};
use crate::locate::{Located, locate};
use crate::payload::CodeKey;
use crate::raster::{Homography, colour_patch, patch};
use crate::scan::{Limits, Page, PageImage, Visitor, for_each_page, guarded, render_pages};

/// The picture of one page of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PagePicture {
    /// Which page of the form.
    pub page: u8,
    /// Its layout.
    pub version: Version,
    /// Its variant.
    pub variant: Variant,
    /// Width and height in pixels.
    pub size: (u32, u32),
    /// A JPEG in colour that covers the page exactly.
    pub jpeg: Vec<u8>,
}

/// 100 dots an inch: enough to recognise one's own writing.
const PER_MM: f32 = 4.0;
/// Sampled so many times finer, so that thin lines stay.
const FINER: f32 = 2.0;
const QUALITY: u8 = 68;
/// Behind a covered seal.
const COVER: Rgb<u8> = Rgb([222, 226, 232]);

/// Every page of a file that is one of this form and of this submission, by its codes; others are
/// left out, for they may belong to somebody else.
///
/// # Errors
/// When the file as a whole cannot be read.
pub fn page_pictures(
    bytes: &[u8],
    key: &CodeKey,
    number: &str,
    limits: &Limits,
) -> Result<Vec<PagePicture>, ReadFault> {
    let mut album = Album { key, number, pictures: Vec::new() };
    for_each_page(&Arc::new(bytes.to_vec()), limits, &mut album)?;
    Ok(album.pictures)
}

/// What letters are looked at with on a screen.
const SCREEN_DPI: f32 = 110.0;
/// Between the pages of a letter, and its colour.
const GAP: u32 = 14;
const DESK: Rgb<u8> = Rgb([148, 155, 168]);
/// Print is thin: it wants more than a photograph.
const PRINT_QUALITY: u8 = 82;

/// A letter of ours as it will lie on the table: its pages below each other, as one JPEG.
///
/// # Errors
/// When the letter cannot be drawn.
pub fn letter_picture(pdf: &[u8]) -> Result<Vec<u8>, ReadFault> {
    let pages = render_pages(pdf, SCREEN_DPI, &Limits::default())?;
    let width = pages.iter().map(RgbImage::width).max().unwrap_or(1);
    let height: u32 = pages.iter().map(|page| page.height() + GAP).sum();
    let mut whole = RgbImage::from_pixel(width, height.saturating_sub(GAP).max(1), DESK);
    let mut top = 0;
    for page in &pages {
        image::imageops::replace(&mut whole, page, 0, top);
        top += i64::from(page.height() + GAP);
    }
    let mut jpeg = Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut jpeg, PRINT_QUALITY)
        .encode(whole.as_raw(), whole.width(), whole.height(), ExtendedColorType::Rgb8)
        .map_err(|fault| ReadFault::Picture { reason: fault.to_string() })?;
    Ok(jpeg.into_inner())
}

/// The pages of one submission.
struct Album<'a> {
    key: &'a CodeKey,
    number: &'a str,
    pictures: Vec<PagePicture>,
}

impl Visitor for Album<'_> {
    fn wants(&mut self, _: usize) -> bool {
        true
    }

    fn page(&mut self, _: usize, page: Result<Page, ReadFault>) {
        if let Ok(Page::Picture(page)) = page {
            let shown = guarded(|| Ok(shown(&page, self.key, self.number)));
            self.pictures.extend(shown.ok().flatten());
        }
    }
}

fn shown(page: &PageImage, key: &CodeKey, number: &str) -> Option<PagePicture> {
    let Located::Form { registration, payload } = locate(&page.grey, std::slice::from_ref(key))
    else {
        return None;
    };
    if payload.submission?.to_string() != number {
        return None;
    }
    let layout = layout(payload.version, payload.variant).page(payload.page)?;
    let mut picture = straight(page, &registration.map)?;
    cover(&mut picture, layout);
    let size = picture.dimensions();
    let mut jpeg = Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY)
        .encode(picture.as_raw(), size.0, size.1, ExtendedColorType::Rgb8)
        .ok()?;
    Some(PagePicture {
        page: payload.page,
        version: payload.version,
        variant: payload.variant,
        size,
        jpeg: jpeg.into_inner(),
    })
}

fn straight(page: &PageImage, map: &Homography) -> Option<RgbImage> {
    let area = BoxMm::new(0.0, 0.0, PAGE_MM[0], PAGE_MM[1]);
    let fine = match page.colours() {
        Some(colours) => colour_patch(colours, map, area, PER_MM * FINER),
        None => {
            let grey = patch(&page.grey, map, area, PER_MM * FINER);
            let (width, height) =
                (u32::try_from(grey.width).ok()?, u32::try_from(grey.height).ok()?);
            RgbImage::from_raw(width, height, grey.values.iter().flat_map(|v| [*v; 3]).collect())?
        }
    };
    let (width, height) = fine.dimensions();
    Some(resize(&fine, width / 2, height / 2, FilterType::Triangle))
}

/// A seal often overlaps the edge of its box.
const OVERLAP_MM: f32 = 6.0;

fn cover(picture: &mut RgbImage, page: &PageLayout) {
    let (width, height) = picture.dimensions();
    for seal in &page.seals {
        let area = seal.area.grown(OVERLAP_MM);
        let dots = |millimetres: f32, most: u32| {
            u32::try_from(crate::raster::whole(millimetres.max(0.0) * PER_MM))
                .unwrap_or(most)
                .min(most)
        };
        for y in dots(area.y, height)..dots(area.bottom(), height) {
            for x in dots(area.x, width)..dots(area.right(), width) {
                picture.put_pixel(x, y, COVER);
            }
        }
    }
}
