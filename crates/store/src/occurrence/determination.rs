//! What occurrences are determined as, worked out again after new classifications or
//! identifications, in the transaction that writes those; the rule itself is
//! `domain::determination` (`domain-rules.md` §9).

use std::collections::HashMap;

use domain::determination::{ClassificationFacts, Determination, IdentificationFacts, determine};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect,
};

use super::prediction::said;
use crate::connection::{StoreResult, Write, now};
use crate::entity::{detection, identification, occurrence};

/// Works out the determinations of these occurrences again; writes only those that change, and
/// returns which these are.
pub(crate) async fn recompute(tx: &Write, occurrences: &[i64]) -> StoreResult<Vec<i64>> {
    let mut changed = Vec::new();
    for chunk in occurrences.chunks(1000) {
        lock(tx, chunk).await?;
        let facts = facts(tx, chunk).await?;
        let people = identifications(tx, chunk).await?;
        let rows = occurrence::Entity::find()
            .filter(occurrence::Column::Id.is_in(chunk.iter().copied()))
            .all(&**tx)
            .await?;
        for row in rows {
            let current = Determination {
                taxon: row.determination_id,
                score: row.determination_score,
            };
            let said = facts.get(&row.id).map(Vec::as_slice).unwrap_or_default();
            let people = people.get(&row.id).map(Vec::as_slice).unwrap_or_default();
            let next = determine(current, people, said);
            if next != current {
                changed.push(row.id);
                let mut row = row.into_active_model();
                row.determination_id = Set(next.taxon);
                row.determination_score = Set(next.score);
                row.updated_at = Set(now());
                row.update(&**tx).await?;
            }
        }
    }
    Ok(changed)
}

/// Two who identify the same occurrence, or a result that is saved meanwhile, wait for each other.
pub(crate) async fn lock(tx: &Write, occurrences: &[i64]) -> StoreResult<()> {
    for chunk in occurrences.chunks(1000) {
        occurrence::Entity::find()
            .select_only()
            .column(occurrence::Column::Id)
            .filter(occurrence::Column::Id.is_in(chunk.iter().copied()))
            .order_by_asc(occurrence::Column::Id)
            .lock_exclusive()
            .into_tuple::<i64>()
            .all(&**tx)
            .await?;
    }
    Ok(())
}

async fn facts(
    tx: &Write,
    occurrences: &[i64],
) -> StoreResult<HashMap<i64, Vec<ClassificationFacts>>> {
    let detections: HashMap<i64, i64> = detection::Entity::find()
        .select_only()
        .column(detection::Column::Id)
        .column(detection::Column::OccurrenceId)
        .filter(detection::Column::OccurrenceId.is_in(occurrences.iter().copied()))
        .into_tuple::<(i64, i64)>()
        .all(&**tx)
        .await?
        .into_iter()
        .collect();
    let ids: Vec<i64> = detections.keys().copied().collect();
    let mut facts: HashMap<i64, Vec<ClassificationFacts>> = HashMap::new();
    for chunk in ids.chunks(1000) {
        for c in said(&**tx, chunk).await? {
            if let Some(occurrence) = detections.get(&c.detection_id) {
                facts.entry(*occurrence).or_default().push(c.facts());
            }
        }
    }
    Ok(facts)
}

/// What people say of these occurrences.
async fn identifications(
    tx: &Write,
    occurrences: &[i64],
) -> StoreResult<HashMap<i64, Vec<IdentificationFacts>>> {
    let rows = identification::Entity::find()
        .filter(identification::Column::OccurrenceId.is_in(occurrences.iter().copied()))
        .all(&**tx)
        .await?;
    let mut said: HashMap<i64, Vec<IdentificationFacts>> = HashMap::new();
    for row in rows {
        // One without a taxon is a comment and decides nothing.
        let Some(taxon) = row.taxon_id else { continue };
        said.entry(row.occurrence_id)
            .or_default()
            .push(IdentificationFacts {
                id: row.id,
                taxon,
                created_at: row.created_at.naive_utc(),
                withdrawn: row.withdrawn,
            });
    }
    Ok(said)
}
