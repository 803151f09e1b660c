//! Where a station's photographs lie: an S3 bucket or a local folder.
#![allow(missing_docs)] // columns are named for what they hold; the others carry a comment

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "storage_source")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub project_id: Option<i64>,
    pub name: String,
    /// "s3" or "local".
    pub kind: String,
    /// For a local source, the folder.
    pub bucket: String,
    pub prefix: String,
    pub region: Option<String>,
    pub endpoint_url: Option<String>,
    pub public_base_url: Option<String>,
    /// Sealed.
    #[sea_orm(column_type = "Text")]
    pub access_key: String,
    /// Sealed.
    #[sea_orm(column_type = "Text")]
    pub secret_key: String,
    pub total_files: Option<i64>,
    /// Bytes.
    pub total_size: Option<i64>,
    pub last_checked_at: Option<DateTimeUtc>,
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
