//! The date of a form, read by a person where the machine was not certain: it belongs to the paper, and
//! so to every case that came on it.

use chrono::NaiveDate;
use engine::{CaseId, Fault, Note, Tx};

use super::AtWork;
use crate::app::App;
use crate::customer::Declined;
use crate::dates;
use crate::store::reissues::{self, Change};
use crate::store::standing;
use crate::text::to_half_width;

/// The entry of a history.
const READ_DATE: &str = "ReadDate";

/// A date as the boxes of the form have it: year of Reiwa, month and day, two digits each, or parted by
/// anything that is no digit.
#[must_use]
pub fn typed_date(text: &str) -> Option<NaiveDate> {
    let text = to_half_width(text);
    let mut parts: Vec<&str> = text
        .split(|letter: char| !letter.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .collect();
    if let [whole] = parts[..]
        && whole.len() == 6
    {
        parts = vec![&whole[..2], &whole[2..4], &whole[4..]];
    }
    let [year, month, day] = parts[..] else { return None };
    dates::of_reiwa(forms::ReiwaDate::from_digits(year, month, day)?)
}

impl App {
    /// A clerk reads the date of the form: the date and the entry that tells who read it are one. True when another specimen was valid on that day than the one that was shown.
    pub async fn read_date(
        &self,
        by: &AtWork,
        case: CaseId,
        version: i64,
        date: NaiveDate,
    ) -> Result<bool, Declined> {
        self.demand_free(by, case).await?;
        let found = self.case_row(case).await?.version;
        if found != version {
            return Err(Fault::Stale { case, expected: version, found }.into());
        }
        let mut tx = self.tools.db.write().await?;
        let row = reissues::find(&mut tx, case).await?.ok_or(Declined::NotFound)?;
        let envelope = row.submission.ok_or(Declined::NotFound)?;
        let mut cases = vec![case];
        for other in reissues::siblings(&mut tx, case, envelope).await? {
            let undated = reissues::find(&mut tx, other).await?;
            cases.extend(undated.filter(|row| row.form_date.is_none()).map(|_| other));
        }
        cases.sort_unstable();
        let date = date.to_string();
        let hand = by.hand();
        for one in &cases {
            let note = Note { case: *one, what: READ_DATE, outcome: &date, by: &hand };
            self.engine.note_in(&mut tx, note).await?;
        }
        for one in cases {
            keep_date(&mut tx, one, &date).await?;
        }
        let now = reissues::find(&mut tx, case).await?.ok_or(Declined::NotFound)?;
        tx.commit().await?;
        Ok(now.specimen != row.specimen)
    }
}

async fn keep_date(tx: &mut Tx, case: CaseId, date: &str) -> Result<(), Declined> {
    let row = reissues::find(tx, case).await?.ok_or(Declined::NotFound)?;
    let own = standing::find(tx, row.user_id).await?.ok_or(Declined::NotFound)?;
    let change = match standing::valid_specimen(tx, own.contract, date).await? {
        Some((specimen, _)) => Change::Shown { specimen, form_date: Some(date) },
        None => Change::Dated(date),
    };
    Ok(reissues::change(tx, case, &change).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_typed_as_the_boxes_have_it() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 5);
        for text in ["081105", "8 11 5", "令和8年11月5日", "08.11.05", "０８１１０５", "R8-11-5"]
        {
            assert_eq!(typed_date(text), day, "{text}");
        }
        for text in
            ["", "0811", "08110", "08 13 01", "08 02 30", "8 11 ?", "2026-11-05", "8/11/5/1"]
        {
            assert_eq!(typed_date(text), None, "{text}");
        }
    }
}
