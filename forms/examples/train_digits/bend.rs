//! Drawn cells bent a little otherwise each time that they are shown.

use forms::degrade::Chance;
use forms::learning::redrawn;

/// The share of cells that are shown as they were drawn.
const STRAIGHT: f32 = 0.1;
/// Corners of the net that bends, and half of the side that it spans, in samples.
const CORNERS: usize = 5;
const HALF: f32 = 14.0;

/// Turned, slanted, stretched and moved, bent as if by another hand, in a heavier or a lighter ink.
pub(crate) fn bent(input: &[u8], chance: &mut Chance) -> Vec<u8> {
    if chance.happens(STRAIGHT) {
        return input.to_vec();
    }
    let (turn, slant) = (chance.between(-0.13, 0.13), chance.between(-0.2, 0.2));
    let size = [chance.between(0.88, 1.12), chance.between(0.88, 1.12)];
    let shift = [chance.between(-1.3, 1.3), chance.between(-1.3, 1.3)];
    let strong = chance.between(0.0, 1.1);
    let mut net = [[0.0_f32; 2]; CORNERS * CORNERS];
    for corner in net.iter_mut().flatten() {
        *corner = chance.between(-1.0, 1.0) * strong;
    }
    let drawn = redrawn(input, |[x, y]| {
        let [dx, dy] = pulled(&net, [x, y]);
        let (u, v) = ((x - shift[0]) / size[0] + dx, (y - shift[1]) / size[1] + dy);
        [u + v * (slant + turn), v - u * turn]
    });
    // Heavier ink fills the soft edges, lighter ink loses them.
    let weight = chance.between(0.6, 1.6);
    let inks: Vec<u8> = (0..=255_u8).map(|value| inked(value, weight)).collect();
    drawn.iter().filter_map(|value| inks.get(usize::from(*value))).copied().collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 255")]
fn inked(value: u8, weight: f32) -> u8 {
    ((f32::from(value) / 255.0).powf(weight) * 255.0).round() as u8
}

/// How far the net pulls at a place: the mean of the four corners around it, the nearer the more.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the net")]
#[expect(clippy::cast_precision_loss, reason = "a few corners")]
fn pulled(net: &[[f32; 2]], [x, y]: [f32; 2]) -> [f32; 2] {
    let last = (CORNERS - 1) as f32;
    let along = |value: f32| ((value + HALF) / (2.0 * HALF) * last).clamp(0.0, last - 1e-3);
    let (x, y) = (along(x), along(y));
    let (left, top) = (x as usize, y as usize);
    let (fx, fy) = (x.fract(), y.fract());
    let mut sum = [0.0; 2];
    let corners =
        [(0, 0, 1.0 - fx, 1.0 - fy), (1, 0, fx, 1.0 - fy), (0, 1, 1.0 - fx, fy), (1, 1, fx, fy)];
    for (right, down, across, upright) in corners {
        let corner = net.get((top + down) * CORNERS + left + right).copied().unwrap_or_default();
        sum.iter_mut().zip(corner).for_each(|(sum, pull)| *sum += pull * across * upright);
    }
    sum
}
