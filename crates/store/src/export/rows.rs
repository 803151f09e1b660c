//! The occurrences of an export, page by page. The idea: a page begins behind the last row of the
//! one before it (score, then number) and is read along the index that has this order, so the
//! thousandth page costs what the first one did, and memory holds one.

use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Select,
};

use super::is_of_member;
use crate::connection::{Store, StoreResult};
use crate::entity::{detection, occurrence};
use crate::occurrence::Occurrence;

/// Which occurrences an export holds: those with a box and a determination, whatever the project's
/// default filters say (`domain-rules.md` §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exported {
    /// Of this project.
    pub project_id: i64,
    /// Only what was seen on captures of this set.
    pub capture_set_id: Option<i64>,
}

/// The last row of a page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mark {
    score: Option<f64>,
    id: i64,
}

impl Mark {
    /// Behind this row.
    pub fn behind(row: &Occurrence) -> Mark {
        Mark {
            score: row.determination_score,
            id: row.id,
        }
    }
}

impl Exported {
    fn select(self) -> Select<occurrence::Entity> {
        let select = occurrence::Entity::find()
            .filter(occurrence::Column::ProjectId.eq(self.project_id))
            // With a sign before it, no index begins with it: the order's own is walked.
            .filter(Expr::cust("+occurrence.determination_id").is_not_null())
            .filter(Expr::cust("+occurrence.boxes_count").gt(0));
        let Some(set) = self.capture_set_id else {
            return select;
        };
        let seen = Query::select()
            .expr(Expr::val(1))
            .from(detection::Entity)
            .and_where(
                Expr::col((detection::Entity, detection::Column::OccurrenceId))
                    .equals((occurrence::Entity, occurrence::Column::Id)),
            )
            .and_where(detection::Column::X1.is_not_null())
            .and_where(is_of_member(set))
            .to_owned();
        select.filter(Expr::exists(seen))
    }

    /// The parts of the order that lie behind a mark, each along the index: those without a score,
    /// those with the mark's score, those with a lower one.
    fn behind(mark: Option<Mark>) -> Vec<Condition> {
        use occurrence::Column as C;
        let unscored = |after: i64| {
            let none = Condition::all().add(C::DeterminationScore.is_null());
            none.add(C::Id.gt(after))
        };
        let scored = || Condition::all().add(C::DeterminationScore.is_not_null());
        match mark {
            None => vec![unscored(i64::MIN), scored()],
            Some(Mark { score: None, id }) => vec![unscored(id), scored()],
            Some(Mark {
                score: Some(score),
                id,
            }) => {
                let alike = Condition::all().add(C::DeterminationScore.eq(score));
                let lower = Condition::all().add(C::DeterminationScore.lt(score));
                vec![alike.add(C::Id.gt(id)), lower]
            }
        }
    }
}

impl Store {
    /// How many occurrences an export holds.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn exportable(&self, which: Exported) -> StoreResult<u64> {
        Ok(which.select().count(&self.db).await?)
    }

    /// How many occurrences an export of a whole project holds, counted no further than one more
    /// than `most`.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn exportable_up_to(&self, project: i64, most: u64) -> StoreResult<u64> {
        let which = Exported {
            project_id: project,
            capture_set_id: None,
        };
        let ids = which.select().select_only().column(occurrence::Column::Id);
        self.count_all(QueryTrait::into_query(ids.limit(most + 1)))
            .await
    }

    /// The next occurrences of an export, at most `limit`: the highest score first, those without
    /// one before all others, then by number. A row whose score changes between two pages may come
    /// twice or not at all.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn export_page(
        &self,
        which: Exported,
        after: Option<Mark>,
        limit: u64,
    ) -> StoreResult<Vec<Occurrence>> {
        use occurrence::Column as C;
        let mut rows: Vec<Occurrence> = Vec::new();
        for part in Exported::behind(after) {
            let left = limit.saturating_sub(rows.len() as u64);
            if left == 0 {
                break;
            }
            let part = which
                .select()
                .filter(part)
                .order_by_desc(C::DeterminationScore)
                .order_by_asc(C::Id)
                .limit(left);
            rows.extend(part.all(&self.db).await?);
        }
        Ok(rows)
    }
}
