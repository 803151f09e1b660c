//! How far one step of a copy or an import into this database has come.
#![allow(missing_docs)] // columns are named for what they hold; the others carry a comment

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "transfer")]
pub struct Model {
    /// `copy`, or `antenna:` and a table there.
    #[sea_orm(primary_key, auto_increment = false)]
    pub step: String,
    /// Where the rows come from, without a password.
    pub source: String,
    /// Key of the last row that was read; for a copy, a number by which it is known again.
    pub position: i64,
    pub seen: i64,
    pub written: i64,
    /// What could not be brought over: reason to how many and which.
    #[sea_orm(column_type = "JsonBinary")]
    pub lost: Json,
    pub done: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
