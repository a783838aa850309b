//! The same impression on two forms: compared as soon as a form's contract is known, shown at the desk.

use engine::{CaseId, Fault, Tx};
use forms::seal::{InkPattern, REUSED, Suspect};

use super::AtWork;
use super::desk::{OnDesk, Scanned, scanned, sealed_page};
use super::pictures::{SEAL, opened, specimen_picture};
use crate::app::App;
use crate::customer::Declined;
use crate::host::Tools;
use crate::intake::Contents;
use crate::store::{impressions, pictures, standing, submissions};

/// So many forms of a contract are compared, the newest ones: a company posts a few in a year.
const MOST: i64 = 200;

/// Compares the impression on a form with those on the other forms of its contract. Whoever is committed
/// last finds the other, however many are read at once; repeated, it finds the same.
pub(crate) async fn compare(tools: &Tools, number: i64) -> Result<(), Fault> {
    let mut tx = tools.db.read().await?;
    let Some(before) = Before::find(&mut tx, number).await? else { return Ok(()) };
    let others = impressions::others(&mut tx, before.contract, number, MOST).await?;
    drop(tx);
    if others.is_empty() {
        return keep(tools, number, 0, &[]).await;
    }
    let Some(specimen) = specimen_picture(tools, before.specimen).await? else { return Ok(()) };
    let Some(own) = seal_of(tools, &before.page).await? else { return Ok(()) };
    let Some(mut suspect) = off_thread(move || suspect(&own, &specimen)).await? else {
        return Ok(());
    };
    let (mut compared, mut found) = (0, Vec::new());
    for other in others {
        let mut tx = tools.db.read().await?;
        let pages = scanned(&mut tx, other).await?;
        drop(tx);
        let Some(page) = sealed_page(&pages) else { continue };
        let Some(picture) = seal_of(tools, page).await? else { continue };
        let looked = off_thread(move || {
            let sameness = ink(&picture).map(|ink| suspect.sameness(&ink));
            (suspect, sameness)
        });
        let (back, sameness) = looked.await?;
        suspect = back;
        let Some(sameness) = sameness else { continue };
        compared += 1;
        if sameness >= REUSED {
            found.push((other, hundredths(sameness)));
        }
    }
    keep(tools, number, compared, &found).await
}

async fn keep(
    tools: &Tools,
    number: i64,
    compared: i64,
    found: &[(i64, i64)],
) -> Result<(), Fault> {
    let mut tx = tools.db.write().await?;
    impressions::keep(&mut tx, number, compared, found).await?;
    tx.commit().await
}

/// What a comparison begins with.
struct Before {
    contract: i64,
    page: Scanned,
    specimen: i64,
}

impl Before {
    /// `None` where there is no seal, nobody knows whose it is, or none is registered.
    async fn find(tx: &mut Tx, number: i64) -> Result<Option<Self>, Fault> {
        let Some(row) = submissions::find(tx, number).await? else { return Ok(None) };
        let Some(contract) = row.contract_id else { return Ok(None) };
        let pages = scanned(tx, number).await?;
        let Some(page) = sealed_page(&pages).cloned() else { return Ok(None) };
        let on = Contents::read(&row.reading).and_then(|contents| contents.date);
        let on = on.unwrap_or_else(|| crate::dates::iso_day(tx.now()));
        let specimen = standing::valid_specimen(tx, contract, &on).await?;
        Ok(specimen.map(|(specimen, _)| Self { contract, page, specimen }))
    }
}

/// The box of the seal as it was scanned. Masks do not lie on it here: no person sees it.
async fn seal_of(tools: &Tools, page: &Scanned) -> Result<Option<Vec<u8>>, Fault> {
    let mut tx = tools.db.read().await?;
    let sealed = pictures::find(&mut tx, &page.digest, page.page, SEAL).await?;
    drop(tx);
    sealed.map(|sealed| opened(tools, page, SEAL, &sealed)).transpose()
}

fn suspect(own: &[u8], specimen: &[u8]) -> Option<Suspect> {
    Suspect::new(ink(own)?, &ink(specimen)?)
}

/// What cannot be decoded, or has no colour, is compared with nothing.
fn ink(picture: &[u8]) -> Option<InkPattern> {
    InkPattern::of(picture).ok().flatten()
}

#[expect(clippy::cast_possible_truncation, reason = "between 0 and 100")]
fn hundredths(part: f32) -> i64 {
    (part * 100.0).round() as i64
}

/// Away from the threads that serve pages.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work).await.map_err(Fault::host("compare impressions"))
}

impl App {
    /// The box of the seal on a form, or on the other form that bears the same impression: PNG. The look is
    /// an entry of both histories.
    pub async fn stamped_seal(
        &self,
        by: &AtWork,
        desk: &OnDesk,
        other: Option<i64>,
    ) -> Result<Vec<u8>, Declined> {
        let found = desk.reuses.iter().find(|one| Some(one.other) == other);
        let pages = match (other, found) {
            (None, _) => desk.pages.clone(),
            (Some(_), None) => return Err(Declined::NotFound),
            (Some(other), Some(_)) => {
                let mut tx = self.tools.db.read().await?;
                scanned(&mut tx, other).await?
            }
        };
        let page = sealed_page(&pages).ok_or(Declined::NotFound)?;
        let picture = self.picture(page, SEAL).await?.ok_or(Declined::NotFound)?;
        self.note(by, desk.case, "ViewSeal").await?;
        if let Some(case) = found.and_then(|one| one.case_id) {
            self.note(by, CaseId(case), "ViewSeal").await?;
        }
        Ok(picture)
    }
}
