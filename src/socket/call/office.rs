//! Calls of the mail room, the desks and the operator.

use data_encoding::BASE64;
use engine::{CaseId, Fault};
use forms::SubmissionNumber;
use serde_json::{Value, json};
use workflows::terms::Role;

use super::{Call, operator};
use crate::app::App;
use crate::backoffice::AtWork;
use crate::customer::Declined;
use crate::store::letters;

fn number(text: &str) -> Result<SubmissionNumber, Declined> {
    text.parse().map_err(|_| Declined::NotFound)
}

fn role(name: &str) -> Result<Role, Declined> {
    <Role as engine::Role>::from_name(name).ok_or(Declined::NotFound)
}

pub(super) async fn carry_out(app: &App, call: Call) -> Result<Value, Declined> {
    Ok(match call {
        Call::Receive { login, number: text, carrier, pages } => {
            let by = app.at_work(&login, Role::MailRoom).await?;
            let case = app.receive(&by, number(&text)?, &carrier, pages).await?;
            json!({ "case": case })
        }
        Call::Scan { login, number: text, files } => {
            let by = app.at_work(&login, Role::MailRoom).await?;
            let files: Result<Vec<Vec<u8>>, _> =
                files.iter().map(|file| BASE64.decode(file.as_bytes())).collect();
            let files = files.map_err(|_| Declined::NotFound)?;
            let read = app.scan(&by, number(&text)?, &files).await?;
            json!({ "files": read })
        }
        Call::CasesOf { number: text } => json!({ "cases": app.cases_of(number(&text)?).await? }),
        Call::ViewCase { login, role: name, case } => {
            let by = app.at_work(&login, role(&name)?).await?;
            app.view_case(&by, case).await?;
            json!({})
        }
        Call::Paper { login, role: name, case, command, id } => {
            let by = app.at_work(&login, role(&name)?).await?;
            let state = app.with_paper(&by, case, command, id).await?;
            json!({ "state": engine::label(&state) })
        }
        Call::Enrolment { login, role: name, case, command, id } => {
            let by = app.at_work(&login, role(&name)?).await?;
            let state = app.with_enrolment(&by, case, command, id).await?;
            json!({ "state": engine::label(&state) })
        }
        Call::Reconcile { login, cases } => {
            let by = app.at_work(&login, Role::Dispatch).await?;
            app.reconcile(&by, &cases).await?;
            json!({})
        }
        Call::SealedLetter { login, case } => {
            let by = app.at_work(&login, Role::Dispatch).await?;
            sealed_letter(app, &by, case).await?
        }
        Call::Case { case } => where_it_stands(app, case).await?,
        Call::RetryOutbox { id, by } => {
            let row = app.engine.retry(id, &operator(&by)).await?.ok_or(Declined::NotFound)?;
            json!({ "label": row.label })
        }
        Call::DropOutbox { id, by } => {
            let row = app.engine.give_up(id, &operator(&by)).await?.ok_or(Declined::NotFound)?;
            json!({ "label": row.label })
        }
        Call::Import { files } => {
            let report =
                crate::import::import(&app.engine, &app.tools.keys, app.tools.hash_cost(), &files)
                    .await;
            let report = report.map_err(Fault::host("import"))?;
            app.open_missing_credentials().await?;
            serde_json::to_value(report)
                .map_err(|source| Fault::Unwritable { what: "report", source })?
        }
        Call::Checkpoint => {
            app.take_checkpoint().await?;
            json!({})
        }
        Call::Ping => json!({ "version": env!("CARGO_PKG_VERSION") }),
        _ => return Err(Declined::NotFound),
    })
}

async fn sealed_letter(app: &App, by: &AtWork, case: CaseId) -> Result<Value, Declined> {
    let mut tx = app.tools.db.read().await?;
    let letter = letters::newest(&mut tx, case).await?.ok_or(Declined::NotFound)?;
    drop(tx);
    let hand = by.hand();
    let note = engine::Note { case, what: "FetchSealedLetter", outcome: "", by: &hand };
    app.engine.note(note).await?;
    Ok(json!({
        "sealed": BASE64.encode(&letter.sealed),
        "address_version": letter.address_version,
    }))
}

async fn where_it_stands(app: &App, case: CaseId) -> Result<Value, Declined> {
    let mut tx = app.tools.db.read().await?;
    let row = engine::case::find(&mut tx, case).await?.ok_or(Declined::NotFound)?;
    Ok(json!({
        "workflow": row.workflow,
        "state": row.state_name,
        "version": row.version,
        "ended": row.ended_at.is_some(),
    }))
}
