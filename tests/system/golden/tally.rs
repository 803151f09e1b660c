//! How many pairs hold, folder by folder and over all, and what must. The idea: a pair holds, or
//! each of its differences stands in the table of differences, or the test fails.

use std::collections::{BTreeMap, BTreeSet};

use store::testing::Fresh;

use super::compare::Difference;
use super::known;
use super::replay::Outcome;

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

/// What was found in one database.
pub struct Tally {
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
    /// What the table of differences explains.
    known: Vec<(String, Difference)>,
}

impl Folder {
    fn share(&self) -> f64 {
        let all = self.holds + self.explained + self.differs.len();
        100.0 * self.holds as f64 / all.max(1) as f64
    }
}

impl Tally {
    pub fn new() -> Tally {
        Tally {
            folders: BTreeMap::new(),
            known: known::lines(),
            used: BTreeSet::new(),
        }
    }

    pub fn add(&mut self, folder: &'static str, step: &str, outcome: Outcome) {
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
                    if line.is_some() {
                        folder.known.push((step.to_owned(), difference.clone()));
                    }
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

    /// Tells each folder's share and the share of all, then what differs; where a prefix of names
    /// is wanted, also what is explained.
    pub fn print(&self, fresh: &Fresh, wanted: Option<&str>) {
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
        let explained = self.folders.values().flat_map(|folder| &folder.known);
        for (step, difference) in explained {
            if wanted.is_some_and(|wanted| step.starts_with(wanted)) {
                println!("{kind} explained {step}: {}: {}", difference.at, difference.what);
            }
        }
        for (step, found) in self.folders.values().flat_map(|folder| &folder.differs) {
            for difference in found.iter().take(40) {
                println!("{kind} {step}: {}: {}", difference.at, difference.what);
            }
        }
    }

    pub fn judge(&self) {
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
