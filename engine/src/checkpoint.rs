//! What the histories were at earlier moments, kept outside the database.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::case::write_json;
use crate::history::{GENESIS, Hash, hex};
use crate::verify::{Discrepancy, Finding, of_checkpoint};
use crate::{CaseId, Db, Fault, Moment, Tx, on};

/// Heads of cases as they stood at earlier moments, kept outside the database.
///
/// One JSON line a head: case, entry number, hash; then one closing line a checkpoint with its
/// time and a MAC over everything before it, chained to the MAC of the checkpoint before. A part
/// whose writing was interrupted is followed by a line that says so. The database remembers the
/// MACs, so that the file cannot lose its newest part unnoticed.
#[derive(Debug, Clone, Default)]
pub struct Checkpoint {
    /// When the newest part was taken.
    pub at: Option<Moment>,
    pub(crate) heads: Vec<(CaseId, i64, Hash)>,
    pub(crate) findings: Vec<Finding>,
    /// The text breaks off without a closing line.
    pub(crate) is_unfinished: bool,
    macs: Vec<Hash>,
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
enum Line {
    Head {
        case: CaseId,
        entry: i64,
        hash: String,
    },
    Close {
        at: Moment,
        heads: usize,
        mac: String,
    },
    /// Everything since the last closing line proves nothing.
    Resume {
        interrupted: bool,
    },
}

/// A checkpoint looks this far behind the one before: a transaction may commit, or a clock be set
/// back, after the checkpoint has looked at cases of a later time.
const OVERLAP: Duration = Duration::from_hours(24);

impl Checkpoint {
    /// Reads what [`Checkpoint::extend`] wrote; damage is kept as findings, not as an error.
    pub fn read(text: &str, key: &[u8]) -> Self {
        let mut checkpoint = Self::default();
        let mut open: Vec<(CaseId, i64, Hash)> = Vec::new();
        let mut is_damaged = false;
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            match serde_json::from_str(line) {
                Ok(Line::Head { case, entry, hash }) => match unhex(&hash) {
                    Some(hash) => open.push((case, entry, hash)),
                    None => is_damaged = true,
                },
                Ok(Line::Close { at, heads, mac }) => {
                    let expected = seal(key, &checkpoint.last_mac(), at, &open);
                    if is_damaged || heads != open.len() || mac != hex(&expected) {
                        checkpoint.findings.push(of_checkpoint(Discrepancy::CheckpointAltered));
                    }
                    is_damaged = false;
                    checkpoint.at = Some(at);
                    checkpoint.macs.push(unhex(&mac).unwrap_or_default());
                    checkpoint.heads.append(&mut open);
                }
                Ok(Line::Resume { .. }) => {
                    open.clear();
                    is_damaged = false;
                }
                Err(_) => is_damaged = true,
            }
        }
        checkpoint.is_unfinished = is_damaged || !open.is_empty() || cut_short(text);
        checkpoint
    }

    /// The lines for every case that changed since the last checkpoint; empty when none did. They
    /// are to be appended to the text that was read and brought safely to disk, then
    /// [`Checkpoint::confirm`]ed; the next `extend` confirms them otherwise.
    pub async fn extend(&mut self, db: &Db, key: &[u8]) -> Result<String, Fault> {
        // Read beside the writers: after an import there are very many, and nobody shall wait for
        // them. Who commits meanwhile with an earlier time is seen next time, by the overlap.
        let mut tx = db.read().await?;
        let now = tx.now();
        let heads = self.changed_heads(&mut tx).await?;
        drop(tx);
        let mut tx = db.write().await?;
        self.settle(&mut tx).await?;
        if heads.is_empty() {
            tx.commit().await?;
            return Ok(String::new());
        }
        let mac = seal(key, &self.last_mac(), now, &heads);
        remember(&mut tx, &mac, now).await?;
        tx.commit().await?;
        let text = self.lines(&heads, now, &mac)?;
        self.is_unfinished = false;
        self.at = Some(now);
        self.macs.push(mac);
        self.heads.extend(heads);
        Ok(text)
    }

    /// Tells the database that this checkpoint, with everything [`Checkpoint::extend`] gave, lies
    /// safely outside: from now on its absence is tampering.
    pub async fn confirm(&self, db: &Db) -> Result<(), Fault> {
        let mut tx = db.write().await?;
        mark_confirmed(&mut tx, &self.last_mac()).await?;
        tx.commit().await
    }

    fn last_mac(&self) -> Hash {
        self.macs.last().copied().unwrap_or(GENESIS)
    }

    /// True when a part that the database remembers is not here.
    pub(crate) fn lacks(&self, written: &[(Hash, bool)]) -> bool {
        let present: HashSet<&Hash> = self.macs.iter().collect();
        written.iter().any(|(mac, _)| !present.contains(mac))
    }

    async fn changed_heads(&self, tx: &mut Tx) -> Result<Vec<(CaseId, i64, Hash)>, Fault> {
        const SQL: &str = "SELECT id, entries, head FROM cases WHERE changed_at >= $1 ORDER BY id";
        let since = self.at.map_or(i64::MIN, |at| at.minus(OVERLAP).0);
        let rows: Vec<(i64, i64, Vec<u8>)> =
            on!(tx, |conn| sqlx::query_as(SQL).bind(since).fetch_all(conn).await)
                .map_err(Fault::database("read heads"))?;
        let known: HashMap<CaseId, i64> =
            self.heads.iter().map(|(case, no, _)| (*case, *no)).collect();
        Ok(rows
            .into_iter()
            .map(|(id, no, head)| (CaseId(id), no, Hash::try_from(head).unwrap_or_default()))
            .filter(|(case, no, _)| known.get(case) != Some(no))
            .collect())
    }

    /// Confirms what has been seen outside by now. A part that never arrived there, because the
    /// process died in between, is forgotten: nobody has ever relied on it.
    async fn settle(&self, tx: &mut Tx) -> Result<(), Fault> {
        for (mac, is_confirmed) in written(tx).await? {
            if self.macs.contains(&mac) {
                mark_confirmed(tx, &mac).await?;
            } else if !is_confirmed {
                forget(tx, &mac).await?;
            }
        }
        Ok(())
    }

    fn lines(
        &self,
        heads: &[(CaseId, i64, Hash)],
        at: Moment,
        mac: &Hash,
    ) -> Result<String, Fault> {
        let mut text = String::new();
        let mut push = |line: &Line| -> Result<(), Fault> {
            text.push_str(&write_json("checkpoint", line)?);
            text.push('\n');
            Ok(())
        };
        if self.is_unfinished {
            push(&Line::Resume { interrupted: true })?;
        }
        for (case, entry, hash) in heads {
            push(&Line::Head { case: *case, entry: *entry, hash: hex(hash) })?;
        }
        push(&Line::Close { at, heads: heads.len(), mac: hex(mac) })?;
        // What was interrupted may have stopped in the middle of a line.
        Ok(if self.is_unfinished { format!("\n{text}") } else { text })
    }
}

/// The MACs that were written out, and whether each was seen outside.
pub(crate) async fn written(tx: &mut Tx) -> Result<Vec<(Hash, bool)>, Fault> {
    const SQL: &str = "SELECT mac, confirmed FROM checkpoints";
    let rows: Vec<(Vec<u8>, i64)> = on!(tx, |conn| sqlx::query_as(SQL).fetch_all(conn).await)
        .map_err(Fault::database("read checkpoints"))?;
    let known = |(mac, confirmed): (Vec<u8>, i64)| {
        (Hash::try_from(mac).unwrap_or_default(), confirmed != 0)
    };
    Ok(rows.into_iter().map(known).collect())
}

async fn remember(tx: &mut Tx, mac: &Hash, at: Moment) -> Result<(), Fault> {
    const SQL: &str = "INSERT INTO checkpoints (mac, at, confirmed) VALUES ($1, $2, 0)";
    on!(tx, |conn| sqlx::query(SQL).bind(mac.as_slice()).bind(at.0).execute(conn).await.map(drop))
        .map_err(Fault::database("remember a checkpoint"))
}

async fn mark_confirmed(tx: &mut Tx, mac: &Hash) -> Result<(), Fault> {
    const SQL: &str = "UPDATE checkpoints SET confirmed = 1 WHERE mac = $1 AND confirmed = 0";
    on!(tx, |conn| sqlx::query(SQL).bind(mac.as_slice()).execute(conn).await.map(drop))
        .map_err(Fault::database("confirm a checkpoint"))
}

async fn forget(tx: &mut Tx, mac: &Hash) -> Result<(), Fault> {
    const SQL: &str = "DELETE FROM checkpoints WHERE mac = $1 AND confirmed = 0";
    on!(tx, |conn| sqlx::query(SQL).bind(mac.as_slice()).execute(conn).await.map(drop))
        .map_err(Fault::database("forget a checkpoint"))
}

fn cut_short(text: &str) -> bool {
    !text.is_empty() && !text.ends_with('\n')
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
