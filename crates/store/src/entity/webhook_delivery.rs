//! Something that is to be told, or was, or could not be.
#![allow(missing_docs)] // columns are named for what they hold; the others carry a comment

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_delivery")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub webhook_id: i64,
    /// By which a receiver knows it again.
    #[sea_orm(unique)]
    pub key: String,
    /// Name of a `domain::telling::Event`.
    pub event: String,
    /// NULL for a test, and where the job was deleted.
    pub job_id: Option<i64>,
    /// `domain::telling::News`.
    #[sea_orm(column_type = "JsonBinary")]
    pub payload: Json,
    /// `waiting`, `delivered` or `failed`.
    pub state: String,
    /// Tries that were begun.
    pub attempts: i32,
    /// When it is tried next; while it is, when somebody else may. NULL: not any more.
    pub next_at: Option<DateTimeUtc>,
    /// Status of the last answer.
    pub status: Option<i32>,
    /// Why the last try failed.
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
    pub created_at: DateTimeUtc,
    /// When the last try began.
    pub sent_at: Option<DateTimeUtc>,
    pub finished_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::webhook::Entity",
        from = "Column::WebhookId",
        to = "super::webhook::Column::Id"
    )]
    Webhook,
    #[sea_orm(
        belongs_to = "super::job::Entity",
        from = "Column::JobId",
        to = "super::job::Column::Id"
    )]
    Job,
}

impl Related<super::webhook::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Webhook.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
