//! What a project has seen of each taxon, counted. The idea: a small project's occurrences are
//! counted anew for every list; what a large one has seen is kept in a table and counted again
//! behind the reader's back, so that a list of taxa costs the same however large the project is.

use std::time::Duration;

use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect,
};

use crate::connection::{Store, StoreResult, now};
use crate::defaults::Defaults;
use crate::entity::{occurrence, project, seen_taxon};
use crate::occurrence::list::OccurrenceFilter;
use crate::project::Project;

/// Up to so many occurrences are counted anew each time.
const SMALL: u64 = 20_000;
/// How long what was counted is taken as it is.
const FRESH: Duration = Duration::from_secs(60);

/// Taxon, occurrences, best score and last time of each taxon that a filter's occurrences are
/// determined as.
pub(crate) fn counted(seen: &OccurrenceFilter, sqlite: bool) -> SelectStatement {
    use occurrence::Column as C;
    let column = |column: C| Expr::col((occurrence::Entity, column));
    Query::select()
        .expr_as(column(C::DeterminationId), Alias::new("taxon_id"))
        .expr_as(Func::count(column(C::Id)), Alias::new("occurrences"))
        .expr_as(
            Func::max(column(C::DeterminationScore)),
            Alias::new("best_score"),
        )
        .expr_as(Func::max(column(C::LastSeenAt)), Alias::new("last_seen"))
        .from(occurrence::Entity)
        .cond_where(seen.looked_up(sqlite))
        .group_by_col((occurrence::Entity, C::DeterminationId))
        .to_owned()
}

/// The same, as it is kept.
pub(crate) fn kept(project: i64) -> SelectStatement {
    use seen_taxon::Column as C;
    let column = |column: C| Expr::col((seen_taxon::Entity, column));
    Query::select()
        .expr_as(column(C::TaxonId), Alias::new("taxon_id"))
        .expr_as(column(C::Occurrences), Alias::new("occurrences"))
        .expr_as(column(C::BestScore), Alias::new("best_score"))
        .expr_as(column(C::LastSeenAt), Alias::new("last_seen"))
        .from(seen_taxon::Entity)
        .and_where(column(C::ProjectId).eq(project))
        .to_owned()
}

impl Store {
    /// A statement that answers what was seen of each taxon.
    pub(super) async fn counted_taxa(
        &self,
        seen: &OccurrenceFilter,
    ) -> StoreResult<SelectStatement> {
        let count = match seen.is_all_of_project() {
            true => self.count_occurrences(seen).await?,
            false => 0,
        };
        Ok(match self.kept_taxa(seen, count).await? {
            Some(project) => kept(project),
            None => counted(seen, self.is_sqlite()),
        })
    }

    /// How many taxa a filter's occurrences, so many, are determined as.
    pub(crate) async fn count_taxa_seen(
        &self,
        seen: &OccurrenceFilter,
        count: u64,
    ) -> StoreResult<u64> {
        if let Some(project) = self.kept_taxa(seen, count).await? {
            let all = seen_taxon::Entity::find();
            let own = all.filter(seen_taxon::Column::ProjectId.eq(project));
            return Ok(own.count(&self.db).await?);
        }
        let taxa = Func::count_distinct(Expr::col((
            occurrence::Entity,
            occurrence::Column::DeterminationId,
        )));
        let count: Option<i64> = occurrence::Entity::find()
            .select_only()
            .expr(taxa)
            .filter(seen.looked_up(self.is_sqlite()))
            .into_tuple()
            .one(&self.db)
            .await?;
        Ok(count.unwrap_or(0).unsigned_abs())
    }

    /// The project for which the kept counts answer a filter of so many occurrences.
    async fn kept_taxa(&self, seen: &OccurrenceFilter, count: u64) -> StoreResult<Option<i64>> {
        let Some(id) = seen.project_id.filter(|_| seen.is_all_of_project()) else {
            return Ok(None);
        };
        if count <= SMALL {
            return Ok(None);
        }
        let project = project::Entity::find_by_id(id).one(&self.db).await?;
        let Some(project) = project.filter(|project| seen.defaults == Defaults::of(project)) else {
            return Ok(None);
        };
        let answers = match project.taxa_counted_at {
            None => self.count_taxa(&project).await?,
            Some(at) => {
                if at < now() - FRESH {
                    self.count_taxa_later(project);
                }
                true
            }
        };
        Ok(answers.then_some(id))
    }

    /// Counts again while nobody waits.
    fn count_taxa_later(&self, project: Project) {
        let store = self.patient();
        tokio::spawn(async move {
            let counted = match store.is_mine_to_count(&project).await {
                Ok(true) => store.count_taxa(&project).await,
                other => other,
            };
            if let Err(error) = counted {
                tracing::warn!(project = project.id, %error, "taxa are not counted again");
            }
        });
    }

    /// Whoever moves the time forward counts; the others take what is there.
    async fn is_mine_to_count(&self, project: &Project) -> StoreResult<bool> {
        use project::Column as P;
        let tx = self.write().await?;
        let moved = project::Entity::update_many()
            .col_expr(P::TaxaCountedAt, Expr::value(now()))
            .filter(P::Id.eq(project.id))
            .filter(P::TaxaCountedAt.lt(now() - FRESH))
            .exec(&*tx)
            .await?;
        tx.commit().await?;
        Ok(moved.rows_affected > 0)
    }

    /// Counts what a project has seen and keeps it; false where its filters changed meanwhile.
    pub(crate) async fn count_taxa(&self, project: &Project) -> StoreResult<bool> {
        use project::Column as P;
        let filter = OccurrenceFilter {
            project_id: Some(project.id),
            defaults: Defaults::of(project),
            ..Default::default()
        };
        let rows = self
            .db
            .query_all(&counted(&filter, self.is_sqlite()))
            .await?;
        let row = |row: &sea_orm::QueryResult| {
            Ok(seen_taxon::Model {
                project_id: project.id,
                taxon_id: row.try_get_by_index(0)?,
                occurrences: row.try_get_by_index(1)?,
                best_score: row.try_get_by_index(2)?,
                last_seen_at: row.try_get_by_index(3)?,
            })
        };
        let rows: Vec<seen_taxon::Model> = rows.iter().map(row).collect::<StoreResult<_>>()?;
        let tx = self.write().await?;
        let same = Condition::all()
            .add(P::Id.eq(project.id))
            .add(P::UpdatedAt.eq(project.updated_at));
        let kept = project::Entity::update_many()
            .col_expr(P::TaxaCountedAt, Expr::value(now()))
            .filter(same)
            .exec(&*tx)
            .await?;
        if kept.rows_affected == 0 {
            return Ok(false);
        }
        seen_taxon::Entity::delete_many()
            .filter(seen_taxon::Column::ProjectId.eq(project.id))
            .exec(&*tx)
            .await?;
        for chunk in rows.chunks(1000) {
            let rows = chunk.iter().cloned().map(seen_taxon::ActiveModel::from);
            seen_taxon::Entity::insert_many(rows)
                .exec_without_returning(&*tx)
                .await?;
        }
        tx.commit().await?;
        Ok(true)
    }
}
