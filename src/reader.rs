//! Reads scans in a child process that may not take more than its share: a page made to exhaust memory
//! or time costs that page, not the file and not the service.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use data_encoding::BASE64;
use forms::ReadFault;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

mod limit;
mod order;
mod pictures;

pub use order::{Drawn, Order, Said, Source, obey};
pub use pictures::draw_pictures;

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

impl FileRead {
    /// True when the file opens with a password only: a better photo is no help.
    pub fn is_protected(&self) -> bool {
        self.error.as_ref().is_some_and(|error| *error == ReadFault::Protected.to_string())
    }
}

/// What people look at of a page; empty where there is nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pictures {
    /// The page as a JPEG, straightened where it is a form.
    pub page: Vec<u8>,
    /// The box of the seal as a PNG.
    pub seal: Vec<u8>,
}

impl From<Drawn> for Pictures {
    /// What is no Base64 is no picture.
    fn from(drawn: Drawn) -> Self {
        let read = |text: &str| BASE64.decode(text.as_bytes()).unwrap_or_default();
        Self { page: read(&drawn.page), seal: read(&drawn.seal) }
    }
}

/// What it says of a page; the fields that intake and the desk look at.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PageRead {
    /// Its place in the file, from 1; 0 in what was read before this was kept.
    #[serde(default)]
    pub page: usize,
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
    /// Which layout version.
    #[serde(default)]
    pub version: Option<u8>,
    /// The skew that was taken out, in degrees.
    #[serde(default)]
    pub skew: f32,
    /// The resolution of the scan.
    #[serde(default)]
    pub dpi: Option<u32>,
    /// Its reading died, or it could not be decoded: nobody knows what it is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_lost: bool,
}

impl FileRead {
    /// Whether anything of the file is not known: it may be read again.
    pub fn is_failed(&self) -> bool {
        self.error.is_some() || self.pages.is_empty() || self.pages.iter().any(|page| page.is_lost)
    }
}

impl PageRead {
    /// A page that took more than its share.
    fn lost(number: usize) -> Self {
        Self {
            page: number,
            kind: "unknown".to_owned(),
            defects: vec!["PAGE".to_owned()],
            is_lost: true,
            ..Self::default()
        }
    }
}

/// A tick box.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// Ticked, empty, or not sure.
    pub v: Option<bool>,
}

/// A row of digits.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Digits {
    /// With `?` where not sure.
    pub v: String,
    /// How sure each cell is, 0 to 1.
    #[serde(default)]
    pub conf: Vec<f32>,
    /// Signs that the row was corrected: `covered`, `traces`; none where nobody looked.
    #[serde(default)]
    pub facts: Option<Vec<String>>,
}

/// A seal box.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Seal {
    /// There is an impression.
    pub found: bool,
    /// It has the colour of seal ink.
    #[serde(default)]
    pub coloured: bool,
    /// Where it lies on the page in millimetres.
    #[serde(default)]
    pub bbox_mm: Option<[f32; 4]>,
    /// What a clerk should look at: `cut`, `smudged`, `partial`, `double`, `colourless`.
    #[serde(default)]
    pub facts: Vec<String>,
}

/// What was lost of a file. Children that run out of memory do so at once; those that run out of time take
/// all of theirs, so that only one of them is followed by another.
#[derive(Debug, Default)]
pub struct Losses {
    pages: usize,
    timed: usize,
}

/// Pages that a file may lose: more are a file made to harm.
const MOST_LOST: usize = 8;

impl Losses {
    /// One more page, by a child that ended so.
    pub fn add(&mut self, ended: Option<ExitStatus>) {
        self.pages += 1;
        self.timed += usize::from(ended.is_some_and(ran_out_of_time));
    }

    /// Whether the rest of the file is given up.
    pub fn are_too_many(&self) -> bool {
        self.pages > MOST_LOST || self.timed > 1
    }
}

#[cfg(unix)]
fn ran_out_of_time(ended: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    // SIGXCPU, the same number on all of Linux's usual machines (signal(7)).
    ended.signal() == Some(24)
}

#[cfg(not(unix))]
fn ran_out_of_time(_: ExitStatus) -> bool {
    true
}

/// The errand of a child that carries out orders.
pub const WORKER: &str = "--worker";

/// A child with an errand: it knows nothing of what surrounds this process, and is spoken to over its
/// input and output.
pub fn child(program: &Path, errand: &str) -> std::process::Command {
    let mut command = std::process::Command::new(program);
    command
        .args(["form", "read", errand])
        .env_clear()
        // Pictures of telephones would be decoded by as many threads as there are cores.
        .env("RAYON_NUM_THREADS", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
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
    ///
    /// # Errors
    /// When not even the first page could be reached; what was read before a fault is an answer.
    pub async fn read(&self, key: &[u8; 32], bytes: &[u8]) -> Result<FileRead, ReaderFault> {
        self.ask(key, bytes, false).await.map(|(read, _)| read)
    }

    /// The same with the pictures of its pages, in their order.
    pub async fn read_and_draw(
        &self,
        key: &[u8; 32],
        bytes: &[u8],
    ) -> Result<(FileRead, Vec<Pictures>), ReaderFault> {
        self.ask(key, bytes, true).await
    }

    async fn ask(
        &self,
        key: &[u8; 32],
        bytes: &[u8],
        draws: bool,
    ) -> Result<(FileRead, Vec<Pictures>), ReaderFault> {
        if bytes.len() > LARGEST_FILE {
            return Err(ReaderFault::TooLarge);
        }
        let mut file = Reading { draws, ..Reading::default() };
        let whole = self.read_on(key, bytes, &mut file);
        match tokio::time::timeout(PATIENCE, whole).await {
            Ok(outcome) => outcome?,
            Err(_) if file.read.pages.is_empty() => return Err(ReaderFault::Exhausted),
            Err(_) => file.read.error = Some(ReaderFault::Exhausted.to_string()),
        }
        Ok((file.read, file.pictures))
    }

    /// A child that dies of a page is followed by one that goes on behind it.
    async fn read_on(
        &self,
        key: &[u8; 32],
        bytes: &[u8],
        file: &mut Reading,
    ) -> Result<(), ReaderFault> {
        loop {
            file.begun = None;
            let mut child = self.start(WORKER)?;
            let source = Source::Follows(bytes.len());
            let order = Order { source, first: file.next(), step: 1, draws: file.draws };
            let ended = file.listen(&mut child, key, &order, bytes).await?;
            if ended {
                return Ok(());
            }
            let Some(number) = file.begun else {
                // It died before it came to a page: no other would come further.
                if file.read.pages.is_empty() {
                    return Err(ReaderFault::Exhausted);
                }
                file.read.error = Some(ReaderFault::Exhausted.to_string());
                return Ok(());
            };
            file.lose(number, child.wait().await.ok());
            if file.losses.are_too_many() {
                file.read.error = Some(ReaderFault::Exhausted.to_string());
                return Ok(());
            }
        }
    }

    fn start(&self, errand: &str) -> Result<Child, ReaderFault> {
        Command::from(child(&self.program, errand))
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| ReaderFault::Child { action: "started", source })
    }
}

/// A file on the way.
#[derive(Default)]
struct Reading {
    read: FileRead,
    draws: bool,
    /// Of each page, when they are wanted.
    pictures: Vec<Pictures>,
    begun: Option<usize>,
    losses: Losses,
}

impl Reading {
    fn next(&self) -> usize {
        self.read.pages.len() + 1
    }

    /// Whether the child came to the end of the file.
    async fn listen(
        &mut self,
        child: &mut Child,
        key: &[u8; 32],
        order: &Order,
        bytes: &[u8],
    ) -> Result<bool, ReaderFault> {
        let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(ReaderFault::Exhausted);
        };
        let order =
            serde_json::to_string(order).map_err(|source| ReaderFault::Answer { source })?;
        let write = async move {
            stdin.write_all(key).await?;
            stdin.write_all(format!("{order}\n").as_bytes()).await?;
            stdin.write_all(bytes).await?;
            stdin.shutdown().await
        };
        let mut lines = BufReader::new(stdout).lines();
        let hear = async {
            while let Ok(Some(line)) = lines.next_line().await {
                match serde_json::from_str(&line)
                    .map_err(|source| ReaderFault::Answer { source })?
                {
                    Said::Begins(number) => self.begun = Some(number),
                    Said::Page(page) => {
                        self.begun = None;
                        self.read.pages.push(page);
                        self.pictures.push(Pictures::default());
                    }
                    Said::Drawn(drawn) => {
                        if let Some(pictures) = self.pictures.last_mut() {
                            *pictures = drawn.into();
                        }
                    }
                    Said::End(error) => {
                        self.read.error = error;
                        return Ok(true);
                    }
                }
            }
            Ok::<bool, ReaderFault>(false)
        };
        // A child that died early breaks the pipe; what it said before says more.
        let (_, ended) = tokio::join!(write, hear);
        ended
    }

    fn lose(&mut self, number: usize, ended: Option<ExitStatus>) {
        self.losses.add(ended);
        // Pages are numbered by their places.
        debug_assert_eq!(number, self.next());
        self.read.pages.push(PageRead::lost(number));
        self.pictures.push(Pictures::default());
    }
}
