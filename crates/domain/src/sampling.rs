//! Which captures of a project a capture set takes (`domain-rules.md` §5). The idea: a [`Sampler`]
//! sees every capture once, in the order that [`Plan::order`] names, and keeps no more than it may
//! choose; chance is a rank that follows from the seed and the capture, so that the same seed
//! chooses the same captures again, in whatever order they were seen.

use std::collections::{BTreeMap, BinaryHeap};

use chrono::{NaiveDateTime, TimeDelta};

use crate::chance::mix;

mod filter;
mod plan;

pub use filter::{Filter, MOST_NIGHTS, last_nights};
pub use plan::{BadPlan, Method, Plan};

/// What is known of a capture when it is chosen or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Candidate {
    /// The capture.
    pub id: i64,
    /// Its station.
    pub station: Option<i64>,
    /// Its session.
    pub session: Option<i64>,
    /// When it was taken, on the clock of its station.
    pub taken_at: Option<NaiveDateTime>,
    /// Bytes.
    pub size: Option<i64>,
    /// Whether a detection was found on it.
    pub found: bool,
}

/// In which order a sampler has to see the captures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// In any.
    Any,
    /// By time, those without a time left out.
    Time,
    /// Station by station, each by time; those without a station or a time left out.
    StationTime,
}

/// A place in a row: the seed's opinion of a capture, then the capture.
type Place = (u64, i64);

/// Chooses captures that pass one by one.
#[derive(Debug)]
pub struct Sampler {
    plan: Plan,
    keep: Keep,
}

/// What is kept while captures pass.
#[derive(Debug)]
enum Keep {
    /// Every one.
    All(Vec<i64>),
    /// Those with the lowest places.
    Lowest(Lowest),
    /// The same within each session.
    Sessions(BTreeMap<i64, Session>),
    /// One now and then.
    Spaced(Spaced),
}

/// The captures with the lowest places, so many at most.
#[derive(Debug)]
struct Lowest {
    most: usize,
    heap: BinaryHeap<Place>,
}

#[derive(Debug)]
struct Session {
    last: Option<(NaiveDateTime, i64)>,
    lowest: Lowest,
}

/// Captures at least a while apart, within the station that is being seen.
#[derive(Debug, Default)]
struct Spaced {
    station: Option<i64>,
    last: Option<NaiveDateTime>,
    taken: Vec<(NaiveDateTime, i64)>,
}

impl Lowest {
    fn new(most: usize) -> Lowest {
        Lowest {
            most,
            heap: BinaryHeap::new(),
        }
    }

    fn add(&mut self, place: Place) {
        if self.heap.len() < self.most {
            self.heap.push(place);
        } else if let Some(mut highest) = self.heap.peek_mut()
            && place < *highest
        {
            *highest = place;
        }
    }

    /// The captures, lowest place first.
    fn ids(self) -> impl Iterator<Item = i64> {
        self.heap.into_sorted_vec().into_iter().map(|(_, id)| id)
    }
}

impl Sampler {
    /// Begins to choose by this plan.
    pub fn new(plan: Plan) -> Sampler {
        let keep = match &plan.method {
            Method::Full | Method::Found | Method::Manual(_) | Method::Starred => {
                Keep::All(Vec::new())
            }
            Method::Random { size } => Keep::Lowest(Lowest::new(*size)),
            Method::First { most, .. } => Keep::Lowest(Lowest::new(*most)),
            Method::Interval { .. } | Method::IntervalOverAll { .. } => {
                Keep::Spaced(Spaced::default())
            }
            Method::Stratified { .. }
            | Method::RandomOfSession { .. }
            | Method::LastAndRandomOfSession { .. }
            | Method::LargestOfSession { .. } => Keep::Sessions(BTreeMap::new()),
        };
        Sampler { plan, keep }
    }

    /// Sees one capture.
    pub fn see(&mut self, capture: &Candidate) {
        if !self.plan.filter.keeps(capture) || !self.plan.method.takes(capture) {
            return;
        }
        let place = (self.place(capture), capture.id);
        match &mut self.keep {
            Keep::All(ids) => ids.push(capture.id),
            Keep::Lowest(lowest) => lowest.add(place),
            Keep::Spaced(spaced) => spaced.see(capture, &self.plan.method),
            Keep::Sessions(sessions) => {
                let Some(session) = capture.session else {
                    return;
                };
                let most = self.plan.method.of_session();
                let session = sessions.entry(session).or_insert_with(|| Session {
                    last: None,
                    lowest: Lowest::new(most),
                });
                session.last = session
                    .last
                    .max(capture.taken_at.map(|at| (at, capture.id)));
                session.lowest.add(place);
            }
        }
    }

    /// The place of a capture among those from which the lowest are taken.
    fn place(&self, capture: &Candidate) -> u64 {
        match &self.plan.method {
            // The largest first, then those of which the size is not known.
            Method::LargestOfSession { .. } => {
                let size = capture.size.and_then(|size| u64::try_from(size).ok());
                size.map_or(u64::MAX, |size| u64::MAX - 1 - size)
            }
            Method::First { shuffle: false, .. } => 0,
            _ => chance(self.plan.seed, capture.id),
        }
    }

    /// The captures that are chosen, each once.
    pub fn chosen(self) -> Vec<i64> {
        match self.keep {
            Keep::All(ids) => ids,
            Keep::Lowest(lowest) => lowest.ids().collect(),
            Keep::Spaced(spaced) => spaced.chosen(self.plan.method.most()),
            Keep::Sessions(sessions) => match self.plan.method {
                Method::Stratified { size } => evenly(sessions, size),
                Method::LastAndRandomOfSession { others } => sessions
                    .into_values()
                    .flat_map(|session| session.last_and(others))
                    .collect(),
                _ => sessions
                    .into_values()
                    .flat_map(|session| session.lowest.ids())
                    .collect(),
            },
        }
    }
}

impl Session {
    /// The last capture and so many others.
    fn last_and(self, others: usize) -> Vec<i64> {
        let last = self.last.map(|(_, id)| id);
        let rest = self.lowest.ids().filter(|id| Some(*id) != last);
        last.into_iter().chain(rest.take(others)).collect()
    }
}

impl Spaced {
    fn see(&mut self, capture: &Candidate, method: &Method) {
        let (Some(at), Some(minutes)) = (capture.taken_at, method.minutes()) else {
            return;
        };
        let each_station = matches!(method, Method::Interval { .. });
        if each_station && self.station != capture.station {
            self.station = capture.station;
            self.last = None;
        }
        let apart = TimeDelta::try_minutes(minutes).unwrap_or(TimeDelta::MAX);
        if self.last.is_none_or(|last| at - last >= apart) {
            self.last = Some(at);
            self.taken.push((at, capture.id));
        }
    }

    /// The earliest of them, so many at most.
    fn chosen(mut self, most: usize) -> Vec<i64> {
        self.taken.sort_unstable();
        self.taken.truncate(most);
        self.taken.into_iter().map(|(_, id)| id).collect()
    }
}

/// So many captures, from each session as many as from any other as far as it has them.
fn evenly(sessions: BTreeMap<i64, Session>, size: usize) -> Vec<i64> {
    let ranked = sessions.into_values().flat_map(|session| {
        let places = session.lowest.heap.into_sorted_vec().into_iter();
        places.enumerate()
    });
    let mut ranked: Vec<(usize, Place)> = ranked.collect();
    ranked.sort_unstable();
    ranked.truncate(size);
    ranked.into_iter().map(|(_, (_, id))| id).collect()
}

/// A number that looks drawn by lot and follows from the seed and the capture.
fn chance(seed: u64, id: i64) -> u64 {
    let step = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let place = step.wrapping_mul(0xd134_2543_de82_ef95) ^ id.cast_unsigned();
    mix(place.wrapping_add(0x9e37_79b9_7f4a_7c15))
}

#[cfg(test)]
mod tests;
