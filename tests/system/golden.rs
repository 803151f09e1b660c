//! The golden replay: the recorded requests of the reference platform against the real router, on
//! an installation built from the same tables. Runs where `HAWKMOTH_GOLDEN_DIR` names the folder
//! of recordings; every difference must stand in `docs/compatibility.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use store::testing::{self, Fresh};

mod compare;
mod known;
mod recording;
mod replay;
mod sheet;
mod tables;
mod unwritten;

use compare::Difference;
use recording::Step;
use replay::{Outcome, Replay};

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

/// People and jobs, in the order in which they were recorded.
const JOBS: &[Part] = &[
    part("auth", "13:14:59.999"),
    part("format", "13:15:12.999"),
    part("browsable", "13:15:12.999"),
    part("jobs-options", "13:15:12.999"),
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

/// All other resources.
const RESOURCES: &[Part] = &[
    part("projects", "13:39:09.999"),
    part("deployments", "13:39:14"),
    part("sites", "13:39:17"),
    part("devices", "13:39:18.5"),
    part("storage", "13:39:21"),
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
    part("events", "13:39:39"),
    part("taxa", "13:39:39"),
    part("members", "13:39:39"),
    part("pages", "13:39:39"),
    part("status", "13:39:39"),
];

/// Least share of the pairs of a folder that must hold, in per cent; what does not must stand in
/// the table of differences. Folders that are not named here are only told.
const FLOORS: &[(&str, f64)] = &[
    ("auth", 98.0),
    ("format", 70.0),
    ("browsable", 100.0),
    ("jobs-create", 96.0),
    ("jobs-update", 95.0),
    ("jobs-list", 96.5),
    ("jobs-detail", 97.0),
    ("jobs-options", 100.0),
    ("jobs-actions", 84.0),
    ("jobs-roles", 93.0),
    ("jobs-async", 70.0),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_and_people_answer_as_recorded() {
    replay(JOBS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_resources_answer_as_recorded() {
    replay(RESOURCES).await;
}

async fn replay(parts: &[Part]) {
    let Some(root) = std::env::var_os("HAWKMOTH_GOLDEN_DIR").filter(|dir| !dir.is_empty()) else {
        eprintln!("*** HAWKMOTH_GOLDEN_DIR is not set: the golden replay is skipped ***");
        return;
    };
    let root = PathBuf::from(root);
    let wanted = std::env::var("HAWKMOTH_GOLDEN_ONLY").unwrap_or_default();
    let databases = testing::fresh().await;
    let tallies = databases.iter().map(|fresh| run(&root, parts, fresh));
    let tallies = join_all(tallies).await;
    for (fresh, tally) in databases.iter().zip(&tallies) {
        tally.print(fresh, &wanted);
    }
    tallies.iter().for_each(Tally::judge);
}

async fn run(root: &Path, parts: &[Part], fresh: &Fresh) -> Tally {
    let mut tally = Tally::new();
    let mut replay = Replay::start(fresh, root).await;
    for part in parts {
        replay.reach(instant(part.at)).await;
        replay.make_jobs(part.folder).await;
        let number = |step: &Step| -> usize {
            let name = step.name.rsplit('/').next().unwrap_or_default();
            name.split('-')
                .next()
                .and_then(|n| n.parse().ok())
                .unwrap_or(0)
        };
        for step in recording::folder(root, part.folder) {
            if (part.from..=part.to).contains(&number(&step)) {
                let outcome = replay.step(&step).await;
                tally.add(part.folder, &step.name, outcome);
            }
        }
    }
    tally
}

fn instant(time: &str) -> DateTime<Utc> {
    format!("2026-11-23T{time}Z").parse().unwrap()
}

struct Tally {
    folders: BTreeMap<&'static str, Folder>,
    known: Vec<known::Line>,
    /// Lines of the table that explained something.
    used: BTreeSet<usize>,
}

#[derive(Default)]
struct Folder {
    holds: usize,
    explained: usize,
    faults: usize,
    differs: Vec<(String, Vec<Difference>)>,
}

impl Folder {
    fn share(&self) -> f64 {
        let all = self.holds + self.explained + self.differs.len();
        100.0 * self.holds as f64 / all.max(1) as f64
    }
}

impl Tally {
    fn new() -> Tally {
        Tally {
            folders: BTreeMap::new(),
            known: known::lines(),
            used: BTreeSet::new(),
        }
    }

    fn add(&mut self, folder: &'static str, step: &str, outcome: Outcome) {
        let (known, used) = (&self.known, &mut self.used);
        let folder = self.folders.entry(folder).or_default();
        match outcome {
            Outcome::Holds => folder.holds += 1,
            Outcome::Fault => folder.faults += 1,
            Outcome::Differs(mut found) => {
                found.retain(|difference| {
                    let line = known
                        .iter()
                        .position(|line| line.explains(step, difference));
                    used.extend(line);
                    line.is_none()
                });
                if found.is_empty() {
                    folder.explained += 1;
                } else {
                    folder.differs.push((step.to_owned(), found));
                }
            }
        }
    }

    fn print(&self, fresh: &Fresh, wanted: &str) {
        let kind = fresh.url.split(':').next().unwrap_or_default();
        for (name, folder) in &self.folders {
            println!(
                "{kind} {name:20} holds {:4}  explained {:3}  differs {:3}  faults {:2}  {:5.1} %",
                folder.holds,
                folder.explained,
                folder.differs.len(),
                folder.faults,
                folder.share(),
            );
        }
        for (n, line) in self.known.iter().enumerate() {
            let replayed = self.folders.keys().any(|name| line.is_about(name));
            if replayed && !self.used.contains(&n) {
                println!("{kind} no longer differs: {line}");
            }
        }
        for (step, found) in self.folders.values().flat_map(|folder| &folder.differs) {
            for difference in found.iter().filter(|_| step.starts_with(wanted)).take(6) {
                println!("{kind} {step}: {}: {}", difference.at, difference.what);
            }
        }
    }

    fn judge(&self) {
        for (name, least) in FLOORS {
            let Some(folder) = self.folders.get(name) else {
                continue;
            };
            assert!(
                folder.share() >= *least,
                "{name} holds {:.1} %",
                folder.share()
            );
            let unexplained: Vec<&String> = folder.differs.iter().map(|(step, _)| step).collect();
            assert!(
                unexplained.is_empty(),
                "not in docs/compatibility.md: {unexplained:?}"
            );
        }
    }
}
