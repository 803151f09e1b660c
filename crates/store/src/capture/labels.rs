//! The boxes on one capture with all that its page tells of each: who drew it and when, what it is
//! labelled as, by whom and how surely, and what the individual was determined as.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::Detection;
use crate::connection::{Store, StoreResult};
use crate::entity::detection;
use crate::occurrence::prediction::{Prediction, best, said};
use crate::pipeline::Algorithm;

/// What a classifier says of a box.
#[derive(Clone, Debug, PartialEq)]
pub struct BoxLabel {
    /// Name of the taxon, where it named one.
    pub taxon: Option<String>,
    /// How sure it is.
    pub score: Option<f64>,
    /// Name of the classifier.
    pub algorithm: Option<String>,
    /// When it said so.
    pub at: DateTime<Utc>,
}

/// A box on a capture.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelledBox {
    /// The box.
    pub detection: Detection,
    /// Name of the detector.
    pub detector: Option<String>,
    /// The best of what is said of it.
    pub label: Option<BoxLabel>,
    /// What the individual was determined as, by people or from the labels.
    pub determination: Option<String>,
}

impl Store {
    /// The boxes on a capture in the order in which they were made, at most so many.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn labelled_boxes(&self, capture: i64, most: u64) -> StoreResult<Vec<LabelledBox>> {
        let boxes = detection::Entity::find()
            .filter(detection::Column::CaptureId.eq(capture))
            .filter(detection::Column::X1.is_not_null())
            .order_by_asc(detection::Column::Id)
            .limit(most)
            .all(&self.db)
            .await?;
        let ids: Vec<i64> = boxes.iter().map(|d| d.id).collect();
        let mut predictions: HashMap<i64, Vec<Prediction>> = HashMap::new();
        for prediction in said(&self.db, &ids).await? {
            let of = predictions.entry(prediction.detection_id).or_default();
            of.push(prediction);
        }
        let chosen: HashMap<i64, &Prediction> = predictions
            .iter()
            .filter_map(|(id, all)| Some((*id, best(all)?)))
            .collect();
        let seen: Vec<i64> = boxes.iter().filter_map(|d| d.occurrence_id).collect();
        let determined: HashMap<i64, Option<i64>> = self
            .occurrences_by_id(&seen)
            .await?
            .into_iter()
            .map(|o| (o.id, o.determination_id))
            .collect();
        let taxa = chosen.values().filter_map(|p| p.taxon_id);
        let taxa: HashSet<i64> = taxa.chain(determined.values().flatten().copied()).collect();
        let taxa = self.taxa_by_id(&Vec::from_iter(taxa)).await?;
        let algorithms = chosen.values().filter_map(|p| p.algorithm_id);
        let detectors = boxes.iter().filter_map(|d| d.algorithm_id);
        let algorithms: HashSet<i64> = algorithms.chain(detectors).collect();
        let algorithms = self.algorithms_by_id(&Vec::from_iter(algorithms)).await?;
        let model = |id: Option<i64>| Some(named(algorithms.get(&id?)?));
        let taxon = |id: Option<i64>| Some(taxa.get(&id?)?.name.clone());
        let label = |prediction: &&Prediction| BoxLabel {
            taxon: taxon(prediction.taxon_id),
            score: prediction.score,
            algorithm: model(prediction.algorithm_id),
            at: prediction.created_at,
        };
        let shown = boxes.into_iter().map(|detection| LabelledBox {
            detector: model(detection.algorithm_id),
            label: chosen.get(&detection.id).map(label),
            determination: detection
                .occurrence_id
                .and_then(|id| taxon(determined.get(&id).copied().flatten())),
            detection,
        });
        Ok(shown.collect())
    }
}

fn named(algorithm: &Algorithm) -> String {
    match algorithm.name.trim() {
        "" => algorithm.key.clone(),
        name => name.to_owned(),
    }
}
