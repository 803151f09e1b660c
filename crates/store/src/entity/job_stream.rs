//! What was last seen of a job's tasks where they lie in a stream: a hint, a second old or so, for
//! those who choose among jobs; and how often lost ones were sent again.
#![allow(missing_docs)] // columns are named for what they hold; the others carry a comment

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "job_stream")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub job_id: i64,
    /// The generation of which it was seen.
    pub generation: i64,
    pub waiting: i64,
    pub leased: i64,
    /// How often open images of this generation were sent again.
    pub sweeps: i32,
    /// When that was last, in milliseconds since 1970.
    pub swept_at: i64,
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
