//! What stands in `deploy/` is what the program takes: each variable exists, and each command line
//! with its settings can be read. No unit and no compose file drifts from the settings.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{CommandFactory, Parser};
use serde_json::Value;

use super::Hawkmoth;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy")
}

fn read(file: impl AsRef<Path>) -> String {
    let file = folder().join(file);
    std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}

/// The names of all variables that the program reads.
fn variables() -> Vec<String> {
    fn of(command: &clap::Command, found: &mut Vec<String>) {
        let named = command.get_arguments().filter_map(|a| a.get_env());
        found.extend(named.map(|name| name.to_string_lossy().into_owned()));
        command.get_subcommands().for_each(|sub| of(sub, found));
    }
    let mut found = Vec::new();
    of(&Hawkmoth::command(), &mut found);
    found
}

/// Reads a command line with settings in variables. A variable that the command does not have is
/// another command's.
fn takes(place: &str, words: &[&str], settings: &BTreeMap<String, String>) {
    let whole = Hawkmoth::command();
    let name = words
        .first()
        .unwrap_or_else(|| panic!("{place} has no command"));
    let command = whole.find_subcommand(name);
    let command = command.unwrap_or_else(|| panic!("{place}: there is no command {name}"));
    let mut line: Vec<String> = ["hawkmoth"]
        .iter()
        .chain(words)
        .map(|w| (*w).to_owned())
        .collect();
    for (variable, value) in settings {
        let mut all = command.get_arguments().chain(whole.get_arguments());
        let argument = all.find(|a| a.get_env().is_some_and(|env| *env == **variable));
        let long = argument.and_then(|argument| argument.get_long());
        // What stands on the line counts more than the variable.
        let Some(long) = long.filter(|long| !words.contains(&format!("--{long}").as_str())) else {
            continue;
        };
        line.push(format!("--{long}={value}"));
    }
    if let Err(error) = Hawkmoth::try_parse_from(&line) {
        panic!("{place}: {error}");
    }
}

#[test]
fn every_variable_exists() {
    let known = variables();
    let mut files = vec![folder()];
    let mut looked = 0;
    while let Some(file) = files.pop() {
        if file.is_dir() {
            files.extend(
                std::fs::read_dir(&file)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        for word in words.filter(|word| word.starts_with("HAWKMOTH_") || word.starts_with("AWS_")) {
            assert!(
                known.iter().any(|k| k == word),
                "{}: {word}",
                file.display()
            );
            looked += 1;
        }
    }
    assert!(looked > 20, "only {looked} variables were found");
}

/// `NAME=value` lines, also those that are there to be uncommented.
fn assignments(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().map(|line| line.trim_start_matches('#'));
    let pairs = lines.filter_map(|line| line.split_once('='));
    let named = pairs.filter(|(name, _)| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
    });
    named
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[test]
fn units_start_what_there_is() {
    let settings = assignments(&read("systemd/hawkmoth.env"));
    assert!(settings.len() > 5, "{settings:?}");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder().join("systemd")).unwrap() {
        let file = entry.unwrap().path();
        if file.extension().is_none_or(|end| end != "service") {
            continue;
        }
        let instance = match file.ends_with("hawkmoth-work@.service") {
            true => "1",
            false => "8001",
        };
        let unit = read(&file).replace("%i", instance);
        let start = unit
            .lines()
            .find_map(|line| line.strip_prefix("ExecStart="));
        let words: Vec<&str> = start.unwrap().split_whitespace().collect();
        assert_eq!(words[0], "/usr/local/bin/hawkmoth");
        let mut settings = settings.clone();
        settings.extend(assignments(&environment(&unit)));
        takes(&file.display().to_string(), &words[1..], &settings);
        found.push(words[1].to_owned());
    }
    found.sort();
    assert_eq!(found, ["migrate", "serve", "web", "work"]);
}

/// What a unit sets by itself, a line each.
fn environment(unit: &str) -> String {
    let set = unit
        .lines()
        .filter_map(|line| line.strip_prefix("Environment="));
    set.collect::<Vec<_>>().join("\n")
}

#[test]
fn each_instance_tells_of_itself_where_no_other_does() {
    let mut taken: BTreeSet<SocketAddr> = BTreeSet::new();
    for (unit, instances) in [
        ("hawkmoth-web@.service", ["8001", "8002", "8080"]),
        ("hawkmoth-work@.service", ["1", "2", "9"]),
    ] {
        for instance in instances {
            let text = read(Path::new("systemd").join(unit)).replace("%i", instance);
            let set = assignments(&environment(&text));
            let address: SocketAddr = set["HAWKMOTH_OPS_ADDRESS"].parse().unwrap();
            assert!(address.ip().is_loopback(), "{unit}: {address}");
            assert!(address.port() > 1024, "{unit}: {address}");
            assert!(taken.insert(address), "{unit}: {address} is another's");
            let bound = text.split_once("--bind ").map(|(_, rest)| rest.lines());
            if let Some(bound) = bound.and_then(|mut lines| lines.next()) {
                let bound: SocketAddr = bound.parse().unwrap();
                assert!(taken.insert(bound), "{unit}: {bound} is another's");
            }
        }
    }
    // One file for all of them would be one address for all of them.
    let shared = assignments(&read("systemd/hawkmoth.env"));
    assert!(!shared.contains_key("HAWKMOTH_OPS_ADDRESS"));
}

#[test]
fn units_are_sound() {
    let dir = tempfile::tempdir().unwrap();
    let mut units = Vec::new();
    for entry in std::fs::read_dir(folder().join("systemd")).unwrap() {
        let file = entry.unwrap().path();
        if file.extension().is_some_and(|end| end == "service") {
            // The binary need not be installed where this is tested.
            let unit = read(&file).replace("/usr/local/bin/hawkmoth", "/bin/true");
            let copy = dir.path().join(file.file_name().unwrap());
            std::fs::write(&copy, unit).unwrap();
            units.push(copy);
        }
    }
    let mut verify = std::process::Command::new("systemd-analyze");
    let Ok(verified) = verify.arg("verify").args(&units).output() else {
        store::testing::left_out("there is no systemd-analyze: units are not verified");
        return;
    };
    let said = String::from_utf8_lossy(&verified.stderr);
    assert!(verified.status.success() && said.is_empty(), "{said}");
}

#[test]
fn the_image_starts_what_there_is() {
    let text = read("Containerfile");
    let command = text
        .lines()
        .find_map(|line| line.strip_prefix("CMD "))
        .unwrap();
    let words: Vec<&str> = serde_json::from_str(command).unwrap();
    let settings = text
        .split_whitespace()
        .filter_map(|word| word.split_once('='));
    let settings = settings.filter(|(name, _)| name.starts_with("HAWKMOTH_"));
    let settings = settings
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    takes("Containerfile", &words, &settings);
}

#[test]
fn the_compose_file_starts_what_there_is() {
    let compose: Value = serde_saphyr::from_str(&read("compose.yaml")).unwrap();
    let services = compose["services"].as_object().unwrap();
    let mut found = Vec::new();
    for (name, service) in services {
        if service["image"] != "hawkmoth" {
            continue;
        }
        let words = service["command"].as_array().unwrap();
        let words: Vec<&str> = words.iter().map(|word| word.as_str().unwrap()).collect();
        let settings = service["environment"].as_object().unwrap();
        let text = |value: &Value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        };
        let settings = settings
            .iter()
            .map(|(name, value)| (name.clone(), text(value)));
        let settings: BTreeMap<String, String> = settings.collect();
        takes(name, &words, &settings);
        found.push(format!("{name} {}", words[0]));
        if words[0] == "migrate" {
            continue;
        }
        // Others in the network may read its metrics, and the container looks after its health.
        let looked: SocketAddr = settings["HAWKMOTH_OPS_ADDRESS"].parse().unwrap();
        assert!(looked.ip().is_unspecified(), "{name}: {looked}");
        let bound: SocketAddr = settings["HAWKMOTH_BIND"].parse().unwrap();
        assert_ne!(looked.port(), bound.port(), "{name}");
        let check = service["healthcheck"]["test"].as_array().unwrap();
        let check: Vec<&str> = check.iter().map(|word| word.as_str().unwrap()).collect();
        assert_eq!(check[..2], ["CMD", "/usr/local/bin/hawkmoth"], "{name}");
        takes(name, &check[2..], &settings);
    }
    found.sort();
    assert_eq!(
        found,
        [
            "migrate migrate",
            "web-1 web",
            "web-2 web",
            "work-1 work",
            "work-2 work"
        ]
    );
    // The proxy asks those who serve, and looks whether they are ready.
    let proxy = compose["configs"]["proxy"]["content"].as_str().unwrap();
    let asked = proxy.split_whitespace().filter(|w| w.ends_with(":8000"));
    let asked: Vec<&str> = asked.filter(|word| word.len() > 5).collect();
    assert_eq!(asked, ["web-1:8000", "web-2:8000"]);
    assert!(proxy.contains("health_uri /readyz"), "{proxy}");
    // Each service waits for one that is there.
    for (name, service) in services {
        let waits: Vec<&str> = match &service["depends_on"] {
            Value::Object(on) => on.keys().map(String::as_str).collect(),
            Value::Array(on) => on.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        for on in waits {
            assert!(services.contains_key(on), "{name} waits for {on}");
        }
    }
}
