//! Receipts: what a worker shows when it answers. The idea: a receipt names job, generation and
//! capture and is signed with the job's own key, so it cannot be guessed or used for another job,
//! any process can check it, and it stays good when its lease is over (late results count).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::nats::names;

/// How receipts begin. Clients take them as they are, but know them as subjects of this kind.
const PREFIX: &str = "$JS.ACK.";

/// An opaque text: `reply_subject` on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Receipt(String);

/// What a receipt says, before its signature is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Claim {
    /// The job.
    pub job: i64,
    /// The job's generation when the image was handed out.
    pub generation: i64,
    /// The capture.
    pub capture: i64,
}

impl Receipt {
    /// Signs a claim with the job's key.
    pub fn sign(claim: Claim, key: &str) -> Receipt {
        let text = claim.text();
        let mac = mac(&text, key);
        Receipt(format!("{PREFIX}{text}.{mac}"))
    }

    /// Signs a claim together with the subject under which whoever has the receipt may settle the
    /// image in NATS.
    pub fn seal(claim: Claim, reply: &str, key: &str) -> Receipt {
        let text = format!("{}.{}", claim.text(), URL_SAFE_NO_PAD.encode(reply));
        let mac = mac(&text, key);
        Receipt(format!("{PREFIX}{text}.{mac}"))
    }

    /// The subject in NATS that is sealed in it, proved with the job's key.
    pub fn reply(&self, key: &str) -> Option<String> {
        let claim = self.open(key)?;
        let (text, _) = self.0.strip_prefix(PREFIX)?.rsplit_once('.')?;
        let sealed = text.strip_prefix(&claim.text())?.strip_prefix('.')?;
        String::from_utf8(URL_SAFE_NO_PAD.decode(sealed).ok()?).ok()
    }

    /// How often the image had been handed out, where NATS counts it, proved with the job's key.
    pub fn deliveries(&self, key: &str) -> Option<i32> {
        names::deliveries(&self.reply(key)?)
    }

    /// A receipt as it came over the wire.
    pub fn received(text: &str) -> Receipt {
        Receipt(text.to_owned())
    }

    /// The text for the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the receipt says; `None` when it is none. Not yet a proof.
    pub fn claim(&self) -> Option<Claim> {
        let mut parts = self.0.strip_prefix(PREFIX)?.splitn(4, '.');
        let mut number = || parts.next()?.parse::<i64>().ok();
        Some(Claim {
            job: number()?,
            generation: number()?,
            capture: number()?,
        })
    }

    /// What the receipt says, proved with the job's key.
    pub fn open(&self, key: &str) -> Option<Claim> {
        let claim = self.claim()?;
        let (text, signature) = self.0.strip_prefix(PREFIX)?.rsplit_once('.')?;
        let rest = text.strip_prefix(&claim.text())?;
        if !rest.is_empty() && !rest.starts_with('.') {
            return None;
        }
        let signature = hex::decode(signature).ok()?;
        let mut mac = keyed(key)?;
        mac.update(text.as_bytes());
        mac.verify_truncated_left(&signature).ok()?;
        (signature.len() == LENGTH).then_some(claim)
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Claim {
    fn text(&self) -> String {
        format!("{}.{}.{}", self.job, self.generation, self.capture)
    }
}

/// Bytes of the signature that are kept.
const LENGTH: usize = 16;

fn keyed(key: &str) -> Option<Hmac<Sha256>> {
    Hmac::<Sha256>::new_from_slice(key.as_bytes()).ok()
}

fn mac(text: &str, key: &str) -> String {
    let Some(mut mac) = keyed(key) else {
        return String::new();
    };
    mac.update(text.as_bytes());
    hex::encode(&mac.finalize().into_bytes()[..LENGTH])
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLAIM: Claim = Claim {
        job: 7,
        generation: 2,
        capture: 99,
    };

    #[test]
    fn a_receipt_opens_with_its_key_only() {
        let receipt = Receipt::sign(CLAIM, "key");
        assert_eq!(receipt.open("key"), Some(CLAIM));
        assert_eq!(receipt.open("other"), None);
    }

    #[test]
    fn a_sealed_receipt_gives_its_subject_to_who_has_the_key() {
        let reply = "$JS.ACK.moth-tasks.job-7-2.1.99.99.1700000000000000000.3";
        let receipt = Receipt::seal(CLAIM, reply, "key");
        assert_eq!(receipt.claim(), Some(CLAIM));
        assert_eq!(receipt.open("key"), Some(CLAIM));
        assert_eq!(receipt.reply("key").as_deref(), Some(reply));
        assert_eq!(receipt.reply("other"), None);
        assert_eq!(receipt.deliveries("key"), Some(1));
        assert_eq!(Receipt::sign(CLAIM, "key").reply("key"), None);
        // Another subject under the same signature, and the signature alone under the claim.
        let (text, mac) = receipt.as_str().rsplit_once('.').unwrap_or_default();
        let (claim, _) = text.rsplit_once('.').unwrap_or_default();
        for forged in [format!("{claim}.{mac}"), format!("{claim}.AAAA.{mac}")] {
            assert_eq!(Receipt::received(&forged).open("key"), None, "{forged}");
        }
    }

    #[test]
    fn a_changed_receipt_does_not_open() {
        let receipt = Receipt::sign(CLAIM, "key");
        for changed in [
            receipt.as_str().replacen("99", "98", 1),
            receipt.as_str().replacen('7', "8", 1),
            format!("0{}", receipt.as_str()),
            receipt.as_str()[..receipt.as_str().len() - 2].to_owned(),
            "7.2.99.".to_owned(),
            String::new(),
            "a.b.c.d".to_owned(),
        ] {
            assert_eq!(Receipt::received(&changed).open("key"), None, "{changed}");
        }
    }
}
