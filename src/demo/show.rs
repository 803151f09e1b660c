//! What the terminal shows of the demo's job: its course while it runs, and a table at its end that
//! can be pasted into a mail.

use std::time::Duration;

use anyhow::Context;
use store::Store;
use store::job::Job;
use store::progress::{Counts, compose};

use super::prepare::Prepared;
use crate::course::{self, Seen, Shown};

/// How often the row is read.
const LOOK: Duration = Duration::from_millis(200);

/// Shows the job until it has ended.
pub async fn watch(store: &Store, prepared: &Prepared, id: i64) -> anyhow::Result<Job> {
    let mut job = store.job(id).await.context("the job was deleted")?;
    println!(
        "Job {} \"{}\": {}/projects/{}/jobs/{}",
        job.id, job.name, prepared.url, job.project_id, job.id
    );
    course::watch(LOOK, Shown::ForPeople, async || {
        job = store.job(id).await.context("the job was deleted")?;
        let counts = counts(store, &job).await?;
        Ok(Seen {
            state: job.job_state(),
            progress: compose(&job, counts),
        })
    })
    .await?;
    Ok(job)
}

async fn counts(store: &Store, job: &Job) -> anyhow::Result<Counts> {
    let sums = store.counts(std::slice::from_ref(job)).await?;
    Ok(sums.get(&job.id).copied().unwrap_or_default())
}

/// The table at the end.
pub async fn table(store: &Store, prepared: &Prepared, job: &Job) -> anyhow::Result<()> {
    let counts = counts(store, job).await?;
    let captures = store.count_members(prepared.set).await?;
    let sessions = store.count_sessions(prepared.project).await?;
    let seconds = job
        .started_at
        .zip(job.finished_at)
        .map_or(0.0, |(start, end)| (end - start).as_seconds_f64());
    let seen = counts.done + counts.failed;
    let speed = if seconds > 0.0 {
        seen as f64 / seconds
    } else {
        0.0
    };
    let rows = [
        ("State", job.state.clone()),
        ("Captures", captures.to_string()),
        ("Sessions", sessions.to_string()),
        ("Processed by this job", seen.to_string()),
        ("Detections", counts.detections.to_string()),
        ("Classifications", counts.classifications.to_string()),
        ("Failed", counts.failed.to_string()),
        ("Seconds", format!("{seconds:.1}")),
        ("Images/s", format!("{speed:.2}")),
    ];
    println!();
    for (name, value) in &rows {
        println!("  {name:<22} {value:>12}");
    }
    if seen == 0 {
        println!("  All captures had been processed before: nothing was left to do.");
    }
    println!();
    println!(
        "  Job page  {}/projects/{}/jobs/{}",
        prepared.url, job.project_id, job.id
    );
    println!("  Job (API) {}/api/v2/jobs/{}/", prepared.url, job.id);
    Ok(())
}
