//! What every measurement stands on: a folder that is thrown away, a configuration, and figures.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// Measures in a folder of its own, which is thrown away afterwards.
pub async fn on_ground<T>(
    wished: Option<&Path>,
    measure: impl AsyncFnOnce(&Path) -> Result<T>,
) -> Result<T> {
    let own = std::env::temp_dir().join(format!("saihakko-bench-{}", std::process::id()));
    let dir = wished.unwrap_or(&own);
    ensure!(!dir.exists(), "{} exists: the folder is thrown away afterwards", dir.display());
    std::fs::create_dir_all(dir)?;
    let figures = measure(dir).await;
    std::fs::remove_dir_all(dir).with_context(|| format!("{} was not removed", dir.display()))?;
    figures
}

/// A configuration with every site on a free port; `more` is added to it.
pub fn configure(dir: &Path, more: &str) -> Result<PathBuf> {
    let file = dir.join("saihakko.toml");
    let mut text = String::new();
    for site in ["customer", "certificate", "staff", "metrics", "revocation_list"] {
        let _ = write!(text, "[{site}_site]\naddress = \"127.0.0.1:0\"\n");
    }
    let data = toml::Value::String(dir.join("data").display().to_string());
    // Everybody comes from one address here.
    let _ = write!(text, "[security]\nsign_ins_per_minute = 0\n[data]\ndir = {data}\n{more}");
    std::fs::write(&file, text)?;
    Ok(file)
}

/// The nearest rank; 0 when there is no sample.
pub fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(rank).copied().unwrap_or_default()
}

/// Says how far it is, beside the answer.
pub fn note(what: impl std::fmt::Display) {
    // Whoever does not listen to the progress still gets the answer.
    let _ = writeln!(std::io::stderr(), "{what}");
}
