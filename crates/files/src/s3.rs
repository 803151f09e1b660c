//! Buckets of S3-compatible storages: what lies in one, and addresses under which others fetch it
//! (`domain-rules.md` §3, §14). Here are sources, which are only read; the server's own files are
//! `place/bucket.rs`. An error keeps the storage's own code; its answer's other text is
//! not passed on, for anybody's server may stand behind an address.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{BoxStream, Fuse};
use futures_util::{StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::signer::Signer as _;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt as _, RetryConfig};
use outgoing::{Reach, Redirects, Refused};
use reqwest::Method;
use url::Url;

use crate::Entry;
use crate::guarded::Guarded;
use crate::source::first;

/// How a storage is asked: for how long, and wherever it may be.
pub(crate) struct Asking {
    /// Where requests may go.
    pub reach: Reach,
    /// How often a request is tried again.
    pub retries: usize,
    /// How long one request may take.
    pub request: Duration,
    /// After this long it is not tried again.
    pub altogether: Duration,
}

impl Asking {
    /// The storage of others, whose address people enter.
    fn others() -> Asking {
        Asking {
            reach: Reach::of_process(),
            retries: 1,
            request: Duration::from_secs(20),
            altogether: Duration::from_secs(20),
        }
    }
}

/// Where a bucket is and how it opens.
#[derive(Clone, Default)]
pub struct BucketAddress {
    /// Address of the storage; none means Amazon's.
    pub endpoint: Option<String>,
    /// Name of the bucket.
    pub bucket: String,
    /// Region, where it matters.
    pub region: Option<String>,
    /// Name of the key; empty for an open bucket.
    pub access_key: String,
    /// The key.
    pub secret_key: String,
    /// What makes a key that is good for a while complete.
    pub session_token: Option<String>,
}

impl std::fmt::Debug for BucketAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BucketAddress")
            .field("endpoint", &self.endpoint)
            .field("bucket", &self.bucket)
            .finish_non_exhaustive()
    }
}

/// Why a bucket gives nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BucketError {
    /// A word for programs, such as `NoSuchBucket`.
    pub code: String,
    /// A sentence for people.
    pub message: String,
}

/// A bucket.
#[derive(Debug)]
pub struct Bucket(AmazonS3);

impl Bucket {
    /// Makes ready to ask; nothing is asked yet.
    ///
    /// # Errors
    /// [`BucketError`] where the address is none.
    pub fn open(address: &BucketAddress) -> Result<Bucket, BucketError> {
        connect(address, &Asking::others()).map(Bucket)
    }

    /// Begins a listing of the objects below a prefix, after the key `after`.
    ///
    /// # Errors
    /// [`BucketError`] where the prefix is none.
    pub fn pages(&self, prefix: &str, after: Option<&str>) -> Result<BucketPages, BucketError> {
        let prefix = exactly(prefix)?;
        let prefix = (!prefix.is_root()).then_some(prefix);
        let objects = match after {
            Some(after) => self.0.list_with_offset(prefix.as_ref(), &exactly(after)?),
            None => self.0.list(prefix.as_ref()),
        };
        Ok(BucketPages(objects.fuse()))
    }

    /// The first bytes of an object, at most so many. No range is asked for, since not every
    /// storage knows them: the rest is not read.
    ///
    /// # Errors
    /// [`BucketError`].
    pub async fn head_of(&self, key: &str, most: u64) -> Result<Bytes, BucketError> {
        let found = self.0.get(&exactly(key)?).await;
        let found = found.map_err(|e| explain(&e))?;
        let pieces = found.into_stream().map_err(|e| explain(&e));
        first(pieces, most).await
    }

    /// The whole of an object, of at most so many bytes.
    ///
    /// # Errors
    /// [`BucketError`], with the code `TooLarge` where it has more; these are not read.
    pub async fn get(&self, key: &str, most: u64) -> Result<Bytes, BucketError> {
        let found = self.0.get(&exactly(key)?).await;
        let found = found.map_err(|e| explain(&e))?;
        let size = found.meta.size;
        let mut whole = Bytes::new();
        if size <= most {
            let pieces = found.into_stream().map_err(|e| explain(&e));
            // Whatever it says of its size: one more than may be read tells that it has more.
            whole = first(pieces, most.saturating_add(1)).await?;
        }
        if size.max(whole.len() as u64) > most {
            return Err(BucketError {
                code: "TooLarge".to_owned(),
                message: format!("It has more than {} MiB.", most >> 20),
            });
        }
        Ok(whole)
    }

    /// An address under which anybody may fetch an object for a while.
    ///
    /// # Errors
    /// [`BucketError`].
    pub async fn presigned(&self, key: &str, good_for: Duration) -> Result<Url, BucketError> {
        let key = exactly(key)?;
        let signed = self.0.signed_url(Method::GET, &key, good_for).await;
        signed.map_err(|e| explain(&e))
    }
}

/// A client of a bucket. Its address stands in the path, which every storage understands, not in the
/// name of the host.
pub(crate) fn connect(address: &BucketAddress, asking: &Asking) -> Result<AmazonS3, BucketError> {
    let retries = RetryConfig {
        max_retries: asking.retries,
        retry_timeout: asking.altogether,
        ..RetryConfig::default()
    };
    let client = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(5))
        .timeout(asking.request);
    let client = outgoing::Client::within(asking.reach, client, Redirects::Follow);
    let client = client.map_err(|e| explain(&e))?;
    let region = address.region.as_deref().unwrap_or("us-east-1");
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&address.bucket)
        .with_region(region)
        .with_retry(retries)
        // Not every storage can delete many objects with one request.
        .with_disable_bulk_delete(true)
        .with_allow_http(true)
        .with_http_connector(Guarded(client));
    if let Some(endpoint) = &address.endpoint {
        builder = builder.with_endpoint(endpoint.trim_end_matches('/'));
    }
    builder = if address.access_key.is_empty() {
        builder.with_skip_signature(true)
    } else {
        builder
            .with_access_key_id(&address.access_key)
            .with_secret_access_key(&address.secret_key)
    };
    if let Some(token) = &address.session_token {
        builder = builder.with_token(token);
    }
    builder.build().map_err(|e| explain(&e))
}

/// A key, or the beginning of keys, exactly as it was listed: nothing in it is encoded.
fn exactly(key: &str) -> Result<Path, BucketError> {
    Path::parse(key.trim_matches('/')).map_err(|_| BucketError {
        code: "InvalidPath".to_owned(),
        message: format!("{key:?} is no path of an object that can be asked for."),
    })
}

/// A listing of a bucket, read page by page; the storage's own pages are fetched as they are
/// needed, and none is kept.
pub struct BucketPages(Fuse<BoxStream<'static, object_store::Result<ObjectMeta>>>);

impl BucketPages {
    /// The next objects, at most so many; `None` when there are no more.
    ///
    /// # Errors
    /// [`BucketError`].
    pub async fn next(&mut self, limit: usize) -> Result<Option<Vec<Entry>>, BucketError> {
        let mut page = Vec::new();
        while page.len() < limit {
            let next = self.0.try_next().await.map_err(|e| explain(&e))?;
            let Some(meta) = next else { break };
            page.push(Entry {
                key: meta.location.to_string(),
                size: meta.size,
                last_modified: meta.last_modified,
                etag: meta.e_tag,
            });
        }
        Ok((!page.is_empty()).then_some(page))
    }
}

/// The storage's own code and message, else a sentence of ours.
pub(crate) fn explain(error: &(dyn Error + 'static)) -> BucketError {
    if let Some(refused) = Refused::behind(error) {
        return BucketError {
            code: "AddressRefused".to_owned(),
            message: refused.to_string(),
        };
    }
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push('\n');
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    let (code, message) = match (between(&text, "Code"), between(&text, "Message")) {
        (Some("NoSuchKey" | "AccessDenied"), message) => ("InvalidCredentials", message),
        (Some(code), message) => (code, message),
        (None, _) if text.contains(" 403 ") => ("InvalidCredentials", None),
        (None, _) if text.contains(" 404 ") => ("NoSuchBucket", None),
        (None, _) => ("ConnectionError", None),
    };
    let own = match code {
        "InvalidCredentials" | "SignatureDoesNotMatch" | "InvalidAccessKeyId" | "NotSignedUp" => {
            "The storage refuses these keys, or they may not list the bucket."
        }
        "NoSuchBucket" => "The bucket does not exist.",
        "ConnectionError" => "The storage cannot be reached at this address.",
        _ => "The storage answered with an error.",
    };
    BucketError {
        code: code.to_owned(),
        message: message.filter(|m| !m.is_empty()).unwrap_or(own).to_owned(),
    }
}

/// What stands in an element of the storage's answer.
fn between<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (value, _) = rest.split_once(&format!("</{name}>"))?;
    Some(value.trim())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use wiremock::matchers::{method, path, query_param};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    const LISTING: &str = "<ListBucketResult><Name>b</Name><IsTruncated>false</IsTruncated>\
        <Contents><Key>p/a.txt</Key><LastModified>2024-06-01T00:00:00.000Z</LastModified>\
        <ETag>\"1\"</ETag><Size>3</Size></Contents>\
        <Contents><Key>p/b.jpg</Key><LastModified>2024-06-01T00:00:00.000Z</LastModified>\
        <ETag>\"2\"</ETag><Size>4</Size></Contents></ListBucketResult>";

    fn bucket(endpoint: &str) -> Bucket {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let address = BucketAddress {
            endpoint: Some(endpoint.to_owned()),
            bucket: "b".to_owned(),
            access_key: "key".to_owned(),
            secret_key: "secret".to_owned(),
            ..BucketAddress::default()
        };
        assert!(!format!("{address:?}").contains("secret"));
        Bucket::open(&address).unwrap()
    }

    #[tokio::test]
    async fn objects_are_listed_page_by_page() {
        let server = MockServer::start().await;
        Mock::given(method("GET"))
            .and(path("/b"))
            .and(query_param("prefix", "p/"))
            .respond_with(ResponseTemplate::new(200).set_body_string(LISTING))
            .mount(&server)
            .await;
        let bucket = bucket(&server.uri());
        let mut pages = bucket.pages("/p/", None).unwrap();
        let keys = |page: Vec<Entry>| -> Vec<String> { page.into_iter().map(|e| e.key).collect() };
        assert_eq!(keys(pages.next(1).await.unwrap().unwrap()), ["p/a.txt"]);
        assert_eq!(keys(pages.next(9).await.unwrap().unwrap()), ["p/b.jpg"]);
        assert_eq!(pages.next(9).await.unwrap(), None);
        let signed = bucket.presigned("p/b.jpg", Duration::from_secs(60)).await;
        let signed = signed.unwrap().to_string();
        assert!(signed.contains("/b/p/b.jpg?X-Amz-"), "{signed}");
        assert!(!signed.contains("secret"), "{signed}");
    }

    #[tokio::test]
    async fn an_object_is_asked_for_by_the_name_that_it_has() {
        let server = MockServer::start().await;
        Mock::given(method("GET"))
            .and(path("/b/p/a%5B1%5D%20~%25.jpg"))
            .respond_with(ResponseTemplate::new(200).set_body_string("a"))
            .mount(&server)
            .await;
        let got = bucket(&server.uri()).get("p/a[1] ~%.jpg", 9).await;
        assert_eq!(&got.unwrap()[..], b"a");
    }

    #[tokio::test]
    async fn of_an_object_that_is_too_large_nothing_is_kept() {
        let server = MockServer::start().await;
        Mock::given(method("GET"))
            .respond_with(ResponseTemplate::new(200).set_body_bytes(vec![0; 3 << 20]))
            .mount(&server)
            .await;
        let bucket = bucket(&server.uri());
        let error = bucket.get("p/a.tif", (3 << 20) - 1).await.unwrap_err();
        assert_eq!(
            (error.code.as_str(), error.message.as_str()),
            ("TooLarge", "It has more than 2 MiB.")
        );
        let whole = bucket.get("p/a.tif", 3 << 20).await;
        assert_eq!(whole.unwrap().len(), 3 << 20);
    }

    #[tokio::test]
    async fn errors_carry_the_code_of_the_storage() {
        let server = MockServer::start().await;
        for (status, body, code, message) in [
            (
                404,
                "<Error><Code>NoSuchBucket</Code><Message>Gone</Message></Error>",
                "NoSuchBucket",
                "Gone",
            ),
            (
                403,
                "<Error><Code>AccessDenied</Code><Message>No</Message></Error>",
                "InvalidCredentials",
                "No",
            ),
            (
                403,
                "inner secrets of another server",
                "InvalidCredentials",
                "The storage refuses these keys, or they may not list the bucket.",
            ),
        ] {
            server.reset().await;
            Mock::given(method("GET"))
                .respond_with(ResponseTemplate::new(status).set_body_string(body))
                .mount(&server)
                .await;
            let error = bucket(&server.uri()).pages("", None).unwrap().next(1).await;
            let error = error.unwrap_err();
            assert_eq!(
                (error.code.as_str(), error.message.as_str()),
                (code, message)
            );
        }
        let forbidden = bucket("http://169.254.169.254")
            .pages("", None)
            .unwrap()
            .next(1)
            .await;
        let error = forbidden.unwrap_err();
        assert_eq!(error.code, "AddressRefused");
        assert!(error.message.contains("169.254.169.254"), "{error}");
        let mut nobody = bucket("http://127.0.0.1:9").pages("", None).unwrap();
        let nobody = nobody.next(1).await;
        assert_eq!(nobody.unwrap_err().code, "ConnectionError");
    }
}
