//! What a reissue path must know, looked up in the transaction that decides.

use std::time::Duration;

use chrono::{DateTime, FixedOffset, NaiveDate};
use engine::{ActorId, CaseId, Fault, Moment, Origin, Tx};
use workflows::terms::{Channel, Facts, Neighbour, Reason, Rules};

use super::reissue::Opening;
use super::{Missing, session_of, user_of, user_of_subject};
use crate::store::certificates::{self, CertificateRow};
use crate::store::credentials::{self, CredentialRow};
use crate::store::reissues::{self, Reissue};
use crate::store::sessions::{self, Session};
use crate::store::standing::{self, Standing};
use crate::store::{letters, overview, passwords, submissions};

/// Whom and what the facts are about.
pub(super) struct About<'a> {
    pub(super) case: CaseId,
    pub(super) subject: &'a str,
    pub(super) opening: Option<Opening>,
    pub(super) actor: &'a ActorId,
    pub(super) origin: &'a Origin,
}

/// Japan has had one offset and no summer time since 1951.
const JAPAN: i32 = 9 * 3600;

/// The facts of one reissue case.
pub(super) async fn of_reissue(
    tx: &mut Tx,
    rules: &Rules,
    about: &About<'_>,
) -> Result<Facts, Fault> {
    let user = user_of_subject(about.subject).ok_or_else(|| missing("user", about.subject))?;
    let standing = standing::find(tx, user).await?.ok_or_else(|| missing("user", about.subject))?;
    let row = reissues::find(tx, about.case).await?;
    let reason = reason(tx, row.as_ref(), about.opening).await?;
    let danger = row.as_ref().map_or_else(|| reason.is_dangerous(), |row| row.danger);
    let credentials = credentials::of_user(tx, user).await?;
    let certificates = certificates::of_user(tx, user).await?;
    let (colleague_can_log_in, colleague_qualifies) = overview::colleagues(tx, user).await?;
    let actor = actor(tx, rules, about.actor, about.origin, &standing).await?;
    let paper = paper(tx, rules, about.case, row.as_ref(), &standing).await?;
    let midnight = midnight(tx.now());
    let (user_today, actor_today) =
        reissues::issued_since(tx, about.case, user, &about.actor.0, midnight).await?;
    let password = passwords::newest_of_case(tx, about.case).await?;
    Ok(Facts {
        contract_active: standing.contract_active(),
        user_active: standing.user_active(),
        certificate_needed: standing.certificate_required,
        renewable: renewable(&certificates, reason, tx.now()),
        reason,
        danger,
        user_authority: standing.reissue_authority,
        login_unlocked: state_of(&credentials, "login") == "Active",
        otp_usable: state_of(&credentials, "one_time_password") == "Active",
        retrieval_unlocked: state_of(&credentials, "retrieval") != "Locked",
        colleague_can_log_in,
        colleague_qualifies,
        actor_is_user: user_of(about.actor) == Some(user),
        same_contract: actor.same_contract,
        actor_authority: actor.authority,
        actor_certificate_active: actor.certificate_active,
        actor_prepared: reissues::prepared_by(tx, about.case, &about.actor.0).await?,
        otp_vouched: actor.otp_vouched,
        transaction_vouched: actor.transaction_vouched,
        user_reissues_today: u32::try_from(user_today).unwrap_or(u32::MAX),
        actor_reissues_today: u32::try_from(actor_today).unwrap_or(u32::MAX),
        target_only_reveal: standing.target_only_reveal,
        still_needed: paper.still_needed,
        address_fresh: paper.address_fresh,
        specimen_valid: paper.specimen_valid,
        form_age_days: paper.form_age_days,
        batch_reconciled: paper.batch_reconciled,
        remailed: row.as_ref().is_some_and(|row| row.remailed),
        password_used: password.is_some_and(|password| password.state == "used"),
        open_cases: neighbours(tx, user, about.case).await?,
        siblings: siblings(tx, about.case, row.as_ref()).await?,
        retrieval_credential: case_of(&credentials, "retrieval"),
    })
}

fn missing(what: &'static str, subject: &str) -> Fault {
    Fault::host("look up facts")(Missing::Subject { what, subject: subject.to_owned() })
}

fn state_of<'a>(credentials: &'a [CredentialRow], kind: &str) -> &'a str {
    credentials.iter().find(|row| row.kind == kind).map_or("", |row| row.state_name.as_str())
}

fn case_of(credentials: &[CredentialRow], kind: &str) -> Option<CaseId> {
    let row = credentials.iter().find(|row| row.kind == kind)?;
    (!row.state_name.is_empty()).then_some(CaseId(row.case_id))
}

/// Why the password is asked for: as recorded, as asked, or as ticked on the form.
async fn reason(
    tx: &mut Tx,
    row: Option<&Reissue>,
    opening: Option<Opening>,
) -> Result<Reason, Fault> {
    if let Some(row) = row {
        return Ok(read_reason(&row.reason));
    }
    let Some(opening) = opening else { return Ok(Reason::Forgotten) };
    if let Some(reason) = opening.reason {
        return Ok(reason);
    }
    let Some(number) = opening.submission else { return Ok(Reason::Forgotten) };
    let submission = submissions::find(tx, number).await?;
    Ok(submission.map_or(Reason::Forgotten, |row| {
        crate::intake::reason_on_form(&row.reading, opening.user.0)
    }))
}

/// The stored name of a reason.
pub(super) fn reason_name(reason: Reason) -> String {
    serde_json::to_value(reason)
        .ok()
        .and_then(|value| value.as_str().map(ToOwned::to_owned))
        .unwrap_or_default()
}

/// An unknown name counts as the dangerous one: somebody will look at it.
fn read_reason(name: &str) -> Reason {
    Reason::ALL.into_iter().find(|r| reason_name(*r) == name).unwrap_or(Reason::Vanished)
}

/// Renewal takes a certificate that is still there: active and unexpired, and its holder did not
/// say that it is gone.
fn renewable(certificates: &[CertificateRow], reason: Reason, now: Moment) -> bool {
    is_renewable(reason)
        && certificates.iter().any(|certificate| certificate.is_active(now.seconds()))
}

/// For these reasons the certificate itself is still there.
pub(crate) const fn is_renewable(reason: Reason) -> bool {
    matches!(reason, Reason::Expired | Reason::Mistyped | Reason::Forgotten)
}

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent answer of the ledger")]
pub(super) struct Asking {
    pub(super) same_contract: bool,
    pub(super) authority: bool,
    pub(super) certificate_active: bool,
    otp_vouched: bool,
    pub(super) transaction_vouched: bool,
}

/// What is known of a customer who asks; nothing is, of staff and machinery.
pub(super) async fn actor(
    tx: &mut Tx,
    rules: &Rules,
    actor: &ActorId,
    origin: &Origin,
    target: &Standing,
) -> Result<Asking, Fault> {
    let Some(id) = user_of(actor) else { return Ok(Asking::default()) };
    let Some(own) = standing::find(tx, id).await? else { return Ok(Asking::default()) };
    let session = live_session(tx, origin, id).await?;
    let fresh = |at: Option<i64>| {
        let window = Duration::from_secs(60 * u64::from(rules.online_idle_minutes));
        at.is_some_and(|at| Moment(at).plus(window) >= tx.now())
    };
    let vouched = session.as_ref().map(|s| (fresh(s.otp_at), fresh(s.transaction_at)));
    let (otp_vouched, transaction_vouched) = vouched.unwrap_or_default();
    let bound_to = session.and_then(|session| session.certificate);
    let certificate = match bound_to {
        Some(serial) => certificates::by_serial(tx, &serial).await?,
        None => None,
    };
    let now = tx.now().seconds();
    Ok(Asking {
        same_contract: own.contract == target.contract,
        authority: own.reissue_authority && own.user_active(),
        certificate_active: certificate.is_some_and(|c| c.user_id == id && c.is_active(now)),
        otp_vouched,
        transaction_vouched,
    })
}

async fn live_session(tx: &mut Tx, origin: &Origin, user: i64) -> Result<Option<Session>, Fault> {
    let Some(id) = session_of(origin) else { return Ok(None) };
    let session = sessions::by_id(tx, id).await?;
    Ok(session.filter(|s| s.user_id == user && s.ended_at.is_none() && s.login_at.is_some()))
}

#[expect(clippy::struct_excessive_bools, reason = "each is an independent answer of the ledger")]
struct OnPaper {
    still_needed: bool,
    address_fresh: bool,
    specimen_valid: bool,
    form_age_days: Option<u32>,
    batch_reconciled: bool,
}

async fn paper(
    tx: &mut Tx,
    rules: &Rules,
    case: CaseId,
    row: Option<&Reissue>,
    standing: &Standing,
) -> Result<OnPaper, Fault> {
    let now = tx.now();
    let is_new = is_address_new(standing, rules, now);
    let confirmed = row.map_or(0, |row| row.confirmed_address) == standing.address_version;
    let date = row.and_then(|row| row.form_date.as_deref());
    let today = today(now);
    let on = date.map_or_else(|| today.to_string(), ToOwned::to_owned);
    let valid = standing::valid_specimen(tx, standing.contract, &on).await?.map(|(id, _)| id);
    let since = row.map_or(now.0, |row| row.opened_at);
    let letter = letters::newest(tx, case).await?;
    Ok(OnPaper {
        still_needed: !certificates::obtained_since(tx, standing.user, since).await?,
        address_fresh: is_new && !confirmed,
        specimen_valid: valid.is_some() && valid == row.and_then(|row| row.specimen),
        form_age_days: date.and_then(|date| age_days(date, today)),
        batch_reconciled: letter.is_some_and(|letter| letter.reconciled),
    })
}

/// The registered address changed so lately that nothing secret goes there unasked.
pub(super) fn is_address_new(standing: &Standing, rules: &Rules, now: Moment) -> bool {
    let hold = Duration::from_secs(86_400 * u64::from(rules.address_hold_days));
    Moment(standing.address_changed_at).plus(hold) > now
}

/// Whole days since an ISO date; `None` when it lies in the future or is no date.
fn age_days(date: &str, today: NaiveDate) -> Option<u32> {
    let date: NaiveDate = date.parse().ok()?;
    u32::try_from(today.signed_duration_since(date).num_days()).ok()
}

fn local(now: Moment) -> Option<DateTime<FixedOffset>> {
    Some(now.utc()?.with_timezone(&FixedOffset::east_opt(JAPAN)?))
}

fn today(now: Moment) -> NaiveDate {
    local(now).map(|date| date.date_naive()).unwrap_or_default()
}

/// The beginning of the day in Japan.
pub(super) fn midnight(now: Moment) -> Moment {
    let shift = i64::from(JAPAN);
    Moment::from_seconds((now.seconds() + shift).div_euclid(86_400) * 86_400 - shift)
}

async fn neighbours(tx: &mut Tx, user: i64, case: CaseId) -> Result<Vec<Neighbour>, Fault> {
    let rows = reissues::open_of_user(tx, user, case).await?;
    let neighbour = |(case, channel): (i64, String)| {
        Some(Neighbour { case: CaseId(case), channel: read_channel(&channel)? })
    };
    Ok(rows.into_iter().filter_map(neighbour).collect())
}

/// The way whose workflow has that name.
pub(super) fn read_channel(name: &str) -> Option<Channel> {
    [Channel::SelfService, Channel::Delegated, Channel::Paper]
        .into_iter()
        .find(|channel| channel.workflow() == name)
}

async fn siblings(tx: &mut Tx, case: CaseId, row: Option<&Reissue>) -> Result<Vec<CaseId>, Fault> {
    match row.and_then(|row| row.submission) {
        Some(number) => reissues::siblings(tx, case, number).await,
        None => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn midnight_is_the_one_in_japan() {
        let at = |text: &str| Moment::from(text.parse::<DateTime<chrono::Utc>>().unwrap());
        assert_eq!(midnight(at("2026-11-22T14:59:59Z")), at("2026-11-21T15:00:00Z"));
        assert_eq!(midnight(at("2026-11-22T15:00:00Z")), at("2026-11-22T15:00:00Z"));
    }

    #[test]
    fn a_date_in_the_future_has_no_age() {
        let today = NaiveDate::from_ymd_opt(2026, 11, 22).unwrap();
        assert_eq!(age_days("2026-11-22", today), Some(0));
        assert_eq!(age_days("2026-08-22", today), Some(92));
        assert_eq!(age_days("2026-11-23", today), None);
        assert_eq!(age_days("nonsense", today), None);
    }

    #[test]
    fn reasons_are_stored_under_their_names() {
        for reason in Reason::ALL {
            assert_eq!(read_reason(&reason_name(reason)), reason);
        }
        assert_eq!(read_reason("nonsense"), Reason::Vanished);
    }
}
