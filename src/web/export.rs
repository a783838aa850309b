//! A case for machines and spreadsheets.

use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::error::Problem;
use super::story::Told;
use super::when;

/// A spreadsheet takes a cell that begins like this for a formula.
pub(super) fn defused(text: &str) -> String {
    const BEGINNINGS: &str = "=+-@\t\r＝＋－＠";
    if text.starts_with(|letter| BEGINNINGS.contains(letter)) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// The history as CSV.
pub(super) fn csv(told: &Told) -> Result<Response, Problem> {
    const HEADS: [&str; 16] = [
        "no",
        "at",
        "kind",
        "command",
        "from",
        "to",
        "outcome",
        "actor",
        "role",
        "auth",
        "place",
        "version",
        "state_digest",
        "details_digest",
        "hash",
        "held_for",
    ];
    let held_for = told.held_for();
    let rows = told.entries.iter().map(|line| {
        vec![
            line.no.to_string(),
            line.at.clone(),
            line.kind.clone(),
            line.command.clone(),
            line.from.clone(),
            line.to.clone(),
            line.outcome.clone(),
            line.actor.clone().unwrap_or_default(),
            line.role.clone(),
            line.auth.clone(),
            line.place.clone().unwrap_or_default(),
            line.version.to_string(),
            line.state_digest.clone(),
            line.details_digest.clone(),
            line.hash.clone(),
            held_for.clone(),
        ]
    });
    table(&told.number, &HEADS, rows)
}

/// A table as CSV with a byte-order mark, which spreadsheets need for Japanese. No cell is a formula.
pub(super) fn table(
    name: &str,
    heads: &[impl AsRef<str>],
    rows: impl IntoIterator<Item = Vec<String>>,
) -> Result<Response, Problem> {
    let mut writer = csv::Writer::from_writer(b"\xEF\xBB\xBF".to_vec());
    let unwritable = |source: csv::Error| Problem::Unwritable { source: source.into() };
    writer.write_record(heads.iter().map(|head| defused(head.as_ref()))).map_err(unwritable)?;
    for row in rows {
        writer.write_record(row.iter().map(|cell| defused(cell))).map_err(unwritable)?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|error| Problem::Unwritable { source: error.into_error().into() })?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.csv\"")),
    ];
    Ok((headers, bytes).into_response())
}

/// Everything the page shows, as JSON; times are ISO 8601, hashes hexadecimal.
pub(super) fn json(told: &Told) -> Response {
    axum::Json(told).into_response()
}

/// An entry's moment for machines.
pub(super) fn moment(at: engine::Moment) -> String {
    when::iso(at)
}

#[cfg(test)]
mod tests {
    use super::defused;

    #[test]
    fn formulas_become_text() {
        for cell in ["=1+1", "+81", "-1", "@SUM(A1)", "＝A1", "＋1", "－1", "＠x", "\t=1", "\r=1"]
        {
            assert_eq!(defused(cell), format!("'{cell}"));
        }
        assert_eq!(defused("2026-11-20"), "2026-11-20");
        assert_eq!(defused(""), "");
    }
}
