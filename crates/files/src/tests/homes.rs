//! Places as they are named in settings: what is wrong with one is said at once, in one sentence.

use bytes::Bytes;

use super::conformance::keys_of;
use super::s3::{S3, keys};
use crate::{Home, Keys};

#[tokio::test]
async fn prefixes_of_a_bucket_do_not_see_each_other() {
    let s3 = S3::new().await;
    let (one, two, whole) = (
        s3.files("a").await,
        s3.files("ab").await,
        s3.files("").await,
    );
    one.put("x", Bytes::from_static(b"1")).await.unwrap();
    two.put("y", Bytes::from_static(b"2")).await.unwrap();
    assert_eq!(keys_of(&one, "").await, ["x"]);
    assert_eq!(keys_of(&two, "").await, ["y"]);
    assert_eq!(keys_of(&whole, "").await, ["a/x", "ab/y"]);
}

#[tokio::test]
async fn what_is_wrong_with_a_bucket_is_said_at_once() {
    let s3 = S3::new().await;
    let wrong = |secret: &str| Keys {
        secret_key: Some(secret.to_owned()),
        ..keys()
    };
    let endpoint = &s3.endpoint;
    for (home, keys, words) in [
        (
            format!("s3://beetles/p?endpoint={endpoint}"),
            keys(),
            "does not exist",
        ),
        (
            format!("s3://moths/p?endpoint={endpoint}"),
            wrong("another"),
            "refuses these keys",
        ),
        (
            "s3://moths/p?endpoint=http://127.0.0.1:9".to_owned(),
            keys(),
            "cannot be reached at this address",
        ),
    ] {
        let error = home.parse::<Home>().unwrap().open(&keys).await;
        let error = error.unwrap_err().to_string();
        let start = "files cannot be kept in s3://";
        assert!(
            error.starts_with(start) && error.contains(words),
            "{home}: {error}"
        );
        assert!(
            !error.contains('\n') && !error.contains("another"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let home: Home = file.join("below").to_str().unwrap().parse().unwrap();
    let error = home.open(&Keys::default()).await.unwrap_err().to_string();
    assert!(error.starts_with("cannot make the folder"), "{error}");
}

#[test]
fn a_place_within_another_is_told() {
    let home = |text: &str| text.parse::<Home>().unwrap();
    for (inner, outer) in [
        ("s3://b/p", "s3://b"),
        ("s3://b/p/q", "s3://b/p"),
        ("s3://b/p", "s3://b/p"),
        ("/srv/moths/files/old", "/srv/moths/files"),
    ] {
        assert!(home(inner).is_within(&home(outer)), "{inner} {outer}");
    }
    for (one, other) in [
        ("s3://b", "s3://b/p"),
        ("s3://b/pq", "s3://b/p"),
        ("s3://c/p", "s3://b"),
        (
            "s3://b/p?endpoint=http://here",
            "s3://b?endpoint=http://there",
        ),
        ("/srv/moths/files2", "/srv/moths/files"),
        ("/srv/moths", "s3://b"),
    ] {
        assert!(!home(one).is_within(&home(other)), "{one} {other}");
    }
}

#[test]
fn keys_and_ports_do_not_stand_in_the_wrong_place() {
    for text in [
        "s3://b/p?endpoint=https://key:secret@host",
        "s3://host:9000/b",
    ] {
        let why = text.parse::<Home>().unwrap_err().to_string();
        assert!(!why.contains("secret@"), "{why}");
        assert!(why.contains("endpoint"), "{why}");
    }
}
