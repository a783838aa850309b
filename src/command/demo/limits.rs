//! Acts 4 and 5: wrong entries lock, and time ends what nobody used.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use saihakko::customer::Declined;
use saihakko::import::samples::AOBA;
use saihakko::secret::RetrievalPassword;
use workflows::terms::Reason;

use super::online::{issue_for_oneself, shown};
use super::stage::{Stage, did};

/// 鈴木 一郎 mistypes.
const CLUMSY: &str = "010429002";
/// 佐藤 花子 issues for 田中 美咲, who does not come.
const HOLDER: &str = "010429001";
const ABSENT: &str = "010429004";

/// Act 4: five wrong entries, one lock.
pub async fn wrong_entries(stage: &mut Stage) -> Result<()> {
    let (case, session, _, right) = issue_for_oneself(stage, AOBA, CLUMSY, Reason::Expired).await?;
    let allowed = stage.app.tools.rules.retrieval_max_wrong;
    for attempt in 1..=allowed {
        let wrong = other_than(stage, &right);
        match stage.app.claim(&session, &wrong, None).await {
            Err(Declined::Wrong) => {}
            other => bail!("wrong entry {attempt} came to {other:?}"),
        }
    }
    let typed = String::from_utf8(right.expose_ascii().to_vec())?;
    match stage.app.claim(&session, &typed, None).await {
        Err(Declined::Refused { code }) if code == "credential.Locked" => {}
        other => bail!("the right digits were not refused after the lock: {other:?}"),
    }
    stage.until(case, "Tail.Locked").await?;
    did(format_args!("{allowed}回の誤りでロックしました / locked after {allowed} wrong entries"));
    let (session, _) = stage.sign_in(AOBA, CLUMSY, None).await?;
    match stage.app.begin_own_reissue(&session, Reason::Mistyped, "page-1").await {
        Err(Declined::Refused { code }) => {
            did(format_args!("ご本人の再発行は承れません / self-service is closed now: {code}"));
        }
        other => bail!("self-service stayed open after a lock: {other:?}"),
    }
    stage.remember(case, "ロック locked");
    Ok(())
}

/// Digits with a right check digit that are not the right ones.
fn other_than(stage: &Stage, right: &RetrievalPassword) -> String {
    loop {
        let other = RetrievalPassword::generate(&stage.app.tools.entropy);
        if other != *right {
            return other.expose_ascii().iter().copied().map(char::from).collect();
        }
    }
}

/// Act 5: reminders go out, then the password expires by the clock alone.
pub async fn expiry(stage: &mut Stage, serial: &str) -> Result<()> {
    let (session, signed_in) = stage.sign_in(AOBA, HOLDER, Some(serial)).await?;
    let app = &stage.app;
    let reason = Reason::Forgotten;
    let case = app.begin_colleague_reissue(&session, ABSENT, reason, "page-2").await?;
    let right = format!("order-{HOLDER}");
    app.confirm_colleague_reissue(&session, case, &right, &signed_in.ticket).await?;
    let digits = shown(stage, &session, &signed_in, case).await?;
    let days = u64::from(app.tools.rules.password_valid_delegated_days);
    stage.quiet().await?;
    stage.pass_time(Duration::from_hours(24 * days))?;
    stage.until(case, "Tail.Expired").await?;
    did(format_args!(
        "{days}日後に期限が切れました / expired after {days} days by the clock alone"
    ));
    let (session, _) = stage.sign_in(AOBA, ABSENT, None).await?;
    let typed = String::from_utf8(digits.expose_ascii().to_vec())?;
    ensure!(app.claim(&session, &typed, None).await.is_err(), "an expired password was accepted");
    did("期限切れの番号は使えません / the expired digits are refused");
    stage.remember(case, "期限切れ expired");
    Ok(())
}
