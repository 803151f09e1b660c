//! What the tasks that work on scores need of a classifier: its classes as taxa, and its
//! classifications of a page, a few at a time, for the scores of large models are long.

use std::collections::HashMap;

use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect,
    RelationTrait, prelude::Json,
};

use super::{Found, Tally};
use crate::connection::{Store, StoreError, StoreResult, Write, now};
use crate::entity::{classification, detection, taxon};
use crate::export::members;
use crate::pipeline::Algorithm;
use domain::post::Scope;

/// Numbers in memory at once.
const AT_ONCE: usize = 200_000;

/// A classifier with its classes.
#[derive(Clone, Debug)]
pub struct Classifier {
    /// Its row.
    pub algorithm: Algorithm,
    /// The taxon of each class, in the order of its scores; `None` where nobody knows it.
    pub classes: Vec<Option<i64>>,
    /// Their labels.
    pub labels: Vec<String>,
}

/// What is put beside a classification in its stead.
pub(super) struct Derived {
    pub from: classification::Model,
    pub taxon: Option<i64>,
    pub score: f64,
    pub scores: Option<Vec<f64>>,
}

impl Classifier {
    /// How many classes it has.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// True where it has none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Terminal classifications of these detections by this classifier from which `output` has
    /// not derived one yet, oldest first.
    pub(super) async fn open(
        &self,
        tx: &Write,
        found: &[Found],
        output: Option<i64>,
        logits: bool,
    ) -> StoreResult<Vec<i64>> {
        use classification::Column as C;
        let mut open: Vec<i64> = Vec::new();
        for chunk in found.chunks(1000) {
            let mut select = classification::Entity::find()
                .select_only()
                .column(C::Id)
                .filter(C::DetectionId.is_in(chunk.iter().map(|f| f.id)))
                .filter(C::AlgorithmId.eq(self.algorithm.id))
                .filter(C::Terminal.eq(true))
                .filter(C::Scores.is_not_null());
            if logits {
                select = select.filter(C::Logits.is_not_null());
            }
            if let Some(output) = output {
                let derived = Query::select()
                    .column(C::AppliedToId)
                    .from(classification::Entity)
                    .and_where(Expr::col(C::AlgorithmId).eq(output))
                    .and_where(Expr::col(C::AppliedToId).is_not_null())
                    .and_where(Expr::col(C::DetectionId).is_in(chunk.iter().map(|f| f.id)))
                    .to_owned();
                select = select.filter(C::Id.not_in_subquery(derived));
            }
            open.extend(select.into_tuple::<i64>().all(&**tx).await?);
        }
        open.sort_unstable();
        Ok(open)
    }

    /// So many of them may be read at once.
    pub(super) fn at_once(&self) -> usize {
        (AT_ONCE / self.len().max(1)).clamp(1, 500)
    }
}

/// The classifications with these ids, oldest first.
pub(super) async fn read(tx: &Write, ids: &[i64]) -> StoreResult<Vec<classification::Model>> {
    Ok(classification::Entity::find()
        .filter(classification::Column::Id.is_in(ids.iter().copied()))
        .order_by_asc(classification::Column::Id)
        .all(&**tx)
        .await?)
}

/// A list of numbers.
pub(super) fn numbers(list: Option<&Json>) -> Option<Vec<f64>> {
    list?.as_array()?.iter().map(Json::as_f64).collect()
}

impl Tally {
    /// Notes a classification that cannot be used.
    pub(super) fn skip(&mut self, id: i64) {
        self.skipped += 1;
        if self.unreadable.len() < 10 {
            self.unreadable.push(id);
        }
    }
}

/// Writes what was derived, and makes the originals intermediate.
pub(super) async fn write(
    tx: &Write,
    output: &Algorithm,
    derived: Vec<Derived>,
) -> StoreResult<()> {
    if derived.is_empty() {
        return Ok(());
    }
    use classification::Column as C;
    let at = now();
    let originals: Vec<i64> = derived.iter().map(|d| d.from.id).collect();
    let rows = derived.into_iter().map(|d| {
        let has_scores = d.scores.is_some();
        classification::ActiveModel {
            detection_id: Set(d.from.detection_id),
            taxon_id: Set(d.taxon),
            algorithm_id: Set(Some(output.id)),
            category_map_id: Set(output.category_map_id),
            score: Set(Some(d.score)),
            scores: Set(d.scores.map(Json::from)),
            // Scores that can be worked on further; a sum of scores cannot.
            logits: Set(d.from.logits.filter(|_| has_scores)),
            terminal: Set(true),
            classified_at: Set(d.from.classified_at),
            applied_to_id: Set(Some(d.from.id)),
            created_at: Set(at),
            updated_at: Set(at),
            ..Default::default()
        }
    });
    classification::Entity::insert_many(rows)
        .exec_without_returning(&**tx)
        .await?;
    classification::Entity::update_many()
        .col_expr(C::Terminal, Expr::value(false))
        .col_expr(C::UpdatedAt, Expr::value(at))
        .filter(C::Id.is_in(originals))
        .exec(&**tx)
        .await?;
    Ok(())
}

impl Store {
    /// A classifier with its classes as taxa: by name, else by another name they go by.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with a sentence where it has no classes.
    pub async fn classifier(&self, id: i64) -> StoreResult<Classifier> {
        let algorithm = self.algorithm(id).await?;
        let map = match algorithm.category_map_id {
            Some(map) => self.category_map(map).await?.labels,
            None => Json::Null,
        };
        let labels: Vec<String> = serde_json::from_value(map).unwrap_or_default();
        if labels.is_empty() {
            return Err(StoreError::Conflict(format!(
                "The algorithm \"{}\" has no labels in its category map, so nobody knows what \
                 its scores stand for.",
                algorithm.name
            )));
        }
        let named = self.taxa_named(&labels).await?;
        let classes = labels.iter().map(|label| named.get(label).copied());
        Ok(Classifier {
            classes: classes.collect(),
            algorithm,
            labels,
        })
    }

    async fn taxa_named(&self, labels: &[String]) -> StoreResult<HashMap<String, i64>> {
        use taxon::Column as T;
        let mut named = HashMap::new();
        for chunk in labels.chunks(1000) {
            let rows = taxon::Entity::find()
                .select_only()
                .columns([T::Name, T::Id])
                .filter(T::Name.is_in(chunk.iter().map(String::as_str)));
            named.extend(rows.into_tuple::<(String, i64)>().all(&self.db).await?);
        }
        if labels.iter().all(|label| named.contains_key(label)) {
            return Ok(named);
        }
        let rows = taxon::Entity::find()
            .select_only()
            .columns([T::Id, T::SearchNames])
            .filter(T::Active.eq(true))
            .filter(Expr::col(T::SearchNames).cast_as("TEXT").ne("[]"))
            .order_by_asc(T::Id);
        for (id, names) in rows.into_tuple::<(i64, Json)>().all(&self.db).await? {
            let names: Vec<String> = serde_json::from_value(names).unwrap_or_default();
            for name in names {
                named.entry(name).or_insert(id);
            }
        }
        Ok(named)
    }

    /// Whether a classifier has said anything with scores (and logits) in scope, terminal or not.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn has_scores(
        &self,
        algorithm: i64,
        scope: Scope,
        logits: bool,
    ) -> StoreResult<bool> {
        use classification::Column as C;
        let within = match scope {
            Scope::Set(set) => detection::Column::CaptureId.in_subquery(members(set)),
            Scope::Occurrence(id) => detection::Column::OccurrenceId.eq(id),
        };
        let scored = match logits {
            true => C::Logits.is_not_null(),
            false => C::Scores.is_not_null(),
        };
        let found = classification::Entity::find()
            .select_only()
            .column(C::Id)
            .join(
                JoinType::InnerJoin,
                classification::Relation::Detection.def(),
            )
            .filter(C::AlgorithmId.eq(algorithm))
            .filter(scored)
            .filter(within)
            .limit(1)
            .into_tuple::<i64>()
            .one(&self.db)
            .await?;
        Ok(found.is_some())
    }
}
