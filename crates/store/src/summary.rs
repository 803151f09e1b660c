//! The numbers beside the navigation of a project, asked for every few seconds by every open
//! page (`domain-rules.md` §13). The idea: sums over stations and probes of an index, no scan.

use sea_orm::sea_query::{Expr, ExprTrait, Func};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect};

use crate::connection::{Store, StoreResult};
use crate::defaults::Defaults;
use crate::entity::{capture, project, session, station};
use crate::occurrence::list::OccurrenceFilter;
use crate::project::Project;

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Projects that the caller may see.
    pub projects: i64,
    /// Stations of the project.
    pub stations: i64,
    /// Its sessions.
    pub sessions: i64,
    /// Its captures.
    pub captures: i64,
    /// Its occurrences that pass the default filters.
    pub occurrences: i64,
    /// What they were determined as.
    pub taxa: i64,
}

impl Store {
    /// Counts what a project holds, for somebody who may see these projects (`None`: all).
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn summary(
        &self,
        project: &Project,
        visible: Option<&[i64]>,
    ) -> StoreResult<Summary> {
        let stations: Option<(i64, Option<i64>)> = station::Entity::find()
            .select_only()
            .column_as(station::Column::Id.count(), "stations")
            .column_as(
                Func::sum(Expr::col(station::Column::CapturesCount)).cast_as("BIGINT"),
                "captures",
            )
            .filter(station::Column::ProjectId.eq(project.id))
            .into_tuple()
            .one(&self.db)
            .await?;
        let (stations, captures) = stations.unwrap_or_default();
        let sessions = session::Entity::find()
            .filter(session::Column::ProjectId.eq(project.id))
            .filter(session::Column::StationId.is_not_null())
            .count(&self.db)
            .await?;
        let filter = OccurrenceFilter {
            project_id: Some(project.id),
            defaults: Defaults::of(project),
            ..Default::default()
        };
        let occurrences = self.count_occurrences(&filter).await?;
        let taxa = self.count_taxa_seen(&filter, occurrences).await?;
        let projects = match visible {
            Some(ids) => ids.len() as u64,
            None => {
                let all = project::Entity::find().filter(project::Column::Active.eq(true));
                all.count(&self.db).await?
            }
        };
        let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        Ok(Summary {
            projects: number(projects),
            stations,
            sessions: number(sessions),
            captures: captures.unwrap_or(0),
            occurrences: number(occurrences),
            taxa: number(taxa),
        })
    }

    /// The newest captures of these projects (`None`: of all).
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn newest_captures(
        &self,
        visible: Option<&[i64]>,
        most: u64,
    ) -> StoreResult<Vec<capture::Model>> {
        use sea_orm::QueryOrder;
        let mut select = capture::Entity::find();
        if let Some(ids) = visible {
            select = select.filter(capture::Column::ProjectId.is_in(ids.iter().copied()));
        }
        Ok(select
            .order_by_desc(capture::Column::Id)
            .limit(most)
            .all(&self.db)
            .await?)
    }
}
