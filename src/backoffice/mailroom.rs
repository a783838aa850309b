//! Envelopes and scans: every file that comes is kept before anything else is done with it, and each of
//! its pages finds its place, by its code, or in an envelope of its own that waits to be matched.

mod arrive;
pub mod folder;
mod place;
mod report;

pub use report::{FileResult, Placed, Tally};

use std::collections::BTreeMap;

use engine::{CaseId, Fault};
use workflows::submission as envelope;

use super::AtWork;
use crate::app::App;
use crate::customer::Declined;
use crate::intake::{Contents, number_text};
use crate::reader::FileRead;
use crate::store::submissions::{self, EnvelopeLine};
use crate::store::{contracts, sheets, users};

/// Whether a stored reading says that something of the file is not known.
pub(super) fn has_failed(reading: &str) -> bool {
    serde_json::from_str(reading).map_or(true, |read: FileRead| read.is_failed())
}

impl App {
    /// Envelopes that stand at some of the mail room's steps.
    pub async fn envelopes(&self, states: &[&str]) -> Result<Vec<EnvelopeLine>, Fault> {
        let mut tx = self.tools.db.read().await?;
        submissions::envelopes(&mut tx, &states.join(",")).await
    }

    async fn state_of(&self, case: CaseId) -> Result<String, Declined> {
        let mut tx = self.tools.db.read().await?;
        Ok(engine::case::find(&mut tx, case).await?.ok_or(Declined::NotFound)?.state_name)
    }

    /// Lets an envelope go on once all of its pages are scanned; gives its state. Somebody else may be
    /// quicker: then there is nothing left to do.
    pub(super) async fn scan_when_counted(
        &self,
        by: &AtWork,
        number: i64,
        case: CaseId,
    ) -> Result<String, Declined> {
        let mut tx = self.tools.db.read().await?;
        let row = submissions::find(&mut tx, number).await?.ok_or(Declined::NotFound)?;
        let scanned = submissions::count_pages(&mut tx, number).await?;
        drop(tx);
        let state = self.state_of(case).await?;
        if state != "Received" || scanned == 0 || scanned != row.counted {
            return Ok(state);
        }
        let id = format!("scan-{}-{scanned}", number_text(number));
        match self.with_submission(by, case, envelope::Command::Scan, id).await {
            Ok(()) | Err(Declined::Refused { .. }) => {}
            Err(other) => return Err(other),
        }
        let mut tx = self.tools.db.write().await?;
        sheets::go_on(&mut tx, number).await?;
        tx.commit().await?;
        self.state_of(case).await
    }

    /// Lets an envelope be read once more, after a reading that had failed was mended.
    pub(super) async fn read_again(
        &self,
        by: &AtWork,
        number: i64,
        case: CaseId,
    ) -> Result<(), Declined> {
        if !matches!(self.state_of(case).await?.as_str(), "Unidentified" | "Incomplete") {
            return Ok(());
        }
        let mut tx = self.tools.db.read().await?;
        let pages = submissions::count_pages(&mut tx, number).await?;
        drop(tx);
        // As many pages are read again once: sent twice, it finds the finished entry.
        let id = format!("again-{}-{pages}-{}", number_text(number), self.nonce());
        match self.with_submission(by, case, envelope::Command::ReadAgain, id).await {
            Ok(()) | Err(Declined::Refused { .. }) => Ok(()),
            Err(other) => Err(other),
        }
    }

    /// A clerk has found out whose form it is: the contract, and the users where their numbers could
    /// not be read.
    pub async fn match_form(
        &self,
        by: &AtWork,
        case: CaseId,
        contract_number: &str,
        user_ids: &BTreeMap<u8, String>,
    ) -> Result<bool, Declined> {
        let mut tx = self.tools.db.write().await?;
        let row = submissions::of_case(&mut tx, case).await?.ok_or(Declined::NotFound)?;
        let contract = contracts::id_of(&mut tx, contract_number).await?;
        let contract = contract.ok_or(Declined::NotFound)?;
        let mut contents = Contents::read(&row.reading).unwrap_or_default();
        if contents.pages_seen.is_empty() {
            return Err(Declined::Refused { code: "submission.PagesIncomplete".to_owned() });
        }
        contract_number.clone_into(&mut contents.contract_number);
        for found in &mut contents.users {
            if let Some(typed) = user_ids.get(&found.row).filter(|typed| !typed.is_empty()) {
                found.user_id.clone_from(typed);
            }
            found.user = users::id_of(&mut tx, contract, &found.user_id).await?;
        }
        let text = serde_json::to_string(&contents)
            .map_err(|source| Fault::Unwritable { what: "reading", source })?;
        submissions::keep_reading(&mut tx, case, Some(contract), &text).await?;
        tx.commit().await?;
        let id = format!("match-{case}-{}", self.nonce());
        let is_whole = contents.is_complete();
        let command =
            if is_whole { envelope::Command::Match } else { envelope::Command::MarkIncomplete };
        self.with_submission(by, case, command, id).await?;
        Ok(is_whole)
    }

    /// What came is no form of ours: it is kept, and asked about no more.
    pub async fn put_aside(&self, by: &AtWork, case: CaseId) -> Result<(), Declined> {
        let id = format!("aside-{case}-{}", self.nonce());
        self.with_submission(by, case, envelope::Command::Archive, id).await
    }
}
