//! A camera trap at a place ("deployment" in the API).
#![allow(missing_docs)] // columns are named for what they hold; the others carry a comment

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "station")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub project_id: Option<i64>,
    pub name: String,
    #[sea_orm(column_type = "Text")]
    pub description: String,
    pub image: Option<String>,
    pub latitude: Option<f64>,
    pub longitude: Option<f64>,
    pub site_id: Option<i64>,
    pub device_id: Option<i64>,
    pub source_id: Option<i64>,
    pub source_subdir: Option<String>,
    pub source_regex: Option<String>,
    pub source_total_files: Option<i64>,
    /// Bytes.
    pub source_total_size: Option<i64>,
    pub source_checked_at: Option<DateTimeUtc>,
    pub captures_count: i64,
    pub sessions_count: i64,
    pub detections_count: i64,
    pub occurrences_count: i64,
    pub taxa_count: i64,
    pub first_capture_at: Option<DateTime>,
    pub last_capture_at: Option<DateTime>,
    /// Who regroups its captures now.
    pub regroup_lock: Option<String>,
    /// After this the lock is void, whoever holds it.
    pub regroup_lock_until: Option<DateTimeUtc>,
    /// Since when its captures wait to be put into sessions again.
    pub regroup_due_at: Option<DateTimeUtc>,
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
    #[sea_orm(
        belongs_to = "super::site::Entity",
        from = "Column::SiteId",
        to = "super::site::Column::Id"
    )]
    Site,
    #[sea_orm(
        belongs_to = "super::device::Entity",
        from = "Column::DeviceId",
        to = "super::device::Column::Id"
    )]
    Device,
    #[sea_orm(
        belongs_to = "super::storage_source::Entity",
        from = "Column::SourceId",
        to = "super::storage_source::Column::Id"
    )]
    Source,
}

impl ActiveModelBehavior for ActiveModel {}
