//! Japan's national holidays by law, the bank's own closed days, and the business days they leave.
//!
//! Source: the National Holidays Act (国民の祝日に関する法律, 1948, last amended 2018) with the
//! special acts for 2019 (accession) and for 2020 and 2021 (Olympic Games).

use std::collections::BTreeSet;

use chrono::{Datelike, Days, NaiveDate, Weekday};
use engine::calendar::Calendar;

use crate::config::{BusinessDays, MonthDay};
use crate::dates::JAPAN;

/// The first year whose holidays are known here.
pub const FIRST_YEAR: i32 = 2019;
/// The last one: the equinox formula holds until then.
pub const LAST_YEAR: i32 = 2099;

/// The business days in force: national holidays, the bank's closure at the turn of the year,
/// `kept` (the days in the ledger) and the configuration's days, except its working days.
pub fn calendar(days: &BusinessDays, kept: impl IntoIterator<Item = NaiveDate>) -> Calendar {
    let mut closed: BTreeSet<NaiveDate> = (FIRST_YEAR..=LAST_YEAR).flat_map(national).collect();
    closed.extend((FIRST_YEAR - 1..=LAST_YEAR).flat_map(|year| closure(days, year)));
    closed.extend(kept);
    closed.extend(days.extra_holidays.iter().map(|day| day.0));
    for day in &days.extra_working_days {
        closed.remove(&day.0);
    }
    Calendar::new(JAPAN, closed)
}

/// The national holidays of a year, substitutes and days between two holidays included. Empty
/// outside [`FIRST_YEAR`] to [`LAST_YEAR`].
pub fn national(year: i32) -> BTreeSet<NaiveDate> {
    if !(FIRST_YEAR..=LAST_YEAR).contains(&year) {
        return BTreeSet::new();
    }
    let named: BTreeSet<NaiveDate> = named(year).into_iter().flatten().collect();
    let mut all = named.clone();
    all.extend(named.iter().filter_map(|day| substitute(*day, &named)));
    all.extend(named.iter().filter_map(|day| between(*day, &named)));
    all
}

/// Days that the law names, before substitution (Article 2 and the special acts).
fn named(year: i32) -> Vec<Option<NaiveDate>> {
    let on = |month, day| NaiveDate::from_ymd_opt(year, month, day);
    let monday =
        |month, count| NaiveDate::from_weekday_of_month_opt(year, month, Weekday::Mon, count);
    let mut days = vec![
        on(1, 1),
        monday(1, 2),
        on(2, 11),
        on(3, equinox(year, 20_843_100)),
        on(4, 29),
        on(5, 3),
        on(5, 4),
        on(5, 5),
        monday(9, 3),
        on(9, equinox(year, 23_248_800)),
        on(11, 3),
        on(11, 23),
    ];
    // Marine Day, Mountain Day, Sports Day: moved for the Games.
    days.extend(match year {
        2020 => [on(7, 23), on(8, 10), on(7, 24)],
        2021 => [on(7, 22), on(8, 8), on(7, 23)],
        _ => [monday(7, 3), on(8, 11), monday(10, 2)],
    });
    if year == 2019 {
        // The accession and its ceremony; no Emperor's birthday fell into this year.
        days.extend([on(5, 1), on(10, 22)]);
    } else {
        days.push(on(2, 23));
    }
    days
}

/// The day of the equinox in its month, from the usual approximation (1980 to 2099): the base is
/// in millionths of a day.
fn equinox(year: i32, base: u32) -> u32 {
    let years = u32::try_from(year - 1980).unwrap_or_default();
    (base + 242_194 * years) / 1_000_000 - years / 4
}

/// Article 3, 2: a holiday on a Sunday moves the rest to the next day that is no holiday.
fn substitute(day: NaiveDate, named: &BTreeSet<NaiveDate>) -> Option<NaiveDate> {
    if day.weekday() != Weekday::Sun {
        return None;
    }
    day.iter_days().skip(1).find(|next| !named.contains(next))
}

/// Article 3, 3: a day between two holidays is one itself.
fn between(day: NaiveDate, named: &BTreeSet<NaiveDate>) -> Option<NaiveDate> {
    let next = day.checked_add_days(Days::new(1))?;
    let after = day.checked_add_days(Days::new(2))?;
    (!named.contains(&next) && named.contains(&after)).then_some(next)
}

/// The bank's closure that begins in `year`.
fn closure(days: &BusinessDays, year: i32) -> Vec<NaiveDate> {
    let (from, to) = (days.bank_closed_from, days.bank_closed_to);
    let in_year = |year, day: MonthDay| NaiveDate::from_ymd_opt(year, day.month, day.day);
    let end_year = if to < from { year + 1 } else { year };
    let (Some(first), Some(last)) = (in_year(year, from), in_year(end_year, to)) else {
        return Vec::new();
    };
    first.iter_days().take_while(|day| *day <= last).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Day;
    use engine::Moment;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    /// As announced by the Cabinet Office for the years announced, and by the law for later ones.
    const KNOWN: [(i32, &str); 12] = [
        (
            2019,
            "1/1 1/14 2/11 3/21 4/29 4/30 5/1 5/2 5/3 5/4 5/5 5/6 7/15 8/11 8/12 9/16 9/23 10/14 \
             10/22 11/3 11/4 11/23",
        ),
        (
            2020,
            "1/1 1/13 2/11 2/23 2/24 3/20 4/29 5/3 5/4 5/5 5/6 7/23 7/24 8/10 9/21 9/22 11/3 11/23",
        ),
        (2021, "1/1 1/11 2/11 2/23 3/20 4/29 5/3 5/4 5/5 7/22 7/23 8/8 8/9 9/20 9/23 11/3 11/23"),
        (2022, "1/1 1/10 2/11 2/23 3/21 4/29 5/3 5/4 5/5 7/18 8/11 9/19 9/23 10/10 11/3 11/23"),
        (2023, "1/1 1/2 1/9 2/11 2/23 3/21 4/29 5/3 5/4 5/5 7/17 8/11 9/18 9/23 10/9 11/3 11/23"),
        (
            2024,
            "1/1 1/8 2/11 2/12 2/23 3/20 4/29 5/3 5/4 5/5 5/6 7/15 8/11 8/12 9/16 9/22 9/23 10/14 \
             11/3 11/4 11/23",
        ),
        (
            2025,
            "1/1 1/13 2/11 2/23 2/24 3/20 4/29 5/3 5/4 5/5 5/6 7/21 8/11 9/15 9/23 10/13 11/3 \
             11/23 11/24",
        ),
        (
            2026,
            "1/1 1/12 2/11 2/23 3/20 4/29 5/3 5/4 5/5 5/6 7/20 8/11 9/21 9/22 9/23 10/12 11/3 11/23",
        ),
        (
            2027,
            "1/1 1/11 2/11 2/23 3/21 3/22 4/29 5/3 5/4 5/5 7/19 8/11 9/20 9/23 10/11 11/3 11/23",
        ),
        (2028, "1/1 1/10 2/11 2/23 3/20 4/29 5/3 5/4 5/5 7/17 8/11 9/18 9/22 10/9 11/3 11/23"),
        (
            2029,
            "1/1 1/8 2/11 2/12 2/23 3/20 4/29 4/30 5/3 5/4 5/5 7/16 8/11 9/17 9/23 9/24 10/8 11/3 \
             11/23",
        ),
        (
            2030,
            "1/1 1/14 2/11 2/23 3/20 4/29 5/3 5/4 5/5 5/6 7/15 8/11 8/12 9/16 9/23 10/14 11/3 11/4 \
             11/23",
        ),
    ];

    #[test]
    fn the_law_gives_the_announced_days() {
        for (year, list) in KNOWN {
            let found: Vec<String> =
                national(year).iter().map(|day| format!("{}/{}", day.month(), day.day())).collect();
            let known: Vec<&str> = list.split_whitespace().collect();
            assert_eq!(found, known, "{year}");
        }
    }

    #[test]
    fn unknown_years_have_none() {
        assert!(national(FIRST_YEAR - 1).is_empty());
        assert!(national(LAST_YEAR + 1).is_empty());
        assert_eq!(national(LAST_YEAR).len(), 18);
    }

    #[test]
    fn the_bank_is_closed_at_the_turn_of_the_year() {
        let calendar = calendar(&BusinessDays::default(), []);
        for closed in ["2026-12-31", "2027-01-01", "2027-01-02", "2029-01-02", "2029-01-03"] {
            assert!(!calendar.is_business_day(day(closed)), "{closed}");
        }
        for open in ["2026-12-30", "2027-01-04", "2029-01-04"] {
            assert!(calendar.is_business_day(day(open)), "{open}");
        }
    }

    #[test]
    fn configuration_and_ledger_add_days_and_only_configuration_takes_them_away() {
        let days = BusinessDays {
            extra_holidays: vec![Day(day("2026-11-25"))],
            extra_working_days: vec![Day(day("2026-11-23")), Day(day("2026-11-22"))],
            ..BusinessDays::default()
        };
        let calendar = calendar(&days, [day("2026-11-26")]);
        let open = |text| calendar.is_business_day(day(text));
        assert!(!open("2026-11-25") && !open("2026-11-26") && open("2026-11-23"));
        assert!(!open("2026-11-22"), "a Sunday stays a Sunday");
    }

    #[test]
    fn business_days_pass_over_the_silver_week() {
        // Friday 18 September 2026, 10:00; Monday to Wednesday are holidays.
        let from: Moment =
            "2026-09-18T01:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap().into();
        let calendar = calendar(&BusinessDays::default(), []);
        let next = calendar.add_business_days(from, 1).unwrap();
        assert_eq!(calendar.date(next).unwrap(), day("2026-09-24"));
    }
}
