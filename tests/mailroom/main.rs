//! The mail room's scan folder, as stories on both databases: what comes is taken in once, whoever dies
//! and however many look; every page has one place; what failed, and only that, is read again.
//!
//! The reader is a program that says what stands in the file, so that a story can be cut off at every
//! single step. Real scans go through the folder in `tests/browser/pile.test.mjs`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly; a skipped story is said aloud"
)]

#[path = "../customer/house.rs"]
#[expect(dead_code, reason = "the house of all stories has rooms that these do not use")]
mod house;

mod again;
mod cut;
mod errands;
mod places;
mod room;
mod scenarios;
mod smtp;
mod written;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use saihakko::config::Config;

/// Says what stands in the file: lines that begin with `+` always, with `=` in health, with `~` while
/// `reader.sick` lies beside it. Before the file come 32 bytes of key and one line of order.
const READER: &str = "#!/bin/sh\n\
    if [ -e \"$0.sick\" ]; then kind='~'; else kind='='; fi\n\
    tail -c +33 | sed -n -e 1d -e \"s/^[+$kind]//p\"\n";

/// A folder for scanners, and a reader that can be told what to say.
fn fit(config: &mut Config, dir: &Path) -> PathBuf {
    config.intake.folder = dir.join("scans");
    config.intake.rest_s = 5;
    "127.0.0.1".clone_into(&mut config.mail.host);
    config.mail.port = smtp::start();
    config.mail.tls = saihakko::config::TlsMode::None;
    std::fs::create_dir_all(&config.intake.folder).unwrap();
    let reader = dir.join("reader");
    std::fs::write(&reader, READER).unwrap();
    std::fs::set_permissions(&reader, std::fs::Permissions::from_mode(0o755)).unwrap();
    reader
}
