//! Progress for people; nothing where nobody watches.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// A line on a terminal that is written over and over.
pub(super) struct Bar {
    files: usize,
    shown: bool,
    last: Option<Instant>,
}

const WIDTH: usize = 30;
/// Terminals are slower than readers.
const OFTEN: Duration = Duration::from_millis(100);

impl Bar {
    pub(super) fn new(files: usize) -> Self {
        Self { files, shown: std::io::stderr().is_terminal(), last: None }
    }

    pub(super) fn show(&mut self, done: usize, pages: usize) {
        if self.shown && self.last.is_none_or(|last| last.elapsed() >= OFTEN) {
            self.last = Some(Instant::now());
            self.write(done, pages);
        }
    }

    fn write(&self, done: usize, pages: usize) {
        // Reading does not depend on whether its progress can be shown.
        let _ = write!(std::io::stderr(), "\r{}", line(done, self.files, pages));
    }

    pub(super) fn end(&self, done: usize, pages: usize) {
        // What was done at once needs no bar.
        if self.shown && self.last.is_some() {
            self.write(done, pages);
            let _ = writeln!(std::io::stderr());
        }
    }
}

/// How many pages a file has is known at its end only.
fn line(done: usize, files: usize, pages: usize) -> String {
    if files == 1 {
        return format!("{pages} pages");
    }
    let full = (done * WIDTH / files.max(1)).min(WIDTH);
    let (full, rest) = ("#".repeat(full), "-".repeat(WIDTH - full));
    format!("[{full}{rest}] {done}/{files}, {pages} pages")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fills() {
        assert_eq!(line(1, 2, 7), format!("[{}{}] 1/2, 7 pages", "#".repeat(15), "-".repeat(15)));
        assert_eq!(line(0, 1, 7), "7 pages");
        assert!(line(2, 2, 9).starts_with(&format!("[{}]", "#".repeat(30))));
    }
}
