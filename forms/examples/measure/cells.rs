//! Single cells from the tuning seeds, read by the reader of forms: who answers, who is wrong, and
//! why the others are left to a person.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::time::Instant;

use forms::degrade::{CellWear, Chance, Content, Copied, read_cell};
use forms::learning::{Ground, Judged};

/// Neither learning nor choosing has these; the pictures are those of tuning.
const SEED: u64 = 3 << 40;

/// Accepted, and wrong among them, by who answered; left, by the reason.
type Counts = BTreeMap<String, [u64; 3]>;

pub(crate) fn run(count: u64, folder: &str) -> Result<(), Box<dyn Error>> {
    let set = Copied::load(Path::new(folder))?;
    let mut chance = Chance::new(SEED);
    for (name, wear) in [("gentle", CellWear::Gentle), ("hard", CellWear::Hard)] {
        let started = Instant::now();
        let mut kinds: BTreeMap<&str, Counts> = BTreeMap::new();
        for seed in SEED..SEED + count {
            let index = 50_000 + chance.below(5_000);
            let digit = u8::try_from(chance.below(10)).unwrap_or(0);
            let (content, kind, digit) = match (seed % 10, set.get(index)) {
                (0..=4, Some((written, label))) => (Content::Copied(written), "copied", label),
                (5..=8, _) => (Content::Hand(digit, seed), "own hand", digit),
                _ => (Content::Print(digit), "print", digit),
            };
            let judged = read_cell(content, wear, seed);
            tally(kinds.entry(kind).or_default(), judged, char::from(b'0' + digit));
        }
        println!("{name}: {count} cells, {:.0?} with drawing", started.elapsed());
        for (kind, counts) in &kinds {
            tell(kind, counts);
        }
    }
    Ok(())
}

fn tally(counts: &mut Counts, judged: Option<Judged>, wanted: char) {
    let ground = judged.map_or_else(
        || "taken for empty".to_owned(),
        |judged| match judged.ground {
            Ground::Print => "accepted by print".to_owned(),
            Ground::Networks(stage) => format!("accepted at stage {stage}"),
            other => format!("left: {other:?}").to_lowercase(),
        },
    );
    let right = judged.is_some_and(|judged| judged.digit == wanted);
    let certain = judged.is_some_and(|judged| judged.certain);
    let [all, accepted, wrong] = counts.entry(ground).or_default();
    *all += 1;
    *accepted += u64::from(certain);
    *wrong += u64::from(!right);
}

fn tell(kind: &str, counts: &Counts) {
    let sum = |at: fn(&[u64; 3]) -> u64| counts.values().map(at).sum::<u64>();
    let (all, accepted) = (sum(|count| count[0]), sum(|count| count[1]));
    crate::report::line(&format!("{kind} accepted"), accepted, all);
    let wrong: u64 = counts.values().filter(|count| count[1] > 0).map(|count| count[2]).sum();
    crate::report::line(&format!("{kind} wrong among accepted"), wrong, accepted);
    for (ground, [count, _, wrong]) in counts {
        println!("    {ground}: {count}, another digit likeliest in {wrong}");
    }
}
