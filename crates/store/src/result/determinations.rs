//! What occurrences are determined as, worked out again after new classifications; the rule
//! itself is `domain::determination` (`domain-rules.md` §9).

use std::collections::HashMap;

use domain::determination::{ClassificationFacts, Determination, determine};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect,
};

use crate::connection::{StoreResult, Write, now};
use crate::entity::{classification, detection, occurrence};

/// Works out the determinations of these occurrences again; writes only those that change.
pub(super) async fn recompute(tx: &Write, occurrences: &[i64]) -> StoreResult<()> {
    for chunk in occurrences.chunks(1000) {
        let facts = facts(tx, chunk).await?;
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
            let next = determine(current, &[], said);
            if next != current {
                let mut row = row.into_active_model();
                row.determination_id = Set(next.taxon);
                row.determination_score = Set(next.score);
                row.updated_at = Set(now());
                row.update(&**tx).await?;
            }
        }
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
        let rows = classification::Entity::find()
            .filter(classification::Column::DetectionId.is_in(chunk.iter().copied()))
            .all(&**tx)
            .await?;
        for c in rows {
            if let Some(occurrence) = detections.get(&c.detection_id) {
                facts
                    .entry(*occurrence)
                    .or_default()
                    .push(ClassificationFacts {
                        id: c.id,
                        taxon: c.taxon_id,
                        algorithm: c.algorithm_id,
                        score: c.score,
                        terminal: c.terminal,
                    });
            }
        }
    }
    Ok(facts)
}
