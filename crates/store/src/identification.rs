//! Identifications: what people say occurrences are (`domain-rules.md` §9). The idea: of one
//! person's on an occurrence one stands, and the occurrence's determination is worked out again
//! in the same transaction, so that nobody ever sees the one without the other.

use std::collections::HashMap;

use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect,
};

use crate::connection::{Store, StoreError, StoreResult, Write, now};
use crate::entity::{classification, detection, identification, occurrence, user};
use crate::occurrence::determination::{lock, recompute};
use crate::order::{Orders, ordered};
use crate::user::User;

pub use crate::entity::identification::Model as Identification;

/// What a person says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewIdentification {
    /// Of which occurrence.
    pub occurrence_id: i64,
    /// What it is.
    pub taxon_id: i64,
    /// Why, or what else.
    pub comment: String,
    /// The identification that was agreed with.
    pub agreed_with_identification_id: Option<i64>,
    /// The classification that was agreed with.
    pub agreed_with_prediction_id: Option<i64>,
}

/// What is changed of an identification; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct IdentificationChange {
    /// What it is.
    pub taxon_id: Option<i64>,
    /// Why, or what else.
    pub comment: Option<String>,
    /// Taken back.
    pub withdrawn: Option<bool>,
    /// The identification that was agreed with.
    pub agreed_with_identification_id: Option<Option<i64>>,
    /// The classification that was agreed with.
    pub agreed_with_prediction_id: Option<Option<i64>>,
}

/// Which identifications a list shows.
#[derive(Clone, Debug, Default)]
pub struct IdentificationFilter {
    /// Only of occurrences of this project.
    pub project_id: Option<i64>,
    /// Only of occurrences of these projects; `None` means all.
    pub visible: Option<Vec<i64>>,
    /// Only of this occurrence.
    pub occurrence_id: Option<i64>,
    /// Only by this person.
    pub user_id: Option<i64>,
    /// Only as this taxon.
    pub taxon_id: Option<i64>,
    /// In this order.
    pub order: Orders,
}

impl IdentificationFilter {
    fn condition(&self) -> Condition {
        use identification::Column as C;
        // Looked up for each identification, on both databases: people make few of them, and a
        // project has many occurrences.
        let project = || {
            let of = Query::select()
                .column((occurrence::Entity, occurrence::Column::ProjectId))
                .from(occurrence::Entity)
                .and_where(
                    Expr::col((occurrence::Entity, occurrence::Column::Id))
                        .equals((identification::Entity, C::OccurrenceId)),
                )
                .to_owned();
            Expr::SubQuery(None, Box::new(of.into()))
        };
        let visible = self.visible.as_ref();
        Condition::all()
            .add_option(self.project_id.map(|id| project().eq(id)))
            .add_option(visible.map(|ids| project().is_in(ids.iter().copied())))
            .add_option(self.occurrence_id.map(|id| C::OccurrenceId.eq(id)))
            .add_option(self.user_id.map(|id| C::UserId.eq(id)))
            .add_option(self.taxon_id.map(|id| C::TaxonId.eq(id)))
    }
}

impl Store {
    /// One page of identifications, and how many there are in all.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn identifications(
        &self,
        filter: &IdentificationFilter,
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<Identification>, u64)> {
        use identification::Column as C;
        let select = identification::Entity::find().filter(filter.condition());
        let count = self.count_rows(select.clone()).await?;
        let column = |name: &str| match name {
            "id" => Some(C::Id),
            "created_at" => Some(C::CreatedAt),
            "updated_at" => Some(C::UpdatedAt),
            "user" => Some(C::UserId),
            _ => None,
        };
        let rows = ordered(select, &filter.order, column, C::Id);
        let rows = rows.limit(limit).offset(offset).all(&self.db).await?;
        Ok((rows, count))
    }

    /// The identification with this id.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn identification(&self, id: i64) -> StoreResult<Identification> {
        let row = identification::Entity::find_by_id(id).one(&self.db).await?;
        row.ok_or(StoreError::NotFound("identification"))
    }

    /// What people said of these occurrences, the newest first.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn identifications_of(
        &self,
        occurrences: &[i64],
    ) -> StoreResult<HashMap<i64, Vec<Identification>>> {
        use identification::Column as C;
        let rows = identification::Entity::find()
            .filter(C::OccurrenceId.is_in(occurrences.iter().copied()))
            .order_by_desc(C::CreatedAt)
            .order_by_desc(C::Id)
            .all(&self.db)
            .await?;
        let mut of: HashMap<i64, Vec<Identification>> = HashMap::new();
        for row in rows {
            of.entry(row.occurrence_id).or_default().push(row);
        }
        Ok(of)
    }

    /// Of these identifications and classifications, those that are about the given occurrences:
    /// number and occurrence.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn agreeable(
        &self,
        identifications: &[i64],
        classifications: &[i64],
    ) -> StoreResult<(HashMap<i64, i64>, HashMap<i64, i64>)> {
        let said: Vec<(i64, i64)> = identification::Entity::find()
            .select_only()
            .column(identification::Column::Id)
            .column(identification::Column::OccurrenceId)
            .filter(identification::Column::Id.is_in(identifications.iter().copied()))
            .into_tuple()
            .all(&self.db)
            .await?;
        let found: Vec<(i64, Option<i64>)> = classification::Entity::find()
            .select_only()
            .column(classification::Column::Id)
            .column(detection::Column::OccurrenceId)
            .join(
                sea_orm::JoinType::InnerJoin,
                sea_orm::RelationTrait::def(&classification::Relation::Detection),
            )
            .filter(classification::Column::Id.is_in(classifications.iter().copied()))
            .into_tuple()
            .all(&self.db)
            .await?;
        let found = found.into_iter().filter_map(|(id, of)| Some((id, of?)));
        Ok((said.into_iter().collect(), found.collect()))
    }

    /// Makes identifications by one person, each on another occurrence, all or none. Their
    /// earlier ones on these occurrences are withdrawn.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn identify(
        &self,
        user: i64,
        new: &[NewIdentification],
    ) -> StoreResult<Vec<Identification>> {
        let occurrences: Vec<i64> = new.iter().map(|new| new.occurrence_id).collect();
        let at = now();
        let tx = self.write().await?;
        lock(&tx, &occurrences).await?;
        withdraw(&tx, user, &occurrences, None).await?;
        let mut made = Vec::with_capacity(new.len());
        for new in new {
            let row = identification::ActiveModel {
                occurrence_id: Set(new.occurrence_id),
                taxon_id: Set(Some(new.taxon_id)),
                user_id: Set(Some(user)),
                comment: Set(new.comment.clone()),
                withdrawn: Set(false),
                agreed_with_identification_id: Set(new.agreed_with_identification_id),
                agreed_with_prediction_id: Set(new.agreed_with_prediction_id),
                created_at: Set(at),
                updated_at: Set(at),
                ..Default::default()
            };
            made.push(row.insert(&*tx).await?);
        }
        recompute(&tx, &occurrences).await?;
        tx.commit().await?;
        Ok(made)
    }

    /// Changes an identification.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn change_identification(
        &self,
        id: i64,
        change: IdentificationChange,
    ) -> StoreResult<Identification> {
        let tx = self.write().await?;
        let row = identification::Entity::find_by_id(id).one(&*tx).await?;
        let old = row.ok_or(StoreError::NotFound("identification"))?;
        let occurrence = [old.occurrence_id];
        lock(&tx, &occurrence).await?;
        if change.withdrawn == Some(false)
            && let (true, Some(user)) = (old.withdrawn, old.user_id)
        {
            withdraw(&tx, user, &occurrence, Some(id)).await?; // one stands
        }
        let mut row = old.into_active_model();
        if let Some(taxon) = change.taxon_id {
            row.taxon_id = Set(Some(taxon));
        }
        if let Some(comment) = change.comment {
            row.comment = Set(comment);
        }
        if let Some(withdrawn) = change.withdrawn {
            row.withdrawn = Set(withdrawn);
        }
        if let Some(agreed) = change.agreed_with_identification_id {
            row.agreed_with_identification_id = Set(agreed);
        }
        if let Some(agreed) = change.agreed_with_prediction_id {
            row.agreed_with_prediction_id = Set(agreed);
        }
        row.updated_at = Set(now());
        let row = row.update(&*tx).await?;
        recompute(&tx, &occurrence).await?;
        tx.commit().await?;
        Ok(row)
    }

    /// Deletes an identification; where it stood, the same person's last one stands again.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn delete_identification(&self, id: i64) -> StoreResult<()> {
        use identification::Column as C;
        let tx = self.write().await?;
        let row = identification::Entity::find_by_id(id).one(&*tx).await?;
        let old = row.ok_or(StoreError::NotFound("identification"))?;
        let occurrence = [old.occurrence_id];
        lock(&tx, &occurrence).await?;
        identification::Entity::delete_by_id(id).exec(&*tx).await?;
        if let (false, Some(user)) = (old.withdrawn, old.user_id) {
            let last = identification::Entity::find()
                .filter(C::OccurrenceId.eq(old.occurrence_id))
                .filter(C::UserId.eq(user))
                .filter(C::Withdrawn.eq(true))
                .order_by_desc(C::CreatedAt)
                .order_by_desc(C::Id)
                .one(&*tx)
                .await?;
            if let Some(last) = last {
                let mut row = last.into_active_model();
                row.withdrawn = Set(false);
                row.updated_at = Set(now());
                row.update(&*tx).await?;
            }
        }
        recompute(&tx, &occurrence).await?;
        tx.commit().await
    }

    /// People by id.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn people(&self, ids: &[i64]) -> StoreResult<HashMap<i64, User>> {
        let rows = user::Entity::find()
            .filter(user::Column::Id.is_in(ids.iter().copied()))
            .all(&self.db)
            .await?;
        Ok(rows.into_iter().map(|user| (user.id, user)).collect())
    }
}

/// A person's earlier words on these occurrences no longer stand, but for one.
async fn withdraw(tx: &Write, user: i64, occurrences: &[i64], but: Option<i64>) -> StoreResult<()> {
    use identification::Column as C;
    for chunk in occurrences.chunks(1000) {
        let withdrawn = identification::ActiveModel {
            withdrawn: Set(true),
            updated_at: Set(now()),
            ..Default::default()
        };
        identification::Entity::update_many()
            .set(withdrawn)
            .filter(C::UserId.eq(user))
            .filter(C::OccurrenceId.is_in(chunk.iter().copied()))
            .filter(C::Withdrawn.eq(false))
            .filter(C::Id.ne(but.unwrap_or(0)))
            .exec(&**tx)
            .await?;
    }
    Ok(())
}
