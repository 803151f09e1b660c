//! One suite for every place. Each check takes an empty place and leaves it empty.

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use std::io::{Read, Seek, Write};
use std::time::Duration;

use super::s3::S3;
use crate::{Files, FilesError, FilesResult, Home, Keys};

/// More than two parts of an upload, and not a round number of them.
const LARGE: usize = 17 * 1024 * 1024 + 5;

async fn all(files: &Files) {
    files.check().await.unwrap();
    what_is_put_can_be_had_and_deleted(files).await;
    what_is_put_again_is_the_new_one(files).await;
    what_is_missing_is_not_found(files).await;
    odd_names_are_names(files).await;
    what_is_no_key_is_denied(files).await;
    ranges_are_cut_at_the_end(files).await;
    listings_are_in_order_and_page_by_page(files).await;
    large_files_come_and_go_piece_by_piece(files).await;
    a_stream_that_breaks_leaves_nothing(files).await;
    an_unfinished_file_is_not_there(files).await;
    who_comes_back_late_keeps_nothing(files).await;
    assert_eq!(keys_of(files, "").await, [""; 0], "the place is left empty");
}

#[tokio::test]
async fn a_folder_conforms() {
    let dir = tempfile::tempdir().unwrap();
    let home: Home = dir
        .path()
        .join("new/folder")
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    let files = home.open(&Keys::default()).await.unwrap();
    all(&files).await;
    let grown = std::fs::read_dir(dir.path().join("new/folder/.unfinished")).unwrap();
    assert_eq!(grown.count(), 0, "nothing half-written is left");
}

#[tokio::test]
async fn a_bucket_conforms() {
    let s3 = S3::new().await;
    for prefix in ["", "some where/else"] {
        let files = s3.files(prefix).await;
        all(&files).await;
        let marks = s3.folder().join("moths").join(prefix).join(".unfinished");
        let left = || {
            let folders = std::fs::read_dir(&marks).unwrap();
            let inside = folders.map(|dir| std::fs::read_dir(dir.unwrap().path()).unwrap().count());
            inside.sum::<usize>() + s3.parts().len()
        };
        until("nothing half-written is left", || left() == 0).await;
    }
}

/// Waits for what is done beside the tests.
async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..500 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}: it does not come true");
}

pub async fn keys_of(files: &Files, prefix: &str) -> Vec<String> {
    let page = files.list(prefix, None, 1000).await.unwrap();
    page.into_iter().map(|entry| entry.key).collect()
}

async fn what_is_put_can_be_had_and_deleted(files: &Files) {
    assert!(!files.exists("x/y.jpg").await.unwrap());
    files
        .put("x/y.jpg", Bytes::from_static(b"moth"))
        .await
        .unwrap();
    assert!(files.exists("x/y.jpg").await.unwrap());
    assert_eq!(&files.get("x/y.jpg").await.unwrap()[..], b"moth");
    let head = files.head("x/y.jpg").await.unwrap();
    assert_eq!((head.key.as_str(), head.size), ("x/y.jpg", 4));
    let old = chrono::Utc::now() - head.last_modified;
    assert!(old.num_minutes().abs() < 5, "{old}");
    let listed = files.list("x", None, 9).await.unwrap();
    assert_eq!((listed[0].key.as_str(), listed[0].size), ("x/y.jpg", 4));
    files.put("empty", Bytes::new()).await.unwrap();
    assert_eq!(files.get("empty").await.unwrap().len(), 0);
    assert_eq!(files.get_stream("empty", None).await.unwrap().range, 0..0);
    for key in ["x/y.jpg", "empty"] {
        files.delete(key).await.unwrap();
        files.delete(key).await.unwrap();
        assert!(!files.exists(key).await.unwrap());
    }
}

async fn what_is_put_again_is_the_new_one(files: &Files) {
    for content in ["first and longer", "second"] {
        files.put("a", content.into()).await.unwrap();
        assert_eq!(files.get("a").await.unwrap(), content);
        assert_eq!(files.head("a").await.unwrap().size, content.len() as u64);
    }
    files.delete("a").await.unwrap();
}

async fn what_is_missing_is_not_found(files: &Files) {
    let missing =
        |done: FilesResult<()>| matches!(done, Err(FilesError::NotFound(k)) if k == "no/x");
    assert!(missing(files.get("no/x").await.map(drop)));
    assert!(missing(files.head("no/x").await.map(drop)));
    assert!(missing(files.get_stream("no/x", None).await.map(drop)));
    assert!(missing(
        files.get_stream("no/x", Some(0..1)).await.map(drop)
    ));
    match files.list("no", None, 9).await {
        Ok(listed) => assert!(listed.is_empty()),
        Err(error) => assert!(matches!(error, FilesError::NotFound(_)), "{error}"),
    }
}

async fn odd_names_are_names(files: &Files) {
    let mut odd = [
        "a b  c.jpg",
        "plus+and&equals=.jpg",
        "per%cent%20.jpg",
        "q?uestion#hash.jpg",
        "[x]{y}~^`|<z>\"'.jpg",
        "stars*;,:@!$().jpg",
        "ж ü 蛾 🦋.jpg",
        "deep/er/and/deeper",
        "ends with dot.",
        "-dash",
    ];
    for key in odd {
        files.put(key, Bytes::from(key)).await.unwrap();
    }
    odd.sort_unstable();
    assert_eq!(keys_of(files, "").await, odd);
    for key in odd {
        assert_eq!(files.get(key).await.unwrap(), key);
        let behind = files.list("", Some(key), 1).await.unwrap();
        assert!(behind.iter().all(|entry| entry.key.as_str() > key), "{key}");
        files.delete(key).await.unwrap();
        assert!(!files.exists(key).await.unwrap(), "{key}");
    }
}

async fn what_is_no_key_is_denied(files: &Files) {
    for key in [
        "", "/", "/a", "a/", "a//b", "../a", "a/../b", "./a", "a\\b", "a\0", "a#12",
    ] {
        let denied = |done: FilesResult<()>| matches!(done, Err(FilesError::Denied(_)));
        assert!(denied(files.get(key).await.map(drop)), "get {key:?}");
        assert!(denied(files.head(key).await.map(drop)), "head {key:?}");
        assert!(denied(files.put(key, Bytes::new()).await), "put {key:?}");
        assert!(denied(files.begin(key, 1).await.map(drop)), "begin {key:?}");
        assert!(denied(files.delete(key).await), "delete {key:?}");
    }
    assert!(matches!(
        files.walk("../a", None).await,
        Err(FilesError::Denied(_))
    ));
}

async fn ranges_are_cut_at_the_end(files: &Files) {
    files.put("r", Bytes::from_static(b"moths")).await.unwrap();
    assert_eq!(files.get_within("r", 5).await.unwrap(), "moths");
    let more = files.get_within("r", 4).await;
    assert!(matches!(more, Err(FilesError::Io(_))), "{more:?}");
    for (range, expected) in [
        (None, "moths"),
        (Some(0..1), "m"),
        (Some(2..4), "th"),
        (Some(2..100), "ths"),
    ] {
        let content = files.get_stream("r", range.clone()).await.unwrap();
        assert_eq!(
            content.range.end - content.range.start,
            expected.len() as u64
        );
        assert_eq!(content.entry.size, 5);
        let pieces: Vec<Bytes> = content.stream.try_collect().await.unwrap();
        assert_eq!(pieces.concat(), expected.as_bytes(), "{range:?}");
    }
    for range in [5..6, 2..2] {
        let none = files.get_stream("r", Some(range.clone())).await;
        assert!(matches!(none, Err(FilesError::Io(_))), "{range:?}");
    }
    files.delete("r").await.unwrap();
}

async fn listings_are_in_order_and_page_by_page(files: &Files) {
    // More than a page of the storage's own.
    let mut all: Vec<String> = (0..1100).map(|i| format!("many/{i:04}.jpg")).collect();
    all.extend(
        [
            "a-b.jpg",
            "a.jpg",
            "a/1.jpg",
            "a/2.jpg",
            "b.jpg",
            "c/d/e.jpg",
        ]
        .map(str::to_owned),
    );
    let hidden = [".hidden", "a/.hidden/x.jpg"];
    let puts = all.iter().map(String::as_str).chain(hidden);
    let puts = puts.map(|key| files.put(key, Bytes::from(key.to_owned())));
    let puts = stream::iter(puts).buffer_unordered(16);
    puts.try_for_each(|()| async { Ok(()) }).await.unwrap();
    all.sort();
    for size in [7, 1000] {
        let mut listing = files.walk("", None).await.unwrap();
        let mut walked = Vec::new();
        while let Some(page) = listing.next(size).await.unwrap() {
            assert!(page.len() <= size);
            walked.extend(page.into_iter().map(|entry| entry.key));
        }
        assert!(listing.next(size).await.unwrap().is_none(), "over is over");
        assert_eq!(walked, all);
    }
    assert_eq!(keys_of(files, "a").await, ["a/1.jpg", "a/2.jpg"]);
    assert_eq!(keys_of(files, "a/").await, ["a/1.jpg", "a/2.jpg"]);
    let after = files.list("", Some("a/1.jpg"), 2).await.unwrap();
    let after: Vec<String> = after.into_iter().map(|entry| entry.key).collect();
    assert_eq!(after, ["a/2.jpg", "b.jpg"]);
    assert_eq!(files.get(".hidden").await.unwrap(), ".hidden");
    let gone = all.iter().map(String::as_str).chain(hidden);
    let gone = stream::iter(gone.map(|key| files.delete(key))).buffer_unordered(16);
    gone.try_for_each(|()| async { Ok(()) }).await.unwrap();
}

/// Bytes of which no two parts are alike.
fn large() -> Bytes {
    let words = (0..LARGE as u64 / 8 + 1).flat_map(|i| i.wrapping_mul(0x9e37_79b9).to_le_bytes());
    words.take(LARGE).collect::<Vec<u8>>().into()
}

/// The bytes in pieces that fit nobody's parts.
fn pieces(content: &Bytes) -> Vec<FilesResult<Bytes>> {
    let pieces = content.chunks(300_001).map(Bytes::copy_from_slice);
    pieces.map(Ok).collect()
}

async fn large_files_come_and_go_piece_by_piece(files: &Files) {
    let content = large();
    let size = files
        .put_stream("large/file.zip", stream::iter(pieces(&content)))
        .await;
    assert_eq!(size.unwrap(), LARGE as u64);
    for range in [None, Some(0..9_000_000), Some(8_388_000..8_389_000)] {
        let wanted = range.clone().unwrap_or(0..LARGE as u64);
        let wanted = &content[wanted.start as usize..wanted.end as usize];
        let read = files.get_stream("large/file.zip", range).await.unwrap();
        assert_eq!(read.entry.size, LARGE as u64);
        let mut at = 0;
        let mut stream = read.stream;
        while let Some(piece) = stream.try_next().await.unwrap() {
            assert!(piece == wanted[at..at + piece.len()], "differs behind {at}");
            at += piece.len();
        }
        assert_eq!(at, wanted.len());
    }
    assert!(files.get("large/file.zip").await.unwrap() == content);
    files
        .put_stream(
            "large/file.zip",
            stream::iter([Ok(Bytes::from_static(b"small"))]),
        )
        .await
        .unwrap();
    assert_eq!(files.get("large/file.zip").await.unwrap(), "small");
    files.delete("large/file.zip").await.unwrap();
}

async fn a_stream_that_breaks_leaves_nothing(files: &Files) {
    for pieces_before in [1, 50] {
        let mut broken: Vec<_> = pieces(&large()).into_iter().take(pieces_before).collect();
        broken.push(Err(FilesError::Io("torn off".to_owned())));
        let error = files
            .put_stream("broken", stream::iter(broken))
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), "torn off");
        assert!(!files.exists("broken").await.unwrap());
    }
}

async fn an_unfinished_file_is_not_there(files: &Files) {
    let dropped = files.begin("a/b.csv", 1).await.unwrap();
    dropped.open().unwrap().write_all(b"half").unwrap();
    drop(dropped);
    assert!(!files.exists("a/b.csv").await.unwrap());

    let unfinished = files.begin("a/b.csv", 2).await.unwrap();
    // A run may begin its file again, and writers of archives go back in it.
    unfinished
        .open()
        .unwrap()
        .write_all(b"begun and longer")
        .unwrap();
    let mut file = unfinished.open().unwrap();
    file.write_all(b"....e").unwrap();
    file.rewind().unwrap();
    file.write_all(b"whol").unwrap();
    assert!(unfinished.folder().is_dir());
    assert!(!files.exists("a/b.csv").await.unwrap());
    assert_eq!(keys_of(files, "").await, [""; 0]);
    assert_eq!(unfinished.keep().await.unwrap(), 5);
    assert_eq!(files.get("a/b.csv").await.unwrap(), "whole");
    files.delete("a/b.csv").await.unwrap();

    let content = large();
    let unfinished = files.begin("large.zip", 3).await.unwrap();
    std::io::copy(
        &mut (&content[..]).take(LARGE as u64),
        &mut unfinished.open().unwrap(),
    )
    .unwrap();
    assert_eq!(unfinished.keep().await.unwrap(), LARGE as u64);
    assert!(files.get("large.zip").await.unwrap() == content);
    files.delete("large.zip").await.unwrap();
}

async fn who_comes_back_late_keeps_nothing(files: &Files) {
    let late = files.begin("late", 1).await.unwrap();
    let mut late_file = late.open().unwrap();
    let next = files.begin("late", 2).await.unwrap();
    next.open().unwrap().write_all(b"next").unwrap();
    late_file.write_all(b"late, and longer").unwrap();
    assert!(late.keep().await.is_err());
    next.keep().await.unwrap();
    assert_eq!(files.get("late").await.unwrap(), "next");
    files.delete("late").await.unwrap();
}
