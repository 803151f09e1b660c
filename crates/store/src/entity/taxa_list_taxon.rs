//! Which taxa a list holds.
#![allow(missing_docs)] // columns are named for what they hold; the others carry a comment

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "taxa_list_taxon")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub taxa_list_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub taxon_id: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::taxa_list::Entity",
        from = "Column::TaxaListId",
        to = "super::taxa_list::Column::Id"
    )]
    TaxaList,
    #[sea_orm(
        belongs_to = "super::taxon::Entity",
        from = "Column::TaxonId",
        to = "super::taxon::Column::Id"
    )]
    Taxon,
}

impl ActiveModelBehavior for ActiveModel {}
