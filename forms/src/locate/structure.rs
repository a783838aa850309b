//! Without a code and without marks: the lines of the printed tables tell how a page lies.
//!
//! Skew by the sharpest profile of dark pixels; then scale and place by holding the profiles of
//! rows and columns against the lines of the layout. What comes out are guesses; frames decide.

use image::GrayImage;

use super::marks::darkened;
use crate::form3::{BoxMm, FIRST_USERS_Y, PageLayout, SECOND_USERS_Y, USER_PITCH};
use crate::raster::{Homography, Place, reduced};

/// The longer side of the picture in which lines are searched.
const SEARCH_PIXELS: u32 = 1400;
/// The largest skew in quarters of a degree.
const MOST_SKEW: i16 = 28;
/// More dark pixels than this share are no page of lines.
const MOST_DARK: usize = 4;

/// So many dark pixels tell the skew; more of them tell the same.
const ENOUGH: usize = 50_000;

/// The dark pixels of a picture, and how its lines are turned.
pub(super) struct Dark {
    places: Vec<Place>,
    skew: f64,
    longest: f64,
    factor: f64,
}

impl Dark {
    /// `None` where there are too many of them for a page of lines, or too few.
    pub(super) fn of(grey: &GrayImage) -> Option<Self> {
        let (small, factor) = reduced(grey, SEARCH_PIXELS);
        let width = small.width() as usize;
        let dark = darkened(&small);
        let places: Vec<Place> = dark
            .iter()
            .enumerate()
            .filter(|(_, dark)| **dark)
            .map(|(at, _)| [count(at % width) + 0.5, count(at / width) + 0.5])
            .collect();
        if places.len() * MOST_DARK > dark.len() || places.len() < 500 {
            return None;
        }
        let some: Vec<Place> =
            places.iter().step_by(places.len().div_ceil(ENOUGH)).copied().collect();
        let longest = f64::from(small.width().max(small.height()));
        Some(Self { skew: skew(&some), places, longest, factor: f64::from(factor) })
    }

    /// The likeliest maps onto a page, the likeliest first.
    pub(super) fn guesses(&self, page: &PageLayout) -> Vec<Homography> {
        let lines = Lines::of(page);
        let turned = |quarter: u8| self.placed(f64::from(quarter) * 90.0 + self.skew, &lines);
        let mut found: Vec<(f64, Homography)> = (0..4_u8).filter_map(turned).collect();
        found.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        found.into_iter().map(|(_, map)| map).collect()
    }

    /// Scale and place for a page turned by so many degrees.
    fn placed(&self, turn: f64, lines: &Lines) -> Option<(f64, Homography)> {
        let (sin, cos) = turn.to_radians().sin_cos();
        let rows = Profile::of(self.places.iter().map(|[x, y]| y * cos - x * sin)).lines();
        let columns = Profile::of(self.places.iter().map(|[x, y]| x * cos + y * sin)).lines();
        let mut best: Option<(f64, f64, f64, f64)> = None;
        for step in 0..70_u8 {
            // From a page that fills the picture to one that fills three quarters.
            let scale = self.longest / 297.0 * (1.04 - f64::from(step) * 0.004);
            let (down, first) = rows.best(&lines.across, scale);
            let (along, second) = columns.best(&lines.down, scale);
            let score = first + second;
            if best.is_none_or(|(most, ..)| score > most) {
                best = Some((score, scale, along, down));
            }
        }
        let (score, scale, along, down) = best?;
        let pixel = |[x, y]: Place| {
            let (u, v) = (x * scale + along + 0.5, y * scale + down + 0.5);
            [(u * cos - v * sin) * self.factor, (u * sin + v * cos) * self.factor]
        };
        let corners = [[14.0, 20.0], [196.0, 20.0], [14.0, 280.0]];
        let pairs = corners.map(|corner| (corner, pixel(corner)));
        Some((score, Homography::affine(&pairs)?))
    }
}

#[expect(clippy::cast_precision_loss, reason = "a coordinate in a picture")]
fn count(value: usize) -> f64 {
    value as f64
}

#[expect(clippy::cast_possible_truncation, reason = "a coordinate in a picture")]
fn bin(value: f64) -> i64 {
    value.floor() as i64
}

/// Degrees by which the lines are turned, to a tenth, in ±7.
fn skew(places: &[Place]) -> f64 {
    let sharp = |degrees: f64| {
        let (sin, cos) = degrees.to_radians().sin_cos();
        let rows = Profile::of(places.iter().map(|[x, y]| y * cos - x * sin));
        let columns = Profile::of(places.iter().map(|[x, y]| x * cos + y * sin));
        rows.sharpness() + columns.sharpness()
    };
    let best = |all: &mut dyn Iterator<Item = f64>| {
        all.max_by(|a, b| sharp(*a).total_cmp(&sharp(*b))).unwrap_or(0.0)
    };
    let rough = best(&mut (-MOST_SKEW..=MOST_SKEW).map(|q| f64::from(q) / 4.0));
    best(&mut (-2..=2_i8).map(|tenth| rough + f64::from(tenth) / 10.0))
}

/// How many dark pixels lie on every line.
struct Profile {
    first: i64,
    values: Vec<f64>,
}

impl Profile {
    fn of(places: impl Iterator<Item = f64> + Clone) -> Self {
        let bounds = places
            .clone()
            .map(bin)
            .fold((i64::MAX, i64::MIN), |(low, high), value| (low.min(value), high.max(value)));
        let length = usize::try_from(bounds.1 - bounds.0 + 1).unwrap_or(0);
        let mut values = vec![0.0; length];
        for place in places {
            let index = usize::try_from(bin(place) - bounds.0).unwrap_or(usize::MAX);
            if let Some(value) = values.get_mut(index) {
                *value += 1.0;
            }
        }
        Self { first: bounds.0, values }
    }

    fn sharpness(&self) -> f64 {
        let later = self.values.iter().skip(1);
        self.values.iter().zip(later).map(|(a, b)| (a - b).powi(2)).sum()
    }

    /// Less what lies around: lines remain, text and shades go.
    fn lines(&self) -> Self {
        let reach = 5;
        let values = (0..self.values.len()).map(|at| {
            let around = self.values.get(at.saturating_sub(reach)..(at + reach + 1));
            let around = around.unwrap_or_default();
            let mean = around.iter().sum::<f64>() / count(around.len().max(1));
            self.values.get(at).copied().unwrap_or(0.0) - mean
        });
        // A line of two pixels counts wherever in them it is looked for.
        let values: Vec<f64> = values.collect();
        let most = |at: usize| {
            let around = values.get(at.saturating_sub(1)..(at + 2).min(values.len()));
            around.unwrap_or_default().iter().copied().fold(f64::MIN, f64::max)
        };
        Self { first: self.first, values: (0..values.len()).map(most).collect() }
    }

    fn at(&self, place: f64) -> f64 {
        let index = usize::try_from(bin(place) - self.first).ok();
        index.and_then(|index| self.values.get(index)).copied().unwrap_or(0.0)
    }

    fn span(&self) -> (f64, f64) {
        let first = f64::from(i32::try_from(self.first).unwrap_or(0));
        (first, first + count(self.values.len()))
    }

    /// The shift at which all lines together are darkest, and how dark.
    fn best(&self, lines: &[(f64, f64)], scale: f64) -> (f64, f64) {
        let (low, high) = self.span();
        let (first, last) = lines
            .iter()
            .fold((f64::MAX, f64::MIN), |(low, high), (at, _)| (low.min(*at), high.max(*at)));
        let (from, to) = (low - first * scale - 4.0, high - last * scale + 4.0);
        let mut best = (0.0, f64::MIN);
        let mut shift = from.floor();
        while shift <= to {
            let score: f64 =
                lines.iter().map(|(at, weight)| weight * self.at(at * scale + shift)).sum();
            if score > best.1 {
                best = (shift, score);
            }
            shift += 1.0;
        }
        best
    }
}

/// The printed lines of a page: where, and how long together.
struct Lines {
    across: Vec<(f64, f64)>,
    down: Vec<(f64, f64)>,
}

impl Lines {
    fn of(page: &PageLayout) -> Self {
        let fields = page.checkboxes.iter().chain(&page.seals).map(|field| field.area);
        let rows = page.digits.iter().map(crate::form3::DigitField::area);
        let cells = page.digits.iter().flat_map(|field| field.cells.iter().skip(1));
        let mut lines = Self { across: Vec::new(), down: Vec::new() };
        for area in fields.chain(rows).chain(tables(page)) {
            let [x, y, right, bottom] =
                [area.x, area.y, area.right(), area.bottom()].map(f64::from);
            lines.across.extend([(y, right - x), (bottom, right - x)]);
            lines.down.extend([(x, bottom - y), (right, bottom - y)]);
        }
        lines.down.extend(cells.map(|cell| (f64::from(cell.x), f64::from(cell.h))));
        lines
    }
}

/// The outer frames of the printed tables.
fn tables(page: &PageLayout) -> Vec<BoxMm> {
    let bank = BoxMm::new(38.0, 247.5, 158.0, 30.0);
    let (mut all, users, top) = if page.page == 1 {
        let applicant = [BoxMm::new(14.0, 50.5, 136.0, 48.0), BoxMm::new(152.0, 50.5, 44.0, 48.0)];
        let contract = BoxMm::new(14.0, 105.5, 182.0, 39.0);
        (vec![applicant[0], applicant[1], contract, bank], 2_u8, FIRST_USERS_Y)
    } else {
        (vec![BoxMm::new(14.0, 50.5, 182.0, 13.0), bank], 3, SECOND_USERS_Y)
    };
    let user = |n: u8| BoxMm::new(14.0, top + f32::from(n) * USER_PITCH, 182.0, 45.0);
    all.extend((0..users).map(user));
    all
}
