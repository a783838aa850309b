//! Pictures that people look at: pages, seals, and two seals laid on each other. They are made once,
//! in the child that reads the scan, and kept sealed; their bytes leave at opening, with an entry.

use engine::{CaseId, Fault};
use forms::seal::{Alignment, aligned};
use sha2::{Digest, Sha256};

use super::AtWork;
use super::desk::{self, OnDesk, Scanned, Stamped};
use super::masks;
use crate::app::App;
use crate::customer::Declined;
use crate::host::Tools;
use crate::reader::Pictures;
use crate::store::submissions::SubmissionRow;
use crate::store::{contracts, pictures, specimens, submissions};

/// What the pictures are sealed for.
const PICTURE: &str = "picture";
/// A page.
const PAGE: &str = "page";
/// The box of the seal on it.
pub(super) const SEAL: &str = "seal";

/// A form that waits to be matched.
pub struct LooseForm {
    /// Its envelope.
    pub row: SubmissionRow,
    /// Where that stands.
    pub state_name: String,
    /// Its pages.
    pub pages: usize,
}

/// What a sealed picture is bound to.
fn place(digest: &[u8], page: i64, part: &str) -> Vec<u8> {
    [digest, format!("/{page}/{part}").as_bytes()].concat()
}

/// A sealed picture of a page, opened.
pub(super) fn opened(
    tools: &Tools,
    page: &Scanned,
    part: &str,
    sealed: &[u8],
) -> Result<Vec<u8>, Fault> {
    let bound = place(&page.digest, page.page, part);
    let opened = tools.keys.open(PICTURE, &bound, sealed);
    Ok(opened.map_err(Fault::host("open a picture"))?.to_vec())
}

/// A registered seal as it was registered: PNG.
pub(super) async fn specimen_picture(
    tools: &Tools,
    specimen: i64,
) -> Result<Option<Vec<u8>>, Fault> {
    let mut tx = tools.db.read().await?;
    let Some(row) = specimens::by_id(&mut tx, specimen).await? else { return Ok(None) };
    let Some(contract) = contracts::by_id(&mut tx, row.contract_id).await? else {
        return Ok(None);
    };
    drop(tx);
    let bound = specimens::sealing_data(&contract.number, &row.digest);
    let opened = tools.keys.open(specimens::PURPOSE, &bound, &row.picture);
    Ok(Some(opened.map_err(Fault::host("open a specimen"))?.to_vec()))
}

impl App {
    /// Keeps what a child has drawn of a file's pages.
    pub(super) async fn keep_pictures(&self, file: &[u8], all: &[Pictures]) -> Result<(), Fault> {
        let digest: [u8; 32] = Sha256::digest(file).into();
        let mut tx = self.tools.db.write().await?;
        for (page, shown) in (1_i64..).zip(all) {
            for (part, bytes) in [(PAGE, &shown.page), (SEAL, &shown.seal)] {
                if bytes.is_empty() {
                    continue;
                }
                let bound = place(&digest, page, part);
                let sealed = self.tools.keys.seal(PICTURE, &bound, bytes);
                let sealed = sealed.map_err(Fault::host("seal a picture"))?;
                pictures::keep(&mut tx, &digest, page, part, &sealed).await?;
            }
        }
        tx.commit().await
    }

    /// A picture as anybody may see it. There is no other way to one: whatever lies under a mask is
    /// painted over before the bytes leave this function.
    pub(super) async fn picture(
        &self,
        page: &Scanned,
        part: &str,
    ) -> Result<Option<Vec<u8>>, Fault> {
        self.picture_but(page, part, None).await
    }

    /// The same without one of the masks, for the two people who may look under it.
    async fn picture_but(
        &self,
        page: &Scanned,
        part: &str,
        shown: Option<CaseId>,
    ) -> Result<Option<Vec<u8>>, Fault> {
        let mut tx = self.tools.db.read().await?;
        let sealed = pictures::find(&mut tx, &page.digest, page.page, part).await?;
        let lying = masks::lying(&mut tx, &page.digest, page.page, shown).await?;
        drop(tx);
        let Some(sealed) = sealed else { return Ok(None) };
        let opened = opened(&self.tools, page, part, &sealed)?;
        if lying.is_empty() {
            return Ok(Some(opened));
        }
        let parts = if part == SEAL { masks::on_the_seal(page, &lying) } else { Some(lying) };
        // Where nobody can say what of it is hidden, all of it is.
        let Some(parts) = parts else { return Ok(None) };
        masks::painted(opened, parts).await.map(Some)
    }

    /// The whole page, with every mask but one.
    pub(super) async fn page_but(
        &self,
        page: &Scanned,
        shown: Option<CaseId>,
    ) -> Result<Vec<u8>, Declined> {
        self.picture_but(page, PAGE, shown).await?.ok_or(Declined::NotFound)
    }

    /// A page of a case's form, by its place among the scanned pages: JPEG.
    pub async fn page_picture(
        &self,
        by: &AtWork,
        case: CaseId,
        place: usize,
    ) -> Result<Vec<u8>, Declined> {
        let (page, is_loose) = self.form_page(case, place).await?;
        if is_loose {
            return Err(Declined::NotFound);
        }
        let picture = self.picture(&page, PAGE).await?.ok_or(Declined::NotFound)?;
        self.note(by, case, "ViewPage").await?;
        Ok(picture)
    }

    /// Reads the sealed pictures of a form, so that the database has them at hand. They stay sealed.
    pub async fn warm_pages(&self, desk: &OnDesk) -> Result<(), Fault> {
        let mut tx = self.tools.db.read().await?;
        for page in &desk.pages {
            pictures::find(&mut tx, &page.digest, page.page, PAGE).await?;
        }
        Ok(())
    }

    /// A form of which nobody knows yet whose it is; looking at it is an entry.
    pub async fn loose_form(&self, by: &AtWork, case: CaseId) -> Result<LooseForm, Declined> {
        let mut tx = self.tools.db.read().await?;
        let row = submissions::of_case(&mut tx, case).await?.ok_or(Declined::NotFound)?;
        let state = engine::case::find(&mut tx, case).await?.ok_or(Declined::NotFound)?;
        let pages = desk::scanned(&mut tx, row.number).await?.len();
        drop(tx);
        self.note(by, case, "ViewForm").await?;
        Ok(LooseForm { row, state_name: state.state_name, pages })
    }

    /// A page of such a form, by its place: JPEG.
    pub async fn loose_picture(
        &self,
        by: &AtWork,
        case: CaseId,
        place: usize,
    ) -> Result<Vec<u8>, Declined> {
        let mut tx = self.tools.db.read().await?;
        let row = submissions::of_case(&mut tx, case).await?.ok_or(Declined::NotFound)?;
        let pages = desk::scanned(&mut tx, row.number).await?;
        drop(tx);
        let page = pages.get(place).ok_or(Declined::NotFound)?;
        let picture = self.picture(page, PAGE).await?.ok_or(Declined::NotFound)?;
        self.note(by, case, "ViewPage").await?;
        Ok(picture)
    }

    /// A registered seal as it was registered: PNG.
    pub async fn registered_seal(&self, specimen: i64) -> Result<Vec<u8>, Declined> {
        specimen_picture(&self.tools, specimen).await?.ok_or(Declined::NotFound)
    }

    /// The seal on a form laid on its specimen; `None` where one of them shows no ink.
    pub async fn seals(&self, stamped: Stamped<'_>) -> Result<Option<Alignment>, Declined> {
        let registered = self.registered_seal(stamped.specimen).await?;
        let Some(own) = self.picture(stamped.page, SEAL).await? else { return Ok(None) };
        let work = tokio::task::spawn_blocking(move || aligned(&own, &registered));
        let both = work.await.map_err(Fault::host("compare two seals"))?;
        Ok(both.map_err(Fault::host("compare two seals"))?)
    }
}
