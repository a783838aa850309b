//! Checks histories against themselves, against the cases, and against a checkpoint kept outside.

use std::collections::HashMap;
use std::fmt::{self, Display};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::case::{self, CaseRow};
use crate::history::{self, Details, Entry, GENESIS, Hash, digest, hex};
use crate::{CaseId, Db, Fault, Moment, Tx, on};

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
    /// The case's state is not the one its last entry left.
    StateAltered,
    /// The details beside the entry are not those whose digest it holds.
    DetailsAltered,
    /// The case is in the checkpoint and not in the database.
    CaseMissing,
    /// The chain does not contain what the checkpoint has seen of it.
    RewrittenSinceCheckpoint,
    /// A line of the checkpoint was altered, removed or added.
    CheckpointAltered,
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
    let mut previous = GENESIS;
    let mut expected = 1;
    for entry in entries {
        while expected < entry.no {
            found.push((Some(expected), Discrepancy::EntryMissing));
            expected += 1;
        }
        if entry.hash != entry.expected_hash(&previous) {
            found.push((Some(entry.no), Discrepancy::EntryAltered));
        }
        if entry.no > row.entries {
            found.push((Some(entry.no), Discrepancy::EntryAdded));
        }
        previous = entry.hash;
        expected = entry.no + 1;
    }
    while expected <= row.entries {
        found.push((Some(expected), Discrepancy::EntryMissing));
        expected += 1;
    }
    let Some(last) = entries.last() else { return found };
    if last.no == row.entries && last.hash != row.head() {
        found.push((None, Discrepancy::HeadAltered));
    }
    if last.version != row.version {
        found.push((None, Discrepancy::VersionAltered));
    }
    if last.state_digest != digest(row.state.as_bytes()) || last.to != row.state_name {
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

/// Heads of cases as they stood at earlier moments, kept outside the database.
///
/// One JSON line a head: case, entry number, hash; then one closing line a checkpoint with its
/// time and a MAC over everything before it, chained to the MAC of the checkpoint before.
#[derive(Debug, Clone, Default)]
pub struct Checkpoint {
    /// When the newest part was taken.
    pub at: Option<Moment>,
    heads: Vec<(CaseId, i64, Hash)>,
    findings: Vec<Finding>,
    last_mac: Hash,
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
enum Line {
    Head { case: CaseId, entry: i64, hash: String },
    Close { at: Moment, heads: usize, mac: String },
}

impl Checkpoint {
    /// Reads what [`Checkpoint::extend`] wrote; damage is kept as findings, not as an error.
    pub fn read(text: &str, key: &[u8]) -> Self {
        let mut checkpoint = Self::default();
        let mut open: Vec<(CaseId, i64, Hash)> = Vec::new();
        let damaged = Finding { case: None, entry: None, what: Discrepancy::CheckpointAltered };
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            match serde_json::from_str(line) {
                Ok(Line::Head { case, entry, hash }) => match unhex(&hash) {
                    Some(hash) => open.push((case, entry, hash)),
                    None => checkpoint.findings.push(damaged.clone()),
                },
                Ok(Line::Close { at, heads, mac }) => {
                    let expected = seal(key, &checkpoint.last_mac, at, &open);
                    if heads != open.len() || mac != hex(&expected) {
                        checkpoint.findings.push(damaged.clone());
                    }
                    checkpoint.at = Some(at);
                    checkpoint.last_mac = expected;
                    checkpoint.heads.append(&mut open);
                }
                Err(_) => checkpoint.findings.push(damaged.clone()),
            }
        }
        // A tail without its closing line is a checkpoint that was interrupted: it proves nothing.
        checkpoint
    }

    /// The lines for every case that changed since the last checkpoint; empty when none did.
    pub async fn extend(&mut self, db: &Db, key: &[u8]) -> Result<String, Fault> {
        const SQL: &str = "SELECT id, entries, head FROM cases WHERE changed_at >= $1 ORDER BY id";
        let mut tx = db.read().await?;
        let now = tx.now();
        let since = self.at.map_or(i64::MIN, |at| at.0);
        let rows: Vec<(i64, i64, Vec<u8>)> =
            on!(&mut tx, |conn| sqlx::query_as(SQL).bind(since).fetch_all(conn).await)
                .map_err(Fault::database("read heads"))?;
        let known: HashMap<CaseId, i64> =
            self.heads.iter().map(|(case, no, _)| (*case, *no)).collect();
        let heads: Vec<(CaseId, i64, Hash)> = rows
            .into_iter()
            .map(|(id, no, head)| (CaseId(id), no, Hash::try_from(head).unwrap_or_default()))
            .filter(|(case, no, _)| known.get(case) != Some(no))
            .collect();
        if heads.is_empty() {
            return Ok(String::new());
        }
        let mac = seal(key, &self.last_mac, now, &heads);
        let mut lines: Vec<Line> = heads
            .iter()
            .map(|(case, entry, hash)| Line::Head { case: *case, entry: *entry, hash: hex(hash) })
            .collect();
        lines.push(Line::Close { at: now, heads: heads.len(), mac: hex(&mac) });
        self.at = Some(now);
        self.last_mac = mac;
        self.heads.extend(heads);
        let mut text = String::new();
        for line in lines {
            text.push_str(&case::write_json("checkpoint", &line)?);
            text.push('\n');
        }
        Ok(text)
    }
}

fn seal(key: &[u8], previous: &Hash, at: Moment, heads: &[(CaseId, i64, Hash)]) -> Hash {
    // HMAC takes keys of any length, so this cannot fail; an empty key would only weaken it.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return GENESIS };
    mac.update(b"checkpoint/1");
    mac.update(previous);
    mac.update(&at.0.to_be_bytes());
    for (case, no, hash) in heads {
        mac.update(&case.0.to_be_bytes());
        mac.update(&no.to_be_bytes());
        mac.update(hash);
    }
    mac.finalize().into_bytes().into()
}

fn unhex(text: &str) -> Option<Hash> {
    let mut hash = GENESIS;
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (index, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(hash)
}
