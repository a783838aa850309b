//! The paper under the ink: stains, shadows and tints taken away from a patch.

use super::Patch;

/// A wide pen makes blots wider than its line; what is as dark as ink and no wider than twice this
/// in millimetres is none the less ink.
const BLOT_MM: f32 = 1.7;

impl Patch {
    /// The patch as if on white paper: everything wider than twice `radius_mm` counts as paper,
    /// however dark, so that a stain or a shadow across a box is not taken for writing.
    pub(crate) fn flattened(&self, radius_mm: f32) -> Self {
        let under = |mm: f32| {
            let radius = super::whole(mm * self.per_mm).max(1);
            closed(&self.values, self.width, self.height, radius)
        };
        let mut paper = under(radius_mm);
        // Nearer to the darkest than to the paper: a stain is lighter than that.
        let (bright, dark) = (self.percentile(0.8), self.percentile(0.01));
        let inky = dark.saturating_add(bright.saturating_sub(dark) / 5 * 2);
        if paper.iter().any(|value| *value < inky) {
            let wide = under(BLOT_MM);
            for (value, wide) in paper.iter_mut().zip(wide) {
                *value = if *value < inky { wide } else { *value };
            }
        }
        let values = self
            .values
            .iter()
            .zip(paper)
            .map(|(value, paper)| 255 - paper.saturating_sub(*value))
            .collect();
        Self { values, ..self.clone() }
    }
}

/// The largest value of every neighbourhood, and of those the smallest: dark strokes narrower than
/// the neighbourhood are gone, slopes stay as they are.
fn closed(values: &[u8], width: usize, height: usize, radius: usize) -> Vec<u8> {
    let brightest = around(values, width, height, radius, 0, u8::max);
    around(&brightest, width, height, radius, 255, u8::min)
}

fn around(
    values: &[u8],
    width: usize,
    height: usize,
    radius: usize,
    outside: u8,
    choose: fn(u8, u8) -> u8,
) -> Vec<u8> {
    let stride = width + 2 * radius;
    let mut padded = vec![outside; stride * (height + 2 * radius)];
    for (row, from) in
        padded.chunks_exact_mut(stride).skip(radius).zip(values.chunks_exact(width.max(1)))
    {
        row.iter_mut().skip(radius).zip(from).for_each(|(to, value)| *to = *value);
    }
    let window = 2 * radius + 1;
    padded = slid(padded, 1, window, choose);
    padded = slid(padded, stride, window, choose);
    let rows = padded.chunks_exact(stride).take(height);
    rows.flat_map(|row| row.iter().take(width).copied()).collect()
}

/// Each value combined with so many that follow it at a distance of `step`; windows double.
fn slid(mut values: Vec<u8>, step: usize, window: usize, choose: fn(u8, u8) -> u8) -> Vec<u8> {
    let mut done = 1;
    while done < window {
        let shift = done.min(window - done);
        let later = values.get(shift * step..).unwrap_or_default();
        let mut next: Vec<u8> = if choose(0, 1) == 1 {
            values.iter().zip(later).map(|(a, b)| *a.max(b)).collect()
        } else {
            values.iter().zip(later).map(|(a, b)| *a.min(b)).collect()
        };
        next.extend_from_slice(values.get(next.len()..).unwrap_or_default());
        values = next;
        done += shift;
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form3::BoxMm;

    #[test]
    fn a_stain_goes_and_a_stroke_stays() {
        let (width, height) = (80, 40);
        let value = |at: usize| match (at % width, at / width) {
            (20..=23, _) => 60,
            (40.., _) => 150,
            _ => 240,
        };
        let values = (0..width * height).map(value).collect();
        let area = BoxMm::new(0.0, 0.0, 8.0, 4.0);
        let flat = Patch { area, per_mm: 10.0, width, height, values }.flattened(1.0);
        let at = |x: usize| flat.row(20)[x];
        assert_eq!((at(10), at(22), at(60)), (255, 255 - 180, 255));
    }
}
