//! A network that reads handwriting: four small convolutions and two dense layers of any width,
//! run in process. Weights come from `examples/train_digits`, which also says on what.

use super::layer::{Layer, cut_below, pooled};
use crate::glyph::Glyph;
use crate::raster::real;

/// A side of the input.
pub(super) const SIDE: usize = 28;
/// The digit fills so much of it.
const INNER: f32 = 20.0;
/// The ten digits, and what is none.
pub const CLASSES: usize = 11;
/// The convolutions.
const FOLDS: usize = 4;
/// Their kernels.
pub const KERNELS: [usize; FOLDS] = [5, 3, 3, 3];
/// Sides of what they see.
pub const SIDES: [usize; FOLDS] = [SIDE, 14, 7, 4];
/// Which of them are followed by pooling.
pub const POOLED: [bool; FOLDS] = [true, true, true, false];
/// All layers, the dense ones last.
pub const LAYERS: usize = FOLDS + 2;

/// How wide a network is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// Channels that the convolutions answer with.
    pub channels: [usize; FOLDS],
    /// Values between the two dense layers.
    pub hidden: usize,
}

impl Shape {
    /// Inputs and outputs of every layer.
    pub fn layers(self) -> [(usize, usize); LAYERS] {
        let [first, second, third, fourth] = self.channels;
        [
            (25, first),
            (9 * first, second),
            (9 * second, third),
            (9 * third, fourth),
            (16 * fourth, self.hidden),
            (self.hidden, CLASSES),
        ]
    }
}

/// The layers.
#[derive(Clone, Debug, Default)]
pub struct Network {
    layers: [Layer; LAYERS],
}

/// What every layer saw, and what the last one answered; learning goes back along it.
#[derive(Debug)]
pub struct Pass {
    /// What went into every layer.
    pub inputs: [Vec<f32>; LAYERS],
    /// What came out of the convolutions, before pooling.
    pub wide: [Vec<f32>; FOLDS],
    /// The answer.
    pub logits: [f32; CLASSES],
}

impl Network {
    /// From its layers.
    pub fn new(layers: [Layer; LAYERS]) -> Self {
        Self { layers }
    }

    /// Takes one network off the front: its shape as five numbers of two bytes, then for every layer
    /// the scale of each output, the starts, and the weights as signed bytes, output by output.
    pub fn take(bytes: &mut &[u8]) -> Self {
        let mut size = || usize::from(u16::from_le_bytes(head(bytes)));
        let shape = Shape { channels: [(); FOLDS].map(|()| size()), hidden: size() };
        let layers = shape.layers().map(|(inputs, outputs)| {
            let mut numbers =
                || -> Vec<f32> { (0..outputs).map(|_| f32::from_le_bytes(head(bytes))).collect() };
            let (scales, starts) = (numbers(), numbers());
            let (own, rest) = bytes.split_at(bytes.len().min(inputs * outputs));
            *bytes = rest;
            let rows = own.chunks_exact(inputs.max(1)).zip(scales);
            let weights: Vec<f32> = rows
                .flat_map(|(row, scale)| {
                    row.iter().map(move |byte| f32::from(i8::from_le_bytes([*byte])) * scale)
                })
                .collect();
            Layer::new(&weights, &starts)
        });
        Self { layers }
    }

    /// How likely every class is, as numbers that only count against each other.
    pub fn logits(&self, input: &[u8]) -> [f32; CLASSES] {
        self.pass(input, |_| ()).logits
    }

    /// The same with all that lies between; `thin` may change what enters the dense layers.
    pub fn pass(&self, input: &[u8], thin: impl FnOnce(&mut [f32])) -> Pass {
        let [folds @ .., fourth, fifth] = &self.layers;
        let mut inputs: [Vec<f32>; LAYERS] = Default::default();
        let mut wide: [Vec<f32>; FOLDS] = Default::default();
        let mut seen: Vec<f32> = input.iter().map(|value| f32::from(*value) / 255.0).collect();
        let sizes = SIDES.into_iter().zip(KERNELS).zip(POOLED);
        let kept = inputs.iter_mut().zip(&mut wide);
        for ((fold, (input, wide)), ((side, kernel), pool)) in folds.iter().zip(kept).zip(sizes) {
            *wide = fold.convolved(&seen, side, kernel);
            let next = if pool { pooled(wide, side) } else { wide.clone() };
            *input = std::mem::replace(&mut seen, next);
        }
        thin(&mut seen);
        let mut hidden = fourth.dense(&seen);
        cut_below(&mut hidden);
        let logits = fifth.dense(&hidden).try_into().unwrap_or([0.0; CLASSES]);
        let [.., before, last] = &mut inputs;
        (*before, *last) = (seen, hidden);
        Pass { inputs, wide, logits }
    }
}

/// The first bytes, taken away; nothing where there are none left.
pub(super) fn head<const COUNT: usize>(bytes: &mut &[u8]) -> [u8; COUNT] {
    match bytes.split_first_chunk::<COUNT>() {
        Some((head, rest)) => {
            *bytes = rest;
            *head
        }
        None => [0; COUNT],
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

/// The input drawn anew: what stands at a place of the answer is taken from `from` of it. Places
/// are counted from the middle.
pub fn redrawn(input: &[u8], mut from: impl FnMut([f32; 2]) -> [f32; 2]) -> Vec<u8> {
    let middle = (real(SIDE) - 1.0) / 2.0;
    (0..SIDE * SIDE)
        .map(|at| {
            let [x, y] = from([real(at % SIDE) - middle, real(at / SIDE) - middle]);
            byte(between(input, [x + middle, y + middle]))
        })
        .collect()
}

/// The value between four samples; outside is paper.
fn between(input: &[u8], [x, y]: [f32; 2]) -> f32 {
    let last = real(SIDE) - 1.0;
    if !(0.0..last).contains(&x) || !(0.0..last).contains(&y) {
        return 0.0;
    }
    let at = usize::from(byte(y.floor())) * SIDE + usize::from(byte(x.floor()));
    let (fx, fy) = (x.fract(), y.fract());
    let row = |at: usize| match input.get(at..at + 2) {
        Some([a, b]) => f32::from(*a) * (1.0 - fx) + f32::from(*b) * fx,
        _ => 0.0,
    };
    row(at) * (1.0 - fy) + row(at + SIDE) * fy
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_drawn_anew_moves_with_its_places() {
        let mut input = vec![0; SIDE * SIDE];
        input[10 * SIDE + 12] = 200;
        assert_eq!(redrawn(&input, |place| place), input);
        let moved = redrawn(&input, |[x, y]| [x - 2.0, y + 3.0]);
        let dark: Vec<usize> = (0..moved.len()).filter(|at| moved[*at] > 0).collect();
        assert_eq!((dark, moved[7 * SIDE + 14]), (vec![7 * SIDE + 14], 200));
        let half = redrawn(&input, |[x, y]| [x + 0.5, y]);
        assert_eq!((half[10 * SIDE + 11], half[10 * SIDE + 12]), (100, 100));
    }
}
