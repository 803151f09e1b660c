//! One capture of some projects, whichever: what a pipeline is tried on.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::Capture;
use crate::connection::{Store, StoreResult};
use crate::entity::capture;

impl Store {
    /// A capture of one of these projects, another one each time: the first behind a number
    /// drawn from their range, so that no list of captures is walked.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn any_capture(&self, projects: &[i64]) -> StoreResult<Option<Capture>> {
        use capture::Column as C;
        let all = capture::Entity::find().filter(C::ProjectId.is_in(projects.iter().copied()));
        let first = all.clone().order_by_asc(C::Id).one(&self.db).await?;
        let last = all.clone().order_by_desc(C::Id).one(&self.db).await?;
        let (Some(first), Some(last)) = (first, last) else {
            return Ok(None);
        };
        let drawn = rand::random_range(first.id..=last.id);
        let behind = all.filter(C::Id.gte(drawn)).order_by_asc(C::Id);
        Ok(behind.one(&self.db).await?)
    }
}
