//! Jobs. Antenna keeps the whole progress as one object; here the stages stay as they are, and
//! the figures of the ML stages become a line of counts, from which they are composed again.

use domain::job::{PROCESS_STAGE, RESULTS_STAGE};
use domain::state::JobState;
use serde_json::{Value, json};
use store::testing::rows::Row;

use super::Table;
use crate::golden::sheet::Line;

pub const JOBS: Table = Table {
    name: "jobs_job",
    needs: &[("project_id", "main_project")],
    links: &[
        ("deployment_id", "main_deployment"),
        ("source_image_collection_id", "main_sourceimagecollection"),
        ("source_image_single_id", "main_sourceimage"),
        ("pipeline_id", "ml_pipeline"),
        ("data_export_id", "exports_dataexport"),
    ],
    rows: |line| {
        let progress = line.json("progress").unwrap_or(json!({}));
        let counts = Counts::read(&progress);
        let mut rows = vec![job(line, &progress, &counts)];
        rows.extend(counts.map(|counts| counts.row(line)));
        rows
    },
};

fn job(line: &Line, progress: &Value, counts: &Option<Counts>) -> Row {
    let total = counts.as_ref().map(|counts| counts.total);
    Row::new("job")
        .int("id", line.int("id"))
        .int("project_id", line.int("project_id"))
        .text("name", line.text("name"))
        .text("kind", line.text("job_type_key"))
        .json("params", line.json("params").unwrap_or(json!({})))
        .int("delay", line.int("delay"))
        .int("limit", line.int("limit"))
        .bool("shuffle", line.bool("shuffle"))
        .int("station_id", line.int("deployment_id"))
        .int("capture_set_id", line.int("source_image_collection_id"))
        .int("capture_id", line.int("source_image_single_id"))
        .int("pipeline_id", line.int("pipeline_id"))
        .int("export_id", line.int("data_export_id"))
        .text("dispatch_mode", line.text("dispatch_mode"))
        .bool("paused", false)
        .int("priority", 0)
        .int("generation", 1)
        .int("run_no", 1)
        .text("feed_mode", "all")
        .int("feed_cursor", i64::MIN)
        .int("sent_cursor", i64::MIN)
        .int("fed", total.unwrap_or(0))
        .int("kept", 0)
        .int("total", total)
        .int("expected", total)
        .text("receipt_key", "")
        .int("claim_no", 0)
        .int("rescues", 0)
        .json(
            "stages",
            progress.get("stages").cloned().unwrap_or(json!([])),
        )
        .json(
            "errors",
            progress.get("errors").cloned().unwrap_or(json!([])),
        )
        .json(
            "result",
            line.json("result").filter(|result| !result.is_null()),
        )
        .instant("created_at", line.instant("created_at"))
        .instant("updated_at", line.instant("updated_at"))
        .instant("scheduled_at", line.instant("scheduled_at"))
        .instant("started_at", line.instant("started_at"))
        .instant("finished_at", line.instant("finished_at"))
}

/// Adds the state. Where jobs are run, one that was at work arrives as CREATED: its worker stayed
/// behind.
pub fn complete(line: &Line, row: Row, workers: bool) -> Row {
    if row.table != "job" {
        return row;
    }
    let state = JobState::from_code(&line.text("status")).unwrap_or(JobState::Unknown);
    let rests = workers && !state.is_final();
    let state = if rests { JobState::Created } else { state };
    row.text("state", state.code())
}

/// The figures of the stages of an ML job that has begun.
struct Counts {
    total: i64,
    failed: i64,
    processed: i64,
    captures: i64,
    detections: i64,
    classifications: i64,
}

impl Counts {
    fn read(progress: &Value) -> Option<Counts> {
        let figure = |stage: &str, param: &str| {
            let named = |list: &Value, key: &str| {
                let items = list.as_array()?;
                items.iter().find(|item| item["key"] == key).cloned()
            };
            let stage = named(&progress["stages"], stage)?;
            named(&stage["params"], param)?["value"].as_i64()
        };
        let processed = figure(PROCESS_STAGE, "processed")?;
        Some(Counts {
            total: processed + figure(PROCESS_STAGE, "remaining")?,
            failed: figure(PROCESS_STAGE, "failed")?,
            processed,
            captures: figure(RESULTS_STAGE, "captures").unwrap_or(0),
            detections: figure(RESULTS_STAGE, "detections").unwrap_or(0),
            classifications: figure(RESULTS_STAGE, "classifications").unwrap_or(0),
        })
    }

    fn row(&self, line: &Line) -> Row {
        Row::new("job_progress")
            .int("job_id", line.int("id"))
            .int("generation", 1)
            .int("stage", 0)
            .int("shard", 0)
            .int("done", self.processed - self.failed)
            .int("failed", self.failed)
            .int("captures", self.captures)
            .int("detections", self.detections)
            .int("classifications", self.classifications)
    }
}
