//! Who is asked about a digit: first a network that is quick; where it is not certain, all networks
//! on the digit drawn anew in several ways, which costs many times as much.

use std::sync::LazyLock;

use super::layer::{mean, softmax};
use super::network::{CLASSES, Network, head, redrawn};

/// Weights and bars, as the training program wrote them.
static WEIGHTS: &[u8] = include_bytes!("weights.bin");

/// The trained networks.
pub(crate) static HANDWRITING: LazyLock<Panel> = LazyLock::new(|| Panel::parse(WEIGHTS));

/// How often a digit is asked about at most, each time more expensively.
pub const STAGES: usize = 2;
/// The class that is no digit.
pub const JUNK: usize = 10;

/// How an input is drawn anew, about its middle.
#[derive(Clone, Copy, Debug)]
struct Variant {
    slant: f32,
    size: f32,
    shift: [f32; 2],
}

/// People slant; and a speck that was not told from the digit makes it smaller and moves it.
const VARIANTS: [Variant; 4] = [
    Variant { slant: 0.13, size: 1.0, shift: [0.5, 0.0] },
    Variant { slant: -0.13, size: 1.0, shift: [-0.5, 0.0] },
    Variant { slant: 0.0, size: 0.9, shift: [0.0, 0.7] },
    Variant { slant: 0.0, size: 1.08, shift: [0.0, -0.7] },
];

impl Variant {
    fn of(self, input: &[u8]) -> Vec<u8> {
        let [dx, dy] = self.shift;
        redrawn(input, |[x, y]| {
            let (x, y) = ((x - dx) / self.size, (y - dy) / self.size);
            [x + y * self.slant, y]
        })
    }
}

/// From when on a stage is believed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bar {
    /// What softens answers until they are right as often as they say.
    pub temperature: f32,
    /// How likely a digit has to be.
    pub certain: f32,
}

/// The networks and the bars of every stage.
#[derive(Clone, Debug, Default)]
pub struct Panel {
    bars: [Bar; STAGES],
    first: Network,
    others: Vec<Network>,
}

/// The digit that is likeliest, and how likely it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Likeliest {
    /// The digit as a number.
    pub digit: u8,
    /// 0 to 1.
    pub confidence: f32,
    /// How likely it is that nothing of this is a digit.
    pub junk: f32,
}

impl Panel {
    /// The bars of all stages, then the networks, the quick one first.
    pub fn parse(bytes: &[u8]) -> Self {
        let mut rest = bytes;
        let mut number = || f32::from_le_bytes(head(&mut rest));
        let bars = [(); STAGES].map(|()| Bar { temperature: number(), certain: number() });
        let first = Network::take(&mut rest);
        let mut others = Vec::new();
        while rest.len() > size_of::<u64>() {
            others.push(Network::take(&mut rest));
        }
        Self { bars, first, others }
    }

    /// The bar of a stage.
    pub fn bar(&self, stage: usize) -> Bar {
        self.bars.get(stage).copied().unwrap_or_default()
    }

    /// Adds what the networks say at a stage to what they said at those before.
    pub fn ask(&self, stage: usize, input: &[u8], said: &mut Vec<[f32; CLASSES]>) {
        if stage == 0 {
            return said.push(self.first.logits(input));
        }
        said.extend(self.others.iter().map(|network| network.logits(input)));
        for variant in VARIANTS {
            let drawn = variant.of(input);
            said.push(self.first.logits(&drawn));
            said.extend(self.others.iter().map(|network| network.logits(&drawn)));
        }
    }
}

impl Likeliest {
    /// Of all that was said.
    pub fn of(said: &[[f32; CLASSES]], temperature: f32) -> Self {
        let all = probabilities(said, temperature);
        let digits = (0_u8..).zip(all).take(JUNK);
        let (digit, confidence) =
            digits.max_by(|(_, a), (_, b)| a.total_cmp(b)).unwrap_or_default();
        Self { digit, confidence, junk: all.get(JUNK).copied().unwrap_or(0.0) }
    }
}

/// The mean of what was said, as probabilities.
pub fn probabilities(said: &[[f32; CLASSES]], temperature: f32) -> [f32; CLASSES] {
    mean(said.iter().map(|logits| softmax(logits, temperature)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digits::network::SIDE;

    #[test]
    fn the_weights_are_used_to_the_last_byte_and_their_bars_make_sense() {
        let panel = Panel::parse(WEIGHTS);
        for stage in 0..STAGES {
            let Bar { temperature, certain } = panel.bar(stage);
            assert!((0.3..4.0).contains(&temperature), "{stage}: {temperature}");
            assert!((0.5..1.0).contains(&certain), "{stage}: {certain}");
        }
        // A torn file would end in a network of no width.
        let said = |input: &[u8]| {
            let mut said = Vec::new();
            (0..STAGES).for_each(|stage| panel.ask(stage, input, &mut said));
            said
        };
        let answers = said(&[0; SIDE * SIDE]);
        assert_eq!(answers.len(), (1 + panel.others.len()) * (1 + VARIANTS.len()));
        assert!(answers.iter().all(|logits| logits.iter().any(|logit| logit.abs() > 1e-3)));
    }

    #[test]
    fn those_who_contradict_each_other_are_not_certain_together() {
        let sure = |digit: usize| {
            let mut logits = [0.0; CLASSES];
            logits[digit] = 20.0;
            logits
        };
        let agreed = Likeliest::of(&[sure(4), sure(4)], 1.0);
        assert!(agreed.digit == 4 && agreed.confidence > 0.999);
        let torn = Likeliest::of(&[sure(4), sure(4), sure(9)], 1.0);
        assert!(torn.digit == 4 && (0.6..0.7).contains(&torn.confidence));
        let junk = Likeliest::of(&[sure(JUNK)], 1.0);
        assert!(junk.junk > 0.999 && junk.confidence < 0.001);
    }

    #[test]
    fn a_variant_leans_grows_and_moves() {
        let mut input = vec![0; SIDE * SIDE];
        (6..22).for_each(|y| input[y * SIDE + 14] = 255);
        let middle = |drawn: &[u8], y: usize| {
            let row = &drawn[y * SIDE..(y + 1) * SIDE];
            let sum: usize = row.iter().map(|value| usize::from(*value)).sum();
            let at: usize = row.iter().enumerate().map(|(x, v)| x * usize::from(*v)).sum();
            at * 100 / sum.max(1)
        };
        let drawn = VARIANTS[0].of(&input);
        assert!(middle(&drawn, 7) > middle(&drawn, 20) + 120, "the top leans to the right");
        let small = VARIANTS[2].of(&input);
        assert!(small[6 * SIDE + 14] < 40 && small[8 * SIDE + 14] > 120);
    }
}
