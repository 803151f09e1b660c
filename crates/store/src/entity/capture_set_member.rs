//! Which captures a set holds.
#![allow(missing_docs)] // columns are named for what they hold; the others carry a comment

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "capture_set_member")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub capture_set_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub capture_id: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::capture_set::Entity",
        from = "Column::CaptureSetId",
        to = "super::capture_set::Column::Id"
    )]
    CaptureSet,
    #[sea_orm(
        belongs_to = "super::capture::Entity",
        from = "Column::CaptureId",
        to = "super::capture::Column::Id"
    )]
    Capture,
}

impl ActiveModelBehavior for ActiveModel {}
