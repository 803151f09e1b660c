//! `hawkmoth bench drain`: workers empty a job over HTTP with answers that are ready beforehand,
//! so that what is measured is the server. Beside it, in the same run on the same file, the bare
//! database writes the same rows.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use store::capture::NewCapture;
use store::job::Job;
use store::testing::bare;

use super::cost::Cost;
use super::farm::Farm;
use crate::settings::BenchDrain;

pub mod course;
pub mod worker;

use course::Course;

/// Measures and prints.
///
/// # Errors
/// What cannot be made, and counts that are not exact.
pub async fn run(settings: &BenchDrain) -> anyhow::Result<()> {
    let farm = Farm::new(&settings.ground).await?;
    let folder = farm.photographs();
    let began = Instant::now();
    let bare = farm
        .station(
            "Bare",
            &folder,
            captures("b", 2 * (settings.bare + settings.batch)),
        )
        .await?;
    let bare = farm.job(&bare).await?;
    let station = farm
        .station("Drain", &folder, captures("d", settings.images))
        .await?;
    let made = began.elapsed();
    let before = bare_rate(&farm, &bare, settings).await?;

    let began = Instant::now();
    let job = farm.job(&station).await?;
    let fed = began.elapsed();
    let (server, own) = (Cost::of_all(&farm.processes()), Cost::own());
    let course = Arc::new(Course::new(settings.images, farm.processes()));
    let workers: Vec<_> = (0..settings.clients)
        .map(|n| {
            let worker =
                worker::Worker::new(farm.url(n as usize), &farm.worker, job.id, settings.batch);
            tokio::spawn(worker.run(course.clone()))
        })
        .collect();
    let mut times = worker::Times::default();
    for worker in workers {
        times.add(worker.await??);
    }
    let ended = farm.ended(job.id).await?;
    let took = course.took();
    let (server_after, own_after) = (Cost::of_all(&farm.processes()), Cost::own());
    let after = bare_rate(&farm, &bare, settings).await?;
    let audit = farm.store.audit(&ended).await?;

    let images = f64::from(settings.images);
    let rate = images / took.as_secs_f64();
    let bare = before.zip(after);
    println!(
        "{} images, {} workers fetching {}, {}{}, {}",
        settings.images,
        settings.clients,
        settings.batch,
        if farm.store.is_sqlite() {
            "SQLite"
        } else {
            "PostgreSQL"
        },
        if settings.ground.nats_url.is_some() {
            " and JetStream"
        } else {
            ""
        },
        match settings.ground.processes {
            1 => "one process".to_owned(),
            n => format!("{n} web and {n} worker processes"),
        }
    );
    println!(
        "captures made in     {:.1} s, fed in {:.1} s",
        made.as_secs_f64(),
        fed.as_secs_f64()
    );
    println!(
        "end to end           {rate:.0} images/s ({:.1} s)",
        took.as_secs_f64()
    );
    if let Some((before, after)) = bare {
        let bare = (before + after) / 2.0;
        println!("bare database        {bare:.0} images/s ({before:.0} before, {after:.0} after)");
        println!("share of it          {:.2}", rate / bare);
    }
    println!("by tenths            {}", course.rates());
    println!("tasks                {}", worker::spread(&mut times.tasks));
    println!(
        "result               {}",
        worker::spread(&mut times.results)
    );
    cpu("server", server, server_after, images);
    cpu("workers", own, own_after, images);
    println!("server's memory      {}", course.memory());
    farm.say_memory();
    println!(
        "job                  {}: {} saved, {} failed, {} detections, {} classifications",
        ended.state, audit.done, audit.failed, audit.detections, audit.classifications
    );
    let removed = farm.remove().await;
    let faults = audit.faults(Some(settings.images.into()));
    ensure!(
        faults.is_empty(),
        "the counts are not exact: {}",
        faults.join("; ")
    );
    removed
}

/// Captures without photographs: workers of this measurement do not look at them.
fn captures(prefix: &'static str, count: u32) -> impl Iterator<Item = NewCapture> {
    (0..count).map(move |i| NewCapture {
        path: format!("{prefix}{i:08}.jpg"),
        width: Some(4096),
        height: Some(2160),
        ..Default::default()
    })
}

/// Images a second that the bare database leases and saves; none where the tasks lie elsewhere.
async fn bare_rate(farm: &Farm, job: &Job, settings: &BenchDrain) -> anyhow::Result<Option<f64>> {
    if settings.ground.nats_url.is_some() {
        return Ok(None);
    }
    let algorithms = farm.store.algorithms_of(farm.pipeline).await?;
    let by_key = |key: &str| algorithms.iter().find(|a| a.key == key).map(|a| a.id);
    let canned = bare::Canned {
        detector: by_key("boxes").unwrap_or_default(),
        classifier: by_key("names").unwrap_or_default(),
        taxon: store::testing::taxon(&farm.store, "Vanessa atalanta").await,
    };
    bare::open(&farm.store, job).await?;
    let began = Instant::now();
    let mut saved = 0;
    while saved < settings.bare as usize {
        let more = bare::lease_and_save(&farm.store, job, settings.batch, canned).await?;
        ensure!(more > 0, "the images for the bare database are used up");
        saved += more;
    }
    Ok(Some(saved as f64 / began.elapsed().as_secs_f64()))
}

fn cpu(whose: &str, before: Option<Cost>, after: Option<Cost>, images: f64) {
    if let Some((before, after)) = before.zip(after) {
        let spent: Duration = after.cpu.saturating_sub(before.cpu);
        let each = spent.as_micros() as f64 / images;
        println!(
            "{:<20} {:.1} s of a processor, {each:.0} µs an image",
            format!("{whose}' time").replace("server'", "server's"),
            spent.as_secs_f64()
        );
    }
}
