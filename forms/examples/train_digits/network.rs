//! The network with what learning needs: gradients by backpropagation, steps by Adam, weights
//! rounded to bytes. Its shape is that of the reader.

use forms::degrade::Chance;

pub(crate) const CLASSES: usize = 11;
/// Inputs and outputs of every layer.
const SHAPES: [(usize, usize); 5] =
    [(25, 12), (9 * 12, 24), (9 * 24, 48), (16 * 48, 64), (64, CLASSES)];
/// Side, kernel, channels in and out of the convolutions.
const CONVOLUTIONS: [(usize, usize, usize); 3] = [(28, 5, 1), (14, 3, 12), (7, 3, 24)];
/// The share of values before the dense layers that is left out while learning.
const LEFT_OUT: f32 = 0.2;

#[derive(Clone)]
struct Layer {
    weights: Vec<f32>,
    starts: Vec<f32>,
}

impl Layer {
    fn zero((inputs, outputs): (usize, usize)) -> Self {
        Self { weights: vec![0.0; inputs * outputs], starts: vec![0.0; outputs] }
    }

    fn values(&mut self) -> impl Iterator<Item = &mut f32> {
        self.weights.iter_mut().chain(&mut self.starts)
    }
}

/// Weights, their gradients, and the two moments of Adam.
#[derive(Clone)]
pub(crate) struct Network {
    layers: [Layer; 5],
    gradients: [Layer; 5],
    first: [Layer; 5],
    second: [Layer; 5],
    steps: i32,
    chance: Chance,
}

/// What every layer saw.
struct Seen {
    inputs: [Vec<f32>; 5],
    /// Before pooling.
    wide: [Vec<f32>; 3],
    kept: Vec<bool>,
    logits: [f32; CLASSES],
}

impl Network {
    pub(crate) fn new(chance: &mut Chance) -> Self {
        let zero = || SHAPES.map(Layer::zero);
        let mut layers = zero();
        for (layer, (inputs, _)) in layers.iter_mut().zip(SHAPES) {
            #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
            let spread = (2.0 / inputs as f32).sqrt();
            for weight in &mut layer.weights {
                // Twelve even numbers make a normal one.
                let sum: f32 = (0..12).map(|_| chance.part()).sum();
                *weight = (sum - 6.0) * spread;
            }
        }
        Self {
            layers,
            gradients: zero(),
            first: zero(),
            second: zero(),
            steps: 0,
            chance: chance.clone(),
        }
    }

    pub(crate) fn forget(&mut self) {
        self.gradients = SHAPES.map(Layer::zero);
    }

    pub(crate) fn logits(&self, input: &[u8]) -> [f32; CLASSES] {
        self.forward(input, |_| true).logits
    }

    pub(crate) fn class(&self, input: &[u8]) -> usize {
        let logits = self.logits(input);
        let best = logits.iter().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b));
        best.map_or(0, |(class, _)| class)
    }

    fn forward(&self, input: &[u8], mut keep: impl FnMut(usize) -> bool) -> Seen {
        let [one_layer, two_layer, three_layer, four_layer, five_layer] = &self.layers;
        let input: Vec<f32> = input.iter().map(|value| f32::from(*value) / 255.0).collect();
        let one = convolved::<12>(&input, CONVOLUTIONS[0], one_layer);
        let first = pooled::<12>(&one, 28);
        let two = convolved::<24>(&first, CONVOLUTIONS[1], two_layer);
        let second = pooled::<24>(&two, 14);
        let three = convolved::<48>(&second, CONVOLUTIONS[2], three_layer);
        let mut third = pooled::<48>(&three, 7);
        let kept: Vec<bool> = (0..third.len()).map(&mut keep).collect();
        let all = kept.iter().all(|kept| *kept);
        if !all {
            for (value, kept) in third.iter_mut().zip(&kept) {
                *value = if *kept { *value / (1.0 - LEFT_OUT) } else { 0.0 };
            }
        }
        let fourth = dense::<64>(&third, four_layer).map(|value| value.max(0.0)).to_vec();
        let logits = dense::<CLASSES>(&fourth, five_layer);
        Seen {
            inputs: [input, first, second, third, fourth],
            wide: [one, two, three],
            kept,
            logits,
        }
    }

    /// Adds the gradient of one sample and answers its loss.
    pub(crate) fn learn(&mut self, input: &[u8], class: usize) -> f32 {
        let mut chance = self.chance.clone();
        let seen = self.forward(input, |_| !chance.happens(LEFT_OUT));
        self.chance = chance;
        let most = seen.logits.iter().copied().fold(f32::MIN, f32::max);
        let raised = seen.logits.map(|logit| (logit - most).exp());
        let sum: f32 = raised.iter().sum();
        let mut error = raised.map(|value| value / sum);
        let mut loss = 0.0;
        if let Some(value) = error.get_mut(class) {
            loss = -value.max(1e-7).ln();
            *value -= 1.0;
        }
        let [one_layer, two_layer, three_layer, four_layer, five_layer] = &self.layers;
        let [one_sum, two_sum, three_sum, four_sum, five_sum] = &mut self.gradients;
        let [input, first, second, third, fourth] = &seen.inputs;
        let [one, two, three] = &seen.wide;
        let mut back = dense_back(fourth, &error, five_layer, five_sum);
        cut_below(&mut back, fourth);
        let hidden: [f32; 64] = back.try_into().unwrap_or([0.0; 64]);
        let mut back = dense_back(third, &hidden, four_layer, four_sum);
        for (value, kept) in back.iter_mut().zip(&seen.kept) {
            *value = if *kept { *value / (1.0 - LEFT_OUT) } else { 0.0 };
        }
        let wide = unpooled::<48>(three, 7, &back);
        let back =
            convolved_back::<48>(second, &wide, CONVOLUTIONS[2], three_layer, three_sum, true);
        let wide = unpooled::<24>(two, 14, &back);
        let back = convolved_back::<24>(first, &wide, CONVOLUTIONS[1], two_layer, two_sum, true);
        let wide = unpooled::<12>(one, 28, &back);
        convolved_back::<12>(input, &wide, CONVOLUTIONS[0], one_layer, one_sum, false);
        loss
    }

    /// One step of Adam with decoupled decay.
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
            let values = layer.values().zip(gradient.values());
            let moments = first.values().zip(second.values());
            for ((value, gradient), (m, v)) in values.zip(moments) {
                let g = *gradient / batch;
                *m = *m * FIRST + g * (1.0 - FIRST);
                *v = *v * SECOND + g * g * (1.0 - SECOND);
                *value -= pace * (*m / one / ((*v / two).sqrt() + 1e-8) + 1e-3 * *value);
            }
        }
    }

    /// As the reader will have it: weights as bytes times a scale for every output.
    pub(crate) fn rounded(&self) -> Self {
        let mut rounded = self.clone();
        for layer in &mut rounded.layers {
            let scales = scales(layer);
            for (weight, scale) in layer.weights.iter_mut().zip(scales.iter().cycle()) {
                *weight = (*weight / scale).round() * scale;
            }
        }
        rounded
    }

    /// The network that [`Self::bytes`] wrote; to choose temperature and threshold anew.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let mut network = Self::new(&mut Chance::new(0));
        let mut rest = bytes.get(8..).unwrap_or_default();
        let number = |rest: &mut &[u8]| match rest.split_first_chunk::<4>() {
            Some((head, tail)) => {
                *rest = tail;
                f32::from_le_bytes(*head)
            }
            None => 0.0,
        };
        for layer in &mut network.layers {
            let scales: Vec<f32> = layer.starts.iter().map(|_| number(&mut rest)).collect();
            layer.starts.iter_mut().for_each(|start| *start = number(&mut rest));
            let (weights, tail) = rest.split_at(rest.len().min(layer.weights.len()));
            rest = tail;
            for ((weight, byte), scale) in
                layer.weights.iter_mut().zip(weights).zip(scales.iter().cycle())
            {
                *weight = f32::from(i8::from_le_bytes([*byte])) * scale;
            }
        }
        network
    }

    pub(crate) fn bytes(&self, temperature: f32, certain: f32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let number = |bytes: &mut Vec<u8>, value: f32| bytes.extend(value.to_le_bytes());
        number(&mut bytes, temperature);
        number(&mut bytes, certain);
        for layer in &self.layers {
            let scales = scales(layer);
            scales.iter().chain(&layer.starts).for_each(|value| number(&mut bytes, *value));
            for (weight, scale) in layer.weights.iter().zip(scales.iter().cycle()) {
                #[expect(clippy::cast_possible_truncation, reason = "at most 127 by the scale")]
                let byte = (weight / scale).round() as i8;
                bytes.extend(byte.to_le_bytes());
            }
        }
        bytes
    }
}

fn scales(layer: &Layer) -> Vec<f32> {
    let outputs = layer.starts.len();
    let most = |output: usize| {
        let weights = layer.weights.iter().skip(output).step_by(outputs);
        weights.map(|weight| weight.abs()).fold(1e-6, f32::max) / 127.0
    };
    (0..outputs).map(most).collect()
}

/// Calls with the place of every input cell under a kernel, and of its weights.
fn under(
    (side, kernel, inputs): (usize, usize, usize),
    (x, y): (usize, usize),
    outputs: usize,
    mut each: impl FnMut(usize, usize),
) {
    let reach = kernel / 2;
    for ky in 0..kernel {
        let Some(row) = (y + ky).checked_sub(reach).filter(|row| *row < side) else { continue };
        for kx in 0..kernel {
            let Some(column) = (x + kx).checked_sub(reach).filter(|c| *c < side) else { continue };
            each((row * side + column) * inputs, (ky * kernel + kx) * inputs * outputs);
        }
    }
}

fn convolved<const OUT: usize>(
    values: &[f32],
    shape: (usize, usize, usize),
    layer: &Layer,
) -> Vec<f32> {
    let (side, _, inputs) = shape;
    let starts: [f32; OUT] = layer.starts.as_slice().try_into().unwrap_or([0.0; OUT]);
    let mut all = Vec::with_capacity(side * side * OUT);
    for y in 0..side {
        for x in 0..side {
            let mut sums = starts;
            under(shape, (x, y), OUT, |from, into| {
                let values = values.get(from..from + inputs).unwrap_or_default();
                let weights = layer.weights.get(into..into + inputs * OUT).unwrap_or_default();
                add(&mut sums, values, weights);
            });
            all.extend(sums.map(|sum| sum.max(0.0)));
        }
    }
    all
}

fn add<const OUT: usize>(sums: &mut [f32; OUT], values: &[f32], weights: &[f32]) {
    for (value, weights) in values.iter().zip(weights.chunks_exact(OUT)) {
        if *value > 0.0 {
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum += value * weight;
            }
        }
    }
}

fn convolved_back<const OUT: usize>(
    values: &[f32],
    errors: &[f32],
    shape: (usize, usize, usize),
    layer: &Layer,
    gradient: &mut Layer,
    go_on: bool,
) -> Vec<f32> {
    let (side, _, inputs) = shape;
    let mut back = vec![0.0; if go_on { values.len() } else { 0 }];
    for (at, error) in errors.chunks_exact(OUT).enumerate() {
        if error.iter().all(|value| *value == 0.0) {
            continue;
        }
        let error: [f32; OUT] = error.try_into().unwrap_or([0.0; OUT]);
        gradient.starts.iter_mut().zip(error).for_each(|(sum, value)| *sum += value);
        under(shape, (at % side, at / side), OUT, |from, into| {
            let values = values.get(from..from + inputs).unwrap_or_default();
            let sums = gradient.weights.get_mut(into..into + inputs * OUT).unwrap_or_default();
            for (value, sums) in values.iter().zip(sums.chunks_exact_mut(OUT)) {
                if *value > 0.0 {
                    sums.iter_mut().zip(&error).for_each(|(sum, error)| *sum += value * error);
                }
            }
            let weights = layer.weights.get(into..into + inputs * OUT).unwrap_or_default();
            let back = back.get_mut(from..from + inputs).unwrap_or_default();
            for (sum, weights) in back.iter_mut().zip(weights.chunks_exact(OUT)) {
                *sum += dot(weights, &error);
            }
        });
    }
    back
}

/// In four lanes, so that the order of additions is fixed and still fast.
fn dot(first: &[f32], second: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; 4];
    let (a, b) = (first.chunks_exact(4), second.chunks_exact(4));
    let rest: f32 = a.remainder().iter().zip(b.remainder()).map(|(x, y)| x * y).sum();
    for (a, b) in a.zip(b) {
        for (lane, (x, y)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane += x * y;
        }
    }
    lanes.iter().sum::<f32>() + rest
}

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

/// Errors go back to the largest of every two by two, where it was above nothing.
fn unpooled<const OUT: usize>(values: &[f32], side: usize, errors: &[f32]) -> Vec<f32> {
    let half = side.div_ceil(2);
    let largest = pooled::<OUT>(values, side);
    let mut given = vec![false; errors.len()];
    let mut all = vec![0.0; values.len()];
    for (at, value) in values.iter().enumerate() {
        let (cell, channel) = (at / OUT, at % OUT);
        let from = (cell / side / 2 * half + cell % side / 2) * OUT + channel;
        let largest = *value > 0.0 && largest.get(from) == Some(value);
        if let (true, Some(given), Some(error)) = (largest, given.get_mut(from), errors.get(from))
            && !*given
        {
            *given = true;
            if let Some(to) = all.get_mut(at) {
                *to = *error;
            }
        }
    }
    all
}

fn dense<const OUT: usize>(values: &[f32], layer: &Layer) -> [f32; OUT] {
    let mut sums: [f32; OUT] = layer.starts.as_slice().try_into().unwrap_or([0.0; OUT]);
    add(&mut sums, values, &layer.weights);
    sums
}

fn dense_back<const OUT: usize>(
    values: &[f32],
    error: &[f32; OUT],
    layer: &Layer,
    gradient: &mut Layer,
) -> Vec<f32> {
    gradient.starts.iter_mut().zip(error).for_each(|(sum, value)| *sum += value);
    let sums = gradient.weights.chunks_exact_mut(OUT);
    for (value, sums) in values.iter().zip(sums) {
        if *value > 0.0 {
            sums.iter_mut().zip(error).for_each(|(sum, error)| *sum += value * error);
        }
    }
    layer.weights.chunks_exact(OUT).map(|weights| dot(weights, error)).collect()
}

fn cut_below(errors: &mut [f32], values: &[f32]) {
    for (error, value) in errors.iter_mut().zip(values) {
        if *value <= 0.0 {
            *error = 0.0;
        }
    }
}
