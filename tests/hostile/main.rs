//! Files made to harm, read by the program itself: each is answered in its time and memory, costs no more
//! than its pages, and leaves whoever reads on unharmed.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests stop where they fail")]

mod files;
mod pdf;
mod watched;

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use files::Hostile;

const PROGRAM: &str = env!("CARGO_BIN_EXE_saihakko");

static FILES: LazyLock<Vec<Hostile>> = LazyLock::new(files::all);

/// Seconds of a processor, and bytes of memory at the most.
const MOST_SECONDS: f64 = 5.0;
const MOST_MEMORY: u64 = 300 << 20;

#[test]
fn every_file_is_answered_in_its_time_and_memory() {
    let mut table = String::new();
    let mut worst = Vec::new();
    for Hostile { name, bytes } in FILES.iter() {
        let seen = watched::read(PROGRAM, bytes);
        let line = format!(
            "{name}: {} bytes, {:.2} s, {} MB, {}\n",
            bytes.len(),
            seen.seconds,
            seen.memory >> 20,
            seen.answer
        );
        if seen.seconds > MOST_SECONDS || seen.memory > MOST_MEMORY {
            worst.push(line.clone());
        }
        table.push_str(&line);
    }
    println!("{table}");
    assert!(worst.is_empty(), "too much:\n{}", worst.concat());
}

/// All of them in one batch with a good page before, between and behind.
#[test]
fn a_batch_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut names = Vec::new();
    let mut put = |name: &str, bytes: &[u8]| {
        std::fs::write(folder.path().join(name), bytes).unwrap();
        names.push(name.to_owned());
    };
    put("good-1.png", &files::white_page());
    for Hostile { name, bytes } in FILES.iter() {
        put(name, bytes);
    }
    put("good-2.png", &files::white_page());
    let (code, read) = batch(folder.path(), &names);
    assert_eq!(code, 3);
    let files = read["files"].as_array().unwrap();
    assert_eq!(files.len(), names.len());
    for (file, name) in files.iter().zip(&names) {
        assert_eq!(file["file"], name.as_str());
        assert!(
            file["error"].is_string() || !file["pages"].as_array().unwrap().is_empty(),
            "{name} has no answer"
        );
        if name.starts_with("good") {
            assert_eq!(file["pages"][0]["kind"], "blank", "{name}");
        }
    }
    assert_eq!(read["counts"]["form"], 0);
}

/// The second page of three takes all memory: the first and the third are read.
#[test]
fn a_page_costs_that_page() {
    let folder = tempfile::tempdir().unwrap();
    let name = "three.pdf".to_owned();
    std::fs::write(folder.path().join(&name), files::one_bomb_of_three()).unwrap();
    let (code, read) = batch(folder.path(), &[name]);
    let file = &read["files"][0];
    assert!(file.get("error").is_none(), "{file}");
    let kinds: Vec<_> =
        file["pages"].as_array().unwrap().iter().map(|page| &page["kind"]).collect();
    assert_eq!(kinds, ["blank", "unknown", "blank"], "{file}");
    assert!(file["pages"][1]["note"].as_str().unwrap().contains("more than its share"));
    assert_eq!(code, 0);
}

fn batch(folder: &Path, names: &[String]) -> (i32, serde_json::Value) {
    let output = Command::new(PROGRAM)
        .args(["form", "read", "--json"])
        .args(names)
        .current_dir(folder)
        .output()
        .unwrap();
    let read = serde_json::from_slice(&output.stdout).unwrap();
    (output.status.code().unwrap(), read)
}
