//! From coefficients to samples: the inverse cosine transform of Arai, Agui and Nakajima (1988), five
//! multiplications a row, its scales folded into those of quantisation. Lanes lie side by side, so that
//! the compiler makes vectors of them.

use super::SIDE;

/// Where coefficients stand that come in zigzag order (T.81, figure 5), columns before rows: the first
/// pass goes along rows, all at once.
const ZIGZAG: [u8; 64] = [
    0, 8, 1, 2, 9, 16, 24, 17, 10, 3, 4, 11, 18, 25, 32, 40, 33, 26, 19, 12, 5, 6, 13, 20, 27, 34,
    41, 48, 56, 49, 42, 35, 28, 21, 14, 7, 15, 22, 29, 36, 43, 50, 57, 58, 51, 44, 37, 30, 23, 31,
    38, 45, 52, 59, 60, 53, 46, 39, 47, 54, 61, 62, 55, 63,
];

type Lanes<const N: usize = SIDE> = [f32; N];

/// How many of the frequencies of a block are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// All of them: a block is eight samples wide.
    Whole,
    /// The lower half: four samples.
    Half,
}

impl Reach {
    pub(super) fn side(self) -> usize {
        match self {
            Self::Whole => SIDE,
            Self::Half => SIDE / 2,
        }
    }
}

/// The coefficients of a block, scaled.
pub(super) struct Block {
    values: [Lanes; SIDE],
    /// Whether there is more than the mean.
    varied: bool,
}

impl Block {
    /// A block of one brightness.
    #[inline]
    pub(super) fn new(mean: i32, scales: &[f32; 64]) -> Self {
        let mut values = [[0.0; SIDE]; SIDE];
        values[0][0] = exact(mean) * scales[0];
        Self { values, varied: false }
    }

    /// Sets a coefficient by its place in the zigzag; beyond the last there is none.
    #[inline]
    pub(super) fn set(&mut self, at: usize, value: i32, scales: &[f32; 64]) {
        if let (Some(place), Some(scale)) = (ZIGZAG.get(at), scales.get(at)) {
            let (lane, line) = (usize::from(place & 7), usize::from(place >> 3));
            if let Some(cell) = self.values.get_mut(line).and_then(|line| line.get_mut(lane)) {
                *cell = exact(value) * scale;
                self.varied = true;
            }
        }
    }
}

/// Coefficients have sixteen bits.
#[inline]
#[expect(clippy::cast_precision_loss, reason = "sixteen bits fit")]
fn exact(value: i32) -> f32 {
    value as f32
}

/// What a coefficient is multiplied with, in zigzag order: its quantiser and the transform's own scale.
pub(super) fn scales(quantisers: &[u32], reach: Reach) -> Option<[f32; 64]> {
    // 1, then √2·cos(k·π/16) for k from 1 to 7.
    const WHOLE: [f32; SIDE] =
        [1.0, 1.387_039_8, 1.306_563, 1.175_875_6, 1.0, 0.785_694_96, 0.541_196_1, 0.275_899_38];
    // Of a transform of four: an eighth root, then halves, the third with the cosine of π/4.
    const HALF: [f32; SIDE] = [0.353_553_4, 0.5, 0.353_553_4, 0.5, 0.0, 0.0, 0.0, 0.0];
    let (own, all) = if reach == Reach::Whole { (WHOLE, 1.0 / 8.0) } else { (HALF, 1.0) };
    let mut scales = [0.0; 64];
    for ((scale, quantiser), place) in scales.iter_mut().zip(quantisers).zip(ZIGZAG) {
        let (lane, line) = (usize::from(place & 7), usize::from(place >> 3));
        let quantiser = f32::from(u16::try_from(*quantiser).ok()?);
        *scale = quantiser * own.get(lane)? * own.get(line)? * all;
    }
    (quantisers.len() == 64).then_some(scales)
}

/// The samples of a block.
#[inline]
pub(super) fn inverse(block: &Block) -> [[u8; SIDE]; SIDE] {
    if !block.varied {
        return [samples(&[block.values[0][0]; SIDE]); SIDE];
    }
    let lines = pass(&transposed(&pass(&block.values)));
    let mut rows = [[0; SIDE]; SIDE];
    for (row, line) in rows.iter_mut().zip(&lines) {
        *row = samples(line);
    }
    rows
}

/// The same at half the size.
#[inline]
pub(super) fn halved(block: &Block) -> [[u8; SIDE / 2]; SIDE / 2] {
    if !block.varied {
        return [samples(&[block.values[0][0]; SIDE / 2]); SIDE / 2];
    }
    let mut low = [[0.0; SIDE / 2]; SIDE / 2];
    for (low, line) in low.iter_mut().zip(&block.values) {
        *low = [line[0], line[1], line[2], line[3]];
    }
    let lines = short_pass(&transposed(&short_pass(&low)));
    let mut rows = [[0; SIDE / 2]; SIDE / 2];
    for (row, line) in rows.iter_mut().zip(&lines) {
        *row = samples(line);
    }
    rows
}

#[inline]
fn transposed<const N: usize>(lines: &[Lanes<N>; N]) -> [Lanes<N>; N] {
    let mut turned = [[0.0; N]; N];
    for (index, line) in lines.iter().enumerate() {
        for (to, value) in turned.iter_mut().zip(line) {
            if let Some(to) = to.get_mut(index) {
                *to = *value;
            }
        }
    }
    turned
}

/// The mean of all brightnesses, added to a number so large that the lowest bits of the sum are the
/// brightness, rounded.
const MIDDLE: f32 = 12_582_912.0 + 128.0;

#[inline]
fn samples<const N: usize>(row: &Lanes<N>) -> [u8; N] {
    // Sixteen bits, of which there are vectors everywhere, hold whatever a block of ours can come to.
    let mut wide = [0_i16; N];
    for (wide, value) in wide.iter_mut().zip(row) {
        let [low, high, ..] = (value + MIDDLE).to_bits().to_le_bytes();
        *wide = i16::from_le_bytes([low, high]);
    }
    let mut bytes = [0; N];
    for (byte, wide) in bytes.iter_mut().zip(wide) {
        *byte = wide.clamp(0, 255).to_le_bytes()[0];
    }
    bytes
}

#[inline]
fn plus<const N: usize>(a: Lanes<N>, b: Lanes<N>) -> Lanes<N> {
    let mut sum = a;
    sum.iter_mut().zip(b).for_each(|(a, b)| *a += b);
    sum
}

#[inline]
fn minus<const N: usize>(a: Lanes<N>, b: Lanes<N>) -> Lanes<N> {
    let mut difference = a;
    difference.iter_mut().zip(b).for_each(|(a, b)| *a -= b);
    difference
}

#[inline]
fn times<const N: usize>(a: Lanes<N>, factor: f32) -> Lanes<N> {
    let mut product = a;
    for value in &mut product {
        *value *= factor;
    }
    product
}

/// One dimension of a transform of four.
#[inline]
fn short_pass(lines: &[Lanes<4>; 4]) -> [Lanes<4>; 4] {
    // The cosines of π/8 and 3π/8.
    const NEAR: f32 = 0.923_879_5;
    const FAR: f32 = 0.382_683_43;
    let [c0, c1, c2, c3] = *lines;
    let (outer, inner) = (plus(c0, c2), minus(c0, c2));
    let first = plus(times(c1, NEAR), times(c3, FAR));
    let second = minus(times(c1, FAR), times(c3, NEAR));
    [plus(outer, first), plus(inner, second), minus(inner, second), minus(outer, first)]
}

/// One dimension, for eight lanes at once.
#[inline]
fn pass(lines: &[Lanes; SIDE]) -> [Lanes; SIDE] {
    use std::f32::consts::SQRT_2;
    let [c0, c1, c2, c3, c4, c5, c6, c7] = *lines;
    // Even part.
    let (sum, difference) = (plus(c0, c4), minus(c0, c4));
    let even = plus(c2, c6);
    let other = minus(times(minus(c2, c6), SQRT_2), even);
    let (e0, e3) = (plus(sum, even), minus(sum, even));
    let (e1, e2) = (plus(difference, other), minus(difference, other));
    // Odd part.
    let (z13, z10) = (plus(c5, c3), minus(c5, c3));
    let (z11, z12) = (plus(c1, c7), minus(c1, c7));
    let o7 = plus(z11, z13);
    let middle = times(minus(z11, z13), SQRT_2);
    let turned = times(plus(z10, z12), 1.847_759_1);
    let o6 = minus(minus(turned, times(z10, 2.613_126)), o7);
    let o5 = minus(middle, o6);
    let o4 = minus(minus(turned, times(z12, 1.082_392_2)), o5);
    [
        plus(e0, o7),
        plus(e1, o6),
        plus(e2, o5),
        plus(e3, o4),
        minus(e3, o4),
        minus(e2, o5),
        minus(e1, o6),
        minus(e0, o7),
    ]
}
