//! The API, one file per resource, and what they share: errors of the store as answers.

use axum::Json;
use axum::extract::Request;
use axum::routing::get;
use domain::permission::Action;
use rest::allow::READ;
use rest::{ApiError, JsonBody};
use serde_json::Value;
use store::StoreError;
use store::defaults::Defaults;
use store::project::Project;

use crate::call::Call;
use crate::views::{self, View, view};

pub mod capture_sets;
pub mod captures;
pub mod choice;
pub mod classifications;
pub mod credentials;
pub mod detections;
pub mod exports;
pub mod identifications;
pub mod job_json;
pub mod jobs;
pub mod login;
pub mod me;
pub mod members;
pub mod ml;
pub mod nested;
pub mod occurrences;
pub mod pages;
pub mod pipelines;
pub mod places;
mod plots;
pub mod projects;
pub mod schedules;
pub mod schema;
pub mod sessions;
pub mod stations;
pub mod status;
pub mod storage;
pub mod tags;
pub mod taxa;
pub mod tokens;
pub mod users;
pub mod webhooks;
pub mod workers;

/// The first page.
pub const VIEWS: &[View] = &[view("", "Api Root", READ, ABOUT, &[], || get(root))
    .got(&[views::Answer::Map])
    .open()];

/// About the first page.
const ABOUT: &str = "The lists of this server. Every address below answers with JSON to programs, \
and with a page like this one to people.";

/// An error of the store as an answer. What a person can mend is said; the rest is logged.
pub fn internal(error: StoreError) -> ApiError {
    match error {
        StoreError::NotFound(_) => ApiError::NotFound,
        StoreError::Conflict(why) => ApiError::Conflict(why),
        StoreError::Slow => {
            ApiError::Unavailable("The database did not answer in time.".to_owned())
        }
        // Who asks again is answered as soon as it is back.
        away if away.is_away() => {
            tracing::warn!(error = %away, "a request was cut off: the database went away");
            ApiError::Unavailable("The database does not answer: try again.".to_owned())
        }
        other => ApiError::Internal(other.to_string()),
    }
}

/// The order in which the first page has always named its lists; others follow.
const ROOT: &[&str] = &[
    "users",
    "storage",
    "projects",
    "deployments/devices",
    "deployments/sites",
    "deployments",
    "events",
    "exports",
    "captures/thumbnails",
    "captures/collections",
    "captures/upload",
    "captures",
    "detections",
    "occurrences",
    "taxa/lists",
    "taxa",
    "tags",
    "ml/algorithms",
    "ml/labels",
    "ml/pipelines",
    "ml/processing_services",
    "classifications",
    "identifications",
    "jobs",
    "pages",
];

/// The default filters of a project, unless the request sets its own (`domain-rules.md` §11).
pub fn defaults(call: &Call, project: &Project) -> Defaults {
    if call.query.flag_or("apply_defaults", true) {
        return Defaults::of(project);
    }
    let threshold = call.query.get("classification_threshold");
    Defaults {
        threshold: threshold.and_then(|text| text.trim().parse().ok()),
        taxa_of: None,
    }
}

/// Refuses to write what only jobs write.
pub async fn only_jobs(call: Call, _body: JsonBody) -> ApiError {
    match call.who.0 {
        Some(_) => ApiError::Forbidden,
        None => ApiError::NotAuthenticated,
    }
}

/// `/api/v2/`: the lists that can be looked at.
pub async fn root(call: Call) -> Json<Value> {
    let list = |view: &&View| !view.path.contains('{') && view.in_root;
    let place = |view: &&View| {
        let name = view.path.trim_start_matches('/');
        ROOT.iter()
            .position(|listed| *listed == name)
            .unwrap_or(ROOT.len())
    };
    let entry = |view: &View| {
        let name = view.path.trim_start_matches('/').to_owned();
        let address = call.addresses.path(&name);
        (name, Value::String(address))
    };
    let mut lists: Vec<&View> = views::all().filter(list).collect();
    lists.sort_by_key(place);
    Json(Value::Object(lists.into_iter().map(entry).collect()))
}

/// Below these stands what belongs to no single project and is written by staff.
const SHARED: &[&str] = &["/ml/", "/occurrences", "/taxa", "/tags"];

/// Whether somebody may send what an address takes: told by OPTIONS and by the forms of pages,
/// decided by the handler.
pub async fn may_write(call: &Call, view: &View, path: &str) -> bool {
    let id = path.trim_end_matches('/').rsplit('/').next();
    let id = id.unwrap_or_default();
    match view.path {
        "/jobs/{id}" => jobs::may_update(call, id).await,
        "/projects/{id}" => projects::find(call, id, Action::Change("update_project"))
            .await
            .is_ok(),
        "/users/me" => call.who.0.is_some(),
        path if path.starts_with("/taxa/lists") => call.who.0.is_some(),
        path if SHARED.iter().any(|shared| path.starts_with(shared)) => {
            call.who.caller().may_write_shared()
        }
        "/deployments/{id}" => stations::find(call, id, Action::Change("update_deployment"))
            .await
            .is_ok(),
        "/storage/{id}" => storage::find(call, id, Action::Change("update_s3storagesource"))
            .await
            .is_ok(),
        "/deployments/sites/{id}" => places::may_update::<places::Sites>(call, id).await,
        "/deployments/devices/{id}" => places::may_update::<places::Devices>(call, id).await,
        "/schedules/{id}" => schedules::may_update(call, id).await,
        "/webhooks/{id}" => webhooks::may_update(call, id).await,
        "/pages" | "/pages/{slug}" => call.who.caller().may_write_shared(),
        "/captures/{id}" => captures::find(call, id, Action::Change("update_sourceimage"))
            .await
            .is_ok(),
        "/captures/collections/{id}" => {
            let action = Action::Change("update_sourceimagecollection");
            capture_sets::find(call, id, action).await.is_ok()
        }
        "/events"
        | "/occurrences"
        | "/occurrences/{id}"
        | "/events/{id}"
        | "/detections"
        | "/detections/{id}"
        | "/classifications"
        | "/classifications/{id}" => call.who.caller().may_write_shared(),
        _ => true,
    }
}

/// 404 below /api/.
pub async fn not_found(_request: Request) -> ApiError {
    ApiError::NotFound
}
