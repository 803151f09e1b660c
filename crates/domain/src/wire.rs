//! Messages between the server and processing services (`processing-service.md` §2), with the
//! field names that go over the line. The idea: what services send is read leniently (numbers
//! for texts, unknown keys, naive or zoned times), what goes out is strict, and nothing is saved
//! before [`PipelineResultsResponse::check`] has sorted the good from the broken.

use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

mod check;
mod lenient;
mod pull;
pub mod time;

#[cfg(test)]
mod tests;

pub use check::{Checked, Fault, Frame, ImageResult};
pub use pull::{PipelineResultsError, PullResult};

/// A rectangle in pixels of the original full-size image, origin top left; (x1, y1) is the top
/// left corner, (x2, y2) the bottom right one. On the wire an object, stored as an array.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BoundingBox {
    /// Left edge.
    #[serde(deserialize_with = "lenient::float")]
    pub x1: f64,
    /// Upper edge.
    #[serde(deserialize_with = "lenient::float")]
    pub y1: f64,
    /// Right edge.
    #[serde(deserialize_with = "lenient::float")]
    pub x2: f64,
    /// Lower edge.
    #[serde(deserialize_with = "lenient::float")]
    pub y2: f64,
}

impl BoundingBox {
    /// The box with these edges, in the stored order `[x1, y1, x2, y2]`.
    pub const fn from_array([x1, y1, x2, y2]: [f64; 4]) -> BoundingBox {
        BoundingBox { x1, y1, x2, y2 }
    }

    /// The stored form, `[x1, y1, x2, y2]`.
    pub const fn as_array(&self) -> [f64; 4] {
        [self.x1, self.y1, self.x2, self.y2]
    }

    /// Width in pixels, never negative.
    pub fn width(&self) -> f64 {
        (self.x2 - self.x1).abs()
    }

    /// Height in pixels, never negative.
    pub fn height(&self) -> f64 {
        (self.y2 - self.y1).abs()
    }

    /// True when all four edges are ordinary numbers.
    pub fn is_finite(&self) -> bool {
        self.as_array().iter().all(|v| v.is_finite())
    }
}

/// Names an algorithm by its unique key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlgorithmReference {
    /// Name for people.
    #[serde(deserialize_with = "lenient::string")]
    pub name: String,
    /// Unique key.
    #[serde(deserialize_with = "lenient::string")]
    pub key: String,
}

/// The classes that a classifier knows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AlgorithmCategoryMapResponse {
    /// One object per class, usually `{index, label, taxon_rank?, gbif_key?, source?}`.
    #[serde(default, deserialize_with = "lenient::objects")]
    pub data: Vec<Map<String, Value>>,
    /// Labels in the order of the model's outputs.
    #[serde(default, deserialize_with = "lenient::strings")]
    pub labels: Vec<String>,
    /// Version of the list.
    #[serde(default, deserialize_with = "lenient::opt_string")]
    pub version: Option<String>,
    /// What the list is.
    #[serde(default, deserialize_with = "lenient::opt_string")]
    pub description: Option<String>,
    /// Where the list comes from.
    #[serde(default, deserialize_with = "lenient::opt_string")]
    pub uri: Option<String>,
}

/// An algorithm as a service describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlgorithmConfigResponse {
    /// Name for people.
    #[serde(deserialize_with = "lenient::string")]
    pub name: String,
    /// Unique key.
    #[serde(deserialize_with = "lenient::string")]
    pub key: String,
    /// What it does; not stored at registration (§4).
    #[serde(default, deserialize_with = "lenient::opt_string")]
    pub description: Option<String>,
    /// One of [`crate::capture::TASK_TYPES`].
    #[serde(default, deserialize_with = "lenient::opt_string")]
    pub task_type: Option<String>,
    /// Version number.
    #[serde(default = "one", deserialize_with = "lenient::int_or_one")]
    pub version: i64,
    /// Version for people.
    #[serde(default, deserialize_with = "lenient::opt_string")]
    pub version_name: Option<String>,
    /// Where the weights are.
    #[serde(default, deserialize_with = "lenient::opt_string")]
    pub uri: Option<String>,
    /// Classes; needed by classifiers.
    #[serde(default)]
    pub category_map: Option<AlgorithmCategoryMapResponse>,
}

/// One setting of a stage that a service offers; read, not stored (§4).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageParamResponse {
    /// Name for people.
    #[serde(deserialize_with = "lenient::string")]
    pub name: String,
    /// Key.
    #[serde(deserialize_with = "lenient::string")]
    pub key: String,
    /// Group under which it is shown.
    #[serde(default = "default_category", deserialize_with = "lenient::string")]
    pub category: String,
}

/// One stage of a pipeline; read, not stored (§4).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageResponse {
    /// Key.
    #[serde(deserialize_with = "lenient::string")]
    pub key: String,
    /// Name for people.
    #[serde(deserialize_with = "lenient::string")]
    pub name: String,
    /// Its settings.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub params: Vec<StageParamResponse>,
    /// What it does.
    #[serde(default, deserialize_with = "lenient::opt_string")]
    pub description: Option<String>,
}

/// A pipeline as a service offers it in `/info` or at registration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PipelineConfigResponse {
    /// Name for people.
    #[serde(deserialize_with = "lenient::string")]
    pub name: String,
    /// Unique slug.
    #[serde(deserialize_with = "lenient::string")]
    pub slug: String,
    /// Version number.
    #[serde(deserialize_with = "lenient::int")]
    pub version: i64,
    /// What it does.
    #[serde(default, deserialize_with = "lenient::opt_string")]
    pub description: Option<String>,
    /// Its algorithms.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub algorithms: Vec<AlgorithmConfigResponse>,
    /// Its stages.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub stages: Vec<StageResponse>,
}

/// Answer of `GET /info`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProcessingServiceInfoResponse {
    /// Name for people.
    #[serde(deserialize_with = "lenient::string")]
    pub name: String,
    /// What the service is.
    #[serde(default, deserialize_with = "lenient::opt_string")]
    pub description: Option<String>,
    /// What it offers.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub pipelines: Vec<PipelineConfigResponse>,
    /// Ignored by the server; kept so that the message round-trips.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub algorithms: Vec<AlgorithmConfigResponse>,
}

/// Answer of `GET /readyz`: the slugs of the pipelines that are ready.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Readiness {
    /// Slugs; empty when the service is not ready.
    #[serde(default, deserialize_with = "lenient::strings")]
    pub status: Vec<String>,
}

/// A capture to be processed. The id is text because services take nothing else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceImageRequest {
    /// Primary key of the capture.
    pub id: String,
    /// Where the service fetches the picture.
    pub url: String,
}

impl SourceImageRequest {
    /// The request for the capture with this primary key.
    pub fn new(id: i64, url: impl Into<String>) -> SourceImageRequest {
        SourceImageRequest {
            id: id.to_string(),
            url: url.into(),
        }
    }
}

/// A capture that a service says it has processed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceImageResponse {
    /// The id of the request, echoed.
    #[serde(deserialize_with = "lenient::string")]
    pub id: String,
    /// The address of the request.
    #[serde(deserialize_with = "lenient::string")]
    pub url: String,
}

/// A detection known before, to be classified again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DetectionRequest {
    /// The capture on which it lies.
    pub source_image: SourceImageRequest,
    /// Where; never null, for services reject that.
    pub bbox: BoundingBox,
    /// Address of a crop made before.
    #[serde(default)]
    pub crop_image_url: Option<String>,
    /// The detector that made it.
    pub algorithm: AlgorithmReference,
}

/// Body of `POST /process`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PipelineRequest {
    /// Slug of the pipeline.
    pub pipeline: String,
    /// What to process.
    pub source_images: Vec<SourceImageRequest>,
    /// Detections known before; written as `[]` when there are none.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub detections: Vec<DetectionRequest>,
    /// Settings; always written as an object.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub config: Map<String, Value>,
}

/// What a classifier says about one detection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassificationResponse {
    /// Label of the winning class.
    #[serde(deserialize_with = "lenient::string")]
    pub classification: String,
    /// All labels in the model's order; left out for big models.
    #[serde(default, deserialize_with = "lenient::opt_strings")]
    pub labels: Option<Vec<String>>,
    /// Calibrated probabilities, 0 to 1, in the model's order.
    #[serde(default, deserialize_with = "lenient::floats")]
    pub scores: Vec<f64>,
    /// Outputs before the softmax, same order.
    #[serde(default, deserialize_with = "lenient::opt_floats")]
    pub logits: Option<Vec<f64>>,
    /// Seconds; not stored.
    #[serde(default, deserialize_with = "lenient::opt_float")]
    pub inference_time: Option<f64>,
    /// The classifier.
    pub algorithm: AlgorithmReference,
    /// False for intermediate models, such as a filter of moths.
    #[serde(default = "yes", deserialize_with = "lenient::flag_or_true")]
    pub terminal: bool,
    /// When it was made.
    #[serde(with = "time")]
    pub timestamp: NaiveDateTime,
}

/// One region found on a capture, or (without a box) the word that nothing was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DetectionResponse {
    /// The id of the request, echoed.
    #[serde(deserialize_with = "lenient::string")]
    pub source_image_id: String,
    /// Where; null means explicitly that nothing was found.
    #[serde(default)]
    pub bbox: Option<BoundingBox>,
    /// Seconds; not stored.
    #[serde(default, deserialize_with = "lenient::opt_float")]
    pub inference_time: Option<f64>,
    /// The detector.
    pub algorithm: AlgorithmReference,
    /// When it was made.
    #[serde(with = "time")]
    pub timestamp: NaiveDateTime,
    /// Address of the crop; empty or only slashes is read as null.
    #[serde(default, deserialize_with = "lenient::address")]
    pub crop_image_url: Option<String>,
    /// What classifiers say about it.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub classifications: Vec<ClassificationResponse>,
}

/// Answer of `POST /process`, and the success form of a pull result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PipelineResultsResponse {
    /// Slug of the pipeline.
    #[serde(deserialize_with = "lenient::string")]
    pub pipeline: String,
    /// No longer used by anyone; whatever stands here is passed over.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub algorithms: Map<String, Value>,
    /// Seconds.
    #[serde(deserialize_with = "lenient::float")]
    pub total_time: f64,
    /// The captures that were processed, also those on which nothing was found.
    pub source_images: Vec<SourceImageResponse>,
    /// What was found.
    pub detections: Vec<DetectionResponse>,
    /// Text, list or null; see [`PipelineResultsResponse::error_text`].
    #[serde(default)]
    pub errors: Option<Value>,
}

impl PipelineResultsResponse {
    /// The service's own words about errors, if it has any.
    pub fn error_text(&self) -> Option<String> {
        let words = |v: &Value| match v {
            Value::String(s) => s.trim().to_owned(),
            other => other.to_string(),
        };
        let text = match self.errors.as_ref()? {
            Value::Null => String::new(),
            Value::Array(list) => list.iter().map(words).collect::<Vec<_>>().join("; "),
            other => words(other),
        };
        (!text.is_empty()).then_some(text)
    }
}

const fn one() -> i64 {
    1
}

const fn yes() -> bool {
    true
}

fn default_category() -> String {
    "default".to_owned()
}
