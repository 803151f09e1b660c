//! What the service says of itself at `/info` (`processing-service.md` §2).
//! The idea: one pipeline with two algorithms, one that draws boxes and one that names them.

use domain::wire::{
    AlgorithmCategoryMapResponse, AlgorithmConfigResponse, PipelineConfigResponse,
    ProcessingServiceInfoResponse,
};
use serde_json::json;

use super::{CLASSIFIER, DETECTOR, PIPELINE};
use crate::classify::LABELS;

/// What the service offers.
pub fn info() -> ProcessingServiceInfoResponse {
    let algorithm =
        |name: &str, key: &str, task: &str, description: &str| AlgorithmConfigResponse {
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
        data: LABELS
            .into_iter()
            .zip(ranks)
            .enumerate()
            .map(class)
            .collect(),
        labels: LABELS.map(str::to_owned).to_vec(),
        version: Some("1".to_owned()),
        description: Some("Insects, and what only looks like one".to_owned()),
        uri: None,
    }
}
