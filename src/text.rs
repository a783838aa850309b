//! The texts that people read, in Japanese and English, by key.
//!
//! Keys are the paths in `templates/text/*ja.toml` and `*en.toml`: `state.paper.Checked`. The files
//! are embedded, one pair a part of the product, and must have the same keys in both languages.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

/// A language of the product.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub enum Language {
    /// 日本語.
    #[default]
    #[serde(rename = "ja")]
    Japanese,
    /// English.
    #[serde(rename = "en")]
    English,
}

impl Language {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Japanese, Self::English];

    /// The code by which it is stored and sent: `ja` or `en`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Japanese => "ja",
            Self::English => "en",
        }
    }

    /// The language of a code; `None` for any other.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code() == code)
    }
}

/// Why the texts cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextFault {
    /// A file is not TOML, or holds something that is neither table nor text.
    #[error("texts in {language} cannot be read: {reason}")]
    Unreadable {
        /// The language's code.
        language: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// Keys that the program uses, or that the other language has.
    #[error("texts in {language} lack {}", keys.join(", "))]
    Missing {
        /// The language's code.
        language: &'static str,
        /// The keys.
        keys: Vec<String>,
    },
}

/// All texts of both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    japanese: BTreeMap<String, String>,
    english: BTreeMap<String, String>,
}

impl Texts {
    /// The embedded texts; fails when a key stands in one language only.
    pub fn load() -> Result<Self, TextFault> {
        let mut all = Self { japanese: BTreeMap::new(), english: BTreeMap::new() };
        for (name, file) in crate::embedded::TEXTS {
            let language = Language::ALL.into_iter().find(|one| {
                name.strip_suffix(".toml").is_some_and(|stem| stem.ends_with(one.code()))
            });
            match language {
                Some(Language::Japanese) => {
                    all.japanese.extend(flatten(Language::Japanese, file)?);
                }
                Some(Language::English) => all.english.extend(flatten(Language::English, file)?),
                None => {}
            }
        }
        all.require(all.keys().iter().copied())?;
        Ok(all)
    }

    /// The embedded texts, read once for the whole program.
    pub fn shared() -> Result<&'static Self, TextFault> {
        static TEXTS: OnceLock<Result<Texts, TextFault>> = OnceLock::new();
        TEXTS.get_or_init(Self::load).as_ref().map_err(Clone::clone)
    }

    /// Texts of two given files.
    pub fn parse(japanese: &str, english: &str) -> Result<Self, TextFault> {
        let texts = Self {
            japanese: flatten(Language::Japanese, japanese)?,
            english: flatten(Language::English, english)?,
        };
        texts.require(texts.keys().iter().copied())?;
        Ok(texts)
    }

    /// Fails when one of `keys` has no text in both languages: asked at the start, so that no page
    /// meets a missing text later.
    pub fn require<'k>(&self, keys: impl IntoIterator<Item = &'k str>) -> Result<(), TextFault> {
        let keys: BTreeSet<&str> = keys.into_iter().collect();
        for language in Language::ALL {
            let texts = self.of(language);
            let missing: Vec<String> = keys
                .iter()
                .filter(|key| texts.get(**key).is_none_or(|text| text.trim().is_empty()))
                .map(|key| (*key).to_owned())
                .collect();
            if !missing.is_empty() {
                return Err(TextFault::Missing { language: language.code(), keys: missing });
            }
        }
        Ok(())
    }

    /// The text of a key, or the key itself when there is none: a page shows a strange word
    /// rather than fail.
    pub fn get<'t>(&'t self, language: Language, key: &'t str) -> &'t str {
        self.find(language, key).unwrap_or_else(|| {
            tracing::warn!(key, language = language.code(), "no such text");
            key
        })
    }

    /// The text of a key, if there is one.
    pub fn find(&self, language: Language, key: &str) -> Option<&str> {
        self.of(language).get(key).map(String::as_str)
    }

    /// Every key of either language, sorted.
    pub fn keys(&self) -> BTreeSet<&str> {
        self.japanese.keys().chain(self.english.keys()).map(String::as_str).collect()
    }

    fn of(&self, language: Language) -> &BTreeMap<String, String> {
        match language {
            Language::Japanese => &self.japanese,
            Language::English => &self.english,
        }
    }
}

fn flatten(language: Language, file: &str) -> Result<BTreeMap<String, String>, TextFault> {
    let unreadable = |reason: String| TextFault::Unreadable { language: language.code(), reason };
    let table: toml::Table =
        file.parse().map_err(|error: toml::de::Error| unreadable(error.to_string()))?;
    let mut texts = BTreeMap::new();
    let mut open = vec![(String::new(), table)];
    while let Some((path, table)) = open.pop() {
        for (name, value) in table {
            let key = if path.is_empty() { name } else { format!("{path}.{name}") };
            match value {
                toml::Value::Table(inner) => open.push((key, inner)),
                toml::Value::String(text) => {
                    texts.insert(key, text);
                }
                _ => return Err(unreadable(format!("{key} is no text"))),
            }
        }
    }
    Ok(texts)
}

/// Full-width letters, digits and signs become half-width ones, and the ideographic space a
/// plain one; everything else stays.
pub fn to_half_width(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '\u{3000}' => ' ',
            '！'..='～' => char::from_u32(u32::from(letter) - 0xFEE0).unwrap_or(letter),
            _ => letter,
        })
        .collect()
}

/// The most digits in a row, however they are grouped: what has as many as a password may be one.
pub fn longest_number(text: &str) -> usize {
    let (mut longest, mut run) = (0, 0);
    for letter in to_half_width(text).chars().filter(|letter| !matches!(letter, ' ' | '-')) {
        run = if letter.is_ascii_digit() { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

/// Half-width katakana become full-width ones, voicing marks joined to their letters; hiragana
/// become katakana. Everything else stays.
pub fn to_katakana(text: &str) -> String {
    const HALF: &str = "。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン゛゜";
    let mut wide = String::with_capacity(text.len());
    for letter in text.chars() {
        let letter = match letter {
            '\u{FF61}'..='\u{FF9F}' => {
                let index = usize::try_from(u32::from(letter) - 0xFF61).unwrap_or_default();
                HALF.chars().nth(index).unwrap_or(letter)
            }
            'ぁ'..='ゖ' => char::from_u32(u32::from(letter) + 0x60).unwrap_or(letter),
            _ => letter,
        };
        let joined = wide.chars().next_back().and_then(|last| voiced(last, letter));
        if let Some(joined) = joined {
            wide.pop();
            wide.push(joined);
        } else {
            wide.push(letter);
        }
    }
    wide
}

/// A letter with a voicing mark after it, as one letter.
fn voiced(letter: char, mark: char) -> Option<char> {
    let next = |by| char::from_u32(u32::from(letter) + by);
    match (mark, letter) {
        ('゛', 'ウ') => Some('ヴ'),
        ('゛', _) if "カキクケコサシスセソタチツテトハヒフヘホ".contains(letter) => {
            next(1)
        }
        ('゜', _) if "ハヒフヘホ".contains(letter) => next(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_texts_have_the_same_keys() {
        let texts = Texts::load().unwrap();
        assert!(!texts.keys().is_empty());
    }

    #[test]
    fn keys_are_paths_and_quoted_dots_are_part_of_them() {
        let file = "[state.paper]\nChecked = \"a\"\n\"Tail.Waiting\" = \"b\"\n";
        let texts = Texts::parse(file, file).unwrap();
        assert_eq!(texts.get(Language::English, "state.paper.Checked"), "a");
        assert_eq!(texts.get(Language::Japanese, "state.paper.Tail.Waiting"), "b");
        assert_eq!(texts.get(Language::Japanese, "state.paper.Lost"), "state.paper.Lost");
    }

    #[test]
    fn a_key_in_one_language_only_is_a_fault() {
        let fault = Texts::parse("a = \"x\"\n", "a = \"x\"\nb = \"y\"\n").unwrap_err();
        let keys = vec!["b".to_owned()];
        assert_eq!(fault, TextFault::Missing { language: "ja", keys });
        let fault = Texts::parse("a = \"x\"\n", "a = \" \"\n").unwrap_err();
        assert!(matches!(fault, TextFault::Missing { language: "en", .. }));
    }

    #[test]
    fn a_key_that_the_program_needs_is_demanded_at_the_start() {
        let texts = Texts::parse("a = \"x\"\n", "a = \"x\"\n").unwrap();
        assert_eq!(texts.require(["a"]), Ok(()));
        assert!(texts.require(["a", "b"]).is_err());
    }

    #[test]
    fn what_is_no_text_is_a_fault() {
        assert!(matches!(Texts::parse("a = 1\n", ""), Err(TextFault::Unreadable { .. })));
        assert!(matches!(Texts::parse("a = \n", ""), Err(TextFault::Unreadable { .. })));
    }

    #[test]
    fn digits_in_a_row_are_counted_however_they_are_grouped() {
        assert_eq!(longest_number("R8-001204、3ページ"), 7);
        assert_eq!(longest_number("1234 5678-９０１２　3456 です"), 16);
        assert_eq!(longest_number("印影を再確認してください"), 0);
    }

    #[test]
    fn widths_are_mended() {
        assert_eq!(to_half_width("０１２３　ＡＢ－Ｃ＠ｄ山"), "0123 AB-C@d山");
        assert_eq!(to_katakana("ﾔﾏﾀﾞ ﾀﾛｳ"), "ヤマダ タロウ");
        assert_eq!(to_katakana("ﾊﾟﾋﾞﾌﾞｳﾞｧｰﾝ｡"), "パビブヴァーン。");
        assert_eq!(to_katakana("やまだ はなこ"), "ヤマダ ハナコ");
    }
}
