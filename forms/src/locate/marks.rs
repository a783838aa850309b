//! Corner marks: three filled squares and a ring at the corners of a rectangle of known shape.
//!
//! A filled square and a ring are told apart by area against spread, which no turn changes.

use image::GrayImage;

use crate::form3::RING_MARK;
use crate::raster::Place;

/// A dark spot of the right size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct FoundMark {
    pub(crate) centre: Place,
    ring: bool,
    /// Side in pixels, from the spread.
    side: f64,
}

/// More spots than this are texture, not marks.
const MOST_SPOTS: usize = 400;

/// So many ways to take spots for marks are looked into.
const MOST_GUESSES: usize = 8;

/// The likeliest ways in which spots of a reduced picture are at least three of the four marks, in
/// the order of the layout; the likeliest first.
pub(crate) fn find_marks(small: &GrayImage, marks: &[[f32; 3]; 4]) -> Vec<[Option<FoundMark>; 4]> {
    best_corners(&spots(small), marks)
}

/// Dark spots that could be marks on a page that fills a good part of the picture.
fn spots(small: &GrayImage) -> Vec<FoundMark> {
    let dark = darkened(small);
    let longest = f64::from(small.width().max(small.height()));
    // The page is 297 mm long; on a photograph it may fill half of the picture.
    let (least, most) = (longest / 297.0 * 5.0 * 0.45, longest / 297.0 * 5.0 * 1.4);
    let mut found = components(&dark, small.width() as usize, most)
        .into_iter()
        .filter_map(|spot| spot.mark())
        .filter(|mark| mark.side >= least && mark.side <= most)
        .collect::<Vec<_>>();
    found.truncate(MOST_SPOTS);
    found
}

/// Darker than three quarters of the mean around, which shadows and tinted paper do not change.
pub(super) fn darkened(small: &GrayImage) -> Vec<bool> {
    let (width, height) = (small.width() as usize, small.height() as usize);
    let radius = (width.max(height) / 24).max(8);
    let rows: Vec<&[u8]> = small.as_raw().chunks_exact(width.max(1)).collect();
    // The sum of every column over the rows around: the next row comes, the last one goes.
    let mut columns = vec![0_u32; width];
    for row in rows.iter().take(radius) {
        columns.iter_mut().zip(*row).for_each(|(sum, value)| *sum += u32::from(*value));
    }
    let mut dark = Vec::with_capacity(width * height);
    let mut before = vec![0_u32; width + 1];
    for (y, row) in rows.iter().enumerate() {
        if let Some(next) = rows.get(y + radius) {
            columns.iter_mut().zip(*next).for_each(|(sum, value)| *sum += u32::from(*value));
        }
        if let Some(last) = y.checked_sub(radius + 1).and_then(|last| rows.get(last)) {
            columns.iter_mut().zip(*last).for_each(|(sum, value)| *sum -= u32::from(*value));
        }
        let mut running = 0;
        for (before, column) in before.iter_mut().skip(1).zip(&columns) {
            running += column;
            *before = running;
        }
        let high = (y + radius + 1).min(height) - y.saturating_sub(radius);
        let mean_darkens = |x: usize, value: u8| {
            let (left, right) = (x.saturating_sub(radius), (x + radius + 1).min(width));
            let sum = |x: usize| before.get(x).copied().unwrap_or(0);
            let count = u32::try_from((right - left) * high).unwrap_or(u32::MAX);
            u32::from(value) * count * 4 < (sum(right) - sum(left)) * 3
        };
        let is_dark = |(x, value): (usize, &u8)| *value < 170 && mean_darkens(x, *value);
        dark.extend(row.iter().enumerate().map(is_dark));
    }
    dark
}

/// Moments of a connected dark area.
#[derive(Clone, Copy, Default)]
struct Spot {
    count: f64,
    x: f64,
    y: f64,
    xx: f64,
    xy: f64,
    yy: f64,
}

impl Spot {
    fn add(&mut self, x: f64, y: f64) {
        self.count += 1.0;
        self.x += x;
        self.y += y;
        self.xx += x * x;
        self.xy += x * y;
        self.yy += y * y;
    }

    /// As a mark, when it is as square as one.
    fn mark(&self) -> Option<FoundMark> {
        let n = self.count;
        let (cx, cy) = (self.x / n, self.y / n);
        // A pixel is itself a square with a spread of a twelfth.
        let (xx, yy) = (self.xx / n - cx * cx + 1.0 / 12.0, self.yy / n - cy * cy + 1.0 / 12.0);
        let xy = self.xy / n - cx * cy;
        let (middle, half) = (f64::midpoint(xx, yy), ((xx - yy) / 2.0).hypot(xy));
        let (large, little) = (middle + half, middle - half);
        if little <= 0.0 || large / little > 1.7 {
            return None;
        }
        // Filled square 12, disc 4π, ring of this thickness 6.9.
        let fullness = n / (large * little).sqrt();
        let ring = (5.0..9.3).contains(&fullness);
        if !ring && !(10.4..13.2).contains(&fullness) {
            return None;
        }
        // A ring of 5 mm with a hole of 2.6 mm spreads like a square of 5.64 mm.
        let side = (middle * 12.0).sqrt() / if ring { 1.127 } else { 1.0 };
        Some(FoundMark { centre: [cx, cy], ring, side })
    }
}

/// Connected dark areas that fit into a square of the given side.
fn components(dark: &[bool], width: usize, side: f64) -> Vec<Spot> {
    let mut seen = vec![false; dark.len()];
    let mut stack = Vec::new();
    let mut spots = Vec::new();
    // Growing beyond twice the largest mark is pointless, but the area must be seen to its end.
    let largest = side * side * 4.0;
    for start in 0..dark.len() {
        let fresh = dark.get(start) == Some(&true) && seen.get(start) == Some(&false);
        if !fresh {
            continue;
        }
        let mut spot = Spot::default();
        visit(start, dark, &mut seen, &mut stack);
        while let Some(at) = stack.pop() {
            spot.add(pixel(at % width), pixel(at / width));
            if at % width > 0 {
                visit(at - 1, dark, &mut seen, &mut stack);
            }
            if at % width + 1 < width {
                visit(at + 1, dark, &mut seen, &mut stack);
            }
            if at >= width {
                visit(at - width, dark, &mut seen, &mut stack);
            }
            visit(at + width, dark, &mut seen, &mut stack);
        }
        if spot.count >= 16.0 && spot.count <= largest {
            spots.push(spot);
        }
    }
    spots
}

fn visit(at: usize, dark: &[bool], seen: &mut [bool], stack: &mut Vec<usize>) {
    if dark.get(at) == Some(&true)
        && let Some(seen) = seen.get_mut(at)
        && !*seen
    {
        *seen = true;
        stack.push(at);
    }
}

#[expect(clippy::cast_precision_loss, reason = "a coordinate in a picture")]
fn pixel(value: usize) -> f64 {
    value as f64
}

/// Three spots at about a right angle whose legs are about as the sides of the page, and the fourth
/// if it is there; the ring says which corner is which.
fn best_corners(spots: &[FoundMark], marks: &[[f32; 3]; 4]) -> Vec<[Option<FoundMark>; 4]> {
    let [first, second, third, _] =
        marks.map(|[x, y, size]| [f64::from(x), f64::from(y), f64::from(size)]);
    let (wide, long, size) = (second[0] - first[0], third[1] - second[1], first[2]);
    let mut guesses: Vec<(f64, [Option<FoundMark>; 4])> = Vec::new();
    for vertex in spots {
        for short in spots {
            let leg = away(vertex.centre, short.centre);
            let scale = leg[0].hypot(leg[1]) / wide;
            let sized = |mark: &FoundMark| (0.66..1.45).contains(&(mark.side / (scale * size)));
            if scale * size < 3.0 || !sized(vertex) || !sized(short) {
                continue;
            }
            for far in spots.iter().filter(|mark| sized(mark)) {
                let Some(error) = squareness(leg, away(vertex.centre, far.centre), long / wide)
                else {
                    continue;
                };
                let all: Vec<FoundMark> =
                    spots.iter().filter(|mark| sized(mark)).copied().collect();
                // What is taken for the fourth mark may be something else.
                for (fourth, cost) in [(all.as_slice(), error), (&[], error + 0.3)] {
                    if let Some(corners) = corners([vertex, short, far], fourth, scale) {
                        let missing = corners.iter().any(Option::is_none);
                        guesses.push((if missing { error + 0.3 } else { cost }, corners));
                    }
                }
            }
        }
    }
    guesses.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let mut distinct: Vec<[Option<FoundMark>; 4]> = Vec::new();
    for (_, corners) in guesses {
        // Four marks are found from each of them.
        if !distinct.contains(&corners) {
            distinct.push(corners);
        }
        if distinct.len() == MOST_GUESSES {
            break;
        }
    }
    distinct
}

fn away(from: Place, to: Place) -> Place {
    [to[0] - from[0], to[1] - from[1]]
}

/// How far two legs are from a right angle and the right proportion; none when too far.
fn squareness(short: Place, far: Place, proportion: f64) -> Option<f64> {
    let (short_length, far_length) = (short[0].hypot(short[1]), far[0].hypot(far[1]));
    if short_length < 1.0 || far_length < 1.0 {
        return None;
    }
    let ratio = (far_length / short_length / proportion - 1.0).abs();
    let cosine = ((short[0] * far[0] + short[1] * far[1]) / (short_length * far_length)).abs();
    (ratio < 0.17 && cosine < 0.17).then_some(ratio + cosine)
}

/// Names the corners: the ring is bottom right; without one among the three it is the missing one.
fn corners(
    [vertex, short, far]: [&FoundMark; 3],
    spots: &[FoundMark],
    scale: f64,
) -> Option<[Option<FoundMark>; 4]> {
    let rings = [vertex, short, far].iter().filter(|mark| mark.ring).count();
    if rings > 1 {
        return None;
    }
    let expected = [
        vertex.centre[0]
            + away(vertex.centre, short.centre)[0]
            + away(vertex.centre, far.centre)[0],
        vertex.centre[1]
            + away(vertex.centre, short.centre)[1]
            + away(vertex.centre, far.centre)[1],
    ];
    let off = |mark: &&FoundMark| {
        let [dx, dy] = away(expected, mark.centre);
        dx.hypot(dy)
    };
    // Perspective moves the fourth corner by centimetres.
    let near = |mark: &&FoundMark| mark.ring == (rings == 0) && off(mark) < scale * 24.0;
    let fourth = spots.iter().filter(near).min_by(|a, b| off(a).total_cmp(&off(b))).copied();
    let (vertex, short, far) = (Some(*vertex), Some(*short), Some(*far));
    // Clockwise from top left; the fourth lies opposite the vertex.
    let named = match [vertex, short, far].map(|mark| mark.is_some_and(|mark| mark.ring)) {
        [true, _, _] => [fourth, far, vertex, short],
        [_, true, _] => [far, fourth, short, vertex],
        [_, _, true] => [short, vertex, far, fourth],
        _ => [vertex, short, fourth, far],
    };
    let ring = named.get(RING_MARK).copied().flatten();
    ring.is_none_or(|mark| mark.ring).then_some(named)
}

/// The centre of gravity of the ink of a mark near a place, in pixels of the full picture.
pub(crate) fn centre(grey: &GrayImage, at: Place, pixels_per_mm: f64) -> Option<Place> {
    let reach = pixels_per_mm * 4.0;
    let window = Area::around(grey, at, reach)?;
    let (low, high) = window.range(grey);
    if high.saturating_sub(low) < 60 {
        return None;
    }
    let paper = f64::from(high) - f64::from(high - low) * 0.35;
    let (mut mass, mut x, mut y) = (0.0, 0.0, 0.0);
    window.each(grey, |u, v, value| {
        let ink = (paper - f64::from(value)).max(0.0);
        mass += ink;
        x += ink * u;
        y += ink * v;
    });
    (mass > 0.0).then(|| [x / mass, y / mass])
}

/// A mark within a centimetre of a place that is known only roughly.
pub(crate) fn search(grey: &GrayImage, at: Place, pixels_per_mm: f64) -> Option<Place> {
    let reach = pixels_per_mm * 10.0;
    let window = Area::around(grey, at, reach)?;
    let (low, high) = window.range(grey);
    if high.saturating_sub(low) < 60 {
        return None;
    }
    let limit = low + (high - low) / 2;
    let width = window.right - window.left;
    let mut dark = Vec::new();
    window.each(grey, |_, _, value| dark.push(value < limit));
    let side = pixels_per_mm * 5.0;
    components(&dark, width, side * 1.4)
        .into_iter()
        .filter_map(|spot| spot.mark())
        .filter(|mark| (0.75..1.3).contains(&(mark.side / side)))
        .map(|mark| {
            [mark.centre[0] + pixel(window.left) + 0.5, mark.centre[1] + pixel(window.top) + 0.5]
        })
        .min_by(|a, b| {
            let distance = |p: &Place| (p[0] - at[0]).hypot(p[1] - at[1]);
            distance(a).total_cmp(&distance(b))
        })
}

/// A square of pixels inside the picture.
struct Area {
    left: usize,
    top: usize,
    right: usize,
    bottom: usize,
}

impl Area {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped first")]
    fn around(grey: &GrayImage, [x, y]: Place, reach: f64) -> Option<Self> {
        let bound = |value: f64, most: u32| value.clamp(0.0, f64::from(most)) as usize;
        let area = Self {
            left: bound(x - reach, grey.width()),
            top: bound(y - reach, grey.height()),
            right: bound(x + reach, grey.width()),
            bottom: bound(y + reach, grey.height()),
        };
        (area.right > area.left + 4 && area.bottom > area.top + 4).then_some(area)
    }

    fn each(&self, grey: &GrayImage, mut each: impl FnMut(f64, f64, u8)) {
        let width = grey.width() as usize;
        for y in self.top..self.bottom {
            let row = grey.as_raw().get(y * width + self.left..y * width + self.right);
            for (x, value) in row.unwrap_or_default().iter().enumerate() {
                each(pixel(self.left + x) + 0.5, pixel(y) + 0.5, *value);
            }
        }
    }

    fn range(&self, grey: &GrayImage) -> (u8, u8) {
        let (mut low, mut high) = (255, 0);
        self.each(grey, |_, _, value| {
            low = low.min(value);
            high = high.max(value);
        });
        (low, high)
    }
}
