//! Moments and spans as people read them: Japanese time, era years, rounded durations.

use std::time::Duration;

use chrono::{DateTime, Datelike, FixedOffset, Timelike};
use engine::Moment;

use super::page::Lang;

/// Japan has had no summer time since 1951.
const JST_SECONDS: i32 = 9 * 3600;
const WEEKDAYS: [&str; 7] = ["日", "月", "火", "水", "木", "金", "土"];
const MONTHS: [&str; 12] = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
];

fn local(moment: Moment) -> Option<DateTime<FixedOffset>> {
    Some(moment.utc()?.with_timezone(&FixedOffset::east_opt(JST_SECONDS)?))
}

/// The year of the era Reiwa (from 2019); earlier years are not era years of this system.
fn reiwa(year: i32) -> i32 {
    year - 2018
}

/// 「令和8年(2026年)11月20日(金) 16:34」, "20 November 2026, 16:34 JST".
pub fn long(moment: Moment, lang: Lang) -> String {
    let Some(at) = local(moment) else { return String::new() };
    let (year, month, day) = (at.year(), at.month(), at.day());
    match lang {
        Lang::Ja => {
            let weekday = WEEKDAYS.get(at.weekday().num_days_from_sunday() as usize);
            let era = match reiwa(year) {
                1 => "令和元年".to_owned(),
                era if era > 1 => format!("令和{era}年"),
                _ => return format!("{year}年{month}月{day}日 {:02}:{:02}", at.hour(), at.minute()),
            };
            format!(
                "{era}({year}年){month}月{day}日({}) {:02}:{:02}",
                weekday.unwrap_or(&""),
                at.hour(),
                at.minute()
            )
        }
        Lang::En => {
            let month = MONTHS.get(at.month0() as usize).unwrap_or(&"");
            format!("{day} {month} {year}, {:02}:{:02} JST", at.hour(), at.minute())
        }
    }
}

/// 「11/20 16:34」, "20 Nov 16:34": for dense tables.
pub fn short(moment: Moment, lang: Lang) -> String {
    format!("{} {}", day(moment, lang), clock(moment))
}

/// 「11/20」, "20 Nov".
pub fn day(moment: Moment, lang: Lang) -> String {
    let Some(at) = local(moment) else { return String::new() };
    match lang {
        Lang::Ja => format!("{}/{}", at.month(), at.day()),
        Lang::En => {
            let month = MONTHS.get(at.month0() as usize).and_then(|month| month.get(..3));
            format!("{} {}", at.day(), month.unwrap_or_default())
        }
    }
}

/// "16:34".
pub fn clock(moment: Moment) -> String {
    local(moment).map(|at| at.format("%H:%M").to_string()).unwrap_or_default()
}

/// "16:34:05".
pub fn clock_seconds(moment: Moment) -> String {
    local(moment).map(|at| at.format("%H:%M:%S").to_string()).unwrap_or_default()
}

/// ISO 8601 with Japan's offset, for machines.
pub fn iso(moment: Moment) -> String {
    local(moment).map(|at| at.format("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()).unwrap_or_default()
}

/// The number under which people speak of a case: `R8-001204`, era year of the opening and
/// number.
pub fn case_number(id: i64, opened: Moment) -> String {
    let year = local(opened).map_or(0, |at| reiwa(at.year()));
    if year >= 1 { format!("R{year}-{id:06}") } else { format!("{id:06}") }
}

/// A span in its two largest units: 「1日 2時間」, "1 d 2 h"; 「1秒未満」 below a second.
pub fn span(length: Duration, lang: Lang) -> String {
    let seconds = length.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let unit = |ja: &'static str, en: &'static str| if lang == Lang::Ja { ja } else { en };
    let parts = [
        (days, unit("日", " d")),
        (hours, unit("時間", " h")),
        (minutes, unit("分", " min")),
        (seconds % 60, unit("秒", " s")),
    ];
    let first = parts.iter().position(|(count, _)| *count > 0);
    let Some(first) = first else { return unit("1秒未満", "under 1 s").to_owned() };
    // Seconds beside minutes say nothing that anybody needs.
    let keep = if first >= 2 { 1 } else { 2 };
    let shown: Vec<String> = parts
        .iter()
        .skip(first)
        .take(keep)
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count}{unit}"))
        .collect();
    shown.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-20 16:34:05 in Japan.
    const AT: Moment = Moment::from_seconds(1_795_160_045);

    #[test]
    fn moments_are_told_in_japanese_time() {
        assert_eq!(long(AT, Lang::Ja), "令和8年(2026年)11月20日(金) 16:34");
        assert_eq!(long(AT, Lang::En), "20 November 2026, 16:34 JST");
        assert_eq!(short(AT, Lang::Ja), "11/20 16:34");
        assert_eq!(short(AT, Lang::En), "20 Nov 16:34");
        assert_eq!(iso(AT), "2026-11-20T16:34:05.000+09:00");
    }

    #[test]
    fn numbers_bear_the_era_year_of_japan() {
        assert_eq!(case_number(1204, AT), "R8-001204");
        // 2026-12-31 15:00 UTC is New Year in Japan.
        assert_eq!(case_number(7, Moment::from_seconds(1_798_729_200)), "R9-000007");
        assert_eq!(case_number(7, Moment(0)), "000007");
    }

    #[test]
    fn spans_show_two_units_at_most() {
        let ja = |seconds| span(Duration::from_secs(seconds), Lang::Ja);
        assert_eq!(ja(0), "1秒未満");
        assert_eq!(ja(59), "59秒");
        assert_eq!(ja(720), "12分");
        assert_eq!(ja(86_400 + 7200 + 59), "1日 2時間");
        assert_eq!(ja(86_400), "1日");
        assert_eq!(span(Duration::from_secs(3900), Lang::En), "1 h 5 min");
    }
}
