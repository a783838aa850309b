//! The network that reads handwriting: three small convolutions and two dense layers, run in
//! process. Its weights come from `examples/train_digits.rs`, which also says on what.

use std::sync::LazyLock;

use super::{DigitReader, Judged};
use crate::glyph::Glyph;
use crate::raster::real;

/// A side of the input.
pub(crate) const SIDE: usize = 28;
/// The digit fills so much of it.
const INNER: f32 = 20.0;
/// The ten digits, and what is none.
const CLASSES: usize = 11;

/// The weights, as the training program wrote them.
static WEIGHTS: &[u8] = include_bytes!("weights.bin");

/// The trained network.
pub(crate) static HANDWRITING: LazyLock<Network> = LazyLock::new(|| Network::parse(WEIGHTS));

/// One layer: a weight for every input and output, output fastest, and what every output starts at.
#[derive(Default)]
struct Layer {
    weights: Vec<f32>,
    starts: Vec<f32>,
}

/// The layers with what makes probabilities of their answer.
#[derive(Default)]
pub(crate) struct Network {
    layers: [Layer; 5],
    temperature: f32,
    certain: f32,
}

/// Inputs and outputs of every layer.
const SHAPES: [(usize, usize); 5] =
    [(25, 12), (9 * 12, 24), (9 * 24, 48), (16 * 48, 64), (64, CLASSES)];

impl Network {
    /// Temperature and threshold, then for every layer the scale of each output, the starts, and
    /// the weights as signed bytes.
    fn parse(bytes: &[u8]) -> Self {
        let mut rest = bytes;
        let number = |rest: &mut &[u8]| match rest.split_first_chunk::<4>() {
            Some((head, tail)) => {
                *rest = tail;
                f32::from_le_bytes(*head)
            }
            None => 0.0,
        };
        let (temperature, certain) = (number(&mut rest), number(&mut rest));
        let layers = SHAPES.map(|(inputs, outputs)| {
            let scales: Vec<f32> = (0..outputs).map(|_| number(&mut rest)).collect();
            let starts = (0..outputs).map(|_| number(&mut rest)).collect();
            let (head, tail) = rest.split_at(rest.len().min(inputs * outputs));
            rest = tail;
            let weights = head
                .iter()
                .zip(scales.iter().cycle())
                .map(|(byte, scale)| f32::from(i8::from_le_bytes([*byte])) * scale)
                .collect();
            Layer { weights, starts }
        });
        Self { layers, temperature, certain }
    }

    /// The probability of every class.
    pub(crate) fn probabilities(&self, input: &[u8]) -> [f32; CLASSES] {
        let [first, second, third, fourth, fifth] = &self.layers;
        let input: Vec<f32> = input.iter().map(|value| f32::from(*value) / 255.0).collect();
        let mut values = pooled::<12>(&convolved::<5, 12>(&input, SIDE, first), SIDE);
        values = pooled::<24>(&convolved::<3, 24>(&values, SIDE / 2, second), SIDE / 2);
        values = pooled::<48>(&convolved::<3, 48>(&values, SIDE / 4, third), SIDE / 4);
        let hidden = dense::<64>(&values, fourth).map(|value| value.max(0.0));
        let mut logits = dense::<CLASSES>(&hidden, fifth);
        let most = logits.iter().copied().fold(f32::MIN, f32::max);
        for logit in &mut logits {
            *logit = ((*logit - most) / self.temperature).exp();
        }
        let sum: f32 = logits.iter().sum();
        logits.map(|value| value / sum)
    }
}

/// A convolution that keeps the size, and what is below nothing cut off. Channels lie together.
fn convolved<const KERNEL: usize, const OUT: usize>(
    values: &[f32],
    side: usize,
    layer: &Layer,
) -> Vec<f32> {
    let inputs = values.len() / (side * side);
    let reach = KERNEL / 2;
    let starts = start::<OUT>(layer);
    let mut all = Vec::with_capacity(side * side * OUT);
    for y in 0..side {
        for x in 0..side {
            let mut sums = starts;
            for ky in 0..KERNEL {
                let Some(row) = (y + ky).checked_sub(reach).filter(|row| *row < side) else {
                    continue;
                };
                for kx in 0..KERNEL {
                    let Some(column) = (x + kx).checked_sub(reach).filter(|c| *c < side) else {
                        continue;
                    };
                    let from = (row * side + column) * inputs;
                    let into = (ky * KERNEL + kx) * inputs * OUT;
                    let weights = layer.weights.get(into..into + inputs * OUT);
                    let values = values.get(from..from + inputs).unwrap_or_default();
                    add(&mut sums, values, weights.unwrap_or_default());
                }
            }
            all.extend(sums.map(|sum| sum.max(0.0)));
        }
    }
    all
}

fn start<const OUT: usize>(layer: &Layer) -> [f32; OUT] {
    layer.starts.as_slice().try_into().unwrap_or([0.0; OUT])
}

/// Adds every value times its weights; most values are nothing and cost nothing.
fn add<const OUT: usize>(sums: &mut [f32; OUT], values: &[f32], weights: &[f32]) {
    for (value, weights) in values.iter().zip(weights.chunks_exact(OUT)) {
        if *value > 0.0 {
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum += value * weight;
            }
        }
    }
}

/// The largest of every two by two.
fn pooled<const OUT: usize>(values: &[f32], side: usize) -> Vec<f32> {
    let half = side.div_ceil(2);
    let mut all = vec![0.0_f32; half * half * OUT];
    for (at, cell) in values.chunks_exact(OUT).enumerate() {
        let to = (at / side / 2 * half + at % side / 2) * OUT;
        let kept = all.get_mut(to..to + OUT).unwrap_or_default();
        kept.iter_mut().zip(cell).for_each(|(kept, value)| *kept = kept.max(*value));
    }
    all
}

fn dense<const OUT: usize>(values: &[f32], layer: &Layer) -> [f32; OUT] {
    let mut sums = start::<OUT>(layer);
    add(&mut sums, values, &layer.weights);
    sums
}

impl DigitReader for Network {
    fn read(&self, ink: &Glyph) -> Option<Judged> {
        let all = self.probabilities(&input(ink));
        let digits = ('0'..='9').zip(all);
        let (digit, confidence) = digits.max_by(|(_, a), (_, b)| a.total_cmp(b))?;
        Some(Judged { digit, confidence, certain: confidence >= self.certain })
    }
}

/// The ink brought to a common size in the middle of a square, full ink as 255.
pub(crate) fn input(glyph: &Glyph) -> Vec<u8> {
    let scale = INNER / real(glyph.height.max(glyph.width).max(1));
    let side = real(SIDE);
    let left = (side - real(glyph.width) * scale) / 2.0;
    let top = (side - real(glyph.height) * scale) / 2.0;
    let darkest = glyph.percentile(0.95).max(1);
    (0..SIDE * SIDE)
        .map(|at| {
            let x = (real(at % SIDE) + 0.5 - left) / scale;
            let y = (real(at / SIDE) + 0.5 - top) / scale;
            // A little wider than a pixel, so that one pixel of noise is no stroke.
            let value = glyph.mean(x, y, 0.55 / scale) / f32::from(darkest) * 255.0;
            byte(value)
        })
        .collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a byte")]
fn byte(value: f32) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

impl Glyph {
    /// The darkness below which that share of the inked pixels lies.
    fn percentile(&self, share: f32) -> u8 {
        let mut inked: Vec<u8> = self.values.iter().copied().filter(|value| *value > 30).collect();
        inked.sort_unstable();
        let at = crate::raster::whole(real(inked.len()) * share).min(inked.len().saturating_sub(1));
        inked.get(at).copied().unwrap_or(255)
    }
}
