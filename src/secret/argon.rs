//! argon2id in memory that is kept for the next hash.
//!
//! A hash takes 19 MiB. Asked for and given back each time, they cost a sixth of the hash, and the
//! many threads on which hashes run make the process several times as large as it need be.

use std::sync::Mutex;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::Zeroizing;

/// What hashes leave behind for the next ones. How many there can be is bounded by how many hashes
/// are computed at once.
static ROOMS: Mutex<Vec<Vec<Block>>> = Mutex::new(Vec::new());

/// A hash that cannot be computed, or a string that is none.
#[derive(Debug)]
pub(super) struct Unhashable;

/// Gives a PHC string.
pub(super) fn hash(params: Params, entry: &[u8], salt: &[u8; 16]) -> Result<String, Unhashable> {
    let (algorithm, version) = (Algorithm::Argon2id, Version::V0x13);
    let written = ParamsString::try_from(&params).map_err(|_| Unhashable)?;
    let mut out = Zeroizing::new([0; Params::DEFAULT_OUTPUT_LEN]);
    compute(&Argon2::new(algorithm, version, params), entry, salt, out.as_mut_slice())?;
    let hash = PasswordHash {
        algorithm: algorithm.ident(),
        version: Some(version.into()),
        params: written,
        salt: Some(Salt::new(salt).map_err(|_| Unhashable)?),
        hash: Some(Output::new(out.as_slice()).map_err(|_| Unhashable)?),
    };
    Ok(hash.to_string())
}

/// True when the entry gives the PHC string, at the cost that the string names.
pub(super) fn verify(entry: &[u8], phc: &str) -> Result<bool, Unhashable> {
    let stored = PasswordHash::new(phc).map_err(|_| Unhashable)?;
    let (Some(salt), Some(expected)) = (stored.salt, stored.hash) else { return Err(Unhashable) };
    let algorithm = Algorithm::try_from(stored.algorithm.as_str()).map_err(|_| Unhashable)?;
    let version = stored.version.map_or(Ok(Version::default()), Version::try_from);
    let params = Params::try_from(&stored).map_err(|_| Unhashable)?;
    let argon = Argon2::new(algorithm, version.map_err(|_| Unhashable)?, params);
    let mut out = Zeroizing::new([0; Output::MAX_LENGTH]);
    let out = out.get_mut(..expected.len()).ok_or(Unhashable)?;
    compute(&argon, entry, &salt, out)?;
    let found = Output::new(out).map_err(|_| Unhashable)?;
    // Compared in constant time.
    Ok(found == expected)
}

fn compute(
    argon: &Argon2<'_>,
    entry: &[u8],
    salt: &[u8],
    out: &mut [u8],
) -> Result<(), Unhashable> {
    let mut room = ROOMS.lock().ok().and_then(|mut rooms| rooms.pop()).unwrap_or_default();
    room.resize(argon.params().block_count(), Block::new());
    let done = argon.hash_password_into_with_memory(entry, salt, out, &mut room);
    if let Ok(mut rooms) = ROOMS.lock() {
        rooms.push(room);
    }
    done.map_err(|_| Unhashable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::password_hash::{PasswordHasher, PasswordVerifier};

    #[test]
    fn strings_are_those_of_the_library() {
        let params = || Params::new(64, 2, 1, None).unwrap();
        let theirs = Argon2::new(Algorithm::Argon2id, Version::V0x13, params());
        let theirs = theirs.hash_password_with_salt(b"secret", &[7; 16]).unwrap().to_string();
        assert_eq!(hash(params(), b"secret", &[7; 16]).unwrap(), theirs);
        Argon2::default().verify_password(b"secret", theirs.as_str()).unwrap();
    }

    #[test]
    fn what_an_earlier_hash_left_changes_nothing() {
        let cost = |memory| Params::new(memory, 1, 1, None).unwrap();
        let large = hash(cost(512), b"one", &[1; 16]).unwrap();
        let small = hash(cost(64), b"another", &[2; 16]).unwrap();
        for _ in 0..3 {
            assert!(verify(b"one", &large).unwrap());
            assert!(!verify(b"another", &large).unwrap());
            assert!(verify(b"another", &small).unwrap());
            assert!(!verify(b"one", &small).unwrap());
        }
    }

    #[test]
    fn what_is_no_hash_takes_no_entry() {
        for text in ["", "secret", "$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA", "$2b$x"] {
            assert!(verify(b"secret", text).is_err(), "{text}");
        }
    }
}
