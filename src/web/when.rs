//! Moments and spans on the pages: Japanese time, case numbers, rounded durations.

use std::time::Duration;

use chrono::Datelike;
use engine::Moment;

use crate::dates;
use crate::text::Language;

/// 「令和8年(2026年)11月20日(金) 16:34」, "20 November 2026, 16:34 JST".
pub fn long(moment: Moment, language: Language) -> String {
    dates::full(language, moment)
}

/// 「11/20 16:34」: for dense tables.
pub fn short(moment: Moment) -> String {
    dates::dense(moment)
}

/// 「11/20」.
pub fn day(moment: Moment) -> String {
    let at = dates::japan(moment);
    format!("{}/{}", at.month(), at.day())
}

/// "16:34".
pub fn clock(moment: Moment) -> String {
    dates::japan(moment).format("%H:%M").to_string()
}

/// "16:34:05".
pub fn clock_seconds(moment: Moment) -> String {
    dates::japan(moment).format("%H:%M:%S").to_string()
}

/// ISO 8601 with Japan's offset, for machines.
pub fn iso(moment: Moment) -> String {
    dates::iso(moment)
}

/// The number under which people speak of a case: `R8-001204`, era year of the opening and
/// number.
pub fn case_number(id: i64, opened: Moment) -> String {
    // Reiwa began in 2019; the system holds nothing older.
    let year = dates::japan(opened).year() - 2018;
    if year >= 1 { format!("R{year}-{id:06}") } else { format!("{id:06}") }
}

/// A span in its two largest units: 「1日 2時間」, "1 d 2 h"; 「1秒未満」 below a second.
pub fn span(length: Duration, language: Language) -> String {
    let seconds = length.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let unit =
        |ja: &'static str, en: &'static str| if language == Language::Japanese { ja } else { en };
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
    fn numbers_bear_the_era_year_of_japan() {
        assert_eq!(case_number(1204, AT), "R8-001204");
        // 2026-12-31 15:00 UTC is New Year in Japan.
        assert_eq!(case_number(7, Moment::from_seconds(1_798_729_200)), "R9-000007");
        assert_eq!(case_number(7, Moment(0)), "000007");
    }

    #[test]
    fn spans_show_two_units_at_most() {
        let ja = |seconds| span(Duration::from_secs(seconds), Language::Japanese);
        assert_eq!(ja(0), "1秒未満");
        assert_eq!(ja(59), "59秒");
        assert_eq!(ja(720), "12分");
        assert_eq!(ja(86_400 + 7200 + 59), "1日 2時間");
        assert_eq!(ja(86_400), "1日");
        assert_eq!(span(Duration::from_mins(65), Language::English), "1 h 5 min");
    }
}
