//! How long each stage of a job took, or since when somebody is at it. The idea: a stage that the
//! runner itself moves has its times in the job's row; those that are summed from results begin
//! with the first slot in which one came back, and end with the job.

use chrono::{DateTime, TimeDelta, Utc};
use domain::job::{ML, PROCESS_STAGE, RESULTS_STAGE};
use domain::progress::Stage;
use domain::state::JobState;
use store::job::Job;

use crate::pages::model;

/// What is said of a stage; nothing where it has not begun, or where nobody knows when it did.
pub fn words(job: &Job, stage: &Stage, slots: &[(i64, i64)], now: DateTime<Utc>) -> Option<String> {
    let (began, ended) = times(job, stage, slots)?;
    Some(match ended {
        Some(ended) => span(ended - began),
        // To the minute, so that a page that follows its job hears of it once a minute.
        None if now - began < TimeDelta::minutes(1) => "just begun".to_owned(),
        None => format!("since {}", span(now - began)),
    })
}

fn times(
    job: &Job,
    stage: &Stage,
    slots: &[(i64, i64)],
) -> Option<(DateTime<Utc>, Option<DateTime<Utc>>)> {
    if stage.status == JobState::Created {
        return None;
    }
    let summed = [PROCESS_STAGE, RESULTS_STAGE].contains(&stage.key.as_str());
    if job.kind == ML && summed {
        let first = DateTime::from_timestamp(slots.first()?.0, 0)?;
        let began = job.started_at.map_or(first, |start| start.max(first));
        return Some((began, job.finished_at));
    }
    // What a job leaves open ends with it.
    Some((stage.began_at?, stage.ended_at.or(job.finished_at)))
}

/// "45 s", "12 min", "1 h 58 min".
fn span(time: TimeDelta) -> String {
    match time.num_seconds() {
        ..1 => "under 1 s".to_owned(),
        seconds @ 1..60 => format!("{seconds} s"),
        _ => model::lasted(time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_as_exact_as_they_are_long() {
        let cases = [
            (-3, "under 1 s"),
            (0, "under 1 s"),
            (59, "59 s"),
            (725, "12 min"),
            (7080, "1 h 58 min"),
            (200_000, "2 days 7 h"),
        ];
        for (seconds, words) in cases {
            assert_eq!(span(TimeDelta::seconds(seconds)), words);
        }
    }
}
