//! Printed frames found where they really lie, and tick boxes judged against the empty print.

use image::GrayImage;
use serde::Serialize;

use crate::form3::BoxMm;
use crate::locate::Registration;
use crate::raster::spots::{extent, spots};
use crate::raster::{Homography, Patch, Window, patch, real, whole};

/// Whether a box is ticked.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CheckReading {
    /// Ticked, not ticked, or a person has to look.
    pub v: Option<bool>,
    /// The share of the inside that is covered with ink, 0 to 1.
    pub score: f32,
    /// How dark that ink is against the printed frame: a pen is as dark or darker, a stain is not.
    pub ink: f32,
}

/// How far a frame may lie from where the corner marks put it, in millimetres.
const REACH_MM: f32 = 1.2;
/// Resolution of the patches in pixels a millimetre.
pub(crate) const PER_MM: f32 = 10.0;
/// What surrounds a box in its patch: the reach and a line's width.
const AROUND_MM: f32 = 1.8;

/// Where a frame lies, and how clearly it was seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Frame {
    pub(crate) dx: f32,
    pub(crate) dy: f32,
    /// Darkness of the line against the paper beside it, 0 to 255; the weaker direction counts.
    pub(crate) contrast: f32,
}

impl Frame {
    /// Whether there is a frame at all.
    pub(crate) fn seen(&self) -> bool {
        self.contrast >= 14.0
    }

    /// How far beside its place it lies, where there is one.
    pub(crate) fn off(&self) -> Option<[f32; 2]> {
        self.seen().then_some([self.dx, self.dy])
    }

    /// Whether it was found where the search ended: the box itself may lie further out, and this be
    /// something else.
    fn is_at_the_end(&self) -> bool {
        self.dx.abs().max(self.dy.abs()) > REACH_MM - 0.05
    }
}

/// Cuts a box out with enough around it to find its frame.
pub(crate) fn cut(grey: &GrayImage, map: &Homography, area: BoxMm) -> Patch {
    patch(grey, map, area.grown(AROUND_MM), PER_MM)
}

/// Finds the frame whose upright lines stand at `columns` and which spans `area` vertically.
pub(crate) fn find_frame(patch: &Patch, area: BoxMm, columns: &[f32]) -> Frame {
    find_frame_within(patch, area, columns, REACH_MM)
}

/// The same within another reach, in millimetres; the patch must show that much and a little more.
pub(crate) fn find_frame_within(patch: &Patch, area: BoxMm, columns: &[f32], reach: f32) -> Frame {
    let rows = [area.y, area.bottom()];
    let search = Search { per_mm: patch.per_mm, reach };
    let across = profile(patch, Direction::Rows, area);
    let (dy, strong_y) = search.best_shift(&across, &rows, patch.area.y);
    let down = profile(patch, Direction::Columns, area.moved(0.0, dy));
    let (dx, strong_x) = search.best_shift(&down, columns, patch.area.x);
    Frame { dx, dy, contrast: strong_x.min(strong_y) }
}

#[derive(Clone, Copy)]
enum Direction {
    Rows,
    Columns,
}

/// Mean darkness of each row or column, over the part that the frame spans.
fn profile(patch: &Patch, direction: Direction, area: BoxMm) -> Vec<f32> {
    let window = patch.window(area.grown(-0.3));
    match direction {
        Direction::Rows => (0..patch.height)
            .map(|y| {
                let row = patch.row(y).get(window.left..window.right).unwrap_or_default();
                mean(row.iter().copied())
            })
            .collect(),
        Direction::Columns => {
            let mut sums = vec![0.0; patch.width];
            for y in window.top..window.bottom {
                for (sum, value) in sums.iter_mut().zip(patch.row(y)) {
                    *sum += f32::from(255 - value);
                }
            }
            let rows = real(window.bottom.saturating_sub(window.top).max(1));
            sums.into_iter().map(|sum| sum / rows).collect()
        }
    }
}

/// Mean darkness.
fn mean(values: impl ExactSizeIterator<Item = u8>) -> f32 {
    let count = real(values.len().max(1));
    values.map(|value| f32::from(255 - value)).sum::<f32>() / count
}

/// How far lines are searched in a profile, and how fine it is.
struct Search {
    per_mm: f32,
    reach: f32,
}

impl Search {
    /// The shift at which all lines together are darkest against their surroundings.
    fn best_shift(&self, profile: &[f32], lines: &[f32], origin: f32) -> (f32, f32) {
        const STEP: f32 = 0.1;
        // So much to either side a line's surroundings lie.
        const BESIDE: f32 = 0.6;
        let mut best = (0.0, f32::MIN);
        let steps = whole(self.reach / STEP);
        for index in 0..=2 * steps {
            let shift = (real(index) - real(steps)) * STEP;
            let contrast = lines.iter().map(|line| {
                let at = |off: f32| sample(profile, (line + shift + off - origin) * self.per_mm);
                // Either side of the line counts, the brighter one: a stroke may lie against it.
                let beside = at(-BESIDE).min(at(BESIDE));
                let on = at(-0.07).max(at(0.0)).max(at(0.07));
                (at(-0.1) + at(0.0) + at(0.1)) / 6.0 + on / 2.0 - beside
            });
            let contrast = contrast.sum::<f32>() / real(lines.len().max(1));
            // Of equally dark shifts the smallest is the likeliest.
            let penalised = contrast - shift.abs() * 2.0;
            if penalised > best.1 {
                best = (shift, penalised);
            }
        }
        best
    }
}

/// The value between two entries of a profile.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the profile"
)]
fn sample(profile: &[f32], at: f32) -> f32 {
    let last = real(profile.len().saturating_sub(1));
    // Entries are means over pixels whose centres lie at halves.
    let at = (at - 0.5).clamp(0.0, last);
    let (index, part) = (at as usize, at.fract());
    let get = |index: usize| profile.get(index).or(profile.last()).copied().unwrap_or(0.0);
    get(index) * (1.0 - part) + get(index + 1) * part
}

/// What counts as ink in a patch: well below the paper, which is its bright majority.
pub(crate) fn ink_limit(patch: &Patch) -> u8 {
    let paper = patch.percentile(0.75);
    let darkest = patch.percentile(0.01);
    let span = paper.saturating_sub(darkest);
    paper.saturating_sub((span / 3).max(36))
}

/// The frame's line and what a slightly wrong shift lets in.
const INSET_MM: f32 = 0.55;
/// No pen draws lines wider than twice this; what is wider and not nearly black is a stain.
const STROKE_MM: f32 = 0.9;
/// An empty box has no more ink than this inside; dust and noise stay below.
const EMPTY: f32 = 0.014;
/// A drawn tick has at least this; a ball-pen tick about a tenth.
const TICKED: f32 = 0.04;
/// Ink of a pen is at least so dark against the frame; what is lighter must hang together and go
/// across the box as a stroke does, for a pencil or a pale pen leaves that and dirt does not.
const PEN: f32 = 0.85;
const PALE: f32 = 0.6;
/// So much of the inside a stroke of a pale pen takes, both ways.
const ACROSS: f32 = 0.3;
/// So much of the ink belongs to it.
const TOGETHER: f32 = 0.6;
/// A box filled in has at least so much darkness.
const FILLED: f32 = 0.3;

/// Reads one tick box: what is in it beyond the printed frame, on paper that may be stained.
pub(crate) fn read_check(
    grey: &GrayImage,
    place: &Registration,
    area: BoxMm,
) -> (CheckReading, Frame) {
    let patch = cut(grey, &place.map, area);
    let frame = find_frame(&patch, area, &[area.x, area.right()]);
    let (dx, dy) = if frame.seen() { (frame.dx, frame.dy) } else { (0.0, 0.0) };
    let inside = patch.window(area.moved(dx, dy).grown(-INSET_MM));
    let contrast = if frame.seen() { frame.contrast } else { place.frames.contrast };
    let written = Written::of(&patch.flattened(STROKE_MM), inside, contrast);
    let solid = filled(&patch, inside);
    let (score, ink) = if solid >= FILLED {
        (solid.max(written.share), written.dark.max(1.0))
    } else {
        (written.share, written.dark)
    };
    let pen = ink >= PEN || (ink >= PALE && written.stroke);
    let v = match score {
        // A wide tick hides its own frame; then those around must show where it is.
        _ if !frame.seen() && !place.is_trusted() => None,
        _ if frame.seen() && frame.is_at_the_end() => None,
        score if score >= TICKED && pen => Some(true),
        score if score <= EMPTY => Some(false),
        _ => None,
    };
    let rounded = |value: f32| (value * 1000.0).round() / 1000.0;
    (CheckReading { v, score: rounded(score), ink: rounded(ink) }, frame)
}

/// The lines inside a box.
struct Written {
    /// The share that is darker than half of the frame.
    share: f32,
    /// How dark that is against the frame.
    dark: f32,
    /// Whether most of it is one stroke that goes some way across and some way down.
    stroke: bool,
}

impl Written {
    fn of(flat: &Patch, inside: Window, contrast: f32) -> Self {
        let limit = (contrast * 0.55).max(26.0);
        let values: Vec<u8> = flat.inside(inside).map(|value| 255 - value).collect();
        let mut inked: Vec<u8> =
            values.iter().copied().filter(|value| f32::from(*value) > limit).collect();
        let share = real(inked.len()) / real(values.len().max(1));
        let at = inked.len() * 4 / 5;
        let dark = if inked.is_empty() { 0 } else { *inked.select_nth_unstable(at).1 };
        let width = inside.right.saturating_sub(inside.left);
        let stroke = stroke(&values, width, limit * 0.85);
        Self { share, dark: f32::from(dark) / contrast.max(1.0), stroke }
    }
}

/// Whether one stroke takes most of the ink and goes across and down. It is looked for with less
/// darkness, for a pencil leaves gaps.
fn stroke(values: &[u8], width: usize, limit: f32) -> bool {
    let dark: Vec<bool> = values.iter().map(|value| f32::from(*value) > limit).collect();
    let all = dark.iter().filter(|dark| **dark).count();
    let height = values.len() / width.max(1);
    spots(&dark, width).any(|spot| {
        let [left, top, right, bottom] = extent(&spot, width);
        real(spot.len()) >= TOGETHER * real(all)
            && real(right - left) >= ACROSS * real(width)
            && real(bottom - top) >= ACROSS * real(height)
    })
}

/// The share that is nearer to the darkest than to the paper: wide strokes, a box filled in.
fn filled(patch: &Patch, inside: Window) -> f32 {
    let (paper, darkest) = (patch.percentile(0.8), patch.percentile(0.02));
    let limit = paper.saturating_sub((paper.saturating_sub(darkest) / 5 * 3).max(60));
    let (mut dark, mut count) = (0, 0);
    for value in patch.inside(inside) {
        count += 1;
        dark += usize::from(value < limit);
    }
    real(dark) / real(count.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Forty by forty values, dark where it is said.
    fn drawn(dark: impl Fn(usize, usize) -> bool) -> Vec<u8> {
        (0..1600).map(|at| if dark(at % 40, at / 40) { 120 } else { 0 }).collect()
    }

    #[test]
    fn a_pale_line_is_a_stroke_only_when_it_goes_both_ways_in_one_piece() {
        let check = drawn(|x, y| x.abs_diff(40 - y) < 3 && x > 8);
        assert!(stroke(&check, 40, 80.0));
        assert!(!stroke(&check, 40, 130.0), "nothing is as dark as that");
        let fold = drawn(|_, y| y.abs_diff(20) < 3);
        assert!(!stroke(&fold, 40, 80.0));
        let dirt = drawn(|x, y| x % 10 < 4 && y % 10 < 4);
        assert!(!stroke(&dirt, 40, 80.0));
        assert!(!stroke(&[], 0, 80.0));
    }
}
