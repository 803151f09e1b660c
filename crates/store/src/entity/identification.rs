//! What a person says an occurrence is. Of one person's on an occurrence, one stands at most.
#![allow(missing_docs)] // columns are named for what they hold; the others carry a comment

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "identification")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub occurrence_id: i64,
    /// NULL: only a comment.
    pub taxon_id: Option<i64>,
    pub user_id: Option<i64>,
    #[sea_orm(column_type = "Text")]
    pub comment: String,
    pub withdrawn: bool,
    pub agreed_with_identification_id: Option<i64>,
    pub agreed_with_prediction_id: Option<i64>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::occurrence::Entity",
        from = "Column::OccurrenceId",
        to = "super::occurrence::Column::Id"
    )]
    Occurrence,
}

impl ActiveModelBehavior for ActiveModel {}
