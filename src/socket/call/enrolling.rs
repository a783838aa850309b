//! Calls about enrolment, own passwords and danger signs.

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{Call, PLACE, session, token};
use crate::app::App;
use crate::customer::{CodeEntry, Declined, Enrolling};

async fn enrolment(app: &App, text: &str) -> Result<Enrolling, Declined> {
    app.enrolment(&token(text)?, PLACE).await
}

pub(super) async fn carry_out(app: &App, call: Call) -> Result<Value, Declined> {
    Ok(match call {
        Call::BeginEnrolment { contract, user_id, code } => {
            let (code, place) = (Zeroizing::new(code), PLACE.to_owned());
            let entry = CodeEntry { contract, user_id, code, place };
            json!({ "token": *app.begin_enrolment(&entry).await?.expose() })
        }
        Call::EnrolmentStatus { token } => {
            let status = app.enrolment_status(&enrolment(app, &token).await?).await?;
            json!({ "items": status.items, "until": status.until })
        }
        Call::SetPassword { token, kind, password } => {
            let password = Zeroizing::new(password);
            app.set_password(&enrolment(app, &token).await?, kind, &password).await?;
            json!({})
        }
        Call::RegisterCard { token, serial, first, second } => {
            let at = enrolment(app, &token).await?;
            app.register_card_by_serial(&at, &serial, &first, &second).await?;
            json!({})
        }
        Call::BeginCard { token } => {
            let shown = app.begin_card_secret(&enrolment(app, &token).await?).await?;
            json!({ "secret": *shown.base32 })
        }
        Call::ConfirmCard { token, entry } => {
            app.confirm_card_secret(&enrolment(app, &token).await?, &entry).await?;
            json!({})
        }
        Call::FinishEnrolment { token } => {
            app.finish_enrolment(&enrolment(app, &token).await?).await?;
            json!({})
        }
        Call::IssueCode { token: session_token, ticket, user_id, password, key } => {
            let session = session(app, &session_token).await?;
            let (ticket, password) = (token(&ticket)?, Zeroizing::new(password));
            app.issue_enrolment_code(&session, &user_id, &password, &key, &ticket).await?;
            let shown = app.display_enrolment_code(&session, &user_id, &ticket).await?;
            json!({ "code": shown.as_ref().map(|code| code.as_str()) })
        }
        Call::ChangePassword { token, kind, present, password } => {
            let session = session(app, &token).await?;
            let (present, password) = (Zeroizing::new(present), Zeroizing::new(password));
            app.change_password(&session, kind, &present, &password).await?;
            json!({})
        }
        Call::CallBack { contract, user_id } => {
            app.request_call_back(&contract, &user_id, PLACE).await?;
            json!({})
        }
        Call::EmergencyStop { token } => {
            let stopped = app.emergency_stop(&session(app, &token).await?).await?;
            json!({ "cases": stopped.cases })
        }
        _ => return Err(Declined::NotFound),
    })
}
