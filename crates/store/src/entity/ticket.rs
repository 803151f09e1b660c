//! One image waiting or leased: visible now, later, or gone when done.
#![allow(missing_docs)] // columns are named for what they hold; the others carry a comment

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ticket")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub job_id: i64,
    /// Without foreign key: its capture may be deleted meanwhile.
    #[sea_orm(primary_key, auto_increment = false)]
    pub capture_id: i64,
    pub generation: i64,
    /// Milliseconds since 1970; the lease is over when it has passed.
    pub visible_at: i64,
    pub deliveries: i32,
    /// The machine that was last given it, where it said who it is.
    pub worker_id: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::job::Entity",
        from = "Column::JobId",
        to = "super::job::Column::Id"
    )]
    Job,
}

impl ActiveModelBehavior for ActiveModel {}
