//! A chosen set of captures ("captures/collections" in the API).
#![allow(missing_docs)] // columns are named for what they hold; the others carry a comment

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "capture_set")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub project_id: i64,
    pub name: String,
    #[sea_orm(column_type = "Text")]
    pub description: String,
    pub method: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub kwargs: Json,
    /// Kept exact by whatever changes the members.
    pub captures_count: i64,
    /// Captures with a box; this and the next three are as of `counted_at`.
    pub found_count: i64,
    pub processed_count: i64,
    pub occurrences_count: i64,
    pub taxa_count: i64,
    pub counted_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::project::Entity",
        from = "Column::ProjectId",
        to = "super::project::Column::Id"
    )]
    Project,
}

impl ActiveModelBehavior for ActiveModel {}
