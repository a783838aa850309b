//! Copies of a finished reissue case, so that pages can be measured among very many.

use engine::copies::{Copy, Template};
use engine::{CaseId, Fault, Tx, on};

use super::certificates::CertificateRow;

/// A copy of a reissue case with what the ledger holds beside it.
#[derive(Debug, Clone)]
pub struct ReissueCopy<'a> {
    /// The engine's part.
    pub copy: Copy<'a>,
    /// For whom.
    pub user: i64,
    /// Who opened it, as an actor.
    pub opened_by: &'a str,
    /// The certificate that came of it.
    pub certificate: &'a CertificateRow,
}

/// Somebody of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Person {
    /// The row.
    pub id: i64,
    /// The contract's row.
    pub contract_id: i64,
    /// Ten digits.
    pub contract: String,
    /// Nine digits.
    pub user_id: String,
    /// Holds the reissue authority.
    pub reissue_authority: bool,
}

/// Everybody, by contract and user ID.
pub async fn people(tx: &mut Tx) -> Result<Vec<Person>, Fault> {
    const SQL: &str = "SELECT u.id, u.contract_id, c.number AS contract, u.user_id, \
         u.reissue_authority FROM users u JOIN contracts c ON c.id = u.contract_id \
         ORDER BY c.number, u.user_id";
    on!(tx, |conn| sqlx::query_as(SQL).fetch_all(conn).await)
        .map_err(Fault::database("read everybody"))
}

const REISSUE: &str = "INSERT INTO reissues (case_id, user_id, channel, reason, opened_by, danger, \
     confirmed_address, submission, form_date, specimen, remailed, duplicate_of, defects, \
     opened_at) SELECT $2, $3, channel, reason, $4, danger, confirmed_address, submission, \
     form_date, specimen, remailed, duplicate_of, defects, opened_at - $5 \
     FROM reissues WHERE case_id = $1";
const PASSWORD: &str = "INSERT INTO retrieval_passwords (case_id, user_id, command_id, issued_by, \
     channel, state, why, verifier, key_id, sealed, ticket, issued_at, settled_at) \
     SELECT $2, $3, command_id || $6, $4, channel, state, why, verifier, key_id, NULL, NULL, \
     issued_at - $5, settled_at - $5 FROM retrieval_passwords WHERE case_id = $1";
/// A notice of a copy is the one of the same entry and name in the original.
const MAILS: &str = "INSERT INTO mails (outbox_id, recipient, message_id, sent_at) \
     SELECT n.id, m.recipient, m.message_id || $4, m.sent_at - $3 \
     FROM outbox o JOIN mails m ON m.outbox_id = o.id \
     JOIN outbox n ON n.case_id = $2 AND n.entry = o.entry AND n.label = o.label \
     WHERE o.case_id = $1";
const CERTIFICATE: &str = "INSERT INTO certificates (serial, fingerprint, user_id, case_id, der, \
     not_before, not_after, state, held_by, why, changed_at, unused, sealed_key) \
     VALUES ($1,$2,$3,$4,$5,$6,$7,$8,NULL,$9,$10,FALSE,NULL)";

/// Writes a copy: the engine's rows, then the ledger's.
pub async fn write(
    tx: &mut Tx,
    template: &Template,
    reissue: &ReissueCopy<'_>,
) -> Result<(), Fault> {
    let copy = &reissue.copy;
    template.write(tx, copy).await?;
    let (from, case) = (template.case().0, copy.case.0);
    let earlier = i64::try_from(copy.earlier.as_micros()).unwrap_or(i64::MAX);
    let ending = format!("-{case}");
    let fault = Fault::database("copy a reissue");
    on!(tx, |conn| sqlx::query(REISSUE)
        .bind(from)
        .bind(case)
        .bind(reissue.user)
        .bind(reissue.opened_by)
        .bind(earlier)
        .execute(conn)
        .await
        .map(drop))
    .map_err(&fault)?;
    on!(tx, |conn| sqlx::query(PASSWORD)
        .bind(from)
        .bind(case)
        .bind(reissue.user)
        .bind(reissue.opened_by)
        .bind(earlier)
        .bind(&ending)
        .execute(conn)
        .await
        .map(drop))
    .map_err(&fault)?;
    on!(tx, |conn| sqlx::query(MAILS)
        .bind(from)
        .bind(case)
        .bind(earlier)
        .bind(&ending)
        .execute(conn)
        .await
        .map(drop))
    .map_err(&fault)?;
    certificate(tx, copy.case, reissue.certificate).await
}

async fn certificate(tx: &mut Tx, case: CaseId, row: &CertificateRow) -> Result<(), Fault> {
    on!(tx, |conn| sqlx::query(CERTIFICATE)
        .bind(&row.serial)
        .bind(&row.fingerprint)
        .bind(row.user_id)
        .bind(case.0)
        .bind(&row.der)
        .bind(row.not_before)
        .bind(row.not_after)
        .bind(&row.state)
        .bind(&row.why)
        .bind(row.changed_at)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("copy a certificate"))
}
