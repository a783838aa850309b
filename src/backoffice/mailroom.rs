//! Envelopes and scans: each page of each file finds its place, by its code, or in an envelope of its
//! own that waits to be matched.

use std::collections::BTreeMap;

use engine::{CaseId, Fault, Submission};
use forms::SubmissionNumber;
use serde::Serialize;
use sha2::{Digest, Sha256};
use workflows::submission as envelope;

use super::{AtWork, stored};
use crate::app::App;
use crate::customer::{Declined, accepted};
use crate::intake::{Contents, number_text};
use crate::reader::{FileRead, PageRead};
use crate::store::submissions::{self, EnvelopeLine, SubmissionRow};
use crate::store::{contracts, users};

/// How pages without an envelope come.
const LOOSE: &str = "scan";

/// What became of a file.
#[derive(Debug, Clone, Default, Serialize)]
pub struct FileResult {
    /// As it was sent.
    pub name: String,
    /// Pages with something on them.
    pub pages: usize,
    /// It could not be read to its end.
    pub is_broken: bool,
    /// Where its pages lie now.
    pub placed: Vec<Placed>,
}

/// Pages that lie in one envelope.
#[derive(Debug, Clone, Serialize)]
pub struct Placed {
    /// The form's number.
    pub number: String,
    /// How many.
    pub pages: usize,
    /// What comes next: `read`, `counting`, `unregistered`, `loose`, `duplicate`, `over`.
    pub what: &'static str,
}

impl App {
    /// Envelopes that stand at some of the mail room's steps.
    pub async fn envelopes(&self, states: &[&str]) -> Result<Vec<EnvelopeLine>, Fault> {
        let mut tx = self.tools.db.read().await?;
        submissions::envelopes(&mut tx, &states.join(",")).await
    }

    /// Takes a scanned file in: read once in a child, kept sealed, every page put where its code
    /// says.
    pub async fn take_in(
        &self,
        by: &AtWork,
        name: &str,
        bytes: &[u8],
    ) -> Result<FileResult, Declined> {
        let read = self.read_scan(bytes).await?;
        let mut result = FileResult {
            name: name.to_owned(),
            pages: 0,
            is_broken: read.error.is_some(),
            placed: Vec::new(),
        };
        for (number, pages) in by_number(&read) {
            result.pages += pages.len();
            let placed = self.place_pages(by, number, bytes, pages).await?;
            result.placed.push(placed);
        }
        if result.pages == 0 {
            // Nothing could be read: kept all the same, for a person to look at.
            result.placed.push(self.open_loose(by, bytes, read, 1).await?);
        }
        Ok(result)
    }

    async fn place_pages(
        &self,
        by: &AtWork,
        number: Option<i64>,
        bytes: &[u8],
        pages: Vec<PageRead>,
    ) -> Result<Placed, Declined> {
        let count = pages.len();
        let read = FileRead { pages, error: None };
        let row = match number {
            Some(number) => {
                let mut tx = self.tools.db.read().await?;
                submissions::find(&mut tx, number).await?
            }
            None => None,
        };
        let Some(row) = row else { return self.open_loose(by, bytes, read, count).await };
        let text = number_text(row.number);
        let placed = |what| Ok(Placed { number: text.clone(), pages: count, what });
        if !self.keep_file(row.number, bytes, &read, count).await? {
            return placed("duplicate");
        }
        let case = CaseId(row.case_id);
        let mut tx = self.tools.db.read().await?;
        let state = engine::case::find(&mut tx, case).await?.ok_or(Declined::NotFound)?.state_name;
        let scanned = submissions::count_pages(&mut tx, row.number).await?;
        drop(tx);
        match state.as_str() {
            "Received" if scanned == row.counted => {
                let id = format!("scan-{text}-{scanned}");
                self.with_submission(by, case, envelope::Command::Scan, id).await?;
                placed("read")
            }
            "Received" => placed("counting"),
            "Incomplete" => {
                let pages = u16::try_from(count).unwrap_or(u16::MAX);
                let command = envelope::Command::AddPages { pages };
                self.with_submission(by, case, command, format!("add-{text}-{scanned}")).await?;
                placed("read")
            }
            "Draft" => placed("unregistered"),
            _ => placed("over"),
        }
    }

    /// Pages that name no form of ours get an envelope of their own.
    async fn open_loose(
        &self,
        by: &AtWork,
        bytes: &[u8],
        read: FileRead,
        count: usize,
    ) -> Result<Placed, Declined> {
        let digest: [u8; 32] = Sha256::digest(bytes).into();
        let mut tx = self.tools.db.read().await?;
        if let Some(number) = submissions::of_digest(&mut tx, &digest).await? {
            return Ok(Placed { number: number_text(number), pages: count, what: "duplicate" });
        }
        drop(tx);
        let mut random = [0; 8];
        (self.tools.entropy)(&mut random);
        let number = stored(SubmissionNumber::from_random(random));
        let variant = read.pages.iter().find_map(|page| page.variant.clone());
        let case = self.engine.next_case().await?;
        let row = SubmissionRow {
            number,
            case_id: case.0,
            variant: variant.unwrap_or_else(|| forms::Variant::BizStation.to_string()),
            contract_id: None,
            receipt: String::new(),
            carrier: String::new(),
            counted: 0,
            prefilled: String::new(),
            reading: String::new(),
        };
        let text = number_text(number);
        let pages = u16::try_from(count).unwrap_or(u16::MAX);
        let command = envelope::Command::Receive { carrier: LOOSE.to_owned(), pages };
        let submission = Submission::opening(
            case,
            format!("submission-{text}"),
            command,
            by.actor(),
            format!("receive-{text}"),
        );
        let submission = submission.from(by.origin());
        accepted(self.desks.submission.submit(submission, Some(row)).await?)?;
        self.keep_file(number, bytes, &read, count).await?;
        let id = format!("scan-{text}-{count}");
        self.with_submission(by, case, envelope::Command::Scan, id).await?;
        Ok(Placed { number: text, pages: count, what: "loose" })
    }

    /// Keeps a file in an envelope; false when it lies there already.
    async fn keep_file(
        &self,
        number: i64,
        bytes: &[u8],
        read: &FileRead,
        count: usize,
    ) -> Result<bool, Fault> {
        let mut page = self.page_row(number, 0, bytes, read, count)?;
        let mut tx = self.tools.db.write().await?;
        if submissions::holds(&mut tx, number, &page.digest).await? {
            return Ok(false);
        }
        page.no = submissions::next_no(&mut tx, number).await?;
        submissions::add_page(&mut tx, &page).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// A clerk has found out whose form it is: the contract, and the users where their numbers could
    /// not be read.
    pub async fn match_form(
        &self,
        by: &AtWork,
        case: CaseId,
        contract_number: &str,
        user_ids: &BTreeMap<u8, String>,
    ) -> Result<(), Declined> {
        let mut tx = self.tools.db.write().await?;
        let row = submissions::of_case(&mut tx, case).await?.ok_or(Declined::NotFound)?;
        let contract = contracts::id_of(&mut tx, contract_number).await?;
        let contract = contract.ok_or(Declined::NotFound)?;
        let mut contents = Contents::read(&row.reading).unwrap_or_default();
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
        self.with_submission(by, case, envelope::Command::Match, id).await
    }
}

/// The pages of a file by the form that their codes name, in the order in which forms first come;
/// blank ones hold nothing that could be misplaced.
fn by_number(read: &FileRead) -> Vec<(Option<i64>, Vec<PageRead>)> {
    let mut groups: Vec<(Option<i64>, Vec<PageRead>)> = Vec::new();
    for page in read.pages.iter().filter(|page| page.kind != "blank") {
        let number = page.case_id.as_deref().and_then(|text| text.parse().ok());
        match groups.iter_mut().find(|(other, _)| *other == number) {
            Some((_, pages)) => pages.push(page.clone()),
            None => groups.push((number, vec![page.clone()])),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mixed_batch_is_sorted_and_no_page_is_lost() {
        let page = |page: usize, case_id: Option<&str>, kind: &str| PageRead {
            page,
            case_id: case_id.map(ToOwned::to_owned),
            kind: kind.to_owned(),
            ..PageRead::default()
        };
        let pages = vec![
            page(1, Some("000000000007"), "form"),
            page(2, None, "blank"),
            page(3, Some("000000000009"), "form"),
            page(4, None, "other"),
            page(5, Some("000000000007"), "form"),
        ];
        let groups = by_number(&FileRead { pages, error: None });
        let shown: Vec<(Option<i64>, Vec<usize>)> = groups
            .iter()
            .map(|(number, pages)| (*number, pages.iter().map(|page| page.page).collect()))
            .collect();
        assert_eq!(shown, [(Some(7), vec![1, 5]), (Some(9), vec![3]), (None, vec![4])]);
    }
}
