//! What a supervisor counts: how much waits, came, was approved, went back.

use std::time::Duration;

use engine::{Fault, Moment};

use crate::app::App;
use crate::store::figures;

/// Counts of the desk, as of one moment.
pub struct Figures {
    /// That moment.
    pub now: Moment,
    /// Cases that wait: the state's name, and when the form came.
    pub waiting: Vec<(String, i64)>,
    /// When forms came.
    pub came: Vec<i64>,
    /// Of approved forms, when they came and when they were approved.
    pub approved: Vec<(i64, i64)>,
    /// Defect codes of forms, comma-separated.
    pub defects: Vec<String>,
    /// Retrieval passwords that are locked.
    pub locked: i64,
}

impl App {
    /// Counts what waits now, and what happened in so long a time before.
    pub async fn figures(&self, back: Duration) -> Result<Figures, Fault> {
        let mut tx = self.tools.db.read().await?;
        let now = tx.now();
        let since = now.minus(back);
        Ok(Figures {
            now,
            waiting: figures::waiting(&mut tx).await?,
            came: figures::came(&mut tx, since).await?,
            approved: figures::approved(&mut tx, since).await?,
            defects: figures::defects(&mut tx, since).await?,
            locked: figures::locked(&mut tx).await?,
        })
    }
}
