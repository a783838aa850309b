//! The print station's key pair: letters are sealed to it as soon as they are made.
//!
//! HPKE (RFC 9180): X25519, HKDF-SHA256, ChaCha20-Poly1305, base mode. A sealed letter is the
//! encapsulated key (32 bytes) followed by the ciphertext.

use std::fs;
use std::path::Path;

use data_encoding::BASE64;
use engine::Entropy;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use zeroize::Zeroizing;

use super::keys::{SecretFault, write_private};

const INFO: &[u8] = b"saihakko/1/letter";
const ENCAPSULATED: usize = 32;
const PURPOSE: &str = "letter";

type Sealing = X25519HkdfSha256;

/// What letters are sealed to. The approver approves it together with the address.
#[derive(Clone)]
pub struct StationPublicKey(<Sealing as Kem>::PublicKey);

/// What only the print station holds.
pub struct StationKey(<Sealing as Kem>::PrivateKey);

impl StationPublicKey {
    /// Reads the key's text: Base64 of 32 bytes.
    pub fn parse(text: &str) -> Result<Self, SecretFault> {
        let bytes = BASE64.decode(text.trim().as_bytes());
        let bytes = bytes.map_err(|_| SecretFault::Unsealable { purpose: PURPOSE })?;
        let key = <Sealing as Kem>::PublicKey::from_bytes(&bytes);
        key.map(Self).map_err(|_| SecretFault::Unsealable { purpose: PURPOSE })
    }

    /// The key's text.
    pub fn to_text(&self) -> String {
        BASE64.encode(&self.0.to_bytes())
    }

    /// Seals a letter; `place` names the letter, so that it cannot be passed off as another.
    pub fn seal(
        &self,
        entropy: &Entropy,
        place: &[u8],
        letter: &[u8],
    ) -> Result<Vec<u8>, SecretFault> {
        let (encapsulated, ciphertext) =
            hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, Sealing>(
                &OpModeS::Base,
                &self.0,
                INFO,
                letter,
                place,
                &mut Random(entropy),
            )
            .map_err(|_| SecretFault::Unsealable { purpose: PURPOSE })?;
        let mut sealed = encapsulated.to_bytes().to_vec();
        sealed.extend_from_slice(&ciphertext);
        Ok(sealed)
    }
}

impl StationKey {
    /// Makes a key pair and writes the private half where only its owner may read it.
    pub fn create(path: &Path, entropy: &Entropy) -> Result<StationPublicKey, SecretFault> {
        let (private, public) = Sealing::gen_keypair_with_rng(&mut Random(entropy));
        let text = Zeroizing::new(BASE64.encode(&private.to_bytes()));
        write_private(path, text.as_bytes())?;
        Ok(StationPublicKey(public))
    }

    /// Reads the private half.
    pub fn load(path: &Path) -> Result<Self, SecretFault> {
        let unreadable = |source| SecretFault::Unreadable { path: path.to_owned(), source };
        let text = Zeroizing::new(fs::read_to_string(path).map_err(unreadable)?);
        let damaged = || SecretFault::Damaged { path: path.to_owned(), reason: "no station key" };
        let bytes = BASE64.decode(text.trim().as_bytes()).map(Zeroizing::new);
        let bytes = bytes.map_err(|_| damaged())?;
        <Sealing as Kem>::PrivateKey::from_bytes(&bytes).map(Self).map_err(|_| damaged())
    }

    /// The other half, to tell whether letters are sealed to this station at all.
    pub fn public(&self) -> StationPublicKey {
        StationPublicKey(Sealing::sk_to_pk(&self.0))
    }

    /// Opens a sealed letter in memory.
    pub fn open(&self, place: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SecretFault> {
        let shut = || SecretFault::Unopenable { purpose: PURPOSE };
        let (encapsulated, ciphertext) = sealed.split_at_checked(ENCAPSULATED).ok_or_else(shut)?;
        let encapsulated = <Sealing as Kem>::EncappedKey::from_bytes(encapsulated);
        let encapsulated = encapsulated.map_err(|_| shut())?;
        hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, Sealing>(
            &OpModeR::Base,
            &self.0,
            &encapsulated,
            INFO,
            ciphertext,
            place,
        )
        .map(Zeroizing::new)
        .map_err(|_| shut())
    }
}

/// The engine's entropy as the generator that HPKE asks for.
struct Random<'a>(&'a Entropy);

impl hpke::rand_core::TryRng for Random<'_> {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let mut bytes = [0; 4];
        (self.0)(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let mut bytes = [0; 8];
        (self.0)(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        (self.0)(bytes);
        Ok(())
    }
}

impl hpke::rand_core::TryCryptoRng for Random<'_> {}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_letter_opens_only_at_the_station_and_only_as_itself() {
        let entropy: Entropy = Arc::new(|buffer| getrandom::fill(buffer).unwrap());
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("station.key");
        let public = StationKey::create(&path, &entropy).unwrap();
        let public = StationPublicKey::parse(&public.to_text()).unwrap();
        let sealed = public.seal(&entropy, b"case 7", b"letter").unwrap();
        let station = StationKey::load(&path).unwrap();
        assert_eq!(station.public().to_text(), public.to_text());
        assert_eq!(station.open(b"case 7", &sealed).unwrap().as_slice(), b"letter");
        assert!(station.open(b"case 8", &sealed).is_err());
        StationKey::create(&dir.path().join("other.key"), &entropy).unwrap();
        let other = StationKey::load(&dir.path().join("other.key")).unwrap();
        assert!(other.open(b"case 7", &sealed).is_err());
    }
}
