//! What the layers are blamed for: gradients go back through dense layers, convolutions and pooling.
//!
//! Where nothing came out there is nobody to blame, and of every two by two only the largest is: few
//! places are left, and only those are worked on.

use forms::learning::pooled;

use crate::network::Values;

/// Values that are left out are nothing, the others larger for it.
pub(crate) fn thinned(values: &mut [f32], kept: &[bool], left_out: f32) {
    for (value, kept) in values.iter_mut().zip(kept) {
        *value = if *kept { *value / (1.0 - left_out) } else { 0.0 };
    }
}

/// Values that are worked on at once; a processor's registers hold no more.
const LANES: usize = 16;

/// As a value of its own, so that it stays in registers.
fn more(mut sums: [f32; LANES], from: &[f32; LANES], by: f32) -> [f32; LANES] {
    sums.iter_mut().zip(from).for_each(|(to, from)| *to += from * by);
    sums
}

fn add_times(to: &mut [f32], from: &[f32], by: f32) {
    let (wide, rest) = to.as_chunks_mut::<LANES>();
    let (from, last) = from.as_chunks::<LANES>();
    for (to, from) in wide.iter_mut().zip(from) {
        *to = more(*to, from, by);
    }
    rest.iter_mut().zip(last).for_each(|(to, from)| *to += from * by);
}

/// Two at once, which share their way.
fn add_both([one, two]: [&mut [f32]; 2], [first, second]: [&[f32]; 2], by: f32) {
    let (one, ones) = one.as_chunks_mut::<LANES>();
    let (two, twos) = two.as_chunks_mut::<LANES>();
    let (first, firsts) = first.as_chunks::<LANES>();
    let (second, seconds) = second.as_chunks::<LANES>();
    for ((one, two), (first, second)) in one.iter_mut().zip(two).zip(first.iter().zip(second)) {
        (*one, *two) = (more(*one, first, by), more(*two, second, by));
    }
    ones.iter_mut().zip(firsts).for_each(|(to, from)| *to += from * by);
    twos.iter_mut().zip(seconds).for_each(|(to, from)| *to += from * by);
}

pub(crate) fn dense_back(
    layer: &Values,
    sums: &mut Values,
    values: &[f32],
    errors: &[f32],
) -> Vec<f32> {
    let inputs = layer.inputs();
    let mut back = vec![0.0; inputs];
    sums.starts.iter_mut().zip(errors).for_each(|(sum, error)| *sum += error);
    let rows = layer.weights.chunks_exact(inputs).zip(sums.weights.chunks_exact_mut(inputs));
    for (error, (weights, sums)) in errors.iter().zip(rows).filter(|(error, _)| **error != 0.0) {
        add_times(sums, values, *error);
        add_times(&mut back, weights, *error);
    }
    back
}

/// What an output of a convolution is blamed for: where, and how much.
pub(crate) type Blame = (usize, f32);

/// Errors go back to the largest of every two by two, where it was above nothing. Channel by
/// channel: few places of a channel are blamed, and its weights stay near.
pub(crate) fn unpooled(wide: &[f32], side: usize, errors: &[f32]) -> Vec<Vec<Blame>> {
    let half = side.div_ceil(2);
    let largest = pooled(wide, side);
    let channels = errors.len() / (half * half);
    let mut blamed = vec![Vec::new(); channels];
    let pairs = largest.chunks_exact(channels).zip(errors.chunks_exact(channels));
    for (cell, (largest, errors)) in pairs.enumerate() {
        let (x, y) = (cell % half * 2, cell / half * 2);
        let places = [(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)];
        let inside = places.into_iter().filter(|(x, y)| *x < side && *y < side);
        let places: Vec<usize> = inside.map(|(x, y)| y * side + x).collect();
        for (channel, (largest, error)) in largest.iter().zip(errors).enumerate() {
            let most = |place: &&usize| wide.get(**place * channels + channel) == Some(largest);
            if *largest > 0.0
                && *error != 0.0
                && let (Some(place), Some(to)) = (places.iter().find(most), blamed.get_mut(channel))
            {
                to.push((*place, *error));
            }
        }
    }
    blamed
}

/// Without pooling every place that was above nothing takes its own error.
pub(crate) fn unfolded(wide: &[f32], side: usize, errors: &[f32]) -> Vec<Vec<Blame>> {
    let channels = errors.len() / (side * side);
    let mut blamed = vec![Vec::new(); channels];
    let cells = wide.chunks_exact(channels).zip(errors.chunks_exact(channels));
    for (place, (wide, errors)) in cells.enumerate() {
        for (to, (value, error)) in blamed.iter_mut().zip(wide.iter().zip(errors)) {
            if *value > 0.0 && *error != 0.0 {
                to.push((place, *error));
            }
        }
    }
    blamed
}

pub(crate) fn convolved_back(
    layer: &Values,
    sums: &mut Values,
    values: &[f32],
    blamed: &[Vec<Blame>],
    [side, kernel]: [usize; 2],
) -> Vec<f32> {
    let (reach, inputs) = (kernel / 2, layer.inputs() / (kernel * kernel));
    let mut back = vec![0.0; values.len()];
    let rows = layer.weights.chunks_exact(layer.inputs());
    let rows = rows.zip(sums.weights.chunks_exact_mut(layer.inputs())).zip(&mut sums.starts);
    for (blamed, ((weights, sums), start)) in blamed.iter().zip(rows) {
        for (place, error) in blamed {
            *start += error;
            let (x, y) = (place % side, place / side);
            // The part of a kernel's row that lies inside: its inputs stand in one piece.
            let (from, to) = (reach.saturating_sub(x), kernel.min(side + reach - x));
            for ky in 0..kernel {
                let row = (y + ky).checked_sub(reach).filter(|row| *row < side);
                let Some(row) = row else { continue };
                let seen = (row * side + x + from - reach) * inputs;
                let seen = seen..seen + (to - from) * inputs;
                let taps = (ky * kernel + from) * inputs..(ky * kernel + to) * inputs;
                let sums = sums.get_mut(taps.clone()).unwrap_or_default();
                let values = values.get(seen.clone()).unwrap_or_default();
                let weights = weights.get(taps).unwrap_or_default();
                let back = back.get_mut(seen).unwrap_or_default();
                add_both([sums, back], [values, weights], *error);
            }
        }
    }
    back
}

/// The first layer: what every place sees of the picture is cut out once.
pub(crate) fn learnt_from_picture(
    sums: &mut Values,
    picture: &[f32],
    blamed: &[Vec<Blame>],
    [side, kernel]: [usize; 2],
) {
    let (wide, area) = (side + kernel - 1, kernel * kernel);
    let mut framed = vec![0.0; wide * wide];
    let rows = framed.chunks_exact_mut(wide).skip(kernel / 2);
    for (to, from) in rows.zip(picture.chunks_exact(side)) {
        to.iter_mut().skip(kernel / 2).zip(from).for_each(|(to, from)| *to = *from);
    }
    // As wide as registers, so that a channel's sums stay there.
    let mut seen = vec![[0.0; 2 * LANES]; side * side];
    for (place, seen) in seen.iter_mut().enumerate() {
        for (ky, seen) in seen.chunks_exact_mut(kernel).take(kernel).enumerate() {
            let from = (place / side + ky) * wide + place % side;
            seen.copy_from_slice(framed.get(from..from + kernel).unwrap_or_default());
        }
    }
    let rows = sums.weights.chunks_exact_mut(area).zip(&mut sums.starts);
    for (blamed, (sums, start)) in blamed.iter().zip(rows) {
        let mut all = [0.0; 2 * LANES];
        for (place, error) in blamed {
            *start += error;
            let seen = seen.get(*place).into_iter().flatten();
            all.iter_mut().zip(seen).for_each(|(to, from)| *to += from * error);
        }
        sums.iter_mut().zip(all).for_each(|(to, from)| *to += from);
    }
}
