//! The size of a session's photographs (`domain-rules.md` §4, step 7): a camera takes all of a
//! night alike, so one photograph tells for all that nobody has measured.

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::capture::Capture;
use crate::connection::{Store, StoreResult};
use crate::entity::capture;
use crate::entity::capture::Column as C;

impl Store {
    /// The sessions of a station with captures of which the size is not known.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn unmeasured_sessions(&self, station: i64) -> StoreResult<Vec<i64>> {
        Ok(capture::Entity::find()
            .select_only()
            .column(C::SessionId)
            .distinct()
            .filter(C::StationId.eq(station))
            .filter(C::SessionId.is_not_null())
            .filter(C::Width.is_null())
            .filter(C::Height.is_null())
            .order_by_asc(C::SessionId)
            .into_tuple()
            .all(&self.db)
            .await?)
    }

    /// The capture that tells the size of a session's photographs: the first one of which it is
    /// known, else the first one.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn measure_of_session(&self, session: i64) -> StoreResult<Option<Capture>> {
        let of_session = || {
            capture::Entity::find()
                .filter(C::SessionId.eq(session))
                .order_by_asc(C::TakenAt)
                .order_by_asc(C::Id)
        };
        let known = of_session()
            .filter(C::Width.is_not_null())
            .filter(C::Height.is_not_null());
        match known.one(&self.db).await? {
            Some(known) => Ok(Some(known)),
            None => Ok(of_session().one(&self.db).await?),
        }
    }

    /// Writes down the size of those of a session's captures of which it is not known.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn set_session_dimensions(
        &self,
        session: i64,
        width: i32,
        height: i32,
    ) -> StoreResult<()> {
        let tx = self.write().await?;
        capture::Entity::update_many()
            .col_expr(C::Width, Expr::value(width))
            .col_expr(C::Height, Expr::value(height))
            .filter(C::SessionId.eq(session))
            .filter(C::Width.is_null())
            .filter(C::Height.is_null())
            .exec(&*tx)
            .await?;
        tx.commit().await
    }
}
