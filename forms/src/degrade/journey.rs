//! The way of a sheet from the desk to a file: folds, the pose under the scanner or the camera,
//! light, blur, noise, and what the device keeps.

use image::RgbImage;

use super::chance::Chance;
use super::{PaperSheet, blurred, byte, narrow, pixels};
use crate::form3::PAGE_MM;
use crate::raster::{Homography, Place, real_u32};
use crate::scan::Depth;

/// How badly a sheet fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// A scanner in an office.
    Office,
    /// Old scanners and faxes: 150 dpi, skewed, noisy.
    Rough,
    /// Photographs by telephone, folded paper, shadows.
    Brutal,
}

/// What arrives: the picture and what is known of it.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// The picture.
    pub picture: RgbImage,
    /// Its resolution.
    pub dpi: f32,
    /// What the device kept of colour.
    pub depth: Depth,
    /// The quality of the JPEG that the device writes.
    pub quality: u8,
}

/// All that is drawn by chance for one way.
struct Way {
    depth: Depth,
    dpi: f32,
    blur_mm: f32,
    noise: f32,
    /// How unevenly the light lies, 0 to 1.
    shade: f32,
    fold: Option<Fold>,
    quality: u8,
    /// Whether a desk is seen around the paper.
    desk: bool,
}

/// A fold: beyond it the paper lies a little otherwise, and on it there is a line.
#[derive(Clone, Copy)]
struct Fold {
    y: f32,
    lean: f32,
    line: f32,
}

impl Way {
    fn of(severity: Severity, chance: &mut Chance) -> Self {
        match severity {
            Severity::Office => Self {
                depth: if chance.happens(0.12) { Depth::Grey } else { Depth::Colour },
                dpi: chance.pick(&[200.0, 200.0, 240.0, 300.0]).copied().unwrap_or(200.0),
                blur_mm: chance.between(0.02, 0.07),
                noise: chance.between(1.0, 5.0),
                shade: 0.0,
                fold: None,
                quality: byte(chance.between(70.0, 92.0)),
                desk: false,
            },
            Severity::Rough => {
                let depth = match chance.below(10) {
                    0..=2 => Depth::Bilevel,
                    3 => Depth::Grey,
                    _ => Depth::Colour,
                };
                Self {
                    depth,
                    dpi: if depth == Depth::Bilevel {
                        chance.between(190.0, 240.0)
                    } else {
                        chance.pick(&[150.0, 150.0, 200.0]).copied().unwrap_or(150.0)
                    },
                    blur_mm: chance.between(0.04, 0.12),
                    noise: chance.between(3.0, 10.0),
                    shade: chance.between(0.0, 0.25),
                    fold: chance.happens(0.4).then(|| Fold::any(chance, 0.3)),
                    quality: byte(chance.between(45.0, 80.0)),
                    desk: false,
                }
            }
            Severity::Brutal => Self {
                depth: Depth::Colour,
                dpi: chance.between(165.0, 230.0),
                blur_mm: chance.between(0.05, 0.17),
                noise: chance.between(4.0, 12.0),
                shade: chance.between(0.15, 0.5),
                fold: chance.happens(0.7).then(|| Fold::any(chance, 1.0)),
                quality: byte(chance.between(40.0, 80.0)),
                desk: true,
            },
        }
    }
}

impl Fold {
    fn any(chance: &mut Chance, strong: f32) -> Self {
        let y = if chance.happens(0.5) { 99.0 } else { 198.0 };
        Self {
            y: y + chance.gauss() * 2.0,
            lean: chance.gauss() * 0.004 * strong,
            line: chance.between(-0.25, 0.35) * strong,
        }
    }
}

impl PaperSheet {
    /// Sends the sheet on its way.
    pub fn travelled(&self, severity: Severity, seed: u64) -> Arrived {
        self.travelled_at(severity, None, seed)
    }

    /// The same through a device of that resolution, where one is named.
    pub fn travelled_at(&self, severity: Severity, dpi: Option<f32>, seed: u64) -> Arrived {
        let mut chance = Chance::new(seed);
        let mut way = Way::of(severity, &mut chance);
        way.dpi = dpi.unwrap_or(way.dpi);
        let blurred = blurred(&self.picture, way.blur_mm * self.per_mm);
        let (map, [wide, high]) = pose(severity, way.dpi / 25.4, &mut chance);
        let picture = self.seen(&blurred, &way, &map, [wide, high], &mut chance);
        Arrived { picture, dpi: way.dpi, depth: way.depth, quality: way.quality }
    }

    fn seen(
        &self,
        paper: &RgbImage,
        way: &Way,
        map: &Homography,
        [wide, high]: [u32; 2],
        chance: &mut Chance,
    ) -> RgbImage {
        let noise: Vec<f32> = (0..65_536).map(|_| chance.gauss() * way.noise).collect();
        let light = Light::any(way.shade, [wide, high], chance);
        let limit = byte(chance.between(130.0, 175.0));
        let desk =
            [chance.between(60.0, 150.0), chance.between(50.0, 140.0), chance.between(40.0, 130.0)];
        let bed = if way.desk { desk } else { [248.0; 3] };
        let raw: &[u8] = paper;
        let size = [paper.width() as usize, paper.height() as usize];
        let mut values = Vec::with_capacity(wide as usize * high as usize * 3);
        for y in 0..high {
            let mut grain = chance.below(65_536);
            for x in 0..wide {
                let mm = map.apply([f64::from(x) + 0.5, f64::from(y) + 0.5]).map(narrow);
                let mut pixel = sample(raw, size, bent(mm, way.fold), self.per_mm).unwrap_or(bed);
                let bright = light.at(x, y) * way.fold.map_or(1.0, |fold| fold.shade(mm[1]));
                for value in &mut pixel {
                    grain = (grain + 1) & 65_535;
                    *value = *value * bright + noise.get(grain).copied().unwrap_or(0.0);
                }
                if way.depth == Depth::Colour {
                    values.extend(pixel.map(byte));
                    continue;
                }
                let grey = byte(pixel[0] * 0.3 + pixel[1] * 0.59 + pixel[2] * 0.11);
                let two = if grey < limit { 0 } else { 255 };
                values.extend([if way.depth == Depth::Bilevel { two } else { grey }; 3]);
            }
        }
        RgbImage::from_raw(wide, high, values).unwrap_or_default()
    }
}

/// Beyond a fold the paper lies a little askew.
fn bent([x, y]: [f32; 2], fold: Option<Fold>) -> [f32; 2] {
    match fold {
        Some(fold) if y > fold.y => [x + (y - fold.y) * fold.lean, y + (y - fold.y) * fold.lean],
        _ => [x, y],
    }
}

impl Fold {
    fn shade(self, y: f32) -> f32 {
        let off = (y - self.y).abs();
        if off > 4.0 {
            return 1.0;
        }
        1.0 - self.line * (1.0 - off / 4.0) * if off < 0.4 { 1.0 } else { 0.4 }
    }
}

/// Light that falls off to one side.
struct Light {
    across: [f32; 2],
    depth: f32,
    size: [f32; 2],
}

impl Light {
    fn any(shade: f32, [wide, high]: [u32; 2], chance: &mut Chance) -> Self {
        let (sin, cos) = chance.between(0.0, 6.3).sin_cos();
        Self { across: [cos, sin], depth: shade, size: [real_u32(wide), real_u32(high)] }
    }

    fn at(&self, x: u32, y: u32) -> f32 {
        let (u, v) = (real_u32(x) / self.size[0] - 0.5, real_u32(y) / self.size[1] - 0.5);
        1.0 - self.depth * (u * self.across[0] + v * self.across[1] + 0.5).clamp(0.0, 1.0)
    }
}

/// Bilinear; none beyond the paper.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be inside")]
fn sample(raw: &[u8], [wide, high]: [usize; 2], [x, y]: [f32; 2], per_mm: f32) -> Option<[f32; 3]> {
    let (x, y) = (x * per_mm - 0.5, y * per_mm - 0.5);
    if !(x >= 0.0 && y >= 0.0) {
        return None;
    }
    let (left, top) = (x as usize, y as usize);
    if left + 1 >= wide || top + 1 >= high {
        return None;
    }
    let (fx, fy) = (x.fract(), y.fract());
    let upper = raw.get((top * wide + left) * 3..)?.first_chunk::<6>()?;
    let lower = raw.get(((top + 1) * wide + left) * 3..)?.first_chunk::<6>()?;
    let channel = |index: usize| {
        let of = |pixels: &[u8; 6], at: usize| pixels.get(at).copied().map_or(0.0, f32::from);
        let row = |pixels: &[u8; 6]| of(pixels, index) * (1.0 - fx) + of(pixels, index + 3) * fx;
        row(upper) * (1.0 - fy) + row(lower) * fy
    };
    Some([channel(0), channel(1), channel(2)])
}

/// Where every pixel lies on the page, in millimetres, and the size of the picture.
fn pose(severity: Severity, per_mm: f32, chance: &mut Chance) -> (Homography, [u32; 2]) {
    let degrees = match severity {
        Severity::Office => chance.between(-1.5, 1.5),
        Severity::Rough => chance.between(-5.0, 5.0),
        Severity::Brutal => chance.between(-6.0, 6.0),
    };
    let quarters = match severity {
        Severity::Office if chance.happens(0.85) => 0,
        Severity::Rough if chance.happens(0.7) => 0,
        _ => chance.below(4),
    };
    // Printers shrink and scanners stretch by parts of a percent.
    let stretch = if severity == Severity::Office { 0.002 } else { 0.006 };
    let (sx, sy) = (1.0 + chance.gauss() * stretch, 1.0 + chance.gauss() * stretch);
    let bent = if severity == Severity::Brutal { 0.05 } else { 0.0 };
    let turn = degrees.to_radians()
        + f32::from(byte(narrow(quarter(quarters)))) * std::f32::consts::FRAC_PI_2;
    let (sin, cos) = f64::from(turn).sin_cos();
    let corners = [[0.0, 0.0], [PAGE_MM[0], 0.0], PAGE_MM, [0.0, PAGE_MM[1]]];
    let placed: Vec<(Place, Place)> = corners
        .iter()
        .map(|[x, y]| {
            let (dx, dy) = ((x - 105.0) * per_mm * sx, (y - 148.5) * per_mm * sy);
            // Perspective: every corner is nearer or further than it should be.
            let near = 1.0 + f64::from(chance.gauss()) * bent * 0.6;
            let (dx, dy) = (f64::from(dx) * near, f64::from(dy) * near);
            ([f64::from(*x), f64::from(*y)], [dx * cos - dy * sin, dx * sin + dy * cos])
        })
        .collect();
    let bound = |axis: fn(&Place) -> f64| {
        let all = || placed.iter().map(|(_, at)| axis(at));
        (all().fold(f64::MAX, f64::min), all().fold(f64::MIN, f64::max))
    };
    let ((left, right), (top, bottom)) = (bound(|p| p[0]), bound(|p| p[1]));
    // A scanner's glass ends with the paper; a camera sees the desk.
    let edge = match severity {
        Severity::Brutal => f64::from(per_mm) * f64::from(chance.between(3.0, 20.0)),
        _ => f64::from(per_mm) * f64::from(chance.between(-2.0, 1.0)),
    };
    let pairs: Vec<(Place, Place)> =
        placed.iter().map(|(mm, at)| ([at[0] - left + edge, at[1] - top + edge], *mm)).collect();
    let size = [pixels(right - left + 2.0 * edge), pixels(bottom - top + 2.0 * edge)];
    (inverse(&pairs), size)
}

fn quarter(count: usize) -> f64 {
    f64::from(u8::try_from(count).unwrap_or(0))
}

/// The map from pixels to millimetres; the fit is scaled for the other direction, which costs
/// nothing here.
fn inverse(pairs: &[(Place, Place)]) -> Homography {
    Homography::fit(pairs).unwrap_or_else(Homography::identity)
}
