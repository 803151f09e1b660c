//! An individual as seen by the station, with what it was determined as.
#![allow(missing_docs)] // columns are named for what they hold; the others carry a comment

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "occurrence")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub project_id: Option<i64>,
    pub station_id: Option<i64>,
    pub session_id: Option<i64>,
    pub determination_id: Option<i64>,
    pub determination_score: Option<f64>,
    /// Local time of the station; this and the next two are counted from the detections.
    pub first_seen_at: Option<DateTime>,
    pub last_seen_at: Option<DateTime>,
    pub boxes_count: i64,
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
        belongs_to = "super::taxon::Entity",
        from = "Column::DeterminationId",
        to = "super::taxon::Column::Id"
    )]
    Determination,
}

impl ActiveModelBehavior for ActiveModel {}
