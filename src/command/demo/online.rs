//! Acts 1 and 2: reissue for oneself, and for a colleague.

use anyhow::{Context, Result, bail, ensure};
use engine::CaseId;
use pki::BundlePassword;
use saihakko::customer::{Declined, Display, Fetched, Session, SignedIn};
use saihakko::import::samples::AOBA;
use saihakko::secret::RetrievalPassword;
use workflows::terms::Reason;

use super::browser;
use super::stage::{Stage, did};

/// 佐藤 花子 holds the authority; her certificate has expired.
const HOLDER: &str = "010429001";
/// 山田 太郎 of 材料部 needs a certificate.
const COLLEAGUE: &str = "010429003";

/// Act 1. Gives the serial of the new certificate.
pub async fn own_reissue(stage: &mut Stage) -> Result<String> {
    let (case, session, signed_in, digits) =
        issue_for_oneself(stage, AOBA, HOLDER, Reason::Expired).await?;
    did("再読み込みしても同じ16桁です / F5 shows the same digits");
    let again = shown(stage, &session, &signed_in, case).await?;
    ensure!(again == digits, "a reload showed other digits");
    let serial = fetch_and_log_in(stage, &session, case, &digits, HOLDER, "").await?;
    stage.remember(case, "本人 self-service");
    Ok(serial)
}

/// Signs in, passes the card, issues, sees the digits.
pub async fn issue_for_oneself(
    stage: &Stage,
    contract: &str,
    user_id: &str,
    reason: Reason,
) -> Result<(CaseId, Session, SignedIn, RetrievalPassword)> {
    let (session, mut signed_in) = stage.sign_in(contract, user_id, None).await?;
    let case = stage.app.begin_own_reissue(&session, reason, "page-1").await?;
    let card = stage.card(user_id).await?;
    signed_in.token = stage.app.enter_one_time_password(&session, &card).await?;
    match stage.app.enter_one_time_password(&session, &card).await {
        Err(Declined::Wrong) => {}
        _ => bail!("a one-time password was accepted twice"),
    }
    did("ログインとワンタイムパスワードを確かめました / login and one-time password");
    let session = stage.app.session(&signed_in.token, super::stage::PLACE).await?;
    stage.app.issue_for_oneself(&session, case, &signed_in.ticket).await?;
    let digits = shown(stage, &session, &signed_in, case).await?;
    did("証明書取得用パスワードを表示しました / retrieval password shown: **** **** **** ****");
    Ok((case, session, signed_in, digits))
}

/// What the display page shows; fails when it shows nothing.
pub async fn shown(
    stage: &Stage,
    session: &Session,
    signed_in: &SignedIn,
    case: CaseId,
) -> Result<RetrievalPassword> {
    match stage.app.display(session, case, &signed_in.ticket).await? {
        Display::Digits(shown) => Ok(shown.digits),
        Display::Gone => bail!("the display page shows nothing"),
    }
}

/// Enters the digits, fetches the .p12, logs in with it over mutual TLS; gives the serial.
pub async fn fetch_and_log_in(
    stage: &Stage,
    session: &Session,
    case: CaseId,
    digits: &RetrievalPassword,
    user_id: &str,
    password: &str,
) -> Result<String> {
    let typed = String::from_utf8(digits.expose_ascii().to_vec())?;
    let claimed = stage.app.claim(session, &typed, None).await?;
    ensure!(claimed == case, "the password belongs to case {claimed}, not to {case}");
    let for_bundle =
        if password.is_empty() { BundlePassword::empty() } else { BundlePassword::new(password)? };
    let Fetched::Bundle(p12) = stage.app.fetch(session, case, &for_bundle).await? else {
        bail!("no .p12 came");
    };
    let path = stage.write(&format!("certificates/{user_id}.p12"), &p12)?;
    did(format_args!("電子証明書を取得しました / certificate fetched: {}", path.display()));
    ensure!(
        stage.app.claim(session, &typed, None).await.is_err(),
        "the password could be used twice"
    );
    let visit = browser::log_in(stage, &p12, password).await?;
    let serial = visit.get("serial").and_then(|serial| serial.as_str()).context("no serial")?;
    stage.until(case, "Tail.Completed").await?;
    did(format_args!("その証明書でログインしました / mutual-TLS login, case {case} completed"));
    Ok(serial.to_owned())
}

/// Act 2: the holder, logged in with the new certificate, reissues for a colleague.
pub async fn colleague_reissue(stage: &mut Stage, serial: &str) -> Result<()> {
    let (session, signed_in) = stage.sign_in(AOBA, HOLDER, Some(serial)).await?;
    let app = &stage.app;
    let reason = Reason::NewPc;
    let case = app.begin_colleague_reissue(&session, COLLEAGUE, reason, "page-1").await?;
    match app.confirm_colleague_reissue(&session, case, "wrong", &signed_in.ticket).await {
        Err(Declined::Wrong) => {}
        _ => bail!("a wrong transaction password was accepted"),
    }
    let right = format!("order-{HOLDER}");
    app.confirm_colleague_reissue(&session, case, &right, &signed_in.ticket).await?;
    let digits = shown(stage, &session, &signed_in, case).await?;
    did("ご自身の取引実行パスワードで再発行しました / confirmed with the own transaction password");
    app.confirm_colleague_reissue(&session, case, &right, &signed_in.ticket).await?;
    let again = shown(stage, &session, &signed_in, case).await?;
    ensure!(again == digits, "a repeated confirmation made another password");
    did("もう一度押しても再発行は一度だけです / a repeated confirmation issues nothing");
    let (own, _) = stage.sign_in(AOBA, COLLEAGUE, None).await?;
    let password = "saihakko-demo";
    fetch_and_log_in(stage, &own, case, &digits, COLLEAGUE, password).await?;
    stage.remember(case, "代理 delegated");
    Ok(())
}
