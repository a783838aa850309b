//! The one transaction: lock, look up facts, decide, write everything, commit.
//!
//! Many commands may share a transaction; each case and each subject occurs at most once in it,
//! so that the facts asked at its beginning stay true until its end.

use std::collections::BTreeMap;

use crate::case::{self, CaseRow, write_json};
use crate::history::{self, Details, Entry, EntryKind, GENESIS, Hash};
use crate::host::{Ask, Host, Write};
use crate::runner::Touched;
use crate::submission::{Cause, Outcome, Receipt, Submission, Target};
use crate::{
    Anchor, CaseId, Context, Core, Fault, Moment, Role, Transition, Tx, Workflow, inbox, label, on,
    outbox, timers,
};

/// One command of a batch, with what was made ready for it.
pub(crate) struct Item<'a, W: Workflow, P> {
    pub(crate) submission: &'a Submission<W>,
    /// What the case is about; a case keeps its subject for ever.
    pub(crate) subject: &'a str,
    pub(crate) cause: &'a Cause,
    pub(crate) prepared: &'a P,
}

/// What one batch did, and which cases it touched.
pub(crate) struct Advanced<W: Workflow> {
    pub(crate) outcomes: Vec<Outcome<W>>,
    pub(crate) touched: Touched,
}

/// A case taken into the transaction.
struct Opened<W: Workflow> {
    row: CaseRow,
    state: W::State,
    is_new: bool,
}

/// An accepted command before its effects are written.
struct Decided<W: Workflow> {
    index: usize,
    from: W::State,
    transition: Transition<W>,
    row: CaseRow,
    is_new: bool,
}

/// Runs `items` in `tx` up to, but not including, the commit.
pub(crate) async fn advance_in<W: Workflow, H: Host<W>>(
    core: &Core,
    host: &H,
    tx: &mut Tx,
    items: &[Item<'_, W, H::Prepared>],
) -> Result<Advanced<W>, Fault> {
    let rules = host.rules();
    let mut outcomes: Vec<Option<Outcome<W>>> = items.iter().map(|_| None).collect();
    let opened = open_all(host, tx, items, &mut outcomes).await?;
    let facts = host.facts(tx, &asks(items, &opened, tx.now())).await?;
    if facts.len() != opened.len() {
        return Err(Fault::FactsMissing { asked: opened.len(), given: facts.len() });
    }
    let mut decided: Vec<Decided<W>> = Vec::new();
    let mut touched = Touched::default();
    for ((index, open), facts) in opened.into_iter().zip(facts) {
        let Some(item) = items.get(index) else { continue };
        let context = Context { actor: item.submission.actor.clone(), facts };
        match W::decide(&open.state, &item.submission.command, &context, &rules) {
            Ok(transition) => {
                let (from, row, is_new) = (open.state, open.row, open.is_new);
                decided.push(Decided { index, from, transition, row, is_new });
            }
            Err(refusal) => {
                touched.changed.push(open.row.case());
                let outcome = decline(core, tx, item, open, refusal, &rules).await?;
                set(&mut outcomes, index, outcome);
            }
        }
    }
    let writes = writes(items, &decided, tx.now());
    if !writes.is_empty() {
        host.apply(tx, &writes).await?;
    }
    for done in decided {
        let Some(item) = items.get(done.index) else { continue };
        let index = done.index;
        let receipt = record(core, host, tx, item, done, &rules, &mut touched).await?;
        set(&mut outcomes, index, Outcome::Accepted(receipt));
    }
    Ok(Advanced {
        outcomes: outcomes.into_iter().map(|o| o.unwrap_or(Outcome::Moot)).collect(),
        touched,
    })
}

fn set<T>(slots: &mut [Option<T>], index: usize, value: T) {
    if let Some(slot) = slots.get_mut(index) {
        *slot = Some(value);
    }
}

/// Takes the locks in order, subjects first, and settles what was finished before.
async fn open_all<W: Workflow, H: Host<W>>(
    host: &H,
    tx: &mut Tx,
    items: &[Item<'_, W, H::Prepared>],
    outcomes: &mut [Option<Outcome<W>>],
) -> Result<Vec<(usize, Opened<W>)>, Fault> {
    let mut subjects: Vec<String> = items.iter().map(|item| item.subject.to_owned()).collect();
    subjects.sort_unstable();
    subjects.dedup();
    host.lock(tx, &subjects).await?;
    let mut order: Vec<(CaseId, usize)> =
        items.iter().enumerate().map(|(i, item)| (item.submission.target.case(), i)).collect();
    order.sort_unstable();
    let mut opened = Vec::with_capacity(items.len());
    for (_, index) in order {
        let Some(item) = items.get(index) else { continue };
        match open(tx, item).await? {
            Ok(open) => opened.push((index, open)),
            Err(outcome) => set(outcomes, index, outcome),
        }
    }
    opened.sort_unstable_by_key(|(index, _)| *index);
    Ok(opened)
}

async fn open<W: Workflow, P>(
    tx: &mut Tx,
    item: &Item<'_, W, P>,
) -> Result<Result<Opened<W>, Outcome<W>>, Fault> {
    let submission = item.submission;
    let (row, is_new) = match &submission.target {
        Target::Existing(case) => match case::lock(tx, *case).await? {
            Some(row) => (row, false),
            None => return Err(Fault::NoSuchCase { case: *case }),
        },
        // An opening that was refused before may be tried again under the same number.
        Target::New { case, subject } => match case::lock(tx, *case).await? {
            Some(row) => (row, false),
            None => (CaseRow::fresh::<W>(*case, subject, tx.now())?, true),
        },
    };
    if let Some(receipt) = finished::<W>(tx, &submission.command_id).await? {
        if let Cause::Timer { slot, due } = item.cause {
            timers::take(tx, row.case(), slot, *due).await?;
        }
        settle_cause(tx, item.cause, "").await?;
        return Ok(Err(Outcome::Accepted(receipt)));
    }
    if let Cause::Timer { slot, due } = item.cause
        && !timers::take(tx, row.case(), slot, *due).await?
    {
        return Ok(Err(Outcome::Moot));
    }
    if let Target::New { subject, .. } = &submission.target
        && (row.version > 0 || row.subject != *subject || row.workflow != W::NAME)
    {
        return Err(Fault::CaseExists { case: row.case() });
    }
    if let Some(expected) = submission.expects
        && expected != row.version
    {
        return Err(Fault::Stale { case: row.case(), expected, found: row.version });
    }
    let state = row.read_state::<W>()?;
    Ok(Ok(Opened { row, state, is_new }))
}

/// The receipt of a command that was carried out before, if it was.
pub(crate) async fn finished<W: Workflow>(
    tx: &mut Tx,
    command_id: &str,
) -> Result<Option<Receipt<W>>, Fault> {
    const SQL: &str =
        "SELECT case_id, no FROM entries WHERE command_id = $1 AND kind = 'transition'";
    let found: Option<(i64, i64)> =
        on!(tx, |conn| sqlx::query_as(SQL).bind(command_id).fetch_optional(conn).await)
            .map_err(Fault::database("look a command up"))?;
    let Some((id, entry)) = found else { return Ok(None) };
    let case = CaseId(id);
    let row = case::find(tx, case).await?.ok_or(Fault::NoSuchCase { case })?;
    let (state, version) = (row.read_state::<W>()?, row.version);
    Ok(Some(Receipt { case, entry, state, version, repeated: true }))
}

fn asks<'a, W: Workflow, P>(
    items: &'a [Item<'_, W, P>],
    opened: &'a [(usize, Opened<W>)],
    now: Moment,
) -> Vec<Ask<'a, W>> {
    let ask = |(index, open): &'a (usize, Opened<W>)| {
        let submission = items.get(*index)?.submission;
        Some(Ask {
            case: open.row.case(),
            subject: &open.row.subject,
            state: &open.state,
            command: &submission.command,
            actor: &submission.actor,
            origin: &submission.origin,
            command_id: &submission.command_id,
            now,
        })
    };
    opened.iter().filter_map(ask).collect()
}

fn writes<'a, W: Workflow, P>(
    items: &'a [Item<'_, W, P>],
    decided: &'a [Decided<W>],
    now: Moment,
) -> Vec<Write<'a, W, P>> {
    let write = |done: &'a Decided<W>| {
        let item = items.get(done.index)?;
        Some(Write {
            case: done.row.case(),
            subject: &done.row.subject,
            from: &done.from,
            to: &done.transition.to,
            command: &item.submission.command,
            actor: &item.submission.actor,
            origin: &item.submission.origin,
            command_id: &item.submission.command_id,
            now,
            effects: &done.transition.effects,
            prepared: item.prepared,
        })
    };
    decided
        .iter()
        .filter(|d| d.row.version == 0 || !d.transition.effects.is_empty())
        .filter_map(write)
        .collect()
}

/// Writes an accepted command: state, history, outbox, signals, timers.
async fn record<W: Workflow, H: Host<W>>(
    core: &Core,
    host: &H,
    tx: &mut Tx,
    item: &Item<'_, W, H::Prepared>,
    done: Decided<W>,
    rules: &W::Rules,
    touched: &mut Touched,
) -> Result<Receipt<W>, Fault> {
    let Decided { from, transition, mut row, is_new, .. } = done;
    let now = tx.now();
    let mut moved = moved_anchors(&from, &transition);
    if row.version == 0 {
        moved.extend([Anchor::OPENED.0, Anchor::ENTERED.0]);
    }
    let anchors = set_anchors(&mut row, &moved, now)?;
    row.state = write_json("state", &transition.to)?;
    row.shape = i64::from(W::VERSION);
    row.version += 1;
    let from_name = if is_new { String::new() } else { row.state_name.clone() };
    row.state_name = label(&transition.to);
    row.ended_at = W::is_end(&transition.to, rules).then_some(now.0);
    let outcome = transition.reason.as_deref().unwrap_or_default();
    let line = Line { kind: EntryKind::Transition, from: &from_name, outcome };
    chain(core, tx, item.submission, &mut row, line, is_new).await?;
    let case = row.case();
    let entry = row.entries;
    for notice in &transition.notices {
        let body = write_json("notice", notice)?;
        outbox::put(tx, "notice", W::NAME, Some((case, entry)), &label(notice), &body).await?;
    }
    for job in &transition.jobs {
        let body = write_json("job", job)?;
        outbox::put(tx, "job", W::NAME, Some((case, entry)), &label(job), &body).await?;
    }
    for (index, signal) in transition.signals.iter().enumerate() {
        let addressed = host.address(signal)?;
        touched.expectant.push(addressed.case);
        let signal = inbox::Signal { from: case, entry, index, to: &addressed };
        inbox::signal(tx, &signal, item.submission).await?;
    }
    let calendar = core.calendar();
    let slots = timers::wanted::<W>(&transition.to, rules, &anchors, &moved, &calendar)?;
    timers::set(tx, case, W::NAME, &slots).await?;
    settle_cause(tx, item.cause, outcome).await?;
    touched.has_message |= !transition.notices.is_empty();
    touched.has_work |= !transition.jobs.is_empty();
    touched.changed.push(case);
    if inbox::expects(tx, case).await? {
        touched.expectant.push(case);
    }
    Ok(Receipt { case, entry, state: transition.to, version: row.version, repeated: false })
}

fn moved_anchors<W: Workflow>(from: &W::State, transition: &Transition<W>) -> Vec<&'static str> {
    let mut moved: Vec<&'static str> = transition.marks.iter().map(|anchor| anchor.0).collect();
    if label(from) != label(&transition.to) {
        moved.push(Anchor::ENTERED.0);
    }
    moved
}

fn set_anchors(
    row: &mut CaseRow,
    moved: &[&'static str],
    now: Moment,
) -> Result<BTreeMap<String, Moment>, Fault> {
    let mut anchors = row.read_anchors()?;
    for name in moved {
        anchors.insert((*name).to_owned(), now);
    }
    row.anchors = write_json("anchors", &anchors)?;
    Ok(anchors)
}

/// A declined submission: the history says so; a kept command waits instead.
async fn decline<W: Workflow, P>(
    core: &Core,
    tx: &mut Tx,
    item: &Item<'_, W, P>,
    open: Opened<W>,
    refusal: W::Refusal,
    rules: &W::Rules,
) -> Result<Outcome<W>, Fault> {
    let Opened { mut row, state, is_new } = open;
    let case = row.case();
    let at_rest = is_new || row.ended_at.is_some() || W::is_end(&state, rules);
    if let Cause::Kept { inbox, once: false } = item.cause {
        inbox::declined(tx, *inbox, row.version, at_rest, &label(&refusal)).await?;
        return Ok(Outcome::Kept { case, refusal });
    }
    let keep = item.submission.keep && !at_rest;
    if keep && inbox::is_kept(tx, &item.submission.command_id).await? {
        return Ok(Outcome::Kept { case, refusal });
    }
    if is_new {
        row.ended_at = Some(tx.now().0);
    }
    let name = label(&refusal);
    let from = if is_new { String::new() } else { row.state_name.clone() };
    let line = Line { kind: EntryKind::Refused, from: &from, outcome: &name };
    chain(core, tx, item.submission, &mut row, line, is_new).await?;
    settle_cause(tx, item.cause, &name).await?;
    if keep {
        inbox::keep(tx, item.submission, row.version).await?;
        return Ok(Outcome::Kept { case, refusal });
    }
    Ok(Outcome::Refused { case, refusal })
}

/// Marks the stored cause of a command as settled, in the same transaction.
async fn settle_cause(tx: &mut Tx, cause: &Cause, outcome: &str) -> Result<(), Fault> {
    match cause {
        Cause::Asked | Cause::Timer { .. } => Ok(()),
        Cause::Kept { inbox, .. } => inbox::taken(tx, *inbox, outcome).await,
        Cause::Job { outbox, attempt } => {
            if outbox::done(tx, *outbox, *attempt).await? {
                return Ok(());
            }
            Err(Fault::LeaseLost { id: *outbox })
        }
    }
}

/// What the caller knows of an entry beyond the submission and the case.
struct Line<'a> {
    kind: EntryKind,
    from: &'a str,
    outcome: &'a str,
}

/// Appends an entry to the case's chain and writes the case's row with its new head.
async fn chain<W: Workflow>(
    core: &Core,
    tx: &mut Tx,
    submission: &Submission<W>,
    row: &mut CaseRow,
    line: Line<'_>,
    is_new: bool,
) -> Result<(), Fault> {
    let details = details_of(core, submission)?;
    let entry = Entry {
        case: row.case(),
        no: row.entries + 1,
        kind: line.kind.name().to_owned(),
        at: tx.now(),
        actor: submission.actor.id.0.clone(),
        role: submission.actor.role.name().to_owned(),
        auth: submission.origin.auth.clone(),
        place: submission.origin.place.clone(),
        command_id: submission.command_id.clone(),
        command: label(&submission.command),
        from: line.from.to_owned(),
        to: row.state_name.clone(),
        outcome: line.outcome.to_owned(),
        version: row.version,
        state_digest: row.state_digest(),
        details_digest: details.digest(),
        hash: GENESIS,
    };
    extend(tx, row, entry, Some(&details), is_new).await
}

/// The command's arguments and the host's details: personal, so they stand beside the entry.
fn details_of<W: Workflow>(core: &Core, submission: &Submission<W>) -> Result<Details, Fault> {
    let mut salt = [0; 16];
    (core.entropy)(&mut salt);
    let details = match &submission.details {
        None => serde_json::json!({ "command": submission.command }),
        Some(more) => serde_json::json!({ "command": submission.command, "details": more }),
    };
    Ok(Details { salt, text: write_json("details", &details)? })
}

/// Seals `entry` behind the case's head and writes both.
pub(crate) async fn extend(
    tx: &mut Tx,
    row: &mut CaseRow,
    entry: Entry,
    details: Option<&Details>,
    is_new: bool,
) -> Result<(), Fault> {
    let previous: Hash = row.head();
    let entry = entry.sealed(&previous);
    row.entries = entry.no;
    row.head = entry.hash.to_vec();
    row.changed_at = tx.now().0;
    if is_new {
        case::insert(tx, row).await?;
    } else {
        case::update(tx, row).await?;
    }
    history::append(tx, &entry, details).await
}
