//! The certificate retrieval password: 15 random digits and a check digit.

use engine::Entropy;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A certificate retrieval password (証明書取得用パスワード) in the clear. It cannot be displayed
/// or serialized, and is wiped when dropped.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct RetrievalPassword([u8; 16]);

/// Why an entry cannot be a retrieval password at all; it costs no attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DigitsFault {
    /// Not 16 digits.
    #[error("a retrieval password has 16 digits")]
    Length,
    /// Something other than digits, spaces and hyphens.
    #[error("a retrieval password has only digits")]
    Character,
    /// The last digit does not fit the others: a typing slip.
    #[error("a digit is mistyped")]
    Check,
}

/// The longest entry that is looked at: 16 digits of three bytes with separators between them.
const LONGEST: usize = 128;

/// The quasigroup of H. M. Damm's check digit (2004): it finds every single wrong digit and every
/// swap of neighbours.
const DAMM: [[u8; 10]; 10] = [
    [0, 3, 1, 7, 5, 9, 8, 6, 4, 2],
    [7, 0, 9, 2, 1, 5, 4, 8, 6, 3],
    [4, 2, 0, 6, 8, 7, 1, 3, 5, 9],
    [1, 7, 5, 0, 9, 8, 3, 4, 2, 6],
    [6, 1, 2, 3, 0, 4, 5, 9, 7, 8],
    [3, 6, 7, 4, 2, 0, 9, 5, 8, 1],
    [5, 8, 6, 9, 7, 2, 0, 1, 3, 4],
    [8, 9, 4, 5, 3, 6, 2, 0, 1, 7],
    [9, 4, 3, 8, 6, 1, 7, 2, 0, 5],
    [2, 5, 8, 1, 4, 3, 6, 7, 9, 0],
];

impl RetrievalPassword {
    /// A new one, uniformly random in its first 15 digits.
    pub fn generate(entropy: &Entropy) -> Self {
        let mut digits = [0; 16];
        for digit in digits.iter_mut().take(15) {
            *digit = random_digit(entropy);
        }
        let check = remainder(digits.iter().take(15));
        if let Some(last) = digits.last_mut() {
            *last = check;
        }
        Self(digits)
    }

    /// Reads an entry: spaces and hyphens are ignored, full-width digits accepted.
    pub fn parse(entry: &str) -> Result<Self, DigitsFault> {
        if entry.len() > LONGEST {
            return Err(DigitsFault::Length);
        }
        let mut digits = [0; 16];
        let mut count = 0;
        for character in entry.chars().filter(|c| !is_separator(*c)) {
            let digit = half_width(character).ok_or(DigitsFault::Character)?;
            *digits.get_mut(count).ok_or(DigitsFault::Length)? = digit;
            count += 1;
        }
        if count != digits.len() {
            return Err(DigitsFault::Length);
        }
        let password = Self(digits);
        if remainder(password.0.iter()) == 0 { Ok(password) } else { Err(DigitsFault::Check) }
    }

    /// The digits as numbers from 0 to 9, for the one page or letter that shows them.
    pub fn expose(&self) -> &[u8; 16] {
        &self.0
    }

    /// The digits as ASCII, for hashing and sealing.
    pub fn expose_ascii(&self) -> zeroize::Zeroizing<[u8; 16]> {
        zeroize::Zeroizing::new(self.0.map(|digit| b'0' + digit))
    }
}

fn remainder<'a>(digits: impl Iterator<Item = &'a u8>) -> u8 {
    digits.fold(0, |interim, digit| {
        let row = DAMM.get(usize::from(interim)).unwrap_or(&DAMM[0]);
        row.get(usize::from(*digit)).copied().unwrap_or_default()
    })
}

/// Rejects the six highest bytes, so that no digit is likelier than another.
fn random_digit(entropy: &Entropy) -> u8 {
    loop {
        let mut byte = [0];
        entropy(&mut byte);
        let [byte] = byte;
        if byte < 250 {
            return byte % 10;
        }
    }
}

fn is_separator(character: char) -> bool {
    character.is_whitespace() || matches!(character, '-' | '‐' | '−' | 'ー' | '－' | '–')
}

fn half_width(character: char) -> Option<u8> {
    let plain = match character {
        '０'..='９' => char::from_u32(u32::from(character) - u32::from('０') + u32::from('0'))?,
        other => other,
    };
    plain.is_ascii_digit().then(|| plain as u8 - b'0')
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::*;

    fn counting() -> Entropy {
        let next = AtomicU8::new(0);
        Arc::new(move |buffer| buffer.fill_with(|| next.fetch_add(37, Ordering::Relaxed)))
    }

    fn text(password: &RetrievalPassword) -> String {
        String::from_utf8(password.expose_ascii().to_vec()).unwrap()
    }

    #[test]
    fn every_slip_of_one_digit_and_every_swap_of_neighbours_is_noticed() {
        let good = text(&RetrievalPassword::generate(&counting()));
        assert!(RetrievalPassword::parse(&good).is_ok());
        for index in 0..16 {
            for digit in b'0'..=b'9' {
                let mut slip = good.clone().into_bytes();
                if slip[index] == digit {
                    continue;
                }
                slip[index] = digit;
                let slip = String::from_utf8(slip).unwrap();
                assert_eq!(RetrievalPassword::parse(&slip).err(), Some(DigitsFault::Check));
            }
            let mut swap = good.clone().into_bytes();
            if index < 15 && swap[index] != swap[index + 1] {
                swap.swap(index, index + 1);
                assert!(RetrievalPassword::parse(&String::from_utf8(swap).unwrap()).is_err());
            }
        }
    }

    #[test]
    fn entries_may_be_grouped_or_full_width() {
        let good = text(&RetrievalPassword::generate(&counting()));
        let grouped: Vec<&str> = (0..4).map(|i| &good[4 * i..4 * i + 4]).collect();
        let wide: String =
            good.chars().map(|c| char::from_u32(c as u32 + 0xFEE0).unwrap()).collect();
        for entry in [grouped.join("-"), grouped.join(" "), grouped.join("　"), wide] {
            assert!(RetrievalPassword::parse(&entry).is_ok(), "{entry}");
        }
        assert_eq!(RetrievalPassword::parse("12").err(), Some(DigitsFault::Length));
        assert_eq!(RetrievalPassword::parse("abc").err(), Some(DigitsFault::Character));
        assert_eq!(RetrievalPassword::parse(&"1".repeat(9999)).err(), Some(DigitsFault::Length));
    }

    #[test]
    fn digits_are_evenly_spread() {
        let all: Entropy = Arc::new(|buffer| getrandom::fill(buffer).unwrap());
        let mut counts = [0_u32; 10];
        for _ in 0..20_000 {
            counts[usize::from(random_digit(&all))] += 1;
        }
        assert!(counts.iter().all(|count| (1_700..2_300).contains(count)), "{counts:?}");
    }
}
