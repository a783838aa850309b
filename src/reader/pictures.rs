//! Pages of a submission as pictures for people, drawn in a child like everything that opens a
//! stranger's file.

use std::io::{Read, Write};

use data_encoding::BASE64;
use forms::{CodeKey, Limits, PagePicture, Variant, Version, page_pictures};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt;

use super::{LARGEST_FILE, PATIENCE, Reader, ReaderFault, limit};

/// A picture on its way from the child.
#[derive(Debug, Serialize, Deserialize)]
struct Drawn {
    page: u8,
    version: u8,
    variant: Variant,
    size: (u32, u32),
    /// Base64.
    jpeg: String,
}

impl From<PagePicture> for Drawn {
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

impl Drawn {
    /// The picture, if there ever was such a layout.
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

/// The child's part: 32 bytes of key and a file in, the pictures out as one line of JSON.
///
/// # Errors
/// When input or output break, or the file is none that is known.
pub fn draw_pictures(
    number: &str,
    mut input: impl Read,
    mut output: impl Write,
) -> std::io::Result<()> {
    let share = limit::Share::measured();
    let mut key = [0; 32];
    input.read_exact(&mut key)?;
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes)?;
    share.set_whole(bytes.len());
    let pictures = page_pictures(&bytes, &CodeKey::new(key), number, &Limits::default());
    let pictures = pictures.map_err(std::io::Error::other)?;
    let drawn: Vec<Drawn> = pictures.into_iter().map(Drawn::from).collect();
    serde_json::to_writer(&mut output, &drawn)?;
    output.write_all(b"\n")?;
    output.flush()
}

impl Reader {
    /// The pages of that submission in a file, upright, their seals covered; others are left out.
    ///
    /// # Errors
    /// When the child took more than its share or cannot be spoken to.
    pub async fn pictures(
        &self,
        key: &[u8; 32],
        number: &str,
        bytes: &[u8],
    ) -> Result<Vec<PagePicture>, ReaderFault> {
        if bytes.len() > LARGEST_FILE {
            return Err(ReaderFault::TooLarge);
        }
        let broken = |action| move |source| ReaderFault::Child { action, source };
        let mut child = self.start(&format!("--pictures-of={number}"))?;
        let stdin = child.stdin.take();
        let write = async move {
            if let Some(mut stdin) = stdin {
                stdin.write_all(key).await?;
                stdin.write_all(bytes).await?;
                stdin.shutdown().await?;
            }
            Ok::<(), std::io::Error>(())
        };
        let run = async { tokio::join!(write, child.wait_with_output()) };
        let (written, output) =
            tokio::time::timeout(PATIENCE, run).await.map_err(|_| ReaderFault::Exhausted)?;
        let output = output.map_err(broken("waited for"))?;
        // A child that died early breaks the pipe; its exit code says more.
        if !output.status.success() {
            return Err(ReaderFault::Exhausted);
        }
        written.map_err(broken("fed"))?;
        let drawn: Vec<Drawn> = serde_json::from_slice(&output.stdout)
            .map_err(|source| ReaderFault::Answer { source })?;
        Ok(drawn.into_iter().filter_map(Drawn::taken).collect())
    }
}
