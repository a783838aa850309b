//! Envelopes, their pages and what was found on them.

use engine::{CaseId, Fault, Tx, on};

/// A row of `submissions`.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct SubmissionRow {
    /// The number in the code of its pages.
    pub number: i64,
    /// Its case.
    pub case_id: i64,
    /// `bizstation` or `light`.
    pub variant: String,
    /// The contract, once it is known.
    pub contract_id: Option<i64>,
    /// Receipt number, empty before the envelope came.
    pub receipt: String,
    /// How it came.
    pub carrier: String,
    /// Pages counted by hand.
    pub counted: i64,
    /// What was printed into the form, JSON.
    pub prefilled: String,
    /// What was read, JSON; empty before.
    pub reading: String,
}

const COLUMNS: &str = "SELECT number, case_id, variant, contract_id, receipt, carrier, counted, \
     prefilled, reading FROM submissions WHERE number = $1";
const BY_CASE: &str = "SELECT number, case_id, variant, contract_id, receipt, carrier, counted, \
     prefilled, reading FROM submissions WHERE case_id = $1";

/// Writes the row of a submission as its case is opened.
pub async fn insert(tx: &mut Tx, row: &SubmissionRow) -> Result<(), Fault> {
    const SQL: &str = "INSERT INTO submissions (number, case_id, variant, contract_id, receipt, \
         carrier, counted, prefilled, reading) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(row.number)
        .bind(row.case_id)
        .bind(&row.variant)
        .bind(row.contract_id)
        .bind(&row.receipt)
        .bind(&row.carrier)
        .bind(row.counted)
        .bind(&row.prefilled)
        .bind(&row.reading)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("write a submission"))
}

/// Finds a submission by its number.
pub async fn find(tx: &mut Tx, number: i64) -> Result<Option<SubmissionRow>, Fault> {
    on!(tx, |conn| sqlx::query_as(COLUMNS).bind(number).fetch_optional(conn).await)
        .map_err(Fault::database("read a submission"))
}

/// Finds a submission by its case.
pub async fn of_case(tx: &mut Tx, case: CaseId) -> Result<Option<SubmissionRow>, Fault> {
    on!(tx, |conn| sqlx::query_as(BY_CASE).bind(case.0).fetch_optional(conn).await)
        .map_err(Fault::database("read a submission"))
}

/// Notes that the envelope came.
pub async fn receive(
    tx: &mut Tx,
    case: CaseId,
    receipt: &str,
    carrier: &str,
    pages: i64,
) -> Result<(), Fault> {
    const SQL: &str =
        "UPDATE submissions SET receipt = $2, carrier = $3, counted = $4 WHERE case_id = $1";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(case.0)
        .bind(receipt)
        .bind(carrier)
        .bind(pages)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("register an envelope"))
}

/// Mends how an envelope came and how many pages were counted.
pub async fn mend(tx: &mut Tx, case: CaseId, carrier: &str, pages: i64) -> Result<(), Fault> {
    const SQL: &str = "UPDATE submissions SET carrier = $2, counted = $3 WHERE case_id = $1";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(case.0)
        .bind(carrier)
        .bind(pages)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("register an envelope"))
}

/// Counts pages that came later.
pub async fn count_more(tx: &mut Tx, case: CaseId, pages: i64) -> Result<(), Fault> {
    const SQL: &str = "UPDATE submissions SET counted = counted + $2 WHERE case_id = $1";
    on!(tx, |conn| sqlx::query(SQL).bind(case.0).bind(pages).execute(conn).await.map(drop))
        .map_err(Fault::database("count pages"))
}

/// Keeps what was read, and the contract it names.
pub async fn keep_reading(
    tx: &mut Tx,
    case: CaseId,
    contract: Option<i64>,
    reading: &str,
) -> Result<(), Fault> {
    const SQL: &str = "UPDATE submissions SET reading = $2, \
         contract_id = COALESCE($3, contract_id) WHERE case_id = $1";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(case.0)
        .bind(reading)
        .bind(contract)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("keep a reading"))
}

/// A scanned file of a submission, without the file itself: only who opens it loads it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct PageRow {
    /// The submission.
    pub submission: i64,
    /// From 1, in the order of the scan.
    pub no: i64,
    /// Pages in this file.
    pub page_count: i64,
    /// SHA-256 of the file.
    pub digest: Vec<u8>,
    /// What was read, JSON.
    pub reading: String,
    /// Which arrival brought it; none for what came before arrivals were kept, or was handed in
    /// through the local socket.
    pub arrival: Option<i64>,
}

/// Keeps a scanned file, sealed; false when this very file is there already.
pub async fn add_page(tx: &mut Tx, page: &PageRow, sealed: &[u8]) -> Result<bool, Fault> {
    const SQL: &str = "INSERT INTO pages (submission, no, page_count, digest, picture, reading, \
         scanned_at, arrival) VALUES ($1,$2,$3,$4,$5,$6,$7,$8) ON CONFLICT (submission, no) DO NOTHING";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL)
        .bind(page.submission)
        .bind(page.no)
        .bind(page.page_count)
        .bind(&page.digest)
        .bind(sealed)
        .bind(&page.reading)
        .bind(now)
        .bind(page.arrival)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
    .map_err(Fault::database("keep a page"))
}

/// A scanned file itself, sealed.
pub async fn file(tx: &mut Tx, page: &PageRow) -> Result<Option<Vec<u8>>, Fault> {
    const SQL: &str = "SELECT picture FROM pages WHERE submission = $1 AND no = $2";
    on!(tx, |conn| sqlx::query_scalar(SQL)
        .bind(page.submission)
        .bind(page.no)
        .fetch_optional(conn)
        .await)
    .map_err(Fault::database("read a scan"))
}

/// The scanned files of a submission.
pub async fn pages(tx: &mut Tx, submission: i64) -> Result<Vec<PageRow>, Fault> {
    const SQL: &str = "SELECT submission, no, page_count, digest, reading, arrival \
         FROM pages WHERE submission = $1 ORDER BY no";
    on!(tx, |conn| sqlx::query_as(SQL).bind(submission).fetch_all(conn).await)
        .map_err(Fault::database("read pages"))
}

/// An envelope with where it stands.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct EnvelopeLine {
    /// The form's number.
    pub number: i64,
    /// Its case.
    pub case_id: i64,
    /// Receipt number.
    pub receipt: String,
    /// How it came.
    pub carrier: String,
    /// Pages counted by hand.
    pub counted: i64,
    /// Pages scanned.
    pub scanned: i64,
    /// The state's name.
    pub state_name: String,
    /// When anything was last recorded.
    pub changed_at: i64,
    /// The company, once the contract is known; else empty.
    pub company: String,
}

macro_rules! envelope {
    ($rest:literal) => {
        concat!(
            "SELECT s.number, s.case_id, s.receipt, s.carrier, s.counted, \
             (SELECT CAST(COALESCE(SUM(p.page_count), 0) AS BIGINT) FROM pages p \
             WHERE p.submission = s.number) AS scanned, c.state_name, c.changed_at, \
             COALESCE(k.company, '') AS company FROM cases c \
             JOIN submissions s ON s.case_id = c.id \
             LEFT JOIN contracts k ON k.id = s.contract_id ",
            $rest
        )
    };
}

/// The envelope of a form, wherever it stands.
pub async fn envelope(tx: &mut Tx, number: i64) -> Result<Option<EnvelopeLine>, Fault> {
    const SQL: &str = envelope!("WHERE s.number = $1");
    on!(tx, |conn| sqlx::query_as(SQL).bind(number).fetch_optional(conn).await)
        .map_err(Fault::database("read envelopes"))
}

/// The envelope with a receipt number.
pub async fn by_receipt(tx: &mut Tx, receipt: &str) -> Result<Option<EnvelopeLine>, Fault> {
    const SQL: &str = envelope!("WHERE s.receipt = $1 AND s.receipt <> ''");
    on!(tx, |conn| sqlx::query_as(SQL).bind(receipt).fetch_optional(conn).await)
        .map_err(Fault::database("read envelopes"))
}

/// The envelopes in some states, by name with commas between, the oldest first.
pub async fn envelopes(tx: &mut Tx, states: &str) -> Result<Vec<EnvelopeLine>, Fault> {
    const SQL: &str = envelope!(
        "WHERE c.workflow = 'submission' \
         AND c.ended_at IS NULL AND ',' || $1 || ',' LIKE '%,' || c.state_name || ',%' \
         ORDER BY c.opened_at, c.id LIMIT 200"
    );
    on!(tx, |conn| sqlx::query_as(SQL).bind(states).fetch_all(conn).await)
        .map_err(Fault::database("read envelopes"))
}

/// The place of the next file of a submission.
pub async fn next_no(tx: &mut Tx, submission: i64) -> Result<i64, Fault> {
    const SQL: &str = "SELECT CAST(COALESCE(MAX(no), 0) AS BIGINT) + 1 FROM pages \
         WHERE submission = $1";
    on!(tx, |conn| sqlx::query_scalar(SQL).bind(submission).fetch_one(conn).await)
        .map_err(Fault::database("read pages"))
}

/// Puts another reading in the place of an earlier one of the same file.
pub async fn read_anew(
    tx: &mut Tx,
    submission: i64,
    no: i64,
    page_count: i64,
    reading: &str,
    arrival: Option<i64>,
) -> Result<(), Fault> {
    const SQL: &str = "UPDATE pages SET page_count = $3, reading = $4, \
         arrival = COALESCE($5, arrival) WHERE submission = $1 AND no = $2";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(submission)
        .bind(no)
        .bind(page_count)
        .bind(reading)
        .bind(arrival)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("keep a reading"))
}

/// The first submission into which another arrival brought these bytes, with what was read.
pub async fn of_digest(
    tx: &mut Tx,
    digest: &[u8],
    arrival: i64,
) -> Result<Option<(i64, String)>, Fault> {
    const SQL: &str = "SELECT submission, reading FROM pages WHERE digest = $1 \
         AND submission IS NOT NULL AND (arrival IS NULL OR arrival <> $2) ORDER BY id LIMIT 1";
    on!(tx, |conn| sqlx::query_as(SQL).bind(digest).bind(arrival).fetch_optional(conn).await)
        .map_err(Fault::database("read pages"))
}

/// How many pages the scanned files of a submission hold.
pub async fn count_pages(tx: &mut Tx, submission: i64) -> Result<i64, Fault> {
    const SQL: &str =
        "SELECT CAST(COALESCE(SUM(page_count), 0) AS BIGINT) FROM pages WHERE submission = $1";
    on!(tx, |conn| sqlx::query_scalar(SQL).bind(submission).fetch_one(conn).await)
        .map_err(Fault::database("count pages"))
}

/// Links a request on the form to the case that carries it.
pub async fn add_item(
    tx: &mut Tx,
    submission: i64,
    row: i64,
    request: &str,
    user: i64,
    case: CaseId,
) -> Result<(), Fault> {
    const SQL: &str = "INSERT INTO items (submission, row_no, request, user_id, case_id) \
         VALUES ($1,$2,$3,$4,$5) ON CONFLICT (submission, row_no, request) DO NOTHING";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(submission)
        .bind(row)
        .bind(request)
        .bind(user)
        .bind(case.0)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("link a request"))
}

/// The cases of a submission: row, request, case.
pub async fn items(tx: &mut Tx, submission: i64) -> Result<Vec<(i64, String, i64)>, Fault> {
    const SQL: &str = "SELECT row_no, request, case_id FROM items WHERE submission = $1 \
         ORDER BY row_no, request";
    on!(tx, |conn| sqlx::query_as(SQL).bind(submission).fetch_all(conn).await)
        .map_err(Fault::database("read requests"))
}

/// Takes a page out of a submission; the remaining ones keep their order.
pub async fn detach(tx: &mut Tx, case: CaseId, no: i64) -> Result<(), Fault> {
    const SQL: &str = "UPDATE pages SET submission = NULL WHERE no = $2 AND submission = \
         (SELECT number FROM submissions WHERE case_id = $1)";
    on!(tx, |conn| sqlx::query(SQL).bind(case.0).bind(no).execute(conn).await.map(drop))
        .map_err(Fault::database("detach a page"))
}

/// Closes the page images of a submission that goes back.
pub async fn close_pages(tx: &mut Tx, case: CaseId) -> Result<(), Fault> {
    const SQL: &str = "UPDATE pages SET closed = TRUE WHERE submission = \
         (SELECT number FROM submissions WHERE case_id = $1)";
    on!(tx, |conn| sqlx::query(SQL).bind(case.0).execute(conn).await.map(drop))
        .map_err(Fault::database("close pages"))
}
