//! The history of a case: entries chained by hash over one documented encoding.
//!
//! # Encoding, version 1
//! The SHA-256 of the following fields in this order, each preceded by its length in bytes as an
//! unsigned 32-bit big-endian number. Integers and times (microseconds since 1970 UTC) are 8 bytes,
//! two's complement, big-endian; text is UTF-8 in Unicode normalization form C; digests are their
//! 32 bytes.
//!
//! `"entry/1"`, case, number, kind, time, actor, role, auth, place, command id, command,
//! from state, to state, outcome, version, state digest, details digest, hash of the entry before
//! (32 zero bytes for the first).
//!
//! The state digest is the SHA-256 of these fields of the case after the entry, in the same
//! encoding: `"state/1"`, workflow, version of the stored form, subject, state as stored, anchors as
//! stored. The details digest is the SHA-256 of a 16-byte salt followed by the details' text; 32
//! zero bytes when there are none. `docs/history-encoding.md` has a worked example.

use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

use crate::{CaseId, Fault, Moment, Tx, on};

/// A SHA-256.
pub type Hash = [u8; 32];

/// What precedes the first entry.
pub const GENESIS: Hash = [0; 32];

/// What an entry records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A command was accepted.
    Transition,
    /// A submission was declined.
    Refused,
    /// Something was seen or done that leaves the state alone, such as a view of an image.
    Noted,
}

impl EntryKind {
    /// As stored and hashed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transition => "transition",
            Self::Refused => "refused",
            Self::Noted => "noted",
        }
    }
}

/// One line of history.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Entry {
    /// The case.
    pub case: CaseId,
    /// From 1, without gaps.
    pub no: i64,
    /// `transition`, `refused` or `noted`.
    pub kind: String,
    /// When.
    pub at: Moment,
    /// Who.
    pub actor: String,
    /// In which role.
    pub role: String,
    /// How the actor was authenticated.
    pub auth: String,
    /// Terminal or network place.
    pub place: String,
    /// Unique among transitions.
    pub command_id: String,
    /// What was asked, by name.
    pub command: String,
    /// The state's name before.
    pub from: String,
    /// The state's name after.
    pub to: String,
    /// Reason code, refusal, or empty.
    pub outcome: String,
    /// The case's version after this entry.
    pub version: i64,
    /// Digest of the stored state after this entry.
    #[serde(serialize_with = "as_hex")]
    pub state_digest: Hash,
    /// Salted digest of the details.
    #[serde(serialize_with = "as_hex")]
    pub details_digest: Hash,
    /// Of this entry, over everything above and the hash before.
    #[serde(serialize_with = "as_hex")]
    pub hash: Hash,
}

impl Entry {
    /// The canonical bytes, version 1.
    pub fn canonical(&self, previous: &Hash) -> Vec<u8> {
        canonical_fields(&[
            b"entry/1",
            &self.case.0.to_be_bytes(),
            &self.no.to_be_bytes(),
            self.kind.as_bytes(),
            &self.at.0.to_be_bytes(),
            self.actor.as_bytes(),
            self.role.as_bytes(),
            self.auth.as_bytes(),
            self.place.as_bytes(),
            self.command_id.as_bytes(),
            self.command.as_bytes(),
            self.from.as_bytes(),
            self.to.as_bytes(),
            self.outcome.as_bytes(),
            &self.version.to_be_bytes(),
            &self.state_digest,
            &self.details_digest,
            previous,
        ])
    }

    /// The hash this entry should have after `previous`.
    pub fn expected_hash(&self, previous: &Hash) -> Hash {
        digest(&self.canonical(previous))
    }

    /// Normalizes every text and sets the hash.
    pub(crate) fn sealed(mut self, previous: &Hash) -> Self {
        for text in [
            &mut self.actor,
            &mut self.role,
            &mut self.auth,
            &mut self.place,
            &mut self.command_id,
            &mut self.command,
            &mut self.outcome,
        ] {
            if !text.is_ascii() {
                *text = text.nfc().collect();
            }
        }
        self.hash = self.expected_hash(previous);
        self
    }
}

/// Personal details that stand beside an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    /// Random, so that the digest does not betray guessable details.
    pub salt: [u8; 16],
    /// JSON.
    pub text: String,
}

impl Details {
    /// What the entry holds of them.
    pub fn digest(&self) -> Hash {
        let mut hasher = Sha256::new();
        hasher.update(self.salt);
        hasher.update(self.text.as_bytes());
        hasher.finalize().into()
    }
}

/// Every field preceded by its length, so that no two lists of fields give the same bytes.
pub(crate) fn canonical_fields(fields: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    for field in fields {
        let length = u32::try_from(field.len()).unwrap_or(u32::MAX);
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(field);
    }
    out
}

/// SHA-256 of `bytes`.
pub fn digest(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn as_hex<S: serde::Serializer>(hash: &Hash, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex(hash))
}

const INSERT: &str = "INSERT INTO entries (case_id, no, kind, at, actor, role, auth, place, \
     command_id, command, from_state, to_state, outcome, version, state_digest, details_digest, \
     hash) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17)";
const INSERT_DETAILS: &str =
    "INSERT INTO entry_details (case_id, no, salt, details) VALUES ($1,$2,$3,$4)";

/// What an [`append`] is called in a fault.
pub(crate) const APPENDING: &str = "append to the history";

pub(crate) async fn append(
    tx: &mut Tx,
    entry: &Entry,
    details: Option<&Details>,
) -> Result<(), Fault> {
    on!(tx, |conn| sqlx::query(INSERT)
        .bind(entry.case.0)
        .bind(entry.no)
        .bind(&entry.kind)
        .bind(entry.at.0)
        .bind(&entry.actor)
        .bind(&entry.role)
        .bind(&entry.auth)
        .bind(&entry.place)
        .bind(&entry.command_id)
        .bind(&entry.command)
        .bind(&entry.from)
        .bind(&entry.to)
        .bind(&entry.outcome)
        .bind(entry.version)
        .bind(entry.state_digest.as_slice())
        .bind(entry.details_digest.as_slice())
        .bind(entry.hash.as_slice())
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database(APPENDING))?;
    let Some(details) = details else { return Ok(()) };
    on!(tx, |conn| sqlx::query(INSERT_DETAILS)
        .bind(entry.case.0)
        .bind(entry.no)
        .bind(details.salt.as_slice())
        .bind(&details.text)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("write details"))
}

/// A row of `entries` as selected by [`SELECT_ENTRIES`].
#[derive(sqlx::FromRow)]
struct Row {
    case_id: i64,
    no: i64,
    kind: String,
    at: i64,
    actor: String,
    role: String,
    auth: String,
    place: String,
    command_id: String,
    command: String,
    from_state: String,
    to_state: String,
    outcome: String,
    version: i64,
    state_digest: Vec<u8>,
    details_digest: Vec<u8>,
    hash: Vec<u8>,
}

impl From<Row> for Entry {
    fn from(row: Row) -> Self {
        // A digest of the wrong length cannot match anything: it becomes zeros and is reported.
        let fixed = |bytes: Vec<u8>| Hash::try_from(bytes).unwrap_or(GENESIS);
        Self {
            case: CaseId(row.case_id),
            no: row.no,
            kind: row.kind,
            at: Moment(row.at),
            actor: row.actor,
            role: row.role,
            auth: row.auth,
            place: row.place,
            command_id: row.command_id,
            command: row.command,
            from: row.from_state,
            to: row.to_state,
            outcome: row.outcome,
            version: row.version,
            state_digest: fixed(row.state_digest),
            details_digest: fixed(row.details_digest),
            hash: fixed(row.hash),
        }
    }
}

const SELECT_ENTRIES: &str = "SELECT case_id, no, kind, at, actor, role, auth, place, command_id, \
     command, from_state, to_state, outcome, version, state_digest, details_digest, hash \
     FROM entries WHERE case_id = $1 ORDER BY no";

/// The whole history of a case, oldest first.
pub async fn entries(tx: &mut Tx, case: CaseId) -> Result<Vec<Entry>, Fault> {
    let rows: Vec<Row> =
        on!(tx, |conn| sqlx::query_as(SELECT_ENTRIES).bind(case.0).fetch_all(conn).await)
            .map_err(Fault::database("read the history"))?;
    Ok(rows.into_iter().map(Entry::from).collect())
}

/// The details that stand beside the entries of a case, by entry number; purged ones are missing.
pub async fn details(tx: &mut Tx, case: CaseId) -> Result<Vec<(i64, Details)>, Fault> {
    const SQL: &str = "SELECT no, salt, details FROM entry_details WHERE case_id = $1 ORDER BY no";
    let rows: Vec<(i64, Vec<u8>, String)> =
        on!(tx, |conn| sqlx::query_as(SQL).bind(case.0).fetch_all(conn).await)
            .map_err(Fault::database("read details"))?;
    Ok(rows
        .into_iter()
        .map(|(no, salt, text)| (no, Details { salt: salt.try_into().unwrap_or_default(), text }))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../docs/history-encoding.md");

    fn row() -> crate::case::CaseRow {
        crate::case::CaseRow {
            id: 7,
            workflow: "paper".into(),
            shape: 1,
            subject: "user-12".into(),
            state: "\"Checked\"".into(),
            state_name: "Checked".into(),
            version: 2,
            entries: 2,
            head: Vec::new(),
            anchors: "{\"entered\":1795000000123456}".into(),
            opened_at: 0,
            changed_at: 0,
            ended_at: None,
        }
    }

    fn details() -> Details {
        let salt = std::array::from_fn(|index| u8::try_from(index).unwrap());
        Details { salt, text: "{\"name\":\"山田 太郎\"}".into() }
    }

    fn entry() -> Entry {
        Entry {
            case: CaseId(7),
            no: 2,
            kind: "transition".into(),
            at: Moment(1_795_000_000_123_456),
            actor: "staff-3".into(),
            role: "clerk".into(),
            auth: "password+totp".into(),
            place: "受付か\u{3099}窓口".into(),
            command_id: "cmd-1".into(),
            command: "Accept".into(),
            from: "Received".into(),
            to: "Checked".into(),
            outcome: String::new(),
            version: 2,
            state_digest: row().state_digest(),
            details_digest: details().digest(),
            hash: GENESIS,
        }
    }

    /// A second program, years from now, must compute the same bytes. The values were computed by
    /// another program from the page alone.
    #[test]
    fn the_encoding_is_the_one_documented() {
        let sealed = entry().sealed(&GENESIS);
        assert_eq!(sealed.place, "受付が窓口", "text is stored in form C");
        let bytes = sealed.canonical(&GENESIS);
        assert_eq!(&bytes[..11], b"\x00\x00\x00\x07entry/1");
        assert_eq!(&bytes[11..23], b"\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00\x07");
        assert_eq!(bytes.len(), 283);
        let golden = [
            (
                sealed.state_digest,
                "18937065bfda901573d7e4fbb6f872e488d314a4d5c245e08042351d51ffd5b9",
            ),
            (
                sealed.details_digest,
                "0073176a67aac5825afe3d1e8d14cacb26f6a9052ab6888e235a70db082d536d",
            ),
            (sealed.hash, "a9edc5de172dc83277bb50d11bde52eee2b7ceaea6611e57cbc80bf803c1d5f4"),
        ];
        for (computed, documented) in golden {
            assert_eq!(hex(&computed), documented);
            assert!(PAGE.contains(documented), "the page tells the same: {documented}");
        }
    }

    #[test]
    fn every_field_counts() {
        let first = entry().sealed(&GENESIS).hash;
        let changes: [fn(&mut Entry); 15] = [
            |e| e.case.0 += 1,
            |e| e.no += 1,
            |e| e.kind.push('x'),
            |e| e.at.0 += 1,
            |e| e.actor.push('x'),
            |e| e.role.push('x'),
            |e| e.auth.push('x'),
            |e| e.place.push('x'),
            |e| e.command_id.push('x'),
            |e| e.command.push('x'),
            |e| std::mem::swap(&mut e.from, &mut e.to),
            |e| e.outcome.push('x'),
            |e| e.version += 1,
            |e| e.state_digest = GENESIS,
            |e| e.details_digest = digest(b""),
        ];
        for change in changes {
            let mut altered = entry();
            change(&mut altered);
            assert_ne!(altered.sealed(&GENESIS).hash, first);
        }
        assert_ne!(entry().sealed(&digest(b"")).hash, first);
    }
}
