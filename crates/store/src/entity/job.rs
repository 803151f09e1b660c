//! What a person asked to be done: the only truth about its state (`protocol.md` §1).
#![allow(missing_docs)] // columns are named for what they hold; the others carry a comment

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "job")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub project_id: i64,
    pub name: String,
    pub kind: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub params: Json,
    /// Seconds.
    pub delay: i32,
    pub limit: Option<i32>,
    pub shuffle: bool,
    pub station_id: Option<i64>,
    pub capture_set_id: Option<i64>,
    pub capture_id: Option<i64>,
    pub pipeline_id: Option<i64>,
    pub export_id: Option<i64>,
    pub created_by_id: Option<i64>,
    pub dispatch_mode: String,
    pub state: String,
    pub paused: bool,
    pub priority: i32,
    /// Bumped by a person's retry or run again.
    pub generation: i64,
    /// Bumped by a person's run again.
    pub run_no: i64,
    pub feed_mode: String,
    /// Last position fed.
    pub feed_cursor: i64,
    /// Last position published, where tasks leave the database.
    pub sent_cursor: i64,
    /// Whether the tasks of this generation lie in a stream outside of the database.
    pub in_stream: bool,
    pub fed: i64,
    /// Saved in earlier generations of this run.
    pub kept: i64,
    /// NULL until the feed has ended.
    pub total: Option<i64>,
    /// Upper bound of the captures to be looked at.
    pub expected: Option<i64>,
    /// Signs the receipts of its tasks.
    pub receipt_key: String,
    /// NULL: nobody runs it.
    pub owner: Option<String>,
    /// The fence of the runner's writes.
    pub claim_no: i64,
    pub rescues: i32,
    pub beat_at: Option<DateTimeUtc>,
    /// Of stages that the runner itself writes; the others are summed from job_progress.
    #[sea_orm(column_type = "JsonBinary")]
    pub stages: Json,
    #[sea_orm(column_type = "JsonBinary")]
    pub errors: Json,
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub result: Option<Json>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub scheduled_at: Option<DateTimeUtc>,
    pub started_at: Option<DateTimeUtc>,
    pub finished_at: Option<DateTimeUtc>,
    /// The trace of its present run, where traces are kept.
    pub trace_id: Option<String>,
    /// The span of the request that asked for it.
    pub span_id: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::project::Entity",
        from = "Column::ProjectId",
        to = "super::project::Column::Id"
    )]
    Project,
    #[sea_orm(
        belongs_to = "super::station::Entity",
        from = "Column::StationId",
        to = "super::station::Column::Id"
    )]
    Station,
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
    #[sea_orm(
        belongs_to = "super::pipeline::Entity",
        from = "Column::PipelineId",
        to = "super::pipeline::Column::Id"
    )]
    Pipeline,
    #[sea_orm(
        belongs_to = "super::export::Entity",
        from = "Column::ExportId",
        to = "super::export::Column::Id"
    )]
    Export,
    #[sea_orm(
        belongs_to = "super::user::Entity",
        from = "Column::CreatedById",
        to = "super::user::Column::Id"
    )]
    CreatedBy,
}

impl Related<super::project::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Project.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
