//! The secret key of an installation: given by the person, or made at the first start and kept
//! in a file that only its owner can read. Two processes that start at once agree on one.

use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::{FilesError, FilesResult};

/// Reads a key of 64 hexadecimal digits; `None` when it is none.
pub fn parse_key(hex_digits: &str) -> Option<[u8; 32]> {
    hex::decode(hex_digits.trim()).ok()?.try_into().ok()
}

/// Reads the key file; `None` where there is none.
///
/// # Errors
/// [`FilesError::Io`] where the file cannot be read or holds no key.
pub fn load_key(file: &Path) -> FilesResult<Option<[u8; 32]>> {
    match std::fs::read_to_string(file) {
        Ok(text) => {
            let key = parse_key(&text);
            key.map(Some).ok_or_else(|| failed(file, "it holds no key"))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(file, error)),
    }
}

/// A word that tells one key from another and nothing else of it.
pub fn fingerprint(key: &[u8; 32]) -> String {
    let mut digest = Sha256::new_with_prefix("Hawkmoth's fingerprint of a key");
    digest.update(key);
    hex::encode(&digest.finalize()[..8])
}

/// Reads the key file, making it with a new key where there is none.
///
/// # Errors
/// [`FilesError::Io`] where the file cannot be read or made, or holds no key.
pub fn load_or_create_key(file: &Path) -> FilesResult<[u8; 32]> {
    match load_key(file)? {
        Some(key) => Ok(key),
        None => create(file),
    }
}

fn create(file: &Path) -> FilesResult<[u8; 32]> {
    let half = file.with_extension(format!("part-{:016x}", rand::random::<u64>()));
    let made = write_private(&half, &hex::encode(rand::random::<[u8; 32]>()))
        // A link, not a rename: it fails where another process was faster.
        .and_then(|()| std::fs::hard_link(&half, file));
    let cleaned = std::fs::remove_file(&half);
    match made {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(failed(file, error)),
        _ => cleaned.map_err(|e| failed(&half, e))?,
    }
    let text = std::fs::read_to_string(file).map_err(|e| failed(file, e))?;
    parse_key(&text).ok_or_else(|| failed(file, "it holds no key"))
}

fn failed(file: &Path, why: impl Display) -> FilesError {
    FilesError::Io(format!("the key file {}: {why}", file.display()))
}

fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(file)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn the_key_stays_the_same_and_private() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("secret.key");
        let keys: Vec<[u8; 32]> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| load_or_create_key(&file).unwrap()))
                .collect();
            starts.into_iter().map(|s| s.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|k| *k == keys[0]), "all agree on one key");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        assert_eq!(parse_key("abc"), None);
        assert_eq!(parse_key(&"zz".repeat(32)), None);
        assert!(parse_key(&"0a".repeat(32)).is_some());
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("secret.key");
        std::fs::write(&file, "nonsense").unwrap();
        let error = load_or_create_key(&file).unwrap_err().to_string();
        let name = file.display();
        assert_eq!(error, format!("the key file {name}: it holds no key"));
        let nowhere = dir.path().join("none").join("secret.key");
        assert!(load_or_create_key(&nowhere).is_err());
    }
}
