//! The desk: a form beside the ledger. A clerk checks and hands on, an approver judges anew, others
//! only read.

mod act;
mod returning;
mod undoing;
mod view;

pub(super) use act::{decide, hand_on};
pub(super) use returning::{defects, letter, look, send_back};
pub(super) use undoing::ask_why;
pub(super) use view::refusal;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine::CaseId;
use minijinja::context;
use workflows::clerical;
use workflows::terms::Role;

use super::compared::Compared;
use super::filter::Filter;
use super::queue::{self, stage_named};
use super::{Shared, Signed, Staff};
use crate::backoffice::{AtWork, Holder, OnDesk, Stamped, Verdict};
use crate::customer::Declined;
use crate::policy::{Room, may_enter};
use crate::store::claims::Claim;
use crate::store::queue::Stage;
use crate::web::customer::{Mistake, case_named, given};
use crate::web::error::Problem;

/// What can be done with the form as it stands, by whoever looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Mode {
    /// The checklist and the seal.
    Check,
    /// The approval.
    Approve,
    /// Whether a letter that came back goes out again.
    Resend,
    /// Nothing but to look.
    Read,
}

impl Mode {
    /// By where the case stands and which roles the account holds.
    fn of(workflow: &str, state: &str, signed: &Signed) -> (Self, Option<Role>) {
        let holds = |role| signed.member.roles.contains(&role);
        let wanted = match (workflow, state) {
            ("paper", "Identified" | "Checked") | ("clerical", "Received") => {
                Some((Self::Check, Role::Clerk))
            }
            ("paper", "SealOk") | ("clerical", "Checked") => Some((Self::Approve, Role::Approver)),
            ("paper", "Undelivered") => Some((Self::Resend, Role::Approver)),
            _ => None,
        };
        if let Some((mode, role)) = wanted.filter(|(_, role)| holds(*role)) {
            return (mode, Some(role));
        }
        let readers = [Role::Supervisor, Role::Auditor, Role::Approver, Role::Clerk];
        let reader = readers.into_iter().find(|role| holds(*role) && may_enter(*role, Room::Desk));
        (Self::Read, reader)
    }

    /// Where the case waits for whoever acts so.
    const fn stage(self) -> Option<Stage> {
        match self {
            Self::Check => Some(Stage::Check),
            Self::Approve | Self::Resend => Some(Stage::Approve),
            Self::Read => None,
        }
    }

    /// Whether the form itself is judged, and may be returned.
    const fn judges(self) -> bool {
        matches!(self, Self::Check | Self::Approve)
    }
}

/// What was typed and chosen on a page that is shown again.
pub(super) type Typed = BTreeMap<String, String>;

/// Opens a form; whoever has it in hand keeps it for longer.
pub(super) async fn show(
    State(shared): State<Shared>,
    signed: Signed,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    signed.enter(Room::Desk)?;
    let case = case_named(&case)?;
    let desk = shared.app.read_desk(case).await?;
    let (mode, by) = acting(&signed, &desk.workflow, &desk.state_name)?;
    shared.app.open_desk(&by, &desk).await?;
    let is_due =
        |claim: &Claim| claim.person == by.person() && !shared.app.is_fresh(claim, desk.now);
    if mode != Mode::Read && desk.claim.as_ref().is_some_and(is_due) {
        let holder = Holder { by: &by, login: &signed.member.account.login };
        shared.app.take(&holder, case).await?;
    }
    page(&shared, &signed, &by, mode, &desk, &Typed::new(), &[]).await
}

/// Who comes to a case's desk, and what they may do there.
async fn entered(
    shared: &Staff,
    signed: &Signed,
    case: &str,
) -> Result<(CaseId, Mode, AtWork), Problem> {
    signed.enter(Room::Desk)?;
    let case = case_named(case)?;
    let (mode, by) = at_work(shared, signed, case).await?;
    Ok((case, mode, by))
}

/// Who acts here, and what they may do.
async fn at_work(shared: &Staff, signed: &Signed, case: CaseId) -> Result<(Mode, AtWork), Problem> {
    let row = shared.app.case_row(case).await?;
    acting(signed, &row.workflow, &row.state_name)
}

fn acting(signed: &Signed, workflow: &str, state: &str) -> Result<(Mode, AtWork), Problem> {
    let (mode, role) = Mode::of(workflow, state, signed);
    Ok((mode, signed.member.acting(role.ok_or(Problem::NotFound)?)?))
}

fn is_mine(desk: &OnDesk, by: &AtWork) -> bool {
    desk.claim.as_ref().is_some_and(|claim| claim.person == by.person())
}

/// The page, also when something is missing: then with what was typed, and what is to be mended.
async fn page(
    shared: &Staff,
    signed: &Signed,
    by: &AtWork,
    mode: Mode,
    desk: &OnDesk,
    typed: &Typed,
    wrong: &[Mistake],
) -> Result<Response, Problem> {
    let declines = async {
        Ok(match mode {
            Mode::Approve => shared.app.would_decline(by, desk.case, &Verdict::Approve).await?,
            Mode::Resend => shared.app.would_decline(by, desk.case, &Verdict::Resend).await?,
            Mode::Check if desk.workflow == clerical::NAME => {
                shared.app.misfit(by, desk.case).await?
            }
            _ => None,
        })
    };
    let compared = async { Ok(shared.seals(desk.stamped()).await?) };
    let place = Place::find(shared, signed, desk.case);
    // None of the three waits for another.
    let (declines, compared, place) = tokio::try_join!(declines, compared, place)?;
    let is_mine = is_mine(desk, by);
    let likeness = compared.map(|both| both.likeness);
    let values = context! {
        mode => given(mode),
        is_mine,
        is_free => desk.claim.is_none(),
        judges => mode.judges(),
        queue => mode.stage().map(queue::name_of),
        // A refusal that is known beforehand stands in the place of the buttons.
        declines => declines.map(|code| view::refusal(shared, signed, &code)),
        likeness => likeness.map(|part| format!("{:.1}", part * 100.0)),
        place => given(place),
        chosen => given(typed.clone()),
        ..view::values(shared, signed, desk, typed, mode)?
    };
    shared.page_with(signed, "staff/desk.html", wrong, values)
}

/// A page of the form as a picture; its look is an entry.
pub(super) async fn picture(
    State(shared): State<Shared>,
    signed: Signed,
    Path((case, place)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (case, _, by) = entered(&shared, &signed, &case).await?;
    let place: usize = place.parse().map_err(|_| Problem::NotFound)?;
    let bytes = shared.app.page_picture(&by, case, place).await?;
    Ok(image(bytes, "image/jpeg"))
}

/// Makes ready in the server what the next desk will show: nothing leaves it, nobody is said to have
/// looked, and nobody gets the case by it.
pub(super) async fn warm(
    State(shared): State<Shared>,
    signed: Signed,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    let (case, ..) = entered(&shared, &signed, &case).await?;
    let desk = shared.app.read_desk(case).await?;
    shared.app.warm_pages(&desk).await?;
    shared.seals(desk.stamped()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The seals laid on each other.
pub(super) async fn seal(
    State(shared): State<Shared>,
    signed: Signed,
    Path((case, view)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (case, _, by) = entered(&shared, &signed, &case).await?;
    // Impressions as they were scanned: this form's, or that of another form that bears the same.
    let other = view.strip_prefix("stamped-").map(str::parse::<i64>).transpose();
    let other = other.map_err(|_| Problem::NotFound)?;
    if view == "stamped" || other.is_some() {
        let desk = shared.app.read_desk(case).await?;
        return Ok(image(shared.app.stamped_seal(&by, &desk, other).await?, "image/png"));
    }
    let paper = shared.app.on_paper(case).await?;
    if view == "registered" {
        let specimen = paper.specimen.ok_or(Problem::NotFound)?;
        let bytes = shared.app.registered_seal(specimen).await?;
        shared.app.note(&by, case, "ViewSpecimen").await?;
        return Ok(image(bytes, "image/png"));
    }
    let both = shared.seals(paper.stamped()).await?.ok_or(Problem::NotFound)?;
    let bytes = match view.as_str() {
        "form" => &both.form,
        "specimen" => &both.specimen,
        "overlay" => &both.overlay,
        "difference" => &both.difference,
        _ => return Err(Problem::NotFound),
    };
    if view == "form" {
        shared.app.note(&by, case, "ViewSeal").await?;
    }
    Ok(image(bytes.clone(), "image/png"))
}

/// Never with the sender's type, never kept by a browser, and nothing in it may run.
pub(super) fn image(bytes: Vec<u8>, kind: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
    ];
    (headers, bytes).into_response()
}

impl Staff {
    /// The comparison of a form's seal, made once while the form is looked at.
    async fn seals(&self, stamped: Option<Stamped<'_>>) -> Result<Compared, Declined> {
        let Some(stamped) = stamped else { return Ok(None) };
        let page = stamped.page;
        let key = (page.digest.clone(), page.page, stamped.specimen, stamped.masks.to_vec());
        let make = async { Ok(self.app.seals(stamped).await?.map(Arc::new)) };
        self.compared.get(key, make).await
    }
}

/// The neighbours of a case in the list it was opened from.
#[derive(Default, serde::Serialize)]
pub(super) struct Place {
    /// What stands behind the address of a case of this list.
    within: String,
    at: usize,
    of: usize,
    before: Option<i64>,
    after: Option<i64>,
    /// What is likely to be opened next.
    next: Option<i64>,
}

impl Place {
    async fn find(staff: &Staff, signed: &Signed, case: CaseId) -> Result<Self, Problem> {
        let queue = signed.visit.asked("queue");
        let Ok((stage, room, _)) = stage_named(queue) else { return Ok(Self::default()) };
        if !signed.is_in(room) {
            return Ok(Self::default());
        }
        let here = Filter::asked(signed);
        let (mut lines, _) = queue::lines(staff, signed, stage).await?;
        // Whoever took a case out of the free ones is still where they took it.
        lines.retain(|line| line.case.id == case.0 || here.keeps(line));
        let within = here.within(queue);
        let Some(at) = lines.iter().position(|line| line.case.id == case.0) else {
            return Ok(Self { within, ..Self::default() });
        };
        let id = |line: &queue::Line| line.case.id;
        let after = lines.get(at + 1).map(id);
        let free = lines.iter().find(|line| line.case.id != case.0 && line.is_for_taking());
        Ok(Self {
            within,
            at: at + 1,
            of: lines.len(),
            before: at.checked_sub(1).and_then(|before| lines.get(before)).map(id),
            after,
            next: free.map(id).or(after),
        })
    }
}
