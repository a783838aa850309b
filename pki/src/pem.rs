//! Writing PEM (RFC 7468) in constant time and into memory that is wiped afterwards.

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

/// Octets of a line: 64 characters, as RFC 7468 asks for.
const LINE_OCTETS: usize = 48;

/// Wraps DER into PEM under a label such as `CERTIFICATE`.
pub(crate) fn encode(label: &str, der: &[u8]) -> Zeroizing<String> {
    let lines = der.len().div_ceil(LINE_OCTETS);
    // Reserved at once: a growing string would leave copies of a key behind.
    let mut text = Zeroizing::new(String::with_capacity(lines * 65 + 2 * (label.len() + 18)));
    for part in ["-----BEGIN ", label, "-----\n"] {
        text.push_str(part);
    }
    let mut buffer = Zeroizing::new([0; 64]);
    for line in der.chunks(LINE_OCTETS) {
        // 48 octets never need more than the 64 characters of the buffer.
        if let Ok(characters) = Base64::encode(line, buffer.as_mut_slice()) {
            text.push_str(characters);
            text.push('\n');
        }
    }
    for part in ["-----END ", label, "-----\n"] {
        text.push_str(part);
    }
    text
}
