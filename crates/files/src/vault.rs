//! Secrets that must be kept and had back, such as the keys of a bucket: encrypted and
//! authenticated under a key that is derived from the installation's. Who has only the database
//! reads nothing.

use chacha20poly1305::aead::Aead;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// What a closed text begins with: how it is encrypted.
const KIND: &str = "x1:";

/// Bytes of a nonce: enough that random ones never meet.
const NONCE: usize = 24;

/// Encrypts texts and opens them again. Cheap to clone; never shows its key.
#[derive(Clone)]
pub struct Vault {
    cipher: XChaCha20Poly1305,
}

impl Vault {
    /// A vault under the key of an installation.
    pub fn new(key: &[u8; 32]) -> Vault {
        // A key of its own, so that nothing sealed tells anything of a signature.
        let mut block = [0; 64];
        block[..32].copy_from_slice(key);
        let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new(&block.into());
        mac.update(b"hawkmoth vault");
        let key: [u8; 32] = mac.finalize().into_bytes().into();
        Vault {
            cipher: XChaCha20Poly1305::new(&key.into()),
        }
    }

    /// The text, sealed; each time another one. An empty text stays empty.
    pub fn close(&self, text: &str) -> String {
        if text.is_empty() {
            return String::new();
        }
        let nonce: [u8; NONCE] = rand::random();
        // Encryption fails only for texts of more than 256 GB.
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), text.as_bytes());
        let sealed = sealed.unwrap_or_default();
        format!("{KIND}{}{}", hex::encode(nonce), hex::encode(sealed))
    }

    /// The text that was sealed; `None` where it was sealed under another key, or changed.
    pub fn open(&self, sealed: &str) -> Option<String> {
        if sealed.is_empty() {
            return Some(String::new());
        }
        let bytes = hex::decode(sealed.strip_prefix(KIND)?).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE)?;
        let nonce: [u8; NONCE] = nonce.try_into().ok()?;
        let text = self.cipher.decrypt(&XNonce::from(nonce), sealed).ok()?;
        String::from_utf8(text).ok()
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_same_key_opens_and_only_what_is_unchanged() {
        let vault = Vault::new(&[7; 32]);
        let sealed = vault.close("swordfish");
        assert!(!sealed.contains("swordfish"));
        assert_ne!(sealed, vault.close("swordfish"), "no two are alike");
        assert_eq!(vault.open(&sealed).as_deref(), Some("swordfish"));
        assert_eq!(Vault::new(&[8; 32]).open(&sealed), None);
        let last = sealed.len() - 1;
        let other = if sealed.ends_with('0') { "1" } else { "0" };
        assert_eq!(vault.open(&format!("{}{other}", &sealed[..last])), None);
        for broken in ["swordfish", "x1:", "x1:00", "x1:zz", "x2:00"] {
            assert_eq!(vault.open(broken), None, "{broken}");
        }
        assert_eq!(vault.close(""), "");
        assert_eq!(vault.open("").as_deref(), Some(""));
    }

    proptest! {
        #[test]
        fn what_is_sealed_can_be_had_back(text in any::<String>(), key in any::<[u8; 32]>()) {
            let vault = Vault::new(&key);
            let sealed = vault.close(&text);
            prop_assert_eq!(vault.open(&sealed), Some(text));
        }
    }
}
