//! What a reissue case is about, beside its state.

use engine::{CaseId, Fault, Moment, Tx, on};

/// A row of `reissues`.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Reissue {
    /// The case.
    pub case_id: i64,
    /// Who shall get the password.
    pub user_id: i64,
    /// `self_service`, `delegated` or `paper`.
    pub channel: String,
    /// Why.
    pub reason: String,
    /// Who opened it.
    pub opened_by: String,
    /// A danger sign that nobody has cleared.
    pub danger: bool,
    /// The version of the registered address that was confirmed, 0 when none.
    pub confirmed_address: i64,
    /// The form's number.
    pub submission: Option<i64>,
    /// The date written on the form, ISO.
    pub form_date: Option<String>,
    /// The specimen shown to the clerk.
    pub specimen: Option<i64>,
    /// The password was re-mailed after an expiry.
    pub remailed: bool,
    /// The case goes on in this earlier one.
    pub duplicate_of: Option<i64>,
    /// Defect codes, comma-separated.
    pub defects: String,
    /// When it was opened.
    pub opened_at: i64,
    /// When its newest form came.
    pub received_at: i64,
}

/// Reads the row of a case.
pub async fn find(tx: &mut Tx, case: CaseId) -> Result<Option<Reissue>, Fault> {
    const SQL: &str = "SELECT case_id, user_id, channel, reason, opened_by, danger, \
         confirmed_address, submission, form_date, specimen, remailed, duplicate_of, defects, \
         opened_at, received_at FROM reissues WHERE case_id = $1";
    on!(tx, |conn| sqlx::query_as(SQL).bind(case.0).fetch_optional(conn).await)
        .map_err(Fault::database("read a reissue"))
}

/// Writes the row of a case that was just opened.
pub async fn insert(tx: &mut Tx, row: &Reissue) -> Result<(), Fault> {
    const SQL: &str = "INSERT INTO reissues (case_id, user_id, channel, reason, opened_by, danger, \
         confirmed_address, submission, form_date, specimen, remailed, duplicate_of, defects, \
         opened_at, received_at) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15)";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(row.case_id)
        .bind(row.user_id)
        .bind(&row.channel)
        .bind(&row.reason)
        .bind(&row.opened_by)
        .bind(row.danger)
        .bind(row.confirmed_address)
        .bind(row.submission)
        .bind(row.form_date.as_deref())
        .bind(row.specimen)
        .bind(row.remailed)
        .bind(row.duplicate_of)
        .bind(&row.defects)
        .bind(row.opened_at)
        .bind(row.received_at)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("write a reissue"))
}

/// The user's other reissue cases that are still open: case and channel.
pub async fn open_of_user(
    tx: &mut Tx,
    user: i64,
    except: CaseId,
) -> Result<Vec<(i64, String)>, Fault> {
    const SQL: &str = "SELECT r.case_id, r.channel FROM reissues r JOIN cases c ON c.id = r.case_id \
         WHERE r.user_id = $1 AND r.case_id <> $2 AND c.ended_at IS NULL ORDER BY r.case_id";
    on!(tx, |conn| sqlx::query_as(SQL).bind(user).bind(except.0).fetch_all(conn).await)
        .map_err(Fault::database("read open cases"))
}

/// The user's other open cases that came on no form, or on another one: case, and when it was
/// opened.
pub async fn open_elsewhere(
    tx: &mut Tx,
    user: i64,
    except: CaseId,
    form: i64,
) -> Result<Vec<(i64, i64)>, Fault> {
    const SQL: &str = "SELECT r.case_id, r.opened_at FROM reissues r \
         JOIN cases c ON c.id = r.case_id WHERE r.user_id = $1 AND r.case_id <> $2 \
         AND (r.submission IS NULL OR r.submission <> $3) AND c.ended_at IS NULL \
         ORDER BY r.case_id";
    on!(tx, |conn| sqlx::query_as(SQL).bind(user).bind(except.0).bind(form).fetch_all(conn).await)
        .map_err(Fault::database("read open cases"))
}

/// True when a danger sign stands over an open case of the user.
pub async fn has_danger(tx: &mut Tx, user: i64) -> Result<bool, Fault> {
    const SQL: &str = "SELECT COUNT(*) FROM reissues r JOIN cases c ON c.id = r.case_id \
         WHERE r.user_id = $1 AND c.ended_at IS NULL \
         AND (r.danger OR c.state_name = 'Tail.Frozen')";
    let count: i64 = on!(tx, |conn| sqlx::query_scalar(SQL).bind(user).fetch_one(conn).await)
        .map_err(Fault::database("read danger signs"))?;
    Ok(count > 0)
}

/// Open paper cases that came in the same envelope.
pub async fn siblings(tx: &mut Tx, case: CaseId, submission: i64) -> Result<Vec<CaseId>, Fault> {
    const SQL: &str = "SELECT r.case_id FROM reissues r JOIN cases c ON c.id = r.case_id \
         WHERE r.submission = $1 AND r.case_id <> $2 AND r.channel = 'paper' \
         AND c.ended_at IS NULL ORDER BY r.case_id";
    let rows: Vec<i64> =
        on!(tx, |conn| sqlx::query_scalar(SQL).bind(submission).bind(case.0).fetch_all(conn).await)
            .map_err(Fault::database("read cases of one envelope"))?;
    Ok(rows.into_iter().map(CaseId).collect())
}

/// The newest open case of a user on one way.
pub async fn newest_open(tx: &mut Tx, user: i64, channel: &str) -> Result<Option<CaseId>, Fault> {
    const SQL: &str = "SELECT r.case_id FROM reissues r JOIN cases c ON c.id = r.case_id \
         WHERE r.user_id = $1 AND r.channel = $2 AND c.ended_at IS NULL \
         ORDER BY r.case_id DESC LIMIT 1";
    let found: Option<i64> =
        on!(tx, |conn| sqlx::query_scalar(SQL).bind(user).bind(channel).fetch_optional(conn).await)
            .map_err(Fault::database("read open cases"))?;
    Ok(found.map(CaseId))
}

/// The newest open delegated case that this person opened.
pub async fn newest_opened_by(tx: &mut Tx, actor: &str) -> Result<Option<CaseId>, Fault> {
    const SQL: &str = "SELECT r.case_id FROM reissues r JOIN cases c ON c.id = r.case_id \
         WHERE r.opened_by = $1 AND r.channel = 'delegated' AND c.ended_at IS NULL \
         AND c.state_name = 'Confirming' ORDER BY r.case_id DESC LIMIT 1";
    let found: Option<i64> =
        on!(tx, |conn| sqlx::query_scalar(SQL).bind(actor).fetch_optional(conn).await)
            .map_err(Fault::database("read open cases"))?;
    Ok(found.map(CaseId))
}

/// One remembered change of a case's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change<'a> {
    /// A danger sign is raised or cleared.
    Danger(bool),
    /// The present address is confirmed.
    ConfirmedAddress(i64),
    /// Re-mailed after an expiry.
    Remailed,
    /// Goes on in an earlier case.
    DuplicateOf(CaseId),
    /// What is wrong with the form.
    Defects(&'a str),
    /// The form came again, corrected: what was shown and read of the one before is over.
    Submission {
        /// The new form's number.
        number: i64,
        /// Its date, ISO.
        form_date: Option<&'a str>,
        /// The reason on it.
        reason: &'a str,
        /// The reason is a danger sign.
        is_dangerous: bool,
    },
    /// The date of the form, ISO, where no specimen is valid on it.
    Dated(&'a str),
    /// The specimen that was looked at, if the form still has the date for which it was shown.
    Seen {
        /// The specimen.
        specimen: i64,
        /// ISO date.
        form_date: Option<&'a str>,
    },
    /// The specimen that was shown, and the date of the form.
    Shown {
        /// The specimen.
        specimen: i64,
        /// ISO date.
        form_date: Option<&'a str>,
    },
}

/// Changes a case's row.
pub async fn change(tx: &mut Tx, case: CaseId, change: &Change<'_>) -> Result<(), Fault> {
    const DANGER: &str = "UPDATE reissues SET danger = $2 WHERE case_id = $1";
    const ADDRESS: &str = "UPDATE reissues SET confirmed_address = $2 WHERE case_id = $1";
    const REMAILED: &str = "UPDATE reissues SET remailed = TRUE WHERE case_id = $1";
    const DUPLICATE: &str = "UPDATE reissues SET duplicate_of = $2 WHERE case_id = $1";
    const DEFECTS: &str = "UPDATE reissues SET defects = $2 WHERE case_id = $1";
    const SUBMISSION: &str = "UPDATE reissues SET submission = $2, received_at = $3, \
         form_date = $4, reason = $5, danger = (danger OR $6), specimen = NULL, defects = '' \
         WHERE case_id = $1";
    const DATED: &str = "UPDATE reissues SET form_date = $2, specimen = NULL WHERE case_id = $1";
    const SHOWN: &str = "UPDATE reissues SET specimen = $2, form_date = $3 WHERE case_id = $1";
    const SEEN: &str = "UPDATE reissues SET specimen = $2 \
         WHERE case_id = $1 AND COALESCE(form_date, '') = $3";
    let (id, now) = (case.0, tx.now().0);
    match change {
        Change::Seen { specimen, form_date } => on!(tx, |conn| sqlx::query(SEEN)
            .bind(id)
            .bind(specimen)
            .bind(form_date.unwrap_or_default())
            .execute(conn)
            .await
            .map(drop)),
        Change::Danger(danger) => {
            on!(tx, |conn| sqlx::query(DANGER).bind(id).bind(danger).execute(conn).await.map(drop))
        }
        Change::ConfirmedAddress(version) => on!(tx, |conn| sqlx::query(ADDRESS)
            .bind(id)
            .bind(version)
            .execute(conn)
            .await
            .map(drop)),
        Change::Remailed => {
            on!(tx, |conn| sqlx::query(REMAILED).bind(id).execute(conn).await.map(drop))
        }
        Change::DuplicateOf(earlier) => on!(tx, |conn| sqlx::query(DUPLICATE)
            .bind(id)
            .bind(earlier.0)
            .execute(conn)
            .await
            .map(drop)),
        Change::Defects(codes) => {
            on!(tx, |conn| sqlx::query(DEFECTS).bind(id).bind(*codes).execute(conn).await.map(drop))
        }
        Change::Submission { number, form_date, reason, is_dangerous } => on!(tx, |conn| {
            sqlx::query(SUBMISSION)
                .bind(id)
                .bind(number)
                .bind(now)
                .bind(*form_date)
                .bind(*reason)
                .bind(is_dangerous)
                .execute(conn)
                .await
                .map(drop)
        }),
        Change::Dated(date) => {
            on!(tx, |conn| sqlx::query(DATED).bind(id).bind(*date).execute(conn).await.map(drop))
        }
        Change::Shown { specimen, form_date } => on!(tx, |conn| sqlx::query(SHOWN)
            .bind(id)
            .bind(specimen)
            .bind(*form_date)
            .execute(conn)
            .await
            .map(drop)),
    }
    .map_err(Fault::database("change a reissue"))
}

/// True when the person took one of the commands on this case before.
pub async fn prepared_by(tx: &mut Tx, case: CaseId, person: &str) -> Result<bool, Fault> {
    const SQL: &str = "SELECT COUNT(*) FROM entries WHERE case_id = $1 AND actor = $2 \
         AND kind = 'transition' AND command IN ('Check', 'MatchSeal', 'CureByPhone')";
    let count: i64 =
        on!(tx, |conn| sqlx::query_scalar(SQL).bind(case.0).bind(person).fetch_one(conn).await)
            .map_err(Fault::database("read who prepared a case"))?;
    Ok(count > 0)
}

/// Passwords issued since `since`: for the user, and by the actor for others, this case left out.
pub async fn issued_since(
    tx: &mut Tx,
    case: CaseId,
    user: i64,
    actor: &str,
    since: Moment,
) -> Result<(i64, i64), Fault> {
    const FOR_USER: &str = "SELECT COUNT(*) FROM retrieval_passwords \
         WHERE user_id = $1 AND issued_at >= $2 AND case_id <> $3";
    const BY_ACTOR: &str = "SELECT COUNT(*) FROM retrieval_passwords \
         WHERE issued_by = $1 AND issued_at >= $2 AND case_id <> $3 AND channel = 'delegated'";
    let count = Fault::database("count reissues");
    let for_user: i64 = on!(tx, |conn| sqlx::query_scalar(FOR_USER)
        .bind(user)
        .bind(since.0)
        .bind(case.0)
        .fetch_one(conn)
        .await)
    .map_err(&count)?;
    let by_actor: i64 = on!(tx, |conn| sqlx::query_scalar(BY_ACTOR)
        .bind(actor)
        .bind(since.0)
        .bind(case.0)
        .fetch_one(conn)
        .await)
    .map_err(&count)?;
    Ok((for_user, by_actor))
}

/// The user's paper case whose form went back to the customer.
pub async fn returned(tx: &mut Tx, user: i64) -> Result<Option<CaseId>, Fault> {
    const SQL: &str = "SELECT r.case_id FROM reissues r JOIN cases c ON c.id = r.case_id \
         WHERE r.user_id = $1 AND r.channel = 'paper' AND c.state_name = 'Returned' \
         ORDER BY r.case_id LIMIT 1";
    let found: Option<i64> =
        on!(tx, |conn| sqlx::query_scalar(SQL).bind(user).fetch_optional(conn).await)
            .map_err(Fault::database("read returned cases"))?;
    Ok(found.map(CaseId))
}
