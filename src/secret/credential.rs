//! Passwords and one-time-password cards.

use argon2::Params;
use engine::Entropy;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use totp_rs::{Algorithm as OtpAlgorithm, Builder};
use zeroize::Zeroizing;

use super::argon;
use super::keys::{Keys, SecretFault};

/// What one hash costs (argon2id, RFC 9106).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HashCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for HashCost {
    /// 19 MiB, two passes, one lane: the least that OWASP's password storage page advises.
    fn default() -> Self {
        Self { memory_kib: 19 * 1024, passes: 2, lanes: 1 }
    }
}

impl HashCost {
    /// A verifier that no entry gives, at this cost: whoever does not exist costs as much as whoever
    /// does.
    pub fn verifier_of_nobody(self) -> String {
        let Self { memory_kib, passes, lanes } = self;
        // Salt and hash of nothing but zeros: 22 and 43 characters of Base64.
        let (salt, hash) = ("A".repeat(22), "A".repeat(43));
        format!("$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${salt}${hash}")
    }
}

/// Hashes a secret, under the pepper of a purpose if there is one; gives a PHC string. Slow by
/// design: call it where blocking is allowed.
pub fn hash_password(
    entropy: &Entropy,
    pepper: Option<(&Keys, &str)>,
    secret: &[u8],
    cost: HashCost,
) -> Result<String, SecretFault> {
    let failed = |()| SecretFault::Unsealable { purpose: "password" };
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, None);
    let params = params.map_err(|_| failed(()))?;
    let mut salt = [0; 16];
    entropy(&mut salt);
    let entry = Zeroizing::new(match pepper {
        None => secret.to_vec(),
        Some((keys, purpose)) => keys.mac(purpose, secret)?.to_vec(),
    });
    argon::hash(params, &entry, &salt).map_err(|_| failed(()))
}

/// True when `secret` gives the PHC string. A string that cannot be read takes no entry. Slow by
/// design, and equally slow for every entry.
///
/// The pepper is keys, key id and purpose; `None` for a hash that was made without one.
pub fn verify_password(
    pepper: Option<(&Keys, &str, &str)>,
    secret: &[u8],
    verifier: &str,
) -> Result<bool, SecretFault> {
    let matches = |entry: &[u8]| argon::verify(entry, verifier).unwrap_or(false);
    match pepper {
        None => Ok(matches(secret)),
        Some((keys, id, purpose)) => {
            let peppered = Zeroizing::new(keys.mac_with(id, purpose, secret)?);
            Ok(matches(peppered.as_slice()))
        }
    }
}

/// A one-time-password card: OATH TOTP (RFC 6238), six digits, 30 seconds, SHA-1 as cards have it.
pub struct OneTimeCard {
    totp: totp_rs::Totp,
}

impl OneTimeCard {
    /// A card with this seed, at least 16 bytes long.
    pub fn new(seed: &[u8]) -> Result<Self, SecretFault> {
        let totp = Builder::new()
            .with_algorithm(OtpAlgorithm::SHA1)
            .with_digits(6)
            .with_skew(1)
            .with_step_duration(30)
            .with_secret(seed.to_vec())
            .build()
            .map_err(|_| SecretFault::Unopenable { purpose: "card seed" })?;
        Ok(Self { totp })
    }

    /// What the card shows at a moment, in seconds since 1970.
    pub fn shown_at(&self, seconds: u64) -> String {
        self.totp.generate(seconds).to_string()
    }

    /// The later time step of two entries that the card showed one after the other, not long ago:
    /// only somebody who holds the card can have read both.
    pub fn step_of_two(&self, first: &str, second: &str, seconds: u64) -> Option<u64> {
        let now = seconds / STEP;
        let (first, second) = (digits(first), digits(second));
        (now.saturating_sub(2)..=now).rev().find_map(|step| {
            let shown = |step: u64| Zeroizing::new(self.shown_at(step * STEP));
            let is = |typed: &str, step| typed.as_bytes().ct_eq(shown(step).as_bytes());
            bool::from(is(&first, step) & is(&second, step + 1)).then_some(step + 1)
        })
    }

    /// The time step that an entry belongs to, when it is right within one step of the moment.
    /// The caller accepts each step once only.
    pub fn step_of(&self, entry: &str, seconds: u64) -> Option<u64> {
        self.totp.check(&digits(entry), seconds)
    }
}

/// Seconds for which a card shows one number.
const STEP: u64 = 30;

/// An entry without spaces, in half-width digits, bounded.
fn digits(entry: &str) -> Zeroizing<String> {
    let plain = entry.chars().filter(|c| !c.is_whitespace()).map(to_half_width).take(16);
    Zeroizing::new(plain.collect())
}

fn to_half_width(character: char) -> char {
    match character {
        '０'..='９' => {
            char::from_u32(u32::from(character) - u32::from('０') + u32::from('0')).unwrap_or('?')
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_costs_what_a_hash_costs_and_takes_no_entry() {
        let small = HashCost { memory_kib: 64, passes: 3, lanes: 1 };
        for cost in [small, HashCost::default()] {
            let nobody = cost.verifier_of_nobody();
            let entropy: Entropy = std::sync::Arc::new(|bytes: &mut [u8]| bytes.fill(7));
            let somebody = hash_password(&entropy, None, b"secret", cost).unwrap();
            let costs = |phc: &str| phc.split('$').take(4).collect::<Vec<_>>().join("$");
            assert_eq!(costs(&nobody), costs(&somebody));
            assert!(!argon::verify(b"secret", &nobody).unwrap(), "{nobody}");
        }
    }
}
