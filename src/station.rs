//! The print station: opens sealed letters in memory and sends them to a printer through a pipe.
//!
//! Nothing is written to a disk. A letter that did not reach the printer whole voids every sealed
//! letter of its batch, for nobody can tell which of them lie in the tray.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::FileTypeExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use data_encoding::BASE64;
use engine::CaseId;
use serde::Deserialize;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use zeroize::Zeroizing;

use crate::correspondence::{SealedPage, page_place};
use crate::letter;
use crate::secret::{SecretFault, StationKey};

/// How long a printer may take to swallow one letter.
const PATIENCE: Duration = Duration::from_mins(2);

/// Where letters are printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Printer {
    /// A program that takes one PDF on its standard input, such as `lp -d mailer`.
    Program {
        /// Its name or path.
        program: OsString,
        /// Its arguments.
        arguments: Vec<OsString>,
    },
    /// A device or a pipe that somebody holds open, such as `/dev/usb/lp0` or `/dev/fd/3`.
    Device(PathBuf),
}

/// Why a letter was not printed.
#[derive(Debug, thiserror::Error)]
pub enum PrinterFault {
    /// Nothing was named.
    #[error("no printer program is named")]
    Nameless,
    /// The printer could not be spoken to.
    #[error("the printer could not be {action}")]
    Broken {
        /// What was being done.
        action: &'static str,
        /// The system's word.
        source: std::io::Error,
    },
    /// It is a file, where a letter would lie in the clear.
    #[error("{} is no device and no pipe", path.display())]
    File {
        /// Which.
        path: PathBuf,
    },
    /// The program said that it failed.
    #[error("the printer program failed: {status}")]
    Failed {
        /// What it said.
        status: std::process::ExitStatus,
    },
    /// It took too long.
    #[error("the printer did not take a letter within {} seconds", PATIENCE.as_secs())]
    Stuck,
}

impl Printer {
    /// The printer of a command line: words at spaces, no shell.
    pub fn of_command(line: &str) -> Result<Self, PrinterFault> {
        let mut words = line.split_whitespace().map(OsString::from);
        let program = words.next().ok_or(PrinterFault::Nameless)?;
        Ok(Self::Program { program, arguments: words.collect() })
    }

    /// Prints one page or letter; it is printed only when the printer has taken all of it.
    pub async fn print(&self, pdf: &[u8]) -> Result<(), PrinterFault> {
        match self {
            Self::Program { program, arguments } => {
                let run = through(program, arguments, pdf);
                tokio::time::timeout(PATIENCE, run).await.map_err(|_| PrinterFault::Stuck)?
            }
            Self::Device(path) => onto(path, pdf),
        }
    }
}

fn broken(action: &'static str) -> impl Fn(std::io::Error) -> PrinterFault {
    move |source| PrinterFault::Broken { action, source }
}

async fn through(
    program: &OsString,
    arguments: &[OsString],
    pdf: &[u8],
) -> Result<(), PrinterFault> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .map_err(broken("started"))?;
    let written = match child.stdin.take() {
        Some(mut pipe) => match pipe.write_all(pdf).await {
            Ok(()) => pipe.shutdown().await,
            Err(error) => Err(error),
        },
        None => Ok(()),
    };
    let status = child.wait().await.map_err(broken("waited for"))?;
    // A program that died breaks the pipe; its exit code says more.
    if !status.success() {
        return Err(PrinterFault::Failed { status });
    }
    written.map_err(broken("fed"))
}

fn onto(path: &PathBuf, pdf: &[u8]) -> Result<(), PrinterFault> {
    let mut device = OpenOptions::new().write(true).open(path).map_err(broken("opened"))?;
    let kind = device.metadata().map_err(broken("looked at"))?.file_type();
    if !(kind.is_char_device() || kind.is_fifo() || kind.is_socket()) {
        return Err(PrinterFault::File { path: path.clone() });
    }
    device.write_all(pdf).and_then(|()| device.flush()).map_err(broken("fed"))
}

/// A sealed letter as it was handed over.
#[derive(Debug, Deserialize)]
pub struct Handed {
    sealed: String,
    address_version: i64,
    /// Whose case.
    pub case: i64,
    /// The kind of that case.
    pub workflow: String,
}

fn unopenable() -> SecretFault {
    SecretFault::Unopenable { purpose: "letter" }
}

impl Handed {
    /// The page in the clear; it is overwritten when dropped.
    pub fn open(&self, station: &StationKey) -> Result<Zeroizing<Vec<u8>>, SecretFault> {
        let sealed = BASE64.decode(self.sealed.as_bytes()).map_err(|_| unopenable())?;
        let (case, version) = (CaseId(self.case), self.address_version);
        if self.workflow == workflows::enrolment::NAME {
            letter::open_code(station, case, version, &sealed).map(|opened| opened.page)
        } else {
            letter::open(station, case, version, &sealed).map(|opened| opened.page)
        }
    }
}

impl SealedPage {
    /// The letter in the clear.
    pub fn open(&self, station: &StationKey) -> Result<Zeroizing<Vec<u8>>, SecretFault> {
        let place = self.covers.first().map(page_place).ok_or_else(unopenable)?;
        let sealed = BASE64.decode(self.sealed.as_bytes()).map_err(|_| unopenable())?;
        station.open(&place, &sealed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_letter_is_printed_only_when_all_of_it_was_taken() {
        let letter = vec![b'x'; 300_000];
        let printer = |line: &str| Printer::of_command(line).unwrap();
        printer("cat").print(&letter).await.unwrap();
        let failed = printer("false").print(&letter).await.unwrap_err();
        assert!(matches!(failed, PrinterFault::Failed { .. }), "{failed}");
        // One that stops reading and still says that all is well.
        let early = printer("true").print(&letter).await.unwrap_err();
        assert!(matches!(early, PrinterFault::Broken { action: "fed", .. }), "{early}");
        let absent = printer("no-such-printer").print(&letter).await.unwrap_err();
        assert!(matches!(absent, PrinterFault::Broken { action: "started", .. }), "{absent}");
        assert!(matches!(Printer::of_command("  "), Err(PrinterFault::Nameless)));
    }

    #[tokio::test]
    async fn no_letter_goes_into_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("letter.pdf");
        std::fs::write(&path, b"").unwrap();
        let fault = Printer::Device(path.clone()).print(b"secret").await.unwrap_err();
        assert!(matches!(fault, PrinterFault::File { .. }), "{fault}");
        assert_eq!(std::fs::read(&path).unwrap(), b"");
        Printer::Device("/dev/null".into()).print(b"secret").await.unwrap();
    }
}
