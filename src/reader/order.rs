//! What passes between a child that reads strangers' files and whoever started it, and the child's part.
//!
//! The child's standard input begins with the 32 bytes of the code key; then come orders, one line of JSON
//! each, followed by the file where it comes with its order. It answers in lines of JSON: that a page
//! begins, what it says, and at last how the file ended. So whoever listens knows which page a child died
//! of, and a fresh child goes on behind it.

use std::io::{BufRead, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;

use data_encoding::BASE64;
use forms::{CodeKey, PageReading, ReadFault, ReadOptions, read_pages};
use serde::{Deserialize, Serialize};

use super::limit;

/// What is to be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Where the file is.
    pub source: Source,
    /// The first page that is wanted, from 1.
    pub first: usize,
    /// Every how manyth page is wanted from there on.
    pub step: usize,
    /// Whether people will look at the pages.
    pub draws: bool,
}

/// Where a file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// So many bytes follow the order.
    Follows(usize),
    /// In this place: the bytes of its path, in hexadecimal, for a name need not be text.
    Path(String),
}

impl Source {
    /// A file by its path.
    pub fn path(path: &std::path::Path) -> Self {
        Self::Path(data_encoding::HEXLOWER.encode(path.as_os_str().as_encoded_bytes()))
    }
}

/// What a child says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Said<P> {
    /// The page of that number is decoded and read now.
    Begins(usize),
    /// What the page says.
    Page(P),
    /// What people look at of that page.
    Drawn(Drawn),
    /// The file is done; or why it could not be read to its end.
    End(Option<String>),
}

/// Pictures of a page in Base64; empty where there is nothing.
#[derive(Debug, Serialize, Deserialize)]
pub struct Drawn {
    /// The page as a JPEG, straightened where it is a form.
    pub page: String,
    /// The box of the seal as a PNG: of several the first that holds something.
    pub seal: String,
}

impl Drawn {
    fn of(reading: &PageReading) -> Self {
        let found = reading.seals.values().find(|seal| seal.found);
        let seal = found.or_else(|| reading.seals.values().next());
        let seal = seal.map(|seal| BASE64.encode(&seal.crop)).unwrap_or_default();
        Self { page: BASE64.encode(&reading.picture), seal }
    }
}

/// Carries out orders until there are no more, with a share of memory and time for each file and page.
///
/// # Errors
/// When an order cannot be understood or an answer not be written.
pub fn obey(input: impl BufRead, output: impl Write) -> std::io::Result<()> {
    obey_within(&limit::Share::measured(), input, output)
}

fn obey_within(
    share: &limit::Share,
    mut input: impl BufRead,
    mut output: impl Write,
) -> std::io::Result<()> {
    let mut key = [0; 32];
    input.read_exact(&mut key)?;
    let mut options = ReadOptions::new(CodeKey::new(key));
    let mut line = String::new();
    while input.read_line(&mut line)? > 0 {
        let order: Order = serde_json::from_str(&line)?;
        line.clear();
        options.pictures = order.draws;
        let outcome = match loaded(order.source, &mut input, share, &options) {
            Ok(bytes) => {
                let (first, step) = (order.first, order.step.max(1));
                let mut teller =
                    Teller { first, step, draws: order.draws, share, output: &mut output };
                read_pages(&bytes, &options, &mut teller)
            }
            Err(fault) => Err(fault),
        };
        tell::<()>(&mut output, &Said::End(outcome.err().map(|fault| fault.to_string())))?;
    }
    Ok(())
}

fn loaded(
    source: Source,
    input: &mut impl BufRead,
    share: &limit::Share,
    options: &ReadOptions,
) -> Result<Arc<Vec<u8>>, ReadFault> {
    let unopened = |error: std::io::Error| ReadFault::Unopened { reason: error.to_string() };
    let limit = options.limits.file_bytes;
    let mut bytes = Vec::new();
    match source {
        Source::Follows(size) => {
            share.set(size);
            input.take(size as u64).read_to_end(&mut bytes).map_err(unopened)?;
        }
        Source::Path(path) => {
            let file = std::fs::File::open(from_hex(&path)).map_err(unopened)?;
            let size = usize::try_from(file.metadata().map_err(unopened)?.len());
            let size = size
                .ok()
                .filter(|size| *size <= limit)
                .ok_or(ReadFault::TooLarge { size: size.unwrap_or(usize::MAX), limit })?;
            share.set(size);
            bytes.reserve_exact(size);
            // A file that still grows, or is none, ends where the limit is.
            file.take(limit as u64).read_to_end(&mut bytes).map_err(unopened)?;
        }
    }
    Ok(Arc::new(bytes))
}

#[cfg(unix)]
fn from_hex(path: &str) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    let bytes = data_encoding::HEXLOWER.decode(path.as_bytes()).unwrap_or_default();
    std::ffi::OsString::from_vec(bytes).into()
}

#[cfg(not(unix))]
fn from_hex(path: &str) -> PathBuf {
    let bytes = data_encoding::HEXLOWER.decode(path.as_bytes()).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned().into()
}

fn tell<P: Serialize>(output: &mut impl Write, said: &Said<P>) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(said)?;
    line.push(b'\n');
    output.write_all(&line)?;
    output.flush()
}

/// Tells readings as they come.
struct Teller<'t, W> {
    first: usize,
    step: usize,
    draws: bool,
    share: &'t limit::Share,
    output: &'t mut W,
}

impl<W: Write> forms::Reader for Teller<'_, W> {
    fn wants(&mut self, number: usize) -> bool {
        let wanted = number >= self.first && (number - self.first).is_multiple_of(self.step);
        if wanted {
            self.share.set_time();
            // Who listens has gone: the next order will not come either.
            let _ = tell::<()>(self.output, &Said::Begins(number));
        }
        wanted
    }

    fn page(&mut self, reading: PageReading) {
        let drawn = self.draws.then(|| Drawn::of(&reading));
        let _ = tell(self.output, &Said::Page(reading));
        if let Some(drawn) = drawn {
            let _ = tell::<()>(self.output, &Said::Drawn(drawn));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_announced_told_and_ended() {
        let page = image_of_nothing();
        let mut input = vec![7; 32];
        let order = Order { source: Source::Follows(page.len()), first: 1, step: 1, draws: false };
        for first in [1, 2] {
            input.extend(serde_json::to_vec(&Order { first, ..order.clone() }).unwrap());
            input.push(b'\n');
            input.extend(&page);
        }
        let missing = Order { source: Source::path(std::path::Path::new("/n/none")), ..order };
        input.extend(serde_json::to_vec(&missing).unwrap());
        let mut output = Vec::new();
        // This process has other tests to run, which are not to be limited.
        obey_within(&limit::Share::unlimited(), input.as_slice(), &mut output).unwrap();
        let lines: Vec<Said<serde_json::Value>> = String::from_utf8(output)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let [
            Said::Begins(1),
            Said::Page(page),
            Said::End(None),
            Said::End(None),
            Said::End(Some(why)),
        ] = lines.as_slice()
        else {
            panic!("{lines:?}");
        };
        assert_eq!(page["kind"], "blank");
        assert!(why.contains("cannot be opened"), "{why}");
    }

    fn image_of_nothing() -> Vec<u8> {
        let mut bytes = std::io::Cursor::new(Vec::new());
        let white = image::GrayImage::from_pixel(64, 64, image::Luma([255]));
        white.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        bytes.into_inner()
    }
}
