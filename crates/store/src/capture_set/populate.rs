//! Filling a capture set by its method. Captures pass a `domain::sampling::Sampler` page by page,
//! in the order it wants, and only what it chose is written: one transaction puts the new members
//! in the place of the old ones.

use std::collections::BTreeSet;

use domain::sampling::{Candidate, Method, Order, Plan, Sampler};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect, Select, prelude::DateTime,
};

use super::{CaptureSet, members};
use crate::connection::{Store, StoreError, StoreResult, again};
use crate::entity::{capture, capture_set, capture_set_member, station};

/// Captures that are read at once.
const PAGE: u64 = 10_000;
/// Members that are written at once.
const CHUNK: usize = 1_000;

/// A capture as the sampler sees it.
#[derive(Debug, FromQueryResult)]
struct Row {
    id: i64,
    station_id: Option<i64>,
    session_id: Option<i64>,
    taken_at: Option<DateTime>,
    size: Option<i64>,
    boxes_count: i64,
}

impl Row {
    fn candidate(&self) -> Candidate {
        Candidate {
            id: self.id,
            station: self.station_id,
            session: self.session_id,
            taken_at: self.taken_at,
            size: self.size,
            found: self.boxes_count > 0,
        }
    }
}

impl Store {
    /// What a plan chooses of a set's project; `seen` hears after each page how many captures have
    /// passed.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn sample(
        &self,
        set: &CaptureSet,
        mut plan: Plan,
        seen: impl Fn(u64) + Send,
    ) -> StoreResult<Vec<i64>> {
        self.resolve(set, &mut plan).await?;
        let order = plan.order();
        let named = match &plan.method {
            Method::Manual(ids) => Some(ids.clone()),
            _ => None,
        };
        let mut sampler = Sampler::new(plan);
        let mut passed = 0;
        if let Some(named) = named {
            let named: Vec<i64> = named.into_iter().collect();
            for chunk in named.chunks(CHUNK) {
                let rows = self.named(set, chunk).await?;
                rows.iter().for_each(|row| sampler.see(&row.candidate()));
                passed += rows.len() as u64;
                seen(passed);
            }
            return Ok(sampler.chosen());
        }
        let stations = match order {
            Order::StationTime => {
                let stations = self.stations_of(set.project_id).await?;
                stations.into_iter().map(Some).collect()
            }
            Order::Any | Order::Time => vec![None],
        };
        for station in stations {
            let mut last: Option<Row> = None;
            loop {
                let rows = self.candidates(set, order, station, last.as_ref()).await?;
                rows.iter().for_each(|row| sampler.see(&row.candidate()));
                passed += rows.len() as u64;
                seen(passed);
                match rows.into_iter().next_back() {
                    Some(row) => last = Some(row),
                    None => break,
                }
            }
        }
        Ok(sampler.chosen())
    }

    /// How many captures the stations of a project have.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn project_captures(&self, project: i64) -> StoreResult<u64> {
        let total: Option<i64> = station::Entity::find()
            .select_only()
            .column_as(
                station::Column::CapturesCount.sum().cast_as("bigint"),
                "total",
            )
            .filter(station::Column::ProjectId.eq(project))
            .into_tuple()
            .one(&self.db)
            .await?
            .flatten();
        Ok(total
            .and_then(|total| u64::try_from(total).ok())
            .unwrap_or(0))
    }

    /// Turns what only the database knows into captures and stations: the starred ones, and the
    /// stations of sites.
    async fn resolve(&self, set: &CaptureSet, plan: &mut Plan) -> StoreResult<()> {
        if let Some(sites) = plan.filter.sites.clone() {
            let stations: Vec<i64> = station::Entity::find()
                .select_only()
                .column(station::Column::Id)
                .filter(station::Column::ProjectId.eq(set.project_id))
                .filter(station::Column::SiteId.is_in(sites))
                .into_tuple()
                .all(&self.db)
                .await?;
            plan.filter.at_sites(stations.into_iter().collect());
        }
        if plan.method == Method::Starred {
            plan.method = Method::Manual(self.starred(set.project_id).await?);
        }
        Ok(())
    }

    /// The captures that people starred: those of the project's oldest set of that method.
    async fn starred(&self, project: i64) -> StoreResult<BTreeSet<i64>> {
        let oldest = capture_set::Entity::find()
            .filter(capture_set::Column::ProjectId.eq(project))
            .filter(capture_set::Column::Method.eq(members::STARRED))
            .order_by_asc(capture_set::Column::Id)
            .one(&self.db)
            .await?;
        match oldest {
            Some(oldest) => Ok(self.member_ids(oldest.id).await?.into_iter().collect()),
            None => Ok(BTreeSet::new()),
        }
    }

    async fn member_ids(&self, set: i64) -> StoreResult<Vec<i64>> {
        Ok(of_set(set).into_tuple().all(&self.db).await?)
    }

    async fn stations_of(&self, project: i64) -> StoreResult<Vec<i64>> {
        Ok(station::Entity::find()
            .select_only()
            .column(station::Column::Id)
            .filter(station::Column::ProjectId.eq(project))
            .order_by_asc(station::Column::Id)
            .into_tuple()
            .all(&self.db)
            .await?)
    }

    /// Those of the project's captures that are named.
    async fn named(&self, set: &CaptureSet, ids: &[i64]) -> StoreResult<Vec<Row>> {
        let id = capture::Column::Id;
        let named = of_project(set).filter(id.is_in(ids.iter().copied()));
        Ok(named.order_by_asc(id).into_model().all(&self.db).await?)
    }

    /// The page of captures after `last`.
    async fn candidates(
        &self,
        set: &CaptureSet,
        order: Order,
        station: Option<i64>,
        last: Option<&Row>,
    ) -> StoreResult<Vec<Row>> {
        use capture::Column as C;
        let mut page = of_project(set).limit(PAGE);
        if let Some(station) = station {
            page = page.filter(C::StationId.eq(station));
        }
        if order != Order::Any {
            page = page
                .filter(C::TakenAt.is_not_null())
                .order_by_asc(C::TakenAt);
        }
        if let Some(last) = last {
            let after = match order {
                Order::Any => C::Id.gt(last.id),
                Order::Time | Order::StationTime => {
                    Expr::tuple([Expr::col(C::TakenAt), Expr::col(C::Id)]).gt(Expr::tuple([
                        Expr::value(last.taken_at),
                        Expr::value(last.id),
                    ]))
                }
            };
            page = page.filter(after);
        }
        Ok(page.order_by_asc(C::Id).into_model().all(&self.db).await?)
    }

    /// Makes a set hold these captures and no others; returns how many it holds. Captures that
    /// were deleted meanwhile are left out.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn replace_members(&self, id: i64, chosen: &[i64]) -> StoreResult<u64> {
        again(|| self.replace_once(id, chosen)).await
    }

    async fn replace_once(&self, id: i64, chosen: &[i64]) -> StoreResult<u64> {
        use capture_set_member::Column as M;
        let tx = self.write().await?;
        members::lock(&tx, id)
            .await?
            .ok_or(StoreError::NotFound("capture set"))?;
        let before: BTreeSet<i64> = of_set(id)
            .into_tuple()
            .all(&*tx)
            .await?
            .into_iter()
            .collect();
        let after: BTreeSet<i64> = chosen.iter().copied().collect();
        let gone: Vec<i64> = before.difference(&after).copied().collect();
        let new: Vec<i64> = after.difference(&before).copied().collect();
        for chunk in gone.chunks(CHUNK) {
            capture_set_member::Entity::delete_many()
                .filter(M::CaptureSetId.eq(id))
                .filter(M::CaptureId.is_in(chunk.iter().copied()))
                .exec(&*tx)
                .await?;
        }
        for chunk in new.chunks(CHUNK) {
            // In the order in which everybody locks captures: a member holds on to its own.
            let there: Vec<i64> = capture::Entity::find()
                .select_only()
                .column(capture::Column::Id)
                .filter(capture::Column::Id.is_in(chunk.iter().copied()))
                .order_by_asc(capture::Column::Id)
                .into_tuple()
                .all(&*tx)
                .await?;
            if there.is_empty() {
                continue;
            }
            let rows = there
                .into_iter()
                .map(|capture| capture_set_member::ActiveModel {
                    capture_set_id: Set(id),
                    capture_id: Set(capture),
                });
            capture_set_member::Entity::insert_many(rows)
                .on_conflict(
                    OnConflict::columns([M::CaptureSetId, M::CaptureId])
                        .do_nothing()
                        .to_owned(),
                )
                .exec_without_returning(&*tx)
                .await?;
        }
        let count = members::recount(&tx, id).await?;
        tx.commit().await?;
        Ok(count)
    }
}

/// What a sampler asks of the captures of a set's project.
fn of_project(set: &CaptureSet) -> Select<capture::Entity> {
    use capture::Column as C;
    let columns = [
        C::Id,
        C::StationId,
        C::SessionId,
        C::TakenAt,
        C::Size,
        C::BoxesCount,
    ];
    capture::Entity::find()
        .select_only()
        .columns(columns)
        .filter(C::ProjectId.eq(set.project_id))
}

/// The captures of a set.
fn of_set(set: i64) -> Select<capture_set_member::Entity> {
    capture_set_member::Entity::find()
        .select_only()
        .column(capture_set_member::Column::CaptureId)
        .filter(capture_set_member::Column::CaptureSetId.eq(set))
}
