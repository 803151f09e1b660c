//! `/api/v2/workers/`: the machines that ask for tasks, when they were last heard of, and how many
//! images each holds.

use axum::Json;
use axum::routing::get;
use rest::ApiResult;
use rest::allow::READ;
use rest::field::{Field, Kind};
use rest::page::{Envelope, Page};
use rest::shape::Shape;
use rest::time::instant;
use serde_json::{Value, json};
use store::service::ONLINE_SECONDS;
use store::worker::{Worker, WorkerFilter};

use super::internal;
use crate::call::Call;
use crate::views::{Answer, View, view};

/// About workers.
const ABOUT: &str = "Machines that fetch tasks of jobs: who they say they are, when they last \
asked, and how many images each holds.";

const ROW: &[Field] = &[Field::id(), Field::details()];
const ROW_OR_NULL: Shape = Shape::Or(&[Shape::Object(ROW), Shape::Null]);

const FIELDS: &[Field] = &[
    Field::id(),
    Field::shown("name", "Name", Kind::Text(None)),
    Field::shown("host", "Host", Kind::Text(None)).nullable(),
    Field::shown("version", "Version", Kind::Text(None)).nullable(),
    Field::shown("project", "Project", Kind::Any).holds(ROW_OR_NULL),
    Field::shown("pipeline", "Pipeline", Kind::Any).holds(ROW_OR_NULL),
    Field::shown("job", "Job", Kind::Any).holds(ROW_OR_NULL),
    Field::shown("last_seen", "Last seen", Kind::DateTime),
    Field::shown("is_live", "Is live", Kind::Boolean),
    Field::shown("leased", "Leased", Kind::Integer(None, None)),
    Field::shown("done", "Images finished", Kind::Integer(None, None)),
    Field::shown("failed", "Images failed", Kind::Integer(None, None)),
    Field::shown(
        "images_per_second",
        "Images per second of late",
        Kind::Float,
    )
    .nullable(),
    Field::shown("created_at", "Created at", Kind::DateTime),
];

const FILTERS: &[Field] = &[
    Field::new("project_id", "Project", Kind::Link("projects")),
    Field::new("pipeline", "Pipeline", Kind::Link("ml/pipelines")),
];

/// Its address.
pub const VIEWS: &[View] = &[
    view("/workers", "Worker List", READ, ABOUT, FIELDS, || get(list))
        .filters(FILTERS)
        .got(&[Answer::Objects(FIELDS)]),
];

/// A page of machines in projects that the caller may see, the last heard of first.
pub async fn list(call: Call) -> ApiResult<Json<Envelope<Value>>> {
    let page = Page::read(&call.query);
    let filter = WorkerFilter {
        visible: call.visible().await?,
        project: call.query.integer("project_id", 0)?,
        pipeline: call.query.integer("pipeline", 0)?,
    };
    let store = call.store();
    let found = store.workers(&filter, page.limit, page.offset).await;
    let (rows, count) = found.map_err(internal)?;
    let rows = rows.iter().map(|(w, held)| shown(&call, w, *held));
    let rows = rows.collect();
    Ok(Json(call.envelope(
        "workers",
        page,
        count,
        rows,
        Vec::new(),
    )))
}

fn shown(call: &Call, w: &Worker, held: i64) -> Value {
    let link = |path: &str, id: Option<i64>| {
        id.map(|id| json!({"id": id, "details": call.addresses.row(path, id)}))
    };
    let silence = store::now() - w.last_seen_at;
    json!({
        "id": w.id,
        "name": w.name,
        "host": w.host.as_deref().filter(|host| !host.is_empty()),
        "version": w.version,
        "project": link("projects", w.project_id),
        "pipeline": link("ml/pipelines", w.pipeline_id),
        "job": link("jobs", w.job_id),
        "last_seen": instant(w.last_seen_at),
        "is_live": silence.num_seconds() < ONLINE_SECONDS,
        "leased": held,
        "done": w.done,
        "failed": w.failed,
        "images_per_second": w.rate,
        "created_at": instant(w.created_at),
    })
}
