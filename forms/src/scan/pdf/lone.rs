//! Whether a page shows one picture and nothing else: its drawing is followed without drawing.
//!
//! Invisible text, which scanners lay over what they recognised, does not count.

use hayro::hayro_interpret::font::GlyphRun;
use hayro::hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageDrawProps,
    InterpreterCache, InterpreterSettings, SoftMask, interpret_page,
};
use hayro::hayro_syntax::object::ObjectIdentifier;
use hayro::hayro_syntax::page::Page;
use hayro::kurbo::{Affine, BezPath, Rect, Shape};
use image::{DynamicImage, GrayImage, RgbImage};

/// The picture must fill that share of the page in both directions.
const COVERS: f64 = 0.95;

/// A picture, and how it lies on its page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Placed {
    /// Where it stands in the file; inline pictures stand nowhere.
    pub(super) id: ObjectIdentifier,
    pub(super) width: u32,
    pub(super) height: u32,
    /// Its resolution.
    pub(super) dpi: f32,
    /// Quarters clockwise by which it is turned, that of the page not counted.
    pub(super) turn: u8,
}

/// The one picture of a page, when it covers the page upright or turned by quarters.
pub(super) fn lone_picture(page: &Page<'_>) -> Option<Placed> {
    let mut watch =
        Watch { page: area(page), placed: None, other: false, decode: false, seen: None };
    watch.follow(page);
    watch.placed.filter(|_| !watch.other)
}

/// The picture in whatever colours and code it is stored; none when it is partly transparent.
pub(super) fn decoded(page: &Page<'_>) -> Option<DynamicImage> {
    let mut watch =
        Watch { page: area(page), placed: None, other: false, decode: true, seen: None };
    watch.follow(page);
    watch.seen.filter(|_| !watch.other)
}

fn area(page: &Page<'_>) -> Rect {
    let area = page.intersected_crop_box();
    Rect::new(area.x0, area.y0, area.x1, area.y1)
}

struct Watch {
    page: Rect,
    placed: Option<Placed>,
    /// Something else is drawn.
    other: bool,
    decode: bool,
    seen: Option<DynamicImage>,
}

impl Watch {
    fn follow(&mut self, page: &Page<'_>) {
        let cache = InterpreterCache::new();
        // Letters are looked at for whether they are visible, not for their shapes.
        let settings = InterpreterSettings {
            font_resolver: std::sync::Arc::new(|_| None),
            ..InterpreterSettings::default()
        };
        let mut context = Context::new(Affine::IDENTITY, self.page, &cache, page.xref(), settings);
        interpret_page(page, &mut context, self);
    }

    fn place(&self, image: &Image<'_, '_>, transform: Affine) -> Option<Placed> {
        let Image::Raster(raster) = image else { return None };
        let (width, height) = (image.width(), image.height());
        let [a, b, c, d, ..] = transform.as_coeffs();
        // The directions of a row and of a column on paper, whose y goes upwards.
        let slanted = |one: f64, other: f64| other.abs() > 0.01 * one.abs();
        let turn = if !slanted(a, b) && !slanted(d, c) {
            match (a > 0.0, d < 0.0) {
                (true, true) => 0,
                (false, false) => 2,
                _ => return None,
            }
        } else if !slanted(b, a) && !slanted(c, d) {
            match (b < 0.0, c < 0.0) {
                (true, true) => 1,
                (false, false) => 3,
                _ => return None,
            }
        } else {
            return None;
        };
        let covered =
            transform.transform_rect_bbox(Rect::new(0.0, 0.0, width.into(), height.into()));
        let covered = covered.intersect(self.page);
        if covered.width() < COVERS * self.page.width()
            || covered.height() < COVERS * self.page.height()
        {
            return None;
        }
        let points = a.hypot(b);
        let dpi = narrow(72.0 / points);
        let id = raster.stream().obj_id();
        points.is_normal().then_some(Placed { id, width, height, dpi, turn })
    }

    /// Clips as wide as the page change nothing.
    fn clip(&mut self, clip: Rect) {
        let inside = clip.intersect(self.page);
        self.other |= inside.width() < COVERS * self.page.width()
            || inside.height() < COVERS * self.page.height();
    }
}

#[expect(clippy::cast_possible_truncation, reason = "dots an inch")]
fn narrow(value: f64) -> f32 {
    value as f32
}

impl<'p> Device<'p> for Watch {
    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'p>, _: &DrawMode) {
        self.other = true;
    }

    fn push_clip_path(&mut self, clip: &ClipPath) {
        self.clip(clip.path.bounding_box());
    }

    fn push_transparency_group(
        &mut self,
        opacity: f32,
        mask: Option<SoftMask<'p>>,
        blend_mode: BlendMode,
    ) {
        // On white paper only the darkest of two is seen as well.
        let plain =
            matches!(blend_mode, BlendMode::Normal | BlendMode::Multiply | BlendMode::Darken);
        self.other |= opacity < 0.99 || mask.is_some() || !plain;
    }

    fn draw_glyph_run(&mut self, _: &GlyphRun<'_, 'p>, _: DrawProps<'p>, mode: &DrawMode) {
        self.other |= !matches!(mode, DrawMode::Invisible);
    }

    fn draw_image(&mut self, image: Image<'p, '_>, props: ImageDrawProps<'p>) {
        let placed = self.place(&image, props.transform).filter(|_| self.placed.is_none());
        self.other |= placed.is_none() || props.soft_mask.is_some();
        self.placed = self.placed.or(placed);
        if let (Image::Raster(raster), true, false) = (image, self.decode, self.other) {
            raster.with_rgba(|image, alpha| self.seen = opaque(image, alpha.is_some()), None);
        }
    }

    fn pop_clip(&mut self) {}

    fn pop_transparency_group(&mut self) {}
}

fn opaque(image: hayro::hayro_interpret::ImageData, transparent: bool) -> Option<DynamicImage> {
    use hayro::hayro_interpret::ImageData;
    match image {
        _ if transparent => None,
        ImageData::Luma(luma) => {
            GrayImage::from_raw(luma.width, luma.height, luma.data).map(DynamicImage::ImageLuma8)
        }
        ImageData::Rgb(rgb) => {
            RgbImage::from_raw(rgb.width, rgb.height, rgb.data).map(DynamicImage::ImageRgb8)
        }
    }
}
