//! Counting a project again after its default filters changed (`domain-rules.md` §11): captures
//! page by page, then its sessions and stations. The idea: how far it is stands in the project's
//! row, so a crash costs one page; a further change of the filters begins it anew.

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::capture::lock::lock_captures;
use crate::connection::{Store, StoreResult};
use crate::counters::{refresh_captures, refresh_occurrences_on};
use crate::entity::{capture, project, session, station};

/// Captures of one step.
const PAGE: u64 = 1000;

/// Where a recount begins: before all captures.
pub(crate) const START: i64 = 0;

impl Store {
    /// Goes one step further with a recount that is due; false where none is.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn recount_step(&self) -> StoreResult<bool> {
        use project::Column as P;
        let due: Option<(i64, i64)> = project::Entity::find()
            .select_only()
            .columns([P::Id, P::RecountAfter])
            .filter(P::RecountAfter.is_not_null())
            .order_by_asc(P::Id)
            .limit(1)
            .into_tuple()
            .one(&self.db)
            .await?;
        let Some((project, after)) = due else {
            return Ok(false);
        };
        let page: Vec<i64> = capture::Entity::find()
            .select_only()
            .column(capture::Column::Id)
            .filter(capture::Column::ProjectId.eq(project))
            .filter(capture::Column::Id.gt(after))
            .order_by_asc(capture::Column::Id)
            .limit(PAGE)
            .into_tuple()
            .all(&self.db)
            .await?;
        let next = match page.last() {
            Some(last) => Some(*last),
            None => {
                self.recount_sums(project).await?;
                None
            }
        };
        let tx = self.write().await?;
        lock_captures(&tx, &page).await?;
        refresh_captures(&tx, &page).await?;
        refresh_occurrences_on(&tx, &page).await?;
        // Where the filters have changed meanwhile, the row says START again and stays so.
        project::Entity::update_many()
            .col_expr(P::RecountAfter, Expr::value(next))
            .filter(P::Id.eq(project))
            .filter(P::RecountAfter.eq(after))
            .exec(&*tx)
            .await?;
        tx.commit().await?;
        Ok(true)
    }

    /// What is summed up from captures: sessions, then stations.
    pub(crate) async fn recount_sums(&self, project: i64) -> StoreResult<()> {
        let sessions: Vec<i64> = session::Entity::find()
            .select_only()
            .column(session::Column::Id)
            .filter(session::Column::ProjectId.eq(project))
            .into_tuple()
            .all(&self.db)
            .await?;
        for session in sessions {
            self.refresh_session(session).await?;
        }
        let stations: Vec<i64> = station::Entity::find()
            .select_only()
            .column(station::Column::Id)
            .filter(station::Column::ProjectId.eq(project))
            .into_tuple()
            .all(&self.db)
            .await?;
        for station in stations {
            self.refresh_station(station).await?;
        }
        Ok(())
    }
}
