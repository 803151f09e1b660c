//! People as those see them who run the server: found by a word, made superusers, locked out. The
//! idea: nobody can take away the last superuser who may sign in, for then nobody could give the
//! rights back.

use sea_orm::sea_query::ExprTrait;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::User;
use crate::connection::{Store, StoreError, StoreResult};
use crate::entity::{login, user};
use crate::job::list::holds;

/// What is changed of a person's rights; `None` leaves it as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// May sign in and use tokens.
    pub active: Option<bool>,
    /// May see and do everything.
    pub superuser: Option<bool>,
    /// May change what belongs to no project.
    pub staff: Option<bool>,
}

impl Store {
    /// The superuser who was made first, of those who may sign in.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn first_superuser(&self) -> StoreResult<Option<User>> {
        let first = user::Entity::find()
            .filter(user::Column::IsSuperuser.eq(true))
            .filter(user::Column::IsActive.eq(true))
            .order_by_asc(user::Column::Id)
            .one(&self.db)
            .await?;
        Ok(first)
    }

    /// A page of people in whose name or address all of these words stand, newest first, and how
    /// many there are.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn find_users(
        &self,
        words: &[String],
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<User>, u64)> {
        let mut all = Condition::all();
        for word in words {
            let name = holds((user::Entity, user::Column::Name), word);
            let email = holds((user::Entity, user::Column::Email), word);
            all = all.add(name.or(email));
        }
        let select = user::Entity::find().filter(all);
        let count = select.clone().count(&self.db).await?;
        let rows = select
            .order_by_desc(user::Column::Id)
            .limit(limit)
            .offset(offset)
            .all(&self.db)
            .await?;
        Ok((rows, count))
    }

    /// Changes a person's rights. Who is locked out is signed out of every browser; their tokens
    /// work no more.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] where no superuser would be left.
    pub async fn set_rights(&self, id: i64, rights: Rights) -> StoreResult<User> {
        let tx = self.write().await?;
        let row = user::Entity::find_by_id(id)
            .lock_exclusive()
            .one(&*tx)
            .await?;
        let row = row.ok_or(StoreError::NotFound("user"))?;
        let was = row.is_active && row.is_superuser;
        let active = rights.active.unwrap_or(row.is_active);
        let superuser = rights.superuser.unwrap_or(row.is_superuser);
        if was && !(active && superuser) {
            let others = user::Entity::find()
                .filter(user::Column::Id.ne(id))
                .filter(user::Column::IsSuperuser.eq(true))
                .filter(user::Column::IsActive.eq(true))
                .lock_exclusive()
                .all(&*tx)
                .await?;
            if others.is_empty() {
                let why = "This is the last superuser who may sign in. Make another one first.";
                return Err(StoreError::Conflict(why.to_owned()));
            }
        }
        let mut row = row.into_active_model();
        row.is_active = Set(active);
        row.is_superuser = Set(superuser);
        if let Some(staff) = rights.staff {
            row.is_staff = Set(staff);
        }
        let row = row.update(&*tx).await?;
        if !active {
            login::Entity::delete_many()
                .filter(login::Column::UserId.eq(id))
                .exec(&*tx)
                .await?;
        }
        tx.commit().await?;
        Ok(row)
    }
}
