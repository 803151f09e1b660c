//! `hawkmoth bench pull`: workers that follow the reference's own to the letter, run against a
//! live server; some photographs are broken, some posts are lost and some sent twice, and the
//! counts at the end must be exact.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use domain::state::JobState;
use store::capture::NewCapture;

use super::farm::{Farm, PIPELINE};
use crate::settings::BenchPull;

mod luck;
mod servers;
mod worker;

use worker::{Seen, Worker};

/// Works for the server that is named, or starts one with a job and watches it to its end.
///
/// # Errors
/// What cannot be made, and counts that are not exact.
pub async fn run(settings: &BenchPull) -> anyhow::Result<()> {
    let token = settings.token.as_ref();
    let Some(token) = token.filter(|_| !settings.server.is_empty()) else {
        return alone(settings).await;
    };
    let servers = settings.server.iter();
    let servers = servers.map(|url| url.as_str().trim_end_matches('/').to_owned());
    let servers: Vec<String> = servers.collect();
    let began = Instant::now();
    let seen = work(settings, &servers, token, &settings.pipelines).await?;
    say(&seen, began.elapsed());
    Ok(())
}

/// Runs all workers; what they saw together.
async fn work(
    settings: &BenchPull,
    servers: &[String],
    token: &str,
    pipelines: &[String],
) -> anyhow::Result<Seen> {
    let workers: Vec<_> = (0..settings.clients)
        .map(|number| {
            let worker = Worker::new(settings, servers, token, pipelines, number);
            tokio::spawn(worker.run(settings.idle))
        })
        .collect();
    let mut seen = Seen::default();
    for worker in workers {
        seen.add(&worker.await?);
    }
    Ok(seen)
}

fn say(seen: &Seen, took: Duration) {
    println!("polls                {}", seen.polls);
    println!("images fetched       {}", seen.fetched);
    println!("failed to load       {}", seen.broken);
    println!(
        "posts                {} ({} whose answer was lost, posted again; {} sent twice)",
        seen.posts, seen.lost, seen.twice
    );
    println!("batches given up     {}", seen.dropped);
    println!("faults of the server {}", seen.faults);
    println!("took                 {:.1} s", took.as_secs_f64());
}

/// A server of one's own.
async fn alone(settings: &BenchPull) -> anyhow::Result<()> {
    let farm = Farm::new(&settings.ground).await?;
    let folder = farm.photographs();
    let is_broken = |i: u32| luck::of_hundred(settings.seed, u64::from(i), settings.broken);
    let broken = (0..settings.images).filter(|i| is_broken(*i)).count();
    photographs(&folder, settings.images, is_broken)?;
    let station = farm
        .station("Pull", &folder, captures(settings.images))
        .await?;
    let job = farm.job(&station).await?;
    let began = store::now();
    let pipelines = [PIPELINE.to_owned()];
    let servers = [farm.url(0).to_owned()];
    let seen = work(settings, &servers, &farm.worker, &pipelines).await?;
    let ended = farm.ended(job.id).await?;
    // Without the polls at the end that bring nothing.
    let took = ended.finished_at.unwrap_or_else(store::now) - began;
    let took = took.to_std().unwrap_or_default();
    let audit = farm.store.audit(&ended).await?;
    let failures = farm
        .store
        .failures(&ended, u64::from(settings.images), 0)
        .await?;
    println!(
        "{} images, {broken} of them broken; {} workers fetching {}",
        settings.images, settings.clients, settings.batch
    );
    say(&seen, took);
    println!(
        "job                  {}: {} saved, {} failed, {} detections, {} classifications",
        ended.state, audit.done, audit.failed, audit.detections, audit.classifications
    );
    let mut faults = audit.faults(Some(settings.images.into()));
    let good = u64::from(settings.images) - broken as u64;
    let expected = [audit.done, audit.detections, audit.classifications];
    if expected != [good; 3] || audit.failed != broken as u64 {
        faults.push(format!("{good} must be saved, {broken} must have failed"));
    }
    if ended.job_state() != JobState::Success {
        faults.push(format!("the job ended as {}", ended.state));
    }
    faults.extend(seen.oddities.iter().cloned());
    let paths = farm.store.captures_by_id(&ids(&failures)).await?;
    for capture in &paths {
        let number = capture.path.trim_end_matches(".jpg").parse();
        if !number.is_ok_and(is_broken) {
            faults.push(format!("{} failed and is not broken", capture.path));
        }
    }
    let removed = farm.remove().await;
    ensure!(faults.is_empty(), "not exact: {}", faults.join("; "));
    removed
}

fn ids(failures: &[store::result::Failure]) -> Vec<i64> {
    failures.iter().map(|failure| failure.capture).collect()
}

fn captures(count: u32) -> impl Iterator<Item = NewCapture> {
    (0..count).map(|i| NewCapture {
        path: format!("{i:06}.jpg"),
        width: Some(64),
        height: Some(48),
        ..Default::default()
    })
}

/// Small photographs; of the broken ones some are missing and some hold no picture.
fn photographs(folder: &Path, count: u32, is_broken: impl Fn(u32) -> bool) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut sheet = std::io::Cursor::new(Vec::new());
    let picture = image::DynamicImage::new_rgb8(64, 48);
    picture
        .write_to(&mut sheet, image::ImageFormat::Jpeg)
        .context("a photograph cannot be drawn")?;
    let sheet = sheet.into_inner();
    for i in 0..count {
        let file = folder.join(format!("{i:06}.jpg"));
        match is_broken(i) {
            false => std::fs::write(file, &sheet)?,
            true if i % 2 == 0 => std::fs::write(file, &sheet[..sheet.len() / 3])?,
            true => {}
        }
    }
    Ok(())
}
