//! The program as a person starts it, and what it says. The idea: nothing of whoever runs the tests
//! reaches it, neither settings nor keys.

use std::process::{Command, Output};

/// What opens a bucket.
const KEYS: [&str; 3] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
];

/// The program without any setting.
pub fn hawkmoth() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hawkmoth"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("HAWKMOTH_")) {
        command.env_remove(name);
    }
    for name in KEYS {
        command.env_remove(name);
    }
    command
}

/// All that it said.
pub fn said(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8(text).unwrap()
}

/// What it said that did what it should.
pub fn succeeds(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", said(&output));
    said(&output)
}

/// The one line in which it said why it did not.
pub fn refused(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let all = said(&output);
    assert_eq!(output.status.code(), Some(1), "{command:?}: {all}");
    let why = String::from_utf8(output.stderr).unwrap();
    assert_eq!(why.trim_end().lines().count(), 1, "{command:?}: {all}");
    why
}
