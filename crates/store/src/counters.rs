//! Counters that lists show, counted again where results change them (`domain-rules.md` §13).
//! The idea: a counter is always counted anew from what it counts, never added to, so it cannot
//! drift; only the rows that a batch touched are counted.

use sea_orm::sea_query::{Expr, ExprTrait, Func, FunctionCall, Query, SelectStatement};
use sea_orm::{ColumnTrait, EntityTrait, JoinType, QueryFilter, QuerySelect, RelationTrait};

use crate::capture::lock::lock_captures;
use crate::connection::{Store, StoreResult, Write, now};
use crate::defaults::Defaults;
use crate::entity::{capture, detection, occurrence, project, session, station};

/// Counts again what these captures show: when they were last processed, their boxes, and the
/// boxes and taxa whose occurrence passes their project's default filters. The caller has locked
/// them.
pub(crate) async fn refresh_captures(tx: &Write, captures: &[i64]) -> StoreResult<()> {
    use capture::Column as C;
    let id = || Expr::col((detection::Entity, detection::Column::Id));
    let newest = of_capture(Func::max(Expr::col((
        detection::Entity,
        detection::Column::CreatedAt,
    ))));
    let is_box = || Expr::col((detection::Entity, detection::Column::X1)).is_not_null();
    let boxes = of_capture(Func::count(id())).and_where(is_box()).to_owned();
    let determination = (occurrence::Entity, occurrence::Column::DeterminationId);
    let valid = |what: FunctionCall, filters: &Defaults| {
        of_capture(what)
            .inner_join(
                occurrence::Entity,
                Expr::col((occurrence::Entity, occurrence::Column::Id))
                    .equals((detection::Entity, detection::Column::OccurrenceId)),
            )
            .and_where(is_box())
            .cond_where(filters.condition())
            .to_owned()
    };
    for chunk in captures.chunks(1000) {
        let some = C::Id.is_in(chunk.iter().copied());
        for (project, filters) in filters_of(tx, some.clone()).await? {
            let found = valid(Func::count(id()), &filters);
            let taxa = valid(Func::count_distinct(Expr::col(determination)), &filters);
            let own = match project {
                Some(project) => C::ProjectId.eq(project),
                None => C::ProjectId.is_null(),
            };
            capture::Entity::update_many()
                .col_expr(C::DetectionsCount, scalar(found))
                .col_expr(C::TaxaCount, scalar(taxa))
                .col_expr(C::BoxesCount, scalar(boxes.clone()))
                .col_expr(C::LastProcessedAt, scalar(newest.clone()))
                .filter(some.clone())
                .filter(own)
                .exec(&**tx)
                .await?;
        }
    }
    Ok(())
}

/// The projects of these captures with their default filters; mostly there is one.
async fn filters_of(tx: &Write, captures: Expr) -> StoreResult<Vec<(Option<i64>, Defaults)>> {
    let projects: Vec<(Option<i64>, Option<f64>)> = capture::Entity::find()
        .join(JoinType::LeftJoin, capture::Relation::Project.def())
        .select_only()
        .column(capture::Column::ProjectId)
        .column(project::Column::ScoreThreshold)
        .distinct()
        .filter(captures)
        .into_tuple()
        .all(&**tx)
        .await?;
    let filters = |(project, threshold)| {
        let filters = Defaults {
            threshold,
            taxa_of: project,
        };
        (project, filters)
    };
    Ok(projects.into_iter().map(filters).collect())
}

/// Counts again when the occurrences on these captures were seen, and how often.
pub(crate) async fn refresh_occurrences_on(tx: &Write, captures: &[i64]) -> StoreResult<()> {
    for chunk in captures.chunks(1000) {
        let touched = Query::select()
            .column(detection::Column::OccurrenceId)
            .from(detection::Entity)
            .and_where(detection::Column::CaptureId.is_in(chunk.iter().copied()))
            .and_where(detection::Column::OccurrenceId.is_not_null())
            .to_owned();
        refresh_those(tx, occurrence::Column::Id.in_subquery(touched)).await?;
    }
    Ok(())
}

/// The same of these occurrences.
pub(crate) async fn refresh_occurrences(tx: &Write, occurrences: &[i64]) -> StoreResult<()> {
    for chunk in occurrences.chunks(1000) {
        let these = occurrence::Column::Id.is_in(chunk.iter().copied());
        refresh_those(tx, these).await?;
    }
    Ok(())
}

async fn refresh_those(tx: &Write, which: Expr) -> StoreResult<()> {
    use occurrence::Column as O;
    let of = |what: FunctionCall| {
        Query::select()
            .expr(what)
            .from(detection::Entity)
            .and_where(
                Expr::col((detection::Entity, detection::Column::OccurrenceId))
                    .equals((occurrence::Entity, O::Id)),
            )
            .and_where(detection::Column::X1.is_not_null())
            .to_owned()
    };
    let taken = || Expr::col((detection::Entity, detection::Column::TakenAt));
    let id = Expr::col((detection::Entity, detection::Column::Id));
    occurrence::Entity::update_many()
        .col_expr(O::FirstSeenAt, scalar(of(Func::min(taken()))))
        .col_expr(O::LastSeenAt, scalar(of(Func::max(taken()))))
        .col_expr(O::BoxesCount, scalar(of(Func::count(id))))
        .filter(which)
        .exec(&**tx)
        .await?;
    Ok(())
}

/// Something about the detections of a capture.
fn of_capture(what: FunctionCall) -> SelectStatement {
    Query::select()
        .expr(what)
        .from(detection::Entity)
        .and_where(
            Expr::col((detection::Entity, detection::Column::CaptureId))
                .equals((capture::Entity, capture::Column::Id)),
        )
        .to_owned()
}

fn scalar(select: SelectStatement) -> Expr {
    Expr::SubQuery(None, Box::new(select.into()))
}

/// COALESCE(SUM(column), 0) as a whole number: PostgreSQL's SUM of bigint is numeric.
fn sum_of(column: impl Into<Expr>) -> Expr {
    Func::coalesce([
        Func::sum(column.into()).cast_as("BIGINT"),
        Expr::value(0i64),
    ])
    .into()
}

impl Store {
    /// Counts again what these captures and the occurrences on them show: for whoever writes
    /// detections otherwise than by saving results.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn recount_captures(&self, captures: &[i64]) -> StoreResult<()> {
        let mut captures = captures.to_vec();
        captures.sort_unstable();
        let tx = self.write().await?;
        lock_captures(&tx, &captures).await?;
        refresh_captures(&tx, &captures).await?;
        refresh_occurrences_on(&tx, &captures).await?;
        tx.commit().await
    }

    /// Counts the sessions and stations of these captures again.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn refresh_counters(&self, captures: &[i64]) -> StoreResult<()> {
        let mut places = Vec::new();
        for chunk in captures.chunks(1000) {
            let pairs: Vec<(Option<i64>, Option<i64>)> = capture::Entity::find()
                .select_only()
                .column(capture::Column::SessionId)
                .column(capture::Column::StationId)
                .distinct()
                .filter(capture::Column::Id.is_in(chunk.iter().copied()))
                .into_tuple()
                .all(&self.db)
                .await?;
            places.extend(pairs);
        }
        self.refresh_places(&places).await
    }

    /// Counts these sessions and stations again, each once.
    pub(crate) async fn refresh_places(
        &self,
        places: &[(Option<i64>, Option<i64>)],
    ) -> StoreResult<()> {
        let mut sessions: Vec<i64> = places.iter().filter_map(|p| p.0).collect();
        let mut stations: Vec<i64> = places.iter().filter_map(|p| p.1).collect();
        sessions.sort_unstable();
        sessions.dedup();
        stations.sort_unstable();
        stations.dedup();
        for session in sessions {
            self.refresh_session(session).await?;
        }
        for station in stations {
            self.refresh_station(station).await?;
        }
        Ok(())
    }

    /// Counts one session again: start, end, captures, detections, occurrences.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn refresh_session(&self, id: i64) -> StoreResult<()> {
        use session::Column as S;
        let of = |expr: Expr| {
            Query::select()
                .expr(expr)
                .from(capture::Entity)
                .and_where(Expr::col(capture::Column::SessionId).eq(id))
                .to_owned()
        };
        let taken = || Expr::col(capture::Column::TakenAt);
        let tx = self.write().await?;
        let row = session::Entity::find_by_id(id).one(&*tx).await?;
        let project = row.and_then(|row| row.project_id);
        let valid = valid_occurrences(&tx, project, occurrence::Column::SessionId, id).await?;
        session::Entity::update_many()
            .col_expr(
                S::StartAt,
                Func::coalesce([scalar(of(Func::min(taken()).into())), Expr::col(S::StartAt)])
                    .into(),
            )
            .col_expr(S::EndAt, scalar(of(Func::max(taken()).into())))
            .col_expr(
                S::CapturesCount,
                scalar(of(Func::count(Expr::col(capture::Column::Id)).into())),
            )
            .col_expr(
                S::DetectionsCount,
                scalar(of(sum_of(Expr::col(capture::Column::DetectionsCount)))),
            )
            .col_expr(S::OccurrencesCount, scalar(valid.clone()))
            .col_expr(S::TaxaCount, scalar(taxa(valid)))
            .col_expr(S::CountedAt, Expr::value(now()))
            .filter(S::Id.eq(id))
            .exec(&*tx)
            .await?;
        tx.commit().await
    }

    /// Counts one station again from its captures and sessions.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn refresh_station(&self, id: i64) -> StoreResult<()> {
        use station::Column as S;
        let of = |expr: Expr| {
            Query::select()
                .expr(expr)
                .from(capture::Entity)
                .and_where(Expr::col(capture::Column::StationId).eq(id))
                .to_owned()
        };
        let sessions = Query::select()
            .expr(Func::count(Expr::col(session::Column::Id)))
            .from(session::Entity)
            .and_where(Expr::col(session::Column::StationId).eq(id))
            .to_owned();
        let taken = || Expr::col(capture::Column::TakenAt);
        let tx = self.write().await?;
        let row = station::Entity::find_by_id(id).one(&*tx).await?;
        let project = row.and_then(|row| row.project_id);
        let valid = valid_occurrences(&tx, project, occurrence::Column::StationId, id).await?;
        station::Entity::update_many()
            .col_expr(
                S::CapturesCount,
                scalar(of(Func::count(Expr::col(capture::Column::Id)).into())),
            )
            .col_expr(S::SessionsCount, scalar(sessions))
            .col_expr(
                S::DetectionsCount,
                scalar(of(sum_of(Expr::col(capture::Column::DetectionsCount)))),
            )
            .col_expr(S::OccurrencesCount, scalar(valid.clone()))
            .col_expr(S::TaxaCount, scalar(taxa(valid)))
            .col_expr(S::FirstCaptureAt, scalar(of(Func::min(taken()).into())))
            .col_expr(S::LastCaptureAt, scalar(of(Func::max(taken()).into())))
            .filter(S::Id.eq(id))
            .exec(&*tx)
            .await?;
        tx.commit().await
    }
}

/// Counts the taxa of occurrences instead of them.
fn taxa(mut occurrences: SelectStatement) -> SelectStatement {
    occurrences
        .clear_selects()
        .expr(Func::count_distinct(Expr::col((
            occurrence::Entity,
            occurrence::Column::DeterminationId,
        ))))
        .to_owned()
}

/// Counts the occurrences of a session or station that pass their project's default filters.
async fn valid_occurrences(
    tx: &Write,
    project: Option<i64>,
    column: occurrence::Column,
    id: i64,
) -> StoreResult<SelectStatement> {
    let project = match project {
        Some(id) => project::Entity::find_by_id(id).one(&**tx).await?,
        None => None,
    };
    let filters = project.as_ref().map(Defaults::of).unwrap_or_default();
    Ok(Query::select()
        .expr(Func::count(Expr::col((
            occurrence::Entity,
            occurrence::Column::Id,
        ))))
        .from(occurrence::Entity)
        .and_where(Expr::col((occurrence::Entity, column)).eq(id))
        .cond_where(filters.condition())
        .to_owned())
}
