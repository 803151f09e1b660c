//! How a processing service answered in five minutes: how often it did and did not.
#![allow(missing_docs)] // columns are named for what they hold; the others carry a comment

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "service_check")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub service_id: i64,
    /// Seconds since 1970, a multiple of 300.
    #[sea_orm(primary_key, auto_increment = false)]
    pub slot: i64,
    pub answered: i32,
    pub failed: i32,
    /// Seconds that the last answer took.
    pub latency: Option<f64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
