//! What stations, captures, jobs and people belong to.
#![allow(missing_docs)] // columns are named for what they hold; the others carry a comment

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "project")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub name: String,
    #[sea_orm(column_type = "Text")]
    pub description: String,
    pub image: Option<String>,
    /// Hidden from everybody but members.
    pub draft: bool,
    pub active: bool,
    pub priority: i32,
    pub owner_id: Option<i64>,
    #[sea_orm(column_type = "JsonBinary")]
    pub feature_flags: Json,
    pub session_time_gap_seconds: i32,
    pub score_threshold: f64,
    pub default_pipeline_id: Option<i64>,
    /// The last capture that was counted again since the default filters changed; none where all
    /// are.
    pub recount_after: Option<i64>,
    /// When `seen_taxon` was counted; none where it must be before it is read.
    pub taxa_counted_at: Option<DateTimeUtc>,
    /// Minutes that a job waits for a worker before it fails; none: for ever.
    pub worker_wait_minutes: Option<i32>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::user::Entity",
        from = "Column::OwnerId",
        to = "super::user::Column::Id"
    )]
    Owner,
    #[sea_orm(
        belongs_to = "super::pipeline::Entity",
        from = "Column::DefaultPipelineId",
        to = "super::pipeline::Column::Id"
    )]
    DefaultPipeline,
}

impl ActiveModelBehavior for ActiveModel {}
