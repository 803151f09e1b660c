//! Where an installation keeps its files: a folder, or a bucket with a prefix, as one text that
//! people write into settings. Keys never stand in it, so it may be shown and logged.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use url::Url;

use crate::place::bucket::BucketFolder;
use crate::place::local::LocalFolder;
use crate::place::sound;
use crate::s3::BucketAddress;
use crate::{Files, FilesError, FilesResult};

/// A folder, or `s3://bucket/prefix?endpoint=…&region=…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Home {
    /// A folder of this machine, or one that several machines share.
    Folder(PathBuf),
    /// A bucket.
    Bucket(BucketHome),
}

/// A bucket that an installation keeps its files in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketHome {
    bucket: String,
    prefix: String,
    endpoint: Option<String>,
    region: Option<String>,
}

/// What opens a bucket.
#[derive(Clone, Default)]
pub struct Keys {
    /// Name of the key.
    pub access_key: Option<String>,
    /// The key.
    pub secret_key: Option<String>,
    /// What makes a key that is good for a while complete.
    pub session_token: Option<String>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

/// Why a text names no home; a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoHome(String);

impl Home {
    /// Whether this is the other place, or lies in it.
    pub fn is_within(&self, other: &Home) -> bool {
        match (self, other) {
            (Home::Folder(own), Home::Folder(outer)) => {
                // A folder that is not there yet is named as it will be.
                let real = |path: &PathBuf| {
                    let found = path.canonicalize();
                    found.or_else(|_| std::path::absolute(path))
                };
                match (real(own), real(outer)) {
                    (Ok(own), Ok(outer)) => own.starts_with(outer),
                    _ => false,
                }
            }
            (Home::Bucket(own), Home::Bucket(outer)) => {
                let below = PathBuf::from(&own.prefix).starts_with(&outer.prefix);
                own.bucket == outer.bucket && own.endpoint == outer.endpoint && below
            }
            _ => false,
        }
    }
}

impl FromStr for Home {
    type Err = NoHome;

    fn from_str(text: &str) -> Result<Home, NoHome> {
        if text.starts_with("s3://") {
            return bucket(text).map(Home::Bucket);
        }
        match text.split_once("://") {
            Some((kind, _)) => Err(NoHome(format!(
                "files cannot be kept at {kind}://: use a folder, or s3://bucket/prefix?endpoint=…"
            ))),
            None if text.is_empty() => Err(NoHome("a folder has a name".to_owned())),
            None => Ok(Home::Folder(PathBuf::from(text))),
        }
    }
}

fn bucket(text: &str) -> Result<BucketHome, NoHome> {
    let none = |why: &str| {
        NoHome(format!(
            "{why}: it is s3://bucket/prefix?endpoint=…&region=…"
        ))
    };
    let url = Url::parse(text).map_err(|_| none("this is no address of a bucket"))?;
    if !url.username().is_empty() || url.password().is_some() {
        // The text itself is not repeated: it holds a secret.
        return Err(none(
            "keys do not belong into the address but into AWS_ACCESS_KEY_ID and \
             AWS_SECRET_ACCESS_KEY",
        ));
    }
    if url.port().is_some() {
        return Err(none("a port belongs into the endpoint"));
    }
    let host = url.host_str().filter(|host| !host.is_empty());
    let mut home = BucketHome {
        bucket: host
            .ok_or_else(|| none("the bucket has no name"))?
            .to_owned(),
        prefix: decoded(url.path()).ok_or_else(|| none("the prefix is not text"))?,
        endpoint: None,
        region: None,
    };
    if !home.prefix.is_empty() && sound(&home.prefix).is_err() {
        return Err(none("the prefix is no path"));
    }
    for (name, value) in url.query_pairs() {
        match &*name {
            "endpoint" => {
                let address = Url::parse(&value).ok();
                let bare = |a: &Url| a.username().is_empty() && a.password().is_none();
                if !address.as_ref().is_none_or(bare) {
                    return Err(none("keys do not belong into the endpoint"));
                }
                let web = address.is_some_and(|a| matches!(a.scheme(), "http" | "https"));
                if !web {
                    return Err(none("the endpoint is an address with http:// or https://"));
                }
                home.endpoint = Some(value.trim_end_matches('/').to_owned());
            }
            "region" if !value.is_empty() => home.region = Some(value.into_owned()),
            _ => return Err(none(&format!("there is no \"{name}\" of a bucket"))),
        }
    }
    Ok(home)
}

/// A path of an address as a key, without slashes around it.
fn decoded(path: &str) -> Option<String> {
    let path = percent_encoding::percent_decode_str(path.trim_matches('/'));
    Some(path.decode_utf8().ok()?.into_owned())
}

impl fmt::Display for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Home::Folder(folder) => write!(f, "{}", folder.display()),
            Home::Bucket(home) => {
                write!(f, "s3://{}/{}", home.bucket, home.prefix)?;
                match &home.endpoint {
                    Some(endpoint) => write!(f, " at {endpoint}"),
                    None => Ok(()),
                }
            }
        }
    }
}

impl Home {
    /// The files that are kept there. A folder is made where it is missing, a bucket is not.
    ///
    /// # Errors
    /// [`FilesError::Io`] with a sentence where there are no keys, the storage refuses them, the
    /// bucket does not exist, or the folder cannot be made.
    pub async fn open(&self, keys: &Keys) -> FilesResult<Files> {
        if let Home::Folder(folder) = self {
            std::fs::create_dir_all(folder).map_err(|error| {
                let folder = folder.display();
                FilesError::Io(format!("cannot make the folder {folder}: {error}"))
            })?;
        }
        let files = self.place(keys)?;
        match files.check().await {
            Ok(()) => Ok(files),
            Err(error) => {
                let why = format!("files cannot be kept in {self}: {error}");
                Err(FilesError::Io(why))
            }
        }
    }

    /// The files that are kept there, which are only read.
    ///
    /// # Errors
    /// As [`Home::open`], and where there is no such folder.
    pub async fn open_to_read(&self, keys: &Keys) -> FilesResult<Files> {
        let files = self.place(keys)?;
        match files.list("", None, 1).await {
            Ok(_) => Ok(files),
            Err(error) => {
                let why = format!("files cannot be read from {self}: {error}");
                Err(FilesError::Io(why))
            }
        }
    }

    fn place(&self, keys: &Keys) -> FilesResult<Files> {
        Ok(match self {
            Home::Folder(folder) => Files::of(LocalFolder::open(folder)?),
            Home::Bucket(home) => Files::of(home.folder(keys)?),
        })
    }
}

impl BucketHome {
    fn folder(&self, keys: &Keys) -> FilesResult<BucketFolder> {
        let given = |key: &Option<String>| key.clone().filter(|key| !key.is_empty());
        let (Some(access_key), Some(secret_key)) =
            (given(&keys.access_key), given(&keys.secret_key))
        else {
            return Err(FilesError::Io(format!(
                "the bucket {} needs a key: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
                self.bucket
            )));
        };
        let address = BucketAddress {
            endpoint: self.endpoint.clone(),
            bucket: self.bucket.clone(),
            region: self.region.clone(),
            access_key,
            secret_key,
            session_token: given(&keys.session_token),
        };
        BucketFolder::open(&address, &self.prefix)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn buckets_and_folders_are_told_apart() {
        let home = |text: &str| text.parse::<Home>().unwrap();
        assert_eq!(home("./files"), Home::Folder("./files".into()));
        assert_eq!(home("/srv/a b"), Home::Folder("/srv/a b".into()));
        let whole = "s3://moths/some/where%20else/?endpoint=http://minio:9000/&region=eu-1";
        assert_eq!(
            home(whole),
            Home::Bucket(BucketHome {
                bucket: "moths".to_owned(),
                prefix: "some/where else".to_owned(),
                endpoint: Some("http://minio:9000".to_owned()),
                region: Some("eu-1".to_owned()),
            })
        );
        assert_eq!(
            home(whole).to_string(),
            "s3://moths/some/where else at http://minio:9000"
        );
        assert_eq!(home("s3://moths").to_string(), "s3://moths/");
    }

    #[test]
    fn what_is_no_home_is_said_without_secrets() {
        for (text, words) in [
            ("", "a folder has a name"),
            ("gs://b/p", "files cannot be kept at gs://"),
            ("s3://", "the bucket has no name"),
            ("s3:///p", "the bucket has no name"),
            ("s3://b/a//b", "the prefix is no path"),
            ("s3://b/p?endpoint=minio:9000", "with http:// or https://"),
            ("s3://b/p?endpint=http://x", "no \"endpint\" of a bucket"),
            ("s3://b/p?region=", "no \"region\" of a bucket"),
            ("s3://key:secret@b/p", "keys do not belong"),
        ] {
            let error = text.parse::<Home>().unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
            assert!(!error.contains("secret@"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_bucket_without_keys_is_refused() {
        let home: Home = "s3://moths/p".parse().unwrap();
        let half = Keys {
            access_key: Some("a".to_owned()),
            secret_key: Some(String::new()),
            session_token: None,
        };
        for keys in [Keys::default(), half] {
            let error = home.open(&keys).await.unwrap_err().to_string();
            assert!(error.contains("set AWS_ACCESS_KEY_ID"), "{error}");
        }
    }
}
