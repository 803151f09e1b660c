//! The labels that a classifier weighed, by score: what a person looks at who doubts its choice.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, prelude::Json};

use super::Classification;
use crate::connection::{Store, StoreResult};
use crate::entity::{category_map, classification, taxon};
use crate::taxon::Taxon;

/// A label of a classification.
#[derive(Clone, Debug)]
pub struct Label {
    /// The taxon of that name, where there is one.
    pub taxon: Option<Taxon>,
    /// The taxon above it, by id.
    pub above: HashMap<i64, Taxon>,
    /// 0 to 1.
    pub score: f64,
    /// The raw output.
    pub logit: Option<f64>,
}

fn numbers(list: Option<&Json>) -> Vec<f64> {
    let list = list.and_then(Json::as_array).into_iter().flatten();
    list.map(|number| number.as_f64().unwrap_or(0.0)).collect()
}

impl Store {
    /// The labels with the highest scores, the highest first. None where the scores do not fit
    /// the classifier's labels.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn top_labels(&self, of: &Classification, limit: usize) -> StoreResult<Vec<Label>> {
        let Some(map) = of.category_map_id else {
            return Ok(Vec::new());
        };
        let map = category_map::Entity::find_by_id(map).one(&self.db).await?;
        let labels: Vec<String> = map
            .and_then(|map| serde_json::from_value(map.labels).ok())
            .unwrap_or_default();
        let (scores, logits) = (numbers(of.scores.as_ref()), numbers(of.logits.as_ref()));
        if labels.len() != scores.len() {
            return Ok(Vec::new());
        }
        let mut places: Vec<usize> = (0..scores.len()).collect();
        places.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
        places.truncate(limit);
        let names = places.iter().map(|place| labels[*place].as_str());
        let taxa: HashMap<String, Taxon> = taxon::Entity::find()
            .filter(taxon::Column::Name.is_in(names))
            .all(&self.db)
            .await?
            .into_iter()
            .map(|taxon| (taxon.name.clone(), taxon))
            .collect();
        let parents: Vec<i64> = taxa.values().filter_map(|t| t.parent_id).collect();
        let above = self.taxa_by_id(&parents).await?;
        let label = |place: usize| Label {
            taxon: taxa.get(&labels[place]).cloned(),
            above: above.clone(),
            score: scores[place],
            logit: logits.get(place).copied(),
        };
        Ok(places.into_iter().map(label).collect())
    }

    /// Classifications by id.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn classifications_by_id(
        &self,
        ids: &[i64],
    ) -> StoreResult<HashMap<i64, Classification>> {
        let rows = classification::Entity::find()
            .filter(classification::Column::Id.is_in(ids.iter().copied()))
            .all(&self.db)
            .await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}
