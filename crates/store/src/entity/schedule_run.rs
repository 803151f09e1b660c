//! One time that the chain of a schedule was begun, and how far it came.
#![allow(missing_docs)] // columns are named for what they hold; the others carry a comment

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "schedule_run")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub schedule_id: i64,
    /// When it was due; NULL where somebody ran it by hand.
    pub planned_at: Option<DateTimeUtc>,
    /// With whose rights it acts: the schedule's owner, or whoever ran it by hand.
    pub user_id: Option<i64>,
    /// The schedule's steps when it began: who edits a schedule changes its next run.
    #[sea_orm(column_type = "JsonBinary")]
    pub steps: Json,
    /// Place of the present step.
    pub step: i32,
    /// `going`, `done` or `broken`.
    pub state: String,
    /// Why it was broken off.
    pub detail: Option<String>,
    pub started_at: DateTimeUtc,
    pub finished_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::schedule::Entity",
        from = "Column::ScheduleId",
        to = "super::schedule::Column::Id"
    )]
    Schedule,
}

impl ActiveModelBehavior for ActiveModel {}
