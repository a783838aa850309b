//! Small values that certificates are made of, each checked where it is made.

use std::fmt;
use std::str::FromStr;

use rcgen::{DistinguishedName, DnType};
use time::{Date, Month, OffsetDateTime};

use crate::{Fault, Refusal};

/// The most octets of a serial number (RFC 5280, 4.1.2.2).
const SERIAL_OCTETS: usize = 20;
/// The most characters of each part of a subject (RFC 5280, appendix A.1, `ub-common-name`).
const SUBJECT_CHARACTERS: usize = 64;
/// 1950-01-01, the first moment `UTCTime` can express.
const FIRST_MOMENT: i64 = -631_152_000;
/// 9999-12-31 23:59:59, the last moment `GeneralizedTime` can express.
const LAST_MOMENT: i64 = 253_402_300_799;

/// A certificate's serial number: positive, 1 to 20 octets, shown as lower-case hexadecimal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial(Vec<u8>);

impl Serial {
    /// Makes a serial number of 16 octets, 126 bits of it random, from octets of a good generator.
    ///
    /// The two top bits are fixed, so that the number is positive and always equally long.
    pub fn from_random(mut octets: [u8; 16]) -> Self {
        let [top, ..] = &mut octets;
        *top = (*top & 0x3f) | 0x40;
        Self(octets.to_vec())
    }

    /// Takes the content octets of an ASN.1 INTEGER, or a big-endian number with leading zeros.
    ///
    /// # Errors
    /// [`Refusal::Serial`] for zero, negative and overlong numbers.
    pub fn from_der_octets(octets: &[u8]) -> Result<Self, Refusal> {
        let negative = octets.first().is_some_and(|top| top & 0x80 != 0);
        let start = octets.iter().position(|octet| *octet != 0).ok_or(Refusal::Serial)?;
        let magnitude = octets.get(start..).ok_or(Refusal::Serial)?;
        // Twenty octets include the leading zero that keeps a number positive.
        let sign_octet = usize::from(magnitude.first().is_some_and(|top| top & 0x80 != 0));
        if negative || magnitude.len() + sign_octet > SERIAL_OCTETS {
            return Err(Refusal::Serial);
        }
        Ok(Self(magnitude.to_vec()))
    }

    /// The number in big-endian order, without leading zeros.
    pub fn as_octets(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn to_rcgen(&self) -> rcgen::SerialNumber {
        rcgen::SerialNumber::from_slice(&self.0)
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(formatter, &self.0)
    }
}

impl fmt::Debug for Serial {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Serial({self})")
    }
}

impl FromStr for Serial {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let octets = read_hex(text).ok_or(Refusal::Serial)?;
        // A text carries a magnitude: its top bit is no sign, unlike in an ASN.1 INTEGER.
        let mut positive = vec![0];
        positive.extend(octets);
        Self::from_der_octets(&positive)
    }
}

/// SHA-256 over a whole certificate in DER: names the exact certificate and nothing else.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of a certificate in DER.
    pub fn of(der: &[u8]) -> Self {
        Self(sha256(der))
    }

    /// The 32 octets.
    pub fn as_octets(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(formatter, &self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Fingerprint({self})")
    }
}

impl FromStr for Fingerprint {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let octets = read_hex(text).ok_or(Refusal::Fingerprint)?;
        octets.try_into().map(Self).map_err(|_| Refusal::Fingerprint)
    }
}

/// From when to when a certificate is valid, both moments included, in Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    not_before: i64,
    not_after: i64,
}

impl Validity {
    /// A validity between two moments.
    ///
    /// # Errors
    /// [`Refusal::Validity`] unless the first lies before the second, both in 1950 to 9999.
    pub fn new(not_before: i64, not_after: i64) -> Result<Self, Refusal> {
        let possible = FIRST_MOMENT..=LAST_MOMENT;
        if not_before < not_after && possible.contains(&not_before) && possible.contains(&not_after)
        {
            Ok(Self { not_before, not_after })
        } else {
            Err(Refusal::Validity { not_before, not_after })
        }
    }

    /// A validity of whole calendar years; 29 February ends on 28 February.
    ///
    /// # Errors
    /// [`Refusal::Validity`] when no year is asked for or the end is past the year 9999.
    pub fn years(not_before: i64, years: u16) -> Result<Self, Refusal> {
        let refusal = Refusal::Validity { not_before, not_after: not_before };
        let begin = OffsetDateTime::from_unix_timestamp(not_before).map_err(|_| refusal.clone())?;
        let year = begin.year() + i32::from(years);
        let date = Date::from_calendar_date(year, begin.month(), begin.day())
            .or_else(|_| Date::from_calendar_date(year, Month::February, 28))
            .map_err(|_| refusal)?;
        Self::new(not_before, begin.replace_date(date).unix_timestamp())
    }

    /// Beginning, Unix seconds.
    pub fn not_before(&self) -> i64 {
        self.not_before
    }

    /// End, Unix seconds; the certificate is still valid in this second.
    pub fn not_after(&self) -> i64 {
        self.not_after
    }
}

/// Whom a certificate names: a common name and, when given, organization and unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    common_name: String,
    organization: Option<String>,
    organizational_unit: Option<String>,
}

impl Subject {
    /// A subject of a common name alone, 1 to 64 characters.
    ///
    /// # Errors
    /// [`Refusal::SubjectField`] for an empty or overlong name or control characters.
    pub fn new(common_name: &str) -> Result<Self, Refusal> {
        let common_name = subject_field("common name", common_name)?;
        Ok(Self { common_name, organization: None, organizational_unit: None })
    }

    /// Adds the organization, 1 to 64 characters.
    ///
    /// # Errors
    /// As [`Subject::new`].
    pub fn with_organization(mut self, organization: &str) -> Result<Self, Refusal> {
        self.organization = Some(subject_field("organization", organization)?);
        Ok(self)
    }

    /// Adds the organizational unit, 1 to 64 characters.
    ///
    /// # Errors
    /// As [`Subject::new`].
    pub fn with_organizational_unit(mut self, unit: &str) -> Result<Self, Refusal> {
        self.organizational_unit = Some(subject_field("organizational unit", unit)?);
        Ok(self)
    }

    /// The common name.
    pub fn common_name(&self) -> &str {
        &self.common_name
    }

    pub(crate) fn to_rcgen(&self) -> DistinguishedName {
        let mut name = DistinguishedName::new();
        if let Some(organization) = &self.organization {
            name.push(DnType::OrganizationName, organization.as_str());
        }
        if let Some(unit) = &self.organizational_unit {
            name.push(DnType::OrganizationalUnitName, unit.as_str());
        }
        name.push(DnType::CommonName, self.common_name.as_str());
        name
    }
}

fn subject_field(field: &'static str, text: &str) -> Result<String, Refusal> {
    let characters = text.chars().count();
    let blank = text.trim().is_empty();
    if blank || characters > SUBJECT_CHARACTERS || text.chars().any(char::is_control) {
        return Err(Refusal::SubjectField { field });
    }
    Ok(text.to_owned())
}

/// Where relying parties fetch a revocation list: an `http://` or `https://` address in ASCII.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationUrl(String);

impl RevocationUrl {
    /// Checks and keeps an address.
    ///
    /// # Errors
    /// [`Refusal::RevocationUrl`] for another scheme, white space, non-ASCII or over 512 octets.
    pub fn new(address: &str) -> Result<Self, Refusal> {
        let rest = address.strip_prefix("http://").or_else(|| address.strip_prefix("https://"));
        let named = rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
        let plain = address.bytes().all(|octet| octet.is_ascii_graphic());
        if named && plain && address.len() <= 512 {
            Ok(Self(address.to_owned()))
        } else {
            Err(Refusal::RevocationUrl)
        }
    }

    pub(crate) fn to_rcgen(&self) -> rcgen::CrlDistributionPoint {
        rcgen::CrlDistributionPoint { uris: vec![self.0.clone()] }
    }
}

pub(crate) fn sha256(octets: &[u8]) -> [u8; 32] {
    let mut digest = [0; 32];
    digest.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, octets).as_ref());
    digest
}

/// Writes a moment as the date type of the certificate library.
pub(crate) fn date(seconds: i64) -> Result<OffsetDateTime, Fault> {
    if !(FIRST_MOMENT..=LAST_MOMENT).contains(&seconds) {
        return Err(Fault::Date { seconds });
    }
    OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| Fault::Date { seconds })
}

fn write_hex(formatter: &mut fmt::Formatter<'_>, octets: &[u8]) -> fmt::Result {
    octets.iter().try_for_each(|octet| write!(formatter, "{octet:02x}"))
}

fn read_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|octet| octet.is_ascii_hexdigit()) {
        return None;
    }
    let pairs = (0..text.len()).step_by(2);
    pairs.map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}
