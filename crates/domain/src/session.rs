//! Sessions: captures of one station grouped by the pauses between them (`domain-rules.md` §4).
//! The idea: [`Grouper`] walks times in ascending order and holds nothing but the session it is
//! in, so a station with a million captures needs no more memory than one with ten. [`group`]
//! is the same walk over a list in any order.

use chrono::{Duration, NaiveDate, NaiveDateTime};

/// Pause that ends a session where the project sets none, in seconds.
pub const DEFAULT_GAP_SECONDS: i64 = 7200;

/// A pause-free run longer than this is cut.
pub const MAX_DURATION: Duration = Duration::hours(24);

/// The pause to use for a project's `session_time_gap_seconds`; none, zero and below mean
/// [`DEFAULT_GAP_SECONDS`].
pub fn gap(seconds: Option<i64>) -> Duration {
    seconds
        .filter(|s| *s > 0)
        .and_then(Duration::try_seconds)
        .unwrap_or(Duration::seconds(DEFAULT_GAP_SECONDS))
}

/// One session. Sessions of a station never overlap, so all captures with a time from `start`
/// to `end` belong to it and no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    /// The day on which it begins; the key by which it is found again (`group_by`).
    pub day: NaiveDate,
    /// Time of the first capture.
    pub start: NaiveDateTime,
    /// Time of the last capture.
    pub end: NaiveDateTime,
    /// Number of captures.
    pub captures: u64,
    /// Number of times that several captures share.
    pub shared_times: u64,
}

/// A time was pushed after a later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("capture times must ascend: {next} came after {previous}")]
pub struct OutOfOrder {
    /// The later time, pushed first.
    pub previous: NaiveDateTime,
    /// The earlier time, pushed second.
    pub next: NaiveDateTime,
}

/// Groups ascending times as they come.
#[derive(Debug)]
pub struct Grouper {
    gap: Duration,
    open: Option<Open>,
}

/// The session being read.
#[derive(Debug)]
struct Open {
    group: Group,
    /// Start of the current run; a session holds several when they begin on the same day.
    first: NaiveDateTime,
    /// Captures seen at `group.end`.
    at_end: u64,
}

impl Grouper {
    /// A grouper that splits where two times lie `gap` or more apart.
    pub const fn new(gap: Duration) -> Grouper {
        Grouper { gap, open: None }
    }

    /// Takes the time of the next capture; equal times may follow each other. Returns the
    /// session before it when this capture begins another one.
    ///
    /// A new run begins when the pause reaches the gap, or when the run would become longer than
    /// [`MAX_DURATION`]; runs that begin on the same day are one session.
    ///
    /// # Errors
    /// [`OutOfOrder`] when the time is earlier than the one before; the grouper is unchanged.
    pub fn push(&mut self, time: NaiveDateTime) -> Result<Option<Group>, OutOfOrder> {
        let Some(open) = &mut self.open else {
            self.open = Some(Open::at(time));
            return Ok(None);
        };
        let previous = open.group.end;
        if time < previous {
            return Err(OutOfOrder {
                previous,
                next: time,
            });
        }
        if time == previous {
            open.again();
            return Ok(None);
        }
        let new_run = time - previous >= self.gap || time - open.first > MAX_DURATION;
        if new_run && time.date() != open.group.day {
            let finished = open.group;
            self.open = Some(Open::at(time));
            return Ok(Some(finished));
        }
        if new_run {
            open.first = time;
        }
        open.later(time);
        Ok(None)
    }

    /// The last session, if there was any capture.
    pub fn finish(self) -> Option<Group> {
        self.open.map(|open| open.group)
    }
}

impl Open {
    fn at(time: NaiveDateTime) -> Open {
        let group = Group {
            day: time.date(),
            start: time,
            end: time,
            captures: 1,
            shared_times: 0,
        };
        Open {
            group,
            first: time,
            at_end: 1,
        }
    }

    fn again(&mut self) {
        self.group.captures += 1;
        self.at_end += 1;
        if self.at_end == 2 {
            self.group.shared_times += 1;
        }
    }

    fn later(&mut self, time: NaiveDateTime) {
        self.group.captures += 1;
        self.group.end = time;
        self.at_end = 1;
    }
}

/// The sessions of captures taken at these times, in any order, ascending by day.
pub fn group(times: &[NaiveDateTime], gap: Duration) -> Vec<Group> {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let mut grouper = Grouper::new(gap);
    let mut groups: Vec<Group> = Vec::new();
    for time in sorted {
        // Sorted times cannot be out of order.
        groups.extend(grouper.push(time).ok().flatten());
    }
    groups.extend(grouper.finish());
    groups
}

/// What a regroup did, as its stage shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Captures with a session and a time.
    pub captures_grouped: u64,
    /// Sessions made.
    pub events_created: u64,
    /// Sessions that gained or lost captures.
    pub events_touched: u64,
    /// Sessions without captures and occurrences, removed.
    pub empty_events_deleted: u64,
    /// Times shared by several captures.
    pub duplicate_timestamps: u64,
    /// Captures with a time but no session.
    pub ungrouped_captures: u64,
    /// Captures without a time.
    pub captures_missing_timestamp: u64,
}

impl Stats {
    /// Name, key and value of each figure, in the order of the stage.
    pub const fn params(&self) -> [(&'static str, &'static str, u64); 7] {
        [
            (
                "Captures grouped",
                "captures_grouped",
                self.captures_grouped,
            ),
            ("Events created", "events_created", self.events_created),
            ("Events touched", "events_touched", self.events_touched),
            (
                "Empty events deleted",
                "empty_events_deleted",
                self.empty_events_deleted,
            ),
            (
                "Duplicate timestamps",
                "duplicate_timestamps",
                self.duplicate_timestamps,
            ),
            (
                "Ungrouped captures",
                "ungrouped_captures",
                self.ungrouped_captures,
            ),
            (
                "Captures missing timestamp",
                "captures_missing_timestamp",
                self.captures_missing_timestamp,
            ),
        ]
    }
}

/// The day or days of a session: `Jan 1 2021`, or `Jan 1-2 2021` when it ends on another day.
/// Month and year are those of the start, also over the end of a month.
pub fn session_label(start: NaiveDateTime, end: Option<NaiveDateTime>) -> String {
    match end.filter(|e| e.date() != start.date()) {
        Some(end) => format!(
            "{}-{} {}",
            start.format("%b %-d"),
            end.format("%-d"),
            start.format("%Y")
        ),
        None => start.format("%b %-d %Y").to_string(),
    }
}

/// Weekday and label: `Friday, Jan 1-2 2021`.
pub fn session_name(start: NaiveDateTime, end: Option<NaiveDateTime>) -> String {
    format!("{}, {}", start.format("%A"), session_label(start, end))
}

/// A length in words: `45 minutes`, `1 hours 27 min`, `2 days 3 hours`. Below zero counts as zero.
pub fn duration_label(length: Duration) -> String {
    let minutes = length.num_minutes().max(0);
    match minutes {
        0..60 => format!("{minutes} minutes"),
        60..1440 => format!("{} hours {} min", minutes / 60, minutes % 60),
        _ => format!("{} days {} hours", minutes / 1440, minutes % 1440 / 60),
    }
}

#[cfg(test)]
mod tests;
