//! One run: both jobs start, then whoever chance picks is killed and started again until both
//! have ended. Then the books must agree, and what failed is tried again in peace: every image is
//! saved, once.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use domain::state::JobState;
use futures_util::FutureExt;
use reqwest::Method;
use serde_json::json;
use store::job::Job;
use store::testing;

use super::luck::Luck;
use super::network::Network;
use super::world::{IMAGES, World};

/// How long things are torn at; then the network is calm and nobody is killed.
const STORM: Duration = Duration::from_secs(15);
/// Nothing may take longer.
const PATIENCE: Duration = Duration::from_secs(180);
/// A request that the network sends again comes no later.
const LATEST: Duration = Duration::from_millis(3500);

/// What was done in all runs.
#[derive(Debug, Default)]
pub struct Totals {
    runs: u64,
    kills: std::collections::BTreeMap<&'static str, u64>,
    requests: u64,
    cut: u64,
    unanswered: u64,
    twice: u64,
    late: u64,
    cancels: u64,
    failed: u64,
    saved: u64,
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kills: Vec<String> = self
            .kills
            .iter()
            .map(|(who, n)| format!("{who} {n}"))
            .collect();
        write!(
            f,
            "{} runs: kills: {}; {} requests: {} cut, {} without their answer, {} sent twice, {} \
             again later; {} jobs cancelled; {} images were not saved at first and were retried, {} saved at last",
            self.runs,
            kills.join(", "),
            self.requests,
            self.cut,
            self.unanswered,
            self.twice,
            self.late,
            self.cancels,
            self.failed,
            self.saved
        )
    }
}

impl Totals {
    fn add(&mut self, world: &World) {
        self.runs += 1;
        for process in &world.processes {
            *self.kills.entry(process.name).or_default() += process.kills;
        }
        for faults in world.networks.iter().map(Network::faults) {
            let read = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed);
            self.requests += read(&faults.requests);
            self.cut += read(&faults.cut);
            self.unanswered += read(&faults.unanswered);
            self.twice += read(&faults.twice);
            self.late += read(&faults.late);
        }
    }
}

/// Runs with this seed. Where a promise is broken, everything is left where it is.
pub async fn run(seed: u64, totals: &mut Totals) {
    let mut databases = testing::fresh().await;
    let fresh = databases.swap_remove(seed as usize % databases.len());
    drop(databases);
    let folder = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let told = AssertUnwindSafe(torn(seed, &fresh, folder.path(), totals)).catch_unwind();
    match told.await {
        Ok(told) => println!(
            "seed {seed}: {told}, {:.0} s",
            began.elapsed().as_secs_f64()
        ),
        Err(panic) => {
            println!(
                "SEED {seed} FAILED; see {} and {}",
                folder.keep().display(),
                fresh.url
            );
            std::mem::forget(fresh);
            std::panic::resume_unwind(panic);
        }
    }
}

async fn torn(
    seed: u64,
    fresh: &testing::Fresh,
    folder: &std::path::Path,
    totals: &mut Totals,
) -> String {
    let mut luck = Luck::new(seed);
    let mut world = World::new(fresh, folder, &mut luck).await;
    let cancels = seed % 4 == 3;
    storm(&mut world, &mut luck, cancels).await;
    totals.cancels += 2 * u64::from(cancels);
    let mut told = Vec::new();
    for which in 0..2 {
        let job = world.store.job(world.jobs[which]).await.unwrap();
        agrees(&world, &job, cancels).await;
        let first = job.state.clone();
        let (job, failed) = in_peace(&world, job).await;
        totals.failed += failed;
        totals.saved += IMAGES as u64;
        told.push(format!(
            "{first}, {} saved at last",
            job.total.unwrap_or_default()
        ));
    }
    tokio::time::sleep(LATEST).await;
    testing::until_counted(&world.store).await;
    for which in 0..2 {
        let job = world.store.job(world.jobs[which]).await.unwrap();
        assert_eq!(
            job.job_state(),
            JobState::Success,
            "late posts change nothing"
        );
        agrees(&world, &job, false).await;
        counters_are_true(&world, world.stations[which]).await;
    }
    totals.add(&world);
    let kills: u64 = world.processes.iter().map(|p| p.kills).sum();
    let kind = if fresh.store.is_sqlite() {
        "SQLite"
    } else {
        "PostgreSQL"
    };
    format!("{kind}, {kills} kills, pull {}, push {}", told[0], told[1])
}

/// Kills and starts again until both jobs have ended.
async fn storm(world: &mut World, luck: &mut Luck, cancels: bool) {
    let began = Instant::now();
    let cancel_at = luck.millis(1000, 6000);
    let mut cancelled = !cancels;
    loop {
        let mut ended = 0;
        for id in world.jobs {
            let job = world.store.job(id).await.unwrap();
            ended += usize::from(job.job_state().is_final());
            let waits = began.elapsed() > PATIENCE;
            assert!(
                !waits || job.job_state().is_final(),
                "job {id} hangs: {}",
                job.state
            );
        }
        if ended == 2 {
            break;
        }
        world
            .processes
            .iter_mut()
            .for_each(|process| process.must_live());
        if !cancelled && began.elapsed() > cancel_at {
            cancel(world).await;
            cancelled = true;
        }
        if began.elapsed() > STORM {
            world.networks.iter().for_each(Network::calm_down);
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        }
        tokio::time::sleep(luck.millis(100, 700)).await;
        let mut victims = vec![luck.below(world.processes.len())];
        if luck.of_hundred(20) {
            victims.push(luck.below(world.processes.len()));
        }
        victims.dedup();
        victims.iter().for_each(|victim| world.kill(*victim));
        tokio::time::sleep(luck.millis(0, 600)).await;
        victims
            .iter()
            .for_each(|victim| world.processes[*victim].start());
    }
    world.networks.iter().for_each(Network::calm_down);
}

/// After the answer to a cancel nothing is handed out.
async fn cancel(world: &World) {
    for (which, id) in world.jobs.into_iter().enumerate() {
        let path = format!("jobs/{id}/cancel/");
        world.must(Method::POST, &path, json!({})).await;
        if which == 0 {
            let path = format!("jobs/{id}/tasks/");
            let tasks = world
                .must(Method::POST, &path, json!({"batch_size": 8}))
                .await;
            assert_eq!(tasks["tasks"], json!([]), "handed out after a cancel");
        }
    }
}

/// Rows, counters and what was written say the same.
async fn agrees(world: &World, job: &Job, cancelled: bool) {
    let audit = world.store.audit(job).await.unwrap();
    let total = (!cancelled).then_some(IMAGES as i64);
    let faults = audit.faults(total);
    assert!(
        faults.is_empty(),
        "job {}: {}: {faults:?}",
        job.id,
        job.state
    );
}

/// What was not saved is asked for again now that nothing is torn at; how many that were.
async fn in_peace(world: &World, mut job: Job) -> (Job, u64) {
    let mut failed = 0;
    for _ in 0..3 {
        let audit = world.store.audit(&job).await.unwrap();
        if job.job_state() == JobState::Success && audit.failed == 0 {
            let each = audit.detections / IMAGES as u64;
            assert_eq!(audit.done, IMAGES as u64);
            assert_eq!(
                audit.detections,
                each * IMAGES as u64,
                "each image as often"
            );
            assert!(each > 0, "there is something to lose");
            return (job, failed);
        }
        failed += IMAGES as u64 - audit.done;
        world
            .store
            .service_seen(world.service, true, 0.01)
            .await
            .unwrap();
        let path = format!("jobs/{}/retry/", job.id);
        world.must(Method::POST, &path, json!({})).await;
        let began = Instant::now();
        loop {
            job = world.store.job(job.id).await.unwrap();
            if job.job_state().is_final() {
                break;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "job {} hangs in peace: {}",
                job.id,
                job.state
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    panic!("job {} does not succeed in peace: {}", job.id, job.state);
}

/// A recount changes nothing.
async fn counters_are_true(world: &World, station: i64) {
    let store = &world.store;
    let shown = async || {
        let s = store.station(station).await.unwrap();
        (
            s.captures_count,
            s.detections_count,
            s.occurrences_count,
            s.taxa_count,
        )
    };
    let before = shown().await;
    let scope = store::capture::Scope::Station(station);
    let ids = store
        .capture_ids_after(&scope, i64::MIN, 10_000)
        .await
        .unwrap();
    let captures = async || {
        let rows = store.captures_by_id(&ids).await.unwrap();
        let mut counts: Vec<_> = rows
            .iter()
            .map(|c| (c.id, c.detections_count, c.boxes_count))
            .collect();
        counts.sort_unstable();
        counts
    };
    let counted = captures().await;
    store.recount_captures(&ids).await.unwrap();
    assert_eq!(captures().await, counted, "counters of captures");
    store.refresh_station(station).await.unwrap();
    assert_eq!(shown().await, before, "counters of the station");
}
