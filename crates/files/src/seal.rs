//! Seals: short proofs that this server wrote a text, for one purpose. What is sealed for one
//! purpose proves nothing for another.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Makes and checks seals with the server's key.
#[derive(Clone)]
pub struct Sealer {
    key: [u8; 32],
}

impl Sealer {
    /// A sealer with this key.
    pub fn new(key: [u8; 32]) -> Sealer {
        Sealer { key }
    }

    /// The seal of a text: 64 hexadecimal digits.
    pub fn seal(&self, purpose: &str, text: &str) -> String {
        hex::encode(self.mac(purpose, text).finalize().into_bytes())
    }

    /// Whether this is the text's seal.
    pub fn holds(&self, purpose: &str, text: &str, seal: &str) -> bool {
        hex::decode(seal).is_ok_and(|seal| self.mac(purpose, text).verify_slice(&seal).is_ok())
    }

    fn mac(&self, purpose: &str, text: &str) -> Hmac<Sha256> {
        // A key shorter than the hash's block counts as padded with zeros (RFC 2104).
        let mut block = [0; 64];
        block[..32].copy_from_slice(&self.key);
        let mut mac = Hmac::<Sha256>::new(&block.into());
        mac.update(b"hawkmoth seal\0");
        mac.update(purpose.as_bytes());
        mac.update(b"\0");
        mac.update(text.as_bytes());
        mac
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealer").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::Sealer;

    #[test]
    fn a_seal_proves_one_text_for_one_purpose() {
        let sealer = Sealer::new([7; 32]);
        let seal = sealer.seal("login", "abc");
        assert!(sealer.holds("login", "abc", &seal));
        for (purpose, text) in [("login", "abd"), ("csrf", "abc"), ("login\0a", "bc")] {
            assert!(!sealer.holds(purpose, text, &seal));
        }
        for seal in ["", "00", "zz", &seal[1..]] {
            assert!(!sealer.holds("login", "abc", seal));
        }
        assert!(!Sealer::new([8; 32]).holds("login", "abc", &seal));
        assert!(!format!("{sealer:?}").contains('7'));
    }
}
