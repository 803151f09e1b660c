//! What became of one image of a job's run: opened when fed, then done or failed.
#![allow(missing_docs)] // columns are named for what they hold; the others carry a comment

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "task_result")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub job_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub run_no: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub stage: i32,
    /// Without foreign key: a deleted capture still counts.
    #[sea_orm(primary_key, auto_increment = false)]
    pub capture_id: i64,
    pub generation: i64,
    /// 0 open, 1 done, 2 failed.
    pub outcome: i32,
    pub deliveries: i32,
    /// Why it failed, or that a done one needed no result of this job.
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
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
