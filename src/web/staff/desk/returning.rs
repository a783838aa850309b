//! A form goes back: the defects are chosen, the letter is looked at, and only then it is returned.

use axum::Form;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use engine::CaseId;
use minijinja::context;
use serde::Serialize;
use workflows::terms::DefectCode;

use super::act::{finish, version};
use super::{Mode, Typed, entered, image, view};
use crate::backoffice::{AtWork, OnDesk, Verdict};
use crate::policy::Room;
use crate::web::customer::{Mistake, case_named, given};
use crate::web::error::Problem;
use crate::web::page::address;
use crate::web::staff::{Shared, Signed};

/// A defect that can be chosen, and what comes of it.
#[derive(Serialize)]
struct Choice {
    code: &'static str,
    by_phone: bool,
    is_chosen: bool,
}

/// Defects by the part of the form they concern.
const GROUPS: [(&str, &[DefectCode]); 4] = [
    (
        "seal",
        &[
            DefectCode::SealMismatch,
            DefectCode::SealUnclear,
            DefectCode::SealMissing,
            DefectCode::SealNotRegistered,
        ],
    ),
    ("ledger", &[DefectCode::Name, DefectCode::Address, DefectCode::Account, DefectCode::User]),
    (
        "entries",
        &[DefectCode::NoRequest, DefectCode::Date, DefectCode::Correction, DefectCode::Illegible],
    ),
    (
        "paper",
        &[
            DefectCode::Copy,
            DefectCode::Page,
            DefectCode::Variant,
            DefectCode::SecretWritten,
            DefectCode::Other,
        ],
    ),
];

/// The page on which defects are chosen. A field of the form may be named: its reason is then first
/// to be seen, and not chosen all the same.
pub(in super::super) async fn defects(
    State(shared): State<Shared>,
    signed: Signed,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    signed.enter(Room::Desk)?;
    let case = case_named(&case)?;
    let desk = shared.app.read_desk(case).await?;
    choose(&shared, &signed, &desk, &signed.visit.query, &[]).await
}

/// The defects that were chosen, in the order of their list.
fn chosen(typed: &Typed) -> Vec<DefectCode> {
    let is_chosen = |code: &DefectCode| typed.contains_key(&format!("code_{}", code.code()));
    DefectCode::ALL.into_iter().filter(is_chosen).collect()
}

/// Who may return the form as it stands, in the role that may.
async fn returning(
    shared: &Shared,
    signed: &Signed,
    case: &str,
) -> Result<(CaseId, Mode, AtWork), Problem> {
    let (case, mode, by) = entered(shared, signed, case).await?;
    if mode.judges() { Ok((case, mode, by)) } else { Err(Problem::NotFound) }
}

/// The last look before a form goes back: the reasons, what follows, and the letter as it will be.
/// Nothing is returned yet.
pub(in super::super) async fn look(
    State(shared): State<Shared>,
    signed: Signed,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    let (case, mode, by) = returning(&shared, &signed, &case).await?;
    let typed = &signed.visit.query;
    let codes = chosen(typed);
    let desk = shared.app.read_desk(case).await?;
    if codes.is_empty() {
        return nothing_chosen(&shared, &signed, &desk, typed).await;
    }
    let outlook = shared.app.foresee_return(&by, case, &codes).await?;
    let names: Typed =
        codes.iter().map(|code| (format!("code_{}", code.code()), "yes".to_owned())).collect();
    let with = |path: &str| address(&format!("/desk/{case}/return{path}"), &names);
    let values = context! {
        outlook => given(outlook),
        codes => codes.iter().map(|code| code.code()).collect::<Vec<_>>(),
        choose_again => with(""),
        picture => with("/letter/picture"),
        pdf => with("/letter/pdf"),
        ..view::values(&shared, &signed, &desk, typed, mode)?
    };
    // What was seen is what is returned: a form that has moved on since is not.
    let values = context! { version => version(typed)?, ..values };
    shared.page(&signed, "staff/return.html", values)
}

/// The letter that would go out for the chosen reasons; the look is an entry.
pub(in super::super) async fn letter(
    State(shared): State<Shared>,
    signed: Signed,
    Path((case, kind)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (case, _, by) = returning(&shared, &signed, &case).await?;
    let codes = chosen(&signed.visit.query);
    match kind.as_str() {
        "picture" => Ok(image(shared.app.preview_picture(&by, case, &codes).await?, "image/jpeg")),
        "pdf" => Ok(paper(shared.app.preview_return(&by, case, &codes).await?)),
        _ => Err(Problem::NotFound),
    }
}

/// A letter of ours, to be looked at and not kept. A browser's own viewer is a page that runs, so a
/// sandbox would show nothing.
fn paper(pdf: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/pdf"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_DISPOSITION, "inline; filename=\"letter.pdf\""),
    ];
    (headers, pdf).into_response()
}

async fn nothing_chosen(
    shared: &Shared,
    signed: &Signed,
    desk: &OnDesk,
    typed: &Typed,
) -> Result<Response, Problem> {
    let text = shared.text(signed.visit.lang, "defects.none");
    choose(shared, signed, desk, typed, &[Mistake { field: "reasons", text }]).await
}

async fn choose(
    shared: &Shared,
    signed: &Signed,
    desk: &OnDesk,
    typed: &Typed,
    wrong: &[Mistake],
) -> Result<Response, Problem> {
    let (_, mode, _) = returning(shared, signed, &desk.case.to_string()).await?;
    let choice = |code: &DefectCode| Choice {
        code: code.code(),
        by_phone: code.is_curable_by_phone(),
        is_chosen: typed.contains_key(&format!("code_{}", code.code())),
    };
    let groups: Vec<(&str, Vec<Choice>)> =
        GROUPS.iter().map(|(name, codes)| (*name, codes.iter().map(choice).collect())).collect();
    let values = context! {
        groups => given(groups),
        ..view::values(shared, signed, desk, typed, mode)?
    };
    shared.page_with(signed, "staff/defects.html", wrong, values)
}

/// The form goes back, or somebody calls: the workflow decides by the reasons.
pub(in super::super) async fn send_back(
    State(shared): State<Shared>,
    signed: Signed,
    Path(case): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let (case, mode, by) = returning(&shared, &signed, &case).await?;
    let stage = mode.stage().ok_or(Problem::NotFound)?;
    let codes = chosen(&typed);
    if codes.is_empty() {
        let desk = shared.app.read_desk(case).await?;
        return nothing_chosen(&shared, &signed, &desk, &typed).await;
    }
    let done = shared.app.decide_on(&by, case, version(&typed)?, &Verdict::Defect(codes)).await;
    finish(&shared, &signed, &by, case, &typed, done, stage).await
}
