//! One night at one station ("event" in the API): captures without a long gap (`domain-rules.md`
//! §4).
#![allow(missing_docs)] // columns are named for what they hold; the others carry a comment

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "session")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub project_id: Option<i64>,
    pub station_id: Option<i64>,
    /// Date of the first capture.
    pub day: Date,
    /// Local time of the station.
    pub start_at: DateTime,
    pub end_at: Option<DateTime>,
    pub captures_count: i64,
    pub detections_count: i64,
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
    #[sea_orm(
        belongs_to = "super::station::Entity",
        from = "Column::StationId",
        to = "super::station::Column::Id"
    )]
    Station,
}

impl ActiveModelBehavior for ActiveModel {}
