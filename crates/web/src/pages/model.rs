//! What templates show of rows: words, tones, percentages and times as people read them.

use chrono::{DateTime, Duration, NaiveDateTime, Utc};
use domain::progress::Stage;
pub use domain::progress::percent;
use domain::state::{JobState, Tone};
use rest::Zone;
use store::job::Job;
use store::progress::{Counts, SLOT};
use store::user::User;

use super::columns::counted;

/// The colour class of a state; the word always stands beside it (`look.md`).
pub fn tone(state: JobState) -> &'static str {
    match state.tone() {
        Tone::Success => "success",
        Tone::Failed => "failed",
        Tone::Running => "running",
        Tone::Waiting => "waiting",
    }
}

/// A time for people, in the server's zone.
pub fn exact(time: DateTime<Utc>) -> String {
    rest::time::clock(time)
}

/// A time as people say it, with the exact one beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ago {
    /// For programs.
    pub iso: String,
    /// For those who want to know it exactly.
    pub exact: String,
    /// "3 min ago".
    pub words: String,
}

impl Ago {
    /// The time as it is said now.
    pub fn of(time: DateTime<Utc>) -> Ago {
        Ago::at(time, store::now())
    }

    /// The time as it is said at another; a time to come is said exactly.
    fn at(time: DateTime<Utc>, now: DateTime<Utc>) -> Ago {
        let exact = exact(time);
        let passed = (now - time).num_seconds();
        let words = match passed {
            ..-60 => exact.clone(),
            -60..=4 => "just now".to_owned(),
            5..60 => format!("{passed} s ago"),
            60..3600 => format!("{} min ago", passed / 60),
            3600..86_400 => format!("{} h ago", passed / 3600),
            86_400..172_800 => "1 day ago".to_owned(),
            172_800..2_592_000 => format!("{} days ago", passed / 86_400),
            _ => exact.get(..10).unwrap_or(&exact).to_owned(),
        };
        Ago {
            iso: time.to_rfc3339(),
            exact,
            words,
        }
    }
}

/// The name of somebody, as others read it.
pub fn person(user: &User) -> String {
    match user.name.trim() {
        "" => format!("user {}", user.id),
        name => name.to_owned(),
    }
}

/// A name that can be clicked.
pub fn named(name: &str) -> String {
    match name.trim() {
        "" => "(without a name)".to_owned(),
        name => name.to_owned(),
    }
}

/// A text of at most so many letters, with a sign where it goes on.
pub fn short(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some(_) => {
            let kept: String = text.chars().take(most.saturating_sub(1)).collect();
            format!("{}…", kept.trim_end())
        }
        None => text.to_owned(),
    }
}

/// The local time of a capture.
pub fn taken(time: Option<NaiveDateTime>) -> String {
    match time {
        Some(time) => time.format("%Y-%m-%d %H:%M:%S").to_string(),
        None => "time unknown".to_owned(),
    }
}

/// The local time of a capture to the minute, for tables.
pub fn minute(time: NaiveDateTime) -> String {
    time.format("%Y-%m-%d %H:%M").to_string()
}

/// A span as people say it.
pub fn span(time: Duration) -> String {
    let seconds = time.num_seconds().max(0);
    match seconds {
        0..=59 => format!("{seconds} s"),
        60..=3599 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// How long something lasted, to the minute.
pub fn lasted(time: Duration) -> String {
    let minutes = time.num_minutes().max(0);
    match minutes {
        0..=59 => format!("{minutes} min"),
        60..=1439 => format!("{} h {} min", minutes / 60, minutes % 60),
        _ => {
            let days = counted((minutes / 1440).unsigned_abs(), "day", "days");
            format!("{days} {} h", minutes % 1440 / 60)
        }
    }
}

/// A stage as a row of the table.
pub struct StageView {
    pub name: String,
    pub word: String,
    pub tone: &'static str,
    pub percent: u8,
    pub figures: Vec<(String, String)>,
    /// How long it took, or since when it runs.
    pub lasted: Option<String>,
}

impl StageView {
    /// The row of a stage.
    pub fn of(stage: &Stage) -> StageView {
        let figure = |value: &serde_json::Value| match value {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        StageView {
            name: stage.name.clone(),
            word: stage.status.word().to_owned(),
            tone: tone(stage.status),
            percent: percent(stage.progress),
            figures: stage
                .params
                .iter()
                .map(|p| (p.name.clone(), figure(&p.value)))
                .filter(|(_, value)| !value.is_empty())
                .collect(),
            lasted: None,
        }
    }
}

/// Since when a job is in its state.
pub struct Since {
    pub verb: &'static str,
    pub at: Ago,
}

impl Since {
    /// The time that matters most for the state.
    pub fn of(job: &Job) -> Option<Since> {
        let (verb, time) = match (job.finished_at, job.started_at, job.scheduled_at) {
            (Some(end), _, _) => ("ended", end),
            (None, Some(start), _) => ("started", start),
            (None, None, Some(asked)) => ("queued", asked),
            _ => ("made", job.created_at),
        };
        Some(Since {
            verb,
            at: Ago::of(time),
        })
    }
}

/// Images per second over a run, as paths of an SVG.
pub struct Plot {
    pub width: i64,
    pub height: i64,
    pub line: String,
    pub area: String,
    pub most: String,
    pub from: String,
    pub to: String,
}

/// Points of the plot at most; longer runs are averaged.
const POINTS: i64 = 120;

impl Plot {
    /// The plot of a run from its slots; `None` until there are two of them.
    pub fn of(slots: &[(i64, i64)]) -> Option<Plot> {
        let (first, last) = (slots.first()?.0, slots.last()?.0);
        if last == first {
            return None;
        }
        let count = (last - first) / SLOT + 1;
        let width = count.div_euclid(POINTS) + i64::from(count % POINTS != 0);
        let points = (count + width - 1) / width;
        let mut sums = vec![0i64; usize::try_from(points).unwrap_or(0)];
        for (slot, images) in slots {
            let index = (slot - first) / SLOT / width;
            if let Some(sum) = usize::try_from(index).ok().and_then(|i| sums.get_mut(i)) {
                *sum += images;
            }
        }
        let rates: Vec<f64> = sums
            .iter()
            .map(|sum| *sum as f64 / (width * SLOT) as f64)
            .collect();
        let most = rates.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        let height = 100.0;
        let corner = |(i, rate): (usize, &f64)| {
            let y = height - rate / most * (height - 6.0) - 2.0;
            format!("{} {y:.1}", i * 10)
        };
        let corners: Vec<String> = rates.iter().enumerate().map(corner).collect();
        let right = (rates.len().saturating_sub(1)) * 10;
        let line = format!("M{}", corners.join(" L"));
        let clock = |at: i64| {
            let time = DateTime::from_timestamp(at, 0).unwrap_or_default();
            Zone::current().local(time).format("%H:%M:%S").to_string()
        };
        Some(Plot {
            area: format!("{line} L{right} {height} L0 {height} Z"),
            line,
            width: i64::try_from(right).unwrap_or(0),
            height: 100,
            most: format!("{most:.1}"),
            from: clock(first),
            to: clock(last + SLOT),
        })
    }
}

/// Images per second of late: over the last minute, or over the whole run once it has ended.
pub fn rate(job: &Job, slots: &[(i64, i64)], counts: Counts, now: DateTime<Utc>) -> Option<f64> {
    let start = job.started_at?;
    let (since, images) = match job.finished_at {
        Some(end) => (end - start, counts.done + counts.failed - job.kept),
        None => {
            let edge = (now.timestamp() - 60).max(start.timestamp());
            let recent = slots.iter().filter(|(slot, _)| slot + SLOT > edge);
            let images = recent.clone().map(|(_, images)| images).sum();
            let first = recent.map(|(slot, _)| *slot).min()?;
            let begin = DateTime::from_timestamp(first.max(edge), 0)?;
            (now - begin, images)
        }
    };
    let seconds = since.as_seconds_f64();
    (images > 0 && seconds > 1.0).then(|| images as f64 / seconds)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_plot_needs_two_slots_and_never_leaves_its_frame() {
        assert!(Plot::of(&[]).is_none());
        assert!(Plot::of(&[(100, 5)]).is_none());
        let plot = Plot::of(&[(100, 5), (110, 20), (140, 10)]).unwrap();
        assert_eq!(plot.most, "2.0");
        assert_eq!(plot.width, 40);
        assert!(plot.line.starts_with("M0 "));
        let long: Vec<(i64, i64)> = (0..100_000).map(|i| (i * SLOT, i % 7)).collect();
        let plot = Plot::of(&long).unwrap();
        assert!(plot.width <= POINTS * 10);
    }

    #[test]
    fn a_job_that_waits_does_not_look_as_if_it_ran() {
        assert_eq!(tone(JobState::Pending), "waiting");
        assert_eq!(tone(JobState::Started), "running");
    }

    #[test]
    fn times_are_said_as_long_ago_as_they_are() {
        let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let said = |seconds: i64| Ago::at(now - Duration::seconds(seconds), now).words;
        let cases = [
            (0, "just now"),
            (-3, "just now"),
            (59, "59 s ago"),
            (200, "3 min ago"),
            (7300, "2 h ago"),
            (90_000, "1 day ago"),
            (300_000, "3 days ago"),
            (4_000_000, "2023-09-29"),
        ];
        for (seconds, words) in cases {
            assert_eq!(said(seconds), words, "{seconds}");
        }
        let ahead = Ago::at(now + Duration::hours(2), now);
        assert_eq!(ahead.words, ahead.exact);
    }

    #[test]
    fn a_long_text_is_cut_and_says_so() {
        assert_eq!(short("moth", 4), "moth");
        assert_eq!(short("møths at night", 6), "møths…");
        assert_eq!(short("møths at night", 7), "møths…");
        assert_eq!(short("", 0), "");
    }

    #[test]
    fn spans_read_as_people_say_them() {
        assert_eq!(span(Duration::seconds(-3)), "0 s");
        assert_eq!(span(Duration::seconds(3725)), "1 h 2 min");
        assert_eq!(lasted(Duration::seconds(-3)), "0 min");
        assert_eq!(lasted(Duration::minutes(118)), "1 h 58 min");
        assert_eq!(lasted(Duration::hours(25)), "1 day 1 h");
        assert_eq!(lasted(Duration::hours(51)), "2 days 3 h");
    }
}
