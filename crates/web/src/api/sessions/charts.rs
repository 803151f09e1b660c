//! A session cut into intervals and hours: its timeline and its charts (`ui.md` §A.8). Pure over
//! the moments of a session in order of time.

use chrono::{Duration, NaiveDateTime, Timelike};
use rest::time::naive;
use serde_json::{Value, json};
use store::session::Moment;

/// A part of a session. A capture at the border of two belongs to the earlier one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interval<'a> {
    /// Its beginning.
    pub start: NaiveDateTime,
    /// Its end.
    pub end: NaiveDateTime,
    /// The captures within.
    pub moments: &'a [Moment],
}

impl Interval<'_> {
    /// What was found within.
    pub fn detections(&self) -> i64 {
        self.moments.iter().map(|m| m.detections).sum()
    }

    /// The capture on which most was found; of several the last.
    pub fn top(&self) -> Option<&Moment> {
        self.moments.iter().max_by_key(|m| m.detections)
    }
}

/// The intervals from the first capture to the last; a session of one moment is one interval.
pub fn intervals(moments: &[Moment], minutes: i64) -> Vec<Interval<'_>> {
    let (Some(first), Some(last)) = (moments.first(), moments.last()) else {
        return Vec::new();
    };
    let step = Duration::try_minutes(minutes.max(1)).unwrap_or(Duration::days(1));
    let mut list = Vec::new();
    let (mut start, mut rest) = (first.at, moments);
    loop {
        let end = start
            .checked_add_signed(step)
            .unwrap_or(last.at)
            .min(last.at);
        let within = rest.partition_point(|m| m.at <= end);
        let (moments, later) = rest.split_at(within);
        list.push(Interval {
            start,
            end,
            moments,
        });
        (start, rest) = (end, later);
        if end >= last.at {
            return list;
        }
    }
}

/// What was found in each hour in which something was, in the order of the night.
fn hours(moments: &[Moment]) -> Vec<(u32, i64)> {
    let mut hours: Vec<(u32, i64)> = Vec::new();
    for moment in moments.iter().filter(|moment| moment.detections > 0) {
        let hour = moment.at.hour();
        match hours.iter_mut().find(|(known, _)| *known == hour) {
            Some((_, count)) => *count += moment.detections,
            None => hours.push((hour, moment.detections)),
        }
    }
    hours
}

fn clock(hour: u32) -> String {
    let half = if hour < 12 { "AM" } else { "PM" };
    let hour = (hour + 11) % 12 + 1;
    format!("{hour:02}:00 {half}")
}

/// The charts of a session.
pub fn charts(moments: &[Moment], taxa: &[(String, i64)]) -> Value {
    let hours = hours(moments);
    let words: Vec<String> = hours.iter().map(|(hour, _)| clock(*hour)).collect();
    // As recorded, with minutes twice.
    let ticks: Vec<String> = words.iter().map(|word| format!("{word}:00")).collect();
    let counts: Vec<i64> = hours.iter().map(|(_, count)| *count).collect();
    let names: Vec<&str> = taxa.iter().map(|(name, _)| name.as_str()).collect();
    let seen: Vec<i64> = taxa.iter().map(|(_, count)| *count).collect();
    json!([
        {
            "title": "Detections per hour",
            "data": {"x": words, "y": counts, "ticktext": ticks},
            "type": "bar",
        },
        {
            "title": "Top species",
            "data": {"x": seen, "y": names},
            "type": "bar",
            "orientation": "h",
        },
    ])
}

/// The figures over all intervals.
pub fn meta(intervals: &[Interval<'_>], minutes: i64) -> Value {
    let found = || {
        let filled = intervals.iter().filter(|i| !i.moments.is_empty());
        filled.map(Interval::detections)
    };
    json!({
        "total_intervals": intervals.len(),
        "resolution_minutes": minutes,
        "max_detections": found().max().unwrap_or(0),
        "min_detections": found().min().unwrap_or(0),
        "total_detections": found().sum::<i64>(),
        "timeline_start": intervals.first().map(|i| naive(i.start)),
        "timeline_end": intervals.last().map(|i| naive(i.end)),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn moments(list: &[(&str, i64)]) -> Vec<Moment> {
        let moment = |(id, (time, detections)): (usize, &(&str, i64))| Moment {
            capture: id as i64 + 1,
            at: rest::time::read(&format!("2025-04-20 {time}")).unwrap(),
            detections: *detections,
            processed: true,
        };
        list.iter().enumerate().map(moment).collect()
    }

    #[test]
    fn intervals_are_cut_as_recorded() {
        let night = moments(&[("22:01:00", 7), ("22:36:00", 7), ("23:28:00", 7)]);
        let fine = intervals(&night, 1);
        assert_eq!(fine.len(), 87);
        let filled: Vec<usize> = (0..87).filter(|i| !fine[*i].moments.is_empty()).collect();
        assert_eq!(filled, [0, 34, 86]);
        let coarse = intervals(&night, 10);
        assert_eq!(coarse.len(), 9);
        assert_eq!(naive(coarse[8].end), "2025-04-20T23:28:00");
        assert_eq!(coarse[8].moments.len(), 1);
        assert_eq!(meta(&coarse, 10)["total_detections"], 21);
    }

    #[test]
    fn few_captures_make_few_intervals() {
        assert!(intervals(&[], 1).is_empty());
        let one = moments(&[("22:00:00", 5), ("22:00:00", 5), ("22:00:00", 2)]);
        let list = intervals(&one, i64::MAX);
        assert_eq!((list.len(), list[0].detections()), (1, 12));
        assert_eq!(list[0].top().unwrap().capture, 2);
    }

    #[test]
    fn charts_read_as_recorded() {
        let night = [
            ("21:59:00", 0),
            ("22:01:00", 7),
            ("22:36:00", 7),
            ("23:28:00", 7),
        ];
        let night = moments(&night);
        let charts = charts(&night, &[("Vanessa".to_owned(), 3)]);
        assert_eq!(charts[0]["data"]["x"], json!(["10:00 PM", "11:00 PM"]));
        assert_eq!(charts[0]["data"]["y"], json!([14, 7]));
        assert_eq!(charts[1]["data"], json!({"x": [3], "y": ["Vanessa"]}));
        assert_eq!(
            (clock(0), clock(12), clock(9)),
            ("12:00 AM".into(), "12:00 PM".into(), "09:00 AM".into())
        );
    }
}
