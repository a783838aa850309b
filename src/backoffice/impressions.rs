//! The same impression on two forms: compared before a form is on a desk, and shown there.

use engine::{CaseId, Fault};
use forms::seal::{InkPattern, REUSED, Suspect};
use tokio::sync::Semaphore;

use super::AtWork;
use super::desk::{OnDesk, Scanned, scanned, sealed_page, specimen_of};
use super::pictures::{SEAL, opened, specimen_picture};
use crate::app::App;
use crate::customer::Declined;
use crate::host::Tools;
use crate::intake::date_on_form;
use crate::store::{impressions, pictures, submissions};

/// So many forms of a contract are compared, those scanned last: a company posts a few in a year.
const MOST: i64 = 100;

/// One form at a time: comparing takes a core, and nobody waits for it.
static COMPARING: Semaphore = Semaphore::const_new(1);

/// Compares the impression on a form with those on the other forms of its contract. Of two forms that are
/// read at once the later one finds the other, for both contracts are committed by then. It is a hint: a
/// picture that does not open is passed over, and only the database can fail it.
pub(crate) async fn compare(tools: &Tools, number: i64) -> Result<(), Fault> {
    let found = match Before::find(tools, number).await? {
        Some(before) => compared(tools, number, before).await?,
        None => None,
    };
    let mut tx = tools.db.write().await?;
    match found {
        Some(found) => impressions::keep(&mut tx, number, found.compared, &found.same).await?,
        None => impressions::forget(&mut tx, number).await?,
    }
    tx.commit().await
}

/// What a comparison found.
#[derive(Default)]
struct Found {
    compared: i64,
    /// The other form's number, and how much is the same in hundredths.
    same: Vec<(i64, i64)>,
}

/// `None` where the form's own impression can be compared with nothing.
async fn compared(tools: &Tools, number: i64, before: Before) -> Result<Option<Found>, Fault> {
    let Ok(_alone) = COMPARING.acquire().await else { return Ok(None) };
    let Before { contract, seal, specimen } = before;
    let Some(Some(mut suspect)) = off_thread(move || suspect(&seal, &specimen)).await else {
        return Ok(None);
    };
    let mut tx = tools.db.read().await?;
    let others = impressions::others(&mut tx, contract, number, MOST).await?;
    drop(tx);
    let mut found = Found::default();
    for other in others {
        let mut tx = tools.db.read().await?;
        let pages = scanned(&mut tx, other).await?;
        drop(tx);
        let Some(page) = sealed_page(&pages) else { continue };
        let Some(picture) = seal_of(tools, page).await? else { continue };
        let looked = off_thread(move || {
            let sameness = ink(&picture).and_then(|ink| suspect.sameness(&ink));
            (suspect, sameness)
        });
        let Some((back, sameness)) = looked.await else { return Ok(None) };
        suspect = back;
        let Some(sameness) = sameness else { continue };
        found.compared += 1;
        if sameness >= REUSED {
            found.same.push((other, hundredths(sameness)));
        }
    }
    Ok(Some(found))
}

/// What a comparison begins with.
struct Before {
    contract: i64,
    seal: Vec<u8>,
    specimen: Vec<u8>,
}

impl Before {
    /// `None` where there is no seal, nobody knows whose it is, or none is registered.
    async fn find(tools: &Tools, number: i64) -> Result<Option<Self>, Fault> {
        let mut tx = tools.db.read().await?;
        let Some(row) = submissions::find(&mut tx, number).await? else { return Ok(None) };
        let Some(contract) = row.contract_id else { return Ok(None) };
        let pages = scanned(&mut tx, number).await?;
        let Some(page) = sealed_page(&pages) else { return Ok(None) };
        let form_date = date_on_form(&row.reading);
        let specimen = specimen_of(&mut tx, contract, form_date.as_deref()).await?;
        drop(tx);
        let Some((specimen, _)) = specimen else { return Ok(None) };
        let specimen = told(specimen_picture(tools, specimen).await)?.flatten();
        let seal = seal_of(tools, page).await?;
        Ok(seal.zip(specimen).map(|(seal, specimen)| Self { contract, seal, specimen }))
    }
}

/// The box of the seal as it was scanned. Masks do not lie on it here: no person sees it.
async fn seal_of(tools: &Tools, page: &Scanned) -> Result<Option<Vec<u8>>, Fault> {
    let mut tx = tools.db.read().await?;
    let sealed = pictures::find(&mut tx, &page.digest, page.page, SEAL).await?;
    drop(tx);
    let opened = sealed.map(|sealed| opened(tools, page, SEAL, &sealed));
    Ok(told(opened.transpose())?.flatten())
}

/// A picture that does not open is told to the operator, and is no fault of the work at hand.
fn told<T>(outcome: Result<T, Fault>) -> Result<Option<T>, Fault> {
    match outcome {
        Err(fault @ Fault::Host { .. }) => {
            tracing::warn!(fault = engine::chain(&fault), "an impression is not compared");
            Ok(None)
        }
        other => other.map(Some),
    }
}

fn suspect(own: &[u8], specimen: &[u8]) -> Option<Suspect> {
    Suspect::new(ink(own)?, &InkPattern::registered(specimen).ok().flatten()?)
}

/// What cannot be decoded, or has no colour, is compared with nothing.
fn ink(picture: &[u8]) -> Option<InkPattern> {
    InkPattern::of(picture).ok().flatten()
}

#[expect(clippy::cast_possible_truncation, reason = "between 0 and 100")]
fn hundredths(part: f32) -> i64 {
    (part * 100.0).round() as i64
}

/// Away from the threads that serve pages; `None` when it died.
async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.inspect_err(|error| tracing::warn!(%error, "an impression is not compared")).ok()
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
        let pages = match (other, found.filter(|one| !one.closed)) {
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
        if let Some(one) = found {
            self.note(by, CaseId(one.case_id.unwrap_or(one.envelope)), "ViewSeal").await?;
        }
        Ok(picture)
    }
}
