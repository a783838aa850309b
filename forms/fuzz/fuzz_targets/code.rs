//! Texts of codes: what is believed says the same when it is set anew, and nothing else is believed.
#![no_main]

use std::sync::LazyLock;

use forms::{CodeKey, Payload, PayloadFault, SubmissionNumber, Variant, Version};
use libfuzzer_sys::fuzz_target;

static KEY: LazyLock<CodeKey> = LazyLock::new(CodeKey::sample);

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    believed(text);
    // A text of ours, damaged where the data say.
    let [first, second, place, with, ..] = data else { return };
    let serial = u64::from(*first) << 8 | u64::from(*second);
    let payload = Payload {
        version: Version::One,
        variant: if first % 2 == 0 { Variant::BizStation } else { Variant::Light },
        submission: SubmissionNumber::from_serial(serial).ok(),
        page: 1,
        pages: 2,
    };
    let whole = payload.encode(&KEY);
    assert_eq!(Payload::decode(&whole, &KEY), Ok(payload));
    let mut damaged = whole.clone().into_bytes();
    let at = usize::from(*place) % damaged.len();
    damaged[at] = *with;
    if let Ok(damaged) = String::from_utf8(damaged)
        && damaged != whole
    {
        assert!(Payload::decode(&damaged, &KEY).is_err(), "{damaged}");
        // Beyond the head, damage is told from a foreign code as long as there is something like a check.
        let is_base32 = |letter: u8| matches!(letter, b'A'..=b'Z' | b'2'..=b'7');
        let has_check = damaged
            .rsplit_once(':')
            .is_some_and(|(_, check)| check.len() == 16 && check.bytes().all(is_base32));
        if at > 2 && has_check && damaged.is_ascii() {
            assert_eq!(Payload::decode(&damaged, &KEY), Err(PayloadFault::Check), "{damaged}");
        }
    }
});

fn believed(text: &str) {
    if let Ok(payload) = Payload::decode(text, &KEY) {
        assert_eq!(payload.encode(&KEY), text);
    }
}
