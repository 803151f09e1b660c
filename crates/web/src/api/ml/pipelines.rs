//! `/api/v2/ml/pipelines/`: what can be run on captures, with its algorithms, the services that
//! offer it, and the projects that use it (`ui.md` §A.7). Written by staff.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{get, post};
use domain::permission::pipeline_permissions;
use rest::allow::{ACTION, DETAIL, LIST};
use rest::field::{Field, Kind};
use rest::page::{Envelope, Page};
use rest::time::instant;
use rest::{ApiError, ApiResult, Form, How, JsonBody};
use serde_json::{Value, json};
use store::pipeline::Pipeline;
use store::pipeline::list::{PipelineChange, PipelineFilter, PipelineParts, ProjectPipeline};
use store::service::ProcessingService;

use super::{algorithms, services};
use crate::api::internal;
use crate::call::{Call, number};
use crate::views::{self, Answer, View, view};

mod trial;

/// About pipelines.
pub const ABOUT: &str = "Pipelines: what processing services can run on captures.";
const TRIAL: &str = "Run the pipeline on one capture, to see whether it works; nothing is saved.";

const PATH: &str = "ml/pipelines";

const SERVICE: &[Field] = &[
    Field::new("name", "Name", Kind::Text(Some(255))).required(),
    Field::id(),
    Field::details(),
    Field::new("endpoint_url", "Endpoint url", Kind::Text(Some(1024))).nullable(),
    Field::shown("is_async", "Is async", Kind::Boolean),
    Field::new("last_seen", "Last seen", Kind::DateTime).nullable(),
    Field::new("last_seen_live", "Last seen live", Kind::Boolean).nullable(),
    Field::shown("created_at", "Created at", Kind::DateTime),
    Field::shown("updated_at", "Updated at", Kind::DateTime),
];

const USE: &[Field] = &[
    Field::id(),
    Field::new("project", "Project", Kind::Any).required(),
    Field::new("pipeline", "Pipeline", Kind::Any).required(),
    Field::new("enabled", "Enabled", Kind::Boolean),
    Field::new("config", "Config", Kind::Any),
    Field::permissions(),
];

/// The fields of a pipeline.
pub const FIELDS: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::new("name", "Name", Kind::Text(Some(255))).required(),
    Field::new("slug", "Slug", Kind::Slug(255)).required(),
    Field::new("description", "Description", Kind::Text(None)).blank(),
    Field::shown("algorithms", "Algorithms", Kind::Rows(algorithms::FIELDS)),
    Field::shown("stages", "Stages", Kind::Any),
    Field::shown(
        "processing_services",
        "Processing services",
        Kind::Rows(SERVICE),
    ),
    Field::shown(
        "project_pipeline_configs",
        "Project pipeline configs",
        Kind::Rows(USE),
    ),
    Field::shown("created_at", "Created at", Kind::DateTime),
    Field::shown("updated_at", "Updated at", Kind::DateTime),
];

/// What the list can be ordered by.
pub const ORDERS: &[&str] = &["id", "name", "created_at", "updated_at"];

/// Its addresses.
pub const VIEWS: &[View] = &[
    view(
        "/ml/pipelines",
        "Pipeline List",
        LIST,
        ABOUT,
        FIELDS,
        || get(list).post(create),
    )
    .filters(views::PROJECT)
    .orders(ORDERS)
    .searched()
    .in_root(),
    view(
        "/ml/pipelines/{id}",
        "Pipeline Instance",
        DETAIL,
        ABOUT,
        FIELDS,
        || get(detail).put(replace).patch(edit).delete(delete),
    ),
    view(
        "/ml/pipelines/{id}/test_process",
        "Test process",
        ACTION,
        TRIAL,
        &[],
        || post(trial::run),
    )
    .asks(views::PROJECT)
    .posted(&[(200, Answer::Open)])
    .fails(&[400]),
];

/// A service as it stands in a pipeline.
fn service(call: &Call, service: &ProcessingService) -> Value {
    let signs = services::Signs::of(service);
    json!({
        "name": service.name,
        "id": service.id,
        "details": call.addresses.row("ml/processing_services", service.id),
        "endpoint_url": service.endpoint_url,
        "is_async": signs.pulls,
        "last_seen": service.last_seen_at.map(instant),
        "last_seen_live": signs.live,
        "created_at": instant(service.created_at),
        "updated_at": instant(service.updated_at),
        "user_permissions": pipeline_permissions(call.who.caller()),
    })
}

/// How a project uses a pipeline.
fn used(call: &Call, used: &ProjectPipeline) -> Value {
    json!({
        "id": used.id,
        "project": call.addresses.row("projects", used.project_id),
        "pipeline": call.addresses.row(PATH, used.pipeline_id),
        "enabled": used.enabled,
        "config": used.config,
        "user_permissions": pipeline_permissions(call.who.caller()),
    })
}

/// The stages of a pipeline with their keys in the recorded order: databases keep none.
pub fn stages(stored: &Value) -> Value {
    let stages = stored.as_array().into_iter().flatten().map(|stage| {
        let mut stage = in_order(stage, &["key", "name", "enabled", "params"]);
        if let Some(Value::Array(params)) = stage.get_mut("params") {
            for param in params {
                *param = in_order(param, &["name", "key", "category", "value"]);
            }
        }
        stage
    });
    Value::Array(stages.collect())
}

/// The object with these keys first.
fn in_order(object: &Value, keys: &[&str]) -> Value {
    let Value::Object(object) = object else {
        return object.clone();
    };
    let known = keys.iter().filter_map(|key| object.get_key_value(*key));
    let more = object
        .iter()
        .filter(|(key, _)| !keys.contains(&key.as_str()));
    let all = known
        .chain(more)
        .map(|(key, value)| (key.clone(), value.clone()));
    Value::Object(all.collect())
}

fn shown(call: &Call, pipeline: &Pipeline, parts: &PipelineParts) -> Value {
    let id = pipeline.id;
    let algorithms = parts.algorithms.get(&id).into_iter().flatten();
    let services = parts.services.get(&id).into_iter().flatten();
    let projects = parts.projects.get(&id).into_iter().flatten();
    json!({
        "id": id,
        "details": call.addresses.row(PATH, id),
        "name": pipeline.name,
        "slug": pipeline.slug,
        "description": pipeline.description,
        "algorithms": algorithms.map(|a| algorithms::shown(call, a, None)).collect::<Vec<_>>(),
        "stages": stages(&pipeline.stages),
        "processing_services": services.map(|s| service(call, s)).collect::<Vec<_>>(),
        "project_pipeline_configs": projects.map(|p| used(call, p)).collect::<Vec<_>>(),
        "created_at": instant(pipeline.created_at),
        "updated_at": instant(pipeline.updated_at),
        "user_permissions": pipeline_permissions(call.who.caller()),
    })
}

/// Pipelines as every list shows them; with a project, only its services and settings.
pub async fn rows(call: &Call, rows: &[Pipeline], project: Option<i64>) -> ApiResult<Vec<Value>> {
    let ids: Vec<i64> = rows.iter().map(|pipeline| pipeline.id).collect();
    let parts = call.store().pipeline_parts(&ids, project).await;
    let parts = parts.map_err(internal)?;
    Ok(rows.iter().map(|row| shown(call, row, &parts)).collect())
}

async fn answer(call: &Call, pipeline: &Pipeline) -> ApiResult<Json<Value>> {
    let project = call.active_project().await?;
    let mut rows = rows(call, std::slice::from_ref(pipeline), project).await?;
    Ok(Json(rows.pop().unwrap_or_default()))
}

/// A page of pipelines.
pub async fn list(call: Call) -> ApiResult<Json<Envelope<Value>>> {
    let project = call.active_project().await?;
    let filter = PipelineFilter {
        project_id: project,
        visible: call.visible().await?,
        search: call.query.search(),
        order: call.order(ORDERS),
        ..Default::default()
    };
    let page = Page::read(&call.query);
    let found = call
        .store()
        .pipelines_page(&filter, page.limit, page.offset);
    let (found, count) = found.await.map_err(internal)?;
    let rows = rows(&call, &found, project).await?;
    let words = call.list_words("pipeline").await?;
    Ok(Json(call.envelope(PATH, page, count, rows, words)))
}

/// The pipeline, where the caller may see a project that uses it.
async fn find(call: &Call, id: &str) -> ApiResult<Pipeline> {
    let filter = PipelineFilter {
        id: Some(number(id)?),
        visible: call.visible().await?,
        ..Default::default()
    };
    let found = call.store().pipelines_page(&filter, 1, 0).await;
    let (rows, _) = found.map_err(internal)?;
    rows.into_iter().next().ok_or(ApiError::NotFound)
}

/// The pipeline, for those who may write it: staff see all.
async fn writable(call: &Call, id: &str) -> ApiResult<Pipeline> {
    call.permit_shared()?;
    call.store().pipeline(number(id)?).await.map_err(internal)
}

/// One pipeline.
pub async fn detail(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let pipeline = find(&call, &id).await?;
    answer(&call, &pipeline).await
}

/// What a body says of a pipeline; slug, and name with version, must not be taken.
async fn read(
    call: &Call,
    body: JsonBody,
    how: How,
    old: Option<&Pipeline>,
) -> ApiResult<PipelineChange> {
    let mut form = Form::read(FIELDS, body, how)?;
    let (name, slug) = (form.text("name"), form.text("slug"));
    let store = call.store();
    let others = |found: Option<Pipeline>| found.is_some_and(|p| Some(p.id) != old.map(|o| o.id));
    if let Some(slug) = &slug
        && others(store.pipeline_by_slug(slug).await.map_err(internal)?)
    {
        form.wrong("slug", "pipeline with this slug already exists.");
    }
    let version = old.map_or(1, |old| old.version);
    if let (Some(name), true) = (&name, form.errors.is_empty())
        && others(
            store
                .pipeline_named(name, version)
                .await
                .map_err(internal)?,
        )
    {
        form.wrong("name", "pipeline with this name already exists.");
    }
    form.finish()?;
    Ok(PipelineChange {
        name,
        slug,
        description: form.text("description"),
    })
}

/// Makes a pipeline.
pub async fn create(call: Call, body: JsonBody) -> ApiResult<(StatusCode, Json<Value>)> {
    call.permit_shared()?;
    let new = read(&call, body, How::Whole, None).await?;
    let pipeline = call.store().create_pipeline(new).await.map_err(internal)?;
    Ok((StatusCode::CREATED, answer(&call, &pipeline).await?))
}

/// Replaces a pipeline (PUT).
pub async fn replace(call: Call, id: Path<String>, body: JsonBody) -> ApiResult<Json<Value>> {
    change(call, id, body, How::Whole).await
}

/// Changes a pipeline (PATCH).
pub async fn edit(call: Call, id: Path<String>, body: JsonBody) -> ApiResult<Json<Value>> {
    change(call, id, body, How::Partial).await
}

async fn change(
    call: Call,
    Path(id): Path<String>,
    body: JsonBody,
    how: How,
) -> ApiResult<Json<Value>> {
    let old = writable(&call, &id).await?;
    let change = read(&call, body, how, Some(&old)).await?;
    let pipeline = call.store().change_pipeline(old.id, change).await;
    answer(&call, &pipeline.map_err(internal)?).await
}

/// Deletes a pipeline; its jobs stay.
pub async fn delete(call: Call, Path(id): Path<String>) -> ApiResult<StatusCode> {
    let pipeline = writable(&call, &id).await?;
    let deleted = call.store().delete_pipeline(pipeline.id).await;
    deleted.map_err(internal)?;
    Ok(StatusCode::NO_CONTENT)
}
