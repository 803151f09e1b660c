//! The golden replay: the recorded requests of the reference platform against the real router, on
//! an installation built from the same tables. Runs where `HAWKMOTH_GOLDEN_DIR` names the folder
//! of recordings; every difference must stand in `docs/compatibility.md`.

use std::path::{Path, PathBuf};

use futures_util::future::join_all;
use store::testing::{self, Fresh};

mod bucket;
mod compare;
mod earlier;
mod imported;
mod known;
mod left;
mod recorder;
mod recording;
mod replay;
mod request;
mod service;
mod sheet;
mod since;
mod tables;
mod tally;
mod unwritten;
mod verdict;

use imported::Antenna;
use recording::Step;
use replay::Replay;
use tally::Tally;

/// A stretch of the recording: a folder, which of its files, and when it began.
struct Part {
    folder: &'static str,
    from: usize,
    to: usize,
    at: &'static str,
}

const fn part(folder: &'static str, at: &'static str) -> Part {
    span(folder, 1, usize::MAX, at)
}

const fn span(folder: &'static str, from: usize, to: usize, at: &'static str) -> Part {
    Part {
        folder,
        from,
        to,
        at,
    }
}

/// People, jobs and the registration of pipelines, in the order in which they were recorded.
const JOBS: &[Part] = &[
    part("auth", "13:14:59.999"),
    span("projects", 1, 5, "13:15:00"),
    part("format", "13:15:12.999"),
    part("browsable", "13:15:12.999"),
    part("jobs-options", "13:15:12.999"),
    span("projects", 6, 15, "13:17:08.8"),
    part("jobs-create", "13:17:08.999"),
    part("jobs-list", "13:17:13.999"),
    part("jobs-detail", "13:17:13.999"),
    part("jobs-update", "13:18:39.999"),
    part("jobs-actions", "13:18:41.999"),
    span("jobs-series", 1, 16, "13:24:26.999"),
    span("jobs-series", 17, 27, "13:24:56.27"),
    part("jobs-async", "13:25:47.999"),
    span("jobs-series", 28, usize::MAX, "13:35:49.999"),
    part("jobs-roles", "13:36:12.999"),
];

/// All other resources. Sessions were asked for before uploads made new ones.
const RESOURCES: &[Part] = &[
    span("projects", 16, usize::MAX, "13:39:09.999"),
    part("deployments", "13:39:14"),
    part("sites", "13:39:17"),
    part("devices", "13:39:18.5"),
    part("storage", "13:39:21"),
    part("events", "13:39:23"),
    part("captures", "13:39:30"),
    part("collections", "13:39:33"),
    part("captures-upload", "13:39:34.9"),
    part("ml", "13:39:39"),
    part("ml-algorithms", "13:39:39"),
    part("ml-labels", "13:39:39"),
    part("processing-services", "13:39:39"),
    part("occurrences", "13:39:39"),
    part("detections", "13:39:39"),
    part("classifications", "13:39:39"),
    part("identifications", "13:39:39"),
    part("taxa", "13:39:39"),
    part("members", "13:39:39"),
    part("pages", "13:39:39"),
    part("status", "13:39:39"),
];

/// What all folders together hold at least, in percent of the pairs that are no named fault.
const ALL: f64 = 95.0;
/// The same after an import, and folders that hold less then: `docs/migrating-from-antenna.md` says why.
const ALL_IMPORTED: f64 = 93.5;
const IMPORTED: &[(&str, f64)] = &[
    ("captures", 84.0),
    ("collections", 84.0),
    ("deployments", 68.0),
    ("members", 70.0),
];

/// The folder of recordings, or none with a word where it is not named.
fn recordings() -> Option<PathBuf> {
    let root = std::env::var_os("HAWKMOTH_GOLDEN_DIR").filter(|dir| !dir.is_empty());
    if root.is_none() {
        testing::left_out("HAWKMOTH_GOLDEN_DIR is not set: the golden replay is LEFT OUT");
    }
    root.map(PathBuf::from)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_answers_as_recorded() {
    let Some(root) = recordings() else { return };
    let (jobs, others) = (testing::fresh().await, testing::fresh().await);
    let both = jobs.iter().zip(&others).map(|(jobs, others)| async {
        let mut tally = Tally::new(known::lines());
        run(&root, JOBS, true, jobs, None, &mut tally).await;
        run(&root, RESOURCES, false, others, None, &mut tally).await;
        tally
    });
    let tallies = join_all(both).await;
    judge(&jobs, &tallies, &[], ALL);
}

/// The same pairs, where every row came by `import antenna`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_imported_installation_answers_as_recorded() {
    let Some(root) = recordings() else { return };
    let (jobs, others) = (testing::fresh().await, testing::fresh().await);
    let root = root.as_path();
    let both = jobs.iter().zip(&others).map(|(jobs, others)| async move {
        let mut tally = Tally::new(known::lines_after_import());
        for (parts, workers, fresh) in [(JOBS, true, jobs), (RESOURCES, false, others)] {
            let world = Antenna::new(root).await?;
            run(root, parts, workers, fresh, Some(world), &mut tally).await;
        }
        Some(tally)
    });
    let tallies: Option<Vec<Tally>> = join_all(both).await.into_iter().collect();
    if let Some(tallies) = tallies {
        judge(&jobs, &tallies, IMPORTED, ALL_IMPORTED);
    }
}

/// Every recorded GET, asked of an installation imported from the tables as they were left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn imported_rows_answer_as_recorded() {
    let Some(root) = recordings() else { return };
    let wanted = std::env::var("HAWKMOTH_GOLDEN_ONLY").ok();
    for fresh in testing::fresh().await {
        let Some(found) = left::ask(&root, &fresh).await else {
            return;
        };
        found.print(&fresh, wanted.as_deref());
        found.judge();
    }
}

fn judge(databases: &[Fresh], tallies: &[Tally], lower: &[(&str, f64)], all: f64) {
    let wanted = std::env::var("HAWKMOTH_GOLDEN_ONLY").ok();
    for (fresh, tally) in databases.iter().zip(tallies) {
        tally.print(fresh, wanted.as_deref());
    }
    for tally in tallies {
        tally.judge(lower, all);
    }
}

/// Replays these parts over one database, with or without somebody who runs jobs.
async fn run(
    root: &Path,
    parts: &[Part],
    workers: bool,
    fresh: &Fresh,
    world: Option<Antenna>,
    tally: &mut Tally,
) {
    let mut replay = Replay::start(fresh, root, workers, world).await;
    for part in parts {
        replay.reach(earlier::at(part.at)).await;
        replay.make_jobs(part.folder).await;
        for step in recording::folder(root, part.folder) {
            if (part.from..=part.to).contains(&number(&step)) {
                let outcome = replay.step(&step).await;
                tally.add(part.folder, &step.name, outcome);
            }
        }
    }
}

/// `18` of `jobs-list/018-limit-2`.
fn number(step: &Step) -> usize {
    let file = step.name.rsplit('/').next().unwrap_or_default();
    let digits = file.split('-').next().unwrap_or_default();
    digits.parse().unwrap_or(0)
}
