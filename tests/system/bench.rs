//! The measurements as a person starts them, small: they end well only where all counts are exact.
//! No number that they print is looked at.

use crate::program::{hawkmoth, succeeds};

fn bench(arguments: &[&str]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let mut command = hawkmoth();
    command.arg("bench").args(arguments);
    let data = dir.path().join("data");
    let text = succeeds(command.arg("--data").arg(&data));
    assert!(!data.exists(), "what was made is removed");
    text
}

#[test]
fn workers_drain_a_job() {
    let drain = [
        "drain",
        "--images",
        "800",
        "--clients",
        "4",
        "--bare",
        "100",
    ];
    let text = bench(&drain);
    let exact = "SUCCESS: 800 saved, 0 failed, 800 detections, 800 classifications";
    assert!(text.contains(exact), "{text}");
    for what in ["end to end", "bare database", "tasks", "result"] {
        assert!(text.contains(what), "{text}");
    }
}

/// Photographs that cannot be loaded, answers that are lost, posts that come twice.
#[test]
fn a_worker_that_follows_the_contract_to_the_letter_ends_with_exact_counts() {
    let pull = [
        "pull",
        "--images",
        "400",
        "--broken",
        "10",
        "--lost",
        "30",
        "--batch",
        "7",
        "--idle",
        "2",
        "--pause-ms",
        "100",
    ];
    let text = bench(&pull);
    let figure = |what: &str| -> u64 {
        let line = text.lines().find(|line| line.starts_with(what)).unwrap();
        let mut numbers = line[what.len()..].split_whitespace();
        numbers.next().unwrap().parse().unwrap()
    };
    let broken = figure("failed to load");
    assert!(broken > 0 && text.contains("SUCCESS"), "{text}");
    let exact = format!("{} saved, {broken} failed", 400 - broken);
    assert!(text.contains(&exact), "{text}");
    assert_eq!(figure("images fetched"), 400);
    assert_eq!(figure("batches given up"), 0);
}

#[test]
fn a_folder_that_is_there_is_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    let output = hawkmoth()
        .args(["bench", "drain", "--images", "100", "--data"])
        .arg(dir.path())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("is there already"), "{text}");
    assert!(!output.status.success() && dir.path().exists());
}
