//! Which e-mails were handed over, so that a retry tells each person once.

use engine::{CaseId, Fault, Tx, on};

/// A message that was handed over.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct MailRow {
    /// The outbox row it comes from.
    pub outbox_id: i64,
    /// `user-<id>`.
    pub recipient: String,
    /// Its Message-ID.
    pub message_id: String,
    /// When it was handed over.
    pub sent_at: i64,
}

/// Who has been told by this outbox row.
pub async fn recipients(tx: &mut Tx, outbox: i64) -> Result<Vec<String>, Fault> {
    const SQL: &str = "SELECT recipient FROM mails WHERE outbox_id = $1";
    on!(tx, |conn| sqlx::query_scalar(SQL).bind(outbox).fetch_all(conn).await)
        .map_err(Fault::database("read sent mails"))
}

/// Remembers that somebody has been told; a second time changes nothing.
pub async fn remember(
    tx: &mut Tx,
    outbox: i64,
    recipient: &str,
    message_id: &str,
) -> Result<(), Fault> {
    const SQL: &str = "INSERT INTO mails (outbox_id, recipient, message_id, sent_at) \
         VALUES ($1,$2,$3,$4) ON CONFLICT (outbox_id, recipient) DO NOTHING";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL)
        .bind(outbox)
        .bind(recipient)
        .bind(message_id)
        .bind(now)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("remember a mail"))
}

/// The mails that a case has sent, oldest first.
pub async fn of_case(tx: &mut Tx, case: CaseId) -> Result<Vec<MailRow>, Fault> {
    const SQL: &str = "SELECT m.outbox_id, m.recipient, m.message_id, m.sent_at FROM mails m \
         JOIN outbox o ON o.id = m.outbox_id WHERE o.case_id = $1 \
         ORDER BY m.sent_at, m.outbox_id, m.recipient";
    on!(tx, |conn| sqlx::query_as(SQL).bind(case.0).fetch_all(conn).await)
        .map_err(Fault::database("read sent mails"))
}

/// Whose matter a case is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Customer {
    /// The contract.
    pub contract_id: i64,
    /// The user, unless the case is about a whole envelope.
    pub user_id: Option<i64>,
}

/// Whose matter a case is; `None` when it is not known (yet).
pub async fn customer(tx: &mut Tx, case: CaseId) -> Result<Option<Customer>, Fault> {
    const SQL: &str = "SELECT u.contract_id, r.user_id FROM reissues r \
           JOIN users u ON u.id = r.user_id WHERE r.case_id = $1 \
         UNION ALL SELECT u.contract_id, k.user_id FROM credentials k \
           JOIN users u ON u.id = k.user_id WHERE k.case_id = $1 \
         UNION ALL SELECT u.contract_id, n.user_id FROM enrolments n \
           JOIN users u ON u.id = n.user_id WHERE n.case_id = $1 \
         UNION ALL SELECT u.contract_id, e.user_id FROM expiries e \
           JOIN users u ON u.id = e.user_id WHERE e.case_id = $1 \
         UNION ALL SELECT u.contract_id, i.user_id FROM items i \
           JOIN users u ON u.id = i.user_id WHERE i.case_id = $1 \
         UNION ALL SELECT s.contract_id, NULL FROM submissions s \
           WHERE s.case_id = $1 AND s.contract_id IS NOT NULL LIMIT 1";
    on!(tx, |conn| sqlx::query_as(SQL).bind(case.0).fetch_optional(conn).await)
        .map_err(Fault::database("read whose case it is"))
}

/// Who wrote an entry of a case's history.
pub async fn actor(tx: &mut Tx, case: CaseId, entry: i64) -> Result<Option<String>, Fault> {
    const SQL: &str = "SELECT actor FROM entries WHERE case_id = $1 AND no = $2";
    on!(tx, |conn| sqlx::query_scalar(SQL).bind(case.0).bind(entry).fetch_optional(conn).await)
        .map_err(Fault::database("read who acted"))
}
