//! What is done at the desk: hand on, approve, send back. Nothing is preselected, and whatever is
//! missing is said beside what was filled in.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use engine::{CaseId, Fault};
use workflows::terms::Role;

use super::undoing::remark;
use super::view::{self, LOOKS};
use super::{Mode, Typed, at_work, page, undoing};
use crate::backoffice::dating::typed_date;
use crate::backoffice::fields::Match;
use crate::backoffice::{AtWork, Checked, OnDesk, Remark, Verdict};
use crate::customer::Declined;
use crate::store::queue::Stage;
use crate::web::customer::{Mistake, case_named, see};
use crate::web::error::Problem;
use crate::web::staff::filter::Filter;
use crate::web::staff::queue::name_of;
use crate::web::staff::{Shared, Signed};

pub(super) fn version(typed: &Typed) -> Result<i64, Problem> {
    typed.get("version").and_then(|text| text.parse().ok()).ok_or(Problem::Unreadable)
}

/// A clerk hands the form to approval.
pub(in super::super) async fn hand_on(
    State(shared): State<Shared>,
    signed: Signed,
    Path(case): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let case = case_named(&case)?;
    let by = signed.member.acting(Role::Clerk)?;
    let desk = shared.app.read_desk(case).await?;
    let (found, wrong) = findings(&shared, &signed, &desk, &typed);
    if !wrong.is_empty() {
        return page(&shared, &signed, &by, Mode::Check, &desk, &typed, &wrong).await;
    }
    let version = version(&typed)?;
    if let Some(date) = written_date(&shared, &desk, &typed).and_then(typed_date) {
        match shared.app.read_date(&by, case, version, date).await {
            Ok(false) => {}
            // The seal was judged against a specimen that did not count on that day.
            Ok(true) => {
                let desk = shared.app.read_desk(case).await?;
                let text = shared.text(signed.visit.lang, "desk.specimen_other");
                let wrong = [Mistake { field: "seal", text }];
                let typed = Typed::from([("version".to_owned(), version.to_string())]);
                return page(&shared, &signed, &by, Mode::Check, &desk, &typed, &wrong).await;
            }
            Err(other) => {
                return finish(&shared, &signed, &by, case, &typed, Err(other), Stage::Check).await;
            }
        }
    }
    let done = shared.app.hand_on(&by, case, version, &found).await;
    finish(&shared, &signed, &by, case, &typed, done, Stage::Check).await
}

/// What a clerk found, and what is still missing before it can be handed on.
fn findings(
    shared: &Shared,
    signed: &Signed,
    desk: &OnDesk,
    typed: &Typed,
) -> (Checked, Vec<Mistake>) {
    let mut wrong = Vec::new();
    let mut miss = |field: &'static str, key: &str| {
        let text = shared.text(signed.visit.lang, &format!("desk.{key}"));
        wrong.push(Mistake { field, text });
    };
    let mut found = Checked::default();
    for (key, asked) in asked_fields(desk) {
        let value = typed.get(&format!("typed_{key}")).map(|text| text.trim()).unwrap_or_default();
        let value = crate::text::to_half_width(value);
        if value.is_empty() || value.contains('?') {
            miss("fields", "type_missing");
        } else if value == asked {
            found.typed.push((key.to_owned(), value));
        } else {
            miss("fields", "type_differs");
        }
    }
    if let Some(text) = written_date(shared, desk, typed) {
        match typed_date(text).map(|date| (date, view::age_on(desk, date))) {
            Some((date, Some(age))) if age <= view::oldest(shared) => {
                found.typed.push(("date".to_owned(), date.to_string()));
            }
            Some((_, Some(_))) => miss("fields", "date_old"),
            Some((_, None)) => miss("fields", "date_ahead"),
            None => miss("fields", "date_slip"),
        }
    }
    match typed.get("seal").map(String::as_str) {
        Some("match") => "match".clone_into(&mut found.seal),
        Some("mismatch" | "unclear") => miss("seal", "seal_wrong"),
        _ => miss("seal", "seal_missing"),
    }
    for key in LOOKS {
        if typed.contains_key(&format!("looked_{key}")) {
            found.looked.push(key.to_owned());
        } else {
            miss("looks", &format!("look_{key}"));
        }
    }
    (found, wrong)
}

/// Fields whose digits were not certain, with what the ledger says.
fn asked_fields(desk: &OnDesk) -> Vec<(&'static str, String)> {
    let pages = desk.form_pages();
    let fields = desk.sources(&pages).fields();
    let asked = fields.into_iter().filter(|field| field.asks && field.found != Match::Same);
    asked.map(|field| (field.key, field.ledger)).collect()
}

/// What a clerk typed for a date that the machine could not read; `None` where it is not asked for.
fn written_date<'t>(shared: &Shared, desk: &OnDesk, typed: &'t Typed) -> Option<&'t str> {
    view::asks_date(shared, desk)
        .then(|| typed.get("typed_date").map(|text| text.trim()).unwrap_or_default())
}

/// An approver decides: approve, back to the checklist, not granted.
pub(in super::super) async fn decide(
    State(shared): State<Shared>,
    signed: Signed,
    Path(case): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let case = case_named(&case)?;
    let by = signed.member.acting(Role::Approver)?;
    let verdict = match typed.get("do").map(String::as_str) {
        Some("approve") => Verdict::Approve,
        Some("back") => match remark(&shared, &signed, &typed) {
            Ok(why) => Verdict::SendBack(Remark { why }),
            Err(wrong) => {
                let desk = shared.app.read_desk(case).await?;
                return undoing::page(&shared, &signed, &desk, &typed, &[wrong]);
            }
        },
        Some("reject") => Verdict::Reject,
        Some("resend") => Verdict::Resend,
        _ => return Err(Problem::Unreadable),
    };
    if verdict == Verdict::Approve && typed.get("seal").map(String::as_str) != Some("match") {
        let desk = shared.app.read_desk(case).await?;
        let key = if typed.contains_key("seal") { "seal_wrong" } else { "seal_missing" };
        let text = shared.text(signed.visit.lang, &format!("desk.{key}"));
        let wrong = [Mistake { field: "seal", text }];
        return page(&shared, &signed, &by, Mode::Approve, &desk, &typed, &wrong).await;
    }
    let done = shared.app.decide_on(&by, case, version(&typed)?, &verdict).await;
    finish(&shared, &signed, &by, case, &typed, done, Stage::Approve).await
}

/// Back to the list, with the next case one press away; or the page anew, when somebody else was
/// quicker: who, when, and what they did.
pub(super) async fn finish(
    shared: &Shared,
    signed: &Signed,
    by: &AtWork,
    case: CaseId,
    typed: &Typed,
    done: Result<(), Declined>,
    stage: Stage,
) -> Result<Response, Problem> {
    match done {
        Ok(()) => {
            shared.app.release(by, case).await?;
            Ok(see(&Filter::asked(signed).back(name_of(stage), ("done", &case.to_string()))))
        }
        Err(Declined::Fault(Fault::Stale { .. })) => {
            let desk = shared.app.read_desk(case).await?;
            let text = view::overtaken(shared, signed, &desk);
            let (mode, by) = at_work(shared, signed, case).await?;
            let wrong = [Mistake { field: "", text }];
            page(shared, signed, &by, mode, &desk, typed, &wrong).await
        }
        Err(other) => Err(other.into()),
    }
}
