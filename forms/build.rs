//! Leaves two static instances (regular and bold) of M PLUS 1 (SIL OFL 1.1) in `OUT_DIR`.
//!
//! The variable font comes with the sources of the crate `mplusfonts-macros`, so that a fresh clone
//! prints Japanese without any font of the system and without a binary file in this repository.

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use allsorts::binary::read::ReadScope;
use allsorts::font_data::FontData;
use allsorts::tables::Fixed;
use allsorts::variations;

const SOURCE: &str = "mplusfonts-macros";
const FONT: &str = "fonts/MPLUS1[wght].ttf";
const LICENCE: &str = "fonts/LICENSE";

/// A folder that holds `fonts/` as the crate does; for builders without cargo's own sources.
const OVERRIDE: &str = "FORMS_FONT_DIR";

/// Tried in order: without the network, then allowing what the lock file names, then from the cache
/// alone (in a fresh home the first fails before anything else was fetched).
const MODES: [&str; 3] = ["--frozen", "--locked", "--offline"];

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={OVERRIDE}");
    let source = source_folder()?;
    let font = source.join(FONT);
    println!("cargo::rerun-if-changed={}", font.display());
    let variable = fs::read(&font).map_err(|error| format!("{}: {error}", font.display()))?;
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    write_instance(&variable, 400, &out.join("regular.ttf"))?;
    write_instance(&variable, 700, &out.join("bold.ttf"))?;
    fs::copy(source.join(LICENCE), out.join("licence.txt"))?;
    Ok(())
}

/// Fixes the weight axis of the variable font.
fn write_instance(variable: &[u8], weight: i32, path: &Path) -> Outcome<()> {
    let data = ReadScope::new(variable).read::<FontData<'_>>().map_err(|e| format!("{e:?}"))?;
    let tables = data.table_provider(0).map_err(|e| format!("{e:?}"))?;
    let (instance, _) = variations::instance(&tables, &[Fixed::from(weight)])
        .map_err(|e| format!("weight {weight}: {e:?}"))?;
    fs::write(path, instance)?;
    Ok(())
}

/// The folder of the font's crate as cargo itself says for this lock file, so that it holds for the
/// registry cache, a vendored folder and a path source alike.
fn source_folder() -> Outcome<PathBuf> {
    if let Some(folder) = env::var_os(OVERRIDE) {
        return Ok(folder.into());
    }
    let mut refused = String::new();
    for mode in MODES {
        let output = metadata(mode)?;
        if output.status.success() {
            return find_source(&output.stdout);
        }
        refused = format!("{mode}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Err(format!("cargo metadata {refused}").into())
}

fn metadata(mode: &str) -> Outcome<std::process::Output> {
    let folder = env::var("CARGO_MANIFEST_DIR")?;
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["metadata", "--format-version=1", "--filter-platform", &env::var("HOST")?, mode])
        .args(["--manifest-path", &format!("{folder}/Cargo.toml")])
        .current_dir(&folder);
    Ok(command.output()?)
}

fn find_source(metadata: &[u8]) -> Outcome<PathBuf> {
    let metadata: serde_json::Value = serde_json::from_slice(metadata)?;
    metadata
        .get("packages")
        .and_then(|packages| packages.as_array())
        .into_iter()
        .flatten()
        .find(|package| package.get("name").is_some_and(|name| name == SOURCE))
        .and_then(|package| package.get("manifest_path")?.as_str())
        .and_then(|manifest| Path::new(manifest).parent())
        .map(Path::to_path_buf)
        .ok_or_else(|| format!("{SOURCE} is not among the packages of this workspace").into())
}
