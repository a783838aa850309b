//! A form on the desk as the page shows it: pages with frames, fields, facts, and who did what.

use std::collections::BTreeSet;

use engine::history::Entry;
use engine::{CaseId, Moment};
use minijinja::context;
use minijinja::value::Value;
use serde::Serialize;
use workflows::clerical;

use super::super::left::clock;
use super::super::{Shared, Signed, Staff};
use super::{Mode, Typed};
use crate::backoffice::OnDesk;
use crate::backoffice::fields::{Field, Match, Piece, is_crossed_out};
use crate::dates;
use crate::store::impressions::Reuse;
use crate::web::customer::given;
use crate::web::error::Problem;
use crate::web::{face, page, when};

/// What must be looked at on the paper, and cannot be told from a scan.
pub(super) const LOOKS: [&str; 2] = ["original", "untouched"];

/// A page of the scan.
#[derive(Serialize)]
struct Sheet {
    place: usize,
    /// Its place on the form; 0 for a paper that is none of ours.
    of_form: u8,
    is_first: bool,
    href: String,
    skew: String,
    dpi: Option<u32>,
    frames: Vec<Frame>,
}

/// A field's frame on the scan.
#[derive(Serialize)]
struct Frame {
    key: &'static str,
    n: usize,
    x: f32,
    y: f32,
    w: f32,
    h: f32,
    found: Match,
}

/// A field beside the ledger.
#[derive(Serialize)]
struct Row {
    key: &'static str,
    n: usize,
    /// The place of its page among the scanned ones.
    sheet: Option<usize>,
    /// Its crop, as a view of the page.
    window: String,
    found: Match,
    asks: bool,
    sure: Option<u8>,
    read: String,
    ledger: String,
    read_pieces: Vec<Piece>,
    ledger_pieces: Vec<Piece>,
    typed: String,
    printed: bool,
}

/// Something that the machine has found.
#[derive(Serialize)]
struct Fact {
    key: &'static str,
    is_good: bool,
    detail: String,
}

/// Another form that bears the same impression.
#[derive(Serialize)]
struct Twin {
    number: i64,
    receipt: String,
    /// Its case: the row and what people call it.
    case: Option<(i64, String)>,
    sameness: i64,
    /// Its pages may be looked at.
    is_open: bool,
}

/// Why a rule declines, in the reader's words.
pub(in super::super) fn refusal(staff: &Staff, signed: &Signed, code: &str) -> String {
    let (workflow, refusal) = code.split_once('.').unwrap_or(("", code));
    page::name(staff.frame.pages.texts(), signed.visit.lang, "refusal", workflow, refusal)
}

/// Everything the page shows of a form.
pub(super) fn values(
    staff: &Staff,
    signed: &Signed,
    desk: &OnDesk,
    typed: &Typed,
    mode: Mode,
) -> Result<Value, Problem> {
    let (texts, lang) = (staff.frame.pages.texts(), signed.visit.lang);
    let fields = fields(staff, signed, desk);
    let rows = rows(desk, &fields, typed);
    let attention = fields.iter().filter(|field| field.found == Match::Differs).count();
    let facts = facts(staff, signed, desk);
    let looks: Vec<(&str, bool)> =
        LOOKS.map(|key| (key, typed.contains_key(&format!("looked_{key}")))).to_vec();
    let seal = desk.pages.iter().flat_map(|page| page.read.seals.values()).find(|seal| seal.found);
    Ok(context! {
        case => desk.case.0,
        number => when::case_number(desk.case.0, desk.opened_at),
        company => &desk.contract.company,
        user => &desk.user.name,
        user_id => &desk.user.user_id,
        version => desk.version,
        // A paper case always asks for the same.
        request => (desk.workflow == clerical::NAME).then(|| staff.request(lang, &desk.request)),
        state => page::name(texts, lang, "state", &desk.workflow, &desk.state_name),
        face => given(face::of_state(&desk.state_name)),
        clock => given(clock(staff, lang, desk.waits_since, desk.now)?),
        holder => desk.claim.as_ref().map(|claim| &claim.name),
        until => desk.claim.as_ref().map(|claim| when::clock(Moment(claim.until))),
        receipt => &desk.submission.receipt,
        carrier => staff.carrier(lang, &desk.submission.carrier),
        sheets => given(sheets(desk, &fields)),
        rows => given(rows),
        attention,
        facts_bad => facts.iter().filter(|fact| !fact.is_good).count(),
        facts => given(facts),
        looks => given(looks),
        specimen_since => desk.specimen.as_ref().map(|(_, from)| day_worded(from, signed)),
        has_seal => seal.is_some(),
        twins => given(twins(desk)),
        seal_facts => given(seal.map(|seal| seal.facts.clone()).unwrap_or_default()),
        steps => given(steps(staff, signed, desk)),
        defects => given(defects(desk, signed, staff)),
        sent_back => given(desk.sent_back.as_ref().map(|one| Word {
            at: when::short(one.at),
            who: name_of(desk, &one.actor).unwrap_or_default(),
            why: one.why.clone(),
        })),
        checked => given(desk.checked.clone().filter(|_| mode != Mode::Check)),
        masks => mode != Mode::Read,
        opens_history => signed.is_in(crate::policy::Room::Audit),
    })
}

fn twins(desk: &OnDesk) -> Vec<Twin> {
    let twin = |one: &Reuse| {
        let case = one.case_id.zip(one.opened_at);
        let case = case.map(|(case, at)| (case, when::case_number(case, Moment(at))));
        let (receipt, sameness) = (one.receipt.clone(), one.sameness);
        Twin { number: one.other, receipt, case, sameness, is_open: !one.closed }
    };
    desk.reuses.iter().map(twin).collect()
}

/// What was wrong with this very form before: it went back, or was cured by telephone.
fn defects(desk: &OnDesk, signed: &Signed, staff: &Staff) -> Vec<String> {
    let texts = staff.frame.pages.texts();
    let codes = desk.reissue.defects.split(',').filter(|code| !code.is_empty());
    codes.map(|code| page::name(texts, signed.visit.lang, "defect", "", code)).collect()
}

fn day_worded(iso: &str, signed: &Signed) -> String {
    iso.parse().map_or_else(|_| iso.to_owned(), |day| dates::day(signed.visit.lang, day))
}

/// The fields of the ledger, between the date before and the ticks behind.
fn fields(staff: &Staff, signed: &Signed, desk: &OnDesk) -> Vec<Field> {
    let pages = desk.form_pages();
    let sources = desk.sources(&pages);
    let plain = |key, names: &[&str], read: String, is_same: bool| {
        let (page, area) = sources.area(names)?;
        let found = if is_same { Match::Same } else { Match::Differs };
        let (ledger, sure, asks, printed) = (String::new(), None, false, false);
        let (read_pieces, ledger_pieces) = (Vec::new(), Vec::new());
        Some(Field {
            key,
            page,
            area,
            read,
            sure,
            ledger,
            found,
            asks,
            printed,
            read_pieces,
            ledger_pieces,
        })
    };
    let is_dated = is_dated(staff, desk);
    let asks = asks_date(staff, desk);
    let is_dated = is_dated && !asks;
    let shown = if asks { date_read(desk) } else { date_worded(desk, signed) };
    let first = plain("date", &DATE, shown, is_dated).map(|field| Field { asks, ..field });
    let texts = staff.frame.pages.texts();
    let row = desk.contents.users.iter().find(|row| row.row == desk.row);
    let named = |key: &str| {
        let key = format!("customer.request.{key}");
        texts.find(signed.visit.lang, &key).unwrap_or(&key).to_owned()
    };
    let asked: Vec<String> = row
        .map(|row| row.requests.iter().map(|one| named(one.field())).collect())
        .unwrap_or_default();
    let u = |name: &str| format!("u{}_{name}", desk.row);
    let boxes: Vec<String> = forms::Request::ALL.iter().map(|one| u(one.field())).collect();
    let boxes: Vec<&str> = boxes.iter().map(String::as_str).collect();
    let doubts = |prefix: &str| {
        desk.contents.doubts.iter().any(|d| d.starts_with(&u("")) && d.contains(prefix))
    };
    let is_asked = !asked.is_empty() && !boxes.iter().any(|b| desk.contents.doubts.contains(*b));
    let requests = plain("requests", &boxes, asked.join("、"), is_asked);
    let reasons: Vec<String> = row
        .map(|row| row.reasons.iter().map(|one| reason_worded(staff, signed, *one)).collect())
        .unwrap_or_default();
    let boxes: Vec<String> = forms::Reason::ALL.iter().map(|one| u(one.field())).collect();
    let boxes: Vec<&str> = boxes.iter().map(String::as_str).collect();
    let is_told = !reasons.is_empty() && !doubts("reason_");
    // The form's other requests need no reason.
    let is_needed = desk.workflow != clerical::NAME || !reasons.is_empty() || doubts("reason_");
    let reasons =
        is_needed.then(|| plain("reasons", &boxes, reasons.join("、"), is_told)).flatten();
    first.into_iter().chain(sources.fields()).chain(requests).chain(reasons).collect()
}

/// The boxes of the date.
const DATE: [&str; 3] = ["date_year", "date_month", "date_day"];

fn date_worded(desk: &OnDesk, signed: &Signed) -> String {
    desk.reissue.form_date.as_deref().map(|date| day_worded(date, signed)).unwrap_or_default()
}

/// What was read of the date, digit by digit.
fn date_read(desk: &OnDesk) -> String {
    let mut pages = desk.pages.iter().map(|page| &page.read.digits);
    let found = pages.find(|digits| digits.contains_key(DATE[0]));
    let part = |name| Some(found?.get(name)?.v.trim());
    DATE.into_iter().filter_map(part).collect::<Vec<_>>().join(" ").trim().to_owned()
}

/// A date that somebody wrote is for a person to read where it is none yet; one that we printed
/// ourselves, where somebody wrote over it.
pub(super) fn asks_date(staff: &Staff, desk: &OnDesk) -> bool {
    let mut read = desk.pages.iter().flat_map(|page| page.read.digits.iter());
    if desk.printed.as_ref().is_some_and(|printed| printed.date.is_some()) {
        read.any(|(name, digits)| DATE.contains(&name.as_str()) && is_crossed_out(digits))
    } else {
        !is_dated(staff, desk)
    }
}

fn reason_worded(staff: &Staff, signed: &Signed, reason: forms::Reason) -> String {
    let name = reason.field().trim_start_matches("reason_");
    let key = format!("reason.{name}");
    staff.frame.pages.texts().find(signed.visit.lang, &key).unwrap_or(name).to_owned()
}

pub(super) fn oldest(staff: &Staff) -> u32 {
    staff.app.tools.rules.form_max_age_days
}

fn form_age(desk: &OnDesk) -> Option<u32> {
    age_on(desk, desk.reissue.form_date.as_deref()?.parse().ok()?)
}

/// Days from a date to today; `None` for one that is still to come.
pub(super) fn age_on(desk: &OnDesk, date: chrono::NaiveDate) -> Option<u32> {
    let today = dates::japan(desk.now).date_naive();
    u32::try_from(today.signed_duration_since(date).num_days()).ok()
}

/// The date is that of a form which counts.
pub(super) fn is_dated(staff: &Staff, desk: &OnDesk) -> bool {
    form_age(desk).is_some_and(|age| age <= oldest(staff))
}

fn sheets(desk: &OnDesk, fields: &[Field]) -> Vec<Sheet> {
    let sheet = |(place, page): (usize, &crate::backoffice::Scanned)| {
        let frame = |(at, field): (usize, &Field)| {
            let [x, y, w, h] = field.area;
            let found = field.found;
            (field.page == page.of_form).then_some(Frame {
                key: field.key,
                n: at + 1,
                x,
                y,
                w,
                h,
                found,
            })
        };
        Sheet {
            place,
            of_form: page.of_form,
            is_first: place == 0,
            href: format!("/desk/{}/page/{place}", desk.case),
            skew: format!("{:.1}", page.read.skew),
            dpi: page.read.dpi,
            frames: fields.iter().enumerate().filter_map(frame).collect(),
        }
    };
    let shown = desk.pages.iter().enumerate().filter(|(_, page)| page.read.kind != "blank");
    shown.map(sheet).collect()
}

fn rows(desk: &OnDesk, fields: &[Field], typed: &Typed) -> Vec<Row> {
    let row = |(at, field): (usize, &Field)| {
        let [x, y, w, h] = field.area;
        let sheet = desk.pages.iter().position(|page| page.of_form == field.page);
        Row {
            key: field.key,
            n: at + 1,
            sheet,
            window: format!("{x} {y} {w} {h}"),
            found: field.found,
            asks: field.asks,
            printed: field.printed,
            sure: field.sure,
            read: field.read.clone(),
            ledger: field.ledger.clone(),
            read_pieces: field.read_pieces.clone(),
            ledger_pieces: field.ledger_pieces.clone(),
            typed: typed.get(&format!("typed_{}", field.key)).cloned().unwrap_or_default(),
        }
    };
    fields.iter().enumerate().map(row).collect()
}

/// What the machine has found, shown as facts and not as ticks.
fn facts(staff: &Staff, signed: &Signed, desk: &OnDesk) -> Vec<Fact> {
    let fact = |key, is_good, detail: String| Fact { key, is_good, detail };
    let text = |key: &str| staff.text(signed.visit.lang, &format!("fact.{key}"));
    let pages = format!("{} / {}", desk.contents.pages_seen.len(), desk.contents.pages_expected);
    let seals = || desk.pages.iter().flat_map(|page| page.read.seals.values());
    let coloured = seals().any(|seal| seal.found && seal.coloured);
    let version = desk.pages.iter().find_map(|page| page.read.version);
    let address_at = desk.address.as_ref().map_or(Moment(0), |address| Moment(address.changed_at));
    let hold =
        std::time::Duration::from_secs(86_400 * u64::from(staff.app.tools.rules.address_hold_days));
    let is_settled = address_at.plus(hold) <= desk.now
        || desk.address.as_ref().is_some_and(|a| a.version == desk.reissue.confirmed_address);
    let number = |(case, at): &(CaseId, Moment)| when::case_number(case.0, *at);
    let others = desk.others.iter().map(number).collect::<Vec<_>>().join(", ");
    let active = desk.contract.status == "active" && desk.user.status == "active";
    // Nothing is said of an impression that was compared with none, nor of rows that nobody looked at.
    let compared = desk.compared.filter(|count| *count > 0 && desk.reuses.is_empty());
    let compared = compared.map(|count| text("compared").replace("{n}", &count.to_string()));
    let fresh = match compared {
        Some(compared) => Some(fact("fresh", true, compared)),
        None => (!desk.reuses.is_empty()).then(|| fact("fresh", false, String::new())),
    };
    let plain = corrected(staff, signed, desk)
        .map(|rows| fact("plain", rows.is_empty(), rows.join(&text("separator"))));
    let all = [
        fact(
            "version",
            version == Some(forms::Version::default().number()),
            version.map_or_else(String::new, |v| format!("v{v}")),
        ),
        fact("pages", desk.contents.is_complete(), pages),
        fact("ink", coloured, String::new()),
        fact("active", active, if active { String::new() } else { text("inactive") }),
        fact("alone", others.is_empty(), others),
        fact(
            "address",
            is_settled,
            dates::day(signed.visit.lang, dates::japan(address_at).date_naive()),
        ),
        fact("calm", !desk.reissue.danger, String::new()),
    ];
    all.into_iter().chain(plain).chain(fresh).collect()
}

/// The rows of digits in which something was covered, or was written and erased, as the sign is called: those
/// of this user and of all. `None` where nobody looked at some row, and nothing is told of the others.
fn corrected(staff: &Staff, signed: &Signed, desk: &OnDesk) -> Option<Vec<String>> {
    let word = |key: &str| staff.text(signed.visit.lang, key);
    let rows = desk.pages.iter().flat_map(|page| &page.read.digits);
    let mut told = BTreeSet::new();
    let mut is_known = true;
    for (id, digits) in rows.filter(|(id, _)| user_row(id).is_none_or(|(row, _)| row == desk.row)) {
        is_known &= digits.facts.is_some();
        for fact in digits.facts.iter().flatten() {
            let field = word(&format!("field.{}", row_key(id)));
            told.insert(word(&format!("row_fact.{fact}")).replace("{field}", &field));
        }
    }
    (is_known || !told.is_empty()).then(|| told.into_iter().collect())
}

/// The user's row on the form and the name of the field, where it is one of a user's.
fn user_row(id: &str) -> Option<(u8, &str)> {
    let (row, field) = id.strip_prefix('u')?.split_once('_')?;
    Some((row.parse().ok()?, field))
}

/// Under which name the texts of a row of digits stand: the form's users share theirs, and so do the three
/// parts of a date.
fn row_key(id: &str) -> &str {
    if DATE.contains(&id) { "date" } else { user_row(id).map_or(id, |(_, field)| field) }
}

/// What somebody wrote, and when.
#[derive(Serialize)]
struct Word {
    at: String,
    who: String,
    why: String,
}

fn name_of(desk: &OnDesk, actor: &str) -> Option<String> {
    desk.names.iter().find(|(one, _)| one == actor).map(|(_, name)| name.clone())
}

/// Who moved the case, by name.
#[derive(Serialize)]
struct Step {
    at: String,
    who: String,
    what: String,
    /// It tells what somebody found.
    judges: bool,
}

fn steps(staff: &Staff, signed: &Signed, desk: &OnDesk) -> Vec<Step> {
    let (texts, lang) = (staff.frame.pages.texts(), signed.visit.lang);
    let step = |entry: &Entry| Step {
        at: when::short(entry.at),
        who: name_of(desk, &entry.actor)
            .unwrap_or_else(|| page::name(texts, lang, "role", "", &entry.role)),
        what: page::name(texts, lang, "command", &desk.workflow, &entry.command),
        judges: entry.command == "MatchSeal",
    };
    desk.entries.iter().filter(|entry| entry.kind == "transition").map(step).collect()
}

/// Who was quicker, in one sentence.
pub(super) fn overtaken(shared: &Shared, signed: &Signed, desk: &OnDesk) -> String {
    let lang = signed.visit.lang;
    steps(shared, signed, desk).last().map_or_else(String::new, |step| {
        shared
            .text(lang, "desk.overtaken")
            .replace("{who}", &step.who)
            .replace("{at}", &step.at)
            .replace("{what}", &step.what)
    })
}
