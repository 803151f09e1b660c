//! One model of a pipeline; its key is unique everywhere (`processing-service.md` §1).
#![allow(missing_docs)] // columns are named for what they hold; the others carry a comment

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "algorithm")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sea_orm(unique)]
    pub key: String,
    pub name: String,
    #[sea_orm(column_type = "Text")]
    pub description: String,
    pub version: i32,
    pub version_name: Option<String>,
    pub task_type: Option<String>,
    pub uri: Option<String>,
    pub category_map_id: Option<i64>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::category_map::Entity",
        from = "Column::CategoryMapId",
        to = "super::category_map::Column::Id"
    )]
    CategoryMap,
}

impl ActiveModelBehavior for ActiveModel {}
