//! A password that somebody chooses: long enough, and not what everybody guesses first.
//!
//! No composition is demanded (NIST SP 800-63B 3.1.1): it makes passwords worse, not better.

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// A chosen password that may be used, in its one form. It cannot be displayed or serialized.
#[derive(Clone)]
pub struct ChosenPassword(Zeroizing<String>);

/// Why a chosen password may not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Fewer than eight characters.
    #[error("the password is too short")]
    TooShort,
    /// More than 64 characters.
    #[error("the password is too long")]
    TooLong,
    /// A character that nobody can type, such as a line break.
    #[error("the password has an unusable character")]
    Character,
    /// The user ID or the contract number.
    #[error("the password is the user ID or the contract number")]
    Identifier,
    /// One of those that everybody tries first.
    #[error("the password is too common")]
    Common,
    /// The one it shall replace.
    #[error("the password is the present one")]
    Unchanged,
    /// Login and transaction password are the same.
    #[error("login and transaction password are the same")]
    SameAsOther,
}

const SHORTEST: usize = 8;
const LONGEST: usize = 64;
/// So many bytes are looked at: 64 characters in any spelling.
const MOST_BYTES: usize = 2048;

/// What is tried first, in small letters; rows of one character and of neighbours are found too.
const COMMON: [&str; 24] = [
    "password",
    "passw0rd",
    "password1",
    "password123",
    "pass1234",
    "qwertyui",
    "qwertyuiop",
    "qwerty123",
    "1q2w3e4r",
    "1qaz2wsx",
    "zaq12wsx",
    "asdfghjk",
    "asdfghjkl",
    "iloveyou",
    "sunshine",
    "princess",
    "football",
    "baseball",
    "welcome1",
    "trustno1",
    "admin123",
    "administrator",
    "letmein1",
    "abcd1234",
];

impl ChosenPassword {
    /// Takes a password as it was typed. `identifiers` are what it may not be: user ID, contract
    /// number.
    pub fn new(typed: &str, identifiers: &[&str]) -> Result<Self, Unfit> {
        if typed.len() > MOST_BYTES {
            return Err(Unfit::TooLong);
        }
        let chosen = Self(one_form(typed));
        let length = chosen.0.chars().count();
        if length < SHORTEST {
            return Err(Unfit::TooShort);
        }
        if length > LONGEST {
            return Err(Unfit::TooLong);
        }
        if chosen.0.chars().any(char::is_control) {
            return Err(Unfit::Character);
        }
        let bare = |text: &str| -> Zeroizing<String> {
            Zeroizing::new(text.chars().filter(|c| !matches!(c, ' ' | '-')).collect())
        };
        if identifiers.iter().any(|identifier| *bare(identifier) == *bare(&chosen.0)) {
            return Err(Unfit::Identifier);
        }
        if is_common(&chosen.0) {
            return Err(Unfit::Common);
        }
        Ok(chosen)
    }

    /// For hashing.
    pub fn expose(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// The one form of a password (NFKC): full-width letters of an input method are those of the
/// keyboard.
pub fn one_form(typed: &str) -> Zeroizing<String> {
    // No more than fits in: growing would leave copies behind in freed memory.
    let mut text = Zeroizing::new(String::with_capacity(4 * typed.len().min(MOST_BYTES) + 64));
    text.extend(typed.nfkc());
    text
}

fn is_common(text: &str) -> bool {
    let small = Zeroizing::new(text.to_lowercase());
    let steps: Vec<i64> = small
        .chars()
        .zip(small.chars().skip(1))
        .map(|(one, next)| i64::from(u32::from(next)) - i64::from(u32::from(one)))
        .collect();
    // 9 is followed by 0 on a keyboard.
    let plain = |wanted: i64| {
        steps.iter().all(|step| *step == wanted || *step == wanted - 10 * wanted.signum())
    };
    COMMON.contains(&small.as_str()) || [-1, 0, 1].into_iter().any(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(typed: &str) -> Option<Unfit> {
        ChosenPassword::new(typed, &["010429003", "0104212345"]).err()
    }

    #[test]
    fn length_counts_characters_in_their_one_form() {
        assert_eq!(judged("Kx7#wq2"), Some(Unfit::TooShort));
        assert_eq!(judged("Kx7#wq2m"), None);
        assert_eq!(judged("はるなつあきふゆ"), None, "eight characters of three bytes");
        assert_eq!(judged(&"あい".repeat(32)), None);
        assert_eq!(judged(&format!("{}う", "あい".repeat(32))), Some(Unfit::TooLong));
        assert_eq!(judged(&"x".repeat(1 << 20)), Some(Unfit::TooLong));
        // ㍻ becomes 平成: what is counted is what is hashed.
        assert_eq!(judged("㍻㍻㍻㍻"), None);
    }

    #[test]
    fn no_composition_is_demanded() {
        for typed in ["correct horse battery staple", "ながいあいことば です", "kakigoori umai"]
        {
            assert_eq!(judged(typed), None, "{typed}");
        }
    }

    #[test]
    fn what_everybody_tries_first_is_refused() {
        for typed in [
            "password",
            "PassWord",
            "ｐａｓｓｗｏｒｄ",
            "12345678",
            "1234567890",
            "87654321",
            "aaaaaaaa",
            "abcdefghij",
            "qwertyuiop",
            "00000000",
        ] {
            assert_eq!(judged(typed), Some(Unfit::Common), "{typed}");
        }
    }

    #[test]
    fn what_stands_on_every_page_is_refused() {
        for typed in ["010429003", "０１０４２９００３", "0104212345", "01042-12345", "0104 2900 3"]
        {
            assert_eq!(judged(typed), Some(Unfit::Identifier), "{typed}");
        }
        assert_eq!(judged("wörter\u{7}und"), Some(Unfit::Character));
    }

    #[test]
    fn both_ways_of_typing_are_one_password() {
        assert_eq!(*one_form("Ｋｘ７＃"), *one_form("Kx7#"));
        assert_eq!(*one_form("か\u{3099}"), *one_form("が"));
    }
}
