//! Naming a genus or family where a classifier is not sure of the species: the sum is put beside
//! the original, which is then no longer the last word. The original keeps its scores.

use std::collections::HashMap;

use domain::post::rollup::{Level, Tree, roll_up};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use super::algorithm::{Name, find_or_make};
use super::classifier::{Classifier, Derived, numbers, read, write};
use super::{Found, Tally};
use crate::connection::{Store, StoreError, StoreResult, Write};
use crate::entity::taxon;

/// How deep a tree of life may be.
const DEEPEST: usize = 64;

/// A roll-up that is ready to work.
#[derive(Clone, Debug)]
pub struct RollUp {
    /// Whose classifications are rolled up.
    pub classifier: Classifier,
    levels: Vec<Level>,
    threshold: f64,
    output: Name,
}

impl Store {
    /// Reads what stands above the classes of a classifier.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] with a sentence where no class stands
    /// below a taxon of these ranks.
    pub async fn roll_up(
        &self,
        algorithm: i64,
        threshold: f64,
        ranks: &[String],
    ) -> StoreResult<RollUp> {
        let classifier = self.classifier(algorithm).await?;
        let tree = self.tree_above(&classifier.classes).await?;
        let level = |rank: &String| Level::new(&classifier.classes, &tree, rank);
        let levels: Vec<Level> = ranks.iter().map(level).collect();
        let words = ranks.join(", ").to_lowercase();
        if levels.iter().all(Level::is_empty) {
            return Err(StoreError::Conflict(format!(
                "None of the {} labels of \"{}\" stands below a taxon of the rank {words}: give \
                 its taxa their parents, or choose other ranks.",
                classifier.len(),
                classifier.algorithm.name
            )));
        }
        let source = &classifier.algorithm;
        let suffix = words.replace(", ", "_");
        let output = Name {
            key: format!("{}_rolled_up_at_{threshold}_to_{suffix}", source.key),
            name: format!("{} (rolled up below {threshold} to {words})", source.name),
            description: format!("Sums of the scores of {} by rank", source.name),
            task_type: "classification",
            category_map: None,
        };
        Ok(RollUp {
            classifier,
            levels,
            threshold,
            output,
        })
    }

    /// These taxa and all above them.
    async fn tree_above(&self, classes: &[Option<i64>]) -> StoreResult<Tree> {
        use taxon::Column as T;
        let mut tree: Tree = HashMap::new();
        let mut next: Vec<i64> = classes.iter().flatten().copied().collect();
        for _ in 0..DEEPEST {
            next.sort_unstable();
            next.dedup();
            next.retain(|id| !tree.contains_key(id));
            if next.is_empty() {
                break;
            }
            let mut above = Vec::new();
            for chunk in next.chunks(1000) {
                let rows = taxon::Entity::find()
                    .select_only()
                    .columns([T::Id, T::ParentId, T::Rank])
                    .filter(T::Id.is_in(chunk.iter().copied()))
                    .into_tuple::<(i64, Option<i64>, String)>();
                for (id, parent, rank) in rows.all(&self.db).await? {
                    above.extend(parent);
                    tree.insert(id, (parent, rank));
                }
            }
            next = above;
        }
        Ok(tree)
    }
}

impl RollUp {
    pub(super) async fn apply(&self, tx: &Write, found: &[Found]) -> StoreResult<Tally> {
        let output = find_or_make(tx, &self.output).await?;
        let open = self
            .classifier
            .open(tx, found, Some(output.id), false)
            .await?;
        let mut tally = Tally::default();
        let (mut checked, mut rolled) = (0, 0);
        for chunk in open.chunks(self.classifier.at_once()) {
            let mut derived = Vec::new();
            for from in read(tx, chunk).await? {
                let scores = numbers(from.scores.as_ref());
                let scores = scores.filter(|s| s.len() == self.classifier.len());
                let Some(scores) = scores else {
                    tally.skip(from.id);
                    continue;
                };
                checked += 1;
                let Some(up) = roll_up(&scores, self.threshold, &self.levels) else {
                    continue;
                };
                rolled += 1;
                tally.touch(found, from.detection_id);
                derived.push(Derived {
                    taxon: Some(up.taxon),
                    score: up.score,
                    scores: None,
                    from,
                });
            }
            write(tx, &output, derived).await?;
        }
        tally.counts = vec![open.len() as u64, checked, rolled];
        Ok(tally)
    }
}
