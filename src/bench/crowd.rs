//! `hawkmoth bench crowd`: many workers that have nothing to do and ask all the time, and many
//! small jobs that wait at once. What is told is how long a poll takes, what the server pays for
//! it, and how fast the jobs are made, begun and ended.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use domain::state::JobState;
use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::Client;
use serde::Deserialize;
use serde_json::json;
use store::capture::{NewCapture, Scope};
use store::job::JobFilter;

use super::cost::Cost;
use super::drain::course::Course;
use super::drain::worker::{Times, Worker, spread};
use super::farm::{Farm, PIPELINE};
use crate::settings::BenchCrowd;

/// Jobs that are asked for at the same time.
const AT_ONCE: usize = 8;
/// A worker goes home after so many polls in a row that offered nothing.
const PATIENCE: u32 = 3;

/// Measures and prints.
///
/// # Errors
/// What cannot be made, and jobs that do not end as they should.
pub async fn run(settings: &BenchCrowd) -> anyhow::Result<()> {
    let farm = Arc::new(Farm::new(&settings.ground).await?);
    polled(settings, &farm, "nothing waits").await?;
    let jobs = wait_in_line(settings, &farm).await?;
    polled(settings, &farm, &format!("{jobs} jobs wait")).await?;
    emptied(settings, &farm, jobs).await?;
    farm.say_memory();
    let faults = unsound(&farm, jobs).await?;
    let removed = match Arc::try_unwrap(farm) {
        Ok(farm) => farm.remove().await,
        Err(_) => Ok(()),
    };
    ensure!(faults.is_empty(), "not exact: {}", faults.join("; "));
    removed
}

#[derive(Deserialize)]
struct Offered {
    id: i64,
}

#[derive(Deserialize)]
struct Polled {
    results: Vec<Offered>,
}

/// As the reference's worker polls (`adc-worker.md` §2).
async fn poll(http: &Client, farm: &Farm, turn: usize) -> anyhow::Result<Vec<Offered>> {
    let url = format!(
        "{}/api/v2/jobs?pipeline__slug__in={PIPELINE}&ids_only=1&incomplete_only=1\
         &dispatch_mode=async_api",
        farm.url(turn)
    );
    let call = http.get(url);
    let call = call.header("Authorization", format!("Token {}", farm.worker));
    let answer = call.send().await.context("the server does not answer")?;
    let polled: Polled = answer.error_for_status()?.json().await?;
    Ok(polled.results)
}

/// All pollers for a while, each at its own moment.
async fn polled(settings: &BenchCrowd, farm: &Arc<Farm>, when: &str) -> anyhow::Result<()> {
    let pause = Duration::from_secs(settings.poll_seconds.into());
    let end = Instant::now() + Duration::from_secs(settings.seconds.into());
    let before = Cost::of_all(&farm.processes());
    let began = Instant::now();
    let pollers: Vec<_> = (0..settings.pollers)
        .map(|n| {
            let first = pause * n / settings.pollers;
            tokio::spawn(one_polls(farm.clone(), n as usize, first, pause, end))
        })
        .collect();
    let mut times = Vec::new();
    for poller in pollers {
        times.extend(poller.await??);
    }
    let took = began.elapsed();
    let after = Cost::of_all(&farm.processes());
    println!(
        "{} workers poll every {} s while {when}: {:.0} polls/s",
        settings.pollers,
        settings.poll_seconds,
        times.len() as f64 / took.as_secs_f64()
    );
    println!("poll                 {}", spread(&mut times));
    if let Some((before, after)) = before.zip(after) {
        let cpu = after.cpu.saturating_sub(before.cpu);
        println!(
            "server               {:.1} % of a core, {:.0} µs a poll, {:.0} MB",
            cpu.as_secs_f64() / took.as_secs_f64() * 100.0,
            cpu.as_micros() as f64 / times.len().max(1) as f64,
            after.memory as f64 / 1e6
        );
    }
    Ok(())
}

async fn one_polls(
    farm: Arc<Farm>,
    n: usize,
    first: Duration,
    pause: Duration,
    end: Instant,
) -> anyhow::Result<Vec<Duration>> {
    // Each is a machine of its own.
    let http = Client::new();
    let mut times = Vec::new();
    tokio::time::sleep(first).await;
    while Instant::now() < end {
        let began = Instant::now();
        poll(&http, &farm, n).await?;
        times.push(began.elapsed());
        tokio::time::sleep(pause.saturating_sub(began.elapsed())).await;
    }
    Ok(times)
}

/// Makes jobs of one image each, and waits until all can be worked on; how many they are.
async fn wait_in_line(settings: &BenchCrowd, farm: &Arc<Farm>) -> anyhow::Result<i64> {
    let captures = (0..settings.waiting).map(|n| NewCapture {
        path: format!("c{n:08}.jpg"),
        width: Some(4096),
        height: Some(2160),
        ..Default::default()
    });
    let station = farm.station("Crowd", &farm.photographs(), captures).await?;
    let scope = Scope::Station(station.id);
    let most = u64::from(settings.waiting);
    let ids = farm.store.capture_ids_after(&scope, i64::MIN, most).await?;
    let began = Instant::now();
    stream::iter(ids.iter().map(|id| {
        let body = json!({
            "name": format!("Capture {id}"), "delay": 0, "shuffle": false,
            "project_id": farm.project, "pipeline_id": farm.pipeline,
            "source_image_single_id": id,
        });
        async move { farm.post("jobs/?start_now=1", &body).await }
    }))
    .buffer_unordered(AT_ONCE)
    .try_for_each(|_| std::future::ready(Ok(())))
    .await?;
    let made = began.elapsed();
    while any_is(farm, JobState::Pending).await? {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let jobs = ids.len() as i64;
    println!(
        "{jobs} jobs of one image made in {:.1} s ({:.0}/s), all begun after {:.1} s",
        made.as_secs_f64(),
        jobs as f64 / made.as_secs_f64(),
        began.elapsed().as_secs_f64()
    );
    Ok(jobs)
}

/// Whether the project has a job in this state.
async fn any_is(farm: &Farm, state: JobState) -> anyhow::Result<bool> {
    let filter = JobFilter {
        project_id: Some(farm.project),
        state: Some(state),
        ..Default::default()
    };
    Ok(!farm.store.jobs(&filter, 1, 0).await?.0.is_empty())
}

/// Workers take what the poll offers until nothing is offered any more.
async fn emptied(settings: &BenchCrowd, farm: &Arc<Farm>, jobs: i64) -> anyhow::Result<()> {
    let course = Arc::new(Course::new(u32::try_from(jobs)?, farm.processes()));
    let began = Instant::now();
    let workers: Vec<_> = (0..settings.clients)
        .map(|n| tokio::spawn(one_works(farm.clone(), n as usize, course.clone())))
        .collect();
    let mut polls = Vec::new();
    let mut times = Times::default();
    for worker in workers {
        let (polled, worked) = worker.await??;
        polls.extend(polled);
        times.add(worked);
    }
    while any_is(farm, JobState::Started).await? {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let took = began.elapsed().as_secs_f64();
    println!(
        "{jobs} jobs ended in  {took:.1} s by {} workers: {:.0} jobs/s",
        settings.clients,
        jobs as f64 / took
    );
    println!("by tenths            {}", course.rates());
    println!("poll                 {}", spread(&mut polls));
    println!("tasks                {}", spread(&mut times.tasks));
    println!("result               {}", spread(&mut times.results));
    Ok(())
}

async fn one_works(
    farm: Arc<Farm>,
    n: usize,
    course: Arc<Course>,
) -> anyhow::Result<(Vec<Duration>, Times)> {
    let http = Client::new();
    let (mut polls, mut times) = (Vec::new(), Times::default());
    let mut in_vain = 0;
    while in_vain < PATIENCE {
        let began = Instant::now();
        let offered = poll(&http, &farm, n).await?;
        polls.push(began.elapsed());
        in_vain = if offered.is_empty() { in_vain + 1 } else { 0 };
        for job in offered {
            let worker = Worker::new(farm.url(n), &farm.worker, job.id, 8).over(http.clone());
            times.add(worker.run(course.clone()).await?);
        }
    }
    Ok((polls, times))
}

/// What is not as it should be with the jobs that were made.
async fn unsound(farm: &Farm, jobs: i64) -> anyhow::Result<Vec<String>> {
    let mut faults = Vec::new();
    let (mut seen, mut saved) = (0, 0);
    loop {
        let filter = JobFilter {
            project_id: Some(farm.project),
            ..Default::default()
        };
        let (page, _) = farm.store.jobs(&filter, 500, seen).await?;
        if page.is_empty() {
            break;
        }
        seen += page.len() as u64;
        for job in &page {
            let audit = farm.store.audit(job).await?;
            saved += i64::try_from(audit.done)?;
            faults.extend(audit.faults(Some(1)));
            if job.job_state() != JobState::Success {
                faults.push(format!("job {} ended as {}", job.id, job.state));
            }
        }
    }
    println!("jobs                 {seen} ended, {saved} images saved");
    if saved != jobs {
        faults.push(format!("{jobs} images must be saved"));
    }
    faults.truncate(10);
    Ok(faults)
}
