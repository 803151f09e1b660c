//! The signature of a webhook: HMAC-SHA256 under the secret that both sides have.

use domain::telling::signed;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The value of `X-Hawkmoth-Signature` for a body that is sent at this time.
pub fn signature(secret: &str, timestamp: i64, body: &str) -> String {
    // A key of any length is good (RFC 2104), so this never fails.
    let digits = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map(|mut mac| {
        mac.update(signed(timestamp, body).as_bytes());
        hex::encode(mac.finalize().into_bytes())
    });
    format!("sha256={}", digits.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::signature;

    #[test]
    fn it_is_what_others_compute() {
        // hmac.new(b"swordfish-swordfish", b'1800000000.{"a": 1}', "sha256") of Python.
        assert_eq!(
            signature("swordfish-swordfish", 1_800_000_000, r#"{"a": 1}"#),
            "sha256=730f2708231803ff372a97bebeef6614944414b08f10526dbf082cb2118a4a87"
        );
    }

    #[test]
    fn every_part_counts() {
        let one = signature("s", 1, "x");
        for (secret, time, body) in [("t", 1, "x"), ("s", 2, "x"), ("s", 1, "y")] {
            assert_ne!(signature(secret, time, body), one);
        }
    }
}
