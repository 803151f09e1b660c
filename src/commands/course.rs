//! A job that is watched through the API, and a job in words that can be pasted into a mail.

use std::time::{Duration, Instant};

use anyhow::Context;
use domain::job::PROCESS_STAGE;
use domain::progress::{Progress, percent};
use domain::state::JobState;
use serde_json::Value;

use super::{say_json, text, time};
use crate::client::{Client, id};
use crate::course::{self, Seen, Shown, counted};
use crate::ending::Ending;
use crate::table::{self, Table, say};

/// How often the job is asked for.
const LOOK: Duration = Duration::from_secs(1);
/// A server that was there may be gone for so long: somebody starts it anew.
const PATIENCE: Duration = Duration::from_secs(60);

/// Shows how a job goes until it has ended, and then what came of it.
///
/// # Errors
/// Where there is no such job, or the server is gone for long.
pub async fn watch(client: &Client, job: i64, json: bool) -> anyhow::Result<Ending> {
    let ended = follow(client, job, json).await?;
    match json {
        true => say_json(&ended),
        false => say(&format!("\n{}", described(client, &ended)?)),
    }
    Ok(Ending::of(state(&ended)?))
}

/// The same without a word at the end: the job as it ended.
///
/// # Errors
/// As [`watch`].
pub async fn follow(client: &Client, job: i64, beside: bool) -> anyhow::Result<Value> {
    client.watching.set(Some(job));
    let shown = match beside {
        true => Shown::Beside,
        false => Shown::ForPeople,
    };
    let mut last = one(client, job).await?;
    let mut heard = Instant::now();
    course::watch(LOOK, shown, async || {
        match one(client, job).await {
            Ok(answer) => {
                heard = Instant::now();
                last = answer;
            }
            Err(error) if heard.elapsed() > PATIENCE => return Err(error),
            // As it was when it was last heard of.
            Err(_) => {}
        }
        Ok(Seen {
            state: state(&last)?,
            progress: progress(&last)?,
        })
    })
    .await?;
    client.watching.set(None);
    Ok(last)
}

/// A job, without its log.
///
/// # Errors
/// Where there is none that the person may see.
pub async fn one(client: &Client, job: i64) -> anyhow::Result<Value> {
    let found = client.get(&format!("jobs/{job}/?logs_limit=1")).await;
    found.with_context(|| format!("job {job}"))
}

/// The state of a job or a stage.
///
/// # Errors
/// Where the server knows states that this program does not.
pub fn state(job: &Value) -> anyhow::Result<JobState> {
    let code = text(job, "status");
    JobState::from_code(code)
        .with_context(|| format!("the server tells an unknown state: {code:?}"))
}

/// How far a job is.
///
/// # Errors
/// Where the answer cannot be read.
pub fn progress(job: &Value) -> anyhow::Result<Progress> {
    let progress = serde_json::from_value(job["progress"].clone());
    progress.context("the server tells a progress that cannot be read")
}

/// A job in lines: what it is, how it ended, and each stage with its figures.
///
/// # Errors
/// Where the answer cannot be read.
pub fn described(client: &Client, job: &Value) -> anyhow::Result<String> {
    let progress = progress(job)?;
    let mut lines = vec![
        ("Job", format!("{} \"{}\"", job["id"], text(job, "name"))),
        ("Kind", text(&job["job_type"], "name").to_owned()),
        ("State", table::state(state(job)?)),
    ];
    for (name, key) in [
        ("Project", "project"),
        ("Station", "deployment"),
        ("Capture set", "source_image_collection"),
        ("Pipeline", "pipeline"),
    ] {
        lines.push((name, text(&job[key], "name").to_owned()));
    }
    let capture = job["source_image_single"]["id"].as_i64();
    lines.push((
        "Capture",
        capture.map_or(String::new(), |id| id.to_string()),
    ));
    for (name, key) in [
        ("Created", "created_at"),
        ("Started", "started_at"),
        ("Ended", "finished_at"),
    ] {
        lines.push((name, time(job, key)));
    }
    let seconds: Option<f64> = job["duration"].as_str().and_then(|text| text.parse().ok());
    lines.push(("Took", seconds.map_or(String::new(), took)));
    lines.push((
        "Images/s",
        seconds.map_or(String::new(), |s| speed(&progress, s)),
    ));
    for error in &progress.errors {
        lines.push(("Error", error.clone()));
    }
    let project = id(&job["project"]["id"]).ok();
    let page = project.zip(job["id"].as_i64());
    let page = page.and_then(|(project, job)| client.page(project, job));
    lines.push(("Page", page.unwrap_or_default()));
    let mut text = String::new();
    for (name, value) in lines.into_iter().filter(|(_, value)| !value.is_empty()) {
        text.push_str(&format!("{name:<12}  {}\n", table::cell(value)));
    }
    if !progress.stages.is_empty() {
        text.push('\n');
        text.push_str(&stages(&progress));
    }
    Ok(text)
}

fn stages(progress: &Progress) -> String {
    let mut table = Table::new(&["stage", "state", "done", "figures"]);
    for stage in &progress.stages {
        table.row(vec![
            stage.name.clone(),
            table::state(stage.status),
            share(stage.progress),
            counted(stage),
        ]);
    }
    table.text(None)
}

/// A share as whole per cent, rounded down: 100 % is all of it.
pub fn share(share: f64) -> String {
    format!("{} %", percent(share))
}

fn took(seconds: f64) -> String {
    match Duration::try_from_secs_f64(seconds) {
        Ok(span) if seconds >= 60.0 => course::time(span),
        _ => format!("{seconds:.1} s"),
    }
}

/// Images per second over the whole run; empty where no images were processed.
fn speed(progress: &Progress, seconds: f64) -> String {
    let stages = progress.stages.iter();
    let mut params = stages
        .filter(|stage| stage.key == PROCESS_STAGE)
        .flat_map(|stage| &stage.params);
    let processed = params.find(|param| param.key == "processed");
    let processed = processed.and_then(|param| param.value.as_f64());
    match processed {
        Some(images) if seconds > 0.0 => format!("{:.2}", images / seconds),
        _ => String::new(),
    }
}
