//! What waits: for a clerk, for an approver; mine, free, overdue, or all of it.

use axum::extract::{Path, State};
use axum::response::Response;
use engine::{CaseId, Moment, Role as _};
use minijinja::context;
use serde::Serialize;
use workflows::terms::Role;

use super::left::{Clock, clock};
use super::{Named, Shared, Signed, Staff};
use crate::backoffice::Holder;
use crate::policy::Room;
use crate::store::queue::{QueueLine, Stage};
use crate::web::customer::{case_named, given, see};
use crate::web::error::Problem;
use crate::web::when;

/// A queue by the name in its address.
pub(super) fn stage_named(name: &str) -> Result<(Stage, Room, Role), Problem> {
    match name {
        "check" => Ok((Stage::Check, Room::Checking, Role::Clerk)),
        "approve" => Ok((Stage::Approve, Room::Approving, Role::Approver)),
        _ => Err(Problem::NotFound),
    }
}

/// Which part of a queue is wanted.
const PARTS: [&str; 4] = ["all", "mine", "free", "overdue"];

/// A line as the page shows it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Line {
    #[serde(flatten)]
    pub(super) case: Named,
    holder: String,
    is_mine: bool,
    is_free: bool,
    is_own: bool,
    until: String,
    clock: Clock,
}

impl Line {
    fn of(
        staff: &Staff,
        signed: &Signed,
        line: &QueueLine,
        now: Moment,
    ) -> Result<Self, engine::Fault> {
        let (texts, lang) = (staff.frame.pages.texts(), signed.visit.lang);
        Ok(Self {
            case: Named::of(&line.head, texts, lang),
            holder: line.holder_name.clone(),
            is_mine: line.holder == signed.member.account.person,
            is_free: line.is_free(),
            is_own: line.own,
            until: when::clock(Moment(line.until)),
            clock: clock(staff, lang, Moment(line.received_at), now)?,
        })
    }

    pub(super) fn is_in(&self, part: &str) -> bool {
        match part {
            "mine" => self.is_mine,
            "free" => self.is_free && !self.is_own,
            "overdue" => self.clock.is_over,
            _ => true,
        }
    }
}

/// The lines of a queue for whoever asks, the most urgent first.
pub(super) async fn lines(
    staff: &Staff,
    signed: &Signed,
    stage: Stage,
) -> Result<Vec<Line>, Problem> {
    let found = staff.app.queue(stage, &signed.member.account.person).await?;
    let now = staff.app.tools.db.now().await?;
    let line = |line: &QueueLine| Line::of(staff, signed, line, now);
    Ok(found.iter().map(line).collect::<Result<_, _>>()?)
}

/// The part of a queue that an address asks for.
pub(super) fn part_asked(signed: &Signed) -> &str {
    let asked = signed.visit.asked("part");
    PARTS.into_iter().find(|part| *part == asked).unwrap_or("all")
}

/// One part of the queue in the page's switch.
#[derive(Serialize)]
struct Part {
    name: &'static str,
    count: usize,
    is_here: bool,
}

pub(super) async fn show(
    State(shared): State<Shared>,
    signed: Signed,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let (stage, room, role) = stage_named(&name)?;
    signed.enter(room)?;
    let lines = lines(&shared, &signed, stage).await?;
    let here = part_asked(&signed);
    let count = |name: &'static str| Part {
        name,
        count: lines.iter().filter(|line| line.is_in(name)).count(),
        is_here: name == here,
    };
    let parts = PARTS.map(count);
    let now = shared.app.tools.db.now().await?;
    let shown: Vec<&Line> = lines.iter().filter(|line| line.is_in(here)).collect();
    let values = context! {
        queue => name,
        part => here,
        parts => given(parts),
        lines => given(shown),
        takes => signed.member.roles.contains(&role),
        is_empty_handed => !signed.visit.asked("none").is_empty(),
        now => when::long(now, signed.visit.lang),
        role => role.name(),
    };
    shared.page(&signed, "staff/queue.html", values)
}

/// Takes the most urgent free case and goes to it.
pub(super) async fn take_next(
    State(shared): State<Shared>,
    signed: Signed,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let (stage, _, role) = stage_named(&name)?;
    let by = signed.member.acting(role)?;
    let holder = Holder { by: &by, login: &signed.member.account.login };
    Ok(match shared.app.take_next(&holder, stage).await? {
        Some(case) => see(&format!("/desk/{case}?queue={name}")),
        None => see(&format!("/queue/{name}?none=1")),
    })
}

/// Takes one case of the list and goes to it; what somebody else was quicker to take is shown, to
/// be read.
pub(super) async fn take(
    State(shared): State<Shared>,
    signed: Signed,
    Path((name, case)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (_, _, role) = stage_named(&name)?;
    let by = signed.member.acting(role)?;
    let case = waiting(&shared, &name, &case).await?;
    let holder = Holder { by: &by, login: &signed.member.account.login };
    shared.app.take(&holder, case).await?;
    Ok(see(&format!("/desk/{case}?queue={name}")))
}

/// Puts a case back and returns to the list.
pub(super) async fn release(
    State(shared): State<Shared>,
    signed: Signed,
    Path((name, case)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (_, _, role) = stage_named(&name)?;
    let by = signed.member.acting(role)?;
    shared.app.release(&by, case_named(&case)?).await?;
    Ok(see(&format!("/queue/{name}")))
}

/// Only what waits there can be taken.
async fn waiting(staff: &Staff, queue: &str, case: &str) -> Result<CaseId, Problem> {
    let case = case_named(case)?;
    let (stage, ..) = stage_named(queue)?;
    let lines = staff.app.queue(stage, "").await?;
    let found = lines.iter().any(|line| line.head.id == case.0);
    if found { Ok(case) } else { Err(Problem::Refused { code: "desk.NotWaiting".to_owned() }) }
}
