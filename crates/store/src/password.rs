//! Password hashes: our own argon2, and those that Django wrote (`argon2$argon2id$…`,
//! `pbkdf2_sha256$…`), which are accepted and due for renewal. Hashing is slow and large by
//! design, so it runs apart from the threads that serve others, and few at once.

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pbkdf2::pbkdf2_hmac_array;
use sha2::Sha256;
use tokio::sync::Semaphore;

use crate::connection::{StoreError, StoreResult};

/// Django's argon2 takes 100 MB for one hash.
const AT_ONCE: usize = 4;
static TURNS: Semaphore = Semaphore::const_new(AT_ONCE);

/// What a password and a stored hash say of each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    Wrong,
    Right,
    /// Right, but stored as another program stores it.
    RightAndOld,
}

/// The hash of a password as it is stored.
pub(crate) async fn hashed(password: String) -> StoreResult<String> {
    apart(move || {
        let salt: [u8; 16] = rand::random();
        Argon2::default()
            .hash_password_with_salt(password.as_bytes(), &salt)
            .map(|hash| hash.to_string())
    })
    .await?
    .map_err(|error| StoreError::Unreadable(error.to_string()))
}

/// Whether the password fits the hash. Without a hash it costs the same and does not fit.
pub(crate) async fn checked(password: String, hash: Option<String>) -> StoreResult<Check> {
    // An account without a usable password looks, from outside, like no account.
    match hash.filter(|hash| usable(hash)) {
        Some(hash) => apart(move || check(&password, &hash)).await,
        None => hashed(password).await.map(|_| Check::Wrong),
    }
}

/// Whether any password could fit; Django marks accounts without one by "!".
pub(crate) fn usable(hash: &str) -> bool {
    !hash.is_empty() && !hash.starts_with('!')
}

fn check(password: &str, hash: &str) -> Check {
    let (fits, old) = if let Some(phc) = hash.strip_prefix("argon2$") {
        (fits_argon2(password, &format!("${phc}")), true)
    } else if let Some(rest) = hash.strip_prefix("pbkdf2_sha256$") {
        (fits_pbkdf2(password, rest).unwrap_or(false), true)
    } else {
        (fits_argon2(password, hash), false)
    };
    match (fits, old) {
        (false, _) => Check::Wrong,
        (true, false) => Check::Right,
        (true, true) => Check::RightAndOld,
    }
}

fn fits_argon2(password: &str, phc: &str) -> bool {
    let parsed = PasswordHash::new(phc);
    parsed.is_ok_and(|hash| {
        let verified = Argon2::default().verify_password(password.as_bytes(), &hash);
        verified.is_ok()
    })
}

/// `<iterations>$<salt>$<hash in Base64>`.
fn fits_pbkdf2(password: &str, rest: &str) -> Option<bool> {
    let mut parts = rest.splitn(3, '$');
    let iterations: u32 = parts.next()?.parse().ok()?;
    let (salt, stored) = (parts.next()?, parts.next()?);
    if iterations == 0 || iterations > MOST_ITERATIONS || salt.is_empty() {
        return None;
    }
    let made: [u8; 32] =
        pbkdf2_hmac_array::<Sha256, 32>(password.as_bytes(), salt.as_bytes(), iterations);
    let stored = STANDARD.decode(stored).ok()?;
    // All bytes are looked at, whichever differs first.
    let differing = made.iter().zip(&stored).fold(0, |d, (a, b)| d | (a ^ b));
    Some(made.len() == stored.len() && differing == 0)
}

/// Ten times what Django 5 uses; a larger number is a damaged row.
const MOST_ITERATIONS: u32 = 10_000_000;

async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> StoreResult<T> {
    let unreadable = |error: &dyn std::fmt::Display| StoreError::Unreadable(error.to_string());
    let _turn = TURNS.acquire().await.map_err(|e| unreadable(&e))?;
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|e| unreadable(&e))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Hashes as Django 4.2 wrote them.
    const BASIC: &str = "argon2$argon2id$v=19$m=102400,t=2,p=8$czljM1VqWE1WNzNvVXo4Wm1zUmY1Uw$\
                         xyPk1Tr0H6wWC/2mNGhVnNPzjOPj6borfHohdMwG4nc";
    const OWNER: &str = "argon2$argon2id$v=19$m=102400,t=2,p=8$bEdPQmVLaUZPSDNUTkk5eFBEY1FJMQ$\
                         PBT/0rYXBHQOoZbGGuwfpISqJ7mPhISZw4q72N8rXzg";
    /// `pbkdf2_sha256` of "lètmein" with the salt "seasalt", as Django's own tests have it.
    const LETMEIN: &str =
        "pbkdf2_sha256$320000$seasalt$Toj2II2rBvFiGQcPmUml1Nlni2UtvyRWwz/jz4q6q/4=";
    const LETMEIN_2: &str =
        "pbkdf2_sha256$600000$seasalt2$OSllgFdJjYQjb0RfMzrx8u0XYl4Fkt+wKpI1yq4lZlo=";

    #[test]
    fn hashes_of_django_are_accepted_and_old() {
        assert_eq!(check("pass-basic-1", BASIC), Check::RightAndOld);
        assert_eq!(check("pass-owner-1", OWNER), Check::RightAndOld);
        assert_eq!(check("pass-owner-1", BASIC), Check::Wrong);
        assert_eq!(check("lètmein", LETMEIN), Check::RightAndOld);
        assert_eq!(check("lètmein", LETMEIN_2), Check::RightAndOld);
        assert_eq!(check("letmein", LETMEIN), Check::Wrong);
    }

    #[test]
    fn unusable_and_damaged_hashes_fit_nothing() {
        for hash in [
            "",
            "!",
            "!bNRydYEqZxSMxt1a57JOWO0JOwDESEOLUQL0mxa7",
            "argon2$",
            "argon2$argon2id$v=19$m=102400,t=2,p=8$$",
            "pbkdf2_sha256$",
            "pbkdf2_sha256$0$salt$AAAA",
            "pbkdf2_sha256$4294967295$salt$AAAA",
            "pbkdf2_sha256$1$$AAAA",
            "pbkdf2_sha256$1$salt$",
            "md5$salt$0123",
        ] {
            for password in ["", "!", hash] {
                assert_eq!(check(password, hash), Check::Wrong, "{hash:?}");
            }
        }
    }

    #[tokio::test]
    async fn our_own_hashes_are_right() {
        let hash = hashed("secret".to_owned()).await.unwrap();
        let check = |word: &str| checked(word.to_owned(), Some(hash.clone()));
        assert_eq!(check("secret").await.unwrap(), Check::Right);
        assert_eq!(check("Secret").await.unwrap(), Check::Wrong);
        let nobody = checked("secret".to_owned(), None).await.unwrap();
        assert_eq!(nobody, Check::Wrong);
    }
}
