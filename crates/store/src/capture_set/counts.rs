//! What capture sets hold, counted. The idea: small sets are counted anew whenever they are shown;
//! a larger one shows what was counted last and is counted again behind the reader's back, so
//! that a list of sets costs the same however large they are (`domain-rules.md` §5).

use std::collections::HashMap;
use std::time::Duration;

use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, Func};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, JoinType, QueryFilter, QuerySelect, RelationTrait,
};

use super::CaptureSet;
use crate::connection::{Store, StoreResult, now};
use crate::defaults::Defaults;
use crate::entity::{capture, capture_set, capture_set_member, detection, occurrence};

/// Members that one page counts anew.
const BUDGET: i64 = 1000;
/// Members of a set that is counted before it is shown for the first time.
const ONCE: i64 = 20_000;
/// How long the counts of a large set are taken as they are.
const FRESH: Duration = Duration::from_secs(60);

/// What a set holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetCounts {
    /// Captures.
    pub captures: i64,
    /// Captures with a box.
    pub found: i64,
    /// Captures that a pipeline has looked at.
    pub processed: i64,
    /// Occurrences that pass the default filters.
    pub occurrences: i64,
    /// Their taxa.
    pub taxa: i64,
}

impl Store {
    /// What these sets hold; occurrences and taxa only where filters for them are given.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn set_counts(
        &self,
        sets: &[CaptureSet],
        defaults: Option<&Defaults>,
    ) -> StoreResult<HashMap<i64, SetCounts>> {
        let mut left = BUDGET;
        let (small, large): (Vec<&CaptureSet>, Vec<&CaptureSet>) = sets.iter().partition(|set| {
            let fits = set.captures_count <= left;
            left -= if fits { set.captures_count } else { 0 };
            fits
        });
        let ids: Vec<i64> = small.iter().map(|set| set.id).collect();
        let mut counts = self.count_sets(&ids, defaults).await?;
        let edge = now() - FRESH;
        let mut old = Vec::new();
        for set in large {
            let mut shown = kept(set);
            match set.counted_at {
                None if set.captures_count <= ONCE => {
                    shown = self.keep_counts(set.id).await?.unwrap_or(shown);
                }
                Some(at) if at >= edge => {}
                _ => old.push(set.id),
            }
            counts.insert(set.id, shown);
        }
        if !old.is_empty() {
            self.recount_later(old);
        }
        Ok(counts)
    }

    /// Counts large sets again while nobody waits.
    fn recount_later(&self, sets: Vec<i64>) {
        let store = self.patient();
        tokio::spawn(async move {
            for set in sets {
                if let Err(error) = store.keep_counts(set).await {
                    tracing::warn!(set, %error, "a capture set is not counted again");
                }
            }
        });
    }

    /// Counts a set by its project's default filters and keeps the counts, unless somebody has
    /// just done so.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn keep_counts(&self, set: i64) -> StoreResult<Option<SetCounts>> {
        use capture_set::Column as C;
        // Whoever moves the time forward counts; the others take what is there.
        let old = Condition::any()
            .add(C::CountedAt.is_null())
            .add(C::CountedAt.lt(now() - FRESH));
        let tx = self.write().await?;
        let mine = capture_set::Entity::update_many()
            .col_expr(C::CountedAt, Expr::value(now()))
            .filter(C::Id.eq(set))
            .filter(old)
            .exec(&*tx)
            .await?;
        let found = capture_set::Entity::find_by_id(set).one(&*tx).await?;
        tx.commit().await?;
        let Some(found) = found.filter(|_| mine.rows_affected > 0) else {
            return Ok(None);
        };
        let project = self.project(found.project_id).await?;
        let counts = self
            .count_sets(&[set], Some(&Defaults::of(&project)))
            .await?;
        let counts = counts.get(&set).copied().unwrap_or_default();
        let tx = self.write().await?;
        capture_set::Entity::update_many()
            .col_expr(C::FoundCount, Expr::value(counts.found))
            .col_expr(C::ProcessedCount, Expr::value(counts.processed))
            .col_expr(C::OccurrencesCount, Expr::value(counts.occurrences))
            .col_expr(C::TaxaCount, Expr::value(counts.taxa))
            .filter(C::Id.eq(set))
            .exec(&*tx)
            .await?;
        tx.commit().await?;
        Ok(Some(counts))
    }

    async fn count_sets(
        &self,
        ids: &[i64],
        defaults: Option<&Defaults>,
    ) -> StoreResult<HashMap<i64, SetCounts>> {
        use capture_set_member::Column as M;
        let mut counts: HashMap<i64, SetCounts> = HashMap::new();
        let members = || {
            capture_set_member::Entity::find()
                .join(
                    JoinType::InnerJoin,
                    capture_set_member::Relation::Capture.def(),
                )
                .select_only()
                .column(M::CaptureSetId)
                .filter(M::CaptureSetId.is_in(ids.iter().copied()))
                .group_by(M::CaptureSetId)
        };
        let rows: Vec<(i64, i64, i64, i64)> = members()
            .expr(Func::count(Expr::col((
                capture::Entity,
                capture::Column::Id,
            ))))
            .expr(how_many(capture::Column::BoxesCount.gt(0)))
            .expr(how_many(capture::Column::LastProcessedAt.is_not_null()))
            .into_tuple()
            .all(&self.db)
            .await?;
        for (set, captures, found, processed) in rows {
            let counted = SetCounts {
                captures,
                found,
                processed,
                ..SetCounts::default()
            };
            counts.insert(set, counted);
        }
        let Some(defaults) = defaults else {
            return Ok(counts);
        };
        let column = |column| Expr::col((occurrence::Entity, column));
        let rows: Vec<(i64, i64, i64)> = members()
            .join(
                JoinType::InnerJoin,
                detection::Relation::Capture.def().rev(),
            )
            .join(JoinType::InnerJoin, detection::Relation::Occurrence.def())
            .expr(Func::count_distinct(column(occurrence::Column::Id)))
            .expr(Func::count_distinct(column(
                occurrence::Column::DeterminationId,
            )))
            .filter(detection::Column::X1.is_not_null())
            .filter(defaults.condition())
            .into_tuple()
            .all(&self.db)
            .await?;
        for (set, occurrences, taxa) in rows {
            let counted = counts.entry(set).or_default();
            (counted.occurrences, counted.taxa) = (occurrences, taxa);
        }
        Ok(counts)
    }
}

/// How many rows of a group meet a condition.
fn how_many(condition: Expr) -> Expr {
    let one: Expr = CaseStatement::new().case(condition, 1i64).into();
    one.count()
}

const fn kept(set: &CaptureSet) -> SetCounts {
    SetCounts {
        captures: set.captures_count,
        found: set.found_count,
        processed: set.processed_count,
        occurrences: set.occurrences_count,
        taxa: set.taxa_count,
    }
}
