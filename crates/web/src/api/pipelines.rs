//! `/api/v2/projects/{id}/pipelines/`: the pipelines that a project uses, which workers register
//! (`processing-service.md` §4, §7.5).

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use domain::permission::{Action, list_permissions};
use domain::wire::PipelineConfigResponse;
use rest::allow::LIST;
use rest::document::{self, Member, Shape};
use rest::page::{Envelope, Page};
use rest::time::instant;
use rest::validate::Input;
use rest::{ApiError, ApiResult, JsonBody};
use serde_json::{Value, json};
use store::StoreError;
use store::pipeline::list::PipelineFilter;

use super::internal;
use super::ml::pipelines::{self, ORDERS};
use super::projects::find;
use crate::call::{Call, number};
use crate::views::{Answer, View, view};

pub mod fields;

/// Its address.
pub const VIEWS: &[View] = &[view(
    "/projects/{id}/pipelines",
    "Project Pipeline List",
    LIST,
    fields::REGISTER,
    fields::REGISTER_FIELDS,
    || get(of_project).post(register),
)
.shows(pipelines::FIELDS)
.posted(&[(201, Answer::Object(fields::REGISTERED))])
.orders(ORDERS)];

const PARAM: Shape = Shape::Model(&[
    Member::required("name", Shape::Text),
    Member::required("key", Shape::Text),
    Member::defaulted("category", Shape::Text),
]);
const STAGE: Shape = Shape::Model(&[
    Member::required("key", Shape::Text),
    Member::required("name", Shape::Text),
    Member::defaulted("params", Shape::List(&PARAM)),
    Member::optional("description", Shape::Text),
]);
const CLASSES: Shape = Shape::Model(&[
    Member::optional("data", Shape::List(&Shape::Map)),
    Member::optional("labels", Shape::List(&Shape::Text)),
    Member::optional("version", Shape::Text),
    Member::optional("description", Shape::Text),
    Member::optional("uri", Shape::Text),
]);
const CONFIGURED: Shape = Shape::Model(&[
    Member::required("name", Shape::Text),
    Member::required("key", Shape::Text),
    Member::optional("description", Shape::Text),
    Member::optional("task_type", Shape::Text),
    Member::optional("version", Shape::Whole),
    Member::optional("version_name", Shape::Text),
    Member::optional("uri", Shape::Text),
    Member::optional("category_map", CLASSES),
]);
const CONFIG: Shape = Shape::Model(&[
    Member::required("name", Shape::Text),
    Member::required("slug", Shape::Text),
    Member::required("version", Shape::Whole),
    Member::optional("description", Shape::Text),
    Member::optional("algorithms", Shape::List(&CONFIGURED)),
    Member::optional("stages", Shape::List(&STAGE)),
]);

/// The pipelines that a worker registers.
const CONFIGS: Shape = Shape::List(&CONFIG);

/// Longest name of a service and of what it registers, in characters.
const MAX_NAME: usize = 255;

/// Registers a pull service with its pipelines for a project.
pub async fn register(
    call: Call,
    Path(id): Path<String>,
    body: JsonBody,
) -> ApiResult<(StatusCode, Json<Value>)> {
    let (project, _) = find(&call, &id, Action::Register).await?;
    let mut input = Input::new(body)?;
    let name = input.text("processing_service_name", MAX_NAME);
    let configs = configs(&mut input);
    let (Some(name), Some(configs)) = input.finish((name, configs))? else {
        return Err(ApiError::Internal("a checked value is missing".to_owned()));
    };
    let shared = call.who.caller().may_write_shared();
    let made = call
        .store()
        .register_pull_service(project.id, &name, &configs, shared)
        .await;
    let made = match made {
        // Workers show the text of `detail` to the person who started them.
        Err(StoreError::Conflict(why)) => return Err(ApiError::BadRequest(why)),
        other => other.map_err(internal)?,
    };
    let body = json!({
        "timestamp": instant(store::now()),
        "success": true,
        "error": null,
        "pipelines": configs,
        "pipelines_created": made.pipelines_created,
        "algorithms_created": made.algorithms_created,
    });
    Ok((StatusCode::CREATED, Json(body)))
}

/// The pipelines that a body holds; none where it names none.
fn configs(input: &mut Input) -> Option<Vec<PipelineConfigResponse>> {
    if !input.has("pipelines") {
        return Some(Vec::new());
    }
    let value = match input.document("pipelines")? {
        Value::String(text) => match document::from_text(&text) {
            Ok(value) => value,
            Err(faults) => {
                input.errors.put("pipelines", faults);
                return None;
            }
        },
        other => other,
    };
    let mut faults = document::faults(&value, &Shape::List(&CONFIG), &[]);
    if faults.is_empty() {
        match serde_json::from_value::<Vec<PipelineConfigResponse>>(value) {
            Ok(configs) => {
                faults = too_long(&configs);
                if faults.is_empty() {
                    return Some(configs);
                }
            }
            Err(error) => faults.push(json!({
                "loc": ["__root__"], "msg": error.to_string(), "type": "value_error",
            })),
        }
    }
    input.errors.put("pipelines", faults);
    None
}

/// Names that would not fit where they are kept.
fn too_long(configs: &[PipelineConfigResponse]) -> Vec<Value> {
    let mut faults = Vec::new();
    let mut check = |place: Vec<String>, text: &str| {
        let words = if text.chars().count() > MAX_NAME {
            format!("ensure this value has at most {MAX_NAME} characters")
        } else if text.contains('\0') {
            "null characters are not allowed".to_owned()
        } else {
            return;
        };
        faults.push(json!({"loc": place, "msg": words, "type": "value_error"}));
    };
    for (i, config) in configs.iter().enumerate() {
        let at = |name: &str| vec!["__root__".to_owned(), i.to_string(), name.to_owned()];
        check(at("name"), &config.name);
        check(at("slug"), &config.slug);
        for algorithm in &config.algorithms {
            check(at("algorithms"), &algorithm.name);
            check(at("algorithms"), &algorithm.key);
        }
    }
    faults
}

/// The pipelines that a project uses. A project that the caller may not see is refused openly,
/// as the reference does.
pub async fn of_project(call: Call, Path(id): Path<String>) -> ApiResult<Json<Envelope<Value>>> {
    let (project, facts) = call.project(number(&id)?).await?;
    let caller = call.who.caller();
    if !facts.visible_to(caller) {
        return Err(match caller.id() {
            None => ApiError::NotAuthenticated,
            Some(_) => ApiError::Forbidden,
        });
    }
    let words = list_permissions(caller, Some(&facts), "projectpipelineconfig");
    let words = words.into_iter().map(str::to_owned).collect();
    let path = format!("projects/{}/pipelines", project.id);
    let page = Page::read(&call.query);
    let filter = PipelineFilter {
        enabled_for: Some(project.id),
        order: call.order(ORDERS),
        ..Default::default()
    };
    let found = call
        .store()
        .pipelines_page(&filter, page.limit, page.offset);
    let (rows, count) = found.await.map_err(internal)?;
    let rows = pipelines::rows(&call, &rows, Some(project.id)).await?;
    Ok(Json(call.envelope(&path, page, count, rows, words)))
}
