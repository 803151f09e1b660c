//! The detector as a processing service: `/info`, `/livez`, `/readyz`, `/process`
//! (`processing-service.md` §2, §3). The idea: pictures are worked on side by side, as many as
//! there are cores and no more are in memory; one that cannot be fetched or read is left out of
//! `source_images` and named in `errors`, and the others are answered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::{NaiveDateTime, Utc};
use domain::wire::{
    AlgorithmCategoryMapResponse, AlgorithmConfigResponse, AlgorithmReference, BoundingBox,
    ClassificationResponse, DetectionRequest, DetectionResponse, PipelineConfigResponse,
    PipelineRequest, PipelineResultsResponse, ProcessingServiceInfoResponse, SourceImageRequest,
    SourceImageResponse,
};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::classify::{LABELS, Verdict};
use crate::decode::decode;
use crate::detect::{classify_areas, detect};

/// Slug of the one pipeline.
pub const PIPELINE: &str = "light-sheet";
/// Key of the algorithm that draws boxes.
pub const DETECTOR: &str = "light_sheet_detector";
/// Key of the algorithm that names them.
pub const CLASSIFIER: &str = "light_sheet_classifier";

/// Largest photograph that is fetched, in bytes.
const MAX_PHOTOGRAPH: usize = 100 * 1024 * 1024;
/// Largest request, in bytes.
const MAX_REQUEST: usize = 32 * 1024 * 1024;
/// Longest wait for a photograph.
const FETCH: Duration = Duration::from_secs(30);

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
    http: reqwest::Client,
    slots: Arc<Semaphore>,
}

/// The service's routes, each with and without its last slash.
///
/// # Errors
/// Where the HTTP client cannot be made: no cryptography provider is installed.
pub fn router(settings: Settings) -> Result<Router, reqwest::Error> {
    let service = Service {
        http: reqwest::Client::builder().timeout(FETCH).build()?,
        slots: Arc::new(Semaphore::new(settings.at_once.max(1))),
    };
    let mut router = Router::new();
    for end in ["", "/"] {
        router = router
            .route(&format!("/info{end}"), get(|| async { Json(info()) }))
            .route(&format!("/livez{end}"), get(|| async { Json(json!({"status": true})) }))
            .route(&format!("/readyz{end}"), get(|| async { Json(json!({"status": [PIPELINE]})) }))
            .route(&format!("/process{end}"), post(process));
    }
    Ok(router
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

/// What the service offers.
pub fn info() -> ProcessingServiceInfoResponse {
    let algorithm = |name: &str, key: &str, task: &str, description: &str| AlgorithmConfigResponse {
        name: name.to_owned(),
        key: key.to_owned(),
        description: Some(description.to_owned()),
        task_type: Some(task.to_owned()),
        version: 1,
        version_name: Some("1".to_owned()),
        uri: None,
        category_map: None,
    };
    let detector = algorithm(
        "Light sheet detector",
        DETECTOR,
        "detection",
        "What stands out from a bright sheet: local background, threshold, connected regions.",
    );
    let mut classifier = algorithm(
        "Light sheet classifier",
        CLASSIFIER,
        "classification",
        "Insect or debris, a logistic function of size, shape, contrast and colour.",
    );
    classifier.category_map = Some(classes());
    let algorithms = vec![detector, classifier];
    ProcessingServiceInfoResponse {
        name: "Hawkmoth detector".to_owned(),
        description: Some(
            "Finds insects on photographs of a lit sheet, without a neural network.".to_owned(),
        ),
        pipelines: vec![PipelineConfigResponse {
            name: "Light sheet insects".to_owned(),
            slug: PIPELINE.to_owned(),
            version: 1,
            description: Some("Boxes around insects on a lit sheet, told from debris.".to_owned()),
            algorithms: algorithms.clone(),
            stages: Vec::new(),
        }],
        algorithms,
    }
}

fn classes() -> AlgorithmCategoryMapResponse {
    let ranks = ["CLASS", "UNKNOWN"];
    let class = |(index, (label, rank)): (usize, (&str, &str))| {
        let class = json!({"index": index, "label": label, "taxon_rank": rank});
        class.as_object().cloned().unwrap_or_default()
    };
    AlgorithmCategoryMapResponse {
        data: LABELS.into_iter().zip(ranks).enumerate().map(class).collect(),
        labels: LABELS.map(str::to_owned).to_vec(),
        version: Some("1".to_owned()),
        description: Some("Insects, and what only looks like one".to_owned()),
        uri: None,
    }
}

/// 422, as services answer what they cannot understand.
fn refuse(detail: impl Into<Value>) -> Response {
    let body = json!({"detail": detail.into()});
    (StatusCode::UNPROCESSABLE_ENTITY, Json(body)).into_response()
}

async fn process(State(service): State<Service>, body: Bytes) -> Response {
    let request: PipelineRequest = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => {
            let text = error.to_string();
            return refuse(json!([{"loc": ["body"], "msg": text, "type": "value_error"}]));
        }
    };
    if request.pipeline != PIPELINE {
        let slug = &request.pipeline;
        return refuse(format!("Unknown pipeline {slug:?}; this service offers {PIPELINE:?}"));
    }
    Json(service.answer(request).await).into_response()
}

impl Service {
    async fn answer(self, request: PipelineRequest) -> PipelineResultsResponse {
        let start = Instant::now();
        let mut work = JoinSet::new();
        for (place, image) in request.source_images.into_iter().enumerate() {
            let known: Vec<DetectionRequest> = request
                .detections
                .iter()
                .filter(|d| d.source_image.id == image.id)
                .cloned()
                .collect();
            let service = self.clone();
            work.spawn(async move { (place, service.image(image, known).await) });
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

async fn fetch(http: &reqwest::Client, url: &str) -> Result<Vec<u8>, String> {
    let url = reqwest::Url::parse(url).map_err(|_| format!("{url:?} is no address"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("addresses of the kind {:?} are not fetched", url.scheme()));
    }
    let failed = |e: reqwest::Error| format!("cannot be fetched: {}", e.without_url());
    let answer = http.get(url).send().await.map_err(failed)?;
    if !answer.status().is_success() {
        return Err(format!("cannot be fetched: HTTP {}", answer.status().as_u16()));
    }
    let mut bytes = Vec::new();
    let mut chunks = answer.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(failed)?;
        if bytes.len() + chunk.len() > MAX_PHOTOGRAPH {
            return Err(format!("is larger than {} MiB", MAX_PHOTOGRAPH >> 20));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Finds what is on a picture, or names again the boxes that are known.
fn look(
    id: &str,
    bytes: &[u8],
    known: Vec<DetectionRequest>,
) -> Result<Vec<DetectionResponse>, String> {
    let start = Instant::now();
    let picture = decode(bytes).map_err(|e| e.to_string())?;
    let found: Vec<(BoundingBox, AlgorithmReference, Verdict)> = if known.is_empty() {
        let own = || reference("Light sheet detector", DETECTOR);
        detect(&picture.pixels)
            .into_iter()
            .map(|d| (BoundingBox::from_array(d.area.map(f64::from)), own(), d.verdict))
            .collect()
    } else {
        let areas: Vec<[f64; 4]> = known.iter().map(|d| d.bbox.as_array()).collect();
        let verdicts = classify_areas(&picture.pixels, &areas);
        known
            .into_iter()
            .zip(verdicts)
            .map(|(d, verdict)| (d.bbox, d.algorithm, verdict))
            .collect()
    };
    let seconds = start.elapsed().as_secs_f64();
    let now = Utc::now().naive_utc();
    Ok(found
        .into_iter()
        .map(|(bbox, algorithm, verdict)| DetectionResponse {
            source_image_id: id.to_owned(),
            bbox: Some(bbox),
            inference_time: Some(seconds),
            algorithm,
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
