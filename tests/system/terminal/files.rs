//! Commands that write files: exports that are whole or not there, completions and man pages; and
//! commands on a data folder without a server.

use std::path::Path;

use serde_json::Value;
use store::testing;

use super::{asked, json_of, out, ran, token};
use crate::app::TestApp;
use crate::program::said;

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name());
    names.map(|name| name.into_string().unwrap()).collect()
}

#[tokio::test]
async fn an_export_is_fetched_whole() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let token = token(&app).await;
        let project = app.project("Moths", true).await;
        app.insects(&project).await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("moths.csv");
        let name = file.to_str().unwrap();
        let export = ["export", "--project", "Moths", "-o", name, "--json"];
        let export = json_of(&asked(&app, &token, &export).await);
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(text.lines().count(), 7, "a head and six occurrences");
        assert_eq!(export["file_size"], text.len());
        assert_eq!(names(folder.path()), ["moths.csv"], "nothing beside it");

        let set = [
            "export",
            "--project",
            "Moths",
            "--capture-set",
            "None",
            "-o",
            name,
        ];
        let set = asked(&app, &token, &set).await;
        assert!(said(&set).contains("there is no capture set \"None\""));
        let nowhere = folder.path().join("no/such/folder.csv");
        let nowhere = nowhere.to_str().unwrap();
        let nowhere = ["export", "--project", "Moths", "-o", nowhere];
        let nowhere = asked(&app, &token, &nowhere).await;
        assert_eq!(nowhere.status.code(), Some(1));
        assert!(
            said(&nowhere).contains("cannot write"),
            "{}",
            said(&nowhere)
        );
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text, "as it was");
    }
}

#[tokio::test]
async fn a_data_folder_is_asked_without_a_server() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let data = data.to_str().unwrap();
    let none = ran(&[], &["jobs", "list", "--data", data]).await;
    assert!(
        said(&none).contains("there is no installation in"),
        "{}",
        said(&none)
    );
    assert!(
        !Path::new(data).exists(),
        "a question makes no installation"
    );

    out(&ran(&[], &["migrate", "--data", data]).await);
    let nobody = ran(&[], &["jobs", "list", "--data", data]).await;
    assert!(
        said(&nobody).contains("make a superuser"),
        "{}",
        said(&nobody)
    );
    let person = [
        "user",
        "create",
        "--data",
        data,
        "--email",
        "a@example.org",
        "--password",
        "x",
        "--superuser",
    ];
    out(&ran(&[], &person).await);
    let list = json_of(&ran(&[], &["jobs", "list", "--data", data, "--json"]).await);
    assert_eq!(list["count"], 0);
    let made = ran(&[], &["tokens", "create", "script", "--data", data]).await;
    assert_eq!(out(&made).trim().len(), 40);
    // Of this command and of "script": those of the commands before have ended with them.
    let tokens = json_of(&ran(&[], &["tokens", "list", "--data", data, "--json"]).await);
    let tokens = tokens["results"].as_array().unwrap().iter();
    let tokens: Vec<&Value> = tokens.map(|token| &token["name"]).collect();
    assert_eq!(tokens, ["one command on the data folder", "script"]);
    let bare = ran(&[], &["jobs", "create", "--data", data]).await;
    assert_eq!(bare.status.code(), Some(1));
    assert!(said(&bare).contains("project_id: This field is required."));
}

#[tokio::test]
async fn completions_and_man_pages_are_of_what_there_is() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = out(&ran(&[], &["completions", shell]).await);
        for word in ["failures", "capture-set", "revoke"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man");
    out(&ran(&[], &["man", pages.to_str().unwrap()]).await);
    let written = names(&pages);
    for page in [
        "hawkmoth.1",
        "hawkmoth-jobs-watch.1",
        "hawkmoth-captures-sync.1",
        "hawkmoth-export.1",
        "hawkmoth-serve.1",
    ] {
        assert!(
            written.iter().any(|name| name == page),
            "{page}: {written:?}"
        );
    }
    let page = std::fs::read_to_string(pages.join("hawkmoth-jobs-watch.1")).unwrap();
    assert!(page.contains("Exit status"), "{page}");
    assert!(page.contains("130"), "{page}");
}
