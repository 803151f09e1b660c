//! What a classifier says of a detection; earlier ones stay.
#![allow(missing_docs)] // columns are named for what they hold; the others carry a comment

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "classification")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub detection_id: i64,
    pub taxon_id: Option<i64>,
    pub algorithm_id: Option<i64>,
    pub category_map_id: Option<i64>,
    pub score: Option<f64>,
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub scores: Option<Json>,
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub logits: Option<Json>,
    pub terminal: bool,
    pub classified_at: DateTimeUtc,
    pub applied_to_id: Option<i64>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::detection::Entity",
        from = "Column::DetectionId",
        to = "super::detection::Column::Id"
    )]
    Detection,
    #[sea_orm(
        belongs_to = "super::taxon::Entity",
        from = "Column::TaxonId",
        to = "super::taxon::Column::Id"
    )]
    Taxon,
    #[sea_orm(
        belongs_to = "super::algorithm::Entity",
        from = "Column::AlgorithmId",
        to = "super::algorithm::Column::Id"
    )]
    Algorithm,
    #[sea_orm(
        belongs_to = "super::category_map::Entity",
        from = "Column::CategoryMapId",
        to = "super::category_map::Column::Id"
    )]
    CategoryMap,
    #[sea_orm(
        belongs_to = "super::classification::Entity",
        from = "Column::AppliedToId",
        to = "super::classification::Column::Id"
    )]
    AppliedTo,
}

impl ActiveModelBehavior for ActiveModel {}
