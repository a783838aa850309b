//! How the work goes: five figures that lead to their lists, and four plots with their tables.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::Response;
use chrono::{Days, NaiveDate};
use engine::{Fault, Moment};
use minijinja::context;
use minijinja::value::Value;
use serde::Serialize;

use super::left::clock;
use super::{Shared, Signed, charts};
use crate::backoffice::figures::Figures;
use crate::backoffice::hours::Hours;
use crate::dates;
use crate::policy::Room;
use crate::web::customer::given;
use crate::web::error::Problem;
use crate::web::{export, page, when};

/// Days looked back.
const DAYS: u64 = 30;
/// Share of forms that shall be approved within the target.
const TARGET_SHARE: f64 = 97.0;

/// The states in which forms wait, by the word of their row.
const ROWS: [(&str, &[&str]); 4] = [
    ("checking", &["Identified", "Checked"]),
    ("approving", &["SealOk"]),
    ("printed", &["Printed"]),
    ("defective", &["Defect", "Returned"]),
];

/// A plot with its table.
#[derive(Serialize)]
struct Plot {
    key: &'static str,
    #[serde(skip)]
    drawing: Value,
    heads: Vec<String>,
    rows: Vec<Vec<String>>,
    /// What its rows begin with for machines, where people read it shorter: days in full.
    #[serde(skip)]
    days: Vec<NaiveDate>,
}

impl Plot {
    /// Its rows for a spreadsheet.
    fn for_machines(&self) -> Vec<Vec<String>> {
        let mut rows = self.rows.clone();
        for (row, day) in rows.iter_mut().zip(&self.days) {
            if let Some(first) = row.first_mut() {
                *first = day.format("%Y-%m-%d").to_string();
            }
        }
        rows
    }
}

fn plots(shared: &Shared, signed: &Signed, all: &Figures) -> [Plot; 4] {
    [
        by_day(shared, signed, all),
        by_age(shared, signed, all),
        by_week(shared, signed, all),
        by_reason(shared, signed, all),
    ]
}

/// The table of a plot as CSV.
pub(super) async fn csv(
    State(shared): State<Shared>,
    signed: Signed,
    Path(key): Path<String>,
) -> Result<Response, Problem> {
    signed.enter(Room::Dashboard)?;
    let all = shared.app.figures(Duration::from_secs(86_400 * DAYS)).await?;
    let plots = plots(&shared, &signed, &all);
    let plot = plots.iter().find(|plot| plot.key == key).ok_or(Problem::NotFound)?;
    export::table(&format!("{key}-{}", day_of(all.now.0)), &plot.heads, plot.for_machines())
}

fn day_of(at: i64) -> NaiveDate {
    dates::japan(Moment(at)).date_naive()
}

pub(super) async fn show(
    State(shared): State<Shared>,
    signed: Signed,
) -> Result<Response, Problem> {
    signed.enter(Room::Dashboard)?;
    let all = shared.app.figures(Duration::from_secs(86_400 * DAYS)).await?;
    let plots = plots(&shared, &signed, &all);
    let drawings: BTreeMap<&str, Value> =
        plots.iter().map(|plot| (plot.key, plot.drawing.clone())).collect();
    let (waiting, near) = urgent(&shared, &signed, &all)?;
    let today = day_of(all.now.0);
    let share = in_time(&shared, &all)?;
    let values = context! {
        waiting,
        near,
        done_today => all.approved.iter().filter(|(_, at)| day_of(*at) == today).count(),
        came_today => all.came.iter().filter(|at| day_of(**at) == today).count(),
        share => share.map(|share| format!("{share:.1}")),
        is_short => share.is_some_and(|share| share < TARGET_SHARE),
        target => TARGET_SHARE,
        locked => all.locked,
        plots => given(plots.iter().map(|plot| (plot.key, &plot.heads, &plot.rows)).collect::<Vec<_>>()),
        drawings,
        now => when::long(all.now, signed.visit.lang),
        opens_queue => signed.is_in(Room::Checking),
    };
    shared.page(&signed, "staff/dashboard.html", values)
}

/// How many wait for check or approval, and how many of these have less than two hours.
fn urgent(shared: &Shared, signed: &Signed, all: &Figures) -> Result<(usize, usize), Fault> {
    let desk = |state: &str| matches!(state, "Identified" | "Checked" | "SealOk");
    let (mut waiting, mut near) = (0, 0);
    for (_, received) in all.waiting.iter().filter(|(state, _)| desk(state)) {
        waiting += 1;
        let clock = clock(shared, signed.visit.lang, Moment(*received), all.now)?;
        near += usize::from(clock.is_near);
    }
    Ok((waiting, near))
}

fn target(shared: &Shared) -> Duration {
    Duration::from_secs(3600 * u64::from(shared.app.tools.config.office.target_hours))
}

/// The share of approvals that came within the target, in percent.
fn in_time(shared: &Shared, all: &Figures) -> Result<Option<f64>, Fault> {
    if all.approved.is_empty() {
        return Ok(None);
    }
    let calendar = shared.app.engine.calendar();
    let hours = Hours::new(&calendar, &shared.app.tools.config.office);
    let mut good = 0_u32;
    for (received, at) in &all.approved {
        good += u32::from(hours.between(Moment(*received), Moment(*at))? <= target(shared));
    }
    let count = u32::try_from(all.approved.len()).unwrap_or(u32::MAX);
    Ok(Some(100.0 * f64::from(good) / f64::from(count)))
}

fn real(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

fn by_day(shared: &Shared, signed: &Signed, all: &Figures) -> Plot {
    let text = |key: &str| shared.text(signed.visit.lang, &format!("dashboard.{key}"));
    let today = day_of(all.now.0);
    let days: Vec<NaiveDate> =
        (0..DAYS).rev().filter_map(|back| today.checked_sub_days(Days::new(back))).collect();
    let count =
        |moments: &[i64], day: &NaiveDate| moments.iter().filter(|at| day_of(**at) == *day).count();
    let approved: Vec<i64> = all.approved.iter().map(|(_, at)| *at).collect();
    let came: Vec<usize> = days.iter().map(|day| count(&all.came, day)).collect();
    let done: Vec<usize> = days.iter().map(|day| count(&approved, day)).collect();
    let labels: Vec<String> = days.iter().map(|day| day.format("%-m/%-d").to_string()).collect();
    let spoken = text("days_spoken")
        .replace("{came}", &all.came.len().to_string())
        .replace("{done}", &approved.len().to_string());
    let word =
        |key: &str, last: Option<&usize>| format!("{} {}", text(key), last.copied().unwrap_or(0));
    let (first, second) = (word("came", came.last()), word("done", done.last()));
    let drawing = charts::days(
        &labels,
        &came.iter().map(|n| real(*n)).collect::<Vec<_>>(),
        &done.iter().map(|n| real(*n)).collect::<Vec<_>>(),
        [&first, &second],
        &spoken,
    );
    let rows = labels
        .iter()
        .zip(came.iter().zip(&done))
        .map(|(day, (came, done))| vec![day.clone(), came.to_string(), done.to_string()])
        .collect();
    Plot { key: "days", drawing, heads: vec![text("day"), text("came"), text("done")], rows, days }
}

fn by_age(shared: &Shared, signed: &Signed, all: &Figures) -> Plot {
    let text = |key: &str| shared.text(signed.visit.lang, &format!("dashboard.{key}"));
    let today = day_of(all.now.0);
    let part = |received: i64| match today.signed_duration_since(day_of(received)).num_days() {
        ..=0 => 0,
        1..=2 => 1,
        3..=5 => 2,
        _ => 3,
    };
    let row = |(name, states): &(&str, &[&str])| {
        let mut counts = [0; 4];
        for (_, received) in
            all.waiting.iter().filter(|(state, _)| states.contains(&state.as_str()))
        {
            if let Some(count) = counts.get_mut(part(*received)) {
                *count += 1;
            }
        }
        (text(name), counts)
    };
    let rows: Vec<(String, [usize; 4])> = ROWS.iter().map(row).collect();
    let parts = [text("age0"), text("age1"), text("age2"), text("age3")];
    let spoken: Vec<String> = rows
        .iter()
        .map(|(name, counts)| format!("{name} {}", counts.iter().sum::<usize>()))
        .collect();
    let [first, second, third, fourth] = &parts;
    let drawing = charts::stacks(&rows, [first, second, third, fourth], &spoken.join("、"));
    let table = rows
        .iter()
        .map(|(name, counts)| {
            std::iter::once(name.clone()).chain(counts.iter().map(ToString::to_string)).collect()
        })
        .collect();
    let heads = std::iter::once(text("state")).chain(parts.iter().cloned()).collect();
    Plot { key: "ages", drawing, heads, rows: table, days: Vec::new() }
}

/// Calendar days from receipt to approval, by week.
fn by_week(shared: &Shared, signed: &Signed, all: &Figures) -> Plot {
    let text = |key: &str| shared.text(signed.visit.lang, &format!("dashboard.{key}"));
    let mut weeks: BTreeMap<NaiveDate, Vec<f64>> = BTreeMap::new();
    for (received, at) in &all.approved {
        let day = day_of(*at);
        let back = u64::from(chrono::Datelike::weekday(&day).num_days_from_monday());
        let monday = day.checked_sub_days(Days::new(back)).unwrap_or(day);
        let took = Moment(*at).since(Moment(*received)).as_secs_f64() / 86_400.0;
        weeks.entry(monday).or_default().push(took);
    }
    let share = |values: &[f64], part: usize| {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = (sorted.len() * part / 10).min(sorted.len().saturating_sub(1));
        sorted.get(at).copied().unwrap_or(0.0)
    };
    let labels: Vec<String> = weeks.keys().map(|day| day.format("%-m/%-d").to_string()).collect();
    let halves: Vec<f64> = weeks.values().map(|values| share(values, 5)).collect();
    let nines: Vec<f64> = weeks.values().map(|values| share(values, 9)).collect();
    let last = |values: &[f64]| values.last().copied().unwrap_or(0.0);
    let (half, nine) = (
        format!("{} {:.1}", text("half"), last(&halves)),
        format!("{} {:.1}", text("nine"), last(&nines)),
    );
    // A day at the office is one on the calendar.
    let aim = f64::from(shared.app.tools.config.office.target_hours) / 8.0;
    let spoken = format!("{half}、{nine}");
    let drawing = charts::weeks(&labels, &halves, &nines, aim, [&half, &nine, ""], &spoken);
    let rows = labels
        .iter()
        .zip(halves.iter().zip(&nines))
        .map(|(week, (half, nine))| vec![week.clone(), format!("{half:.1}"), format!("{nine:.1}")])
        .collect();
    let days = weeks.into_keys().collect();
    let heads = vec![text("week"), text("half"), text("nine")];
    Plot { key: "weeks", drawing, heads, rows, days }
}

fn by_reason(shared: &Shared, signed: &Signed, all: &Figures) -> Plot {
    let text = |key: &str| shared.text(signed.visit.lang, &format!("dashboard.{key}"));
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for code in all.defects.iter().flat_map(|codes| codes.split(',')) {
        *counts.entry(code).or_default() += 1;
    }
    let named =
        |code: &str| page::name(shared.frame.pages.texts(), signed.visit.lang, "defect", "", code);
    let mut rows: Vec<(String, usize)> =
        counts.into_iter().map(|(code, count)| (named(code), count)).collect();
    rows.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    rows.truncate(6);
    let spoken: Vec<String> = rows.iter().map(|(name, count)| format!("{name} {count}")).collect();
    let drawing = charts::ranks(&rows, &text("unit"), &spoken.join("、"));
    let table = rows.iter().map(|(name, count)| vec![name.clone(), count.to_string()]).collect();
    let heads = vec![text("reason"), text("count")];
    Plot { key: "reasons", drawing, heads, rows: table, days: Vec::new() }
}
