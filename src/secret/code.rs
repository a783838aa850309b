//! The enrolment code: 15 random characters and a check character.

use engine::Entropy;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// An enrolment code (登録用コード) in the clear. It cannot be displayed or serialized, and is wiped
/// when dropped.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct EnrolmentCode([u8; 16]);

/// Why an entry cannot be an enrolment code at all; it costs no attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeFault {
    /// Not 16 characters.
    #[error("an enrolment code has 16 characters")]
    Length,
    /// A character that no code has.
    #[error("an enrolment code has no such character")]
    Character,
    /// The last character does not fit the others: a typing slip.
    #[error("a character is mistyped")]
    Check,
}

/// 32 characters without 0, O, 1 and I, which people take for one another.
const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
/// The longest entry that is looked at: 16 characters of four bytes with separators between them.
const LONGEST: usize = 160;

impl EnrolmentCode {
    /// A new one: 75 random bits.
    pub fn generate(entropy: &Entropy) -> Self {
        let mut symbols = [0; 16];
        entropy(&mut symbols);
        for symbol in &mut symbols {
            // 32 divides 256, so that no character is likelier than another.
            *symbol %= 32;
        }
        if let Some(last) = symbols.last_mut() {
            *last = 0;
        }
        // What is left over without the last character is exactly what it must cancel.
        let check = remainder(&symbols);
        if let Some(last) = symbols.last_mut() {
            *last = check;
        }
        Self(symbols)
    }

    /// Reads an entry: spaces and hyphens are ignored, small and full-width letters accepted.
    pub fn parse(entry: &str) -> Result<Self, CodeFault> {
        if entry.len() > LONGEST {
            return Err(CodeFault::Length);
        }
        let entry = Zeroizing::new(crate::text::to_half_width(entry));
        let mut symbols = Zeroizing::new([0; 16]);
        let mut count = 0;
        for character in entry.chars().filter(|c| !is_separator(*c)) {
            let letter = character.to_ascii_uppercase();
            let place = ALPHABET.iter().position(|known| char::from(*known) == letter);
            let symbol = place.and_then(|place| u8::try_from(place).ok());
            let symbol = symbol.ok_or(CodeFault::Character)?;
            *symbols.get_mut(count).ok_or(CodeFault::Length)? = symbol;
            count += 1;
        }
        if count != symbols.len() {
            return Err(CodeFault::Length);
        }
        if remainder(&symbols) == 0 { Ok(Self(*symbols)) } else { Err(CodeFault::Check) }
    }

    /// The characters in ASCII, for hashing, sealing, and the one page or letter that shows them.
    pub fn expose_ascii(&self) -> Zeroizing<[u8; 16]> {
        let letter = |symbol: u8| ALPHABET.get(usize::from(symbol)).copied().unwrap_or(b'2');
        Zeroizing::new(self.0.map(letter))
    }

    /// In groups of four, as people read them.
    pub fn expose_grouped(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(19));
        for (at, letter) in self.expose_ascii().iter().enumerate() {
            if at > 0 && at % 4 == 0 {
                text.push('-');
            }
            text.push(char::from(*letter));
        }
        text
    }
}

/// The symbols as a polynomial over the field of 32 elements (x⁵ + x² + 1) at its generator: it
/// finds every wrong character, and every swap of two wherever they stand.
fn remainder(symbols: &[u8; 16]) -> u8 {
    symbols.iter().fold(0, |interim, symbol| {
        let doubled = interim << 1;
        let reduced = if doubled & 32 == 0 { doubled } else { doubled ^ 0b10_0101 };
        reduced ^ symbol
    })
}

fn is_separator(character: char) -> bool {
    character.is_whitespace() || matches!(character, '-' | '‐' | '−' | 'ー' | '–')
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn codes(count: usize) -> Vec<EnrolmentCode> {
        let entropy: Entropy = Arc::new(|buffer| getrandom::fill(buffer).unwrap());
        (0..count).map(|_| EnrolmentCode::generate(&entropy)).collect()
    }

    fn text(code: &EnrolmentCode) -> String {
        String::from_utf8(code.expose_ascii().to_vec()).unwrap()
    }

    #[test]
    fn a_code_is_read_back_however_it_is_typed() {
        for code in codes(50) {
            let plain = text(&code);
            let wide: String =
                plain.chars().map(|c| char::from_u32(u32::from(c) + 0xFEE0).unwrap()).collect();
            for typed in [
                plain.clone(),
                plain.to_lowercase(),
                wide,
                code.expose_grouped().to_string(),
                format!(" {} ", code.expose_grouped().replace('-', " － ")),
            ] {
                assert!(EnrolmentCode::parse(&typed).unwrap() == code, "{typed}");
            }
        }
    }

    #[test]
    fn every_slip_and_every_swap_is_found() {
        for code in codes(3) {
            let plain: Vec<char> = text(&code).chars().collect();
            for at in 0..16 {
                for other in ALPHABET.iter().map(|letter| char::from(*letter)) {
                    let mut typed = plain.clone();
                    typed[at] = other;
                    let read = EnrolmentCode::parse(&typed.iter().collect::<String>());
                    assert_eq!(read.is_ok(), other == plain[at]);
                }
                for to in 0..16 {
                    let mut typed = plain.clone();
                    typed.swap(at, to);
                    let read = EnrolmentCode::parse(&typed.iter().collect::<String>());
                    assert_eq!(read.is_ok(), plain[at] == plain[to], "{at} and {to}");
                }
            }
        }
    }

    #[test]
    fn what_no_code_can_be_is_told_apart() {
        let fault = |typed: &str| EnrolmentCode::parse(typed).err();
        assert_eq!(fault(""), Some(CodeFault::Length));
        assert_eq!(fault("2222-2222-2222-222"), Some(CodeFault::Length));
        assert_eq!(fault("2222-2222-2222-22222"), Some(CodeFault::Length));
        assert_eq!(fault("2222-2222-2222-222O"), Some(CodeFault::Character));
        assert_eq!(fault("2222-2222-2222-2223"), Some(CodeFault::Check));
        assert_eq!(fault(&"2".repeat(10_000)), Some(CodeFault::Length));
    }
}
