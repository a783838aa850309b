//! Every released shape of a stored state, and that cases in flight still come to an end.

use std::collections::BTreeMap;

use engine::{Universe, Workflow, label};
use serde::Serialize;
use workflows::terms::Rules;

use crate::world;

/// One stored state of each name, as version 1 wrote it.
fn shapes<'a, S: Serialize + std::fmt::Debug + 'a>(
    states: impl Iterator<Item = &'a S>,
) -> BTreeMap<String, String> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    for state in states {
        let stored = serde_json::to_string(state).expect("a state can be stored");
        let kept = found.entry(label(state)).or_insert_with(|| stored.clone());
        if stored < *kept {
            *kept = stored;
        }
    }
    found
}

fn check<W: Workflow<Rules = Rules>>(
    graph: &engine::Graph<W>,
    world: fn(Vec<W::State>) -> Universe<W>,
) {
    let path = format!("{}/tests/stored/{}.1.jsonl", env!("CARGO_MANIFEST_DIR"), W::NAME);
    if std::env::var_os("UPDATE_STATES").is_some() && !std::path::Path::new(&path).exists() {
        let lines: Vec<String> = shapes(graph.states.iter()).into_values().collect();
        std::fs::write(
            &path,
            lines.join(
                "
",
            ) + "
",
        )
        .expect("tests/stored can be written");
    }
    let released = std::fs::read_to_string(&path).expect("the fixture of version 1");
    let mut starts = Vec::new();
    for line in released.lines() {
        let state: W::State = match serde_json::from_str(line) {
            Ok(state) => state,
            Err(_) => W::upgrade(1, line).unwrap_or_else(|| panic!("{}: {line}", W::NAME)),
        };
        starts.push(state);
    }
    assert!(!starts.is_empty());
    let walked = world::walk(&world(starts));
    assert!(walked.stuck.is_empty(), "{:?}", walked.stuck);
    assert!(walked.endless.is_empty(), "{:?}", walked.endless);
    if W::VERSION == 1 {
        let missing: Vec<String> = shapes(graph.states.iter())
            .into_keys()
            .filter(|name| !shapes(walked.states.iter()).contains_key(name))
            .collect();
        assert!(missing.is_empty(), "{}: no fixture leads to {missing:?}", W::NAME);
    }
}

macro_rules! stored {
    ($($name:ident: $walk:ident, $world:ident;)*) => {$(
        #[test]
        fn $name() {
            check(world::$walk(), world::$world);
        }
    )*};
}

stored! {
    self_service_of_version_1_still_ends: self_service_walk, self_service_world;
    delegated_of_version_1_still_ends: delegated_walk, delegated_world;
    paper_of_version_1_still_ends: paper_walk, paper_world;
    submission_of_version_1_still_ends: submission_walk, submission_world;
    clerical_of_version_1_still_ends: clerical_walk, clerical_world;
    task_of_version_1_still_ends: task_walk, task_world;
    credential_of_version_1_still_ends: credential_walk, credential_world;
    enrolment_of_version_1_still_ends: enrolment_walk, enrolment_world;
    expiry_of_version_1_still_ends: expiry_walk, expiry_world;
    proposal_of_version_1_still_ends: proposal_walk, proposal_world;
    account_of_version_1_still_ends: account_walk, account_world;
    mask_of_version_1_still_ends: mask_walk, mask_world;
}
