//! Act 6: what is left when the story is over, and the proof that it is true.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use engine::{history, verify};
use saihakko::store::cases;
use saihakko::text::{Language, Texts, longest_number};
use saihakko::web::diagram::Scope;
use saihakko::web::story;

use super::stage::{Stage, did};
use crate::command::say;

/// Writes histories and diagrams, checks mails, verifies every history.
pub async fn proof(stage: &mut Stage) -> Result<()> {
    stage.quiet().await?;
    let texts = Texts::load()?;
    for (case, _) in &stage.cases {
        let file = cases::find(&stage.app.tools.db, *case).await?.context("a case is gone")?;
        let mut tx = stage.app.tools.db.read().await?;
        let entries = history::entries(&mut tx, *case).await?;
        drop(tx);
        let text = serde_json::to_vec_pretty(&entries)?;
        stage.write(&format!("histories/{case}.json"), &text)?;
        let drawn = story::drawn(&texts, Language::Japanese, &file, Scope::Way);
        stage.write(&format!("diagrams/{case}.svg"), drawn.svg.as_bytes())?;
        stage.write(&format!("diagrams/{case}.mmd"), drawn.mermaid.as_bytes())?;
    }
    stage.app.publish_revocation_list().await?;
    let authority = &stage.app.tools.authority;
    stage.write("certificates/root.pem", authority.root_certificate().to_pem().as_bytes())?;
    stage.write("certificates/issuing.pem", authority.certificate().to_pem().as_bytes())?;
    // Mails that left by SMTP are with the server that took them.
    if stage.app.tools.config.mail.host.is_empty() {
        let mails = mails_without_digits(&stage.app.tools.config.outbox_dir())?;
        did(format_args!(
            "電子メール{mails}通、16桁の数字なし / {mails} mails, none with 16 digits"
        ));
    }
    stage.app.take_checkpoint().await?;
    let checkpoint = stage.app.read_checkpoint()?;
    let report = verify::verify(&stage.app.tools.db, None, Some(&checkpoint)).await?;
    for finding in &report.findings {
        say(format_args!("   ✗ {finding}"));
    }
    ensure!(report.is_intact(), "the histories are not intact");
    let (cases, entries) = (report.cases, report.entries);
    did(format_args!(
        "履歴は改ざんされていません / histories intact: {cases} cases, {entries} entries"
    ));
    Ok(())
}

/// Counts the mails, and fails on sixteen digits in a row, however they are grouped.
fn mails_without_digits(dir: &Path) -> Result<usize> {
    let mut count = 0;
    for file in std::fs::read_dir(dir).context("there is no outbox folder")? {
        let path = file?.path();
        if path.extension().is_none_or(|ending| ending != "eml") {
            continue;
        }
        let text = std::fs::read_to_string(&path)?;
        let body = text.split_once("\r\n\r\n").map_or(text.as_str(), |(_, body)| body);
        ensure!(longest_number(body) < 16, "{} holds sixteen digits", path.display());
        count += 1;
    }
    ensure!(count > 0, "no mail was sent");
    Ok(count)
}

/// Says where everything lies.
pub fn tell_where(stage: &Stage) {
    let dir = stage.dir.display();
    say(format_args!("\n{dir}/"));
    for (folder, what) in [
        ("forms/", "書式3 (PDF) / Form 3: blank, fillable, prefilled"),
        ("scans/", "読み取った届出書 / the scanned notice"),
        ("letters/", "親展書 (封緘)・見本 / the sealed letter and its specimen"),
        ("certificates/", "電子証明書 (.p12) / certificates; root.pem, issuing.pem"),
        ("outbox/", "電子メール / e-mails"),
        ("histories/", "履歴 / histories"),
        ("diagrams/", "状態図 / state diagrams"),
        ("checkpoint.json", "時点固定 / checkpoint outside the database"),
    ] {
        say(format_args!("  {folder:<16} {what}"));
    }
    say("\n案件 / cases:");
    for (case, title) in &stage.cases {
        say(format_args!("  saihakko case history {case} --dir {dir}   {title}"));
    }
    say(format_args!("  saihakko history verify --dir {dir}"));
}
