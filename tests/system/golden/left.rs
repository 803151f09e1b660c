//! The recorded questions asked of an installation that was imported from the tables as they were
//! written down at the end. The idea: what the tables say became otherwise since an answer is not
//! compared, everything else is; a pair is the same, or the same but for that, or explained.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde_json::Value;
use store::testing::Fresh;

use super::compare::Difference;
use super::imported::Antenna;
use super::recording::{self, Exchange, What};
use super::replay::Replay;
use super::request::Answer;
use super::since::{Since, told};
use super::verdict::differences;
use super::{JOBS, RESOURCES, earlier, known, number};

/// How a pair went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The whole answer is the same.
    Same,
    /// All that can be compared is the same: some rows, or what is told of them, are of later.
    Rest,
    /// Nothing is left to compare: its row is of later or gone, or all rows of its list.
    Later,
    /// A difference that stands in the docs.
    Explained,
    /// The reference failed.
    Fault,
    /// Anything else.
    Differs,
}

/// What was found in one database.
#[derive(Default)]
pub struct Found {
    kinds: BTreeMap<&'static str, BTreeMap<Kind, usize>>,
    open: Vec<(String, Difference)>,
    /// What is of later: recording and place.
    later: Vec<(String, String)>,
}

/// Imports the tables as they are and asks.
pub async fn ask(root: &Path, fresh: &Fresh) -> Option<Found> {
    let world = Antenna::new(root).await?;
    let mut replay = Replay::start(fresh, root, false, Some(world)).await;
    // Later than everything in the tables.
    replay.reach(earlier::at("23:59:59")).await;
    let (since, known) = (Since::read(root), known::lines_after_import());
    let mut found = Found::default();
    for part in JOBS.iter().chain(RESOURCES) {
        let mut clock = earlier::at(part.at);
        for step in recording::folder(root, part.folder) {
            let What::Exchange(recorded) = &step.what else {
                continue;
            };
            if !(part.from..=part.to).contains(&number(&step)) {
                continue;
            }
            // Rows that an answer shows were there, so later answers are later still.
            clock = told(&recorded.answer).map_or(clock, |told| clock.max(told));
            if recorded.method != "GET" {
                continue;
            }
            let answer = replay.send(&step.name, recorded).await;
            let pair = Pair {
                name: &step.name,
                recorded,
                moment: clock,
            };
            let kind = pair.judge(answer, &since, &known, &mut found);
            *found
                .kinds
                .entry(part.folder)
                .or_default()
                .entry(kind)
                .or_default() += 1;
        }
    }
    Some(found)
}

struct Pair<'a> {
    name: &'a str,
    recorded: &'a Exchange,
    moment: DateTime<Utc>,
}

impl Pair<'_> {
    fn judge(
        &self,
        answer: Answer,
        since: &Since,
        known: &[known::Line],
        found: &mut Found,
    ) -> Kind {
        if self.recorded.status >= 500 {
            return Kind::Fault;
        }
        let whole = differences(self.name, self.recorded, &answer);
        if whole.is_empty() {
            return Kind::Same;
        }
        if self.recorded.status != answer.status && since.named(&self.recorded.path, self.moment) {
            found
                .later
                .push((self.name.to_owned(), "status".to_owned()));
            return Kind::Later;
        }
        // Its token was taken back afterwards.
        let lost = answer.status == 401 && answer.text.contains("Invalid token.");
        if lost && self.recorded.status != 401 {
            found
                .later
                .push((self.name.to_owned(), "status".to_owned()));
            return Kind::Later;
        }
        let (bodies, left, rest) = self.rest(whole, answer, since);
        let (mut later, mut explained) = (false, false);
        let mut open = false;
        for difference in rest {
            let at = &difference.at;
            if since.place(at, &self.recorded.path, self.moment, [&bodies.0, &bodies.1]) {
                later = true;
                found.later.push((self.name.to_owned(), at.clone()));
            } else if known
                .iter()
                .any(|line| line.explains(self.name, &difference))
            {
                explained = true;
            } else {
                open = true;
                found.open.push((self.name.to_owned(), difference));
            }
        }
        match (open, explained, left) {
            (true, ..) => Kind::Differs,
            (_, true, _) => Kind::Explained,
            (_, _, Some(0)) => Kind::Later,
            (_, _, None) if !later => Kind::Same,
            _ => Kind::Rest,
        }
    }

    /// Both bodies less the rows that are of later, how many are left where some are, and what
    /// differs in them.
    fn rest(
        &self,
        whole: Vec<Difference>,
        mut answer: Answer,
        since: &Since,
    ) -> ((Value, Value), Option<usize>, Vec<Difference>) {
        let theirs = &self.recorded.answer;
        let ours: Value = serde_json::from_str(&answer.text).unwrap_or_default();
        let kept = since.kept(&self.recorded.path, self.moment, theirs, &ours);
        let reordered = since.reordered(&self.recorded.path, self.moment);
        let (mut theirs, mut ours) = match kept {
            Some(kept) => kept,
            None if reordered => (theirs.clone(), ours),
            None => return ((theirs.clone(), ours), None, whole),
        };
        if reordered {
            for list in [&mut theirs, &mut ours] {
                if let Some(rows) = list["results"].as_array_mut() {
                    rows.sort_by_key(|row| row["id"].as_i64());
                }
            }
        }
        let left = theirs["results"].as_array().map(Vec::len);
        let mut recorded = self.recorded.clone();
        recorded.answer = theirs.clone();
        answer.text = ours.to_string();
        let rest = differences(self.name, &recorded, &answer);
        ((theirs, ours), left, rest)
    }
}

impl Found {
    fn sum(&self, kind: Kind) -> usize {
        let counts = self.kinds.values().filter_map(|kinds| kinds.get(&kind));
        counts.sum()
    }

    pub fn print(&self, fresh: &Fresh, wanted: Option<&str>) {
        let database = fresh.url.split(':').next().unwrap_or_default();
        for (folder, kinds) in &self.kinds {
            println!("{database} {folder:20} {kinds:?}");
        }
        for kind in [
            Kind::Same,
            Kind::Rest,
            Kind::Later,
            Kind::Explained,
            Kind::Fault,
            Kind::Differs,
        ] {
            println!("{database} {kind:?}: {}", self.sum(kind));
        }
        for (name, at) in &self.later {
            if wanted.is_some_and(|wanted| name.starts_with(wanted)) {
                println!("{database} of later {name}: {at}");
            }
        }
        for (name, difference) in &self.open {
            println!("{database} {name}: {}: {}", difference.at, difference.what);
        }
    }

    /// Nothing differs that is not explained, and as much is the same as was.
    pub fn judge(&self) {
        let open: Vec<&String> = self.open.iter().map(|(name, _)| name).collect();
        assert!(open.is_empty(), "not explained in docs: {open:?}");
        for (kind, least) in FLOORS {
            let sum = self.sum(*kind);
            assert!(sum >= *least, "{kind:?}: {sum}, not {least}");
        }
    }
}

/// How many pairs must be of a kind, so that no more of them are passed over by and by.
const FLOORS: &[(Kind, usize)] = &[(Kind::Same, 475), (Kind::Rest, 90)];
