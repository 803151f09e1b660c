//! From a capture set's method and its settings to a [`Plan`]. What a method does not take is an
//! error and not ignored: who misspells a setting would get other captures than they asked for.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde_json::{Map, Value};

use super::filter::MOST_NIGHTS;
use super::{Candidate, Filter, Order};

/// How many captures are drawn where nothing is said.
const SIZE: usize = 100;
/// How many of each session are drawn at random where nothing is said.
const OF_SESSION: usize = 10;
/// Minutes between captures where nothing is said.
const MINUTES: i64 = 10;

/// How captures are chosen, with the method's own settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Method {
    /// All.
    Full,
    /// So many, drawn by lot.
    Random {
        /// How many.
        size: usize,
    },
    /// So many, drawn by lot, as many from each session as from any other.
    Stratified {
        /// How many.
        size: usize,
    },
    /// These.
    Manual(BTreeSet<i64>),
    /// Those that people starred.
    Starred,
    /// At each station the first, then each that is so much later than the last one taken.
    Interval {
        /// Minutes between two captures.
        minutes: i64,
        /// Captures of these sessions are passed over.
        without: BTreeSet<i64>,
        /// How many at most, the earliest first.
        most: usize,
    },
    /// The same over all stations together.
    IntervalOverAll {
        /// Minutes between two captures.
        minutes: i64,
        /// How many at most, the earliest first.
        most: usize,
    },
    /// So many at most: drawn by lot, or those that were made first.
    First {
        /// How many at most.
        most: usize,
        /// Whether by lot.
        shuffle: bool,
    },
    /// So many of each session, drawn by lot.
    RandomOfSession {
        /// How many.
        each: usize,
    },
    /// The last of each session, and so many others drawn by lot.
    LastAndRandomOfSession {
        /// How many others.
        others: usize,
    },
    /// So many of each session, the largest files.
    LargestOfSession {
        /// How many.
        each: usize,
    },
    /// Those on which something was found.
    Found,
}

/// A method with its filters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// How captures are chosen.
    pub method: Method,
    /// From which.
    pub filter: Filter,
    /// What chance follows from.
    pub seed: u64,
}

/// Why a capture set cannot be filled, as a sentence for whoever set it up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPlan {
    /// No such method.
    #[error("There is no method \"{0}\" to choose captures by.")]
    Method(String),
    /// A setting that the method does not take.
    #[error("The method \"{method}\" does not take the setting \"{setting}\".")]
    Setting {
        /// The method.
        method: String,
        /// The setting.
        setting: String,
    },
    /// A setting that cannot be read.
    #[error("The setting \"{setting}\" must be {wanted}.")]
    Value {
        /// The setting.
        setting: &'static str,
        /// What it must be.
        wanted: &'static str,
    },
    /// A setting without which there is nothing to do.
    #[error("The method \"{method}\" needs the setting \"{setting}\".")]
    Missing {
        /// The method.
        method: &'static str,
        /// The setting.
        setting: &'static str,
    },
}

impl Method {
    /// The most captures of one session that have to be kept while they pass.
    pub(super) fn of_session(&self) -> usize {
        match self {
            Method::Stratified { size } => *size,
            Method::RandomOfSession { each } | Method::LargestOfSession { each } => *each,
            // The last one may be among those drawn.
            Method::LastAndRandomOfSession { others } => others.saturating_add(1),
            _ => 0,
        }
    }

    /// How many captures are chosen at most.
    pub(super) fn most(&self) -> usize {
        match self {
            Method::Interval { most, .. } | Method::IntervalOverAll { most, .. } => *most,
            _ => usize::MAX,
        }
    }

    /// Minutes between two captures.
    pub(super) fn minutes(&self) -> Option<i64> {
        match self {
            Method::Interval { minutes, .. } | Method::IntervalOverAll { minutes, .. } => {
                Some(*minutes)
            }
            _ => None,
        }
    }

    /// Whether a capture comes into question at all.
    pub(super) fn takes(&self, capture: &Candidate) -> bool {
        match self {
            Method::Found => capture.found,
            Method::Manual(ids) => ids.contains(&capture.id),
            Method::Interval { without, .. } => {
                capture.session.is_none_or(|id| !without.contains(&id))
            }
            _ => true,
        }
    }
}

impl Plan {
    /// Reads a method with its settings; null ones count as not given. Chance follows from the
    /// setting `seed`, or from `otherwise`.
    ///
    /// # Errors
    /// [`BadPlan`].
    pub fn read(
        method: &str,
        settings: &Map<String, Value>,
        otherwise: u64,
    ) -> Result<Plan, BadPlan> {
        let mut given = Given::new(settings);
        let seed = given.number("seed")?.map_or(otherwise, i64::cast_unsigned);
        let filter = given.filter()?;
        let mut plan = Plan {
            method: given.method(method)?,
            filter,
            seed,
        };
        if method == "interval"
            && let Some(station) = given.number("deployment_id")?
            && plan.filter.stations.is_none()
        {
            plan.filter.stations = Some(BTreeSet::from([station]));
        }
        match given.rest() {
            None => Ok(plan),
            Some(setting) => Err(BadPlan::Setting {
                method: method.to_owned(),
                setting,
            }),
        }
    }

    /// In which order captures have to be seen.
    pub fn order(&self) -> Order {
        match self.method {
            Method::Interval { .. } => Order::StationTime,
            Method::IntervalOverAll { .. } => Order::Time,
            _ => Order::Any,
        }
    }

    /// Whether chance has a part in it.
    pub fn draws(&self) -> bool {
        matches!(
            self.method,
            Method::Random { .. }
                | Method::Stratified { .. }
                | Method::First { shuffle: true, .. }
                | Method::RandomOfSession { .. }
                | Method::LastAndRandomOfSession { .. }
        )
    }
}

/// Settings that were given, and which of them nobody has asked for yet.
struct Given<'a> {
    settings: &'a Map<String, Value>,
    unread: BTreeSet<&'a str>,
}

impl<'a> Given<'a> {
    fn new(settings: &'a Map<String, Value>) -> Given<'a> {
        let given = settings.iter().filter(|(_, value)| !value.is_null());
        Given {
            settings,
            unread: given.map(|(name, _)| name.as_str()).collect(),
        }
    }

    fn get(&mut self, name: &'static str) -> Option<&'a Value> {
        self.unread.remove(name);
        self.settings.get(name).filter(|value| !value.is_null())
    }

    /// A setting that nobody asked for.
    fn rest(&self) -> Option<String> {
        self.unread.iter().next().map(|name| (*name).to_owned())
    }

    fn number(&mut self, setting: &'static str) -> Result<Option<i64>, BadPlan> {
        let wrong = BadPlan::Value {
            setting,
            wanted: "a whole number",
        };
        let value = self.get(setting);
        value.map(|v| whole(v).ok_or(wrong)).transpose()
    }

    fn count(&mut self, setting: &'static str) -> Result<Option<usize>, BadPlan> {
        let wrong = BadPlan::Value {
            setting,
            wanted: "a whole number, 0 or more",
        };
        let number = self.number(setting)?;
        number
            .map(|n| usize::try_from(n).map_err(|_| wrong.clone()))
            .transpose()
    }

    fn flag(&mut self, setting: &'static str) -> Result<Option<bool>, BadPlan> {
        let wrong = BadPlan::Value {
            setting,
            wanted: "true or false",
        };
        let value = self.get(setting);
        value.map(|v| v.as_bool().ok_or(wrong)).transpose()
    }

    /// Numbers in a list, or in a text between commas, as the API stores `exclude_events`.
    fn numbers(&mut self, setting: &'static str) -> Result<Option<BTreeSet<i64>>, BadPlan> {
        let wrong = BadPlan::Value {
            setting,
            wanted: "a list of whole numbers",
        };
        let all = match self.get(setting) {
            None => return Ok(None),
            Some(Value::Array(list)) => list.iter().map(whole).collect(),
            Some(Value::String(text)) => {
                let inner = text.trim().trim_start_matches('[').trim_end_matches(']');
                let parts = inner.split(',').map(str::trim).filter(|p| !p.is_empty());
                parts.map(|part| part.parse().ok()).collect()
            }
            Some(_) => None,
        };
        let all: Option<BTreeSet<i64>> = all;
        all.map(Some).ok_or(wrong)
    }

    fn day(&mut self, setting: &'static str) -> Result<Option<NaiveDate>, BadPlan> {
        let wrong = BadPlan::Value {
            setting,
            wanted: "a day such as 2024-06-30",
        };
        let Some(value) = self.get(setting) else {
            return Ok(None);
        };
        let day = value
            .as_str()
            .and_then(|text| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok());
        day.map(Some).ok_or(wrong)
    }

    /// The last so many nights: at least one, and no more than a year has.
    fn nights(&mut self) -> Result<Option<i64>, BadPlan> {
        match self.number("last_nights")? {
            Some(nights) if !(1..=MOST_NIGHTS).contains(&nights) => Err(BadPlan::Value {
                setting: "last_nights",
                wanted: "a whole number from 1 to 366",
            }),
            nights => Ok(nights),
        }
    }

    fn filter(&mut self) -> Result<Filter, BadPlan> {
        Ok(Filter {
            stations: self.numbers("deployment_ids")?,
            sites: self.numbers("research_site_ids")?,
            sessions: self.numbers("event_ids")?,
            date_start: self.day("date_start")?,
            date_end: self.day("date_end")?,
            month_start: self.number("month_start")?,
            month_end: self.number("month_end")?,
            hour_start: self.number("hour_start")?,
            hour_end: self.number("hour_end")?,
            last_nights: self.nights()?,
            between: None,
        })
    }

    fn method(&mut self, method: &str) -> Result<Method, BadPlan> {
        Ok(match method {
            "full" => Method::Full,
            "random" => Method::Random {
                size: self.count("size")?.unwrap_or(SIZE),
            },
            "stratified_random" => match self.count("num_each")? {
                Some(each) => Method::RandomOfSession { each },
                None => Method::Stratified {
                    size: self.count("size")?.unwrap_or(SIZE),
                },
            },
            "manual" => Method::Manual(self.numbers("image_ids")?.ok_or(BadPlan::Missing {
                method: "manual",
                setting: "image_ids",
            })?),
            "starred" => Method::Starred,
            "interval" => Method::Interval {
                minutes: self.minutes()?.unwrap_or(MINUTES),
                without: self.numbers("exclude_events")?.unwrap_or_default(),
                most: self.count("max_num")?.unwrap_or(usize::MAX),
            },
            "common_combined" => self.combined()?,
            "random_from_each_event" => Method::RandomOfSession {
                each: self.count("num_each")?.unwrap_or(OF_SESSION),
            },
            "last_and_random_from_each_event" => Method::LastAndRandomOfSession {
                others: self.count("num_each")?.unwrap_or(1),
            },
            "greatest_file_size_from_each_event" => Method::LargestOfSession {
                each: self.count("num_each")?.unwrap_or(1),
            },
            "detections_only" => Method::Found,
            other => return Err(BadPlan::Method(other.to_owned())),
        })
    }

    fn combined(&mut self) -> Result<Method, BadPlan> {
        let most = self.count("max_num")?;
        let shuffle = self.flag("shuffle")?.unwrap_or(true);
        Ok(match (self.minutes()?, most) {
            (Some(minutes), most) => Method::IntervalOverAll {
                minutes,
                most: most.unwrap_or(usize::MAX),
            },
            (None, Some(most)) => Method::First { most, shuffle },
            (None, None) => Method::Full,
        })
    }

    fn minutes(&mut self) -> Result<Option<i64>, BadPlan> {
        match self.number("minute_interval")? {
            Some(minutes) if minutes < 0 => Err(BadPlan::Value {
                setting: "minute_interval",
                wanted: "a whole number, 0 or more",
            }),
            minutes => Ok(minutes),
        }
    }
}

/// A whole number, also one written as text.
fn whole(value: &Value) -> Option<i64> {
    let text = || value.as_str().and_then(|text| text.trim().parse().ok());
    value.as_i64().or_else(text)
}
