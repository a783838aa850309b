//! Checks histories against themselves, against the cases, and against a checkpoint kept outside.

use std::collections::HashMap;
use std::fmt::{self, Display};

use crate::case::{self, CaseRow};
pub use crate::checkpoint::Checkpoint;
use crate::history::{self, Details, Entry, GENESIS, Hash};
use crate::{CaseId, Db, Fault, Moment, Tx, checkpoint, on};

/// Something that does not agree.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// The case; `None` when the checkpoint itself is at fault.
    pub case: Option<CaseId>,
    /// The entry, when one can be named.
    pub entry: Option<i64>,
    /// What is wrong.
    pub what: Discrepancy,
}

/// The ways in which a history can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Discrepancy {
    /// The entry's content does not give its hash, or it does not follow its predecessor.
    EntryAltered,
    /// The entry is missing from the chain.
    EntryMissing,
    /// The chain goes on after the last entry that the case knows.
    EntryAdded,
    /// The case's head is not the hash of the last entry.
    HeadAltered,
    /// The case's version is not the one its last entry left.
    VersionAltered,
    /// The case's state, subject, kind or moments are not those its last entry left.
    StateAltered,
    /// The details beside the entry are not those whose digest it holds.
    DetailsAltered,
    /// The case is in the checkpoint and not in the database.
    CaseMissing,
    /// The chain does not contain what the checkpoint has seen of it.
    RewrittenSinceCheckpoint,
    /// A line of the checkpoint was altered, removed or added.
    CheckpointAltered,
    /// The checkpoint lacks its newest part: it was cut, or its writing was interrupted.
    CheckpointTruncated,
}

impl Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.case {
            Some(case) => write!(f, "case {case}")?,
            None => f.write_str("checkpoint")?,
        }
        if let Some(entry) = self.entry {
            write!(f, ", entry {entry}")?;
        }
        f.write_str(match self.what {
            Discrepancy::EntryAltered => ": the entry was altered or moved",
            Discrepancy::EntryMissing => ": the entry is missing",
            Discrepancy::EntryAdded => ": an entry was added behind the case's back",
            Discrepancy::HeadAltered => ": the case's head is not the hash of its last entry",
            Discrepancy::VersionAltered => ": the case's version is not what its history says",
            Discrepancy::StateAltered => ": the case's state is not what its history says",
            Discrepancy::DetailsAltered => ": the entry's details were altered",
            Discrepancy::CaseMissing => ": the case is missing",
            Discrepancy::RewrittenSinceCheckpoint => {
                ": the history was rewritten since the checkpoint"
            }
            Discrepancy::CheckpointAltered => ": a line was altered, removed or added",
            Discrepancy::CheckpointTruncated => ": its newest part is missing",
        })
    }
}

/// What a verification looked at and found.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Report {
    /// Cases looked at.
    pub cases: usize,
    /// Entries looked at.
    pub entries: usize,
    /// Checkpoint lines compared.
    pub checkpointed: usize,
    /// When the last checkpoint was taken.
    pub checkpoint_at: Option<Moment>,
    /// Everything that does not agree.
    pub findings: Vec<Finding>,
}

impl Report {
    /// True when nothing was found.
    pub fn is_intact(&self) -> bool {
        self.findings.is_empty()
    }
}

pub(crate) fn of_checkpoint(what: Discrepancy) -> Finding {
    Finding { case: None, entry: None, what }
}

/// Verifies every case, or one, against itself and against `checkpoint`.
pub async fn verify(
    db: &Db,
    only: Option<CaseId>,
    checkpoint: Option<&Checkpoint>,
) -> Result<Report, Fault> {
    const CASES: &str = "SELECT id FROM cases WHERE id > $1 ORDER BY id LIMIT 500";
    let mut report = Report::default();
    let mut tx = db.read().await?;
    let mut seen: HashMap<CaseId, Vec<(i64, Hash)>> = HashMap::new();
    if let Some(checkpoint) = checkpoint {
        report.checkpoint_at = checkpoint.at;
        report.findings.extend(checkpoint.findings.iter().cloned());
        if checkpoint.is_unfinished || checkpoint.lacks(&checkpoint::written(&mut tx).await?) {
            report.findings.push(of_checkpoint(Discrepancy::CheckpointTruncated));
        }
        for (case, no, hash) in &checkpoint.heads {
            if only.is_none_or(|only| only == *case) {
                seen.entry(*case).or_default().push((*no, *hash));
            }
        }
    }
    let mut after = only.map_or(0, |case| case.0 - 1);
    loop {
        let ids: Vec<i64> =
            on!(&mut tx, |conn| sqlx::query_scalar(CASES).bind(after).fetch_all(conn).await)
                .map_err(Fault::database("list cases"))?;
        let Some(last) = ids.last() else { break };
        after = *last;
        for id in ids.into_iter().filter(|id| only.is_none_or(|only| only.0 == *id)) {
            let heads = seen.remove(&CaseId(id)).unwrap_or_default();
            verify_case(&mut tx, CaseId(id), &heads, &mut report).await?;
        }
        if only.is_some() {
            break;
        }
    }
    let mut missing: Vec<CaseId> = seen.into_keys().collect();
    missing.sort_unstable();
    let gone = |case| Finding { case: Some(case), entry: None, what: Discrepancy::CaseMissing };
    report.findings.extend(missing.into_iter().map(gone));
    Ok(report)
}

async fn verify_case(
    tx: &mut Tx,
    case: CaseId,
    heads: &[(i64, Hash)],
    report: &mut Report,
) -> Result<(), Fault> {
    let Some(row) = case::find(tx, case).await? else { return Ok(()) };
    let entries = history::entries(tx, case).await?;
    let details = history::details(tx, case).await?;
    report.cases += 1;
    report.entries += entries.len();
    report.checkpointed += heads.len();
    let mut found = chain_findings(&row, &entries);
    found.extend(details_findings(&entries, &details));
    for (no, hash) in heads {
        let holds = entries.iter().any(|entry| entry.no == *no && entry.hash == *hash);
        if !holds {
            found.push((Some(*no), Discrepancy::RewrittenSinceCheckpoint));
        }
    }
    let name = |(entry, what)| Finding { case: Some(case), entry, what };
    report.findings.extend(found.into_iter().map(name));
    Ok(())
}

fn chain_findings(row: &CaseRow, entries: &[Entry]) -> Vec<(Option<i64>, Discrepancy)> {
    let mut found = Vec::new();
    // Unknown behind a gap: what follows a missing entry cannot be checked against it.
    let mut previous = Some(GENESIS);
    let mut expected = 1;
    for entry in entries {
        while expected < entry.no {
            found.push((Some(expected), Discrepancy::EntryMissing));
            expected += 1;
            previous = None;
        }
        if previous.is_some_and(|previous| entry.hash != entry.expected_hash(&previous)) {
            found.push((Some(entry.no), Discrepancy::EntryAltered));
        }
        if entry.no > row.entries {
            found.push((Some(entry.no), Discrepancy::EntryAdded));
        }
        previous = Some(entry.hash);
        expected = entry.no + 1;
    }
    // No case is without an entry, whatever its row says.
    while expected <= row.entries.max(1) {
        found.push((Some(expected), Discrepancy::EntryMissing));
        expected += 1;
    }
    if let Some(last) = entries.last().filter(|last| last.no == row.entries) {
        found.extend(row_findings(row, last));
    }
    found
}

/// What the case's row says otherwise than its last entry.
fn row_findings(row: &CaseRow, last: &Entry) -> Vec<(Option<i64>, Discrepancy)> {
    let mut found = Vec::new();
    if last.hash != row.head() {
        found.push((None, Discrepancy::HeadAltered));
    }
    if last.version != row.version {
        found.push((None, Discrepancy::VersionAltered));
    }
    if last.state_digest != row.state_digest() || last.to != row.state_name {
        found.push((None, Discrepancy::StateAltered));
    }
    found
}

fn details_findings(
    entries: &[Entry],
    details: &[(i64, Details)],
) -> Vec<(Option<i64>, Discrepancy)> {
    let altered = |(no, details): &(i64, Details)| {
        let entry = entries.iter().find(|entry| entry.no == *no)?;
        (entry.details_digest != details.digest())
            .then_some((Some(*no), Discrepancy::DetailsAltered))
    };
    details.iter().filter_map(altered).collect()
}
