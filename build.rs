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

/// The matching file names of a folder, sorted; none when the folder is missing.
fn names(folder: &Path, ending: &str) -> io::Result<Vec<String>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(ending) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
