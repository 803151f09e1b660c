//! A remote worker that was seen polling.
#![allow(missing_docs)] // columns are named for what they hold; the others carry a comment

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "worker")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub project_id: Option<i64>,
    /// Whose token it shows.
    pub user_id: Option<i64>,
    pub name: String,
    /// Empty where it does not say.
    pub host: Option<String>,
    pub version: Option<String>,
    /// The pipeline and the job for which it last asked for tasks or posted results.
    pub pipeline_id: Option<i64>,
    pub job_id: Option<i64>,
    pub last_seen_at: DateTimeUtc,
    pub created_at: DateTimeUtc,
    /// Images that it finished, and those that it could not.
    pub done: i64,
    pub failed: i64,
    /// Images per second when it was last noted.
    pub rate: Option<f64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::project::Entity",
        from = "Column::ProjectId",
        to = "super::project::Column::Id"
    )]
    Project,
}

impl ActiveModelBehavior for ActiveModel {}
