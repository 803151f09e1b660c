//! How many pairs hold, folder by folder and over all, and what must. The idea: a pair holds, or
//! each of its differences stands in the table of differences, or the test fails.

use std::collections::{BTreeMap, BTreeSet};

use store::testing::Fresh;

use super::compare::Difference;
use super::known;
use super::replay::Outcome;

/// Least share of the pairs of a folder that must hold, in per cent, where it is less than
/// [`DEFAULT`]. What does not hold must stand in the table of differences.
const FLOORS: &[(&str, f64)] = &[
    ("captures-upload", 89.0),
    ("detections", 65.0),
    ("deployments", 89.0),
    ("events", 61.0),
    ("format", 70.0),
    ("jobs-actions", 84.0),
    ("jobs-async", 76.0),
    // Most of its pairs list the formats of exports, which are more here.
    ("jobs-options", 30.0),
    ("jobs-roles", 93.0),
    ("jobs-series", 72.0),
    ("members", 90.0),
    ("processing-services", 93.0),
    ("projects", 92.0),
    ("status", 50.0),
    ("storage", 97.0),
];

/// Least share of a folder that is not named above.
const DEFAULT: f64 = 94.0;

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
    /// The recorded answer is a fault that `do-not-copy.md` names.
    named: usize,
    /// The reference answered with 500.
    faults: usize,
    differs: Vec<(String, Vec<Difference>)>,
    /// What the table of differences explains.
    known: Vec<(String, Difference)>,
}

impl Folder {
    /// Those of which something holds or should.
    fn pairs(&self) -> usize {
        self.holds + self.explained + self.named + self.differs.len()
    }

    fn share(&self) -> f64 {
        share(self.holds, self.pairs())
    }
}

fn share(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}

impl Tally {
    /// An empty one, with the differences that are explained.
    pub fn new(known: Vec<known::Line>) -> Tally {
        Tally {
            folders: BTreeMap::new(),
            known,
            used: BTreeSet::new(),
        }
    }

    pub fn add(&mut self, folder: &'static str, step: &str, outcome: Outcome) {
        let folder = self.folders.entry(folder).or_default();
        let found = match outcome {
            Outcome::Holds => {
                folder.holds += 1;
                return;
            }
            Outcome::Fault => {
                folder.faults += 1;
                return;
            }
            Outcome::Differs(found) => found,
        };
        let mut open = Vec::new();
        let mut faults = true;
        for difference in found {
            let line = self
                .known
                .iter()
                .position(|l| l.explains(step, &difference));
            let Some(line) = line else {
                open.push(difference);
                continue;
            };
            self.used.insert(line);
            faults &= self.known[line].fault;
            folder.known.push((step.to_owned(), difference));
        }
        match (open.is_empty(), faults) {
            (false, _) => folder.differs.push((step.to_owned(), open)),
            (true, true) => folder.named += 1,
            (true, false) => folder.explained += 1,
        }
    }

    fn sum(&self, count: fn(&Folder) -> usize) -> usize {
        self.folders.values().map(count).sum()
    }

    /// The share of what holds among the pairs that are no named fault.
    fn sound_share(&self) -> f64 {
        let sound = self.sum(Folder::pairs) - self.sum(|f| f.named);
        share(self.sum(|f| f.holds), sound)
    }

    /// Tells each folder's share and the share of all, then what differs; where a prefix of names
    /// is wanted, also what is explained.
    pub fn print(&self, fresh: &Fresh, wanted: Option<&str>) {
        let kind = fresh.url.split(':').next().unwrap_or_default();
        for (name, folder) in &self.folders {
            println!(
                "{kind} {name:20} holds {:4}  explained {:3}  named faults {:2}  differs {:3}  \
                 500s {:2}  {:5.1} %",
                folder.holds,
                folder.explained,
                folder.named,
                folder.differs.len(),
                folder.faults,
                folder.share(),
            );
        }
        let (holds, pairs) = (self.sum(|f| f.holds), self.sum(Folder::pairs));
        println!(
            "{kind} of {pairs} pairs {holds} hold: {:.1} %; of those that are no named fault \
             {:.1} %",
            share(holds, pairs),
            self.sound_share(),
        );
        for (n, line) in self.known.iter().enumerate() {
            let replayed = self.folders.keys().any(|name| line.is_about(name));
            if replayed && !self.used.contains(&n) {
                println!("{kind} no longer differs: {line}");
            }
        }
        let explained = self.folders.values().flat_map(|folder| &folder.known);
        for (step, difference) in explained {
            if wanted.is_some_and(|wanted| step.starts_with(wanted)) {
                println!(
                    "{kind} explained {step}: {}: {}",
                    difference.at, difference.what
                );
            }
        }
        for (step, found) in self.folders.values().flat_map(|folder| &folder.differs) {
            for difference in found.iter().take(40) {
                println!("{kind} {step}: {}: {}", difference.at, difference.what);
            }
        }
    }

    /// Every difference stands in the table, and no folder has got worse. `lower` are the floors of
    /// folders that hold less for a reason that stands in the docs, `all` that of all together.
    pub fn judge(&self, lower: &[(&str, f64)], all: f64) {
        let open = self.folders.values().flat_map(|folder| &folder.differs);
        let open: Vec<&String> = open.map(|(step, _)| step).collect();
        assert!(open.is_empty(), "not explained in docs: {open:?}");
        for (name, folder) in &self.folders {
            let floors = lower.iter().chain(FLOORS);
            let floor = floors.into_iter().find(|(floor, _)| floor == name);
            let least = floor.map_or(DEFAULT, |(_, least)| *least);
            let share = folder.share();
            assert!(share >= least, "{name} holds {share:.1} %, not {least} %");
        }
        let share = self.sound_share();
        assert!(share >= all, "{share:.1} % hold, not {all} %");
    }
}
