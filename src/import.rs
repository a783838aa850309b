//! The ledger from files: contracts, addresses, users, specimens, staff, holidays, credentials.
//!
//! Files are CSV or JSON lines in UTF-8. Every row is checked by itself, then against the others
//! and the ledger; when one is bad, all bad ones are reported and nothing is written. The same
//! files twice change nothing.

mod codes;
mod fields;
mod files;
mod rows;
pub mod samples;
mod single;
mod write;

pub use files::Kind;
pub use single::{columns_of_contract, columns_of_user, contract_of, user_of};

use std::collections::BTreeMap;
use std::path::PathBuf;

use engine::{CaseId, Engine, Fault};
use serde::Serialize;

use crate::secret::{HashCost, Keys, SecretFault};
use crate::store::saved::Saved;
use crate::text::Language;

/// Why an import could not be tried at all. Bad rows are no fault: see [`Report::problems`].
#[derive(Debug, thiserror::Error)]
pub enum ImportFault {
    /// The database failed; nothing was written.
    #[error("the ledger could not be written")]
    Ledger {
        /// What broke.
        source: Fault,
    },
    /// A picture or a seed could not be sealed; nothing was written.
    #[error("a secret of the import could not be sealed")]
    Seal {
        /// What broke.
        source: SecretFault,
    },
    /// Two accounts would belong to one person of the identity provider; nothing was written.
    #[error(
        "the identity provider's person of account {login} belongs to account {holder} already"
    )]
    Linked {
        /// The account of the list.
        login: String,
        /// The account to which the person belongs.
        holder: String,
    },
}

/// What an import came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Rows by kind; all zero when there are problems.
    pub counts: BTreeMap<&'static str, Counts>,
    /// Every bad row; when there is one, nothing was written.
    pub problems: Vec<Problem>,
}

/// How many rows were written, and how many were so already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Not in the ledger before.
    pub new: u64,
    /// In the ledger with other values.
    pub changed: u64,
    /// In the ledger as they are.
    pub same: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, saved: Saved) {
        match saved {
            Saved::New => self.new += 1,
            Saved::Changed => self.changed += 1,
            Saved::Same => self.same += 1,
        }
    }
}

/// What is wrong with a row, and how to mend it. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    /// The file, as it was given.
    pub file: PathBuf,
    /// From 1, the heading included; 0 for the file as a whole.
    pub line: u64,
    /// The column, empty for the row as a whole.
    pub column: String,
    /// What to do, in Japanese.
    pub ja: String,
    /// What to do, in English.
    pub en: String,
}

impl Problem {
    /// One line for the terminal.
    pub fn text(&self, language: Language) -> String {
        let what = match language {
            Language::Japanese => &self.ja,
            Language::English => &self.en,
        };
        let place = match (self.line, self.column.as_str()) {
            (0, _) => String::new(),
            (line, "") => format!(":{line}"),
            (line, column) => format!(":{line}: {column}"),
        };
        format!("{}{place}: {what}", self.file.display())
    }
}

/// Reads files into the ledger: all of it or nothing. The cases of new credentials are opened
/// afterwards by whoever serves them, and so are enrolment codes made live. `cost` is what the hash
/// of a code costs.
pub async fn import(
    engine: &Engine,
    keys: &Keys,
    cost: HashCost,
    paths: &[PathBuf],
) -> Result<Report, ImportFault> {
    let mut problems = Vec::new();
    let mut ledger = rows::Ledger::default();
    for path in paths {
        match files::read(path) {
            Ok((kind, raw)) => ledger.take(kind, path, raw, &mut problems),
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Ok(refused(problems));
    }
    let failed = |source| ImportFault::Ledger { source };
    let hashed = codes::hash(engine.db(), keys, cost, &ledger).await?;
    let mut numbers: Vec<CaseId> = Vec::new();
    loop {
        let mut tx = engine.db().write().await.map_err(failed)?;
        let mut writer = write::Writer::new(keys, std::mem::take(&mut numbers), &hashed);
        writer.write(&mut tx, &ledger).await?;
        if !writer.problems.is_empty() {
            tx.roll_back().await.map_err(failed)?;
            return Ok(refused(writer.problems));
        }
        if writer.lacking == 0 {
            tx.commit().await.map_err(failed)?;
            return Ok(Report { counts: writer.counts, problems: Vec::new() });
        }
        // Numbers are taken in transactions of their own, so the first round only counts them.
        tx.roll_back().await.map_err(failed)?;
        for _ in 0..writer.lacking {
            numbers.push(engine.next_case().await.map_err(failed)?);
        }
    }
}

fn refused(mut problems: Vec<Problem>) -> Report {
    problems.sort();
    Report { counts: BTreeMap::new(), problems }
}

#[cfg(test)]
mod tests;
