//! `POST …/test_process/`: a pipeline tried on one capture that the caller may see. Whatever the
//! service does is said in a sentence; nothing is saved.

use axum::Json;
use axum::extract::Path;
use domain::wire::{PipelineRequest, PipelineResultsResponse, SourceImageRequest};
use rest::{ApiError, ApiResult};
use store::pipeline::Pipeline;

use super::writable;
use crate::api::internal;
use crate::call::Call;
use crate::media;

/// Runs a pipeline on one capture of a project that uses it.
pub async fn run(call: Call, Path(id): Path<String>) -> ApiResult<Json<PipelineResultsResponse>> {
    let pipeline = writable(&call, &id).await?;
    let (project, capture) = capture(&call, &pipeline).await?;
    let store = call.store();
    let services = store.push_services(project, pipeline.id).await;
    let services = services.map_err(internal)?;
    let live = services.iter().find(|s| s.last_seen_live == Some(true));
    let Some(endpoint) = live.and_then(|service| service.endpoint_url.as_deref()) else {
        let name = &pipeline.name;
        let words = format!("No processing services are online for the pipeline \"{name}\".");
        return Err(ApiError::BadRequest(words));
    };
    let config = store.pipeline_config(project, &pipeline).await;
    let request = PipelineRequest {
        pipeline: pipeline.slug.clone(),
        source_images: vec![capture],
        detections: Vec::new(),
        config: config.map_err(internal)?,
    };
    let answer = call.state.services.process(endpoint, &request).await;
    answer
        .map(Json)
        .map_err(|why| ApiError::BadRequest(why.to_string()))
}

/// A capture to try it on, and its project: of the one that the query names, else of any that
/// uses the pipeline and that the caller may see.
async fn capture(call: &Call, pipeline: &Pipeline) -> ApiResult<(i64, SourceImageRequest)> {
    let none = || ApiError::BadRequest("There is no capture to try the pipeline on.".to_owned());
    let store = call.store();
    let named = call.active_project().await?;
    let parts = store.pipeline_parts(&[pipeline.id], named).await;
    let parts = parts.map_err(internal)?;
    let visible = call.visible().await?;
    let mut projects: Vec<i64> = parts
        .projects
        .values()
        .flatten()
        .map(|p| p.project_id)
        .collect();
    if let Some(visible) = visible {
        projects.retain(|id| visible.contains(id));
    }
    let found = store.any_capture(&projects).await.map_err(internal)?;
    let capture = found.ok_or_else(none)?;
    let project = capture.project_id.ok_or_else(none)?;
    let mut places = store
        .locations(std::slice::from_ref(&capture))
        .await
        .map_err(internal)?;
    let place = places.remove(&capture.id).ok_or_else(none)?;
    let address = media::address(&call.state.links, &place);
    Ok((project, SourceImageRequest::new(capture.id, address)))
}
