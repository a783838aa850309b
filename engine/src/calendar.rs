//! Business days: weekends and holidays of one place, extended by whoever operates the engine.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, Days, FixedOffset, NaiveDate, Utc, Weekday};

use crate::{Fault, Moment, Span};

/// Which days count as business days, in one fixed offset from UTC.
#[derive(Debug, Clone)]
pub struct Calendar {
    offset: FixedOffset,
    holidays: BTreeSet<NaiveDate>,
}

impl Calendar {
    /// A calendar of weekends and `holidays`. The offset must not change with the season.
    pub fn new(offset: FixedOffset, holidays: impl IntoIterator<Item = NaiveDate>) -> Self {
        Self { offset, holidays: holidays.into_iter().collect() }
    }

    /// The date on which `moment` falls here.
    pub fn date(&self, moment: Moment) -> Result<NaiveDate, Fault> {
        Ok(self.local(moment)?.date_naive())
    }

    /// The moment on this calendar's wall clock.
    pub fn local(&self, moment: Moment) -> Result<DateTime<FixedOffset>, Fault> {
        Ok(moment.utc().ok_or(Fault::OutOfCalendar)?.with_timezone(&self.offset))
    }

    /// True when people work on that day.
    pub fn is_business_day(&self, date: NaiveDate) -> bool {
        !matches!(date.weekday(), Weekday::Sat | Weekday::Sun) && !self.holidays.contains(&date)
    }

    /// The same time of day, `count` business days later. The day of `from` itself never counts;
    /// zero days give `from` unchanged.
    pub fn add_business_days(&self, from: Moment, count: u32) -> Result<Moment, Fault> {
        let local = self.local(from)?;
        let mut date = local.date_naive();
        let mut left = count;
        while left > 0 {
            date = date.checked_add_days(Days::new(1)).ok_or(Fault::OutOfCalendar)?;
            if self.is_business_day(date) {
                left -= 1;
            }
        }
        let at = date.and_time(local.time()).and_local_timezone(self.offset).single();
        Ok(at.ok_or(Fault::OutOfCalendar)?.with_timezone(&Utc).into())
    }

    /// When `span` is over, counted from `anchor`.
    pub fn after(&self, anchor: Moment, span: Span) -> Result<Moment, Fault> {
        match span {
            Span::Time(time) => Ok(anchor.plus(time)),
            Span::BusinessDays(count) => self.add_business_days(anchor, count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).unwrap()
    }

    fn tokyo() -> Calendar {
        let new_year = [day(2026, 12, 31), day(2027, 1, 1), day(2027, 1, 2), day(2027, 1, 3)];
        Calendar::new(FixedOffset::east_opt(9 * 3600).unwrap(), new_year)
    }

    fn at(text: &str) -> Moment {
        text.parse::<DateTime<Utc>>().unwrap().into()
    }

    #[test]
    fn business_days_skip_weekends_and_holidays_and_keep_the_time_of_day() {
        // Wednesday 30 December 2026, 10:00 in Tokyo; the next business day is Monday 4 January.
        let from = at("2026-12-30T01:00:00Z");
        assert_eq!(tokyo().add_business_days(from, 1).unwrap(), at("2027-01-04T01:00:00Z"));
        assert_eq!(tokyo().add_business_days(from, 6).unwrap(), at("2027-01-11T01:00:00Z"));
        assert_eq!(tokyo().add_business_days(from, 0).unwrap(), from);
    }

    #[test]
    fn the_date_is_the_one_of_the_place() {
        // 20:00 UTC on Friday is Saturday morning in Tokyo.
        assert_eq!(tokyo().date(at("2026-11-20T20:00:00Z")).unwrap(), day(2026, 11, 21));
        let monday = tokyo().add_business_days(at("2026-11-20T20:00:00Z"), 1).unwrap();
        assert_eq!(monday, at("2026-11-22T20:00:00Z"));
    }

    #[test]
    fn a_leap_day_is_a_day() {
        let from = at("2028-02-28T01:00:00Z");
        assert_eq!(tokyo().add_business_days(from, 1).unwrap(), at("2028-02-29T01:00:00Z"));
    }

    #[test]
    fn the_end_of_time_is_an_error_not_a_panic() {
        assert!(tokyo().add_business_days(Moment(i64::MAX), 1).is_err());
    }
}
