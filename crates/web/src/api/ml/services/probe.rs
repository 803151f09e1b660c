//! What is asked of a service itself: whether it is ready, and what it offers. The idea: however
//! it answers or fails to, the caller gets an answer with the reason in it, within seconds.

use std::time::Duration;

use axum::Json;
use axum::extract::Path;
use rest::field::{Field, Kind};
use rest::shape;
use rest::time::instant;
use rest::{ApiError, ApiResult};
use serde_json::{Value, json};
use store::StoreError;
use store::service::ProcessingService;

use super::{find, writable};
use crate::api::internal;
use crate::call::Call;

/// How long a service may take to say that it is ready: some wake up first.
const PATIENCE: Duration = Duration::from_secs(30);
/// A service that pulls is online when it was heard of within this time.
const FRESH: chrono::Duration = chrono::Duration::seconds(60);

/// How a service is said to be.
pub const STATUS: &[Field] = &[
    Field::shown("timestamp", "When", Kind::DateTime),
    Field::shown("request_successful", "Whether it answered", Kind::Boolean),
    Field::shown("pipeline_configs", "Always empty", Kind::List).holds(shape::NOTHING),
    Field::shown("error", "Why it is not ready", Kind::Text(None)).nullable(),
    Field::shown("server_live", "Whether it is ready", Kind::Boolean),
    Field::shown("pipelines_online", "What it is ready for", Kind::List).holds(shape::TEXTS),
    Field::shown("endpoint_url", "Its address", Kind::Text(None)).nullable(),
    Field::shown("latency", "Seconds", Kind::Float),
];

/// Whether a service is ready; open to all, for the web client sends no token here.
pub async fn status(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let service = find(&call, &id).await?;
    ask(&call, &service).await.map(Json)
}

/// Asks the service, writes down how it answered, and says so.
pub async fn ask(call: &Call, service: &ProcessingService) -> ApiResult<Value> {
    match &service.endpoint_url {
        Some(endpoint) => pushed(call, service, endpoint).await,
        None => pulling(call, service).await,
    }
}

async fn pushed(call: &Call, service: &ProcessingService, endpoint: &str) -> ApiResult<Value> {
    let health = call.state.services.ready(endpoint, PATIENCE).await;
    let seconds = health.latency.as_secs_f64();
    let seen = call.store().service_seen(service.id, health.live, seconds);
    seen.await.map_err(internal)?;
    Ok(json!({
        "timestamp": instant(store::now()),
        "request_successful": health.live,
        "pipeline_configs": [],
        "error": health.error,
        "server_live": health.live,
        "pipelines_online": health.pipelines,
        "endpoint_url": endpoint,
        "latency": seconds,
    }))
}

/// A service that pulls is not asked: what counts is when it last asked us.
async fn pulling(call: &Call, service: &ProcessingService) -> ApiResult<Value> {
    let now = store::now();
    let fresh = service.last_seen_at.is_some_and(|at| now - at < FRESH);
    let live = service.last_seen_live == Some(true);
    if let (Some(at), true, false) = (service.last_seen_at, live, fresh) {
        let silent = call.store().service_silent(service.id, at).await;
        silent.map_err(internal)?;
    }
    let online = live && fresh;
    let mut names = Vec::new();
    if online {
        let parts = call.store().service_parts(&[service.id]).await;
        let mut parts = parts.map_err(internal)?;
        let pipelines = parts.pipelines.remove(&service.id).unwrap_or_default();
        names.extend(pipelines.into_iter().map(|pipeline| pipeline.name));
    }
    Ok(json!({
        "timestamp": instant(service.last_seen_at.unwrap_or(now)),
        "request_successful": online,
        "pipeline_configs": [],
        "error": null,
        "server_live": online,
        "pipelines_online": names,
        "endpoint_url": null,
        "latency": 0.0,
    }))
}

/// Asks a service what it offers and registers it for all projects of the service.
pub async fn register(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let service = writable(&call, &id).await?;
    let Some(endpoint) = &service.endpoint_url else {
        let words = "This service pulls its work: it registers its pipelines by itself.";
        return Err(ApiError::BadRequest(words.to_owned()));
    };
    let info = call.state.services.info(endpoint).await.map_err(|why| {
        let words = format!("The service does not say what it offers: {why}.");
        ApiError::BadRequest(words)
    })?;
    let store = call.store();
    let mut parts = store.service_parts(&[service.id]).await.map_err(internal)?;
    let projects = parts.projects.remove(&service.id).unwrap_or_default();
    let made = store.register_pipelines(service.id, &projects, &info.pipelines);
    let made = made.await.map_err(|error| match error {
        StoreError::Conflict(why) => ApiError::BadRequest(why),
        other => internal(other),
    })?;
    Ok(Json(json!({
        "timestamp": instant(store::now()),
        "success": true,
        "error": null,
        "pipelines": info.pipelines,
        "pipelines_created": made.pipelines_created,
        "algorithms_created": made.algorithms_created,
    })))
}
