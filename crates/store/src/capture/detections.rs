//! What was found on captures: boxes with their occurrence and its determination, and how many
//! of them pass a project's default filters. A fixed number of statements for a page.

use std::collections::{BTreeSet, HashMap, HashSet};

use domain::wire::AlgorithmReference;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::connection::{Store, StoreResult};
use crate::defaults::Defaults;
use crate::entity::{algorithm, detection, occurrence};
use crate::occurrence::Occurrence;
use crate::taxon::Taxon;

pub use crate::detection::Detection;

/// A box with what it belongs to.
#[derive(Clone, Debug)]
pub struct Found {
    /// The box.
    pub detection: Detection,
    /// The individual.
    pub seen: Option<Seen>,
}

/// An individual with what it was determined as.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The individual.
    pub occurrence: Occurrence,
    /// The taxon.
    pub determination: Option<Taxon>,
    /// Whether it passes the default filters.
    pub passes: bool,
}

impl Store {
    /// The boxes on these captures, in the order in which they were made, and whether what they
    /// belong to passes these filters.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn found_on(
        &self,
        captures: &[i64],
        defaults: &Defaults,
    ) -> StoreResult<HashMap<i64, Vec<Found>>> {
        let mut found: HashMap<i64, Vec<Found>> = HashMap::new();
        for chunk in captures.chunks(1000) {
            let rows = detection::Entity::find()
                .filter(detection::Column::CaptureId.is_in(chunk.iter().copied()))
                .filter(detection::Column::X1.is_not_null())
                .order_by_asc(detection::Column::Id)
                .all(&self.db)
                .await?;
            let ids: Vec<i64> = rows.iter().filter_map(|d| d.occurrence_id).collect();
            let seen = self.seen(&ids, defaults).await?;
            for detection in rows {
                let seen = detection
                    .occurrence_id
                    .and_then(|id| seen.get(&id).cloned());
                let on = found.entry(detection.capture_id).or_default();
                on.push(Found { detection, seen });
            }
        }
        Ok(found)
    }

    /// The boxes on these captures that a detector drew, with that detector's name and key, in the
    /// order in which they were made.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn boxes_on(
        &self,
        captures: &[i64],
    ) -> StoreResult<Vec<(Detection, AlgorithmReference)>> {
        let mut boxes = Vec::new();
        for chunk in captures.chunks(1000) {
            let rows = detection::Entity::find()
                .filter(detection::Column::CaptureId.is_in(chunk.iter().copied()))
                .filter(detection::Column::X1.is_not_null())
                .order_by_asc(detection::Column::Id)
                .all(&self.db)
                .await?;
            let ids: BTreeSet<i64> = rows.iter().filter_map(|d| d.algorithm_id).collect();
            let algorithms: HashMap<i64, algorithm::Model> = algorithm::Entity::find()
                .filter(algorithm::Column::Id.is_in(ids))
                .all(&self.db)
                .await?
                .into_iter()
                .map(|row| (row.id, row))
                .collect();
            boxes.extend(rows.into_iter().filter_map(|row| {
                let by = algorithms.get(&row.algorithm_id?)?;
                let (name, key) = (by.name.clone(), by.key.clone());
                Some((row, AlgorithmReference { name, key }))
            }));
        }
        Ok(boxes)
    }

    /// These individuals with their determinations.
    async fn seen(&self, ids: &[i64], defaults: &Defaults) -> StoreResult<HashMap<i64, Seen>> {
        let occurrences = self.occurrences_by_id(ids).await?;
        let taxa: Vec<i64> = occurrences
            .iter()
            .filter_map(|o| o.determination_id)
            .collect();
        let taxa = self.taxa_by_id(&taxa).await?;
        let passing = self.passing(ids, defaults).await?;
        let seen = occurrences.into_iter().map(|occurrence| {
            let taxon = occurrence.determination_id.and_then(|id| taxa.get(&id));
            let determination = taxon.cloned();
            (
                occurrence.id,
                Seen {
                    passes: passing.contains_key(&occurrence.id),
                    occurrence,
                    determination,
                },
            )
        });
        Ok(seen.collect())
    }

    /// How many occurrences and how many taxa that pass the filters are on each capture.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn valid_on(
        &self,
        captures: &[i64],
        defaults: &Defaults,
    ) -> StoreResult<HashMap<i64, (i64, i64)>> {
        let mut shown: HashMap<i64, HashSet<i64>> = HashMap::new();
        for chunk in captures.chunks(1000) {
            let boxes: Vec<(i64, i64)> = detection::Entity::find()
                .select_only()
                .column(detection::Column::CaptureId)
                .column(detection::Column::OccurrenceId)
                .filter(detection::Column::CaptureId.is_in(chunk.iter().copied()))
                .filter(detection::Column::X1.is_not_null())
                .filter(detection::Column::OccurrenceId.is_not_null())
                .into_tuple()
                .all(&self.db)
                .await?;
            for (capture, occurrence) in boxes {
                shown.entry(capture).or_default().insert(occurrence);
            }
        }
        let ids: BTreeSet<i64> = shown.values().flatten().copied().collect();
        let taxa = self.passing(&Vec::from_iter(ids), defaults).await?;
        let counts = shown.into_iter().filter_map(|(capture, ids)| {
            let passing: Vec<Option<i64>> =
                ids.iter().filter_map(|id| taxa.get(id).copied()).collect();
            let distinct: HashSet<i64> = passing.iter().filter_map(|taxon| *taxon).collect();
            let counts = (passing.len() as i64, distinct.len() as i64);
            (!passing.is_empty()).then_some((capture, counts))
        });
        Ok(counts.collect())
    }

    /// Of these individuals, those that pass the filters, and what they are determined as.
    async fn passing(
        &self,
        ids: &[i64],
        defaults: &Defaults,
    ) -> StoreResult<HashMap<i64, Option<i64>>> {
        let mut passing = HashMap::new();
        for chunk in ids.chunks(1000) {
            let pass = occurrence::Entity::find()
                .select_only()
                .column(occurrence::Column::Id)
                .column(occurrence::Column::DeterminationId)
                .filter(occurrence::Column::Id.is_in(chunk.iter().copied()))
                .filter(defaults.condition());
            passing.extend(
                pass.into_tuple::<(i64, Option<i64>)>()
                    .all(&self.db)
                    .await?,
            );
        }
        Ok(passing)
    }
}
