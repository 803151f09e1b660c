//! What comes round by the clock: a chain of jobs of a project, or upkeep of the server itself.
#![allow(missing_docs)] // columns are named for what they hold; the others carry a comment

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "schedule")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// NULL: upkeep.
    pub project_id: Option<i64>,
    /// Key of a piece of upkeep; NULL for what people made.
    #[sea_orm(unique)]
    pub upkeep: Option<String>,
    pub name: String,
    pub cron: String,
    pub time_zone: String,
    /// `domain::schedule::Step`s.
    #[sea_orm(column_type = "JsonBinary")]
    pub steps: Json,
    /// With whose rights it acts: whoever saved it last.
    pub owner_id: Option<i64>,
    /// NULL: paused. Whoever moves it on from what it was begins the run.
    pub next_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::project::Entity",
        from = "Column::ProjectId",
        to = "super::project::Column::Id"
    )]
    Project,
    #[sea_orm(
        belongs_to = "super::user::Entity",
        from = "Column::OwnerId",
        to = "super::user::Column::Id"
    )]
    Owner,
}

impl ActiveModelBehavior for ActiveModel {}
