//! Signed links: an address that says what it shows, until when, and proves that this server
//! made it. Who has the link may fetch the file, and no other. A link's end is rounded up to a
//! whole day, so that the same file keeps the same address for a while and browsers may keep it.

use chrono::{DateTime, Duration, Utc};
use domain::storage::Location;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::Sha256;

use crate::seal::Sealer;
use crate::vault::Vault;

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
    /// It is not of the form of this server's links.
    #[error("this is not a complete link")]
    Malformed,
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

    /// A link to a file of a source (such as "captures/3"), good for at least `ttl`, its end
    /// rounded up to a whole day.
    pub fn sign(&self, source: &str, key: &str, now: DateTime<Utc>, ttl: Duration) -> String {
        let end = now.timestamp().saturating_add(ttl.num_seconds());
        let end = end.div_euclid(DAY).saturating_add(1).saturating_mul(DAY);
        self.sign_until(source, key, end)
    }

    /// A link that is good until exactly `end`, in seconds since 1970.
    pub fn sign_until(&self, source: &str, key: &str, end: i64) -> String {
        let name = format!("{source}/{key}");
        let signature = hex::encode(self.mac(&name, end).finalize().into_bytes());
        let path = utf8_percent_encode(&name, ENCODED);
        format!("{}/{path}?expires={end}&signature={signature}", self.base)
    }

    /// Reads a link from an address as it was sent, still encoded, and checks it: the name that
    /// it shows, `<source>/<key>`.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn open(&self, path: &str, query: &str, now: DateTime<Utc>) -> Result<String, LinkError> {
        let name = path
            .strip_prefix(&self.base)
            .and_then(|path| path.strip_prefix('/'))
            .and_then(|path| percent_decode_str(path).decode_utf8().ok())
            .ok_or(LinkError::Malformed)?;
        let (expires, signature) = query
            .strip_prefix("expires=")
            .and_then(|rest| rest.split_once("&signature="))
            .ok_or(LinkError::Malformed)?;
        let expires = expires.parse().map_err(|_| LinkError::Malformed)?;
        self.verify(&name, expires, signature, now)?;
        Ok(name.into_owned())
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
/// How long those are good that stand in files which are kept.
const LASTING: Duration = Duration::days(3650);

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

    /// A link for others that stands in a file which is kept: good for ten years from `since`, and
    /// the same text whenever it is made.
    pub fn lasting(&self, source: &str, key: &str, since: DateTime<Utc>) -> String {
        let link = self.signer.sign(source, key, since, LASTING);
        format!("{}{link}", self.public_url)
    }

    /// The address of a photograph for others. One that the server keeps and that anybody may see
    /// needs no signature.
    pub fn photograph(&self, place: &Location) -> String {
        match place {
            Location::Folder { source, key, .. } | Location::Bucket { source, key } => {
                self.absolute(&format!("captures/{source}"), key)
            }
            Location::Kept { key, open: true } => {
                let path = utf8_percent_encode(key, ENCODED);
                format!("{}{}/{path}", self.public_url, self.signer.base)
            }
            Location::Kept { key, .. } => {
                let (folder, name) = key.split_once('/').unwrap_or(("", key));
                self.absolute(folder, name)
            }
            Location::Web { url } => url.clone(),
        }
    }

    /// Seals with the same key, for other things than links.
    pub fn sealer(&self) -> Sealer {
        Sealer::new(self.signer.key)
    }

    /// The address under which the server is reached, without a slash at its end.
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    /// Keeps secrets with the same key, for rows that must hold them.
    pub fn vault(&self) -> Vault {
        Vault::new(&self.signer.key)
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
    use proptest::prelude::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn signer() -> Signer {
        Signer::new([7; 32], "/media/")
    }

    fn opened(link: &str, now: DateTime<Utc>) -> Result<String, LinkError> {
        let (path, query) = link.split_once('?').ok_or(LinkError::Malformed)?;
        signer().open(path, query, now)
    }

    #[test]
    fn a_link_is_always_the_same_text() {
        // The signature as another implementation of HMAC-SHA-256 gives it.
        assert_eq!(
            signer().sign_until("captures/3", "2022/Nacht 1/ä#?%.jpg", 1_700_000_000),
            "/media/captures/3/2022/Nacht%201/%C3%A4%23%3F%25.jpg?expires=1700000000&signature=\
             7472df39cc941bb5ba6ae02cf64a44e9ad8bb09ef3160b07cf6d26f82738e235"
        );
    }

    #[test]
    fn a_link_ends() {
        let link = signer().sign_until("s", "k", 1_000_000);
        assert_eq!(opened(&link, at(1_000_000)).as_deref(), Ok("s/k"));
        assert_eq!(opened(&link, at(1_000_001)), Err(LinkError::Expired));
        let longer = link.replace("expires=1000000", "expires=2000000");
        assert_eq!(opened(&longer, at(0)), Err(LinkError::Invalid));
    }

    #[test]
    fn links_of_one_day_are_alike_and_last_long_enough() {
        let noon = 1_000_000 * DAY + DAY / 2;
        let sign = |now| signer().sign("s", "k", at(now), Duration::days(7));
        let link = sign(noon);
        assert_eq!(link, sign(noon + DAY / 2 - 1));
        assert_ne!(link, sign(noon + DAY / 2));
        let last = 1_000_008 * DAY;
        assert_eq!(opened(&link, at(last)).as_deref(), Ok("s/k"));
        assert_eq!(opened(&link, at(last + 1)), Err(LinkError::Expired));
    }

    #[test]
    fn what_is_no_link_is_malformed() {
        let signer = signer();
        for (path, query) in [
            ("/media/s/k", ""),
            ("/media/s/k", "expires=5"),
            ("/media/s/k", "signature=00&expires=5"),
            ("/media/s/k", "expires=soon&signature=00"),
            ("/media/s/k", "expires=99999999999999999999&signature=00"),
            ("/media/s/%ff", "expires=5&signature=00"),
            ("/mediaX/s/k", "expires=5&signature=00"),
            ("/other/s/k", "expires=5&signature=00"),
        ] {
            let got = signer.open(path, query, at(0));
            assert_eq!(got, Err(LinkError::Malformed), "{path}?{query}");
        }
        for signature in ["", "0", "zz", "00"] {
            let query = format!("expires=5&signature={signature}");
            let got = signer.open("/media/s/k", &query, at(0));
            assert_eq!(got, Err(LinkError::Invalid), "{query}");
        }
    }

    #[test]
    fn a_key_is_not_shown() {
        assert!(!format!("{:?}", signer()).contains('7'));
    }

    proptest! {
        #[test]
        fn links_show_the_key_they_were_made_for(key in any::<String>(), end in 1_i64..1 << 40) {
            let link = signer().sign_until("captures/3", &key, end);
            let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"/-_.~%?=&".contains(&b);
            prop_assert!(link.bytes().all(unreserved), "{}", link);
            prop_assert_eq!(opened(&link, at(end)), Ok(format!("captures/3/{key}")));
        }

        #[test]
        fn no_changed_link_shows_anything_else(
            key in "[a-zäж?#% /.]{1,12}",
            place in any::<prop::sample::Index>(),
            byte in 0x21_u8..0x7f,
        ) {
            let link = signer().sign_until("captures/3", &key, 1_000);
            let mut changed = link.clone().into_bytes();
            changed[place.index(link.len())] = byte;
            let changed = String::from_utf8(changed).unwrap();
            // Capital and small hexadecimal digits, and "a" and "%61", mean the same.
            match opened(&changed, at(0)) {
                Ok(name) => prop_assert_eq!(name, format!("captures/3/{key}"), "{}", changed),
                Err(error) => prop_assert!(error != LinkError::Expired),
            }
        }

        #[test]
        fn links_of_others_are_refused(key in ".{1,20}", other in any::<[u8; 32]>()) {
            prop_assume!(other != [7; 32]);
            let link = Signer::new(other, "/media").sign_until("captures/3", &key, 1_000);
            prop_assert_eq!(opened(&link, at(0)), Err(LinkError::Invalid));
        }
    }
}
