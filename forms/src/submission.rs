//! The number of a submission: what a page names itself by (`case_id` in the reader's JSON).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The number of one submission: eleven digits and a check digit after ISO 7064, MOD 11,10.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SubmissionNumber(u64);

/// Why a text is not a submission number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SubmissionNumberFault {
    /// Something other than twelve digits, with hyphens between groups of four at most.
    #[error("a submission number has {DIGITS} digits")]
    Shape,
    /// One digit is wrong, or two were swapped.
    #[error("the check digit of the submission number is wrong")]
    Check,
    /// The serial does not fit into eleven digits.
    #[error("the serial {serial} does not fit into a submission number")]
    Range {
        /// The serial that was given.
        serial: u64,
    },
}

/// How many digits a submission number has, the check digit included.
const DIGITS: usize = 12;

const SERIALS: u64 = 100_000_000_000;

impl SubmissionNumber {
    /// The number with that serial (below 10^11) and its check digit.
    ///
    /// # Errors
    /// [`SubmissionNumberFault::Range`] when the serial is too large.
    pub fn from_serial(serial: u64) -> Result<Self, SubmissionNumberFault> {
        if serial >= SERIALS {
            return Err(SubmissionNumberFault::Range { serial });
        }
        Ok(Self(serial * 10 + check_digit(serial)))
    }

    /// A number from eight random bytes; two numbers meet with a chance of one in 10^11.
    pub fn from_random(bytes: [u8; 8]) -> Self {
        let serial = u64::from_be_bytes(bytes) % SERIALS;
        Self(serial * 10 + check_digit(serial))
    }

    /// The serial without the check digit.
    pub fn serial(self) -> u64 {
        self.0 / 10
    }

    /// Groups of four with hyphens, as printed for people: `0000-0000-0019`.
    pub fn grouped(self) -> String {
        let digits = self.to_string();
        let mut grouped = String::with_capacity(DIGITS + 2);
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && index % 4 == 0 {
                grouped.push('-');
            }
            grouped.push(digit);
        }
        grouped
    }
}

/// ISO 7064 MOD 11,10 over the eleven digits of the serial.
fn check_digit(serial: u64) -> u64 {
    let mut product = 10;
    for place in (0..11).rev() {
        let digit = serial / 10_u64.pow(place) % 10;
        let sum = match (digit + product) % 10 {
            0 => 10,
            sum => sum,
        };
        product = sum * 2 % 11;
    }
    (11 - product) % 10
}

impl fmt::Display for SubmissionNumber {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:012}", self.0)
    }
}

impl FromStr for SubmissionNumber {
    type Err = SubmissionNumberFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits: String = text.chars().filter(|c| *c != '-').collect();
        if digits.len() != DIGITS || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(SubmissionNumberFault::Shape);
        }
        let number: u64 = digits.parse().map_err(|_| SubmissionNumberFault::Shape)?;
        if check_digit(number / 10) != number % 10 {
            return Err(SubmissionNumberFault::Check);
        }
        Ok(Self(number))
    }
}

impl TryFrom<String> for SubmissionNumber {
    type Error = SubmissionNumberFault;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<SubmissionNumber> for String {
    fn from(number: SubmissionNumber) -> Self {
        number.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_single_wrong_digit_is_noticed() {
        for serial in [0, 1, 7, 12_345_678_901, 99_999_999_999, 40_404_040_404] {
            let right = SubmissionNumber::from_serial(serial).unwrap().to_string();
            assert_eq!(right.parse::<SubmissionNumber>().unwrap().serial(), serial);
            for place in 0..DIGITS {
                for digit in b'0'..=b'9' {
                    let mut wrong = right.clone().into_bytes();
                    if wrong[place] == digit {
                        continue;
                    }
                    wrong[place] = digit;
                    let wrong = String::from_utf8(wrong).unwrap();
                    assert_eq!(
                        wrong.parse::<SubmissionNumber>(),
                        Err(SubmissionNumberFault::Check),
                        "{right} read as {wrong}"
                    );
                }
            }
        }
    }

    #[test]
    fn shapes_other_than_twelve_digits_are_refused() {
        for text in ["", "1", "0000000000000", "00000000000x", "１２３４５６７８９０１２"]
        {
            assert_eq!(text.parse::<SubmissionNumber>(), Err(SubmissionNumberFault::Shape));
        }
        let number = SubmissionNumber::from_serial(25).unwrap();
        assert_eq!(number.grouped().parse(), Ok(number));
        assert!(SubmissionNumber::from_serial(SERIALS).is_err());
    }
}
