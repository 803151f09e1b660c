//! What classifiers say about occurrences, without the long lists of all scores.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::determination::{ClassificationFacts, best_prediction};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QuerySelect,
};

use crate::connection::{Store, StoreResult};
use crate::entity::{classification, detection};

/// A classification without its scores of the classes that did not win.
#[derive(Clone, Debug, PartialEq, FromQueryResult)]
pub struct Prediction {
    /// Number of the classification.
    pub id: i64,
    /// What it is about.
    pub detection_id: i64,
    /// The taxon named, if any.
    pub taxon_id: Option<i64>,
    /// The model.
    pub algorithm_id: Option<i64>,
    /// Of the winning class.
    pub score: Option<f64>,
    /// False for intermediate models.
    pub terminal: bool,
    /// The classification that it was worked out from.
    pub applied_to_id: Option<i64>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl Prediction {
    /// As the rule of determinations sees it.
    pub fn facts(&self) -> ClassificationFacts {
        ClassificationFacts {
            id: self.id,
            taxon: self.taxon_id,
            algorithm: self.algorithm_id,
            score: self.score,
            terminal: self.terminal,
        }
    }
}

/// What is said about these detections.
pub(crate) async fn said<C: ConnectionTrait>(
    db: &C,
    detections: &[i64],
) -> StoreResult<Vec<Prediction>> {
    use classification::Column as C;
    let mut all = Vec::new();
    for chunk in detections.chunks(1000) {
        let columns = [
            C::Id,
            C::DetectionId,
            C::TaxonId,
            C::AlgorithmId,
            C::Score,
            C::Terminal,
            C::AppliedToId,
            C::CreatedAt,
        ];
        let rows = classification::Entity::find()
            .select_only()
            .columns(columns)
            .filter(C::DetectionId.is_in(chunk.iter().copied()));
        all.extend(rows.into_model::<Prediction>().all(db).await?);
    }
    Ok(all)
}

/// The best of these, as the rule of determinations sees it.
pub fn best(predictions: &[Prediction]) -> Option<&Prediction> {
    let facts: Vec<ClassificationFacts> = predictions.iter().map(Prediction::facts).collect();
    let best = best_prediction(&facts)?.id;
    predictions.iter().find(|p| p.id == best)
}

/// Those that carry the highest score of their model: terminal ones first, then higher scores,
/// then the newest.
pub fn tops(mut predictions: Vec<Prediction>) -> Vec<Prediction> {
    let mut highest: HashMap<Option<i64>, f64> = HashMap::new();
    for p in &predictions {
        let score = p.score.unwrap_or(f64::NEG_INFINITY);
        let known = highest.entry(p.algorithm_id).or_insert(score);
        *known = known.max(score);
    }
    predictions.retain(|p| p.score.is_some() && highest.get(&p.algorithm_id).copied() == p.score);
    predictions.sort_by(|a, b| {
        let score = b.score.partial_cmp(&a.score);
        b.terminal
            .cmp(&a.terminal)
            .then(score.unwrap_or(std::cmp::Ordering::Equal))
            .then(b.id.cmp(&a.id))
    });
    predictions
}

impl Store {
    /// What classifiers say about these occurrences, each in two statements whatever their
    /// number.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn predictions_of(
        &self,
        occurrences: &[i64],
    ) -> StoreResult<HashMap<i64, Vec<Prediction>>> {
        let seen: Vec<(i64, i64)> = detection::Entity::find()
            .select_only()
            .columns([detection::Column::Id, detection::Column::OccurrenceId])
            .filter(detection::Column::OccurrenceId.is_in(occurrences.iter().copied()))
            .into_tuple()
            .all(&self.db)
            .await?;
        let seen: HashMap<i64, i64> = seen.into_iter().collect();
        let ids: Vec<i64> = seen.keys().copied().collect();
        let mut said_of: HashMap<i64, Vec<Prediction>> = HashMap::new();
        for prediction in said(&self.db, &ids).await? {
            if let Some(occurrence) = seen.get(&prediction.detection_id) {
                said_of.entry(*occurrence).or_default().push(prediction);
            }
        }
        Ok(said_of)
    }
}
