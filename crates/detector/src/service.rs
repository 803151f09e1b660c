//! The detector as a processing service: `/info`, `/livez`, `/readyz`, `/process`
//! (`processing-service.md` §2, §3). The idea: pictures are worked on side by side, as many as
//! there are cores and no more are in memory; one that cannot be fetched or read is left out of
//! `source_images` and named in `errors`, and the others are answered.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::{NaiveDateTime, Utc};
use domain::wire::{
    AlgorithmReference, BoundingBox, ClassificationResponse, DetectionRequest, DetectionResponse,
    PipelineRequest, PipelineResultsResponse, SourceImageRequest, SourceImageResponse,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::classify::{LABELS, Verdict};
use crate::decode::decode;
use crate::detect::{classify_areas, detect};

mod catalogue;
mod fetch;

#[cfg(test)]
mod tests;

pub use catalogue::info;
use fetch::fetch;

/// Slug of the one pipeline.
pub const PIPELINE: &str = "light-sheet";
/// Key of the algorithm that draws boxes.
pub const DETECTOR: &str = "light_sheet_detector";
/// Key of the algorithm that names them.
pub const CLASSIFIER: &str = "light_sheet_classifier";

/// Largest request, in bytes.
const MAX_REQUEST: usize = 32 * 1024 * 1024;

/// Settings of the service.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Pictures worked on at once.
    pub at_once: usize,
}

impl Default for Settings {
    /// One picture for each core.
    fn default() -> Settings {
        Settings {
            at_once: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

#[derive(Clone)]
struct Service {
    http: outgoing::Client,
    slots: Arc<Semaphore>,
}

/// The service's routes, each with and without its last slash.
///
/// # Errors
/// Where the HTTP client cannot be made.
pub fn router(settings: Settings) -> Result<Router, reqwest::Error> {
    let service = Service {
        http: fetch::client()?,
        slots: Arc::new(Semaphore::new(settings.at_once.max(1))),
    };
    let mut router = Router::new();
    for end in ["", "/"] {
        router = router
            .route(&format!("/info{end}"), get(|| async { Json(info()) }))
            .route(
                &format!("/livez{end}"),
                get(|| async { Json(json!({"status": true})) }),
            )
            .route(
                &format!("/readyz{end}"),
                get(|| async { Json(json!({"status": [PIPELINE]})) }),
            )
            .route(&format!("/process{end}"), post(process));
    }
    let refused = |code: StatusCode| async move { refuse(code, code.canonical_reason()) };
    Ok(router
        .fallback(move || refused(StatusCode::NOT_FOUND))
        .method_not_allowed_fallback(move || refused(StatusCode::METHOD_NOT_ALLOWED))
        .layer(DefaultBodyLimit::max(MAX_REQUEST))
        .with_state(service))
}

/// Serves until `stopped` is done.
///
/// # Errors
/// Where the listener fails or the HTTP client cannot be made.
pub async fn serve(
    listener: TcpListener,
    settings: Settings,
    stopped: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let router = router(settings).map_err(std::io::Error::other)?;
    axum::serve(listener, router)
        .with_graceful_shutdown(stopped)
        .await
}

/// An error as services answer it: what cannot be understood is a 422.
fn refuse(code: StatusCode, detail: impl Into<Value>) -> Response {
    (code, Json(json!({"detail": detail.into()}))).into_response()
}

async fn process(State(service): State<Service>, body: Result<Bytes, BytesRejection>) -> Response {
    let body = match body {
        Ok(body) => body,
        Err(error) => return refuse(error.status(), error.body_text()),
    };
    let not_understood = StatusCode::UNPROCESSABLE_ENTITY;
    let request: PipelineRequest = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => {
            let fault = json!({"loc": ["body"], "msg": error.to_string(), "type": "value_error"});
            return refuse(not_understood, vec![fault]);
        }
    };
    if request.pipeline != PIPELINE {
        let slug = &request.pipeline;
        let words = format!("Unknown pipeline {slug:?}; this service offers {PIPELINE:?}");
        return refuse(not_understood, words);
    }
    Json(service.answer(request).await).into_response()
}

impl Service {
    async fn answer(self, request: PipelineRequest) -> PipelineResultsResponse {
        let start = Instant::now();
        let mut known: HashMap<String, Vec<DetectionRequest>> = HashMap::new();
        for detection in request.detections {
            let id = detection.source_image.id.clone();
            known.entry(id).or_default().push(detection);
        }
        let mut asked = HashSet::new();
        let mut work = JoinSet::new();
        for (place, image) in request.source_images.into_iter().enumerate() {
            // Named twice, it is worked on and answered once.
            if asked.insert(image.id.clone()) {
                let known = known.remove(&image.id).unwrap_or_default();
                let service = self.clone();
                work.spawn(async move { (place, service.image(image, known).await) });
            }
        }
        let mut done: Vec<(usize, Result<Seen, String>)> = Vec::new();
        while let Some(one) = work.join_next().await {
            match one {
                Ok(one) => done.push(one),
                Err(error) => done.push((usize::MAX, Err(error.to_string()))),
            }
        }
        done.sort_by_key(|(place, _)| *place);
        let mut answer = PipelineResultsResponse {
            pipeline: PIPELINE.to_owned(),
            algorithms: Default::default(),
            total_time: 0.0,
            source_images: Vec::new(),
            detections: Vec::new(),
            errors: None,
        };
        let mut errors = Vec::new();
        for (_, one) in done {
            match one {
                Ok(seen) => {
                    answer.source_images.push(seen.image);
                    answer.detections.extend(seen.detections);
                }
                Err(reason) => errors.push(Value::String(reason)),
            }
        }
        answer.errors = (!errors.is_empty()).then_some(Value::Array(errors));
        answer.total_time = start.elapsed().as_secs_f64();
        answer
    }

    async fn image(
        self,
        image: SourceImageRequest,
        known: Vec<DetectionRequest>,
    ) -> Result<Seen, String> {
        let named = |reason: String| format!("{}: {reason}", image.id);
        // Held from before the fetch: no more pictures in memory than are worked on.
        let slot = self.slots.acquire_owned().await;
        let _slot = slot.map_err(|e| named(e.to_string()))?;
        let bytes = fetch(&self.http, &image.url).await.map_err(named)?;
        let id = image.id.clone();
        let found = tokio::task::spawn_blocking(move || look(&id, &bytes, known))
            .await
            .map_err(|e| named(e.to_string()))?
            .map_err(named)?;
        Ok(Seen {
            image: SourceImageResponse {
                id: image.id.clone(),
                url: image.url.clone(),
            },
            detections: found,
        })
    }
}

/// A picture that was worked on.
struct Seen {
    image: SourceImageResponse,
    detections: Vec<DetectionResponse>,
}

/// Finds what is on a picture, or names again the boxes that are known.
fn look(
    id: &str,
    bytes: &[u8],
    known: Vec<DetectionRequest>,
) -> Result<Vec<DetectionResponse>, String> {
    let start = Instant::now();
    let picture = decode(bytes).map_err(|e| e.to_string())?;
    let found: Vec<(BoundingBox, Verdict)> = if known.is_empty() {
        detect(&picture.pixels)
            .into_iter()
            .map(|d| (BoundingBox::from_array(d.area.map(f64::from)), d.verdict))
            .collect()
    } else {
        let areas: Vec<[f64; 4]> = known.iter().map(|d| d.bbox.as_array()).collect();
        let verdicts = classify_areas(&picture.pixels, &areas);
        known.into_iter().map(|d| d.bbox).zip(verdicts).collect()
    };
    let seconds = start.elapsed().as_secs_f64();
    let now = Utc::now().naive_utc();
    Ok(found
        .into_iter()
        .map(|(bbox, verdict)| DetectionResponse {
            source_image_id: id.to_owned(),
            bbox: Some(bbox),
            inference_time: Some(seconds),
            // Also for boxes that another pipeline's detector drew: a server takes no other
            // algorithms than this pipeline's (§6.4) and keeps the one stored with the box.
            algorithm: reference("Light sheet detector", DETECTOR),
            timestamp: now,
            crop_image_url: None,
            classifications: vec![classification(&verdict, now)],
        })
        .collect())
}

fn classification(verdict: &Verdict, timestamp: NaiveDateTime) -> ClassificationResponse {
    ClassificationResponse {
        classification: verdict.label().to_owned(),
        labels: Some(LABELS.map(str::to_owned).to_vec()),
        scores: verdict.scores.to_vec(),
        logits: Some(verdict.logits.to_vec()),
        inference_time: None,
        algorithm: reference("Light sheet classifier", CLASSIFIER),
        terminal: true,
        timestamp,
    }
}

fn reference(name: &str, key: &str) -> AlgorithmReference {
    AlgorithmReference {
        name: name.to_owned(),
        key: key.to_owned(),
    }
}
