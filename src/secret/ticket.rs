//! Tokens that a browser holds: sessions and display tickets.

use data_encoding::BASE64URL_NOPAD;
use engine::Entropy;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// 32 random bytes that a browser keeps in a cookie; only their digest is stored.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Token([u8; 32]);

/// The token that opens the display copies made during one login (RULINGS: display ticket).
pub type Ticket = Token;

impl Token {
    /// A new one.
    pub fn generate(entropy: &Entropy) -> Self {
        let mut bytes = [0; 32];
        entropy(&mut bytes);
        Self(bytes)
    }

    /// Reads a cookie's value.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(BASE64URL_NOPAD.decode(text.as_bytes()).ok()?);
        <[u8; 32]>::try_from(bytes.as_slice()).ok().map(Self)
    }

    /// The cookie's value.
    pub fn expose(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE64URL_NOPAD.encode(&self.0))
    }

    /// The bytes, as key material.
    pub fn expose_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What is stored.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }
}
