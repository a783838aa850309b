//! Letters on their way out: counted, posted under numbers that check themselves, delivered or back.

use std::collections::BTreeSet;

use engine::CaseId;
use workflows::paper::{Command, is_tracking_number};

use super::AtWork;
use crate::app::App;
use crate::customer::Declined;
use crate::store::letters::{self, LetterLine, LetterRow};

/// What is wrong with a batch; nothing of it was posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mismatch {
    /// The print station has not printed this letter yet.
    Unprinted {
        /// The case.
        case: CaseId,
    },
    /// Counted by hand and on the list differ.
    Count {
        /// On the list.
        listed: usize,
    },
    /// A number is missing or does not check itself.
    Number {
        /// Whose letter.
        case: CaseId,
    },
    /// A number stands twice, or was used before.
    Twice {
        /// Whose letter.
        case: CaseId,
    },
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Posted {
    /// Letters that left.
    pub posted: usize,
    /// Letters that a rule held back, with the code of its refusal.
    pub held: Vec<(CaseId, String)>,
}

impl App {
    /// The letters that wait to be posted, and those that are on their way.
    pub async fn letters(&self) -> Result<(Vec<LetterLine>, Vec<LetterLine>), Declined> {
        let mut tx = self.tools.db.read().await?;
        let waiting = letters::in_state(&mut tx, "printed").await?;
        Ok((waiting, letters::in_state(&mut tx, "posted").await?))
    }

    /// Hands a sealed letter to the print station, with the kind of its case; the hand-over is an entry.
    /// What was handed over is never handed over again.
    pub async fn hand_letter(
        &self,
        by: &AtWork,
        letter: i64,
    ) -> Result<(LetterRow, String), Declined> {
        let mut tx = self.tools.db.write().await?;
        let case = CaseId(letters::case_of(&mut tx, letter).await?.ok_or(Declined::NotFound)?);
        self.note_in(&mut tx, by, case, "HandLetter").await?;
        let row = letters::hand(&mut tx, letter).await?.ok_or(Declined::NotFound)?;
        let found = engine::case::find(&mut tx, case).await?.ok_or(Declined::NotFound)?;
        tx.commit().await?;
        Ok((row, found.workflow))
    }

    /// Closes a batch: as many inserts as letters, a number of its own on each; then every letter is
    /// posted.
    pub async fn post_batch(
        &self,
        by: &AtWork,
        counted: usize,
        numbers: &[(CaseId, String)],
    ) -> Result<Result<Posted, Mismatch>, Declined> {
        if counted != numbers.len() || numbers.is_empty() {
            return Ok(Err(Mismatch::Count { listed: numbers.len() }));
        }
        let mut seen = BTreeSet::new();
        for (case, tracking) in numbers {
            if !is_tracking_number(tracking) {
                return Ok(Err(Mismatch::Number { case: *case }));
            }
            let mut tx = self.tools.db.read().await?;
            if !letters::is_handed(&mut tx, *case).await? {
                return Ok(Err(Mismatch::Unprinted { case: *case }));
            }
            if !seen.insert(tracking) || letters::is_used(&mut tx, tracking).await? {
                return Ok(Err(Mismatch::Twice { case: *case }));
            }
        }
        let cases: Vec<CaseId> = numbers.iter().map(|(case, _)| *case).collect();
        self.reconcile(by, &cases).await?;
        let mut outcome = Posted::default();
        for (case, tracking) in numbers {
            let command = Command::Dispatch { tracking: tracking.clone() };
            match self.with_paper(by, *case, command, format!("post-{case}-{tracking}")).await {
                Ok(_) => outcome.posted += 1,
                Err(Declined::Refused { code }) => outcome.held.push((*case, code)),
                Err(other) => return Err(other),
            }
        }
        Ok(Ok(outcome))
    }

    /// The case of the letter with that number.
    pub async fn letter_numbered(&self, tracking: &str) -> Result<Option<CaseId>, Declined> {
        let mut tx = self.tools.db.read().await?;
        Ok(letters::by_tracking(&mut tx, tracking).await?.map(CaseId))
    }

    /// A letter by its number: delivered, or back.
    pub async fn settle_letter(
        &self,
        by: &AtWork,
        tracking: &str,
        is_back: bool,
    ) -> Result<CaseId, Declined> {
        let case = self.letter_numbered(tracking).await?.ok_or(Declined::NotFound)?;
        let (command, step) =
            if is_back { (Command::ReturnedMail, "back") } else { (Command::Deliver, "delivered") };
        self.with_paper(by, case, command, format!("{step}-{case}-{tracking}")).await?;
        Ok(case)
    }

    /// A letter was spoiled: its password is void, and a fresh one is made.
    pub async fn spoil_letter(&self, by: &AtWork, case: CaseId) -> Result<(), Declined> {
        let mut tx = self.tools.db.read().await?;
        let letter = letters::newest(&mut tx, case).await?.ok_or(Declined::NotFound)?;
        drop(tx);
        let id = format!("spoil-{case}-{}", letter.id);
        self.with_paper(by, case, Command::Spoil, id).await.map(drop)
    }
}
