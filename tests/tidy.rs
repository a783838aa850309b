//! The house keeps itself in order: never-lists, migrations in step, file sizes, nothing left open.

#![expect(clippy::unwrap_used, reason = "a helper of tests stops where it fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The packages that a member rests on, its own workspace siblings among them.
fn rests_on(member: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "-e", "normal", "--prefix", "none", "-p", member])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.split(' ').next()).map(ToOwned::to_owned).collect()
}

#[test]
fn members_do_not_know_what_they_must_not_know() {
    let never = [
        ("workflows", &["sqlx", "tokio", "forms", "pki", "chrono", "rand", "getrandom"][..]),
        ("forms", &["engine", "workflows", "pki", "sqlx", "tokio", "axum"][..]),
        ("pki", &["engine", "workflows", "forms", "sqlx", "tokio", "axum"][..]),
    ];
    for (member, names) in never {
        let found = rests_on(member);
        assert!(found.contains(member), "the tree of {member} is empty");
        for name in names {
            assert!(!found.contains(*name), "{member} must not rest on {name}");
        }
    }
    let whole = rests_on("saihakko");
    for slow in ["aws-lc-sys", "openssl-sys", "cmake", "native-tls"] {
        assert!(!whole.contains(slow), "{slow} is slow to build, and a second implementation");
    }
}

fn files(ending: &str) -> Vec<PathBuf> {
    let output = Command::new("git").args(["ls-files"]).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "git knows the files of the project");
    let text = String::from_utf8(output.stdout).unwrap();
    let paths = text.lines().map(|line| root().join(line));
    paths.filter(|path| path.extension().is_some_and(|e| e == ending) && path.exists()).collect()
}

#[test]
fn no_file_is_too_long_without_saying_why() {
    let sources = files("rs");
    assert!(sources.len() > 50, "the sources were not found");
    for path in sources {
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().count();
        let reason =
            text.lines().take(20).any(|line| line.contains("Longer than 500 lines because"));
        assert!(lines <= 500 || reason, "{} has {lines} lines", path.display());
    }
}

#[test]
fn nothing_is_left_open_and_no_machine_is_named() {
    // Put together here, so that this file does not find itself.
    let open =
        [["TO", "DO"], ["FIX", "ME"], ["unimplemented", "!("], ["todo", "!("]].map(|p| p.concat());
    let places = [["/wo", "rk/"], ["../sha", "red"]].map(|parts| parts.concat());
    for ending in ["rs", "sql", "html", "css", "sh", "md", "toml", "txt"] {
        for path in files(ending) {
            let Ok(text) = fs::read_to_string(&path) else { continue };
            for (number, line) in text.lines().enumerate() {
                let at = format!("{}:{}", path.display(), number + 1);
                assert!(!open.iter().any(|word| line.contains(word.as_str())), "left open: {at}");
                assert!(
                    !places.iter().any(|place| line.contains(place.as_str())),
                    "a machine: {at}"
                );
            }
        }
    }
}

/// Tables with their columns in order, types left out: those differ between the databases.
fn columns(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut tables = BTreeMap::new();
    let mut open: Option<(String, Vec<String>)> = None;
    for line in text.lines() {
        let line = line.split("--").next().unwrap_or_default().trim();
        if let Some(rest) = line.strip_prefix("CREATE TABLE ") {
            open = Some((rest.trim_end_matches(" (").to_owned(), Vec::new()));
        } else if line.starts_with(");") {
            tables.extend(open.take());
        } else if let Some((_, names)) = &mut open {
            let name = line.split_whitespace().next().unwrap_or_default();
            if !name.is_empty() && !["PRIMARY", "UNIQUE", "CHECK", "FOREIGN"].contains(&name) {
                names.push(name.to_owned());
            }
        }
    }
    tables
}

#[test]
fn migrations_of_both_databases_are_in_step() {
    let names = |dir: &str| {
        let entries = fs::read_dir(root().join("migrations").join(dir)).unwrap();
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect::<BTreeSet<_>>()
    };
    assert_eq!(names("sqlite"), names("postgres"));
    let mut tables = 0;
    for name in names("sqlite") {
        let read = |dir: &str| {
            fs::read_to_string(root().join("migrations").join(dir).join(&name)).unwrap()
        };
        let (sqlite, postgres) = (columns(&read("sqlite")), columns(&read("postgres")));
        assert_eq!(sqlite, postgres, "{name}");
        tables += sqlite.len();
        let indexes = |text: &str| {
            let named = text.lines().filter(|line| line.contains("INDEX "));
            named.map(|line| line.split(" ON ").next().unwrap().to_owned()).collect::<BTreeSet<_>>()
        };
        assert_eq!(indexes(&read("sqlite")), indexes(&read("postgres")), "{name}");
    }
    assert!(tables > 20, "{tables} tables were found");
}
