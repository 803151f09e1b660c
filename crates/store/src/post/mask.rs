//! Leaving only the taxa of a list to a classifier (`domain-rules.md` §8, class masking): what it
//! said is decided anew among them, beside the original, which is then no longer the last word.

use std::collections::HashSet;

use domain::post::mask::{mask, softmax};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use super::algorithm::{Name, find_or_make};
use super::classifier::{Classifier, Derived, numbers, read, write};
use super::{Found, Tally};
use crate::connection::{Store, StoreError, StoreResult, Write};
use crate::entity::taxa_list_taxon;

/// A mask of classes.
#[derive(Clone, Debug)]
pub struct Mask {
    /// Whose classifications are masked.
    pub classifier: Classifier,
    included: Vec<bool>,
    reweight: bool,
    output: Name,
}

impl Store {
    /// Reads which classes a list leaves.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] with a sentence where it leaves none.
    pub async fn mask(&self, list: i64, algorithm: i64, reweight: bool) -> StoreResult<Mask> {
        let list = self.taxa_list(list).await?;
        let classifier = self.classifier(algorithm).await?;
        let taxa: HashSet<i64> = taxa_list_taxon::Entity::find()
            .select_only()
            .column(taxa_list_taxon::Column::TaxonId)
            .filter(taxa_list_taxon::Column::TaxaListId.eq(list.id))
            .into_tuple::<i64>()
            .all(&self.db)
            .await?
            .into_iter()
            .collect();
        let listed = |class: &Option<i64>| class.is_some_and(|id| taxa.contains(&id));
        let included: Vec<bool> = classifier.classes.iter().map(listed).collect();
        if !included.contains(&true) {
            return Err(StoreError::Conflict(format!(
                "None of the {} labels of \"{}\" is in the taxa list \"{}\": add taxa that it \
                 knows, or choose another list.",
                classifier.len(),
                classifier.algorithm.name,
                list.name
            )));
        }
        let source = &classifier.algorithm;
        let mode = if reweight { "reweighted" } else { "absolute" };
        let output = Name {
            key: format!("{}_filtered_by_taxa_list_{}_{mode}", source.key, list.id),
            name: format!(
                "{} (filtered by taxa list {}, {mode} scores)",
                source.name, list.name
            ),
            description: format!("{} with only the taxa of {}", source.name, list.name),
            task_type: "classification",
            category_map: source.category_map_id,
        };
        Ok(Mask {
            classifier,
            included,
            reweight,
            output,
        })
    }
}

impl Mask {
    /// How many classes stay.
    pub fn included(&self) -> usize {
        self.included.iter().filter(|on| **on).count()
    }

    pub(super) async fn apply(&self, tx: &Write, found: &[Found]) -> StoreResult<Tally> {
        let output = find_or_make(tx, &self.output).await?;
        let open = self
            .classifier
            .open(tx, found, Some(output.id), true)
            .await?;
        let mut tally = Tally::default();
        let (mut checked, mut masked) = (0, 0);
        for chunk in open.chunks(self.classifier.at_once()) {
            let mut derived = Vec::new();
            for from in read(tx, chunk).await? {
                let logits = numbers(from.logits.as_ref());
                let logits = logits.ok_or_else(|| not_numbers(from.id))?;
                if logits.len() != self.classifier.len() {
                    tally.skip(from.id);
                    continue;
                }
                checked += 1;
                let Some(new) = mask(&softmax(&logits), &self.included, self.reweight) else {
                    continue;
                };
                masked += 1;
                tally.touch(found, from.detection_id);
                derived.push(Derived {
                    taxon: self.classifier.classes[new.top],
                    score: new.score,
                    scores: Some(new.scores),
                    from,
                });
            }
            write(tx, &output, derived).await?;
        }
        tally.counts = vec![open.len() as u64, checked, masked];
        Ok(tally)
    }
}

fn not_numbers(id: i64) -> StoreError {
    StoreError::Conflict(format!(
        "The logits of classification {id} are not numbers. Process its capture again, then run \
         this job again."
    ))
}

impl Tally {
    /// The occurrence of this detection changes.
    pub(super) fn touch(&mut self, found: &[Found], detection: i64) {
        // Boxes of a page are in the order of their ids.
        if let Ok(place) = found.binary_search_by_key(&detection, |f| f.id) {
            self.touched.insert(found[place].occurrence_id);
        }
    }
}
