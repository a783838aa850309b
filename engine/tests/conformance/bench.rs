//! The workload of `bench engine` ends, and its figures are those of what was done.

use std::sync::Arc;

use engine::bench::{Load, run};

use crate::house::{House, stories};

stories!(the_workload_ends);

async fn the_workload_ends(house: Arc<House>) {
    let figures = run(&house.db, Load { cases: 12, concurrency: 4 }).await.unwrap();
    assert_eq!(house.count("SELECT COUNT(*) FROM entries WHERE kind = 'transition'").await, 84);
    assert_eq!(house.count("SELECT COUNT(*) FROM cases WHERE state_name = 'Done'").await, 12);
    assert_eq!(house.count("SELECT COUNT(*) FROM timers").await, 0);
    assert_eq!(figures.steps_run_twice, 0);
    assert!(figures.commits >= 84, "{figures:?}");
    assert!(figures.step_p50_ms > 0.0 && figures.step_p50_ms <= figures.step_p99_ms);
    assert!((figures.transitions_per_s / figures.cases_per_s - 7.0).abs() < 1e-9);
    // A second run beside what the first one left.
    run(&house.db, Load { cases: 3, concurrency: 8 }).await.unwrap();
    assert!(engine::verify::verify(&house.db, None, None).await.unwrap().is_intact());
}
