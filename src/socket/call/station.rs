//! What the print station asks for.

use data_encoding::BASE64;
use engine::Fault;
use serde_json::{Value, json};
use workflows::terms::Role;

use super::Call;
use crate::app::App;
use crate::backoffice::AtWork;
use crate::customer::Declined;
use crate::store::letters;

pub(super) async fn carry_out(app: &App, call: Call) -> Result<Value, Declined> {
    Ok(match call {
        Call::LettersWaiting { login } => {
            app.at_work(&login, Role::Dispatch).await?;
            waiting(app).await?
        }
        Call::HandLetter { login, letter } => {
            let by = app.at_work(&login, Role::Dispatch).await?;
            hand(app, &by, letter).await?
        }
        Call::OrdinaryLetter { login, letter } => {
            let by = app.at_work(&login, Role::Dispatch).await?;
            let page = app.ordinary_letter(&by, &letter).await?;
            serde_json::to_value(page)
                .map_err(|source| Fault::Unwritable { what: "letter", source })?
        }
        Call::LettersPrinted { login, letters } => {
            app.at_work(&login, Role::Dispatch).await?;
            app.letters_printed(&letters).await?;
            json!({})
        }
        _ => return Err(Declined::NotFound),
    })
}

async fn waiting(app: &App) -> Result<Value, Declined> {
    let mut tx = app.tools.db.read().await?;
    Ok(json!({
        "station": app.tools.station.to_text(),
        "sealed": letters::waiting(&mut tx).await?,
        "uncounted": letters::uncounted(&mut tx).await?,
        "ordinary": letters::pile(&mut tx).await?,
    }))
}

async fn hand(app: &App, by: &AtWork, letter: i64) -> Result<Value, Declined> {
    let (row, workflow) = app.hand_letter(by, letter).await?;
    Ok(json!({
        "sealed": BASE64.encode(&row.sealed),
        "address_version": row.address_version,
        "case": row.case_id,
        "workflow": workflow,
    }))
}
