//! A name in the tree of life, or a label that a classifier returned.
#![allow(missing_docs)] // columns are named for what they hold; the others carry a comment

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "taxon")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sea_orm(unique)]
    pub name: String,
    pub rank: String,
    pub parent_id: Option<i64>,
    pub active: bool,
    #[sea_orm(column_type = "JsonBinary")]
    pub search_names: Json,
    #[sea_orm(column_type = "JsonBinary")]
    pub parents: Json,
    pub gbif_key: Option<i64>,
    pub common_name_en: Option<String>,
    pub inat_taxon_id: Option<i64>,
    pub fieldguide_id: Option<String>,
    pub cover_image_url: Option<String>,
    pub cover_image_credit: Option<String>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::taxon::Entity",
        from = "Column::ParentId",
        to = "super::taxon::Column::Id"
    )]
    Parent,
}

impl ActiveModelBehavior for ActiveModel {}
