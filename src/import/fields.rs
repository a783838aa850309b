//! One field of a row: what it must look like, and what to say when it does not.

use std::path::{Path, PathBuf};

use argon2::password_hash::phc::PasswordHash;
use chrono::NaiveDate;
use data_encoding::BASE32_NOPAD;
use zeroize::Zeroizing;

use super::Problem;
use super::files::Raw;
use crate::secret::EnrolmentCode;
use crate::text::{to_half_width, to_katakana};

/// Takes the fields of one row; collects what is wrong with them.
pub(super) struct Taker<'a> {
    pub(super) file: &'a Path,
    pub(super) raw: &'a Raw,
    pub(super) problems: &'a mut Vec<Problem>,
}

impl Taker<'_> {
    /// Remembers a problem with a column.
    pub(super) fn refuse(&mut self, column: &str, ja: &str, en: &str) {
        self.problems.push(Problem {
            file: self.file.to_owned(),
            line: self.raw.line,
            column: column.to_owned(),
            ja: ja.to_owned(),
            en: en.to_owned(),
        });
    }

    /// The text of a column; empty when there is none.
    pub(super) fn optional(&self, column: &str) -> String {
        self.raw.values.get(column).cloned().unwrap_or_default()
    }

    /// The text of a column that must not be empty.
    pub(super) fn needed(&mut self, column: &str) -> Option<String> {
        let text = self.optional(column);
        if text.is_empty() {
            self.refuse(column, "入力してください。", "enter something");
            return None;
        }
        if text.chars().count() > 200 || text.chars().any(char::is_control) {
            let ja = "200文字以内の1行で入力してください。";
            self.refuse(column, ja, "enter one line of at most 200 characters");
            return None;
        }
        Some(text)
    }

    /// Exactly `count` digits; full-width ones become half-width, hyphens go.
    pub(super) fn digits(&mut self, column: &str, count: usize) -> Option<String> {
        let text = self.needed(column)?;
        let digits: String = to_half_width(&text).replace('-', "");
        if digits.len() != count || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            let ja = format!("{count}桁の数字で入力してください。");
            self.refuse(column, &ja, &format!("enter {count} digits"));
            return None;
        }
        Some(digits)
    }

    /// A telephone number of ten or eleven digits; hyphens stay as they are.
    pub(super) fn phone(&mut self, column: &str) -> Option<String> {
        let text = to_half_width(&self.needed(column)?);
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        if !plain || !(10..=11).contains(&digits) || !text.starts_with('0') {
            let ja = "0で始まる10桁または11桁の電話番号を入力してください。";
            self.refuse(
                column,
                ja,
                "enter a telephone number of 10 or 11 digits that begins with 0",
            );
            return None;
        }
        Some(text)
    }

    /// Katakana; half-width katakana and hiragana become full-width katakana.
    pub(super) fn kana(&mut self, column: &str) -> Option<String> {
        let text = to_katakana(&self.needed(column)?);
        let fits = |letter: char| {
            matches!(letter, 'ァ'..='ヺ' | 'ー' | '・' | ' ' | '\u{3000}' | '(' | ')' | '.' | '．')
        };
        if !text.chars().all(fits) {
            self.refuse(column, "カタカナで入力してください。", "enter katakana");
            return None;
        }
        Some(text)
    }

    /// One of a few words, or the first of them when the column is empty and may be.
    pub(super) fn choice(
        &mut self,
        column: &str,
        choices: &[&str],
        may_be_empty: bool,
    ) -> Option<String> {
        let text = self.optional(column);
        if text.is_empty() && may_be_empty {
            return choices.first().map(|choice| (*choice).to_owned());
        }
        if !choices.contains(&text.as_str()) {
            let list = choices.join(", ");
            let ja = format!("{list} のどれかを入力してください。");
            self.refuse(column, &ja, &format!("enter one of {list}"));
            return None;
        }
        Some(text)
    }

    /// Yes or no.
    pub(super) fn yes_no(&mut self, column: &str, empty: Option<bool>) -> Option<bool> {
        match (self.optional(column).to_ascii_lowercase().as_str(), empty) {
            ("true" | "yes" | "1", _) => Some(true),
            ("false" | "no" | "0", _) => Some(false),
            ("", Some(empty)) => Some(empty),
            _ => {
                let ja = "true または false を入力してください。";
                self.refuse(column, ja, "enter true or false");
                None
            }
        }
    }

    /// A day as `2026-11-20`.
    pub(super) fn day(&mut self, column: &str) -> Option<NaiveDate> {
        let text = to_half_width(&self.needed(column)?).replace('/', "-");
        let day = text.parse().ok();
        if day.is_none() {
            let ja = "実在する日付を 2026-11-20 の形で入力してください。";
            self.refuse(column, ja, "enter a day that exists, like 2026-11-20");
        }
        day
    }

    /// An e-mail address, or nothing.
    pub(super) fn email(&mut self, column: &str) -> Option<String> {
        let text = self.optional(column);
        if !text.is_empty() && !crate::mail::is_address(&text) {
            let ja = "メールアドレスとして正しくありません。ない場合は空にしてください。";
            self.refuse(column, ja, "this is no e-mail address: leave it empty if there is none");
            return None;
        }
        Some(text)
    }

    /// A PNG file that lies beside the list, read.
    pub(super) fn picture(&mut self, column: &str) -> Option<Vec<u8>> {
        const MOST: u64 = 4 << 20;
        const PNG: &[u8] = b"\x89PNG\r\n\x1A\n";
        let name = PathBuf::from(self.needed(column)?);
        let stays = name.components().all(|part| matches!(part, std::path::Component::Normal(_)));
        let path = self.file.parent().unwrap_or_else(|| Path::new(".")).join(&name);
        let size = std::fs::metadata(&path).map(|found| found.len());
        if !stays || !matches!(size, Ok(1..=MOST)) {
            let ja = "一覧と同じフォルダーにある、4MB以内のPNGファイルの名前を入力してください。";
            let en = "enter the name of a PNG file of at most 4 MB that lies beside the list";
            self.refuse(column, ja, en);
            return None;
        }
        let bytes = std::fs::read(&path).unwrap_or_default();
        if !bytes.starts_with(PNG) {
            self.refuse(column, "PNGファイルではありません。", "the file is no PNG");
            return None;
        }
        Some(bytes)
    }

    /// The argon2id hash of a password, as a PHC string.
    pub(super) fn hash(&mut self, column: &str) -> Option<Zeroizing<String>> {
        let text = Zeroizing::new(self.optional(column));
        let parsed = PasswordHash::new(&text).ok();
        let sound = parsed.is_some_and(|hash| {
            hash.algorithm.as_str() == "argon2id" && hash.salt.is_some() && hash.hash.is_some()
        });
        if !sound {
            let ja = "argon2idのハッシュを $argon2id$ で始まるPHC形式で入力してください。";
            let en = "enter an argon2id hash in PHC form, beginning with $argon2id$";
            self.refuse(column, ja, en);
            return None;
        }
        Some(text)
    }

    /// The seed of a card: at least 16 bytes in Base32, spaces and padding ignored.
    pub(super) fn seed(&mut self, column: &str) -> Option<Zeroizing<Vec<u8>>> {
        let text = Zeroizing::new(self.optional(column).to_ascii_uppercase());
        let plain: Zeroizing<String> =
            Zeroizing::new(text.chars().filter(|letter| !matches!(letter, ' ' | '=')).collect());
        let seed = BASE32_NOPAD.decode(plain.as_bytes()).ok().map(Zeroizing::new);
        let seed = seed.filter(|seed| (16..=64).contains(&seed.len()));
        if seed.is_none() {
            let ja = "カードの種を16バイト以上のBase32で入力してください。";
            self.refuse(column, ja, "enter the card's seed in Base32, at least 16 bytes");
        }
        seed
    }

    /// An enrolment code in the clear: 16 characters, the last one checking the others.
    pub(super) fn code(&mut self, column: &str) -> Option<EnrolmentCode> {
        let text = Zeroizing::new(self.optional(column));
        let code = EnrolmentCode::parse(&text).ok();
        if code.is_none() {
            let ja = "登録コードは16文字です。文字の誤りがないか確かめてください。";
            self.refuse(column, ja, "an enrolment code has 16 characters: check it for slips");
        }
        code
    }
}
