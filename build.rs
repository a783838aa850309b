//! Gathers texts, the web's templates, styles and scripts, and the state diagrams into tables, so
//! that the binary needs no file beside it.

use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::{env, io};

/// Table name, folder, and how the file names end.
const TABLES: [(&str, &str, &str); 5] = [
    ("TEXTS", "templates/text", ".toml"),
    ("TEMPLATES", "templates/web", ".html"),
    ("STYLES", "templates/web/static", ".css"),
    ("SCRIPTS", "templates/web/static", ".js"),
    ("DIAGRAMS", "docs/states", ".mmd"),
];

fn main() -> Result<(), Box<dyn Error>> {
    let root = env::var("CARGO_MANIFEST_DIR")?;
    let mut code = String::new();
    for (name, folder, ending) in TABLES {
        println!("cargo::rerun-if-changed={folder}");
        writeln!(code, "/// File name and text of every `{ending}` under `{folder}`.")?;
        writeln!(code, "pub(crate) static {name}: &[(&str, &str)] = &[")?;
        for file in names(&Path::new(&root).join(folder), ending)? {
            let path = format!("{root}/{folder}/{file}");
            writeln!(code, "    ({file:?}, include_str!({path:?})),")?;
        }
        writeln!(code, "];")?;
    }
    fs::write(Path::new(&env::var("OUT_DIR")?).join("embedded.rs"), code)?;
    Ok(())
}

/// The matching files of a folder and its subfolders, as paths within it, sorted; none when the
/// folder is missing.
fn names(folder: &Path, ending: &str) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    if folder.is_dir() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type()?.is_dir() {
                names.extend(
                    self::names(&entry.path(), ending)?
                        .into_iter()
                        .map(|inner| format!("{name}/{inner}")),
                );
            } else if name.ends_with(ending) {
                names.push(name);
            }
        }
    }
    names.sort();
    Ok(names)
}
