//! The host of masks: where they lie stands beside the cases, written in the same transaction.

use std::sync::Arc;

use data_encoding::HEXLOWER;
use engine::{Addressed, Answer, Ask, Failure, Fault, Host, Parcel, Tx, Write};
use workflows::mask::{Effect, Facts, Job, Mask, Notice};
use workflows::terms::{Rules, Signal};

use super::{Missing, Tools, reissue};
use crate::store::masks::{self, MaskRow};
use crate::store::pictures;

/// Serves the masks.
pub struct MaskHost {
    tools: Arc<Tools>,
}

/// What the case of a mask is about: a page of a file.
pub(crate) fn page_subject(digest: &[u8], page: i64) -> String {
    format!("page-{}-{page}", HEXLOWER.encode(digest))
}

/// The page that a subject names.
pub(crate) fn page_of_subject(subject: &str) -> Option<(Vec<u8>, i64)> {
    let (digest, page) = subject.strip_prefix("page-")?.split_once('-')?;
    Some((HEXLOWER.decode(digest.as_bytes()).ok()?, page.parse().ok()?))
}

impl MaskHost {
    /// A host.
    pub fn new(tools: Arc<Tools>) -> Self {
        Self { tools }
    }
}

fn page_in(subject: &str) -> Result<(Vec<u8>, i64), Fault> {
    let missing = || Missing::Subject { what: "page", subject: subject.to_owned() };
    page_of_subject(subject).ok_or_else(|| Fault::host("find a page")(missing()))
}

async fn write(tx: &mut Tx, write: &Write<'_, Mask, ()>) -> Result<(), Fault> {
    for effect in write.effects {
        match effect {
            Effect::KeepMask { area } => {
                let (digest, page) = page_in(write.subject)?;
                let row = MaskRow {
                    case_id: write.case.0,
                    digest,
                    page,
                    x: i64::from(area.x),
                    y: i64::from(area.y),
                    w: i64::from(area.w),
                    h: i64::from(area.h),
                    laid_by: write.actor.id.0.clone(),
                    lifted: 0,
                };
                masks::insert(tx, &row).await?;
            }
            Effect::DropMask => masks::lift(tx, write.case).await?,
        }
    }
    Ok(())
}

impl Host<Mask> for MaskHost {
    type Attachment = ();
    type Prepared = ();

    fn rules(&self) -> Arc<Rules> {
        self.tools.rules.clone()
    }

    async fn prepare(&self, _ask: &Ask<'_, Mask>, (): &()) -> Result<(), Fault> {
        Ok(())
    }

    async fn lock(&self, _tx: &mut Tx, _subjects: &[String]) -> Result<(), Fault> {
        Ok(())
    }

    async fn facts(&self, tx: &mut Tx, asks: &[Ask<'_, Mask>]) -> Result<Vec<Facts>, Fault> {
        let mut all = Vec::with_capacity(asks.len());
        for ask in asks {
            let (digest, page) = page_in(ask.subject)?;
            all.push(Facts { page_found: pictures::is_kept(tx, &digest, page).await? });
        }
        Ok(all)
    }

    async fn apply(&self, tx: &mut Tx, writes: &[Write<'_, Mask, ()>]) -> Result<(), Fault> {
        for one in writes {
            write(tx, one).await?;
        }
        Ok(())
    }

    fn address(&self, signal: &Signal) -> Result<Addressed, Fault> {
        reissue::address(signal)
    }

    async fn send(&self, parcel: Parcel<Notice>) -> Result<(), Failure> {
        match parcel.body {}
    }

    async fn perform(&self, parcel: Parcel<Job>) -> Result<Option<Answer<Mask, ()>>, Failure> {
        match parcel.body {}
    }
}

#[cfg(test)]
mod tests {
    use super::{page_of_subject, page_subject};

    #[test]
    fn a_page_is_named_and_found_again() {
        let digest = vec![0xab; 32];
        let subject = page_subject(&digest, 7);
        assert_eq!(page_of_subject(&subject), Some((digest, 7)));
        assert_eq!(page_of_subject("user-3"), None);
    }
}
