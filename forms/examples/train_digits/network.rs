//! A network that learns: the reader's own pass forwards, gradients by backpropagation, steps by
//! Adam, weights rounded to bytes.

use forms::degrade::Chance;
use forms::learning::{CLASSES, KERNELS, LAYERS, Layer, Network, POOLED, Pass, SIDES, Shape};

use crate::back::{convolved_back, dense_back, learnt_from_picture, thinned, unfolded, unpooled};

/// The weights of every output one after the other, and what the outputs start at.
#[derive(Clone)]
pub(crate) struct Values {
    pub(crate) weights: Vec<f32>,
    pub(crate) starts: Vec<f32>,
}

impl Values {
    fn zero((inputs, outputs): (usize, usize)) -> Self {
        Self { weights: vec![0.0; inputs * outputs], starts: vec![0.0; outputs] }
    }

    pub(crate) fn inputs(&self) -> usize {
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
    layers: [Values; LAYERS],
    gradients: [Values; LAYERS],
    first: [Values; LAYERS],
    second: [Values; LAYERS],
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
        let [folds @ .., four, five] = &self.layers;
        let [fold_sums @ .., four_sum, five_sum] = &mut self.gradients;
        let [seen @ .., third, fourth] = &pass.inputs;
        let mut back = dense_back(five, five_sum, fourth, error);
        for (error, value) in back.iter_mut().zip(fourth) {
            *error = if *value > 0.0 { *error } else { 0.0 };
        }
        let mut back = dense_back(four, four_sum, third, &back);
        thinned(&mut back, kept, self.left_out);
        let layers = folds.iter().zip(fold_sums).zip(seen);
        let sizes = SIDES.into_iter().zip(KERNELS).zip(POOLED);
        let all = layers.zip(pass.wide.iter().zip(sizes)).rev();
        for (((layer, sums), values), (wide, ((side, kernel), pool))) in all {
            let blamed =
                if pool { unpooled(wide, side, &back) } else { unfolded(wide, side, &back) };
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
        let mut bytes = Vec::new();
        for size in self.shape.channels.into_iter().chain([self.shape.hidden]) {
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

fn held(layers: &[Values; LAYERS]) -> Network {
    Network::new(layers.each_ref().map(|layer| Layer::new(&layer.weights, &layer.starts)))
}
