//! The program as a person starts it: every command on a folder that does not exist yet, and
//! one clear sentence when something is wrong.

use std::path::Path;
use std::process::Command;

use crate::program::{self, refused, said};

fn hawkmoth(data: &Path) -> Command {
    let mut command = program::hawkmoth();
    command.env("HAWKMOTH_DATA", data);
    command
}

#[test]
fn people_are_made_on_a_new_folder() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("new/folder");
    let create = |email: &str| {
        hawkmoth(&data)
            .args([
                "user",
                "create",
                "--email",
                email,
                "--password",
                "x",
                "--superuser",
            ])
            .output()
            .unwrap()
    };
    let made = create("a@example.org");
    assert!(made.status.success(), "{}", said(&made));
    let again = create("A@example.org");
    assert_eq!(again.status.code(), Some(1));
    assert!(said(&again).contains("exists already"), "{}", said(&again));
    let token = hawkmoth(&data)
        .args(["user", "token", "--email", "a@example.org"])
        .output()
        .unwrap();
    assert_eq!(said(&token).trim().len(), 40);
    let nobody = hawkmoth(&data)
        .args(["user", "token", "--email", "b@example.org"])
        .output()
        .unwrap();
    assert!(said(&nobody).contains("there is no user b@example.org"));
}

#[test]
fn settings_of_nats_that_cannot_be_used_are_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    for command in ["serve", "web", "work"] {
        for (url, prefix, why) in [
            (
                "nats://bob:secret@127.0.0.1:port",
                "moth",
                "nats://bob@127.0.0.1:port is no address of a NATS server",
            ),
            (
                "nats://127.0.0.1:1",
                "a.b",
                "the prefix \"a.b\" may hold letters",
            ),
        ] {
            let mut program = hawkmoth(&dir.path().join("d"));
            program
                .arg(command)
                .args(["--nats-url", url, "--nats-prefix", prefix]);
            if command != "work" {
                program.args(["--bind", "127.0.0.1:0"]);
            }
            let output = program.output().unwrap();
            assert_eq!(output.status.code(), Some(1), "{}", said(&output));
            assert!(said(&output).contains(why), "{}", said(&output));
            assert!(!said(&output).contains("secret"), "{}", said(&output));
        }
    }
}

#[test]
fn migrating_twice_is_harmless() {
    let dir = tempfile::tempdir().unwrap();
    let first = hawkmoth(&dir.path().join("d"))
        .arg("migrate")
        .output()
        .unwrap();
    assert!(
        first.status.success() && said(&first).starts_with("Applied "),
        "{}",
        said(&first)
    );
    let second = hawkmoth(&dir.path().join("d"))
        .arg("migrate")
        .output()
        .unwrap();
    assert_eq!(said(&second), "The database is up to date.\n");
}

#[test]
fn a_time_zone_must_exist() {
    let dir = tempfile::tempdir().unwrap();
    for command in ["serve", "web", "work", "demo"] {
        let output = hawkmoth(&dir.path().join("d"))
            .args([command, "--time-zone", "Mars/Olympus"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(
            said(&output),
            "hawkmoth: \"Mars/Olympus\" is not a time zone: use a name of the IANA database, \
             such as UTC or Europe/Berlin\n"
        );
    }
}

#[test]
fn what_is_wrong_is_said_in_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().to_string();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let data = dir.path().join("data");
    let cases: [(&Path, &[&str], &str); 6] = [
        (&data, &["serve", "--bind", &port], "is in use"),
        (
            &data,
            &["serve", "--database-url", "mysql://x/y"],
            "unknown kind of database",
        ),
        (
            &data,
            &["web", "--database-url", "postgres://x@127.0.0.1:1/y"],
            "cannot open the database",
        ),
        (&file, &["serve"], "cannot make the data folder"),
        (
            &data,
            &[
                "demo",
                "--bind",
                "127.0.0.1:0",
                "--captures",
                "/no/such/folder",
            ],
            "cannot read the folder /no/such/folder",
        ),
        (&data, &["detector", "--bind", &port], "is in use"),
    ];
    for (data, arguments, words) in cases {
        let text = refused(hawkmoth(data).args(arguments));
        assert!(text.contains(words), "{arguments:?}: {text}");
        assert!(!text.contains("panicked"));
    }
}

#[test]
fn every_command_explains_itself() {
    let dir = tempfile::tempdir().unwrap();
    for command in [
        vec![],
        vec!["demo"],
        vec!["serve"],
        vec!["web"],
        vec!["work"],
        vec!["health"],
        vec!["migrate"],
        vec!["copy"],
        vec!["import", "antenna"],
        vec!["user", "create"],
        vec!["user", "token"],
        vec!["jobs"],
        vec!["jobs", "list"],
        vec!["jobs", "show"],
        vec!["jobs", "create"],
        vec!["jobs", "run"],
        vec!["jobs", "watch"],
        vec!["jobs", "cancel"],
        vec!["jobs", "retry"],
        vec!["jobs", "logs"],
        vec!["jobs", "failures"],
        vec!["captures", "sync"],
        vec!["export"],
        vec!["tokens", "list"],
        vec!["tokens", "create"],
        vec!["tokens", "revoke"],
        vec!["login"],
        vec!["logout"],
        vec!["completions"],
        vec!["man"],
        vec!["detector"],
        vec!["detector", "evaluate"],
        vec!["detector", "preview"],
    ] {
        let output = hawkmoth(dir.path())
            .args(&command)
            .arg("--help")
            .output()
            .unwrap();
        let text = said(&output);
        assert!(
            output.status.success() && text.contains("Usage: hawkmoth"),
            "{command:?}"
        );
        assert!(!text.contains("HAWKMOTH_PASSWORD=x"));
    }
}
