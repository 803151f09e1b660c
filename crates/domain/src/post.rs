//! Post-processing: rules that are applied to what models have said already (`domain-rules.md`
//! §8). The idea: [`TASKS`] is the one list of them; what a task may be told is read here, so that
//! the API refuses a wrong setting with the same words with which a job would fail.

use serde_json::{Map, Value};

use crate::agreement::RANKS;

pub mod mask;
pub mod rollup;
pub mod size;

/// Key of the task that marks boxes which are too small to be told.
pub const SMALL_SIZE: &str = "small_size_filter";
/// Key of the task that leaves only the taxa of a list to a classifier.
pub const MASKING: &str = "class_masking";
/// Key of the task that names a genus or family where the species is not sure.
pub const ROLL_UP: &str = "rank_rollup";

/// The taxon of a detection that cannot be told.
pub const NOT_IDENTIFIABLE: &str = "Not identifiable";

/// A task: its key in `params`, its name for people, its settings, and what it counts.
#[derive(Debug)]
pub struct TaskSpec {
    /// `params.task`.
    pub key: &'static str,
    /// Name for people.
    pub name: &'static str,
    /// Settings that it knows beside those of all tasks.
    pub settings: &'static [&'static str],
    /// Figures of its stage, in order.
    pub counts: &'static [&'static str],
}

/// Every task, in the order in which people are offered them.
pub const TASKS: &[TaskSpec] = &[
    TaskSpec {
        key: SMALL_SIZE,
        name: "Small size filter",
        settings: &["size_threshold"],
        counts: &[
            "detections_checked",
            "detections_flagged",
            "occurrences_updated",
        ],
    },
    TaskSpec {
        key: MASKING,
        name: "Class masking",
        settings: &["taxa_list_id", "algorithm_id", "reweight"],
        counts: &[
            "classifications_total",
            "classifications_checked",
            "classifications_masked",
            "occurrences_updated",
        ],
    },
    TaskSpec {
        key: ROLL_UP,
        name: "Rank rollup",
        settings: &["algorithm_id", "threshold", "ranks"],
        counts: &[
            "classifications_total",
            "classifications_checked",
            "classifications_rolled_up",
            "occurrences_updated",
        ],
    },
];

/// Settings of every task: where it looks, and whether it only says what it would do.
pub const SHARED: [&str; 3] = ["source_image_collection_id", "occurrence_id", "dry_run"];

/// The ranks to which scores are rolled up unless a job names others.
const DEFAULT_RANKS: [&str; 2] = ["GENUS", "FAMILY"];

/// The task with this key, if there is one.
pub fn task(key: &str) -> Option<&'static TaskSpec> {
    TASKS.iter().find(|task| task.key == key)
}

/// What a job is to do, read from its `params`.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The task with its settings.
    pub task: Task,
    /// Where it looks.
    pub scope: Scope,
    /// True: nothing is written, only said.
    pub dry_run: bool,
}

/// A task with its settings.
#[derive(Clone, Debug, PartialEq)]
pub enum Task {
    /// Boxes below this share of the capture's area are not identifiable.
    SmallSize {
        /// Above 0 and below 1.
        threshold: f64,
    },
    /// Only taxa of a list may be named.
    Masking {
        /// The list.
        list: i64,
        /// The classifier whose classifications are masked.
        algorithm: i64,
        /// Whether the scores that stay add up to 1 again.
        reweight: bool,
    },
    /// What is not sure enough is named at a wider rank.
    RollUp {
        /// The classifier whose classifications are rolled up.
        algorithm: i64,
        /// From this score on a taxon is sure enough; above 0 and below 1.
        threshold: f64,
        /// Ranks in the order in which they are tried.
        ranks: Vec<String>,
    },
}

impl Task {
    /// What this program knows about it.
    pub fn spec(&self) -> &'static TaskSpec {
        let place = match self {
            Task::SmallSize { .. } => 0,
            Task::Masking { .. } => 1,
            Task::RollUp { .. } => 2,
        };
        &TASKS[place]
    }
}

/// Where a task looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// At the detections on the captures of a set.
    Set(i64),
    /// At the detections of one occurrence.
    Occurrence(i64),
}

/// A setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its place below `params`: `task`, `config` or `config.size_threshold`.
    pub field: String,
    /// Why, as a sentence.
    pub words: String,
}

impl Fault {
    /// A fault of a setting in `config`.
    pub fn of(setting: &str, words: impl Into<String>) -> Fault {
        Fault {
            field: format!("config.{setting}"),
            words: words.into(),
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.field, self.words)
    }
}

impl Request {
    /// Reads `{"task": …, "config": {…}}`.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once.
    pub fn read(params: &Value) -> Result<Request, Vec<Fault>> {
        let mut faults = Vec::new();
        let none = Map::new();
        let params = params.as_object().unwrap_or(&none);
        for key in params.keys().filter(|k| *k != "task" && *k != "config") {
            faults.push(fault(key, "Unknown setting. Give task and config."));
        }
        let key = params.get("task").unwrap_or(&Value::Null);
        let spec = key.as_str().and_then(task);
        if spec.is_none() {
            faults.push(fault("task", no_task(key)));
        }
        let config = match params.get("config") {
            None | Some(Value::Null) => &none,
            Some(Value::Object(config)) => config,
            Some(_) => {
                faults.push(fault("config", "Expected an object with settings."));
                return Err(faults);
            }
        };
        let Some(spec) = spec else {
            return Err(faults);
        };
        let mut settings = Settings { config, faults };
        settings.known(spec);
        let scope = settings.scope();
        let dry_run = settings.boolean("dry_run", false);
        let task = settings.task(spec);
        match (task, scope, dry_run) {
            (Some(task), Some(scope), Some(dry_run)) if settings.faults.is_empty() => Ok(Request {
                task,
                scope,
                dry_run,
            }),
            _ => Err(settings.faults),
        }
    }
}

fn fault(field: &str, words: impl Into<String>) -> Fault {
    Fault {
        field: field.to_owned(),
        words: words.into(),
    }
}

fn no_task(key: &Value) -> String {
    match key {
        Value::Null => "This field is required.".to_owned(),
        Value::String(key) => format!("\"{key}\" is not a valid choice."),
        other => format!("\"{other}\" is not a valid choice."),
    }
}

/// Settings of a task as they are read; null counts as left out.
struct Settings<'a> {
    config: &'a Map<String, Value>,
    faults: Vec<Fault>,
}

impl Settings<'_> {
    fn get(&self, name: &str) -> Option<&Value> {
        self.config.get(name).filter(|value| !value.is_null())
    }

    fn wrong<T>(&mut self, name: &str, words: &str) -> Option<T> {
        self.faults.push(Fault::of(name, words));
        None
    }

    fn known(&mut self, spec: &TaskSpec) {
        let all = || spec.settings.iter().chain(&SHARED);
        let list: Vec<&str> = all().copied().collect();
        for key in self.config.keys() {
            if !list.contains(&key.as_str()) {
                let words = format!("Unknown setting. {} takes {}.", spec.name, list.join(", "));
                self.faults.push(Fault::of(key, words));
            }
        }
    }

    fn scope(&mut self) -> Option<Scope> {
        let [set, occurrence, _] = SHARED;
        match (self.get(set).is_some(), self.get(occurrence).is_some()) {
            (true, false) => self.id(set).map(Scope::Set),
            (false, true) => self.id(occurrence).map(Scope::Occurrence),
            (true, true) => {
                self.wrong(occurrence, "Name a capture set or an occurrence, not both.")
            }
            (false, false) => self.wrong(
                set,
                "Name the capture set to look at, or an occurrence as occurrence_id.",
            ),
        }
    }

    fn task(&mut self, spec: &TaskSpec) -> Option<Task> {
        match spec.key {
            SMALL_SIZE => {
                let threshold = self.share("size_threshold", Some(size::DEFAULT_THRESHOLD))?;
                Some(Task::SmallSize { threshold })
            }
            MASKING => {
                let list = self.id("taxa_list_id");
                let algorithm = self.id("algorithm_id");
                let reweight = self.boolean("reweight", true);
                Some(Task::Masking {
                    list: list?,
                    algorithm: algorithm?,
                    reweight: reweight?,
                })
            }
            _ => {
                let algorithm = self.id("algorithm_id");
                let threshold = self.share("threshold", None);
                let ranks = self.ranks();
                Some(Task::RollUp {
                    algorithm: algorithm?,
                    threshold: threshold?,
                    ranks: ranks?,
                })
            }
        }
    }

    fn id(&mut self, name: &str) -> Option<i64> {
        match self.get(name).map(Value::as_i64) {
            None => self.wrong(name, "This field is required."),
            Some(None) => self.wrong(name, "A valid integer is required."),
            Some(id) => id,
        }
    }

    fn boolean(&mut self, name: &str, default: bool) -> Option<bool> {
        match self.get(name).map(Value::as_bool) {
            None => Some(default),
            Some(None) => self.wrong(name, "Must be a valid boolean."),
            Some(on) => on,
        }
    }

    /// A number above 0 and below 1.
    fn share(&mut self, name: &str, default: Option<f64>) -> Option<f64> {
        match (self.get(name).map(Value::as_f64), default) {
            (None, Some(default)) => Some(default),
            (None, None) => self.wrong(name, "This field is required."),
            (Some(None), _) => self.wrong(name, "A valid number is required."),
            (Some(Some(share)), _) if share > 0.0 && share < 1.0 => Some(share),
            _ => self.wrong(name, "It must be greater than 0 and less than 1."),
        }
    }

    fn ranks(&mut self) -> Option<Vec<String>> {
        let Some(given) = self.get("ranks") else {
            return Some(DEFAULT_RANKS.map(str::to_owned).to_vec());
        };
        let list = given.as_array().map(Vec::as_slice).unwrap_or_default();
        let known = |rank: &Value| {
            let known = RANKS.into_iter().find(|known| rank == *known);
            known.map(str::to_owned)
        };
        let ranks: Option<Vec<String>> = list.iter().map(known).collect();
        match ranks {
            Some(ranks) if !ranks.is_empty() && ranks.iter().all(|r| once(r, &ranks)) => {
                Some(ranks)
            }
            _ => {
                let words = format!("Give different ranks of these: {}.", RANKS.join(", "));
                self.wrong("ranks", &words)
            }
        }
    }
}

fn once(rank: &str, ranks: &[String]) -> bool {
    ranks.iter().filter(|other| *other == rank).count() == 1
}

#[cfg(test)]
mod tests;
