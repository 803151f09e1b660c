//! What a remote worker sends for one task: a success or an error (`processing-service.md` §7.3).
//! The idea: both forms are read in one pass, since a result can hold millions of scores and
//! trying one form after the other would hold them in memory twice. The price: an object with
//! `error` beside malformed (not merely absent or null) fields of the success form is refused.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::{DetectionResponse, PipelineResultsResponse, SourceImageResponse, lenient};

/// Error form of a pull result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PipelineResultsError {
    /// What went wrong.
    #[serde(deserialize_with = "lenient::string")]
    pub error: String,
    /// The capture that it is about.
    #[serde(default, deserialize_with = "lenient::opt_string")]
    pub image_id: Option<String>,
}

/// What a remote worker sends for one task.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum PullResult {
    /// The capture was processed.
    Success(PipelineResultsResponse),
    /// It was not.
    Error(PipelineResultsError),
}

/// Every key of both forms.
#[derive(Deserialize)]
struct EitherForm {
    #[serde(default, deserialize_with = "lenient::opt_string")]
    pipeline: Option<String>,
    #[serde(default, deserialize_with = "lenient::opt_float")]
    total_time: Option<f64>,
    source_images: Option<Vec<SourceImageResponse>>,
    detections: Option<Vec<DetectionResponse>>,
    errors: Option<Value>,
    #[serde(default, deserialize_with = "lenient::opt_string")]
    error: Option<String>,
    #[serde(default, deserialize_with = "lenient::opt_string")]
    image_id: Option<String>,
}

impl<'de> Deserialize<'de> for PullResult {
    /// The success form wins when all it requires is there (§7.3); otherwise `error` must be.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<PullResult, D::Error> {
        let form = EitherForm::deserialize(deserializer)?;
        match (
            form.pipeline,
            form.total_time,
            form.source_images,
            form.detections,
            form.error,
        ) {
            (Some(pipeline), Some(total_time), Some(source_images), Some(detections), _) => {
                Ok(PullResult::Success(PipelineResultsResponse {
                    pipeline,
                    algorithms: Map::new(),
                    total_time,
                    source_images,
                    detections,
                    errors: form.errors,
                }))
            }
            (.., Some(error)) => Ok(PullResult::Error(PipelineResultsError {
                error,
                image_id: form.image_id,
            })),
            _ => Err(D::Error::custom(
                "a result needs pipeline, total_time, source_images and detections, or an error",
            )),
        }
    }
}
