//! Reads scans in a child process that may not take more than its share: a file made to exhaust
//! memory or time costs one page, not the service.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use data_encoding::BASE64;
use forms::{PagePicture, Variant, Version};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Memory that reading one file may take.
const MEMORY_BYTES: u64 = 2 << 30;
/// Processor time that reading one file may take.
const CPU_SECONDS: u64 = 60;
/// Time that reading one file may take by the clock.
const PATIENCE: Duration = Duration::from_mins(2);
/// The largest file that is looked at.
pub const LARGEST_FILE: usize = 64 << 20;

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReaderFault {
    /// The child could not be started or spoken to.
    #[error("the reader could not be {action}")]
    Child {
        /// What was being done.
        action: &'static str,
        /// The system's word.
        source: std::io::Error,
    },
    /// The child took more than its share, or died.
    #[error("the file took more than its share and was set aside")]
    Exhausted,
    /// The file is larger than any scan.
    #[error("the file has more than {LARGEST_FILE} bytes")]
    TooLarge,
    /// The child's answer cannot be understood.
    #[error("the reader's answer cannot be understood")]
    Answer {
        /// The parser's word.
        source: serde_json::Error,
    },
}

/// What `saihakko form read --json` says of a file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FileRead {
    /// Its pages, in order.
    pub pages: Vec<PageRead>,
    /// Why it could not be read to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What it says of a page; the fields that intake looks at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PageRead {
    /// `form`, `blank`, `other` or `unknown`.
    pub kind: String,
    /// The submission number that its codes name.
    pub case_id: Option<String>,
    /// `bizstation` or `light`.
    pub variant: Option<String>,
    /// Which page of the form, such as `1/2`.
    pub page_of: Option<String>,
    /// The printed frames lie where they should.
    pub registered: bool,
    /// Tick boxes by name.
    pub checks: BTreeMap<String, Check>,
    /// Rows of digits by name.
    pub digits: BTreeMap<String, Digits>,
    /// Seal boxes by name.
    pub seals: BTreeMap<String, Seal>,
    /// Defects of the page.
    pub defects: Vec<String>,
}

/// A tick box.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// Ticked, empty, or not sure.
    pub v: Option<bool>,
}

/// A row of digits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Digits {
    /// With `?` where not sure.
    pub v: String,
}

/// A seal box.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Seal {
    /// There is an impression.
    pub found: bool,
}

/// The child's whole answer.
#[derive(Deserialize)]
struct Answer {
    files: Vec<FileRead>,
}

/// The child's answer when it was asked for pictures.
#[derive(Debug, Serialize, Deserialize)]
pub struct Pictures {
    /// One a page, in order.
    pub pictures: Vec<PictureOf>,
}

/// A picture on its way from the child.
#[derive(Debug, Serialize, Deserialize)]
pub struct PictureOf {
    page: u8,
    version: u8,
    variant: Variant,
    size: (u32, u32),
    /// Base64.
    jpeg: String,
}

impl From<PagePicture> for PictureOf {
    fn from(picture: PagePicture) -> Self {
        Self {
            page: picture.page,
            version: picture.version.number(),
            variant: picture.variant,
            size: picture.size,
            jpeg: BASE64.encode(&picture.jpeg),
        }
    }
}

impl PictureOf {
    /// The picture, if the child told the truth about its layout.
    fn taken(self) -> Option<PagePicture> {
        Some(PagePicture {
            page: self.page,
            version: Version::from_number(self.version)?,
            variant: self.variant,
            size: self.size,
            jpeg: BASE64.decode(self.jpeg.as_bytes()).ok()?,
        })
    }
}

/// Starts children of one program.
#[derive(Debug, Clone)]
pub struct Reader {
    program: PathBuf,
}

impl Reader {
    /// Children run this program (`saihakko` itself) with `form read`.
    pub fn new(program: PathBuf) -> Self {
        Self { program }
    }

    /// Reads one file. The key of the codes goes over the child's standard input, before the file.
    pub async fn read(&self, key: &[u8; 32], bytes: &[u8]) -> Result<FileRead, ReaderFault> {
        let answer: Answer = self.ask(&[], key, bytes).await?;
        Ok(answer.files.into_iter().next().unwrap_or_default())
    }

    /// The pages of that submission in a file as pictures for people, upright, seals covered.
    pub async fn pictures(
        &self,
        key: &[u8; 32],
        number: &str,
        bytes: &[u8],
    ) -> Result<Vec<PagePicture>, ReaderFault> {
        let wish = format!("--pictures-of={number}");
        let answer: Pictures = self.ask(&[&wish], key, bytes).await?;
        Ok(answer.pictures.into_iter().filter_map(PictureOf::taken).collect())
    }

    async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        wishes: &[&str],
        key: &[u8; 32],
        bytes: &[u8],
    ) -> Result<T, ReaderFault> {
        if bytes.len() > LARGEST_FILE {
            return Err(ReaderFault::TooLarge);
        }
        let child = |action| move |source| ReaderFault::Child { action, source };
        let mut process = Command::new(&self.program)
            .args(["form", "read", "--json", "--keyed-input"])
            .args(wishes)
            .arg(format!("--limit-memory={MEMORY_BYTES}"))
            .arg(format!("--limit-seconds={CPU_SECONDS}"))
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(child("started"))?;
        let stdin = process.stdin.take();
        let write = async move {
            if let Some(mut stdin) = stdin {
                stdin.write_all(key).await?;
                stdin.write_all(bytes).await?;
                stdin.shutdown().await?;
            }
            Ok::<(), std::io::Error>(())
        };
        let run = async { tokio::join!(write, process.wait_with_output()) };
        let (written, output) =
            tokio::time::timeout(PATIENCE, run).await.map_err(|_| ReaderFault::Exhausted)?;
        let output = output.map_err(child("waited for"))?;
        // A child that died early breaks the pipe; its exit code says more.
        if !output.status.success() {
            return Err(ReaderFault::Exhausted);
        }
        written.map_err(child("fed"))?;
        serde_json::from_slice(&output.stdout).map_err(|source| ReaderFault::Answer { source })
    }
}
