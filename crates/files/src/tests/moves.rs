//! Moves of files: from a folder into a bucket and back, cut off and given again, refused where the
//! target holds something else.

use bytes::Bytes;
use futures_util::StreamExt;

use super::s3::{S3, keys};
use crate::{Files, Home, Moved};

/// More than a page of a listing, and one file that is too large to be moved whole.
async fn filled(dir: &std::path::Path) -> (Home, Files) {
    let home: Home = dir.to_str().unwrap().parse().unwrap();
    let files = home.open(&keys()).await.unwrap();
    for i in 0..1050 {
        let key = format!("crops/{:02}/{i}.jpg", i % 100);
        files.put(&key, format!("crop {i}").into()).await.unwrap();
    }
    let large = Bytes::from(vec![7; 9 * 1024 * 1024]);
    files.put("exports/ü 1.zip", large).await.unwrap();
    files
        .put(".hidden", Bytes::from_static(b"stays"))
        .await
        .unwrap();
    (home, files)
}

async fn moved(from: &Files, to: &Files) -> Moved {
    from.move_to(to, "here", &mut |_| {}).await.unwrap()
}

async fn all(files: &Files) -> Vec<(String, Bytes)> {
    let mut all = Vec::new();
    for entry in files.list("", None, 10_000).await.unwrap() {
        let content = files.get(&entry.key).await.unwrap();
        all.push((entry.key, content));
    }
    all
}

#[tokio::test]
async fn nothing_is_lost_there_and_back() {
    let (here, back) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (_, files) = filled(here.path()).await;
    let s3 = S3::new().await;
    let bucket = s3.files("there").await;
    let there = moved(&files, &bucket).await;
    assert_eq!((there.files, there.copied, there.there), (1051, 1051, 1051));
    assert_eq!(there.bytes, there.there_bytes);
    let back = Files::local(back.path()).unwrap();
    moved(&bucket, &back).await;
    assert!(all(&files).await == all(&back).await);
    assert!(s3.parts().is_empty());
    // It has ended: what is there now is somebody's.
    let again = files
        .move_to(&bucket, "here", &mut |_| {})
        .await
        .unwrap_err();
    assert!(again.to_string().contains("it is not empty"), "{again}");
}

#[tokio::test]
async fn a_move_that_was_cut_off_goes_on() {
    let here = tempfile::tempdir().unwrap();
    let (_, files) = filled(here.path()).await;
    let s3 = S3::new().await;
    let bucket = s3.files("").await;
    let (from, to) = (files.clone(), bucket.clone());
    let cut = tokio::spawn(async move {
        from.move_to(&to, "here", &mut |_| panic!("cut off"))
            .await
            .map(drop)
    });
    assert!(cut.await.unwrap_err().is_panic());
    // Nobody works with half of it, and nobody takes it for a whole.
    let nowhere = tempfile::tempdir().unwrap();
    let nowhere = Files::local(nowhere.path()).unwrap();
    for half in [
        bucket.check_whole().await,
        bucket
            .move_to(&nowhere, "there", &mut |_| {})
            .await
            .map(drop),
    ] {
        let half = half.unwrap_err().to_string();
        assert!(
            half.contains("only the beginning of the files of here"),
            "{half}"
        );
    }
    let other = files
        .move_to(&bucket, "elsewhere", &mut |_| {})
        .await
        .unwrap_err();
    assert!(
        other.to_string().contains("beginning of the files of here"),
        "{other}"
    );
    // One was cut in the middle by other means, one has changed since.
    bucket
        .put("crops/00/0.jpg", Bytes::from_static(b"cro"))
        .await
        .unwrap();
    let rest = moved(&files, &bucket).await;
    assert_eq!(rest.copied, 52, "what was there is passed over");
    assert!(all(&files).await == all(&bucket).await);
    bucket.check_whole().await.unwrap();
}

#[tokio::test]
async fn what_somebody_keeps_is_left_alone() {
    let here = tempfile::tempdir().unwrap();
    let (_, files) = filled(here.path()).await;
    let s3 = S3::new().await;
    let bucket = s3.files("").await;
    let theirs = futures_util::stream::iter([Ok(Bytes::from_static(b"theirs"))]);
    bucket
        .put_stream("crops/00/0.jpg", theirs.boxed())
        .await
        .unwrap();
    let refused = files
        .move_to(&bucket, "here", &mut |_| {})
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("it is not empty"), "{refused}");
    assert_eq!(all(&bucket).await.len(), 1);
}
