//! The small values.

use pki::{Fingerprint, Refusal, RevocationUrl, Serial, Subject, Validity};
use proptest::prelude::*;

use crate::workbench::{APRIL, DAY};

proptest! {
    #[test]
    fn a_random_serial_number_is_positive_and_16_octets_long(octets: [u8; 16]) {
        let serial = Serial::from_random(octets);
        prop_assert_eq!(serial.as_octets().len(), 16);
        prop_assert!((0x40..0x80).contains(&serial.as_octets()[0]));
        prop_assert_eq!(&serial.as_octets()[1..], &octets[1..]);
        prop_assert_eq!(Serial::from_der_octets(serial.as_octets()), Ok(serial.clone()));
        prop_assert_eq!(serial.to_string().parse(), Ok(serial));
    }

    #[test]
    fn nothing_read_as_a_text_panics(text in "\\PC*") {
        let _ = text.parse::<Serial>();
        let _ = text.parse::<Fingerprint>();
        let _ = RevocationUrl::new(&text);
        let _ = Subject::new(&text);
    }
}

#[test]
fn a_serial_number_is_positive_and_of_at_most_20_octets() {
    let read = |octets: &[u8]| Serial::from_der_octets(octets).map(|serial| serial.to_string());
    assert_eq!(read(&[0, 0x80]), Ok("80".into()));
    assert_eq!(read(&[1]), Ok("01".into()));
    assert_eq!(read(&[0x7f; 20]), Ok("7f".repeat(20)));
    for wrong in [&[][..], &[0], &[0x80], &[0xff; 20], &[1; 21]] {
        assert_eq!(read(wrong), Err(Refusal::Serial), "{wrong:?}");
    }
    assert_eq!("80".parse::<Serial>().unwrap().to_string(), "80");
    for wrong in ["", "0", "00", "xy", "+1", "é", "123"] {
        assert_eq!(wrong.parse::<Serial>(), Err(Refusal::Serial), "{wrong:?}");
    }
}

#[test]
fn a_fingerprint_is_read_back() {
    let fingerprint = Fingerprint::of(b"abc");
    let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(fingerprint.to_string(), text);
    assert_eq!(text.parse(), Ok(fingerprint));
    assert_eq!(text[2..].parse::<Fingerprint>(), Err(Refusal::Fingerprint));
}

#[test]
fn a_validity_runs_forward_in_possible_years() {
    let year = Validity::years(APRIL, 1).unwrap();
    assert_eq!((year.not_before(), year.not_after()), (APRIL, APRIL + 365 * DAY));
    // 2028-02-29 12:00:00 ends on 2029-02-28 12:00:00.
    let leap = Validity::years(1_835_438_400, 1).unwrap();
    assert_eq!(leap.not_after() - leap.not_before(), 365 * DAY);
    Validity::years(APRIL, 0).unwrap_err();
    Validity::years(APRIL, u16::MAX).unwrap_err();
    Validity::years(i64::MAX, 1).unwrap_err();
    Validity::new(APRIL, APRIL).unwrap_err();
    Validity::new(i64::MIN, APRIL).unwrap_err();
    Validity::new(APRIL, i64::MAX).unwrap_err();
}

#[test]
fn a_subject_has_no_blank_long_or_controlling_part() {
    Subject::new("山田 太郎").unwrap();
    Subject::new(&"山".repeat(64)).unwrap();
    for wrong in ["", " ", "\u{3000}", "a\0b", "a\nb", &"x".repeat(65)] {
        Subject::new(wrong).unwrap_err();
        Subject::new("x").unwrap().with_organization(wrong).unwrap_err();
        Subject::new("x").unwrap().with_organizational_unit(wrong).unwrap_err();
    }
}

#[test]
fn a_revocation_list_lies_at_a_web_address() {
    RevocationUrl::new("http://crl.example.jp/a.crl").unwrap();
    RevocationUrl::new("https://crl.example.jp/a.crl").unwrap();
    for wrong in ["", "http://", "http:///a", "ldap://a/b", "http://a/b c", "http://例え.jp/"] {
        RevocationUrl::new(wrong).unwrap_err();
    }
}
