//! Which algorithms a pipeline runs; never unlinked.
#![allow(missing_docs)] // columns are named for what they hold; the others carry a comment

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "pipeline_algorithm")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub pipeline_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub algorithm_id: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::pipeline::Entity",
        from = "Column::PipelineId",
        to = "super::pipeline::Column::Id"
    )]
    Pipeline,
    #[sea_orm(
        belongs_to = "super::algorithm::Entity",
        from = "Column::AlgorithmId",
        to = "super::algorithm::Column::Id"
    )]
    Algorithm,
}

impl ActiveModelBehavior for ActiveModel {}
