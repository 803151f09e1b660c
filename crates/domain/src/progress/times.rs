//! When the stages of a job began and ended. The idea: whoever writes the stages of a job holds them
//! against those that stand in its row, so that a time is written down where a state changes and
//! nowhere else. Times are kept in the row; the API, whose answers are recorded, does not tell them.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::Stage;
use crate::state::JobState;

/// Gives the stages that are written `at` this instant their times, from those of the row as it
/// was. A stage that began when nobody wrote that down stays without.
pub fn stamp(before: &[Stage], after: &mut [Stage], at: DateTime<Utc>) {
    for stage in after {
        let was = before.iter().find(|other| other.key == stage.key);
        let fresh = was.is_none_or(|was| was.status == JobState::Created);
        let kept = was.map(|was| (was.began_at, was.ended_at));
        (stage.began_at, stage.ended_at) = match kept {
            _ if stage.status == JobState::Created => (None, None),
            Some(kept) if was.is_some_and(|was| was.status == stage.status) => kept,
            kept => {
                let began = kept.and_then(|(began, _)| began);
                let began = began.or(fresh.then_some(at));
                (began, stage.status.is_final().then_some(at))
            }
        };
    }
}

impl Stage {
    /// The stage as the row of its job keeps it: with its times.
    ///
    /// # Errors
    /// None that is known: a stage is plain data.
    pub fn kept(&self) -> serde_json::Result<Value> {
        let mut kept = serde_json::to_value(self)?;
        if let Some(fields) = kept.as_object_mut() {
            for (name, time) in [("began_at", self.began_at), ("ended_at", self.ended_at)] {
                if let Some(time) = time {
                    fields.insert(name.to_owned(), serde_json::to_value(time)?);
                }
            }
        }
        Ok(kept)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::job::{POST_PROCESSING, SYNC, kind, opening_stages};

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    fn stages(kind_of: &str) -> Vec<Stage> {
        opening_stages(kind(kind_of).unwrap(), 0, false)
    }

    /// The stages as they are written with a change, over those of the row.
    fn written(row: &[Stage], seconds: i64, change: impl FnOnce(&mut Vec<Stage>)) -> Vec<Stage> {
        let mut after = row.to_vec();
        // A runner knows nothing of times.
        for stage in &mut after {
            (stage.began_at, stage.ended_at) = (None, None);
        }
        change(&mut after);
        stamp(row, &mut after, at(seconds));
        after
    }

    #[test]
    fn a_stage_has_the_times_at_which_its_state_changed() {
        let times = |stages: &[Stage]| -> Vec<_> {
            let seconds =
                |time: Option<DateTime<Utc>>| time.map(|time| (time - at(0)).num_seconds());
            let both = |stage: &Stage| (seconds(stage.began_at), seconds(stage.ended_at));
            stages.iter().map(both).collect()
        };
        let row = written(&[], 0, |stages_| *stages_ = stages(SYNC));
        assert_eq!(times(&row), [(None, None), (None, None)]);
        let row = written(&row, 10, |stages| stages[0].advance(0.0));
        assert_eq!(times(&row), [(Some(10), None), (None, None)]);
        let row = written(&row, 20, |stages| stages[0].advance(0.5));
        let row = written(&row, 30, |stages| stages[0].end(JobState::Success));
        let row = written(&row, 40, |stages| stages[0].set("Failed", 3));
        assert_eq!(times(&row), [(Some(10), Some(30)), (None, None)]);
        let row = written(&row, 50, |stages| stages[1].end(JobState::Success));
        assert_eq!(times(&row), [(Some(10), Some(30)), (Some(50), Some(50))]);
        let row = written(&row, 60, |stages| stages.iter_mut().for_each(Stage::reset));
        assert_eq!(times(&row), [(None, None), (None, None)]);
    }

    #[test]
    fn a_stage_that_began_before_times_were_kept_has_none_to_be_reckoned_from() {
        let mut row = stages(POST_PROCESSING);
        row[0].advance(0.4);
        let row = written(&row, 10, |stages| stages[0].advance(0.6));
        assert_eq!((row[0].began_at, row[0].ended_at), (None, None));
        let row = written(&row, 20, |stages| stages[0].end(JobState::Success));
        assert_eq!((row[0].began_at, row[0].ended_at), (None, Some(at(20))));
    }

    #[test]
    fn times_are_kept_and_not_told() {
        let row = written(&[], 0, |stages_| {
            *stages_ = stages(POST_PROCESSING);
            stages_[0].advance(0.4);
        });
        let kept = row[0].kept().unwrap();
        assert_eq!(serde_json::from_value::<Stage>(kept).unwrap(), row[0]);
        let told = serde_json::to_value(&row[0]).unwrap();
        let keys: Vec<&String> = told.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["status", "progress", "key", "name", "params"]);
    }
}
