//! `cargo run --release -p engine --features bench --example bench -- URL|FILE [CASES] [CONCURRENCY]`:
//! the engine's workload on a fresh database, as one JSON line. The database must be empty.

use std::path::Path;

use engine::bench::{Load, run};
use engine::{Clock, Db};
use sqlx::migrate::Migrator;

static SQLITE: Migrator = sqlx::migrate!("../migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("../migrations/postgres");

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let place = arguments.first().ok_or("which database?")?;
    let number = |at: usize, otherwise| {
        arguments.get(at).map_or(Ok(otherwise), |text| text.parse::<usize>())
    };
    let load = Load { cases: number(1, 2000)?, concurrency: number(2, 64)? };
    let db = if place.starts_with("postgres://") {
        Db::postgres(place, 16, Clock::Database).await?
    } else {
        Db::sqlite(Path::new(place), true, Clock::Database).await?
    };
    db.migrate(&SQLITE, &POSTGRES).await?;
    let figures = run(&db, load).await?;
    std::io::Write::write_all(
        &mut std::io::stdout(),
        format!("{}\n", serde_json::to_string(&figures)?).as_bytes(),
    )?;
    db.close().await;
    Ok(())
}
