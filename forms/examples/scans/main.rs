//! Draws scans into a folder, with the truth beside them, and times how they are read.
//!
//! ```sh
//! cargo run --release -p forms --example scans -- draw FOLDER PAGES [FOLDER-OF-MNIST]
//! cargo run --release -p forms --example scans -- files FOLDER PAGES
//! cargo run --release -p forms --example scans -- speed FOLDER [ROUNDS]
//! cargo run --release -p forms --example scans -- read FOLDER PAGES-WITH-CELLS
//! ```
//!
//! `draw` makes the sets that `side_by_side.py` gives to us and to others; `files` makes the same pages
//! at 300 dpi in every kind of file; `speed` tells the processor time of a page of each kind, decoding
//! included; `read` writes our readings and the cells of digits that we cut out.

#![expect(clippy::print_stdout, reason = "a program that measures says what it measured")]

mod draw;
mod read;
mod speed;

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["draw", folder, pages] => draw::sets(Path::new(folder), pages.parse()?, None),
        ["draw", folder, pages, digits] => {
            draw::sets(Path::new(folder), pages.parse()?, Some(Path::new(digits)))
        }
        ["files", folder, pages] => draw::kinds(Path::new(folder), pages.parse()?),
        ["read", folder, cells_of] => read::run(Path::new(folder), cells_of.parse()?),
        ["speed", folder] => speed::run(Path::new(folder), 3),
        ["speed", folder, rounds] => speed::run(Path::new(folder), rounds.parse()?),
        _ => Err("usage: scans draw|files|speed|read FOLDER …".into()),
    }
}
