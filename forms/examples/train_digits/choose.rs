//! Temperatures and thresholds, chosen by the very code that reads forms.

use forms::learning::{CLASSES, Likeliest, Panel, STAGES, probabilities};

use crate::cells::{Cell, Cells, Kind};
use crate::share;

/// Wrong digits among all that are accepted up to a stage: at the end two thirds of what may happen,
/// on cells that are worn worse than most of what comes.
const WRONG: [f32; STAGES] = [0.000_3, 0.000_67];
/// Junk is a twelfth of the tuning cells and, on real forms, hardly one cell in two hundred.
const JUNK_WEIGHT: f32 = 0.05;

/// A cell with what the networks said about it so far.
struct Asked<'c> {
    cell: Cell<'c>,
    said: Vec<[f32; CLASSES]>,
    likeliest: Likeliest,
}

impl Asked<'_> {
    fn right(&self) -> bool {
        usize::from(self.likeliest.digit) == self.cell.class()
    }

    fn weight(&self) -> f32 {
        if self.cell.kind() == Kind::Junk { JUNK_WEIGHT } else { 1.0 }
    }
}

/// The file of the reader: the bars of all stages, then the networks.
pub(crate) fn weights(networks: &[u8], tuning: &Cells) -> Vec<u8> {
    let unknown = [0; STAGES * 8];
    let panel = Panel::parse(&[unknown.as_slice(), networks].concat());
    let likeliest = Likeliest { digit: 0, confidence: 0.0, junk: 0.0 };
    let mut left: Vec<Asked<'_>> =
        tuning.iter().map(|cell| Asked { cell, said: Vec::new(), likeliest }).collect();
    let (mut accepted, mut wrong) = (0.0, 0.0);
    let mut taken = Vec::new();
    let mut bytes = Vec::new();
    for (stage, budget) in WRONG.into_iter().enumerate() {
        for asked in &mut left {
            panel.ask(stage, asked.cell.input, &mut asked.said);
        }
        let temperature = temperature(&left);
        for asked in &mut left {
            asked.likeliest = Likeliest::of(&asked.said, temperature);
        }
        left.sort_by(|a, b| b.likeliest.confidence.total_cmp(&a.likeliest.confidence));
        tell_coverage(&left, accepted, wrong);
        let (certain, count) = threshold(&left, accepted, wrong, budget);
        let rest = left.split_off(count);
        accepted += left.iter().map(Asked::weight).sum::<f32>();
        wrong += left.iter().filter(|asked| !asked.right()).map(Asked::weight).sum::<f32>();
        taken.append(&mut left);
        left = rest;
        println!("stage {stage}: temperature {temperature:.2}, threshold {certain:.5}");
        tell_kinds(&taken, &left);
        for value in [temperature, certain] {
            bytes.extend(value.to_le_bytes());
        }
    }
    bytes.extend(networks);
    bytes
}

/// By likelihood.
fn temperature(asked: &[Asked<'_>]) -> f32 {
    let likelihood = |temperature: f32| -> f32 {
        let likely = asked.iter().map(|asked| {
            let all = probabilities(&asked.said, temperature);
            all.get(asked.cell.class()).copied().unwrap_or(0.0).max(1e-7).ln() * asked.weight()
        });
        likely.sum()
    };
    (10..=60_u8)
        .map(|part| f32::from(part) / 20.0)
        .max_by(|a, b| likelihood(*a).total_cmp(&likelihood(*b)))
        .unwrap_or(1.0)
}

/// The least threshold that keeps wrong ones rare among all accepted so far, and how many it
/// accepts; they are in the order of their confidence.
fn threshold(asked: &[Asked<'_>], accepted: f32, wrong: f32, budget: f32) -> (f32, usize) {
    let (mut all, mut wrong) = (accepted, wrong);
    let (mut certain, mut count) = (1.0, 0);
    for (index, asked) in asked.iter().enumerate() {
        all += asked.weight();
        wrong += if asked.right() { 0.0 } else { asked.weight() };
        if wrong <= all * budget {
            (certain, count) = (asked.likeliest.confidence, index + 1);
        }
    }
    (certain, count)
}

/// What would be accepted at other prices.
fn tell_coverage(asked: &[Asked<'_>], accepted: f32, wrong: f32) {
    let digits: f32 = accepted + asked.iter().map(Asked::weight).sum::<f32>();
    let prices = [0.000_2, 0.000_35, 0.000_5, 0.001, 0.002].map(|budget| {
        let (certain, count) = threshold(asked, accepted, wrong, budget);
        let more: f32 = asked.iter().take(count).map(Asked::weight).sum();
        let part = 100.0 * (accepted + more) / digits.max(1.0);
        format!("{:.3} %: {part:.2} ({certain:.4})", 100.0 * budget)
    });
    println!("  accepted at so many wrong: {}", prices.join(", "));
}

fn tell_kinds(taken: &[Asked<'_>], left: &[Asked<'_>]) {
    for kind in Kind::ALL {
        let told = [true, false].map(|gentle| {
            let of =
                |asked: &&Asked<'_>| asked.cell.kind() == kind && asked.cell.gentle() == gentle;
            let accepted = taken.iter().filter(of).count();
            let wrong = taken.iter().filter(of).filter(|asked| !asked.right()).count();
            let all = accepted + left.iter().filter(of).count();
            let junk = left
                .iter()
                .filter(of)
                .filter(|asked| asked.likeliest.junk > asked.likeliest.confidence);
            format!(
                "{:.2} % of {all} accepted, {wrong} wrong, {} left as junk",
                100.0 * share(accepted, all),
                junk.count()
            )
        });
        println!("  {kind:?}: gentle {}; hard {}", told[0], told[1]);
    }
}
