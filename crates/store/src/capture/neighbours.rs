//! A capture's place among those of its session, and of its station where it is in no session: what
//! the pages step through.

use chrono::NaiveDateTime;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{
    ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};

use super::Capture;
use crate::connection::{Store, StoreResult};
use crate::entity::capture;

/// The captures before and after it, and where it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Neighbours {
    /// The first one that was taken later.
    pub next: Option<i64>,
    /// The last one that was taken earlier.
    pub previous: Option<i64>,
    /// How many were taken until then, with it.
    pub index: Option<u64>,
    /// How many the session has.
    pub total: Option<u64>,
}

/// Where a capture stands among those of its session, of which each has a place of its own, also
/// where several were taken in one second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beside {
    /// The one before it.
    pub previous: Option<i64>,
    /// The one after it.
    pub next: Option<i64>,
    /// Its place, counted from 1.
    pub place: u64,
    /// How many there are.
    pub total: u64,
}

impl Store {
    /// Where a capture stands in its session; nothing where it has no session or time.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn beside(&self, of: &Capture) -> StoreResult<Option<Beside>> {
        use capture::Column as C;
        let (Some(session), Some(at)) = (of.session_id, of.taken_at) else {
            return Ok(None);
        };
        let all = capture::Entity::find()
            .filter(C::SessionId.eq(session))
            .filter(C::TakenAt.is_not_null());
        Ok(Some(Beside {
            previous: self.first_id(last_first(before(&all, at, of.id))).await?,
            next: self.first_id(first_first(after(&all, at, of.id))).await?,
            place: before(&all, at, of.id).count(&self.db).await? + 1,
            total: all.count(&self.db).await?,
        }))
    }

    /// The captures before and after one that is in no session, among all of its station: by time,
    /// and behind those with a time by number. Along an index, so nothing is counted.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn beside_at_station(&self, of: &Capture) -> StoreResult<(Option<i64>, Option<i64>)> {
        use capture::Column as C;
        let Some(station) = of.station_id else {
            return Ok((None, None));
        };
        let all = capture::Entity::find().filter(C::StationId.eq(station));
        let timed = all.clone().filter(C::TakenAt.is_not_null());
        let timeless = all.filter(C::TakenAt.is_null());
        let (previous, next) = match of.taken_at {
            Some(at) => {
                let next = first_first(after(&timed, at, of.id));
                let next = match self.first_id(next).await? {
                    Some(next) => Some(next),
                    None => self.first_id(timeless.order_by_asc(C::Id)).await?,
                };
                let previous = last_first(before(&timed, at, of.id));
                (self.first_id(previous).await?, next)
            }
            None => {
                let previous = timeless.clone().filter(C::Id.lt(of.id));
                let previous = match self.first_id(previous.order_by_desc(C::Id)).await? {
                    Some(previous) => Some(previous),
                    None => self.first_id(last_first(timed)).await?,
                };
                let next = timeless.filter(C::Id.gt(of.id)).order_by_asc(C::Id);
                (previous, self.first_id(next).await?)
            }
        };
        Ok((previous, next))
    }

    /// The neighbours of a capture in its session; none where it has no session or time.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn neighbours(&self, of: &Capture) -> StoreResult<Neighbours> {
        use capture::Column as C;
        let (Some(session), Some(at)) = (of.session_id, of.taken_at) else {
            return Ok(Neighbours::default());
        };
        let all = || capture::Entity::find().filter(C::SessionId.eq(session));
        let later = all().filter(C::TakenAt.gt(at));
        let earlier = all().filter(C::TakenAt.lt(at));
        let next = later.order_by_asc(C::TakenAt).order_by_asc(C::Id);
        let previous = earlier.order_by_desc(C::TakenAt).order_by_desc(C::Id);
        let until = all().filter(C::TakenAt.lte(at));
        Ok(Neighbours {
            next: self.first_id(next).await?,
            previous: self.first_id(previous).await?,
            index: Some(until.count(&self.db).await?),
            total: Some(all().count(&self.db).await?),
        })
    }

    async fn first_id(&self, select: Select<capture::Entity>) -> StoreResult<Option<i64>> {
        let first = select.select_only().column(capture::Column::Id).limit(1);
        Ok(first.into_tuple().one(&self.db).await?)
    }
}

type Captures = Select<capture::Entity>;

/// Those that were taken before this time, or then and have a lower number. The time is said twice,
/// so that an index is entered at it.
fn before(all: &Captures, at: NaiveDateTime, id: i64) -> Captures {
    use capture::Column as C;
    let earlier = C::TakenAt.lt(at).or(C::Id.lt(id));
    all.clone().filter(C::TakenAt.lte(at)).filter(earlier)
}

/// Those that were taken after this time, or then and have a higher number.
fn after(all: &Captures, at: NaiveDateTime, id: i64) -> Captures {
    use capture::Column as C;
    let later = C::TakenAt.gt(at).or(C::Id.gt(id));
    all.clone().filter(C::TakenAt.gte(at)).filter(later)
}

fn first_first(some: Captures) -> Captures {
    use capture::Column as C;
    some.order_by_asc(C::TakenAt).order_by_asc(C::Id)
}

fn last_first(some: Captures) -> Captures {
    use capture::Column as C;
    some.order_by_desc(C::TakenAt).order_by_desc(C::Id)
}
