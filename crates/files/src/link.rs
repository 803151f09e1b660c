//! Signed links: an address that says what it shows, until when, and proves that this server
//! made it. Who has the link may fetch the file, and no other. A link's end is rounded up to a
//! whole day, so that the same file keeps the same address for a while and browsers may keep it.

use chrono::{DateTime, Duration, Utc};
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::Sha256;

/// Everything but letters, digits and what is harmless in a path.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Why a link shows nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Its time is over.
    #[error("this link has expired")]
    Expired,
    /// Its signature is not this server's.
    #[error("this link is not valid")]
    Invalid,
}

/// Signs and checks links below one path of the server.
#[derive(Clone)]
pub struct Signer {
    key: [u8; 32],
    base: String,
}

impl Signer {
    /// A signer for links below `base`, such as "/media".
    pub fn new(key: [u8; 32], base: &str) -> Signer {
        Signer {
            key,
            base: base.trim_end_matches('/').to_owned(),
        }
    }

    /// A link to a file of a source (such as "captures/3"), good for at least `ttl`.
    pub fn sign(&self, source: &str, key: &str, now: DateTime<Utc>, ttl: Duration) -> String {
        let end = now.timestamp().saturating_add(ttl.num_seconds());
        let end = end.div_euclid(DAY).saturating_add(1).saturating_mul(DAY);
        let name = format!("{source}/{key}");
        let signature = hex::encode(self.mac(&name, end).finalize().into_bytes());
        let path = utf8_percent_encode(&name, ENCODED);
        format!("{}/{path}?expires={end}&signature={signature}", self.base)
    }

    /// Checks a link's name (the decoded path below the base), end and signature.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn verify(
        &self,
        name: &str,
        expires: i64,
        signature: &str,
        now: DateTime<Utc>,
    ) -> Result<(), LinkError> {
        let signature = hex::decode(signature).map_err(|_| LinkError::Invalid)?;
        self.mac(name, expires)
            .verify_slice(&signature)
            .map_err(|_| LinkError::Invalid)?;
        if now.timestamp() > expires {
            return Err(LinkError::Expired);
        }
        Ok(())
    }

    fn mac(&self, name: &str, expires: i64) -> Hmac<Sha256> {
        // A key shorter than the hash's block counts as padded with zeros (RFC 2104).
        let mut block = [0; 64];
        block[..32].copy_from_slice(&self.key);
        let mut mac = Hmac::<Sha256>::new(&block.into());
        mac.update(b"hawkmoth link\0");
        mac.update(expires.to_string().as_bytes());
        mac.update(b"\0");
        mac.update(name.as_bytes());
        mac
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("base", &self.base).finish()
    }
}

/// Makes links as pages and services need them.
#[derive(Clone, Debug)]
pub struct Links {
    signer: Signer,
    public_url: String,
}

/// How long links are good at least (`domain-rules.md` §14).
const GOOD_FOR: Duration = Duration::days(7);

impl Links {
    /// Links of a server that is reached under `public_url`.
    pub fn new(signer: Signer, public_url: &str) -> Links {
        Links {
            signer,
            public_url: public_url.trim_end_matches('/').to_owned(),
        }
    }

    /// A link for pages of this server.
    pub fn relative(&self, source: &str, key: &str) -> String {
        self.signer.sign(source, key, Utc::now(), GOOD_FOR)
    }

    /// A link for others.
    pub fn absolute(&self, source: &str, key: &str) -> String {
        format!("{}{}", self.public_url, self.relative(source, key))
    }

    /// The address under which the server is reached, without a slash at its end.
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    /// Checks a link; see [`Signer::verify`].
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn verify(&self, name: &str, expires: i64, signature: &str) -> Result<(), LinkError> {
        self.signer.verify(name, expires, signature, Utc::now())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    /// As a server decodes a path.
    fn decoded(path: &str) -> String {
        percent_decode_str(path).decode_utf8_lossy().into_owned()
    }

    fn signer() -> Signer {
        Signer::new([7; 32], "/media")
    }

    fn parts(link: &str) -> (String, i64, String) {
        let (path, query) = link.split_once('?').unwrap();
        let name = decoded(path.strip_prefix("/media/").unwrap());
        let (expires, signature) = query.split_once('&').unwrap();
        (
            name,
            expires.strip_prefix("expires=").unwrap().parse().unwrap(),
            signature.strip_prefix("signature=").unwrap().to_owned(),
        )
    }

    #[test]
    fn a_link_ends() {
        let now = DateTime::from_timestamp(1_000_000, 0).unwrap();
        let (name, end, signature) = parts(&signer().sign("s", "k", now, Duration::days(1)));
        assert!(end >= 1_000_000 + DAY && end <= 1_000_000 + 2 * DAY);
        let late = DateTime::from_timestamp(end + 1, 0).unwrap();
        assert_eq!(
            signer().verify(&name, end, &signature, late),
            Err(LinkError::Expired)
        );
        assert_eq!(
            signer().verify(&name, end + DAY, &signature, now),
            Err(LinkError::Invalid),
            "the end is part of what is signed"
        );
    }

    proptest! {
        #[test]
        fn links_show_what_they_name_and_nothing_else(key in "[^/\0]{1,20}(/[^/\0]{1,10})?", other in ".{1,10}") {
            let now = Utc::now();
            let (name, end, signature) = parts(&signer().sign("captures/3", &key, now, Duration::days(7)));
            prop_assert_eq!(&name, &format!("captures/3/{key}"));
            prop_assert_eq!(signer().verify(&name, end, &signature, now), Ok(()));
            let changed = format!("{name}{other}");
            prop_assert_eq!(signer().verify(&changed, end, &signature, now), Err(LinkError::Invalid));
            let stranger = Signer::new([8; 32], "/media");
            prop_assert_eq!(stranger.verify(&name, end, &signature, now), Err(LinkError::Invalid));
        }
    }
}
