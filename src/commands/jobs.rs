//! `hawkmoth jobs …`: list, show, make, run, watch, cancel, retry, and what is told about a job.

use std::process::ExitCode;

use anyhow::Context;
use console::measure_text_width;
use serde_json::{Map, Value, json};

use super::course::{described, one, progress, share, state, watch};
use super::{rows, say_json, say_more, text, time, with};
use crate::client::{Client, Kind, id, query};
use crate::ending::Ending;
use crate::settings::{
    CreateJob, JobFailures, JobLogs, JobsCommand, ListJobs, OneJob, RetryJob, RunJob,
};
use crate::table::{self, Table, plain, plain_lines, say};

/// Runs one of the commands.
///
/// # Errors
/// One sentence that says what is wrong.
pub async fn run(what: JobsCommand) -> anyhow::Result<ExitCode> {
    match what {
        JobsCommand::List(what) => with(&what.at, async |client| list(client, &what).await).await,
        JobsCommand::Show(what) => with(&what.at, async |client| show(client, &what).await).await,
        JobsCommand::Create(what) => {
            with(&what.at, async |client| create(client, &what).await).await
        }
        JobsCommand::Run(what) => with(&what.at, async |client| start(client, &what).await).await,
        JobsCommand::Watch(what) => {
            let json = what.at.json;
            with(&what.at, async |client| watch(client, what.job, json).await).await
        }
        JobsCommand::Cancel(what) => {
            with(&what.at, async |client| cancel(client, &what).await).await
        }
        JobsCommand::Retry(what) => with(&what.at, async |client| retry(client, &what).await).await,
        JobsCommand::Logs(what) => with(&what.at, async |client| logs(client, &what).await).await,
        JobsCommand::Failures(what) => {
            with(&what.at, async |client| failures(client, &what).await).await
        }
    }
}

async fn list(client: &Client, what: &ListJobs) -> anyhow::Result<Ending> {
    let project = client.number_if(Kind::Project, what.project.as_deref(), None);
    let project = project.await?;
    let pairs = [
        ("project_id", project.map(|id| id.to_string())),
        ("status", what.state.clone()),
        ("job_type_key", what.kind.clone()),
        ("search", what.search.clone()),
        ("limit", Some(what.limit.to_string())),
        ("ordering", Some("-created_at".to_owned())),
    ];
    let found = client.get(&query("jobs/", &pairs)).await?;
    if what.at.json {
        say_json(&found);
        return Ok(Ending::Done);
    }
    if rows(&found).is_empty() {
        eprintln!("No job fits. `hawkmoth jobs create` makes one.");
        return Ok(Ending::Done);
    }
    let mut table = Table::new(&["id", "name", "kind", "state", "done", "project", "created"])
        .shrinking(&[1, 2, 5]);
    for job in rows(&found) {
        let created = time(job, "created_at");
        table.row(vec![
            job["id"].to_string(),
            text(job, "name").to_owned(),
            text(&job["job_type"], "name").to_owned(),
            table::state(state(job)?),
            share(progress(job)?.summary.progress),
            text(&job["project"], "name").to_owned(),
            created.get(..16).unwrap_or(&created).to_owned(),
        ]);
    }
    say(&table.text(table::width()));
    say_more(&found, "jobs");
    Ok(Ending::Done)
}

async fn show(client: &Client, what: &OneJob) -> anyhow::Result<Ending> {
    let job = one(client, what.job).await?;
    match what.at.json {
        true => say_json(&job),
        false => say(&described(client, &job)?),
    }
    Ok(Ending::Done)
}

async fn create(client: &Client, what: &CreateJob) -> anyhow::Result<Ending> {
    let body = body(client, what).await?;
    let starts = what.start || what.watch;
    let path = match starts {
        true => "jobs/?start_now=1",
        false => "jobs/",
    };
    let job = client.post(path, &body).await?;
    if what.watch {
        return watch(client, id(&job["id"])?, what.at.json).await;
    }
    said(&job, what.at.json)?;
    if !starts && !what.at.json {
        eprintln!("`hawkmoth jobs run {}` puts it into the queue.", job["id"]);
    }
    Ok(Ending::Done)
}

/// The body of a new job. What the person leaves out, the API asks for by its field.
async fn body(client: &Client, what: &CreateJob) -> anyhow::Result<Value> {
    let project = client.number_if(Kind::Project, what.project.as_deref(), None);
    let project = project.await?;
    let pipeline = client.number_if(Kind::Pipeline, what.pipeline.as_deref(), project);
    let pipeline = pipeline.await?;
    let station = client.number_if(Kind::Station, what.station.as_deref(), project);
    let station = station.await?;
    let set = client.number_if(Kind::CaptureSet, what.capture_set.as_deref(), project);
    let set = set.await?;
    let mut body = Map::new();
    for (field, value) in [
        ("name", what.name.clone().map(Value::from)),
        ("job_type_key", Some(what.kind.clone().into())),
        ("delay", Some(what.delay.into())),
        ("limit", what.max.map(Value::from)),
        ("shuffle", Some((!what.in_order).into())),
        ("project_id", project.map(Value::from)),
        ("pipeline_id", pipeline.map(Value::from)),
        ("deployment_id", station.map(Value::from)),
        ("source_image_collection_id", set.map(Value::from)),
        ("source_image_single_id", what.capture.map(Value::from)),
        ("params", what.params.clone()),
    ] {
        if let Some(value) = value {
            body.insert(field.to_owned(), value);
        }
    }
    Ok(Value::Object(body))
}

async fn start(client: &Client, what: &RunJob) -> anyhow::Result<Ending> {
    let job = act(client, what.job, "run/").await?;
    after(client, &job, what.watch, what.at.json).await
}

async fn retry(client: &Client, what: &RetryJob) -> anyhow::Result<Ending> {
    let path = match what.failed_only {
        true => "retry/?failed_only=1",
        false => "retry/",
    };
    let job = act(client, what.job, path).await?;
    after(client, &job, what.watch, what.at.json).await
}

async fn cancel(client: &Client, what: &OneJob) -> anyhow::Result<Ending> {
    let job = act(client, what.job, "cancel/").await?;
    said(&job, what.at.json)?;
    Ok(Ending::Done)
}

/// Asks for something to be done with a job; the job after it.
async fn act(client: &Client, job: i64, action: &str) -> anyhow::Result<Value> {
    let path = format!("jobs/{job}/{action}");
    let done = client.post(&path, &json!({})).await;
    done.with_context(|| format!("job {job}"))
}

async fn after(client: &Client, job: &Value, watches: bool, json: bool) -> anyhow::Result<Ending> {
    if watches {
        return watch(client, id(&job["id"])?, json).await;
    }
    said(job, json)?;
    Ok(Ending::Done)
}

/// One line about a job.
fn said(job: &Value, json: bool) -> anyhow::Result<()> {
    match json {
        true => say_json(job),
        false => say(&format!(
            "Job {} \"{}\": {}\n",
            job["id"],
            plain(text(job, "name")),
            table::state(state(job)?)
        )),
    }
    Ok(())
}

async fn logs(client: &Client, what: &JobLogs) -> anyhow::Result<Ending> {
    let pairs = [
        ("limit", Some(what.limit.to_string())),
        ("level", what.level.as_ref().map(|l| l.to_uppercase())),
        ("search", what.search.clone()),
    ];
    let path = query(&format!("jobs/{}/logs/", what.job), &pairs);
    let found = client.get(&path).await;
    let found = found.with_context(|| format!("job {}", what.job))?;
    if what.at.json {
        say_json(&found);
        return Ok(Ending::Done);
    }
    for line in rows(&found).iter().rev() {
        say(&logged(line));
    }
    say_more(&found, "lines");
    Ok(Ending::Done)
}

/// A line of a log; a message of several lines stays below its beginning.
fn logged(line: &Value) -> String {
    let level = plain(text(line, "level"));
    let before = format!("{}  {level:<7}  ", time(line, "created_at"));
    let message = plain_lines(text(line, "message"), measure_text_width(&before));
    format!("{before}{message}\n")
}

async fn failures(client: &Client, what: &JobFailures) -> anyhow::Result<Ending> {
    let pairs = [("limit", Some(what.limit.to_string()))];
    let path = query(&format!("jobs/{}/failures/", what.job), &pairs);
    let found = client.get(&path).await;
    let found = found.with_context(|| format!("job {}", what.job))?;
    if what.at.json {
        say_json(&found);
        return Ok(Ending::Done);
    }
    if rows(&found).is_empty() {
        eprintln!("No capture has failed in job {}.", what.job);
        return Ok(Ending::Done);
    }
    let mut table = Table::new(&["capture", "tries", "reason"]);
    for failure in rows(&found) {
        table.row(vec![
            failure["capture"]["id"].to_string(),
            failure["deliveries"].to_string(),
            text(failure, "reason").to_owned(),
        ]);
    }
    say(&table.text(None));
    say_more(&found, "failures");
    Ok(Ending::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceback_in_a_log_stays_below_its_time_and_drives_nothing() {
        let line = json!({
            "created_at": "2026-11-23T13:25:56.288728", "level": "ERROR",
            "message": "a worker failed:\n  File \"moths.py\"\r\n\u{1b}[31mred",
        });
        let expected = concat!(
            "2026-11-23 13:25:56  ERROR    a worker failed:\n",
            "                                File \"moths.py\"\n",
            "                              ␛[31mred\n",
        );
        assert_eq!(logged(&line), expected);
    }
}
