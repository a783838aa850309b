//! Times as people read them: in Japan, with the era's year, in Japanese or English.
//!
//! Everything is stored in UTC. Machines get ISO 8601; see UI wording for the other forms.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, SecondsFormat, Timelike};
use engine::Moment;
use icu_calendar::Date;
use icu_calendar::cal::Japanese;

use crate::text::Language;

/// Japan's offset from UTC; it is the same all year.
pub const JAPAN: FixedOffset = match FixedOffset::east_opt(9 * 3600) {
    Some(offset) => offset,
    None => panic!("nine hours are an offset"),
};

const WEEKDAYS: [&str; 7] = ["月", "火", "水", "木", "金", "土", "日"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A moment on the clocks of Japan; the beginning of 1970 for one outside the calendar.
pub fn japan(moment: Moment) -> DateTime<FixedOffset> {
    moment.utc().unwrap_or_default().with_timezone(&JAPAN)
}

/// The day that a date of a form names.
pub fn of_reiwa(date: forms::ReiwaDate) -> Option<NaiveDate> {
    let year = REIWA_BEFORE + i32::from(date.year);
    NaiveDate::from_ymd_opt(year, date.month.into(), date.day.into())
}

/// The year before the first of Reiwa.
const REIWA_BEFORE: i32 = 2018;

/// Date and time for customers: 「令和8年(2026年)11月20日(金) 16:34」 or
/// "20 November 2026, 16:34 JST".
pub fn full(language: Language, moment: Moment) -> String {
    let local = japan(moment);
    let (hour, minute) = (local.hour(), local.minute());
    let date = day(language, local.date_naive());
    match language {
        Language::Japanese => format!("{date} {hour:02}:{minute:02}"),
        Language::English => format!("{date}, {hour:02}:{minute:02} JST"),
    }
}

/// The date for customers: 「令和8年(2026年)11月20日(金)」 or "20 November 2026".
pub fn day(language: Language, date: NaiveDate) -> String {
    let (year, month, number) = (date.year(), date.month(), date.day());
    match language {
        Language::Japanese => {
            let weekday = pick(&WEEKDAYS, date.weekday().num_days_from_monday());
            let era = era_year(date);
            format!("{era}({year}年){month}月{number}日({weekday})")
        }
        Language::English => format!("{number} {} {year}", pick(&MONTHS, date.month0())),
    }
}

/// For dense tables: 「11/20 16:34」, the same in both languages.
pub fn dense(moment: Moment) -> String {
    japan(moment).format("%m/%d %H:%M").to_string()
}

/// For machines: `2026-11-20T16:34:00+09:00`.
pub fn iso(moment: Moment) -> String {
    japan(moment).to_rfc3339_opts(SecondsFormat::Secs, false)
}

/// The year by the era that ruled on that day: 「令和8年」, the first one 「令和元年」. Before
/// 1873, when Japan counted by the moon, the year of our reckoning.
pub fn era_year(date: NaiveDate) -> String {
    let western = || format!("西暦{}年", date.year());
    let (Ok(month), Ok(number)) = (u8::try_from(date.month()), u8::try_from(date.day())) else {
        return western();
    };
    let Ok(iso) = Date::try_new_iso(date.year(), month, number) else { return western() };
    let year = iso.to_calendar(Japanese::new()).era_year();
    let era = match year.era.as_str() {
        "reiwa" => "令和",
        "heisei" => "平成",
        "showa" => "昭和",
        "taisho" => "大正",
        "meiji" => "明治",
        _ => return western(),
    };
    if year.year == 1 { format!("{era}元年") } else { format!("{era}{}年", year.year) }
}

/// A running number as people say it: era and year, then at least six digits, `R8-001204`.
pub fn numbered(moment: Moment, number: i64) -> String {
    let date = japan(moment).date_naive();
    let year = era_year(date);
    let letter = match year.chars().next() {
        Some('令') => "R",
        Some('平') => "H",
        Some('昭') => "S",
        _ => "",
    };
    let count: String = year.chars().filter(char::is_ascii_digit).collect();
    // The first year of an era is written 元.
    let count = if count.is_empty() { "1".to_owned() } else { count };
    format!("{letter}{count}-{number:06}")
}

/// The day in Japan, `2026-11-20`.
pub fn iso_day(moment: Moment) -> String {
    japan(moment).date_naive().to_string()
}

fn pick(names: &[&'static str], index: u32) -> &'static str {
    usize::try_from(index).ok().and_then(|index| names.get(index)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Moment {
        text.parse::<DateTime<chrono::Utc>>().unwrap().into()
    }

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn times_are_those_of_japan_in_the_form_of_the_reader() {
        let moment = at("2026-11-20T07:34:09Z");
        assert_eq!(full(Language::Japanese, moment), "令和8年(2026年)11月20日(金) 16:34");
        assert_eq!(full(Language::English, moment), "20 November 2026, 16:34 JST");
        assert_eq!(dense(moment), "11/20 16:34");
        assert_eq!(iso(moment), "2026-11-20T16:34:09+09:00");
    }

    #[test]
    fn the_day_turns_with_japan_and_not_with_utc() {
        let moment = at("2026-12-31T15:00:00Z");
        assert_eq!(full(Language::Japanese, moment), "令和9年(2027年)1月1日(金) 00:00");
        assert_eq!(full(Language::English, moment), "1 January 2027, 00:00 JST");
    }

    #[test]
    fn eras_change_on_their_day() {
        for (day, era) in [
            ("1872-12-31", "西暦1872年"),
            ("1873-01-01", "明治6年"),
            ("1912-07-29", "明治45年"),
            ("1912-07-30", "大正元年"),
            ("1926-12-24", "大正15年"),
            ("1926-12-25", "昭和元年"),
            ("1989-01-07", "昭和64年"),
            ("1989-01-08", "平成元年"),
            ("2019-04-30", "平成31年"),
            ("2019-05-01", "令和元年"),
            ("2020-02-29", "令和2年"),
            ("2026-11-20", "令和8年"),
        ] {
            assert_eq!(era_year(date(day)), era, "{day}");
        }
    }

    #[test]
    fn moments_outside_the_calendar_do_not_panic() {
        for moment in [Moment(i64::MAX), Moment(i64::MIN)] {
            assert!(!full(Language::Japanese, moment).is_empty());
        }
    }
}
