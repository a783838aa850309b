//! What the codes on a page say: which form, variant, submission and page, under a keyed check.
//!
//! The text keeps to the alphanumeric set of QR codes, so that it stays short:
//! `F3:1:B:000000000019:1/2:` and sixteen letters of check. A form printed without a submission
//! (the blank download) has `-` for the number.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use thiserror::Error;
use zeroize::Zeroize;

use crate::form3::{Variant, Version};
use crate::submission::SubmissionNumber;

/// The key of the check in the codes; without `Debug` and overwritten when dropped.
#[derive(Clone)]
pub struct CodeKey([u8; 32]);

impl CodeKey {
    /// A key of 32 secret bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The published key of specimens, in bytes.
    pub const SAMPLE: [u8; 32] = *b"saihakko sample key, not secret!";

    /// The published key of specimens and of the command line without configuration. It guards
    /// against misreading only; whoever wants protection against forgery configures a secret one.
    pub fn sample() -> Self {
        Self(Self::SAMPLE)
    }
}

impl Drop for CodeKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for CodeKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("CodeKey(…)")
    }
}

/// What a page says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Payload {
    /// The version of the layout by which the page was printed.
    pub version: Version,
    /// Which of the two services the form belongs to.
    pub variant: Variant,
    /// The submission; none on a blank form from the web.
    pub submission: Option<SubmissionNumber>,
    /// The number of this page, from 1.
    pub page: u8,
    /// How many pages the form has.
    pub pages: u8,
}

/// Why the text of a code is not a payload of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PayloadFault {
    /// Not the text of a form's code at all.
    #[error("the code is not of a form of this house")]
    Foreign,
    /// A form of ours, of a version that this program does not know.
    #[error("the code names an unknown form, version or variant")]
    Unknown,
    /// The text is whole, but its keyed check is wrong: forged, or printed under another key.
    #[error("the keyed check of the code is wrong")]
    Check,
}

const FORM: &str = "F3";
const CHECK_BYTES: usize = 10;
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// No code of ours is longer; longer texts are refused before anything is computed.
const LONGEST: usize = 64;

impl Payload {
    /// The text of the code with its check.
    pub fn encode(&self, key: &CodeKey) -> String {
        let body = self.body();
        let check = check_text(&body, key);
        format!("{body}:{check}")
    }

    /// Reads the text of a code.
    ///
    /// # Errors
    /// Tells a foreign code, an unknown version and a wrong check apart.
    pub fn decode(text: &str, key: &CodeKey) -> Result<Self, PayloadFault> {
        if text.len() > LONGEST || !text.is_ascii() {
            return Err(PayloadFault::Foreign);
        }
        let (body, check) = text.rsplit_once(':').ok_or(PayloadFault::Foreign)?;
        if !body.starts_with("F3:") || check.len() != 16 {
            return Err(PayloadFault::Foreign);
        }
        verify(body, check, key)?;
        Self::parse(body).ok_or(PayloadFault::Unknown)
    }

    fn body(&self) -> String {
        let number = self.submission.map_or_else(|| "-".to_owned(), |number| number.to_string());
        let letter = self.variant.letter();
        format!("{FORM}:{}:{letter}:{number}:{}/{}", self.version.number(), self.page, self.pages)
    }

    fn parse(body: &str) -> Option<Self> {
        let mut parts = body.split(':').skip(1);
        let version = Version::from_number(parts.next()?.parse().ok()?)?;
        let variant = Variant::from_letter(parts.next()?)?;
        let submission = match parts.next()? {
            "-" => None,
            number => Some(number.parse().ok()?),
        };
        let (page, pages) = parts.next()?.split_once('/')?;
        let (page, pages) = (page.parse().ok()?, pages.parse().ok()?);
        let sound = page >= 1 && page <= pages && parts.next().is_none();
        sound.then_some(Self { version, variant, submission, page, pages })
    }
}

fn mac(body: &str, key: &CodeKey) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key.0).ok()?;
    mac.update(body.as_bytes());
    Some(mac)
}

/// Eighty bits of HMAC-SHA-256 in base 32.
fn check_text(body: &str, key: &CodeKey) -> String {
    let tag = mac(body, key).map(|mac| mac.finalize().into_bytes());
    let bytes = tag.iter().flatten().take(CHECK_BYTES).copied();
    base32(bytes)
}

/// Compares in constant time.
fn verify(body: &str, check: &str, key: &CodeKey) -> Result<(), PayloadFault> {
    let tag = unbase32(check).ok_or(PayloadFault::Foreign)?;
    let mac = mac(body, key).ok_or(PayloadFault::Check)?;
    mac.verify_truncated_left(&tag).map_err(|_| PayloadFault::Check)
}

fn base32(bytes: impl Iterator<Item = u8>) -> String {
    let (mut text, mut bits, mut held) = (String::new(), 0_u32, 0_u32);
    for byte in bytes {
        bits = bits << 8 | u32::from(byte);
        held += 8;
        while held >= 5 {
            held -= 5;
            let letter = ALPHABET.get((bits >> held & 31) as usize).copied().unwrap_or(b'A');
            text.push(char::from(letter));
        }
    }
    text
}

fn unbase32(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut bits, mut held) = (Vec::with_capacity(CHECK_BYTES), 0_u32, 0_u32);
    for letter in text.bytes() {
        let value = ALPHABET.iter().position(|known| *known == letter)?;
        bits = bits << 5 | u32::try_from(value).ok()?;
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 255).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload() -> Payload {
        Payload {
            version: Version::One,
            variant: Variant::BizStation,
            submission: Some(SubmissionNumber::from_serial(1).unwrap()),
            page: 1,
            pages: 2,
        }
    }

    #[test]
    fn what_was_encoded_is_decoded() {
        let key = CodeKey::sample();
        for submission in [None, Some(SubmissionNumber::from_serial(98_765_432_109).unwrap())] {
            let payload = Payload { submission, ..payload() };
            let text = payload.encode(&key);
            assert!(text.len() <= 47, "fits a version 3 QR code at level Q: {text}");
            assert_eq!(Payload::decode(&text, &key), Ok(payload));
        }
    }

    #[test]
    fn a_wrong_check_is_told_apart_from_a_foreign_code() {
        let text = payload().encode(&CodeKey::sample());
        let other = CodeKey::new([7; 32]);
        assert_eq!(Payload::decode(&text, &other), Err(PayloadFault::Check));
        let forged = text.replace(":1/2:", ":2/2:");
        assert_eq!(Payload::decode(&forged, &CodeKey::sample()), Err(PayloadFault::Check));
        for foreign in ["", "https://example.com/", "F3", "F3:1:B", &text[..text.len() - 1]] {
            assert_eq!(
                Payload::decode(foreign, &CodeKey::sample()),
                Err(PayloadFault::Foreign),
                "{foreign}"
            );
        }
    }

    #[test]
    fn the_check_is_the_published_hmac() {
        // Computed with OpenSSL: `openssl dgst -sha256 -hmac` over the body, first ten bytes.
        let text = payload().encode(&CodeKey::sample());
        assert_eq!(text, "F3:1:B:000000000019:1/2:PVITBOYHY3JQZLUI");
    }
}
