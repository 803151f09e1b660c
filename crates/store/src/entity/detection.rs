//! A box that an algorithm drew on a capture; without a box, its note that it found nothing.
#![allow(missing_docs)] // columns are named for what they hold; the others carry a comment

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "detection")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub capture_id: i64,
    /// Pixels of the original; all four are NULL in a null marker.
    pub x1: Option<f64>,
    pub y1: Option<f64>,
    pub x2: Option<f64>,
    pub y2: Option<f64>,
    /// Of the crop.
    pub path: Option<String>,
    pub taken_at: Option<DateTime>,
    pub detected_at: Option<DateTimeUtc>,
    pub algorithm_id: Option<i64>,
    pub occurrence_id: Option<i64>,
    pub score: Option<f64>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::capture::Entity",
        from = "Column::CaptureId",
        to = "super::capture::Column::Id"
    )]
    Capture,
    #[sea_orm(
        belongs_to = "super::algorithm::Entity",
        from = "Column::AlgorithmId",
        to = "super::algorithm::Column::Id"
    )]
    Algorithm,
    #[sea_orm(
        belongs_to = "super::occurrence::Entity",
        from = "Column::OccurrenceId",
        to = "super::occurrence::Column::Id"
    )]
    Occurrence,
}

impl ActiveModelBehavior for ActiveModel {}
