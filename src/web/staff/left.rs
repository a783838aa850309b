//! Time left until a form should be approved: a word and a colour.

use std::time::Duration;

use engine::{Fault, Moment};
use serde::Serialize;

use super::Staff;
use crate::backoffice::hours::{Hours, Left};
use crate::text::Language;
use crate::web::face::Tint;

/// From here on the colour warns.
const WARNS: Duration = Duration::from_hours(2);
/// From here on it alarms.
const ALARMS: Duration = Duration::from_hours(1);

/// What a chip says of the time left.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Clock {
    pub(super) text: String,
    pub(super) tint: Tint,
    pub(super) is_over: bool,
    /// Less than two hours are left, or none.
    pub(super) is_near: bool,
}

/// The clock of a form that came at a moment.
pub(super) fn clock(
    staff: &Staff,
    lang: Language,
    received: Moment,
    now: Moment,
) -> Result<Clock, Fault> {
    let office = &staff.app.tools.config.office;
    let calendar = staff.app.engine.calendar();
    let hours = Hours::new(&calendar, office);
    let target = Duration::from_secs(3600 * u64::from(office.target_hours));
    let left = hours.left(now, hours.due(received, target)?)?;
    let (key, span, tint) = match left {
        Left::Over(span) => ("clock.over", span, Tint::Err),
        Left::Left(span) if span <= ALARMS => ("clock.left", span, Tint::Err),
        Left::Left(span) if span <= WARNS => ("clock.left", span, Tint::Warn),
        Left::Left(span) => ("clock.left", span, Tint::Plain),
    };
    Ok(Clock {
        text: staff.filled(lang, key, "span", &worded(span, lang)),
        tint,
        is_over: matches!(left, Left::Over(_)),
        is_near: tint != Tint::Plain,
    })
}

/// Hours and minutes: a day at work has no 24 of them, so days are not counted.
fn worded(span: Duration, lang: Language) -> String {
    let (hours, minutes) = (span.as_secs() / 3600, span.as_secs() / 60 % 60);
    match (lang, hours) {
        (Language::Japanese, 0) => format!("{minutes}分"),
        (Language::Japanese, _) => format!("{hours}時間{minutes:02}分"),
        (Language::English, 0) => format!("{minutes} min"),
        (Language::English, _) => format!("{hours} h {minutes:02} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_not_turned_into_days() {
        assert_eq!(worded(Duration::from_mins(1835), Language::Japanese), "30時間35分");
        assert_eq!(worded(Duration::from_mins(65), Language::English), "1 h 05 min");
        assert_eq!(worded(Duration::from_secs(59), Language::Japanese), "0分");
    }
}
