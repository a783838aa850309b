//! S18: replies that the bank pays for are printed until their permit ends, and not a day longer.

use std::time::{Duration, SystemTime};

use forms::{Copy, House, Job, PrintFault, Sheets, Variant};

use crate::sample::{KEY, PRESS, made_at};

/// The permit ends on the day on which the sample forms are made.
fn house() -> House {
    House {
        reply_permit: "麹町局承認 1234".to_owned(),
        reply_permit_until: "2026-11-22".to_owned(),
        ..House::sample()
    }
}

fn printed(house: &House, made_at: SystemTime, sheets: Sheets) -> Result<usize, PrintFault> {
    let job = Job { variant: Variant::Light, house, key: &KEY, made_at };
    let batch = PRESS.batch(&job, &[Copy::default()], sheets)?;
    Ok(batch.pdf.len())
}

#[test]
fn after_its_last_day_nothing_that_shows_the_permit_is_printed() {
    let house = house();
    // The last second of the day in Japan: made at 09:00.
    let last = made_at() + Duration::from_secs(15 * 3600 - 1);
    let with = printed(&house, last, Sheets::All).unwrap();
    assert_ne!(with, printed(&House::sample(), last, Sheets::All).unwrap(), "the permit is shown");
    let after = last + Duration::from_secs(1);
    let fault = printed(&house, after, Sheets::All).unwrap_err();
    assert!(
        matches!(&fault, PrintFault::PermitEnded { until } if until == "2026-11-22"),
        "{fault}"
    );
    let press = &*PRESS;
    let job = Job { variant: Variant::Light, house: &house, key: &KEY, made_at: after };
    assert!(press.fillable(&job, &Copy::default()).is_err());
    // The pages of the form themselves say nothing of it.
    printed(&house, after, Sheets::Pages).unwrap();
    printed(&House::sample(), after, Sheets::All).unwrap();
}
