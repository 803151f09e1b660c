//! The command line against a real server, as a person or a script uses it: tables, JSON, exit
//! statuses, what is remembered, and what is said when something is wrong.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use serde_json::{Value, json};
use store::project::Project;
use store::testing;

use crate::app::TestApp;
use crate::program::{self, said};

mod files;
#[cfg(target_os = "linux")]
mod shown;

/// The token of a superuser.
async fn token(app: &TestApp) -> String {
    app.superuser().await;
    let user = app.store.user_by_email("super@example.org").await;
    let user = user.unwrap().unwrap();
    app.store.create_token(user.id, "terminal").await.unwrap()
}

/// Runs the program; the server of the test goes on meanwhile.
async fn ran(variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    let mut command = program::hawkmoth();
    command.args(arguments).envs(variables.iter().copied());
    command.stdin(Stdio::null());
    let output = tokio::process::Command::from(command).output().await;
    output.unwrap()
}

/// The same as somebody who is known to the server.
async fn asked(app: &TestApp, token: &str, arguments: &[&str]) -> Output {
    let home = app.folder.path().to_str().unwrap();
    let variables = [
        ("HAWKMOTH_SERVER", app.url.as_str()),
        ("HAWKMOTH_TOKEN", token),
        ("XDG_CONFIG_HOME", home),
    ];
    ran(&variables, arguments).await
}

fn out(output: &Output) -> String {
    assert!(output.status.success(), "{}", said(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn json_of(output: &Output) -> Value {
    serde_json::from_str(&out(output)).unwrap()
}

/// Times of a table are another each time; they stand at the ends of lines.
fn timeless(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.rsplitn(3, ' ').collect();
        lines.push(match words.as_slice() {
            [clock, day, rest] if clock.contains(':') && day.contains('-') => {
                format!("{rest} <time>")
            }
            _ => line.to_owned(),
        });
    }
    lines.join("\n")
}

async fn job(app: &TestApp, project: &Project, body: Value) -> i64 {
    let mut new = json!({"name": "A job", "delay": 0, "project_id": project.id});
    let fields = body.as_object().unwrap().clone();
    new.as_object_mut().unwrap().extend(fields);
    let made = app.superuser().await.post("/api/v2/jobs/", new).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.json()["id"].as_i64().unwrap()
}

#[tokio::test]
async fn jobs_are_a_table_for_people_and_json_for_programs() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let token = token(&app).await;
        let moths = app.project("Moths", false).await;
        let flies = app.project("Flies", false).await;
        job(&app, &moths, json!({})).await;
        job(&app, &flies, json!({"name": "Other"})).await;

        let list = asked(&app, &token, &["jobs", "list", "--project", "Moths"]).await;
        let table = timeless(&out(&list));
        insta::allow_duplicates! {
            insta::assert_snapshot!(table, @r"
            id  name   kind         state    done  project  created
             1  A job  ML pipeline  Created  0 %   Moths    <time>
            ");
        }
        let list = asked(&app, &token, &["jobs", "list", "--json", "--limit", "1"]).await;
        let list = json_of(&list);
        assert_eq!(list["count"], 2);
        assert_eq!(list["results"].as_array().unwrap().len(), 1);
        let none = ["jobs", "list", "--state", "running"];
        assert_eq!(out(&asked(&app, &token, &none).await), "");

        let show = out(&asked(&app, &token, &["jobs", "show", "1"]).await);
        for words in ["Job           1 \"A job\"", "State         Created"] {
            assert!(show.contains(words), "{show}");
        }
        assert!(!show.contains('\u{1b}'), "no colours into a pipe: {show}");
        let show = asked(&app, &token, &["jobs", "show", "1", "--json"]).await;
        assert_eq!(json_of(&show)["id"], 1);
    }
}

#[tokio::test]
async fn a_job_is_made_as_the_api_takes_it_and_refused_by_field() {
    let fresh = testing::fresh_sqlite().await;
    let app = TestApp::start(&fresh).await;
    let token = token(&app).await;
    let project = app.project("Moths", false).await;
    app.station(&project).await;

    let bare = asked(&app, &token, &["jobs", "create"]).await;
    assert_eq!(bare.status.code(), Some(1));
    for words in [
        "name: This field is required.",
        "project_id: This field is required.",
    ] {
        assert!(said(&bare).contains(words), "{}", said(&bare));
    }
    let task = [
        "jobs",
        "create",
        "--project",
        "Moths",
        "--name",
        "Small",
        "--kind",
        "post_processing",
        "--params",
        r#"{"task": "no_such_task"}"#,
    ];
    let task = asked(&app, &token, &task).await;
    assert!(said(&task).contains("params.task: "), "{}", said(&task));

    let whole = [
        "jobs",
        "create",
        "--project",
        "Moths",
        "--name",
        "Sessions",
        "--kind",
        "regroup_events",
        "--station",
        "Station",
        "--json",
    ];
    let made = json_of(&asked(&app, &token, &whole).await);
    assert_eq!(made["deployment"]["name"], "Station");
    assert_eq!(made["status"], "CREATED");

    let gone = ["jobs", "list", "--project", "Mots"];
    let gone = said(&asked(&app, &token, &gone).await);
    assert!(gone.contains("there is no project \"Mots\""), "{gone}");
    assert!(gone.contains("\"Moths\""), "{gone}");
}

#[tokio::test]
async fn the_exit_status_tells_how_a_job_ended() {
    let fresh = testing::fresh_sqlite().await;
    let app = TestApp::start(&fresh).await;
    let token = token(&app).await;
    let project = app.project("Moths", false).await;
    let station = app.station(&project).await;
    app.work();

    let sync = ["captures", "sync", "Station", "--watch"];
    let good = asked(&app, &token, &sync).await;
    assert_eq!(good.status.code(), Some(0), "{}", said(&good));
    let text = out(&good);
    assert!(text.contains("State         Success"), "{text}");
    assert!(text.contains("Data storage sync"), "{text}");

    std::fs::remove_dir_all(app.folder.path().join("photographs")).unwrap();
    let bad = asked(&app, &token, &sync).await;
    assert_eq!(bad.status.code(), Some(3), "{}", said(&bad));
    assert!(
        said(&bad).contains("State         Failed"),
        "{}",
        said(&bad)
    );

    let waiting = job(&app, &project, json!({"deployment_id": station.id})).await;
    let id = waiting.to_string();
    let cancelled = asked(&app, &token, &["jobs", "cancel", &id]).await;
    let expected = format!("Job {id} \"A job\": Cancelled\n");
    assert_eq!(out(&cancelled), expected);
    let watched = asked(&app, &token, &["jobs", "watch", &id, "--json"]).await;
    assert_eq!(watched.status.code(), Some(4), "{}", said(&watched));
    let job: Value = serde_json::from_slice(&watched.stdout).unwrap();
    assert_eq!(job["status"], "REVOKED");

    let none = asked(&app, &token, &["jobs", "watch", "9999"]).await;
    assert_eq!(none.status.code(), Some(1), "{}", said(&none));
    assert!(said(&none).contains("job 9999: "), "{}", said(&none));
    let unread = asked(&app, &token, &["jobs", "watch", "seven"]).await;
    assert_eq!(unread.status.code(), Some(2));
}

#[cfg(unix)]
#[tokio::test]
async fn whoever_goes_away_leaves_the_job_as_it_is() {
    use tokio::io::{AsyncBufReadExt, BufReader};

    let fresh = testing::fresh_sqlite().await;
    let app = TestApp::start(&fresh).await;
    let token = token(&app).await;
    let project = app.project("Moths", false).await;
    let id = job(&app, &project, json!({})).await;
    let mut command = program::hawkmoth();
    command.args(["jobs", "watch", &id.to_string()]);
    command.args(["--server", app.url.as_str(), "--token", &token]);
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = tokio::process::Command::from(command).spawn().unwrap();
    let stdout = child.stdout.take().unwrap();
    let first = BufReader::new(stdout).lines().next_line().await.unwrap();
    assert_eq!(first.as_deref(), Some("Created"));
    let process = child.id().unwrap().to_string();
    let mut kill = tokio::process::Command::new("kill");
    assert!(
        kill.args(["-INT", &process])
            .status()
            .await
            .unwrap()
            .success()
    );
    let output = child.wait_with_output().await.unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", said(&output));
    let words = format!("Job {id} goes on without you");
    assert!(said(&output).contains(&words), "{}", said(&output));
    assert_eq!(app.store.job(id).await.unwrap().state, "CREATED");
}

#[tokio::test]
async fn a_log_is_told_from_its_beginning() {
    let fresh = testing::fresh_sqlite().await;
    let app = TestApp::start(&fresh).await;
    let token = token(&app).await;
    let project = app.project("Moths", false).await;
    app.station(&project).await;
    app.work();
    let sync = ["captures", "sync", "Station", "--watch"];
    out(&asked(&app, &token, &sync).await);

    let found = json_of(&asked(&app, &token, &["jobs", "logs", "1", "--json"]).await);
    let lines = found["results"].as_array().unwrap();
    let first = lines.last().unwrap()["message"].as_str().unwrap();
    let log = out(&asked(&app, &token, &["jobs", "logs", "1"]).await);
    assert_eq!(log.lines().count(), lines.len());
    assert!(log.lines().next().unwrap().ends_with(first), "{log}");
    let failed = asked(&app, &token, &["jobs", "failures", "1"]).await;
    assert!(said(&failed).contains("No capture has failed in job 1."));
}

#[tokio::test]
async fn tokens_are_made_listed_and_ended() {
    let fresh = testing::fresh_sqlite().await;
    let app = TestApp::start(&fresh).await;
    let token = token(&app).await;
    let made = asked(&app, &token, &["tokens", "create", "script"]).await;
    let new = out(&made).trim().to_owned();
    assert_eq!(new.len(), 40, "alone on standard output");
    let list = json_of(&asked(&app, &new, &["tokens", "list", "--json"]).await);
    let row = &list["results"][0];
    assert_eq!(row["name"], "script");
    let table = out(&asked(&app, &token, &["tokens", "list"]).await);
    assert!(
        table.lines().next().unwrap().starts_with("id  name"),
        "{table}"
    );
    assert!(table.contains("script"), "{table}");

    let id = row["id"].to_string();
    out(&asked(&app, &token, &["tokens", "revoke", &id]).await);
    let ended = asked(&app, &new, &["tokens", "list"]).await;
    assert_eq!(ended.status.code(), Some(1));
    assert!(said(&ended).contains("hawkmoth login"), "{}", said(&ended));
    let again = asked(&app, &token, &["tokens", "revoke", &id]).await;
    assert!(said(&again).contains(&format!("token {id}: ")));
}

#[tokio::test]
async fn a_server_is_remembered_for_its_owner_alone_until_it_is_forgotten() {
    let fresh = testing::fresh_sqlite().await;
    let app = TestApp::start(&fresh).await;
    app.superuser().await;
    let home = tempfile::tempdir().unwrap();
    let home = [("XDG_CONFIG_HOME", home.path().to_str().unwrap())];
    let file = PathBuf::from(home[0].1).join("hawkmoth/login.json");

    let nobody = ran(&home, &["jobs", "list"]).await;
    assert!(
        said(&nobody).contains("hawkmoth login"),
        "{}",
        said(&nobody)
    );
    let login = |password: &'static str| {
        let mut variables = home.to_vec();
        variables.push(("HAWKMOTH_PASSWORD", password));
        let arguments = [
            "login",
            "--server",
            app.url.as_str(),
            "--email",
            "super@example.org",
        ];
        async move { ran(&variables, &arguments).await }
    };
    let wrong = login("wrong").await;
    assert_eq!(wrong.status.code(), Some(1));
    assert!(
        said(&wrong).contains("Unable to log in"),
        "{}",
        said(&wrong)
    );
    assert!(!file.exists());
    out(&login("secret").await);
    is_private(&file);
    out(&ran(&home, &["jobs", "list", "--json"]).await);

    let text = std::fs::read_to_string(&file).unwrap();
    let known: Value = serde_json::from_str(&text).unwrap();
    let token = known["token"].as_str().unwrap();
    assert_eq!(known["server"], app.url.as_str());
    out(&ran(&home, &["logout"]).await);
    assert!(!file.exists());
    let ended = asked(&app, token, &["jobs", "list"]).await;
    assert_eq!(ended.status.code(), Some(1), "the token has ended too");
}

#[cfg(unix)]
fn is_private(file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[cfg(not(unix))]
fn is_private(file: &Path) {
    assert!(file.is_file());
}

#[tokio::test]
async fn what_is_wrong_on_the_way_is_one_sentence() {
    let fresh = testing::fresh_sqlite().await;
    let app = TestApp::start(&fresh).await;
    let wrong = asked(&app, &"0".repeat(40), &["jobs", "list"]).await;
    assert_eq!(wrong.status.code(), Some(1));
    assert!(
        said(&wrong).contains("does not know who asks"),
        "{}",
        said(&wrong)
    );

    // Nobody listens on a port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let silent = ran(&[], &["jobs", "list", "--server", &silent]).await;
    assert_eq!(silent.status.code(), Some(1));
    assert!(
        said(&silent).contains("does not answer"),
        "{}",
        said(&silent)
    );
    assert_eq!(said(&silent).trim_end().lines().count(), 1);

    let both = ["jobs", "list", "--server", app.url.as_str(), "--data", "."];
    assert!(said(&ran(&[], &both).await).contains("not both"));
    let scheme = ran(&[], &["jobs", "list", "--server", "moths.example.org"]).await;
    assert_eq!(scheme.status.code(), Some(2), "{}", said(&scheme));
}
