//! What the targets share.

use forms::{CodeKey, Limits, PageKind, ReadOptions, page_images, read_file};

/// Small enough for thousands of files a minute.
pub const LIMITS: Limits = Limits { file_bytes: 1 << 20, pages: 4, pixels: 400_000 };

/// Panics of other people's decoders are caught where they are called, so that they count as answers:
/// only what leaves the reader ends the run.
pub fn let_panics_unwind() {
    std::panic::set_hook(Box::new(|_| {}));
}

/// Reads a file as intake does. No file that a fuzzer makes up carries a check under our key, other
/// than those of the corpus.
pub fn read(bytes: &[u8]) {
    let options = ReadOptions { limits: LIMITS, ..ReadOptions::new(CodeKey::sample()) };
    let reading = read_file(bytes, "fuzz", &options);
    assert!(reading.error.is_some() || !reading.pages.is_empty());
    assert!(reading.pages.len() <= LIMITS.pages);
    for (number, page) in (1..).zip(&reading.pages) {
        assert_eq!(page.page, number);
        assert_eq!(page.kind == PageKind::Form, page.version.is_some());
    }
    let _ = page_images(bytes, &LIMITS);
}
