//! From a file to rows of named texts.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::Problem;

/// What the rows of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Contracts.
    Contracts,
    /// Registered addresses.
    Addresses,
    /// Users with their authorities.
    Users,
    /// Registered seals.
    Specimens,
    /// The bank's people.
    Staff,
    /// Holidays besides the national ones.
    Holidays,
    /// Password hashes, card seeds and enrolment codes.
    Credentials,
    /// One-time-password cards in stock.
    Cards,
}

impl Kind {
    /// Every kind, in the order in which they are written.
    pub const ALL: [Self; 8] = [
        Self::Contracts,
        Self::Addresses,
        Self::Users,
        Self::Specimens,
        Self::Staff,
        Self::Holidays,
        Self::Credentials,
        Self::Cards,
    ];

    /// The name with which a file of this kind begins.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Contracts => "contracts",
            Self::Addresses => "addresses",
            Self::Users => "users",
            Self::Specimens => "specimens",
            Self::Staff => "staff",
            Self::Holidays => "holidays",
            Self::Credentials => "credentials",
            Self::Cards => "cards",
        }
    }

    /// A column that only this kind has.
    const fn mark(self) -> &'static str {
        match self {
            Self::Contracts => "account_number",
            Self::Addresses => "postal_code",
            Self::Users => "reissue_authority",
            Self::Specimens => "picture",
            Self::Staff => "login",
            Self::Holidays => "day",
            Self::Credentials => "secret",
            Self::Cards => "serial",
        }
    }

    /// The columns, the necessary ones first; how many are necessary.
    pub(super) const fn columns(self) -> (&'static [&'static str], usize) {
        match self {
            Self::Contracts => (
                &[
                    "number",
                    "variant",
                    "company",
                    "company_kana",
                    "representative",
                    "branch",
                    "account_type",
                    "account_number",
                    "phone",
                    "status",
                    "language",
                    "phrase",
                    "target_only_reveal",
                ],
                9,
            ),
            Self::Addresses => (&["contract", "postal_code", "address", "changed_on"], 4),
            Self::Users => (
                &[
                    "contract",
                    "user_id",
                    "name",
                    "kana",
                    "reissue_authority",
                    "email",
                    "department",
                    "title",
                    "language",
                    "status",
                    "certificate_required",
                ],
                5,
            ),
            Self::Specimens => (&["contract", "valid_from", "picture", "valid_to"], 3),
            Self::Staff => {
                (&["person", "login", "name", "roles", "password", "seed", "issuer", "subject"], 4)
            }
            Self::Holidays => (&["day", "name"], 2),
            Self::Credentials => (&["contract", "user_id", "kind", "secret"], 4),
            Self::Cards => (&["serial", "seed"], 2),
        }
    }
}

/// A row as it stands in the file.
#[derive(Debug, Clone)]
pub(super) struct Raw {
    /// From 1.
    pub(super) line: u64,
    /// By column; what is empty or missing is not here.
    pub(super) values: BTreeMap<String, String>,
}

/// Reads a file and says what its rows are.
pub(super) fn read(path: &Path) -> Result<(Kind, Vec<Raw>), Problem> {
    let whole = |ja: &str, en: &str| Problem {
        file: path.to_owned(),
        line: 0,
        column: String::new(),
        ja: ja.to_owned(),
        en: en.to_owned(),
    };
    let bytes = fs::read(path).map_err(|error| {
        let why = error.kind();
        whole(&format!("ファイルを読めません({why})。"), &format!("the file cannot be read: {why}"))
    })?;
    let text = decode(&bytes).map_err(|(ja, en)| whole(ja, en))?;
    let is_json = path.extension().is_some_and(|ending| ending == "jsonl" || ending == "ndjson")
        || text.trim_start().starts_with('{');
    let (columns, rows) = if is_json { read_json(path, text)? } else { read_csv(path, text)? };
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let kind = Kind::ALL
        .into_iter()
        .find(|kind| stem.starts_with(kind.name()))
        .or_else(|| Kind::ALL.into_iter().find(|kind| columns.iter().any(|c| c == kind.mark())))
        .ok_or_else(|| {
            let names = Kind::ALL.map(Kind::name).join(", ");
            whole(
                &format!(
                    "内容の種類が分かりません。ファイル名を {names} のどれかで始めてください。"
                ),
                &format!("what it holds is not clear: begin the file's name with one of {names}"),
            )
        })?;
    check_columns(path, kind, &columns)?;
    Ok((kind, rows))
}

/// UTF-8 with or without a mark at its beginning; other encodings are named when they are known.
fn decode(bytes: &[u8]) -> Result<&str, (&'static str, &'static str)> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        return Err((
            "文字コードがUTF-16です。UTF-8で保存し直してください。",
            "the file is UTF-16: save it as UTF-8",
        ));
    }
    std::str::from_utf8(bytes).map_err(|_| {
        if looks_like_shift_jis(bytes) {
            (
                "文字コードがShift_JISのようです。UTF-8で保存し直してください(表計算ソフトでは「CSV UTF-8」)。",
                "the file seems to be Shift_JIS: save it as UTF-8 (\"CSV UTF-8\" in spreadsheets)",
            )
        } else {
            (
                "文字コードがUTF-8ではありません。UTF-8で保存し直してください。",
                "the file is not UTF-8: save it as UTF-8",
            )
        }
    })
}

/// Every byte above 7 bits begins or ends a character of `Shift_JIS`.
fn looks_like_shift_jis(bytes: &[u8]) -> bool {
    let mut rest = bytes.iter().copied();
    let mut pairs = 0;
    while let Some(byte) = rest.next() {
        match byte {
            0x00..=0x7F | 0xA1..=0xDF => {}
            0x81..=0x9F | 0xE0..=0xFC => match rest.next() {
                Some(0x40..=0x7E | 0x80..=0xFC) => pairs += 1,
                _ => return false,
            },
            _ => return false,
        }
    }
    pairs > 0
}

type Table = (Vec<String>, Vec<Raw>);

fn read_csv(path: &Path, text: &str) -> Result<Table, Problem> {
    let bad = |line: u64, ja: String, en: String| Problem {
        file: path.to_owned(),
        line,
        column: String::new(),
        ja,
        en,
    };
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let broken = |error: csv::Error| {
        let line = error.position().map_or(0, csv::Position::line);
        bad(line, "CSVとして読めません。".into(), "the line cannot be read as CSV".into())
    };
    let columns: Vec<String> =
        reader.headers().map_err(broken)?.iter().map(|name| name.trim().to_owned()).collect();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(broken)?;
        let line = record.position().map_or(0, csv::Position::line);
        if record.len() != columns.len() {
            let (found, wanted) = (record.len(), columns.len());
            return Err(bad(
                line,
                format!("列の数が{found}です。見出しと同じ{wanted}列にしてください。"),
                format!("there are {found} columns: make them {wanted} as in the heading"),
            ));
        }
        let pairs = columns.iter().zip(record.iter());
        let values = pairs
            .map(|(name, value)| (name.clone(), value.trim().to_owned()))
            .filter(|(_, value)| !value.is_empty())
            .collect();
        rows.push(Raw { line, values });
    }
    Ok((columns, rows))
}

fn read_json(path: &Path, text: &str) -> Result<Table, Problem> {
    let mut columns: Vec<String> = Vec::new();
    let mut rows = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        if text.trim().is_empty() {
            continue;
        }
        let object: BTreeMap<String, Value> = serde_json::from_str(text).map_err(|_| Problem {
            file: path.to_owned(),
            line,
            column: String::new(),
            ja: "JSONのオブジェクトとして読めません。1行に1件を書いてください。".into(),
            en: "the line is no JSON object: write one row a line".into(),
        })?;
        let mut values = BTreeMap::new();
        for (name, value) in object {
            let value = match value {
                Value::Null => String::new(),
                Value::String(text) => text.trim().to_owned(),
                Value::Array(items) => {
                    items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")
                }
                other => other.to_string(),
            };
            if !columns.contains(&name) {
                columns.push(name.clone());
            }
            if !value.is_empty() {
                values.insert(name, value);
            }
        }
        rows.push(Raw { line, values });
    }
    Ok((columns, rows))
}

/// An unknown column may be a misspelt one whose values would be lost.
fn check_columns(path: &Path, kind: Kind, columns: &[String]) -> Result<(), Problem> {
    let (known, necessary) = kind.columns();
    let problem = |column: &str, ja: String, en: String| Problem {
        file: path.to_owned(),
        line: 1,
        column: column.to_owned(),
        ja,
        en,
    };
    for column in columns {
        if !known.contains(&column.as_str()) {
            return Err(problem(
                column,
                format!("知らない列です。使える列: {}", known.join(", ")),
                format!("unknown column; there are {}", known.join(", ")),
            ));
        }
    }
    for column in known.iter().take(necessary) {
        if !columns.is_empty() && !columns.iter().any(|found| found == column) {
            let (ja, en) = ("この列が必要です。", "this column is needed");
            return Err(problem(column, ja.to_owned(), en.to_owned()));
        }
    }
    Ok(())
}
