//! Marking boxes that are too small to be told (`domain-rules.md` §8, small size filter). A box
//! that is marked already is not marked again.

use std::collections::{BTreeMap, HashSet};

use domain::post::size::relative_area;
use domain::post::{NOT_IDENTIFIABLE, SMALL_SIZE};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use super::algorithm::{Name, find_or_make};
use super::{Found, Tally};
use crate::connection::{StoreError, StoreResult, Write, now};
use crate::entity::classification;
use crate::taxon;

/// Marks the small ones among these boxes.
pub(super) async fn mark(tx: &Write, threshold: f64, found: &[Found]) -> StoreResult<Tally> {
    let share = |f: &Found| {
        let edges = [f.x1, f.y1, f.x2, f.y2];
        relative_area(edges, f.width?, f.height?)
    };
    let measured = || found.iter().filter_map(|f| Some((f, share(f)?)));
    let small: Vec<&Found> = measured()
        .filter(|(_, share)| *share < threshold)
        .map(|(f, _)| f)
        .collect();
    let mut tally = Tally::default();
    let mut fresh = Vec::new();
    if !small.is_empty() {
        let algorithm = find_or_make(tx, &name()).await?.id;
        let marked = marked(tx, algorithm, &small).await?;
        fresh.extend(small.into_iter().filter(|f| !marked.contains(&f.id)));
        write(tx, algorithm, &fresh).await?;
    }
    tally.touched = fresh.iter().map(|f| f.occurrence_id).collect();
    tally.counts = vec![measured().count() as u64, fresh.len() as u64];
    Ok(tally)
}

/// As the reference names it.
fn name() -> Name {
    Name {
        key: SMALL_SIZE.to_owned(),
        name: "Small size filter".to_owned(),
        description: format!("Post-processing task: {SMALL_SIZE}"),
        task_type: domain::job::POST_PROCESSING,
        category_map: None,
    }
}

async fn marked(tx: &Write, algorithm: i64, small: &[&Found]) -> StoreResult<HashSet<i64>> {
    use classification::Column as C;
    let mut marked = HashSet::new();
    for chunk in small.chunks(1000) {
        let rows = classification::Entity::find()
            .select_only()
            .column(C::DetectionId)
            .filter(C::DetectionId.is_in(chunk.iter().map(|f| f.id)))
            .filter(C::AlgorithmId.eq(algorithm));
        marked.extend(rows.into_tuple::<i64>().all(&**tx).await?);
    }
    Ok(marked)
}

async fn write(tx: &Write, algorithm: i64, fresh: &[&Found]) -> StoreResult<()> {
    if fresh.is_empty() {
        return Ok(());
    }
    let wanted = BTreeMap::from([(NOT_IDENTIFIABLE.to_owned(), "UNKNOWN".to_owned())]);
    let taxa = taxon::find_or_make(tx, &wanted).await?;
    let taxon = taxa.get(NOT_IDENTIFIABLE).copied();
    let taxon = taxon.ok_or(StoreError::NotFound("taxon"))?;
    let at = now();
    for chunk in fresh.chunks(1000) {
        let rows = chunk.iter().map(|f| classification::ActiveModel {
            detection_id: Set(f.id),
            taxon_id: Set(Some(taxon)),
            algorithm_id: Set(Some(algorithm)),
            category_map_id: Set(None),
            score: Set(Some(1.0)),
            scores: Set(None),
            logits: Set(None),
            terminal: Set(true),
            classified_at: Set(at),
            applied_to_id: Set(None),
            created_at: Set(at),
            updated_at: Set(at),
            ..Default::default()
        });
        classification::Entity::insert_many(rows)
            .exec_without_returning(&**tx)
            .await?;
    }
    Ok(())
}
