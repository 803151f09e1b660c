//! Jobs with their progress. Antenna keeps all of it as one object; here the stages stay as they
//! are, and the figures of the ML stages become a line of counts, from which they are composed
//! again. A job that was at work, or waited, arrives as new: its worker stayed behind.

use async_trait::async_trait;
use domain::job::{DispatchMode, FeedMode, PROCESS_STAGE, RESULTS_STAGE, first_stages};
use domain::progress::Stage;
use domain::state::JobState;
use sea_orm::IntoActiveModel;
use serde_json::{Value, json};

use super::line::{Line, Unfit};
use super::link::World;
use super::step::{About, Bring, Step, insert, lose};
use crate::connection::{StoreResult, Write};
use crate::entity::{job, job_progress};
use crate::job::feed::{PROCESS, START};
use sea_orm::ActiveModelTrait;

/// States that nobody is left to end.
pub(super) const AT_WORK: &str = "status IN ('PENDING', 'STARTED', 'RETRY', 'RECEIVED')";

pub(super) struct Jobs(About);

pub(super) const JOBS: Jobs = Jobs(About {
    needs: &[("project_id", "project")],
    links: &[
        ("deployment_id", "station"),
        ("source_image_collection_id", "capture_set"),
        ("source_image_single_id", "capture"),
        ("pipeline_id", "pipeline"),
        ("data_export_id", "export"),
    ],
    ..About::new("jobs_job", "job")
});

#[async_trait]
impl Bring for Jobs {
    fn about(&self) -> &About {
        &self.0
    }

    async fn write(
        &self,
        tx: &Write,
        lines: &[Line],
        _: &World,
        step: &mut Step,
    ) -> StoreResult<()> {
        let (mut jobs, mut counts) = (Vec::new(), Vec::new());
        for line in lines {
            match read(line, step) {
                Ok((row, line_of_counts)) => {
                    jobs.push((line.key, row.into_active_model().reset_all()));
                    counts.extend(
                        line_of_counts.map(|row| (line.key, row.into_active_model().reset_all())),
                    );
                }
                Err(reason) => lose(step, &format!("left out: {reason}"), line.key),
            }
        }
        step.written += insert::<job::Entity>(tx, jobs, step).await?;
        insert::<job_progress::Entity>(tx, counts, step).await?;
        Ok(())
    }
}

/// The state in which a job arrives, and whether it begins anew.
fn arrives(status: &str) -> Option<(JobState, bool)> {
    let state = JobState::from_code(status)?;
    Some(match state {
        JobState::Pending | JobState::Started | JobState::Retry | JobState::Received => {
            (JobState::Created, true)
        }
        // A person had cancelled it; nothing of it runs any more.
        JobState::Canceling => (JobState::Revoked, false),
        other => (other, false),
    })
}

fn read(line: &Line, step: &mut Step) -> Result<(job::Model, Option<job_progress::Model>), Unfit> {
    let status: String = line.get("status")?;
    let (state, anew) = match arrives(&status) {
        Some(found) => found,
        None => {
            lose(step, "came as UNKNOWN: no such status here", line.key);
            (JobState::Unknown, false)
        }
    };
    if status != state.code() && state != JobState::Unknown {
        lose(
            step,
            &format!("came as {}: it was {status}", state.code()),
            line.key,
        );
    }
    let mut row = fresh(line, state, step)?;
    let progress = line.object("progress")?;
    if anew {
        return Ok((row, None));
    }
    let stages = progress.get("stages").cloned().unwrap_or(json!([]));
    match serde_json::from_value::<Vec<Stage>>(stages.clone()) {
        Ok(_) => row.stages = stages,
        Err(_) => lose(
            step,
            "came without its stages, which do not read as such",
            line.key,
        ),
    }
    let errors = progress.get("errors").and_then(Value::as_array);
    let errors = errors
        .into_iter()
        .flatten()
        .filter(|error| error.is_string());
    row.errors = errors.cloned().collect();
    row.started_at = line.opt("started_at")?;
    row.finished_at = line.opt("finished_at")?;
    row.scheduled_at = line.opt("scheduled_at")?;
    let counts = counts(&progress, line.key);
    let total = counts.as_ref().map(|(_, total)| *total);
    (row.total, row.expected, row.fed) = (total, total, total.unwrap_or(0));
    Ok((row, counts.map(|(row, _)| row)))
}

/// A job as it is before it begins.
fn fresh(line: &Line, state: JobState, step: &mut Step) -> Result<job::Model, Unfit> {
    let key: String = line.get("job_type_key")?;
    let kind = domain::job::kind(&key).ok_or_else(|| format!("{key:?} is no kind of job here"))?;
    let mode = line.words("dispatch_mode")?;
    let mode = DispatchMode::from_code(&mode).unwrap_or_else(|| {
        lose(
            step,
            "came as internal: no such dispatch_mode here",
            line.key,
        );
        DispatchMode::Internal
    });
    let (delay, pipeline) = (line.opt("delay")?.unwrap_or(0), line.opt("pipeline_id")?);
    let stages = first_stages(kind, delay, pipeline.is_some());
    Ok(job::Model {
        id: line.key,
        project_id: line.get("project_id")?,
        name: line.get("name")?,
        kind: kind.key.to_owned(),
        params: line.object("params")?,
        delay,
        limit: line.opt("limit")?,
        shuffle: line.opt("shuffle")?.unwrap_or(false),
        station_id: line.opt("deployment_id")?,
        capture_set_id: line.opt("source_image_collection_id")?,
        capture_id: line.opt("source_image_single_id")?,
        pipeline_id: pipeline,
        export_id: line.opt("data_export_id")?,
        created_by_id: None,
        dispatch_mode: mode.code().to_owned(),
        state: state.code().to_owned(),
        paused: false,
        priority: 0,
        generation: 1,
        run_no: 1,
        feed_mode: FeedMode::All.code().to_owned(),
        feed_cursor: START,
        sent_cursor: START,
        in_stream: false,
        fed: 0,
        kept: 0,
        total: None,
        expected: None,
        receipt_key: hex::encode(rand::random::<[u8; 16]>()),
        owner: None,
        claim_no: 0,
        rescues: 0,
        beat_at: None,
        stages: serde_json::to_value(stages).map_err(|error| error.to_string())?,
        errors: json!([]),
        result: line.opt("result")?,
        created_at: line.get("created_at")?,
        updated_at: line.get("updated_at")?,
        scheduled_at: None,
        started_at: None,
        finished_at: None,
        trace_id: None,
        span_id: None,
    })
}

/// The figures of the stages of an ML job that has begun, and how many images it had.
fn counts(progress: &Value, job: i64) -> Option<(job_progress::Model, i64)> {
    let figure = |stage: &str, param: &str| {
        let named = |list: &Value, key: &str| {
            let items = list.as_array()?;
            items.iter().find(|item| item["key"] == key).cloned()
        };
        let stage = named(&progress["stages"], stage)?;
        named(&stage["params"], param)?["value"].as_i64()
    };
    let processed = figure(PROCESS_STAGE, "processed")?;
    let failed = figure(PROCESS_STAGE, "failed").unwrap_or(0);
    let result = |param| figure(RESULTS_STAGE, param).unwrap_or(0);
    let row = job_progress::Model {
        job_id: job,
        generation: 1,
        stage: PROCESS,
        shard: 0,
        done: processed - failed,
        failed,
        captures: result("captures"),
        detections: result("detections"),
        classifications: result("classifications"),
    };
    Some((
        row,
        processed + figure(PROCESS_STAGE, "remaining").unwrap_or(0),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ended_and_new_jobs_stay_what_they_are() {
        for state in JobState::ALL {
            let (arrived, anew) = arrives(state.code()).unwrap_or((JobState::Unknown, false));
            let stays = state.is_final() || [JobState::Created, JobState::Unknown].contains(&state);
            assert_eq!(arrived == state, stays, "{state}");
            assert_eq!(anew, AT_WORK.contains(state.code()), "{state}");
        }
        assert_eq!(arrives("SLEEPING"), None);
    }
}
