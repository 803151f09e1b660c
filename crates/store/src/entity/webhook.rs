//! Whom a project tells what becomes of its jobs: an address, or a person's.
#![allow(missing_docs)] // columns are named for what they hold; the others carry a comment

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub project_id: i64,
    pub name: String,
    /// `webhook` or `email`.
    pub kind: String,
    /// The address that is posted to, or that of a person.
    pub target: String,
    /// What signs, sealed; empty where nothing is signed.
    #[sea_orm(column_type = "Text")]
    pub secret: String,
    /// Names of `domain::telling::Event`s.
    #[sea_orm(column_type = "JsonBinary")]
    pub events: Json,
    /// Of the ends of jobs only failures.
    pub only_failures: bool,
    /// After how many minutes without a worker that is told, if it is among the events.
    pub no_worker_minutes: i32,
    pub enabled: bool,
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
}

impl ActiveModelBehavior for ActiveModel {}
