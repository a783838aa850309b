//! The readings as they come in the one object that `--json` promises.

use std::io::Write;

use anyhow::{Context, Result};
use serde_json::value::RawValue;

use super::{Counts, Listener};

/// Writes while it is read to.
pub struct JsonStream<W: Write> {
    out: W,
    files: usize,
    pages: usize,
}

impl<W: Write> JsonStream<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out, files: 0, pages: 0 }
    }

    fn write(&mut self, text: std::fmt::Arguments<'_>) -> Result<()> {
        self.out.write_fmt(text).context("the answer cannot be written")
    }
}

impl<W: Write> Listener for JsonStream<W> {
    fn file(&mut self, name: &str) -> Result<()> {
        let lead = if self.files == 0 { "{\"files\": [\n" } else { ",\n" };
        let name = serde_json::to_string(name).context("a name is no JSON")?;
        self.write(format_args!("{lead}{{\"file\":{name},\"pages\":["))?;
        self.files += 1;
        self.pages = 0;
        Ok(())
    }

    fn page(&mut self, page: &RawValue) -> Result<()> {
        let lead = if self.pages == 0 { "" } else { ",\n" };
        self.pages += 1;
        self.write(format_args!("{lead}{}", page.get()))
    }

    fn end(&mut self, error: Option<&str>) -> Result<()> {
        match error {
            None => self.write(format_args!("]}}")),
            Some(error) => {
                let error = serde_json::to_string(error).context("an error is no JSON")?;
                self.write(format_args!("],\"error\":{error}}}"))
            }
        }
    }

    fn counts(&mut self, counts: &Counts) -> Result<()> {
        let lead = if self.files == 0 { "{\"files\": [" } else { "" };
        let counts = serde_json::to_string(counts).context("the answer is no JSON")?;
        self.write(format_args!("{lead}\n], \"counts\": {counts}}}\n"))?;
        self.out.flush().context("the answer cannot be written")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_one_object() {
        for files in 0..3 {
            let mut out = Vec::new();
            let mut stream = JsonStream::new(&mut out);
            for number in 0..files {
                stream.file("a \"b\"").unwrap();
                for page in 0..=number {
                    stream.page(&RawValue::from_string(page.to_string()).unwrap()).unwrap();
                }
                stream.end((number == 1).then_some("why")).unwrap();
            }
            stream.counts(&Counts { files, ..Counts::default() }).unwrap();
            let read: serde_json::Value = serde_json::from_slice(&out).unwrap();
            assert_eq!(read["files"].as_array().unwrap().len(), files);
            assert_eq!(read["counts"]["files"], files);
            if files == 2 {
                assert_eq!(read["files"][1]["error"], "why");
                assert_eq!(read["files"][1]["pages"], serde_json::json!([0, 1]));
            }
        }
    }
}
