//! Calls of the two online paths, and what follows the digits.

use data_encoding::{BASE64, HEXLOWER};
use engine::Fault;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{Call, PLACE, session, token};
use crate::app::App;
use crate::customer::{Declined, Display, Fetched, SignIn};

pub(super) async fn carry_out(app: &App, call: Call) -> Result<Value, Declined> {
    Ok(match call {
        Call::SignIn { contract, user_id, password, certificate } => {
            let password = Zeroizing::new(password);
            let place = PLACE.to_owned();
            let typed = SignIn { contract, user_id, password, place, certificate };
            let signed_in = app.sign_in(&typed).await?;
            let (token, ticket) = (signed_in.token.expose(), signed_in.ticket.expose());
            json!({ "token": *token, "ticket": *ticket })
        }
        Call::OneTimePassword { token, entry } => {
            let fresh = app.enter_one_time_password(&session(app, &token).await?, &entry).await?;
            json!({ "token": *fresh.expose() })
        }
        Call::BeginOwn { token, reason } => {
            let case =
                app.begin_own_reissue(&session(app, &token).await?, reason, "socket").await?;
            json!({ "case": case })
        }
        Call::IssueOwn { token: session_token, ticket, case } => {
            let session = session(app, &session_token).await?;
            app.issue_for_oneself(&session, case, &token(&ticket)?).await?;
            json!({})
        }
        Call::Display { token: session_token, ticket, case } => {
            let session = session(app, &session_token).await?;
            match app.display(&session, case, &token(&ticket)?).await? {
                Display::Gone => json!({ "digits": null }),
                Display::Digits(shown) => {
                    let ascii = shown.digits.expose_ascii();
                    json!({ "digits": String::from_utf8_lossy(ascii.as_slice()) })
                }
            }
        }
        Call::BeginColleague { token, user_id, reason, key } => {
            let session = session(app, &token).await?;
            let case = app.begin_colleague_reissue(&session, &user_id, reason, &key).await?;
            json!({ "case": case })
        }
        Call::ConfirmColleague { token: session_token, ticket, case, password } => {
            let session = session(app, &session_token).await?;
            let ticket = token(&ticket)?;
            app.confirm_colleague_reissue(&session, case, &password, &ticket).await?;
            json!({})
        }
        _ => return Err(Declined::NotFound),
    })
}

/// What follows the digits.
pub(super) async fn carry_out_afterwards(app: &App, call: Call) -> Result<Value, Declined> {
    Ok(match call {
        Call::Claim { token, entry, csr } => {
            let case = app.claim(&session(app, &token).await?, &entry, csr).await?;
            json!({ "case": case })
        }
        Call::Fetch { token, case, password } => {
            let session = session(app, &token).await?;
            let password = if password.is_empty() {
                pki::BundlePassword::empty()
            } else {
                let refused = |refusal| Fault::host("read a bundle password")(refusal);
                pki::BundlePassword::new(&password).map_err(refused)?
            };
            match app.fetch(&session, case, &password).await? {
                Fetched::Bundle(bytes) => json!({ "p12": BASE64.encode(&bytes) }),
                Fetched::Chain(pem) => json!({ "pem": pem }),
            }
        }
        Call::Tail { token, case, command, id } => {
            let session = session(app, &token).await?;
            app.in_tail(&session, case, command, id).await?;
            json!({})
        }
        Call::Visit { fingerprint } => {
            let bytes = HEXLOWER.decode(fingerprint.as_bytes()).unwrap_or_default();
            let bytes = <[u8; 32]>::try_from(bytes).map_err(|_| Declined::NotFound)?;
            let visit = app.visit(&bytes, PLACE).await?;
            serde_json::to_value(visit)
                .map_err(|source| Fault::Unwritable { what: "visit", source })?
        }
        Call::DraftForm { token, variant, data } => {
            let session = session(app, &token).await?;
            let draft = app.draft_form(&session, variant, &data).await?;
            json!({ "number": draft.number.to_string(), "pdf": BASE64.encode(&draft.pdf) })
        }
        _ => return Err(Declined::NotFound),
    })
}
