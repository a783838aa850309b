//! What waits: for a clerk, for an approver; mine, free, overdue, or all of it.

use std::collections::BTreeSet;

use axum::extract::{Path, State};
use axum::response::Response;
use engine::{CaseId, Moment, Role as _};
use minijinja::context;
use serde::Serialize;
use workflows::clerical;
use workflows::terms::Role;

use super::filter::{self, Filter, KINDS, PARTS};
use super::left::{Clock, clock};
use super::{Named, Shared, Signed, Staff};
use crate::backoffice::Holder;
use crate::fold::folded;
use crate::policy::Room;
use crate::store::cases;
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

/// The name of a queue in its address.
pub(super) const fn name_of(stage: Stage) -> &'static str {
    match stage {
        Stage::Check => "check",
        Stage::Approve => "approve",
    }
}

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
    /// Which workflow.
    #[serde(skip)]
    pub(super) workflow: String,
    /// Names and numbers, as filters compare them.
    #[serde(skip)]
    pub(super) words: String,
}

impl Line {
    fn of(
        staff: &Staff,
        signed: &Signed,
        line: &QueueLine,
        now: Moment,
    ) -> Result<Self, engine::Fault> {
        let (texts, lang) = (staff.frame.pages.texts(), signed.visit.lang);
        let mut case = Named::of(&line.head, texts, lang);
        if line.head.workflow == clerical::NAME {
            case.kind = staff.request(lang, &line.request);
        }
        let words = [&case.number, &case.company, &case.name, &case.user_id];
        Ok(Self {
            words: words.map(|text| folded(text)).join(" "),
            workflow: line.head.workflow.clone(),
            case,
            holder: line.holder_name.clone(),
            is_mine: line.holder == signed.member.account.person,
            is_free: line.is_free(),
            is_own: line.own,
            until: when::clock(Moment(line.until)),
            clock: clock(staff, lang, Moment(line.waits_since), now)?,
        })
    }

    /// Whoever asks may take it.
    pub(super) fn is_for_taking(&self) -> bool {
        self.is_free && !self.is_own
    }

    pub(super) fn is_in(&self, part: &str) -> bool {
        match part {
            "mine" => self.is_mine,
            "free" => self.is_for_taking(),
            "overdue" => self.clock.is_over,
            _ => true,
        }
    }
}

/// The lines of a queue for whoever asks, the most urgent first, and as of when.
pub(super) async fn lines(
    staff: &Staff,
    signed: &Signed,
    stage: Stage,
) -> Result<(Vec<Line>, Moment), Problem> {
    let (found, now) = staff.app.queue(stage, &signed.member.account.person).await?;
    let line = |line: &QueueLine| Line::of(staff, signed, line, now);
    Ok((found.iter().map(line).collect::<Result<_, _>>()?, now))
}

/// One part of the queue in the page's switch.
#[derive(Serialize)]
struct Part {
    name: &'static str,
    href: String,
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
    let (lines, now) = lines(&shared, &signed, stage).await?;
    let here = Filter::asked(&signed);
    let count = |part: &'static str| Part {
        name: part,
        href: here.list(&name, Some(part)),
        count: lines.iter().filter(|line| Filter { part, ..here.clone() }.keeps(line)).count(),
        is_here: part == here.part,
    };
    let parts = PARTS.map(count);
    let shown: Vec<&Line> = lines.iter().filter(|line| here.keeps(line)).collect();
    let next = shown.iter().find(|line| line.is_for_taking()).map(|line| line.case.id);
    let kept = filter::kept(&shared, &signed, &name, &here).await?;
    let values = context! {
        queue => &name,
        part => here.part,
        kind => here.kind,
        words => &here.words,
        kinds => KINDS,
        within => here.within(&name),
        is_open => here.is_open(),
        narrowed => here.narrowed(),
        kept => given(kept),
        told => signed.visit.asked("filter"),
        next,
        parts => given(parts),
        lines => given(shown),
        takes => signed.member.roles.contains(&role),
        done => done_with(&shared, &signed).await?,
        is_empty_handed => !signed.visit.asked("none").is_empty(),
        now => when::long(now, signed.visit.lang),
        role => role.name(),
    };
    shared.page(&signed, "staff/queue.html", values)
}

/// The number of the case that was just dealt with.
async fn done_with(shared: &Shared, signed: &Signed) -> Result<Option<String>, Problem> {
    let Ok(case) = signed.visit.asked("done").parse::<i64>() else { return Ok(None) };
    let mut tx = shared.app.tools.db.read().await?;
    let opened = cases::opened_at(&mut tx, case).await?;
    Ok(opened.map(|at| when::case_number(case, at)))
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
    let here = Filter::asked(&signed);
    // Within a filter only its own cases are next.
    let wanted: Option<BTreeSet<i64>> = if here.is_open() {
        None
    } else {
        let (lines, _) = lines(&shared, &signed, stage).await?;
        Some(lines.iter().filter(|line| here.keeps(line)).map(|line| line.case.id).collect())
    };
    let is_wanted = |case: CaseId| wanted.as_ref().is_none_or(|all| all.contains(&case.0));
    Ok(match shared.app.take_next(&holder, stage, is_wanted).await? {
        Some(case) => see(&format!("/desk/{case}{}", here.within(&name))),
        None => see(&here.back(&name, ("none", "1"))),
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
    let case = waiting(&shared, &name, &case, by.person()).await?;
    let holder = Holder { by: &by, login: &signed.member.account.login };
    shared.app.take(&holder, case).await?;
    Ok(see(&format!("/desk/{case}{}", Filter::asked(&signed).within(&name))))
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

/// Only what waits there can be taken, and nobody takes what they may not finish.
async fn waiting(staff: &Staff, queue: &str, case: &str, person: &str) -> Result<CaseId, Problem> {
    let case = case_named(case)?;
    let (stage, ..) = stage_named(queue)?;
    let (lines, _) = staff.app.queue(stage, person).await?;
    let refused = |code: &str| Problem::Refused { code: code.to_owned() };
    match lines.iter().find(|line| line.head.id == case.0) {
        None => Err(refused("desk.NotWaiting")),
        Some(line) if line.own => Err(refused("paper.FourEyes")),
        Some(_) => Ok(case),
    }
}
