//! Act 3: Form 3 by mail, from the web to the sealed letter.

use anyhow::{Context, Result, bail, ensure};
use engine::CaseId;
use forms::degrade::{Carrier, PaperSheet, Wear, encode};
use forms::seal::Impression;
use forms::{SubmissionNumber, Variant, Version, layout};
use saihakko::backoffice::AtWork;
use saihakko::customer::Declined;
use saihakko::import::samples::MIZUIRO;
use saihakko::letter;
use saihakko::prefill::Wish;
use saihakko::secret::{RetrievalPassword, StationKey};
use saihakko::store::letters;
use workflows::paper::Command;
use workflows::terms::Role;

use super::online::fetch_and_log_in;
use super::stage::{Stage, did};

/// 小林 直子 alone holds the authority of a small company.
const SENDER: &str = "020705001";
/// The company's seal as the sample ledger has it registered, and its width in millimetres.
const SEAL: &[u8] = include_bytes!("../../../samples/seal-mizuiro.png");
const SEAL_MM: f32 = 18.0;
/// A registered-mail number whose last digit is the others modulo 7.
const TRACKING: &str = "12345678903";
/// The scanner of the story.
const DPI: f32 = 300.0;

/// Act 3.
pub async fn by_mail(stage: &mut Stage) -> Result<()> {
    plain_forms(stage).await?;
    let (session, _) = stage.sign_in(MIZUIRO, SENDER, None).await?;
    let wish = Wish {
        user_id: SENDER.to_owned(),
        requests: vec![forms::Request::RetrievalReissue],
        reasons: vec![forms::Reason::Expired],
    };
    let data = stage.app.prefill(&session, &[wish]).await?;
    let draft = stage.app.draft_form(&session, Variant::Light, &data).await?;
    let number = draft.number;
    let path = stage.write(&format!("forms/form3-{number}.pdf"), &draft.pdf)?;
    did(format_args!("書式3を印刷しました / Form 3 printed: {}", path.display()));
    let scan = stamped_and_scanned(&draft.pdf)?;
    let path = stage.write(&format!("scans/{number}.pdf"), &scan)?;
    did(format_args!(
        "届出印を押して郵送、受付で読み取り / stamped, mailed, scanned: {}",
        path.display()
    ));
    let case = intake(stage, number, &scan).await?;
    approve(stage, case).await?;
    let digits = letter_of(stage, case).await?;
    dispatch(stage, case).await?;
    let (session, _) = stage.sign_in(MIZUIRO, SENDER, None).await?;
    fetch_and_log_in(stage, &session, case, &digits, SENDER, "").await?;
    stage.remember(case, "書面 paper");
    Ok(())
}

/// The forms that anybody may download.
async fn plain_forms(stage: &Stage) -> Result<()> {
    let now = stage.app.tools.db.now().await?;
    for (variant, name) in [(Variant::BizStation, "bizstation"), (Variant::Light, "light")] {
        let blank = stage.app.plain_form(variant, false, now)?;
        stage.write(&format!("forms/{name}-blank.pdf"), &blank)?;
        let fillable = stage.app.plain_form(variant, true, now)?;
        stage.write(&format!("forms/{name}-fillable.pdf"), &fillable)?;
    }
    Ok(())
}

/// What the customer does to the paper, and the scanner to both.
fn stamped_and_scanned(pdf: &[u8]) -> Result<Vec<u8>> {
    let layout = layout(Version::default(), Variant::Light);
    let page = layout.pages.first().context("the form has no page")?;
    let box_of_seal = page.seals.first().context("the form has no seal box")?.area;
    let mut sheets = PaperSheet::print(pdf, DPI)?;
    sheets.truncate(layout.pages.len());
    let sheet = sheets.first_mut().context("the form printed no page")?;
    let seal = Impression::of_specimen(SEAL, SEAL_MM)?;
    sheet.stamp(&seal, box_of_seal.centre(), 4.0, 7);
    let wear = Wear { skew: 1.3, ..Wear::default() };
    let pictures: Vec<_> = sheets.iter().map(|sheet| sheet.scan(&wear)).collect();
    Ok(encode(&pictures, DPI, Carrier::Pdf)?)
}

/// The mail room registers and scans; the engine reads and opens the case.
async fn intake(stage: &Stage, number: SubmissionNumber, scan: &[u8]) -> Result<CaseId> {
    let app = &stage.app;
    let mail_room = app.at_work("uketsuke", Role::MailRoom).await?;
    let envelope = app.receive(&mail_room, number, "普通郵便", 1).await?;
    let read = app.scan(&mail_room, number, &[scan.to_vec()]).await?;
    let page = read.first().and_then(|file| file.pages.first()).context("nothing was read")?;
    ensure!(page.case_id.as_deref() == Some(&number.to_string()), "the code was misread: {page:?}");
    ensure!(page.seals.values().all(|seal| seal.found), "the seal was not found: {page:?}");
    stage.until(envelope, "Opened").await?;
    let cases = app.cases_of(number).await?;
    let [case] = cases.as_slice() else { bail!("{} cases came of one request", cases.len()) };
    stage.until(*case, "Identified").await?;
    did("QR・利用者ID・届出印を読み取り、案件にしました / code, ID and seal read; a case opened");
    Ok(*case)
}

async fn send(stage: &Stage, by: &AtWork, case: CaseId, command: Command) -> Result<(), Declined> {
    let id = format!("demo-{case}-{}", stage.app.nonce());
    stage.app.with_paper(by, case, command, id).await.map(drop)
}

/// A clerk checks; the same person under another account may not approve; another one does.
async fn approve(stage: &Stage, case: CaseId) -> Result<()> {
    let app = &stage.app;
    let clerk = app.at_work("clerk1", Role::Clerk).await?;
    app.view_case(&clerk, case).await?;
    send(stage, &clerk, case, Command::Check).await?;
    send(stage, &clerk, case, Command::MatchSeal).await?;
    did("初検: 項目と印影を確かめました / checked and compared by a clerk");
    let same_person = app.at_work("clerk1-approver", Role::Approver).await?;
    match send(stage, &same_person, case, Command::Approve).await {
        Err(Declined::Refused { code }) if code == "paper.FourEyes" => {}
        other => bail!("a clerk could approve their own work: {other:?}"),
    }
    did("本人の承認は断りました / approval of one's own work refused");
    let approver = app.at_work("approver1", Role::Approver).await?;
    app.view_case(&approver, case).await?;
    send(stage, &approver, case, Command::Approve).await?;
    stage.until(case, "Printed").await?;
    did("役席が承認し、親展書を作りました / approved by another; sealed letter made");
    Ok(())
}

/// Keeps the sealed letter and its specimen; the digits pass in memory, as at the print station.
async fn letter_of(stage: &Stage, case: CaseId) -> Result<RetrievalPassword> {
    let mut tx = stage.app.tools.db.read().await?;
    let row = letters::newest(&mut tx, case).await?.context("there is no letter")?;
    drop(tx);
    let dispatch = stage.app.at_work("hassou", Role::Dispatch).await?;
    stage.app.hand_letter(&dispatch, row.id).await?;
    stage.write(&format!("letters/{case}.sealed"), &row.sealed)?;
    let path = stage.write(&format!("letters/{case}-specimen.pdf"), &row.specimen)?;
    let station = stage.app.tools.config.keys_dir().join("print-station.key");
    let station = StationKey::load(&station)?;
    let opened = letter::open(&station, case, row.address_version, &row.sealed)?;
    ensure!(opened.page.starts_with(b"%PDF"), "the letter is no PDF");
    did(format_args!("見本 / specimen with ●: {}", path.display()));
    Ok(opened.digits)
}

/// The batch is counted, posted and delivered.
async fn dispatch(stage: &Stage, case: CaseId) -> Result<()> {
    let app = &stage.app;
    let dispatch = app.at_work("hassou", Role::Dispatch).await?;
    let tracking = TRACKING.to_owned();
    let post = Command::Dispatch { tracking };
    match send(stage, &dispatch, case, post.clone()).await {
        Err(Declined::Refused { code }) if code == "paper.BatchOpen" => {}
        other => bail!("a letter left an uncounted batch: {other:?}"),
    }
    app.reconcile(&dispatch, &[case]).await?;
    send(stage, &dispatch, case, post).await?;
    send(stage, &dispatch, case, Command::Deliver).await?;
    stage.until(case, "Tail.Waiting").await?;
    did("簡易書留で発送し、届きました / posted as registered mail and delivered");
    Ok(())
}
