//! Labels become taxa: what a pipeline's algorithms are, which of them is the detector, and
//! which taxon each label of a batch stands for (`processing-service.md` §6, steps 3 and 5).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::capture::is_detector;
use domain::wire::{ClassificationResponse, DetectionResponse};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect, prelude::Json,
};

use crate::connection::{StoreError, StoreResult, Write, now};
use crate::entity::{algorithm, category_map};
use crate::pipeline::{Algorithm, algorithms_in};
use crate::taxon;

/// What a save needs to know of the pipeline.
pub(super) struct Vocabulary {
    algorithms: HashMap<String, Algorithm>,
    /// The one algorithm that draws boxes.
    pub detector: i64,
    taxa: HashMap<String, i64>,
}

impl Vocabulary {
    /// Reads the pipeline's algorithms, and finds or makes a taxon for every label.
    pub(super) async fn read(
        tx: &Write,
        pipeline: i64,
        found: &BTreeMap<i64, &[DetectionResponse]>,
    ) -> StoreResult<Vocabulary> {
        let algorithms: HashMap<String, Algorithm> = algorithms_in(&**tx, pipeline)
            .await?
            .into_iter()
            .map(|a| (a.key.clone(), a))
            .collect();
        let mut words = Vocabulary {
            detector: only_detector(&algorithms)?,
            algorithms,
            taxa: HashMap::new(),
        };
        words.give_maps(tx, found).await?;
        words.name_taxa(tx, found).await?;
        Ok(words)
    }

    pub(super) fn algorithm(&self, key: &str) -> StoreResult<&Algorithm> {
        self.algorithms.get(key).ok_or_else(|| {
            StoreError::Conflict(format!(
                "Algorithm {key:?} does not belong to the pipeline."
            ))
        })
    }

    pub(super) fn taxon(&self, label: &str) -> StoreResult<i64> {
        self.taxa
            .get(label)
            .copied()
            .ok_or(StoreError::NotFound("taxon"))
    }

    /// A classifier without classes gets those that its answer implies.
    async fn give_maps(
        &mut self,
        tx: &Write,
        found: &BTreeMap<i64, &[DetectionResponse]>,
    ) -> StoreResult<()> {
        let mut first: BTreeMap<&str, &ClassificationResponse> = BTreeMap::new();
        for c in classifications(found) {
            first.entry(&c.algorithm.key).or_insert(c);
        }
        for (key, example) in first {
            let algorithm = self.algorithm(key)?;
            if algorithm.category_map_id.is_some() {
                continue;
            }
            // Another save may be doing the same: the second one to get here finds the first's.
            let locked = algorithm::Entity::find_by_id(algorithm.id)
                .lock_exclusive()
                .one(&**tx)
                .await?;
            if let Some(row) = locked.filter(|a| a.category_map_id.is_some()) {
                self.algorithms.insert(key.to_owned(), row);
                continue;
            }
            let id = implied_map(tx, example).await?;
            let mut row = algorithm.clone().into_active_model();
            row.category_map_id = Set(Some(id));
            row.updated_at = Set(now());
            let row = row.update(&**tx).await?;
            self.algorithms.insert(key.to_owned(), row);
        }
        Ok(())
    }

    async fn name_taxa(
        &mut self,
        tx: &Write,
        found: &BTreeMap<i64, &[DetectionResponse]>,
    ) -> StoreResult<()> {
        let labels: BTreeSet<&String> = classifications(found).map(|c| &c.classification).collect();
        if labels.is_empty() {
            return Ok(());
        }
        self.taxa = taxon::find(tx, labels.iter().copied()).await?;
        if labels.iter().any(|label| !self.taxa.contains_key(*label)) {
            let missing = self.missing(tx, found).await?;
            self.taxa.extend(taxon::make(tx, &missing).await?);
        }
        let mut by_algorithm: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for c in classifications(found) {
            by_algorithm
                .entry(self.algorithm(&c.algorithm.key)?.name.clone())
                .or_default()
                .insert(c.classification.clone());
        }
        for (algorithm, labels) in by_algorithm {
            let ids: BTreeSet<i64> = labels
                .iter()
                .filter_map(|l| self.taxa.get(l))
                .copied()
                .collect();
            let ids: Vec<i64> = ids.into_iter().collect();
            taxon::list_for_algorithm(tx, &algorithm, &ids).await?;
        }
        Ok(())
    }

    /// Labels without a taxon, with their ranks. Only these need the classes of the model, which
    /// may be tens of thousands.
    async fn missing(
        &self,
        tx: &Write,
        found: &BTreeMap<i64, &[DetectionResponse]>,
    ) -> StoreResult<BTreeMap<String, String>> {
        let ranks = self.ranks(tx).await?;
        let mut missing = BTreeMap::new();
        for c in classifications(found) {
            if self.taxa.contains_key(&c.classification) {
                continue;
            }
            let rank = top(&c.scores)
                .and_then(|i| ranks.get(&c.algorithm.key)?.get(i)?.clone())
                .unwrap_or_else(|| "UNKNOWN".to_owned());
            missing.entry(c.classification.clone()).or_insert(rank);
        }
        Ok(missing)
    }

    /// The rank of each class, by algorithm key and index of the model's output.
    async fn ranks(&self, tx: &Write) -> StoreResult<HashMap<String, Vec<Option<String>>>> {
        let maps: Vec<i64> = self
            .algorithms
            .values()
            .filter_map(|a| a.category_map_id)
            .collect();
        let maps: HashMap<i64, Json> = category_map::Entity::find()
            .filter(category_map::Column::Id.is_in(maps))
            .all(&**tx)
            .await?
            .into_iter()
            .map(|m| (m.id, m.data))
            .collect();
        let rank_of = |class: &Json| Some(class.get("taxon_rank")?.as_str()?.to_owned());
        Ok(self
            .algorithms
            .iter()
            .filter_map(|(key, algorithm)| {
                let data = maps.get(&algorithm.category_map_id?)?.as_array()?;
                Some((key.clone(), data.iter().map(rank_of).collect()))
            })
            .collect())
    }
}

fn classifications<'a>(
    found: &'a BTreeMap<i64, &[DetectionResponse]>,
) -> impl Iterator<Item = &'a ClassificationResponse> {
    found
        .values()
        .flat_map(|list| list.iter())
        .flat_map(|d| &d.classifications)
}

/// Index of the highest score, the first of equals.
pub(super) fn top(scores: &[f64]) -> Option<usize> {
    let mut best = None;
    for (i, score) in scores.iter().enumerate() {
        if best.is_none_or(|b: usize| *score > scores[b]) {
            best = Some(i);
        }
    }
    best
}

fn only_detector(algorithms: &HashMap<String, Algorithm>) -> StoreResult<i64> {
    let detectors: Vec<&Algorithm> = algorithms
        .values()
        .filter(|a| a.task_type.as_deref().is_some_and(is_detector))
        .collect();
    match detectors[..] {
        [one] => Ok(one.id),
        [] => Err(StoreError::Conflict(
            "The pipeline has no detector.".to_owned(),
        )),
        _ => Err(StoreError::Conflict(
            "The pipeline has several detectors.".to_owned(),
        )),
    }
}

async fn implied_map(tx: &Write, example: &ClassificationResponse) -> StoreResult<i64> {
    let labels = example
        .labels
        .clone()
        .unwrap_or_else(|| (0..example.scores.len()).map(|i| i.to_string()).collect());
    let data: Vec<Json> = labels
        .iter()
        .enumerate()
        .map(|(index, label)| serde_json::json!({"label": label, "index": index}))
        .collect();
    let at = now();
    let row = category_map::ActiveModel {
        data: Set(Json::Array(data)),
        labels: Set(Json::from(labels)),
        version: Set(Some(at.format("%Y-%m-%dT%H:%M:%S").to_string())),
        description: Set(Some("Classes as the first answer named them".to_owned())),
        uri: Set(None),
        created_at: Set(at),
        updated_at: Set(at),
        ..Default::default()
    };
    Ok(row.insert(&**tx).await?.id)
}
