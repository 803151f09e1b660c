//! One photograph of a station's sheet.
#![allow(missing_docs)] // columns are named for what they hold; the others carry a comment

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "capture")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub project_id: Option<i64>,
    pub station_id: Option<i64>,
    pub session_id: Option<i64>,
    pub path: String,
    pub public_base_url: Option<String>,
    /// Local time of the station.
    pub taken_at: Option<DateTime>,
    pub width: Option<i32>,
    pub height: Option<i32>,
    /// Bytes.
    pub size: Option<i64>,
    pub last_modified_at: Option<DateTimeUtc>,
    pub checksum: Option<String>,
    pub checksum_algorithm: Option<String>,
    pub test_image: bool,
    pub uploaded_by_id: Option<i64>,
    /// Boxes whose occurrence passes the project's default filters.
    pub detections_count: i64,
    /// The newest detection or null marker.
    pub last_processed_at: Option<DateTimeUtc>,
    /// All boxes.
    pub boxes_count: i64,
    /// Taxa of the occurrences that pass the default filters.
    pub taxa_count: i64,
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
        belongs_to = "super::station::Entity",
        from = "Column::StationId",
        to = "super::station::Column::Id"
    )]
    Station,
    #[sea_orm(
        belongs_to = "super::session::Entity",
        from = "Column::SessionId",
        to = "super::session::Column::Id"
    )]
    Session,
    #[sea_orm(
        belongs_to = "super::user::Entity",
        from = "Column::UploadedById",
        to = "super::user::Column::Id"
    )]
    UploadedBy,
}

impl ActiveModelBehavior for ActiveModel {}
