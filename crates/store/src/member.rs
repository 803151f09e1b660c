//! Members of projects: who has which role (`domain-rules.md` §12, members).

use domain::permission::Role;
use domain::permission::{Create, Delete, Permit, Update};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};

use crate::connection::{Store, StoreError, StoreResult, now};
use crate::entity::{membership, user};
use crate::user::User;

pub use crate::entity::membership::Model as Membership;

impl Store {
    /// A page of a project's members with their people, the oldest first, and how many there are.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn members(
        &self,
        project: i64,
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<(Membership, User)>, u64)> {
        let select = membership::Entity::find().filter(membership::Column::ProjectId.eq(project));
        let count = select.clone().count(&self.db).await?;
        let rows = select
            .order_by_asc(membership::Column::Id)
            .limit(limit)
            .offset(offset)
            .all(&self.db)
            .await?;
        let ids: Vec<i64> = rows.iter().map(|m| m.user_id).collect();
        let people = user::Entity::find()
            .filter(user::Column::Id.is_in(ids))
            .all(&self.db)
            .await?;
        let person = |id: i64| people.iter().find(|u| u.id == id).cloned();
        let rows = rows.into_iter();
        let pairs = rows.filter_map(|m| person(m.user_id).map(|user| (m, user)));
        Ok((pairs.collect(), count))
    }

    /// One membership of a project, with its person.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn member(&self, project: i64, id: i64) -> StoreResult<(Membership, User)> {
        let row = membership::Entity::find_by_id(id)
            .filter(membership::Column::ProjectId.eq(project))
            .one(&self.db)
            .await?
            .ok_or(StoreError::NotFound("member"))?;
        let user = self.user(row.user_id).await?;
        Ok((row, user))
    }

    /// Makes a person a member.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the person is one already.
    pub async fn add_member(
        &self,
        _permit: Permit<Create>,
        project: i64,
        user: i64,
        role: Role,
    ) -> StoreResult<Membership> {
        let tx = self.write().await?;
        let at = now();
        let row = membership::ActiveModel {
            project_id: Set(project),
            user_id: Set(user),
            role: Set(role.key().to_owned()),
            created_at: Set(at),
            updated_at: Set(at),
            ..Default::default()
        };
        let row = match row.insert(&*tx).await {
            Ok(row) => row,
            Err(error) => {
                return Err(match error.sql_err() {
                    Some(sea_orm::SqlErr::UniqueConstraintViolation(_)) => {
                        StoreError::Conflict("User is already a member of this project.".to_owned())
                    }
                    _ => error.into(),
                });
            }
        };
        tx.commit().await?;
        Ok(row)
    }

    /// Gives a member another role.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn change_member(
        &self,
        _permit: Permit<Update>,
        id: i64,
        role: Role,
    ) -> StoreResult<Membership> {
        let tx = self.write().await?;
        let row = membership::Entity::find_by_id(id).one(&*tx).await?;
        let mut row = row
            .ok_or(StoreError::NotFound("member"))?
            .into_active_model();
        row.role = Set(role.key().to_owned());
        row.updated_at = Set(now());
        let row = row.update(&*tx).await?;
        tx.commit().await?;
        Ok(row)
    }

    /// Ends a membership.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn delete_member(&self, _permit: Permit<Delete>, id: i64) -> StoreResult<()> {
        let tx = self.write().await?;
        membership::Entity::delete_by_id(id).exec(&*tx).await?;
        tx.commit().await
    }
}
