//! A network that learns: the reader's own pass forwards, gradients by backpropagation, steps by
//! Adam, weights rounded to bytes.

use forms::degrade::Chance;
use forms::learning::{CLASSES, KERNELS, Layer, Network, Pass, SIDES, Shape, pooled};

/// The weights of every output one after the other, and what the outputs start at.
#[derive(Clone)]
struct Values {
    weights: Vec<f32>,
    starts: Vec<f32>,
}

impl Values {
    fn zero((inputs, outputs): (usize, usize)) -> Self {
        Self { weights: vec![0.0; inputs * outputs], starts: vec![0.0; outputs] }
    }

    fn inputs(&self) -> usize {
        self.weights.len() / self.starts.len().max(1)
    }

    fn all(&mut self) -> impl Iterator<Item = &mut f32> {
        self.weights.iter_mut().chain(&mut self.starts)
    }

    /// The size of a step of a byte, for every output.
    fn scales(&self) -> Vec<f32> {
        let rows = self.weights.chunks_exact(self.inputs().max(1));
        rows.map(|row| row.iter().map(|weight| weight.abs()).fold(1e-6, f32::max) / 127.0).collect()
    }
}

/// Weights, their gradients, and the two moments of Adam.
pub(crate) struct Learner {
    shape: Shape,
    left_out: f32,
    layers: [Values; 5],
    gradients: [Values; 5],
    first: [Values; 5],
    second: [Values; 5],
    /// The weights as the reader holds them.
    network: Network,
    steps: i32,
    chance: Chance,
}

impl Learner {
    pub(crate) fn new(shape: Shape, left_out: f32, chance: &mut Chance) -> Self {
        let zero = || shape.layers().map(Values::zero);
        let mut layers = zero();
        for (layer, (inputs, _)) in layers.iter_mut().zip(shape.layers()) {
            #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
            let spread = (2.0 / inputs as f32).sqrt();
            for weight in &mut layer.weights {
                // Twelve even numbers make a normal one.
                let sum: f32 = (0..12).map(|_| chance.part()).sum();
                *weight = (sum - 6.0) * spread;
            }
        }
        Self {
            shape,
            left_out,
            network: held(&layers),
            layers,
            gradients: zero(),
            first: zero(),
            second: zero(),
            steps: 0,
            chance: chance.clone(),
        }
    }

    pub(crate) fn class(&self, input: &[u8]) -> usize {
        let logits = self.network.logits(input);
        let best = logits.iter().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b));
        best.map_or(0, |(class, _)| class)
    }

    /// Adds the gradient of one sample and answers its loss.
    pub(crate) fn learn(&mut self, input: &[u8], class: usize) -> f32 {
        let (left_out, chance) = (self.left_out, &mut self.chance);
        let mut kept = Vec::new();
        let pass = self.network.pass(input, |values| {
            kept = values.iter().map(|_| !chance.happens(left_out)).collect();
            thinned(values, &kept, left_out);
        });
        let most = pass.logits.iter().copied().fold(f32::MIN, f32::max);
        let raised = pass.logits.map(|logit| (logit - most).exp());
        let sum: f32 = raised.iter().sum();
        let mut error = raised.map(|value| value / sum);
        let mut loss = 0.0;
        if let Some(value) = error.get_mut(class) {
            loss = -value.max(1e-7).ln();
            *value -= 1.0;
        }
        self.back(&pass, &error, &kept);
        loss
    }

    fn back(&mut self, pass: &Pass, error: &[f32; CLASSES], kept: &[bool]) {
        let [one, two, three, four, five] = &self.layers;
        let [one_sum, two_sum, three_sum, four_sum, five_sum] = &mut self.gradients;
        let [input, first, second, third, fourth] = &pass.inputs;
        let mut back = dense_back(five, five_sum, fourth, error);
        for (error, value) in back.iter_mut().zip(fourth) {
            *error = if *value > 0.0 { *error } else { 0.0 };
        }
        let mut back = dense_back(four, four_sum, third, &back);
        thinned(&mut back, kept, self.left_out);
        let layers = [(three, three_sum, second), (two, two_sum, first), (one, one_sum, input)];
        let widths = pass.wide.iter().zip(SIDES).zip(KERNELS).rev();
        for (((wide, side), kernel), (layer, sums, values)) in widths.zip(layers) {
            let blamed = unpooled(wide, side, &back);
            // Nobody asks what the picture should have been.
            let go_on = side < SIDES[0];
            back = if go_on {
                convolved_back(layer, sums, values, &blamed, [side, kernel])
            } else {
                learnt_from_picture(sums, values, &blamed, [side, kernel]);
                Vec::new()
            };
        }
    }

    pub(crate) fn step(&mut self, pace: f32, batch: usize) {
        const FIRST: f32 = 0.9;
        const SECOND: f32 = 0.999;
        self.steps += 1;
        #[expect(clippy::cast_precision_loss, reason = "a small batch")]
        let batch = batch as f32;
        let (one, two) = (1.0 - FIRST.powi(self.steps), 1.0 - SECOND.powi(self.steps));
        let all = self.layers.iter_mut().zip(&mut self.gradients);
        let moments = self.first.iter_mut().zip(&mut self.second);
        for ((layer, gradient), (first, second)) in all.zip(moments) {
            let values = layer.all().zip(gradient.all());
            for ((value, gradient), (m, v)) in values.zip(first.all().zip(second.all())) {
                let g = *gradient / batch;
                *gradient = 0.0;
                *m = *m * FIRST + g * (1.0 - FIRST);
                *v = *v * SECOND + g * g * (1.0 - SECOND);
                *value -= pace * (*m / one / ((*v / two).sqrt() + 1e-8) + 1e-3 * *value);
            }
        }
        self.network = held(&self.layers);
    }

    /// The network as [`Network::take`] reads it.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let [first, second, third] = self.shape.channels;
        let mut bytes = Vec::new();
        for size in [first, second, third, self.shape.hidden] {
            bytes.extend(u16::try_from(size).unwrap_or(0).to_le_bytes());
        }
        for layer in &self.layers {
            let scales = layer.scales();
            scales.iter().chain(&layer.starts).for_each(|value| bytes.extend(value.to_le_bytes()));
            for (row, scale) in layer.weights.chunks_exact(layer.inputs().max(1)).zip(scales) {
                #[expect(clippy::cast_possible_truncation, reason = "at most 127 by the scale")]
                let round = |weight: &f32| ((weight / scale).round() as i8).to_le_bytes();
                bytes.extend(row.iter().flat_map(round));
            }
        }
        bytes
    }
}

fn held(layers: &[Values; 5]) -> Network {
    Network::new(layers.each_ref().map(|layer| Layer::new(&layer.weights, &layer.starts)))
}

/// Values that are left out are nothing, the others larger for it.
fn thinned(values: &mut [f32], kept: &[bool], left_out: f32) {
    for (value, kept) in values.iter_mut().zip(kept) {
        *value = if *kept { *value / (1.0 - left_out) } else { 0.0 };
    }
}

fn add_times(to: &mut [f32], from: &[f32], by: f32) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += from * by);
}

fn dense_back(layer: &Values, sums: &mut Values, values: &[f32], errors: &[f32]) -> Vec<f32> {
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
type Blame = (usize, f32);

/// Errors go back to the largest of every two by two, where it was above nothing. Channel by
/// channel: few places of a channel are blamed, and its weights stay near.
fn unpooled(wide: &[f32], side: usize, errors: &[f32]) -> Vec<Vec<Blame>> {
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

fn convolved_back(
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
                add_times(sums, values.get(seen.clone()).unwrap_or_default(), *error);
                let weights = weights.get(taps).unwrap_or_default();
                add_times(back.get_mut(seen).unwrap_or_default(), weights, *error);
            }
        }
    }
    back
}

/// The first layer: what every place sees of the picture is cut out once.
fn learnt_from_picture(
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
    let mut seen = Vec::with_capacity(side * side * area);
    for place in 0..side * side {
        for ky in 0..kernel {
            let from = (place / side + ky) * wide + place % side;
            seen.extend_from_slice(framed.get(from..from + kernel).unwrap_or_default());
        }
    }
    let rows = sums.weights.chunks_exact_mut(area).zip(&mut sums.starts);
    for (blamed, (sums, start)) in blamed.iter().zip(rows) {
        for (place, error) in blamed {
            *start += error;
            add_times(sums, seen.get(place * area..).unwrap_or_default(), *error);
        }
    }
}
