//! What those look at who run the server: whether it lives and is ready, its metrics, its traces.
//! The idea: three addresses that any process has, on its own port or beside the API, that cost
//! little however often they are asked and stand before every limit. Knows nothing of insects.
//! May depend on `queue`, `files`, `store` and `domain`.

mod access;
mod gauges;
pub mod health;
pub mod recorder;
pub mod traces;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::lease::LeaseTerms;
use files::Files;
use queue::TaskQueue;
use store::Store;
use tokio_util::sync::CancellationToken;

pub use access::Access;
use gauges::Gauges;
use health::Health;
use recorder::Recorder;

/// What is looked at.
#[derive(Clone)]
pub struct Parts {
    /// The database.
    pub store: Store,
    /// Tasks of ML jobs.
    pub queue: Arc<dyn TaskQueue>,
    /// The files that the server keeps.
    pub files: Files,
    /// How often an image is handed out.
    pub leases: LeaseTerms,
    /// Fires when the process ends.
    pub stop: CancellationToken,
}

/// Answers at the addresses of operations. Cheap to clone.
#[derive(Clone)]
pub struct Operations(Arc<Inner>);

struct Inner {
    health: Health,
    gauges: Gauges,
    recorder: Recorder,
}

impl Operations {
    /// Looks at these parts; metrics are those of the recorder.
    pub fn new(parts: Parts, recorder: Recorder) -> Operations {
        Operations(Arc::new(Inner {
            health: Health::new(&parts),
            gauges: Gauges::new(parts),
            recorder,
        }))
    }

    /// `/livez`, `/readyz` and, for those who have access, `/metrics`.
    pub fn router(&self, access: Access) -> Router {
        let metrics = Router::new()
            .route("/metrics", get(metrics))
            .route_layer(axum::middleware::from_fn_with_state(access, access::guard));
        Router::new()
            .route("/livez", get(|| async { "ok\n" }))
            .route("/readyz", get(ready))
            .merge(metrics)
            .with_state(self.clone())
    }

    /// The metrics as they stand now, in the text format of Prometheus.
    pub async fn metrics(&self) -> String {
        self.0.gauges.refresh().await;
        self.0.recorder.render()
    }
}

async fn ready(State(operations): State<Operations>) -> Response {
    let report = operations.0.health.report().await;
    let status = match report.is_ready() {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, axum::Json(report.json())).into_response()
}

async fn metrics(State(operations): State<Operations>) -> Response {
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], operations.metrics().await).into_response()
}
