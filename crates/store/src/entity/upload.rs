//! A photograph that a person sent; its capture goes with it.
#![allow(missing_docs)] // columns are named for what they hold; the others carry a comment

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "upload")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Among the files that the server keeps.
    pub path: String,
    pub station_id: i64,
    pub capture_id: i64,
    pub user_id: Option<i64>,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::capture::Entity",
        from = "Column::CaptureId",
        to = "super::capture::Column::Id"
    )]
    Capture,
}

impl ActiveModelBehavior for ActiveModel {}
