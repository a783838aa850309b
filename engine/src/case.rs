//! The stored form of a case.

use std::collections::BTreeMap;

use crate::history::{Hash, canonical_fields, digest};
use crate::{CaseId, Fault, Kind, Moment, Tx, Workflow, label, on};

/// A row of `cases`.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct CaseRow {
    /// The case.
    pub id: i64,
    /// Its kind.
    pub workflow: String,
    /// The version of the stored form.
    pub shape: i64,
    /// What it is about.
    pub subject: String,
    /// The state as JSON.
    pub state: String,
    /// The state's name.
    pub state_name: String,
    /// Transitions so far.
    pub version: i64,
    /// History entries so far.
    pub entries: i64,
    /// Hash of the last entry.
    pub head: Vec<u8>,
    /// Named moments, as JSON.
    pub anchors: String,
    /// When it was opened.
    pub opened_at: i64,
    /// When anything was last recorded.
    pub changed_at: i64,
    /// When it came to rest, if it has.
    pub ended_at: Option<i64>,
}

impl CaseRow {
    /// The case's number.
    pub fn case(&self) -> CaseId {
        CaseId(self.id)
    }

    /// The hash of the last entry.
    pub fn head(&self) -> Hash {
        Hash::try_from(self.head.as_slice()).unwrap_or_default()
    }

    /// What the history holds of everything that makes up the case now.
    pub fn state_digest(&self) -> Hash {
        digest(&canonical_fields(&[
            b"state/1",
            self.workflow.as_bytes(),
            &self.shape.to_be_bytes(),
            self.subject.as_bytes(),
            self.state.as_bytes(),
            self.anchors.as_bytes(),
        ]))
    }

    /// The state, brought up to today's form; a case of another workflow is no such case.
    pub fn read_state<W: Workflow>(&self) -> Result<W::State, Fault> {
        if self.workflow != W::NAME {
            return Err(Fault::NoSuchCase { case: self.case() });
        }
        let read = if self.shape == i64::from(W::VERSION) {
            serde_json::from_str(&self.state).ok()
        } else {
            u32::try_from(self.shape).ok().and_then(|shape| W::upgrade(shape, &self.state))
        };
        read.ok_or(Fault::Unreadable { case: self.case(), what: "state" })
    }

    /// The named moments.
    pub fn read_anchors(&self) -> Result<BTreeMap<String, Moment>, Fault> {
        serde_json::from_str(&self.anchors)
            .map_err(|_| Fault::Unreadable { case: self.case(), what: "set of anchors" })
    }

    /// A row for a case about to be opened.
    pub(crate) fn fresh<W: Workflow>(
        case: CaseId,
        subject: &str,
        now: Moment,
    ) -> Result<Self, Fault> {
        let state = W::start();
        Ok(Self {
            id: case.0,
            workflow: W::NAME.to_owned(),
            shape: i64::from(W::VERSION),
            subject: subject.to_owned(),
            state_name: label(&state),
            state: write_json("state", &state)?,
            version: 0,
            entries: 0,
            head: crate::history::GENESIS.to_vec(),
            anchors: write_json("anchors", &BTreeMap::from([("opened", now), ("entered", now)]))?,
            opened_at: now.0,
            changed_at: now.0,
            ended_at: None,
        })
    }
}

/// Serializes a value that is going to be stored.
pub(crate) fn write_json(
    what: &'static str,
    value: &impl serde::Serialize,
) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|source| Fault::Unwritable { what, source })
}

const COLUMNS: &str = "SELECT id, workflow, shape, subject, state, state_name, version, entries, \
     head, anchors, opened_at, changed_at, ended_at FROM cases WHERE id = $1";
const LOCKED: &str = "SELECT id, workflow, shape, subject, state, state_name, version, entries, \
     head, anchors, opened_at, changed_at, ended_at FROM cases WHERE id = $1 FOR UPDATE";

/// Reads a case.
pub async fn find(tx: &mut Tx, case: CaseId) -> Result<Option<CaseRow>, Fault> {
    on!(tx, |conn| sqlx::query_as(COLUMNS).bind(case.0).fetch_optional(conn).await)
        .map_err(Fault::database("read a case"))
}

/// Reads a case, if it exists, and keeps everybody else from changing it until the transaction
/// ends.
pub(crate) async fn lock(tx: &mut Tx, case: CaseId) -> Result<Option<CaseRow>, Fault> {
    let sql = if tx.kind() == Kind::Postgres { LOCKED } else { COLUMNS };
    on!(tx, |conn| sqlx::query_as(sql).bind(case.0).fetch_optional(conn).await)
        .map_err(Fault::database("lock a case"))
}

/// What a case is about; fails when it does not exist.
pub(crate) async fn subject(tx: &mut Tx, case: CaseId) -> Result<String, Fault> {
    const SQL: &str = "SELECT subject FROM cases WHERE id = $1";
    let found: Option<String> =
        on!(tx, |conn| sqlx::query_scalar(SQL).bind(case.0).fetch_optional(conn).await)
            .map_err(Fault::database("read a case"))?;
    found.ok_or(Fault::NoSuchCase { case })
}

const INSERT: &str = "INSERT INTO cases (id, workflow, shape, subject, state, state_name, version, \
     entries, head, anchors, opened_at, changed_at, ended_at) \
     VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13)";
const UPDATE: &str = "UPDATE cases SET shape = $2, state = $3, state_name = $4, version = $5, \
     entries = $6, head = $7, anchors = $8, changed_at = $9, ended_at = $10 WHERE id = $1";

/// What an [`insert`] is called in a fault.
pub(crate) const INSERTING: &str = "open a case";

pub(crate) async fn insert(tx: &mut Tx, row: &CaseRow) -> Result<(), Fault> {
    on!(tx, |conn| sqlx::query(INSERT)
        .bind(row.id)
        .bind(&row.workflow)
        .bind(row.shape)
        .bind(&row.subject)
        .bind(&row.state)
        .bind(&row.state_name)
        .bind(row.version)
        .bind(row.entries)
        .bind(&row.head)
        .bind(&row.anchors)
        .bind(row.opened_at)
        .bind(row.changed_at)
        .bind(row.ended_at)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database(INSERTING))
}

pub(crate) async fn update(tx: &mut Tx, row: &CaseRow) -> Result<(), Fault> {
    on!(tx, |conn| sqlx::query(UPDATE)
        .bind(row.id)
        .bind(row.shape)
        .bind(&row.state)
        .bind(&row.state_name)
        .bind(row.version)
        .bind(row.entries)
        .bind(&row.head)
        .bind(&row.anchors)
        .bind(row.changed_at)
        .bind(row.ended_at)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("change a case"))
}
