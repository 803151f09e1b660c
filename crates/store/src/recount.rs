//! Counting again, page by page: a project after its default filters changed (captures, then its
//! sessions, then its stations, `domain-rules.md` §11), and the sessions and stations of an ended job
//! that others had left (§13). The idea: how far it is stands in a row, so a crash costs one page; a
//! further change of the filters begins it anew.

use sea_orm::sea_query::{Expr, ExprTrait, LockType, OnConflict, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};

use crate::capture::lock::lock_captures;
use crate::connection::{Store, StoreResult, Write};
use crate::counters::{refresh_captures, refresh_occurrences_on};
use crate::entity::{capture, job, job_recount, project, session, station, task_result};
use crate::job::{Job, feed::PROCESS};

/// Captures of one page.
const PAGE: u64 = 1000;
/// Sessions of one page.
const SESSIONS: u64 = 50;
/// Stations of one page: each may have very many captures.
const STATIONS: u64 = 5;

/// Where a recount begins: before all captures.
pub(crate) const START: i64 = 0;

/// How far a recount is: behind the one with this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Captures(i64),
    Sessions(i64),
    Stations(i64),
}

impl Place {
    /// From one column: captures are not negative, of the others each has every second number below.
    fn read(position: i64) -> Place {
        if position >= 0 {
            return Place::Captures(position);
        }
        let below = -(position + 1);
        match below % 2 {
            0 => Place::Sessions(below / 2),
            _ => Place::Stations(below / 2),
        }
    }

    fn position(self) -> i64 {
        match self {
            Place::Captures(id) => id,
            Place::Sessions(id) => -(2 * id) - 1,
            Place::Stations(id) => -(2 * id) - 2,
        }
    }
}

/// Behind the last of a page; where it is not full, what comes `then`.
fn behind(page: &[i64], full: u64, place: fn(i64) -> Place, then: Option<Place>) -> Option<Place> {
    match page.last() {
        Some(last) if page.len() as u64 >= full => Some(place(*last)),
        _ => then,
    }
}

/// What is counted again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// All of a project.
    Project,
    /// The sessions and stations of a job's captures.
    Job,
}

impl Subject {
    /// Both.
    pub const ALL: [Subject; 2] = [Subject::Project, Subject::Job];
}

/// A recount that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recount {
    /// What is counted.
    pub subject: Subject,
    /// Which of them.
    pub id: i64,
    position: i64,
}

/// Notes, in the transaction that ends a job, that what hangs on it is to be counted again.
pub(crate) async fn mark(tx: &Write, job: i64) -> StoreResult<()> {
    use job_recount::Column as C;
    let row = job_recount::ActiveModel {
        job_id: Set(job),
        position: Set(START),
    };
    let anew = OnConflict::column(C::JobId)
        .update_column(C::Position)
        .to_owned();
    job_recount::Entity::insert(row)
        .on_conflict(anew)
        .exec_without_returning(&**tx)
        .await?;
    Ok(())
}

impl Store {
    /// The first recount that is due behind the project or job with this id, if there is one.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn next_recount(&self, subject: Subject, after: i64) -> StoreResult<Option<Recount>> {
        use job_recount::Column as J;
        use project::Column as P;
        let due: Option<(i64, i64)> = match subject {
            Subject::Project => {
                project::Entity::find()
                    .select_only()
                    .columns([P::Id, P::RecountAfter])
                    .filter(P::RecountAfter.is_not_null())
                    .filter(P::Id.gt(after))
                    .order_by_asc(P::Id)
                    .limit(1)
                    .into_tuple()
                    .one(&self.db)
                    .await?
            }
            Subject::Job => {
                job_recount::Entity::find()
                    .select_only()
                    .columns([J::JobId, J::Position])
                    .filter(J::JobId.gt(after))
                    .order_by_asc(J::JobId)
                    .limit(1)
                    .into_tuple()
                    .one(&self.db)
                    .await?
            }
        };
        Ok(due.map(|(id, position)| Recount {
            subject,
            id,
            position,
        }))
    }

    /// Counts the next page of a recount. Where somebody else has done so meanwhile, or it has begun
    /// anew, it stays where it is.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn recount_page(&self, recount: Recount) -> StoreResult<()> {
        let place = Place::read(recount.position);
        let next = match (recount.subject, place) {
            (Subject::Project, Place::Captures(after)) => {
                return self.recount_captures_of(recount, after).await;
            }
            (Subject::Project, Place::Sessions(after)) => {
                use session::Column as S;
                let own = session::Entity::find().filter(S::ProjectId.eq(recount.id));
                let page = self.page_of(own, S::Id, after, SESSIONS).await?;
                self.refresh_sessions(&page).await?;
                behind(&page, SESSIONS, Place::Sessions, Some(Place::Stations(0)))
            }
            (Subject::Project, Place::Stations(after)) => {
                use station::Column as S;
                let own = station::Entity::find().filter(S::ProjectId.eq(recount.id));
                let page = self.page_of(own, S::Id, after, STATIONS).await?;
                self.refresh_stations(&page).await?;
                behind(&page, STATIONS, Place::Stations, None)
            }
            (Subject::Job, place) => {
                let row = job::Entity::find_by_id(recount.id).one(&self.db).await?;
                let Some(row) = row else {
                    return Ok(()); // deleted, and this with it
                };
                self.recount_job(&row, place).await?
            }
        };
        let tx = self.write().await?;
        move_on(&tx, recount, next).await?;
        tx.commit().await
    }

    /// The captures and the place behind them are one transaction.
    async fn recount_captures_of(&self, recount: Recount, after: i64) -> StoreResult<()> {
        use capture::Column as C;
        let own = capture::Entity::find().filter(C::ProjectId.eq(recount.id));
        let page = self.page_of(own, C::Id, after, PAGE).await?;
        let next = behind(&page, PAGE, Place::Captures, Some(Place::Sessions(0)));
        let tx = self.write().await?;
        // Filters that change meanwhile begin anew behind this; and as who deletes a project does.
        let row = project::Entity::find_by_id(recount.id).lock(LockType::NoKeyUpdate);
        let place = row.one(&*tx).await?.and_then(|row| row.recount_after);
        if place != Some(recount.position) {
            return Ok(());
        }
        lock_captures(&tx, &page).await?;
        refresh_captures(&tx, &page).await?;
        refresh_occurrences_on(&tx, &page).await?;
        move_on(&tx, recount, next).await?;
        tx.commit().await
    }

    /// A page of a job's captures: their sessions. After those, its stations.
    async fn recount_job(&self, job: &Job, place: Place) -> StoreResult<Option<Place>> {
        use capture::Column as C;
        use task_result::Column as R;
        let after = match place {
            Place::Captures(after) => after,
            Place::Sessions(_) => return Ok(Some(Place::Stations(0))),
            Place::Stations(after) => return self.recount_stations_of(job, after).await,
        };
        let worked = task_result::Entity::find()
            .filter(R::JobId.eq(job.id))
            .filter(R::RunNo.eq(job.run_no))
            .filter(R::Stage.eq(PROCESS));
        let page = self.page_of(worked, R::CaptureId, after, PAGE).await?;
        let sessions: Vec<i64> = capture::Entity::find()
            .select_only()
            .column(C::SessionId)
            .distinct()
            .filter(C::Id.is_in(page.iter().copied()))
            .filter(C::SessionId.is_not_null())
            .into_tuple()
            .all(&self.db)
            .await?;
        self.refresh_sessions(&sessions).await?;
        let then = Some(Place::Stations(0));
        Ok(behind(&page, PAGE, Place::Captures, then))
    }

    async fn recount_stations_of(&self, job: &Job, after: i64) -> StoreResult<Option<Place>> {
        use capture::Column as C;
        let worked = Query::select()
            .column(task_result::Column::CaptureId)
            .from(task_result::Entity)
            .and_where(Expr::col(task_result::Column::JobId).eq(job.id))
            .and_where(Expr::col(task_result::Column::RunNo).eq(job.run_no))
            .to_owned();
        let page: Vec<i64> = capture::Entity::find()
            .select_only()
            .column(C::StationId)
            .distinct()
            .filter(C::Id.in_subquery(worked))
            .filter(C::StationId.gt(after))
            .order_by_asc(C::StationId)
            .limit(STATIONS)
            .into_tuple()
            .all(&self.db)
            .await?;
        self.refresh_stations(&page).await?;
        Ok(behind(&page, STATIONS, Place::Stations, None))
    }

    async fn page_of<E: EntityTrait>(
        &self,
        list: Select<E>,
        id: E::Column,
        after: i64,
        most: u64,
    ) -> StoreResult<Vec<i64>> {
        let page = list.select_only().column(id).filter(id.gt(after));
        let page = page.order_by_asc(id).limit(most);
        Ok(page.into_tuple().all(&self.db).await?)
    }

    async fn refresh_sessions(&self, sessions: &[i64]) -> StoreResult<()> {
        for session in sessions {
            self.refresh_session(*session).await?;
        }
        Ok(())
    }

    async fn refresh_stations(&self, stations: &[i64]) -> StoreResult<()> {
        for station in stations {
            self.refresh_station(*station).await?;
        }
        Ok(())
    }
}

/// Writes down how far a recount is, unless it is elsewhere by now; none where it is done.
async fn move_on(tx: &Write, recount: Recount, next: Option<Place>) -> StoreResult<()> {
    let to = next.map(Place::position);
    match (recount.subject, to) {
        (Subject::Project, to) => {
            use project::Column as P;
            // Where the filters have changed meanwhile, the row says START again and stays so.
            project::Entity::update_many()
                .col_expr(P::RecountAfter, Expr::value(to))
                .filter(P::Id.eq(recount.id))
                .filter(P::RecountAfter.eq(recount.position))
                .exec(&**tx)
                .await?;
        }
        (Subject::Job, Some(to)) => {
            use job_recount::Column as J;
            job_recount::Entity::update_many()
                .col_expr(J::Position, Expr::value(to))
                .filter(J::JobId.eq(recount.id))
                .filter(J::Position.eq(recount.position))
                .exec(&**tx)
                .await?;
        }
        (Subject::Job, None) => {
            use job_recount::Column as J;
            job_recount::Entity::delete_many()
                .filter(J::JobId.eq(recount.id))
                .filter(J::Position.eq(recount.position))
                .exec(&**tx)
                .await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Place, START};

    #[test]
    fn a_place_is_kept_in_one_number() {
        assert_eq!(Place::read(START), Place::Captures(0));
        let kinds: [fn(i64) -> Place; 3] = [Place::Captures, Place::Sessions, Place::Stations];
        let mut seen = std::collections::HashSet::new();
        for place in kinds {
            for id in [0, 1, 2, 7, 1_000_000_007] {
                assert_eq!(Place::read(place(id).position()), place(id));
                assert!(seen.insert(place(id).position()));
            }
        }
    }
}
