//! One layer of a network: convolutions, dense layers and pooling, of any width.
//!
//! Outputs are worked out a block at a time, so many that their sums stay in the processor's
//! registers; values that are nothing are left out beforehand, and more than a third of them are.

use std::ops::Range;

use crate::raster::real;

/// A weight for every input and output, and what every output starts at.
#[derive(Clone, Debug, Default)]
pub struct Layer {
    inputs: usize,
    outputs: usize,
    /// Outputs of a block.
    lanes: usize,
    /// Block by block, in it input by input.
    weights: Vec<f32>,
    starts: Vec<f32>,
}

impl Layer {
    /// From the weights of every output one after the other, and what the outputs start at.
    pub fn new(weights: &[f32], starts: &[f32]) -> Self {
        let outputs = starts.len();
        let inputs = weights.len() / outputs.max(1);
        let fitting = |lanes: &usize| outputs.is_multiple_of(*lanes);
        let lanes = [64, 32, 24].into_iter().find(fitting).unwrap_or(16);
        let blocks = outputs.div_ceil(lanes);
        let mut layer = Self {
            inputs,
            outputs,
            lanes,
            weights: vec![0.0; blocks * lanes * inputs],
            starts: vec![0.0; blocks * lanes],
        };
        layer.starts.iter_mut().zip(starts).for_each(|(to, from)| *to = *from);
        for (output, own) in weights.chunks_exact(inputs.max(1)).enumerate() {
            let first = output / lanes * lanes * inputs + output % lanes;
            let places = layer.weights.iter_mut().skip(first).step_by(lanes);
            places.zip(own).for_each(|(to, from)| *to = *from);
        }
        layer
    }

    /// A convolution that keeps the size of a square, and what is below nothing cut off. Channels
    /// lie together.
    pub fn convolved(&self, values: &[f32], side: usize, kernel: usize) -> Vec<f32> {
        let mut sums = self.sums(values, side, kernel);
        cut_below(&mut sums);
        sums
    }

    /// Every output from all values.
    pub fn dense(&self, values: &[f32]) -> Vec<f32> {
        self.sums(values, 1, 1)
    }

    fn sums(&self, values: &[f32], side: usize, kernel: usize) -> Vec<f32> {
        let inked = Inked::of(values, self.inputs / (kernel * kernel));
        match self.lanes {
            64 => self.blocks::<64>(&inked, side, kernel),
            32 => self.blocks::<32>(&inked, side, kernel),
            24 => self.blocks::<24>(&inked, side, kernel),
            _ => self.blocks::<16>(&inked, side, kernel),
        }
    }

    fn blocks<const LANES: usize>(&self, inked: &Inked, side: usize, kernel: usize) -> Vec<f32> {
        let (reach, inputs) = (kernel / 2, self.inputs / (kernel * kernel));
        let mut all = vec![0.0; side * side * self.outputs];
        let (starts, _) = self.starts.as_chunks::<LANES>();
        let blocks = self.weights.chunks_exact((self.inputs * LANES).max(1)).zip(starts);
        for (block, (weights, starts)) in blocks.enumerate() {
            for at in 0..side * side {
                let (x, y) = (at % side, at / side);
                let mut sums = *starts;
                for ky in 0..kernel {
                    let row = (y + ky).checked_sub(reach).filter(|row| *row < side);
                    let Some(row) = row else { continue };
                    let from = ky * kernel * inputs * LANES;
                    let weights = weights.get(from..from + kernel * inputs * LANES);
                    let columns = x.saturating_sub(reach)..(x + reach + 1).min(side);
                    let seen = inked.cells(row * side + columns.start..row * side + columns.end);
                    // What stands left of the kernel's middle comes before its own weights.
                    let (less, more) = ((row * side + x) * inputs, reach * inputs);
                    sums = added(sums, seen, weights.unwrap_or_default(), |at| at + more - less);
                }
                let first = at * self.outputs + block * LANES;
                let last = (first + LANES).min((at + 1) * self.outputs);
                let to = all.get_mut(first..last).unwrap_or_default();
                to.iter_mut().zip(sums).for_each(|(to, sum)| *to = sum);
            }
        }
        all
    }
}

/// Adds every value times its weights.
#[inline]
fn added<const LANES: usize>(
    mut sums: [f32; LANES],
    values: &[(u16, f32)],
    weights: &[f32],
    row_of: impl Fn(usize) -> usize,
) -> [f32; LANES] {
    let (rows, _) = weights.as_chunks::<LANES>();
    for (at, value) in values {
        if let Some(row) = rows.get(row_of(usize::from(*at))) {
            for (sum, weight) in sums.iter_mut().zip(row) {
                *sum += value * weight;
            }
        }
    }
    sums
}

/// The values that are above nothing, with their places.
struct Inked {
    values: Vec<(u16, f32)>,
    /// Where the values of a cell begin; one more at the end.
    begins: Vec<usize>,
}

impl Inked {
    fn of(values: &[f32], channels: usize) -> Self {
        let mut begins = Vec::with_capacity(values.len() / channels.max(1) + 1);
        let mut inked = Vec::with_capacity(values.len());
        begins.push(0);
        let mut at = 0_u16;
        for cell in values.chunks_exact(channels.max(1)) {
            for value in cell {
                if *value > 0.0 {
                    inked.push((at, *value));
                }
                at = at.saturating_add(1);
            }
            begins.push(inked.len());
        }
        Self { values: inked, begins }
    }

    fn cells(&self, cells: Range<usize>) -> &[(u16, f32)] {
        match (self.begins.get(cells.start), self.begins.get(cells.end)) {
            (Some(from), Some(to)) => self.values.get(*from..*to).unwrap_or_default(),
            _ => &[],
        }
    }
}

/// The largest of every two by two.
pub fn pooled(values: &[f32], side: usize) -> Vec<f32> {
    let (half, channels) = (side.div_ceil(2), values.len() / (side * side).max(1));
    let mut all = vec![0.0_f32; half * half * channels];
    for (at, cell) in values.chunks_exact(channels.max(1)).enumerate() {
        let to = (at / side / 2 * half + at % side / 2) * channels;
        let kept = all.get_mut(to..to + channels).unwrap_or_default();
        kept.iter_mut().zip(cell).for_each(|(kept, value)| *kept = kept.max(*value));
    }
    all
}

/// What is below nothing is nothing.
pub(super) fn cut_below(values: &mut [f32]) {
    for value in values {
        *value = value.max(0.0);
    }
}

/// What raises to probabilities, softened by a temperature.
pub(super) fn softmax<const COUNT: usize>(logits: &[f32; COUNT], temperature: f32) -> [f32; COUNT] {
    let most = logits.iter().copied().fold(f32::MIN, f32::max);
    let raised = logits.map(|logit| ((logit - most) / temperature).exp());
    let sum: f32 = raised.iter().sum();
    raised.map(|value| value / sum)
}

/// The mean of several answers, place by place.
pub(super) fn mean<const COUNT: usize>(
    answers: impl ExactSizeIterator<Item = [f32; COUNT]>,
) -> [f32; COUNT] {
    let count = real(answers.len().max(1));
    let mut all = [0.0; COUNT];
    for answer in answers {
        all.iter_mut().zip(answer).for_each(|(sum, value)| *sum += value / count);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small whole numbers, some of them nothing, that follow from a count.
    fn numbers(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|at| real((at * 7 + seed * 5) % 11) - 4.0).collect()
    }

    /// The same by the definition, with no thought of speed.
    fn plainly(
        weights: &[f32],
        starts: &[f32],
        values: &[f32],
        side: usize,
        kernel: usize,
    ) -> Vec<f32> {
        let (inputs, channels) = (weights.len() / starts.len(), values.len() / (side * side));
        let mut all = Vec::new();
        for at in 0..side * side {
            for (output, start) in starts.iter().enumerate() {
                let mut sum = *start;
                for tap in 0..kernel * kernel {
                    let x = (at % side + tap % kernel).wrapping_sub(kernel / 2);
                    let y = (at / side + tap / kernel).wrapping_sub(kernel / 2);
                    if x >= side || y >= side {
                        continue;
                    }
                    for channel in 0..channels {
                        let value = values[(y * side + x) * channels + channel].max(0.0);
                        sum += value * weights[output * inputs + tap * channels + channel];
                    }
                }
                all.push(sum);
            }
        }
        all
    }

    #[test]
    fn blocks_of_every_width_add_up_to_what_the_definition_says() {
        for (outputs, channels, kernel) in
            [(11, 3, 3), (16, 1, 5), (24, 2, 3), (32, 2, 1), (64, 1, 3), (96, 1, 3)]
        {
            let weights = numbers(outputs * channels * kernel * kernel, 1);
            let (starts, values) = (numbers(outputs, 2), numbers(25 * channels, 3));
            let layer = Layer::new(&weights, &starts);
            let wanted = plainly(&weights, &starts, &values, 5, kernel);
            assert_eq!(layer.sums(&values, 5, kernel), wanted, "{outputs} outputs");
        }
    }

    #[test]
    fn pooling_keeps_the_largest_also_where_a_side_is_odd() {
        let values: Vec<f32> = (0..9).map(real).collect();
        assert_eq!(pooled(&values, 3), [4.0, 5.0, 7.0, 8.0]);
    }
}
