//! The clock of the work: it runs while the office is open, on business days only.

use std::time::Duration;

use chrono::{Days, NaiveDate, NaiveTime, TimeDelta};
use engine::calendar::Calendar;
use engine::{Fault, Moment};

use crate::config::Office;

/// Looking further ahead than this would mean that nobody ever works.
const FARTHEST: u64 = 400;

/// Office hours on a calendar.
pub struct Hours<'a> {
    calendar: &'a Calendar,
    opens: NaiveTime,
    closes: NaiveTime,
}

/// How long is left, or how long it is over: in office hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// Still so long.
    Left(Duration),
    /// Over since so long.
    Over(Duration),
}

impl<'a> Hours<'a> {
    /// The configured hours.
    pub fn new(calendar: &'a Calendar, office: &Office) -> Self {
        let at = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or(NaiveTime::MIN);
        Self { calendar, opens: at(office.opens_hour), closes: at(office.closes_hour) }
    }

    /// When so much office time is over, counted from `from`.
    pub fn due(&self, from: Moment, span: Duration) -> Result<Moment, Fault> {
        let local = self.calendar.local(from)?;
        let (mut day, mut time) = (local.date_naive(), local.time());
        let mut left = TimeDelta::from_std(span).unwrap_or(TimeDelta::MAX);
        for _ in 0..FARTHEST {
            let begin = time.max(self.opens);
            if self.calendar.is_business_day(day) && begin < self.closes {
                let today = self.closes - begin;
                if left <= today {
                    return moment(day, begin, left);
                }
                left -= today;
            }
            day = day.checked_add_days(Days::new(1)).ok_or(Fault::OutOfCalendar)?;
            time = NaiveTime::MIN;
        }
        Err(Fault::OutOfCalendar)
    }

    /// Office time between two moments; nothing when the second is not later.
    pub fn between(&self, from: Moment, to: Moment) -> Result<Duration, Fault> {
        let (from, to) = (self.calendar.local(from)?, self.calendar.local(to)?);
        let (mut day, mut time) = (from.date_naive(), from.time());
        let mut sum = TimeDelta::zero();
        for _ in 0..FARTHEST {
            if day > to.date_naive() {
                break;
            }
            let end = if day == to.date_naive() { to.time().min(self.closes) } else { self.closes };
            let begin = time.max(self.opens);
            if self.calendar.is_business_day(day) && begin < end {
                sum += end - begin;
            }
            day = day.checked_add_days(Days::new(1)).ok_or(Fault::OutOfCalendar)?;
            time = NaiveTime::MIN;
        }
        Ok(sum.to_std().unwrap_or_default())
    }

    /// What is left until a moment.
    pub fn left(&self, now: Moment, due: Moment) -> Result<Left, Fault> {
        if now <= due {
            Ok(Left::Left(self.between(now, due)?))
        } else {
            Ok(Left::Over(self.between(due, now)?))
        }
    }
}

fn moment(day: NaiveDate, begin: NaiveTime, after: TimeDelta) -> Result<Moment, Fault> {
    let at = day.and_time(begin) + after;
    let at = at.and_local_timezone(crate::dates::JAPAN).single().ok_or(Fault::OutOfCalendar)?;
    Ok(at.with_timezone(&chrono::Utc).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Moment {
        Moment::from(text.parse::<chrono::DateTime<chrono::Utc>>().unwrap())
    }

    fn hours(count: u64) -> Duration {
        Duration::from_hours(count)
    }

    #[test]
    fn the_clock_stands_at_night_and_on_days_off() {
        let holiday = NaiveDate::from_ymd_opt(2026, 11, 23).unwrap();
        let calendar = Calendar::new(crate::dates::JAPAN, [holiday]);
        let office = Office { opens_hour: 9, closes_hour: 17, ..Office::default() };
        let clock = Hours::new(&calendar, &office);
        // Friday 15:00 in Japan: two hours are left of the day; Monday is a holiday.
        let friday = at("2026-11-20T06:00:00Z");
        assert_eq!(clock.due(friday, hours(2)).unwrap(), at("2026-11-20T08:00:00Z"));
        assert_eq!(clock.due(friday, hours(3)).unwrap(), at("2026-11-24T01:00:00Z"));
        // At night the day has not begun.
        assert_eq!(
            clock.due(at("2026-11-20T14:00:00Z"), hours(1)).unwrap(),
            at("2026-11-24T01:00:00Z")
        );
        let due = at("2026-11-24T01:00:00Z");
        assert_eq!(clock.left(friday, due).unwrap(), Left::Left(hours(3)));
        assert_eq!(
            clock.left(at("2026-11-24T03:30:00Z"), due).unwrap(),
            Left::Over(Duration::from_mins(150))
        );
        assert_eq!(clock.between(due, friday).unwrap(), Duration::ZERO);
    }
}
