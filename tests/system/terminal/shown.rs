//! What commands print, to the letter, on terminals of 80 and of 120 columns: tables that are cut to
//! fit, a job in words, its log, and the line of one who watches. A worker's traceback is among it.
//! The terminal is one that `script` of util-linux makes.

use std::process::Stdio;

use domain::state::JobState;
use store::job::NewJob;
use store::log::Level;
use store::testing;

use super::token;
use crate::app::TestApp;
use crate::program;
use crate::pull::Farm;

/// Columns of the terminals.
const COLUMNS: [u32; 2] = [80, 120];

/// Why captures failed, as a worker says it.
const REASON: &str = "Traceback (most recent call last):\n  File \"moths.py\", line 7, in look\n\
                      \u{1b}[31mValueError: the picture has no end\u{1b}[0m";

/// What a command prints on a terminal of so many columns, but for what is another each time.
async fn printed(app: &TestApp, token: &str, columns: u32, arguments: &[&str]) -> String {
    let program = program::hawkmoth();
    let words = [program.get_program().to_str().unwrap()];
    let words = words
        .iter()
        .chain(arguments)
        .map(|word| format!("'{word}'"));
    let words: Vec<String> = words.collect();
    // What is said beside the output would stand among it.
    let line = format!(
        "stty cols {columns} rows 50; exec {} 2>/dev/null",
        words.join(" ")
    );
    let mut command = std::process::Command::new("script");
    command.args([
        "--quiet",
        "--return",
        "--command",
        line.as_str(),
        "/dev/null",
    ]);
    for (name, _) in program.get_envs().filter(|(_, value)| value.is_none()) {
        command.env_remove(name);
    }
    command.envs([
        ("SHELL", "/bin/sh"),
        ("TERM", "xterm"),
        ("NO_COLOR", "1"),
        ("HAWKMOTH_SERVER", app.url.as_str()),
        ("HAWKMOTH_TOKEN", token),
        ("XDG_CONFIG_HOME", app.folder.path().to_str().unwrap()),
    ]);
    command.current_dir(app.folder.path()).stdin(Stdio::null());
    let output = tokio::process::Command::from(command).output().await;
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    masked(&text.replace("\r\n", "\n").replace(&app.url, "<server>"))
}

/// The text without times, and without figures that depend on them.
fn masked(text: &str) -> String {
    let mut text = text.to_owned();
    for clock in ["0000-00-00 00:00:00", "0000-00-00 00:00"] {
        while let Some(at) = zeros(&text).find(clock) {
            text.replace_range(at..at + clock.len(), "<time>");
        }
    }
    let line = |line: &str| match line.split_once("  ") {
        Some((name @ ("Took" | "Images/s"), _)) => format!("{name:<12}  <figure>"),
        _ => match line.rsplit_once(" (") {
            Some((before, after)) if after.ends_with(" bytes).") => {
                format!("{before} (<size> bytes).")
            }
            _ => line.to_owned(),
        },
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// The text with each digit as a zero.
fn zeros(text: &str) -> String {
    let zero = |c: char| if c.is_ascii_digit() { '0' } else { c };
    text.chars().map(zero).collect()
}

/// A job of three captures that all failed.
async fn failed(farm: &Farm) -> i64 {
    let store = &farm.app.store;
    let new = NewJob {
        name: "Find insects on all captures of the last nights of August, once more".to_owned(),
        project_id: farm.project.id,
        kind: domain::job::ML,
        station_id: Some(farm.station.id),
        pipeline_id: Some(farm.pipeline),
        start_now: true,
        ..Default::default()
    };
    let id = store.create_job(new).await.unwrap().id;
    let (job, fence) = store.claim_job("runner").await.unwrap().unwrap();
    let mut stages = job.own_stages();
    stages[0].set("Total Images", 3);
    stages[0].end(JobState::Success);
    store.write_stages(&fence, &stages).await.unwrap();
    let scope = store::capture::Scope::Station(farm.station.id);
    let captures = store.capture_ids_after(&scope, i64::MIN, 10).await;
    let captures = captures.unwrap();
    store
        .feed_page(&fence, &captures, captures[2])
        .await
        .unwrap();
    store.feed_end(&fence, false).await.unwrap();
    let lines = [(Level::Warning, REASON.to_owned())];
    store.write_log(id, &lines).await.unwrap();
    store.finish_job(&fence, Some(REASON)).await.unwrap();
    id
}

#[tokio::test]
async fn a_job_that_failed_is_told_to_the_letter() {
    let fresh = testing::fresh_sqlite().await;
    let farm = Farm::idle(&fresh, 3).await;
    let token = token(&farm.app).await;
    let id = failed(&farm).await.to_string();
    let id = id.as_str();
    let commands: [(&str, &[&str]); 5] = [
        ("list", &["jobs", "list"]),
        ("show", &["jobs", "show", id]),
        ("failures", &["jobs", "failures", id]),
        ("logs", &["jobs", "logs", id]),
        ("watch", &["jobs", "watch", id]),
    ];
    for columns in COLUMNS {
        for (name, arguments) in commands {
            let text = printed(&farm.app, &token, columns, arguments).await;
            assert!(
                !text.contains('\u{1b}'),
                "{name} drives the terminal: {text}"
            );
            let name = format!("{name}_{columns}");
            insta::assert_snapshot!(name.as_str(), text);
        }
    }
}

#[tokio::test]
async fn tokens_a_sync_and_an_export_are_told_to_the_letter() {
    let fresh = testing::fresh_sqlite().await;
    let app = TestApp::start(&fresh).await;
    let token = token(&app).await;
    let project = app.project("Moths", true).await;
    app.insects(&project).await;
    let user = app.store.user_by_email("super@example.org").await;
    let user = user.unwrap().unwrap().id;
    let name = "The laptop that goes along to the trap in the bog behind the mill";
    app.store.create_token(user, name).await.unwrap();
    for columns in COLUMNS {
        let tokens = printed(&app, &token, columns, &["tokens", "list"]).await;
        let name = format!("tokens_{columns}");
        insta::assert_snapshot!(name.as_str(), tokens);

        let sync = ["captures", "sync", "Station"];
        let sync = printed(&app, &token, columns, &sync).await;
        // Jobs are counted on.
        let sync = sync.replace(|c: char| c.is_ascii_digit(), "#");
        let name = format!("sync_{columns}");
        insta::assert_snapshot!(name.as_str(), sync);

        let export = ["export", "--project", "Moths", "-o", "moths.csv"];
        let export = printed(&app, &token, columns, &export).await;
        // How the job goes before it has ended is another each time.
        let end = export.lines().last().unwrap_or_default();
        let name = format!("export_{columns}");
        insta::assert_snapshot!(name.as_str(), end);
    }
}
