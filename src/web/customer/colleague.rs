//! Path 2: 各種設定 → 利用者登録 → 証明書取得用パスワード再発行, for a colleague.

use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use engine::Moment;
use minijinja::context;
use serde::Deserialize;
use workflows::credential::Kind;
use workflows::tail;
use workflows::terms::{Channel, Reason};
use zeroize::Zeroizing;

use super::own::{display, key_of, note, reason_named};
use super::replies::case_named;
use super::{Customers, Mistake, Shared, Signed, see};
use crate::customer::{Colleague, Declined, Tracked};
use crate::text::{to_half_width, to_katakana};
use crate::web::error::Problem;
use crate::web::page;
use crate::web::when;

/// The page after the login with a certificate.
pub(super) async fn menu(
    State(shared): State<Shared>,
    signed: Signed,
) -> Result<Response, Problem> {
    shared.page(&signed, "customer/menu.html", context! {})
}

/// 各種設定.
pub(super) async fn settings(
    State(shared): State<Shared>,
    signed: Signed,
) -> Result<Response, Problem> {
    shared.page(&signed, "customer/settings.html", context! {})
}

/// 利用者登録.
pub(super) async fn users(
    State(shared): State<Shared>,
    signed: Signed,
) -> Result<Response, Problem> {
    if !signed.session.has_authority {
        return no_authority(&shared, &signed);
    }
    shared.page(&signed, "customer/users.html", context! {})
}

/// A page that says who may do this, rather than a missing one: the menu leads here.
fn no_authority(shared: &Customers, signed: &Signed) -> Result<Response, Problem> {
    let page = shared.page(signed, "customer/no_authority.html", context! {})?;
    Ok((StatusCode::FORBIDDEN, page).into_response())
}

/// The list from which a colleague is picked.
pub(super) async fn list(
    State(shared): State<Shared>,
    signed: Signed,
) -> Result<Response, Problem> {
    listed(&shared, &signed, &[], StatusCode::OK).await
}

async fn listed(
    shared: &Customers,
    signed: &Signed,
    mistakes: &[Mistake],
    status: StatusCode,
) -> Result<Response, Problem> {
    if !signed.session.has_authority {
        return no_authority(shared, signed);
    }
    let lang = signed.visit.lang;
    let wanted = folded(signed.visit.asked("q"));
    let all = shared.app.colleagues(&signed.session).await?;
    let total = all.len();
    let found: Vec<Colleague> = all.into_iter().filter(|one| fits(one, &wanted)).collect();
    let lines: Vec<_> = found
        .iter()
        .map(|one| {
            context! {
                user_id => &one.user_id,
                name => &one.name,
                kana => &one.kana,
                department => &one.department,
                title => &one.title,
                state => one.open_state.as_ref().map(|state| {
                    page::name(shared.texts(), lang, "state", "delegated", state)
                }),
            }
        })
        .collect();
    let reasons: Vec<String> = Reason::ALL
        .into_iter()
        .filter_map(|reason| serde_json::to_value(reason).ok()?.as_str().map(ToOwned::to_owned))
        .collect();
    let values = context! {
        lines,
        total,
        q => signed.visit.asked("q"),
        reasons,
        key => shared.app.nonce(),
        mistakes => Customers::mistakes(mistakes),
    };
    Ok((status, shared.page(signed, "customer/colleagues.html", values)?).into_response())
}

/// Kana of either kind, width and case do not matter when one searches.
fn folded(text: &str) -> String {
    let text: String = text.chars().take(100).collect();
    to_katakana(&to_half_width(&text)).to_lowercase().split_whitespace().collect()
}

fn fits(one: &Colleague, wanted: &str) -> bool {
    let fields = [&one.user_id, &one.name, &one.kana, &one.department, &one.title];
    wanted.is_empty() || fields.into_iter().any(|field| folded(field).contains(wanted))
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Picked {
    user_id: String,
    reason: String,
    key: String,
}

/// Opens the case of the colleague who was picked, once for each page and colleague.
pub(super) async fn pick(
    State(shared): State<Shared>,
    signed: Signed,
    Form(sent): Form<Picked>,
) -> Result<Response, Problem> {
    let Some(reason) = reason_named(&sent.reason) else {
        let text = shared.text(signed.visit.lang, "reason.slip");
        let mistakes = [Mistake { field: "reason", text }];
        return listed(&shared, &signed, &mistakes, StatusCode::UNPROCESSABLE_ENTITY).await;
    };
    // The reason belongs to the key: chosen anew, it is another request.
    let key = format!("{}-{}-{}", key_of(&sent.key), key_of(&sent.user_id), sent.reason);
    let begun =
        shared.app.begin_colleague_reissue(&signed.session, &sent.user_id, reason, &key).await;
    match begun {
        Ok(case) => Ok(see(&format!("/settings/users/reissue/{case}"))),
        Err(Declined::Refused { code }) if code == "delegated.AlreadyOpen" => {
            already_open(&shared, &signed, &sent, reason, code).await
        }
        Err(Declined::Refused { code }) => declined(&shared, &signed, &code).await,
        Err(other) => Err(other.into()),
    }
}

/// Somebody is at it already: whoever opened it goes on, everybody else sees where it stands. A
/// reason that was corrected before the confirmation counts: the request begins anew with it.
async fn already_open(
    shared: &Customers,
    signed: &Signed,
    sent: &Picked,
    reason: Reason,
    code: String,
) -> Result<Response, Problem> {
    let user_id = &sent.user_id;
    let others = shared.app.cases_of_colleagues(&signed.session).await?;
    let open = others.iter().find(|tracked| {
        tracked.row.user_id == *user_id
            && tracked.channel == Channel::Delegated
            && !tracked.is_over()
    });
    let Some(open) = open else { return Err(Problem::Refused { code }) };
    if open.is_opener && open.row.state_name == "Confirming" {
        if open.row.reason == sent.reason {
            return Ok(see(&format!("/settings/users/reissue/{}", open.case)));
        }
        shared.app.cancel_colleague_reissue(&signed.session, open.case).await?;
        let key = shared.app.nonce();
        let begun = shared.app.begin_colleague_reissue(&signed.session, user_id, reason, &key);
        return Ok(see(&format!("/settings/users/reissue/{}", begun.await?)));
    }
    Ok(see(&format!("/cases/{}", open.case)))
}

async fn declined(shared: &Customers, signed: &Signed, code: &str) -> Result<Response, Problem> {
    let (workflow, refusal) = code.split_once('.').unwrap_or(("delegated", code));
    let why = page::name(shared.texts(), signed.visit.lang, "refusal", workflow, refusal);
    let text = Mistake { field: "", text: why };
    listed(shared, signed, &[text], StatusCode::CONFLICT).await
}

/// The case as its opener may go on with it.
async fn opened_case(shared: &Customers, signed: &Signed, case: &str) -> Result<Tracked, Problem> {
    let tracked = shared.app.case_for(&signed.session, case_named(case)?).await?;
    let is_theirs = tracked.is_opener && tracked.channel == Channel::Delegated;
    if is_theirs { Ok(tracked) } else { Err(Problem::NotFound) }
}

/// Whom it is for, and the own transaction password.
pub(super) async fn confirm(
    State(shared): State<Shared>,
    signed: Signed,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    let tracked = opened_case(&shared, &signed, &case).await?;
    let mut mistakes = Vec::new();
    if signed.visit.has_missed() {
        let text = shared.text(signed.visit.lang, "confirm.wrong");
        mistakes.push(Mistake { field: "transaction_password", text });
    }
    confirming(&shared, &signed, &tracked, &mistakes, StatusCode::OK).await
}

async fn confirming(
    shared: &Customers,
    signed: &Signed,
    tracked: &Tracked,
    mistakes: &[Mistake],
    status: StatusCode,
) -> Result<Response, Problem> {
    let case = tracked.case;
    match tracked.row.state_name.as_str() {
        "Confirming" => {}
        "Granted" => return Ok(see(&format!("/settings/users/reissue/{case}/done"))),
        _ if matches!(tracked.tail, Some(tail::State::Waiting { .. })) => {
            return Ok(see(&format!("/settings/users/reissue/{case}/done")));
        }
        _ => return Ok(see(&format!("/cases/{case}"))),
    }
    let left = shared.app.attempts_left(signed.session.user, Kind::Transaction).await?;
    if left.is_none() {
        return Ok(see("/locked/transaction"));
    }
    let values = context! {
        case => case.0,
        number => when::case_number(case.0, Moment(tracked.row.opened_at)),
        user_id => &tracked.row.user_id,
        name => &tracked.row.name,
        department => &tracked.row.department,
        title => &tracked.row.title,
        reason => &tracked.row.reason,
        left,
        days => shared.app.tools.rules.password_valid_delegated_days,
        mistakes => Customers::mistakes(mistakes),
    };
    Ok((status, shared.page(signed, "customer/confirm.html", values)?).into_response())
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Confirmation {
    transaction_password: String,
}

/// Reissues: once per case, however often the button is pressed.
pub(super) async fn reissue(
    State(shared): State<Shared>,
    signed: Signed,
    Path(case): Path<String>,
    Form(sent): Form<Confirmation>,
) -> Result<Response, Problem> {
    let tracked = opened_case(&shared, &signed, &case).await?;
    let case = tracked.case;
    let typed = Zeroizing::new(sent.transaction_password);
    let lang = signed.visit.lang;
    let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
    if tracked.row.state_name == "Confirming" && (typed.is_empty() || typed.len() > 256) {
        let text = shared.text(lang, "confirm.slip");
        let mistakes = [Mistake { field: "transaction_password", text }];
        return confirming(&shared, &signed, &tracked, &mistakes, unprocessable).await;
    }
    let issued =
        shared.app.confirm_colleague_reissue(&signed.session, case, &typed, &signed.ticket).await;
    match issued {
        Ok(()) => Ok(see(&format!("/settings/users/reissue/{case}/done"))),
        Err(Declined::Wrong) => {
            let path = format!("/settings/users/reissue/{case}");
            shared.missed(&signed, Kind::Transaction, &path).await
        }
        // Another press of the same button was quicker, or the case has ended meanwhile. Many
        // presses at once use up the attempts until they are judged; only a lock leads away.
        Err(Declined::Refused { code }) if is_overtaken(&code) => {
            Ok(see(&format!("/settings/users/reissue/{case}")))
        }
        Err(Declined::Refused { code }) => declined(&shared, &signed, &code).await,
        Err(other) => Err(other.into()),
    }
}

/// Whether the confirmation's own page knows better than this refusal how things stand.
fn is_overtaken(code: &str) -> bool {
    matches!(code, "delegated.NotNow" | "credential.Locked")
}

/// Stops before anything was issued.
pub(super) async fn cancel(
    State(shared): State<Shared>,
    signed: Signed,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    let tracked = opened_case(&shared, &signed, &case).await?;
    match shared.app.cancel_colleague_reissue(&signed.session, tracked.case).await {
        Ok(()) => Ok(see("/settings/users/reissue")),
        Err(Declined::Refused { .. }) => Ok(see(&format!("/cases/{}", tracked.case))),
        Err(other) => Err(other.into()),
    }
}

/// The completion page: the same at every reload, and never a second password.
pub(super) async fn done(
    State(shared): State<Shared>,
    signed: Signed,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    let tracked = opened_case(&shared, &signed, &case).await?;
    if tracked.row.state_name == "Confirming" {
        return Ok(see(&format!("/settings/users/reissue/{}", tracked.case)));
    }
    if tracked.row.state_name == "Granted" {
        let values = context! {
            case => tracked.case.0,
            number => when::case_number(tracked.case.0, Moment(tracked.row.opened_at)),
            name => &tracked.row.name,
        };
        return shared.page(&signed, "customer/granted.html", values);
    }
    if tracked.tail.is_none() {
        return Ok(see(&format!("/cases/{}", tracked.case)));
    }
    match display(&shared, &signed, &tracked).await {
        Ok(values) => shared.page(&signed, "customer/issued.html", values),
        // The case ended without a password: its own page says how.
        Err(Problem::NotFound) => Ok(see(&format!("/cases/{}", tracked.case))),
        Err(other) => Err(other),
    }
}

/// "I have noted it": the copy is destroyed at once.
pub(super) async fn noted(
    State(shared): State<Shared>,
    signed: Signed,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    let tracked = opened_case(&shared, &signed, &case).await?;
    note(&shared, &signed, tracked.case).await?;
    Ok(see(&format!("/settings/users/reissue/{}/done", tracked.case)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kana_width_and_case_do_not_matter_in_a_search() {
        let one = Colleague {
            user_id: "010429003".into(),
            name: "山田 太郎".into(),
            kana: "ヤマダ タロウ".into(),
            department: "IT推進部".into(),
            title: String::new(),
            open_state: None,
        };
        for wanted in
            ["", "やまだ", "ﾔﾏﾀﾞ", "山田太郎", "０１０４２９００３", "it推進", "ヤマダ　タロウ"]
        {
            assert!(fits(&one, &folded(wanted)), "{wanted}");
        }
        assert!(!fits(&one, &folded("佐藤")));
    }
}
